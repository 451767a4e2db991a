//! Charts of explanations, scenarios and experiments: SVG, PNG, terminal, report.

use roxmltree::Document;
use vitalcast_charts::{
    Block, ChartError, HtmlReport, PictureSize, Section, TerminalOptions, WaterfallPart,
};

use crate::{
    data::{HOSTILE, day},
    insight_data::{attention, dependence, experiment, importance, trajectory, waterfall, what_if},
};

const READING: &str = "#0072B2";
const FORECAST: &str = "#D55E00";
const BASELINE: &str = "#B9C3CD";
const NEGATIVE: &str = "#4899D3";
const POSITIVE: &str = "#E6742C";

/// The smallest picture.
const SMALL: PictureSize = PictureSize {
    width: 240,
    height: 160,
    pixels_per_point: 1,
};

/// Evaluates the same expression for each of the seven charts.
macro_rules! each_chart {
    ($chart:ident => $do:expr) => {{
        {
            let $chart = waterfall();
            $do;
        }
        {
            let $chart = importance();
            $do;
        }
        {
            let $chart = attention();
            $do;
        }
        {
            let $chart = dependence();
            $do;
        }
        {
            let $chart = what_if();
            $do;
        }
        {
            let $chart = trajectory();
            $do;
        }
        {
            let $chart = experiment();
            $do;
        }
    }};
}

fn texts(picture: &str) -> Vec<String> {
    Document::parse(picture)
        .unwrap()
        .descendants()
        .filter(|node| node.tag_name().name() == "text")
        .map(|node| node.text().unwrap_or_default().trim().to_owned())
        .collect()
}

/// How often an element has this ink.
fn count(picture: &str, element: &str, attribute: &str, ink: &str) -> usize {
    Document::parse(picture)
        .unwrap()
        .descendants()
        .filter(|node| node.tag_name().name() == element)
        .filter(|node| node.attribute(attribute) == Some(ink))
        .count()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn every_picture_is_well_formed_and_speaks_to_a_screen_reader() {
    each_chart!(chart => {
        let picture = chart.svg(PictureSize::default()).unwrap();
        let document = Document::parse(&picture).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let said = |name: &str| {
            let mut nodes = root.children();
            let node = nodes.find(|node| node.tag_name().name() == name).unwrap();
            node.text().unwrap().to_owned()
        };
        assert_eq!(said("title"), chart.title);
        assert_eq!(said("desc"), chart.description().unwrap());
        assert!(said("desc").contains(&chart.verdict()), "{}", said("desc"));
    });
}

#[test]
fn every_picture_refers_to_nothing_outside() {
    each_chart!(chart => {
        let picture = chart.svg(PictureSize::default()).unwrap();
        let picture = picture.replacen("http://www.w3.org/2000/svg", "", 1);
        for forbidden in ["http", "href", "url(", "@import", "<script", "<image"] {
            assert!(!picture.contains(forbidden), "{forbidden}");
        }
    });
}

#[test]
fn hostile_text_stays_text() {
    each_chart!(chart => {
        let mut chart = chart;
        chart.title = HOSTILE.to_owned();
        chart.subtitle = HOSTILE.to_owned();
        let picture = chart.svg(PictureSize::default()).unwrap();
        let document = Document::parse(&picture).unwrap();
        let mut names = document.descendants().map(|node| node.tag_name().name());
        assert!(names.all(|name| name != "script"));
        assert!(!picture.contains(['\u{1b}', '\u{0}', '\u{202e}']));
        let text = chart.terminal(TerminalOptions::default()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{0}', '\u{202e}']));
    });
    let mut waterfall = waterfall();
    waterfall.parts[0].label = HOSTILE.to_owned();
    waterfall.parts[0].note = HOSTILE.to_owned();
    let mut experiment = experiment();
    experiment.condition_labels = [HOSTILE.to_owned(), HOSTILE.to_owned()];
    for picture in [
        waterfall.svg(PictureSize::default()).unwrap(),
        experiment.svg(PictureSize::default()).unwrap(),
    ] {
        assert!(Document::parse(&picture).is_ok());
        assert!(!picture.contains(['\u{1b}', '\u{0}', '\u{202e}']));
    }
}

#[test]
fn every_chart_is_drawn_in_the_smallest_and_a_large_size() {
    for (width, height) in [(240, 160), (4000, 200), (300, 900)] {
        let size = PictureSize {
            width,
            height,
            pixels_per_point: 1,
        };
        each_chart!(chart => {
            let picture = chart.svg(size).unwrap();
            assert!(!picture.contains("NaN"), "{width}");
            for negative in ["width=\"-", "height=\"-", "r=\"-"] {
                assert!(!picture.contains(negative), "{negative} at {width} x {height}");
            }
        });
    }
    each_chart!(chart => assert_eq!(&chart.png(SMALL).unwrap()[1..4], b"PNG"));
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let size = PictureSize::default();
    each_chart!(chart => {
        assert_eq!(chart.svg(size).unwrap(), chart.svg(size).unwrap());
        assert_eq!(chart.png(SMALL).unwrap(), chart.png(SMALL).unwrap());
    });
}

#[test]
fn a_terminal_of_any_width_holds_every_chart() {
    for (width, ascii) in [(40, false), (60, false), (120, false), (80, true)] {
        let options = TerminalOptions {
            width,
            ascii,
            ..TerminalOptions::default()
        };
        each_chart!(chart => {
            for line in chart.terminal(options).unwrap().lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width as usize, "{line:?}");
                assert!(!ascii || line.is_ascii(), "{line:?}");
            }
        });
    }
}

