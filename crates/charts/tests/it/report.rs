//! The HTML page.

use roxmltree::Document;
use vitalcast_charts::{Alignment, Block, HtmlReport, Section, Table, WELLNESS_SENTENCE};

use crate::data::{HOSTILE, full_chart, heat_map, lags, skill};

fn report(text: &str) -> HtmlReport {
    let mut chart = full_chart();
    text.clone_into(&mut chart.title);
    let (mut map, mut lags) = (heat_map(), lags());
    text.clone_into(&mut map.rows[0].label);
    text.clone_into(&mut lags.title);
    HtmlReport::new(text, text)
        .with(
            Section::new(text)
                .with_paragraph(text)
                .with(Block::Note(text.to_owned()))
                .with(Block::List(vec![text.to_owned()]))
                .with(Block::History(chart)),
        )
        .with(
            Section::new(text)
                .with(Block::Skill(skill()))
                .with(Block::HeatMap(map))
                .with(Block::Lags(lags))
                .with(Block::Table(Table {
                    caption: text.to_owned(),
                    columns: vec![
                        (text.to_owned(), Alignment::Text),
                        (text.to_owned(), Alignment::Number),
                    ],
                    rows: vec![vec![Some(text.to_owned()), None]],
                })),
        )
}

/// The page as XML: what HTML allows to stay open is closed first.
fn as_xml(page: &str) -> String {
    let page = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    page.lines()
        .map(|line| {
            if line.starts_with("<meta ") {
                line.replacen('>', "/>", 1)
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<String>>()
        .join("\n")
}

#[test]
fn every_element_is_closed_and_hostile_text_opens_none() {
    for text in ["Tomorrow", HOSTILE] {
        let page = report(text).render().unwrap();
        let xml = as_xml(&page);
        let document = Document::parse(&xml).unwrap();
        let names: Vec<&str> = document
            .descendants()
            .map(|node| node.tag_name().name())
            .collect();
        assert!(!names.contains(&"script"));
        assert_eq!(names.iter().filter(|name| **name == "svg").count(), 8);
        assert!(!page.contains(['\u{1b}', '\u{0}']));
    }
}

#[test]
fn the_page_loads_nothing() {
    let page = report("Tomorrow").render().unwrap();
    assert!(
        page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"")
    );
    let page = page
        .replace("http://www.w3.org/2000/svg", "")
        .replace("http-equiv", "");
    for forbidden in [
        "http",
        "src=",
        "href",
        "url(",
        "@import",
        "<script",
        "javascript",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn no_attribute_runs_anything() {
    let xml = as_xml(&report(HOSTILE).render().unwrap());
    for node in Document::parse(&xml).unwrap().descendants() {
        assert!(
            node.attributes()
                .all(|attribute| !attribute.name().starts_with("on"))
        );
    }
}

#[test]
fn every_report_says_that_it_is_no_medical_device() {
    assert!(WELLNESS_SENTENCE.contains("not a medical device"));
    let page = HtmlReport::new("Empty", "").render().unwrap();
    assert!(page.contains(WELLNESS_SENTENCE));
}

#[test]
fn dark_screens_phones_and_paper_have_their_rules() {
    let page = report("Tomorrow").render().unwrap();
    for rule in [
        "prefers-color-scheme:dark",
        "max-width:640px",
        "@media print",
        "width=device-width",
    ] {
        assert!(page.contains(rule), "{rule}");
    }
}

#[test]
fn headings_follow_one_another() {
    let xml = as_xml(&report("Tomorrow").render().unwrap());
    let document = Document::parse(&xml).unwrap();
    let headings: Vec<&str> = document
        .descendants()
        .map(|node| node.tag_name().name())
        .filter(|name| name.len() == 2 && name.starts_with('h') && name.ends_with(['1', '2', '3']))
        .collect();
    assert_eq!(headings, ["h1", "h2", "h2"]);
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(
        report("Tomorrow").render().unwrap(),
        report("Tomorrow").render().unwrap()
    );
}

#[test]
fn a_chart_that_cannot_be_drawn_stops_the_report() {
    let mut chart = full_chart();
    chart.history[0].1 = Some(f64::NAN);
    let report = HtmlReport::new("t", "").with(Section::new("s").with(Block::History(chart)));
    assert!(
        report
            .render()
            .unwrap_err()
            .to_string()
            .starts_with("history[0].value is NaN")
    );
}

#[test]
fn correlations_that_cannot_be_drawn_stop_the_report() {
    let mut map = heat_map();
    map.rows[1].cells[0].as_mut().unwrap().value = 2.0;
    let mut chart = lags();
    chart.points.swap(0, 1);
    for (block, expected) in [
        (Block::HeatMap(map), "rows[1].cells[0].value is 2"),
        (Block::Lags(chart), "points[1] has lag 0"),
    ] {
        let report = HtmlReport::new("t", "").with(Section::new("s").with(block));
        let error = report.render().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn the_strongest_lag_is_named_below_its_picture() {
    let page = report("Tomorrow").render().unwrap();
    assert!(page.contains("<figcaption>Strongest at 1 day: \u{2212}0.46, interval"));
}