#[test]
fn a_report_holds_every_chart_wide_and_narrow() {
    let section = Section::new("Insight")
        .with(Block::Waterfall(waterfall()))
        .with(Block::Importance(importance()))
        .with(Block::Attention(attention()))
        .with(Block::Dependence(dependence()))
        .with(Block::WhatIf(what_if()))
        .with(Block::Trajectory(trajectory()))
        .with(Block::Experiment(experiment()));
    let page = HtmlReport::new("Insight", "")
        .with(section)
        .render()
        .unwrap();
    assert_eq!(page.matches("<svg ").count(), 14);
    assert_eq!(page.matches("<figure>").count(), 7);
    each_chart!(chart => {
        let title = format!("<title>{}</title>", chart.title);
        assert_eq!(page.matches(&title).count(), 2, "{title}");
    });
}

#[test]
fn parts_that_add_and_parts_that_take_away_differ_in_ink_and_sign() {
    let picture = waterfall().svg(PictureSize::default()).unwrap();
    // One arrow of each kind belongs to the legend.
    assert_eq!(count(&picture, "polygon", "fill", POSITIVE), 1 + 3);
    assert_eq!(count(&picture, "polygon", "fill", NEGATIVE), 1 + 1);
    let texts = texts(&picture);
    for number in [
        "57.0 bpm",
        "+1.8 bpm",
        "\u{2212}0.8 bpm",
        "+0.5 bpm",
        "58.8 bpm",
    ] {
        assert!(texts.contains(&number.to_owned()), "{number}: {texts:?}");
    }
    assert!(texts.contains(&"84 g".to_owned()), "{texts:?}");
}

#[test]
fn a_waterfall_in_a_terminal_points_where_the_forecast_goes() {
    let text = waterfall()
        .terminal(TerminalOptions {
            width: 70,
            ..TerminalOptions::default()
        })
        .unwrap();
    insta::assert_snapshot!(text, @r"
    How the forecast comes about
    boosted trees
      mean of your days  ○                                        57.0 bpm
      late carbs (84 g)  ███████████████████████████████████████▶ +1.8 bpm
      sleep                                     ◀████████████████ −0.8 bpm
      steps (4120)                              ███████████▶      +0.5 bpm
      Everything else                                      ▐████▶ +0.2 bpm
    ▶ Forecast                                                  ● 58.8 bpm
    Forecast: 58.8 bpm, 1.8 bpm above the base (mean of your days, 57.0
    bpm). Largest part: late carbs, +1.8 bpm.
    ");
}

#[test]
fn only_bars_whose_interval_is_beside_zero_are_blue() {
    let picture = importance().svg(PictureSize::default()).unwrap();
    // One box of each kind belongs to the legend.
    assert_eq!(count(&picture, "rect", "fill", READING), 1 + 1);
    assert_eq!(count(&picture, "rect", "fill", BASELINE), 1 + 2);
}

#[test]
fn importances_in_a_terminal_have_their_intervals() {
    let text = importance()
        .terminal(TerminalOptions {
            width: 70,
            ..TerminalOptions::default()
        })
        .unwrap();
    insta::assert_snapshot!(text, @r"
    Importance
      sleep          ███████████████████────────   0.50 bpm [0.30 to 0.70]
      steps        ──███▌──────                   0.10 bpm [-0.05 to 0.25]
      weekday  ────██───                         -0.05 bpm [-0.15 to 0.05]
    Most important: sleep, 0.50 bpm, interval 0.30–0.70 bpm. 2 of 3
    intervals hold 0.
    ");
}

#[test]
fn three_days_of_attention_are_marked_and_named() {
    let picture = attention().svg(PictureSize::default()).unwrap();
    // Each has a box in the legend, too.
    assert_eq!(count(&picture, "rect", "fill", READING), 3 + 3);
    assert_eq!(count(&picture, "rect", "fill", BASELINE), 2);
    let texts = texts(&picture);
    for name in [
        "1: 5 Mar 2026, 40 %",
        "2: 2 Mar 2026, 30 %",
        "3: 4 Mar 2026, 15 %",
    ] {
        assert!(texts.contains(&name.to_owned()), "{name}: {texts:?}");
    }
    let text = attention().terminal(TerminalOptions::default()).unwrap();
    let ranks: String = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .filter(|line| line.chars().all(|sign| " 123".contains(sign)))
        .flat_map(|line| line.chars().filter(char::is_ascii_digit))
        .collect();
    assert_eq!(ranks, "231");
}

#[test]
fn a_dependence_shows_line_days_and_the_day_in_question() {
    let picture = dependence().svg(PictureSize::default()).unwrap();
    // Rings are two circles; one ring and one dot belong to the legend.
    assert_eq!(count(&picture, "circle", "fill", READING), 1 + 2);
    assert_eq!(count(&picture, "circle", "fill", FORECAST), 1 + 1);
    assert!(texts(&picture).contains(&"late carbohydrates, g".to_owned()));
}

#[test]
fn a_scenario_within_the_usual_error_has_no_arrow() {
    let picture = what_if().svg(PictureSize::default()).unwrap();
    assert_eq!(count(&picture, "polygon", "fill", READING), 1 + 1);
    assert_eq!(count(&picture, "polygon", "fill", FORECAST), 1 + 1);
    assert!(texts(&picture).contains(&"usual error, 1.0 bpm".to_owned()));
    let text = what_if()
        .terminal(TerminalOptions {
            width: 70,
            ..TerminalOptions::default()
        })
        .unwrap();
    insta::assert_snapshot!(text, @r"
    What if
    ▶ as it is [55.0–61.0 bpm]           ─────●──────             58.0 bpm
      no late meal [52.5–58.5 bpm]  ─────◀━━━━━─         ✓ 55.5 bpm (−2.5)
      two beers [57.0–63.0 bpm]             ──━━━━▶───── ✗ 60.0 bpm (+2.0)
      more steps [54.5–60.5 bpm]        ─────○──────     = 57.5 bpm (−0.5)
    ✓ better (lower) ✗ worse = within the usual error
    Best expected: no late meal, 55.5 bpm, −2.5 bpm against as it is (58.0
    bpm).
    ");
}

#[test]
fn a_trajectory_shows_both_lines_and_the_mean() {
    let picture = trajectory().svg(PictureSize::default()).unwrap();
    let texts = texts(&picture);
    for text in [
        "without the change",
        "your mean",
        "57 bpm",
        "50\u{2013}64 bpm",
    ] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    let text = trajectory().terminal(TerminalOptions::default()).unwrap();
    assert!(text.contains("◇ without the change"), "{text}");
    assert!(text.contains("your mean 58 bpm"), "{text}");
}

#[test]
fn the_days_of_an_experiment_stand_in_named_blocks() {
    let picture = experiment().svg(PictureSize::default()).unwrap();
    let texts = texts(&picture);
    for text in [
        "A",
        "B",
        "today",
        "not followed",
        "washout",
        "A 56.2 bpm",
        "B 58.8 bpm",
    ] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    let text = experiment()
        .terminal(TerminalOptions {
            width: 60,
            ..TerminalOptions::default()
        })
        .unwrap();
    insta::assert_snapshot!(text, @r"
    No food after 20:00
           │
           │                                           ○
           │                                           ┄┄┄┄┄┄┄┄○
    58 bpm ┤
           │·
           │        ·                         ·
           │                 ┄┄┄┄┄┄┄┄┄●
    56 bpm ┤                 ●
           │
                    ░        AAAAAAAAAA       ░        BBBBBBBBB
                                      x                ▲
           └┬────────────────┬────────────────┬────────────────┬
          1 Mar            3 Mar            5 Mar          7 Mar
          2026
    ● A: no food after 20:00   ○ B: as usual   ░ washout
    ┄ mean   x not followed   ▲ today
    A, no food after 20:00: mean 56.2 bpm, interval 55.5–57.0
    bpm, 2 days. B, as usual: mean 58.8 bpm, interval 58.0–59.5
    bpm, 2 days.
    ");
}

#[test]
fn an_experiment_without_values_shows_its_plan_and_no_scale() {
    let mut planned = experiment();
    planned.means = [None, None];
    planned.days.iter_mut().for_each(|day| day.value = None);
    planned.today = Some(day(0));
    let texts = texts(&planned.svg(PictureSize::default()).unwrap());
    assert!(!texts.contains(&"bpm".to_owned()), "{texts:?}");
    assert!(texts.contains(&"today".to_owned()), "{texts:?}");
    let text = planned.terminal(TerminalOptions::default()).unwrap();
    assert!(
        !lines(&text).iter().any(|line| line.contains("bpm")),
        "{text}"
    );
    assert!(text.contains("AAA"), "{text}");
}

#[test]
fn bad_values_are_refused_before_anything_is_drawn() {
    let mut chart = waterfall();
    chart.parts[1].amount = f64::NAN;
    let error = chart.svg(PictureSize::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("parts[1].amount is NaN"),
        "{error}"
    );
    let mut chart = waterfall();
    chart.parts = vec![
        WaterfallPart {
            label: String::new(),
            amount: 0.0,
            note: String::new(),
        };
        61
    ];
    assert!(matches!(
        chart.terminal(TerminalOptions::default()),
        Err(ChartError::TooMany { .. })
    ));
    let mut chart = experiment();
    chart.days.swap(1, 2);
    assert!(matches!(
        chart.png(PictureSize::default()),
        Err(ChartError::DatesNotAscending { .. })
    ));
}
