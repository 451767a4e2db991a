//! SVG and PNG.

use roxmltree::{Document, Node};
use vitalcast_charts::{ChartError, HistoryChart, LARGEST_VALUE, PictureSize};

use crate::data::{HOSTILE, cell, chart, day, forecast, full_chart, heat_map, lag, lags, skill};

const READING: &str = "#0072B2";
const TEXT: &str = "#1B252F";
const NEGATIVE: &str = "#4899D3";
const POSITIVE: &str = "#E6742C";
const RULE: &str = "#B4BDC6";

fn svg(chart: &HistoryChart) -> String {
    chart.svg(PictureSize::default()).unwrap()
}

fn texts(document: &Document<'_>) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .map(|node| node.text().unwrap_or_default().trim().to_owned())
        .collect()
}

/// Lines of readings, without the swatch of the legend, as numbers of points.
fn reading_lines(document: &Document<'_>) -> Vec<usize> {
    document
        .descendants()
        .filter(|node| node.tag_name().name() == "polyline")
        .filter(|node| node.attribute("stroke") == Some(READING))
        .skip(1)
        .map(|node| node.attribute("points").unwrap().split_whitespace().count())
        .collect()
}

fn child_text<'a>(root: Node<'a, '_>, name: &str) -> &'a str {
    root.children()
        .find(|node| node.tag_name().name() == name)
        .unwrap()
        .text()
        .unwrap()
}

#[test]
fn an_svg_is_well_formed_and_speaks_to_a_screen_reader() {
    let picture = svg(&full_chart());
    let document = Document::parse(&picture).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    assert_eq!(root.attribute("role"), Some("img"));
    assert_eq!(
        (root.attribute("width"), root.attribute("height")),
        (Some("860"), Some("400"))
    );
    assert_eq!(child_text(root, "title"), "Resting heart rate");
    assert!(child_text(root, "desc").contains("3 days without a reading"));
}

#[test]
fn an_svg_refers_to_nothing_outside() {
    let picture = svg(&full_chart());
    let without_namespace = picture.replacen("http://www.w3.org/2000/svg", "", 1);
    for forbidden in ["http", "href", "url(", "@import", "<script", "<image"] {
        assert!(!without_namespace.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn hostile_text_is_text_and_nothing_else() {
    let mut chart = full_chart();
    chart.title = HOSTILE.to_owned();
    chart.subtitle = HOSTILE.to_owned();
    chart.unit.symbol = HOSTILE.to_owned();
    chart.average.as_mut().unwrap().label = HOSTILE.to_owned();
    let picture = svg(&chart);
    let document = Document::parse(&picture).unwrap();
    assert!(
        document
            .descendants()
            .all(|node| node.tag_name().name() != "script")
    );
    assert!(child_text(document.root_element(), "title").starts_with("</title><script>"));
    assert!(!picture.contains(['\u{1b}', '\u{0}', '\u{202e}']));
    assert!(chart.png(PictureSize::default()).is_ok());
    let mut skill = skill();
    skill.model.label = HOSTILE.to_owned();
    Document::parse(&skill.svg(PictureSize::default()).unwrap()).unwrap();
    let mut map = heat_map();
    map.title = HOSTILE.to_owned();
    map.columns[1] = HOSTILE.to_owned();
    map.rows[0].label = HOSTILE.to_owned();
    let mut lags = lags();
    lags.title = HOSTILE.to_owned();
    lags.subtitle = HOSTILE.to_owned();
    let size = PictureSize::default();
    for picture in [map.svg(size).unwrap(), lags.svg(size).unwrap()] {
        let document = Document::parse(&picture).unwrap();
        let mut names = document.descendants().map(|node| node.tag_name().name());
        assert!(names.all(|name| name != "script"));
        assert!(!picture.contains(['\u{1b}', '\u{0}', '\u{202e}']));
    }
}

#[test]
fn a_gap_is_not_bridged() {
    let chart = chart(&[
        Some(56.0),
        Some(57.0),
        None,
        Some(58.0),
        Some(59.0),
        Some(58.0),
    ]);
    let picture = svg(&chart);
    assert_eq!(reading_lines(&Document::parse(&picture).unwrap()), [2, 3]);
}

#[test]
fn an_absent_day_is_a_gap_as_well() {
    let mut chart = chart(&[Some(56.0), Some(57.0), Some(57.0), Some(58.0), Some(59.0)]);
    chart.history.remove(2);
    let picture = svg(&chart);
    assert_eq!(reading_lines(&Document::parse(&picture).unwrap()), [2, 2]);
}

#[test]
fn one_reading_is_a_dot() {
    let picture = svg(&chart(&[Some(57.0)]));
    let document = Document::parse(&picture).unwrap();
    assert!(reading_lines(&document).is_empty());
    let dots = document
        .descendants()
        .filter(|node| node.tag_name().name() == "circle")
        .count();
    assert_eq!(dots, 1);
}

#[test]
fn days_without_any_reading_say_so_and_show_no_scale() {
    let picture = svg(&chart(&[None, None, None]));
    let document = Document::parse(&picture).unwrap();
    assert_eq!(
        texts(&document),
        [
            "Resting heart rate",
            "Readings by day",
            "No readings",
            "1 Mar 2026 to 3 Mar 2026"
        ]
    );
}

#[test]
fn a_forecast_without_history_is_drawn() {
    let mut chart = chart(&[]);
    chart.forecasts = vec![forecast(0, 57.0, None)];
    let picture = svg(&chart);
    let texts = texts(&Document::parse(&picture).unwrap());
    assert!(texts.contains(&"57 bpm".to_owned()), "{texts:?}");
    assert!(texts.contains(&"90 % interval".to_owned()), "{texts:?}");
}

#[test]
fn a_constant_series_lies_between_two_ticks() {
    let picture = svg(&chart(&[Some(57.0); 10]));
    let texts = texts(&Document::parse(&picture).unwrap());
    for tick in ["56", "57", "58"] {
        assert!(texts.contains(&tick.to_owned()), "{texts:?}");
    }
}

#[test]
fn the_largest_values_are_drawn_and_larger_ones_refused() {
    let chart_of = |value: f64| chart(&[Some(-value), Some(value)]);
    let picture = svg(&chart_of(LARGEST_VALUE));
    assert!(!picture.contains("NaN") && !picture.contains("inf"));
    let error = chart_of(f64::MAX).svg(PictureSize::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("history[0].value is -1797"),
        "{error}"
    );
}

#[test]
fn values_that_are_no_numbers_are_refused_by_name() {
    let mut chart = full_chart();
    chart.forecasts[2].lower = f64::NEG_INFINITY;
    assert_eq!(
        chart.png(PictureSize::default()).unwrap_err().to_string(),
        "forecasts[2].lower is -inf, expected a finite number, or no entry for a missing value"
    );
}

#[test]
fn nothing_at_all_is_refused() {
    let error = chart(&[]).svg(PictureSize::default()).unwrap_err();
    assert!(matches!(error, ChartError::Empty { .. }));
}

#[test]
fn the_smallest_size_holds_everything_without_leaving_the_picture() {
    let size = PictureSize {
        width: 240,
        height: 160,
        pixels_per_point: 1,
    };
    let picture = full_chart().svg(size).unwrap();
    let document = Document::parse(&picture).unwrap();
    for node in document
        .descendants()
        .filter(|node| node.tag_name().name() == "text")
    {
        let at = |name| node.attribute(name).unwrap().parse::<i32>().unwrap();
        assert!((0..=2400).contains(&at("x")), "{node:?}");
    }
    assert!(full_chart().png(size).is_ok());
    assert!(skill().png(size).is_ok());
    assert!(heat_map().png(size).is_ok());
    assert!(lags().png(size).is_ok());
}

fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>, Vec<String>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let words = reader
        .info()
        .utf8_text
        .iter()
        .map(|chunk| chunk.get_text().unwrap())
        .collect();
    (frame.width, frame.height, pixels, words)
}

#[test]
fn a_png_has_the_signature_and_size_asked_for_and_says_what_it_shows() {
    let size = PictureSize {
        width: 400,
        height: 300,
        pixels_per_point: 3,
    };
    let bytes = full_chart().png(size).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let (width, height, _, words) = decode(&bytes);
    assert_eq!((width, height), (1200, 900));
    assert_eq!(words[0], "Resting heart rate");
    assert!(words[1].contains("Forecast for 29 Mar 2026"));
}

#[test]
fn a_png_shows_readings_forecasts_and_text() {
    let (_, _, pixels, _) = decode(&full_chart().png(PictureSize::default()).unwrap());
    let count = |colour: [u8; 3]| pixels.chunks(3).filter(|pixel| *pixel == colour).count();
    assert!(count([0x00, 0x72, 0xB2]) > 1000, "readings");
    assert!(count([0xD5, 0x5E, 0x00]) > 300, "forecasts");
    assert!(count([0x1B, 0x25, 0x2F]) > 300, "title");
    assert!(count([0xFF, 0xFF, 0xFF]) > pixels.len() / 6, "background");
}

#[test]
fn a_bitmap_that_would_fill_the_memory_is_refused() {
    let size = PictureSize {
        width: 4000,
        height: 4000,
        pixels_per_point: 4,
    };
    let error = full_chart().png(size).unwrap_err();
    assert!(matches!(error, ChartError::TooManyPixels { .. }), "{error}");
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let size = PictureSize::default();
    assert_eq!(
        full_chart().svg(size).unwrap(),
        full_chart().svg(size).unwrap()
    );
    assert_eq!(
        full_chart().png(size).unwrap(),
        full_chart().png(size).unwrap()
    );
    assert_eq!(skill().svg(size).unwrap(), skill().svg(size).unwrap());
    assert_eq!(heat_map().svg(size).unwrap(), heat_map().svg(size).unwrap());
    assert_eq!(heat_map().png(size).unwrap(), heat_map().png(size).unwrap());
    assert_eq!(lags().svg(size).unwrap(), lags().svg(size).unwrap());
    assert_eq!(lags().png(size).unwrap(), lags().png(size).unwrap());
}

#[test]
fn the_model_is_the_only_coloured_bar_and_no_score_has_no_bar() {
    let picture = skill().svg(PictureSize::default()).unwrap();
    let document = Document::parse(&picture).unwrap();
    let bars = |fill: &str| {
        document
            .descendants()
            .filter(|node| node.tag_name().name() == "rect" && node.attribute("fill") == Some(fill))
            .map(|node| node.attribute("width").unwrap().parse::<f64>().unwrap())
            .collect::<Vec<f64>>()
    };
    let (model, baselines) = (bars(READING), bars("#B9C3CD"));
    assert_eq!(model.len(), 1);
    assert_eq!(baselines.iter().filter(|width| **width > 0.0).count(), 2);
    assert!((model[0] / baselines[1] - 0.98 / 1.31).abs() < 1e-3);
    assert!(texts(&document).contains(&"not scored".to_owned()));
}

#[test]
fn days_out_of_order_are_refused_with_their_place() {
    let mut chart = full_chart();
    chart.forecasts.swap(1, 2);
    let error = chart.svg(PictureSize::default()).unwrap_err();
    assert_eq!(
        error,
        ChartError::DatesNotAscending {
            field: "forecasts[2].date".to_owned(),
            date: day(24),
            previous: day(25),
        }
    );
}

/// How often an element has an attribute of this value.
fn count(picture: &str, element: &str, attribute: &str, value: &str) -> usize {
    Document::parse(picture)
        .unwrap()
        .descendants()
        .filter(|node| node.tag_name().name() == element)
        .filter(|node| node.attribute(attribute) == Some(value))
        .count()
}

#[test]
fn every_known_cell_holds_its_number() {
    let picture = heat_map().svg(PictureSize::default()).unwrap();
    let texts = texts(&Document::parse(&picture).unwrap());
    for number in ["\u{2212}0.41", "\u{2212}0.38", "+0.12", "0.00", "+0.20"] {
        assert!(texts.contains(&number.to_owned()), "{number}: {texts:?}");
    }
}

#[test]
fn what_stands_out_is_framed_and_starred_and_bold() {
    let picture = heat_map().svg(PictureSize::default()).unwrap();
    // One frame and one star of the legend beside those of the two cells.
    assert_eq!(count(&picture, "polyline", "stroke", TEXT), 3);
    let document = Document::parse(&picture).unwrap();
    let texts = texts(&document);
    assert_eq!(texts.iter().filter(|text| *text == "*").count(), 3);
    for node in document.descendants() {
        let text = node.text().unwrap_or_default().trim();
        if node.tag_name().name() == "text" && text.starts_with("\u{2212}0.") {
            assert_eq!(node.attribute("font-weight"), Some("bold"), "{text}");
        }
        if node.tag_name().name() == "text" && text.starts_with("+0.") {
            assert_ne!(node.attribute("font-weight"), Some("bold"), "{text}");
        }
    }
}

#[test]
fn a_missing_cell_is_a_hatched_dash_and_not_a_zero() {
    let mut map = heat_map();
    let size = PictureSize::default();
    let picture = map.svg(size).unwrap();
    let dashes = |picture: &str| {
        let texts = texts(&Document::parse(picture).unwrap());
        texts.iter().filter(|text| *text == "\u{2013}").count()
    };
    assert_eq!(dashes(&picture), 1);
    assert!(count(&picture, "polyline", "stroke", RULE) > 5);
    assert!(picture.contains("not known"));
    map.rows[1].cells[1] = cell(0.0, false);
    let known = map.svg(size).unwrap();
    assert_eq!(dashes(&known), 0);
    assert_eq!(count(&known, "polyline", "stroke", RULE), 0);
    assert!(!known.contains("not known"));
}

#[test]
fn a_cell_is_as_deep_as_its_value_and_zero_has_no_colour() {
    let mut map = heat_map();
    map.rows.truncate(1);
    let size = PictureSize::default();
    // Each half of the scale has four boxes, among them one of full depth.
    let boxes = |map: &vitalcast_charts::HeatMap, fill: &str| {
        count(&map.svg(size).unwrap(), "rect", "fill", fill) - 4
    };
    map.rows[0].cells = vec![cell(-1.0, true), cell(0.0, false)];
    assert_eq!((boxes(&map, NEGATIVE), boxes(&map, POSITIVE)), (1, 0));
    map.rows[0].cells = vec![cell(1.0, true), cell(0.5, false)];
    assert_eq!((boxes(&map, NEGATIVE), boxes(&map, POSITIVE)), (0, 2));
    let picture = map.svg(size).unwrap();
    assert_eq!(count(&picture, "rect", "opacity", "0.5"), 3);
}

#[test]
fn a_long_name_stands_above_its_cells_on_a_phone() {
    let name = "nutrition_hours_between_last_meal_and_bedtime";
    let mut map = heat_map();
    name.clone_into(&mut map.rows[0].label);
    let at = |width: u32| {
        let size = PictureSize {
            width,
            height: map.natural_height_at(width),
            ..PictureSize::default()
        };
        let picture = map.svg(size).unwrap();
        let document = Document::parse(&picture).unwrap();
        let anchor = document
            .descendants()
            .find(|node| node.text().is_some_and(|text| text.trim() == name))
            .and_then(|node| node.attribute("text-anchor"))
            .map(str::to_owned);
        anchor.unwrap()
    };
    assert_eq!(at(860), "end");
    assert_eq!(at(350), "start");
    assert!(map.natural_height_at(350) > map.natural_height());
}

#[test]
fn a_name_without_end_is_cut() {
    let mut map = heat_map();
    map.rows[0].label = "nutrition_".repeat(40);
    for width in [240, 860, 4000] {
        let size = PictureSize {
            width,
            ..PictureSize::default()
        };
        let picture = map.svg(size).unwrap();
        let texts = texts(&Document::parse(&picture).unwrap());
        let label = texts
            .iter()
            .find(|text| text.starts_with("nutrition_"))
            .unwrap();
        assert_eq!(label.ends_with('…'), width < 4000, "{label}");
    }
}

#[test]
fn the_natural_height_grows_with_the_rows_and_stays_within_its_limits() {
    let mut map = heat_map();
    let few = map.natural_height();
    map.rows = vec![map.rows[0].clone(); 64];
    assert!(map.natural_height() > few + 60 * 20);
    map.rows[0].label = "x".repeat(60);
    map.columns = vec!["column".to_owned(); 12];
    map.rows
        .iter_mut()
        .for_each(|row| row.cells = vec![None; 12]);
    for width in [0, 240, 350, 860, u32::MAX] {
        assert!((160..=4000).contains(&map.natural_height_at(width)));
    }
    let size = PictureSize {
        height: map.natural_height(),
        ..PictureSize::default()
    };
    assert!(map.png(size).is_ok());
    assert!(map.svg(size).unwrap().len() < 3_000_000);
}

#[test]
fn a_lag_that_stands_out_is_a_dot_and_another_a_ring() {
    let picture = lags().svg(PictureSize::default()).unwrap();
    // Beside the marks of the four lags those of the legend.
    assert_eq!(count(&picture, "circle", "fill", READING), 2);
    assert_eq!(count(&picture, "circle", "fill", "#7C8894"), 4);
    assert_eq!(count(&picture, "circle", "fill", "#FFFFFF"), 4);
}

#[test]
fn the_strongest_lag_is_named_with_its_number() {
    let mut chart = lags();
    let size = PictureSize::default();
    let named = |chart: &vitalcast_charts::LagChart| {
        let picture = chart.svg(size).unwrap();
        texts(&Document::parse(&picture).unwrap())
    };
    assert!(named(&chart).contains(&"1 day: \u{2212}0.46*".to_owned()));
    assert!(named(&chart).contains(&"days between the feature and the target".to_owned()));
    chart.unit = vitalcast_charts::LagUnit::Hours;
    assert!(named(&chart).contains(&"1 h: \u{2212}0.46*".to_owned()));
    assert!(named(&chart).contains(&"hours between the feature and the target".to_owned()));
    chart.optimal = None;
    assert!(!named(&chart).iter().any(|text| text.contains('*')));
}

#[test]
fn the_name_of_the_strongest_lag_stays_inside_the_picture() {
    let size = PictureSize {
        width: 240,
        height: 160,
        ..PictureSize::default()
    };
    let mut chart = lags();
    chart.points = (9_970..=10_000).map(|at| lag(at, 0.5, true)).collect();
    for optimal in [0, 30] {
        chart.optimal = Some(optimal);
        let picture = chart.svg(size).unwrap();
        let document = Document::parse(&picture).unwrap();
        let name = document
            .descendants()
            .find(|node| node.text().is_some_and(|text| text.contains("+0.50*")))
            .unwrap();
        let middle: f64 = name.attribute("x").unwrap().parse().unwrap();
        assert!((550.0..=1850.0).contains(&middle), "{middle}");
    }
}

#[test]
fn a_picture_of_correlations_speaks_to_a_screen_reader() {
    let size = PictureSize::default();
    for (picture, expected) in [
        (
            heat_map().svg(size).unwrap(),
            "The strongest: late_meals, pearson \u{2212}0.41.",
        ),
        (
            lags().svg(size).unwrap(),
            "Strongest at 1 day: \u{2212}0.46",
        ),
    ] {
        let document = Document::parse(&picture).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let words = child_text(root, "desc");
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn a_low_picture_leaves_out_its_legend_before_its_numbers() {
    let low = PictureSize {
        width: 240,
        height: 160,
        ..PictureSize::default()
    };
    let all_inside = |picture: &str| {
        let document = Document::parse(picture).unwrap();
        document
            .descendants()
            .filter(|node| node.tag_name().name() == "text")
            .all(|node| node.attribute("y").unwrap().parse::<i32>().unwrap() <= 1600)
    };
    let mut map = heat_map();
    map.subtitle = "A day's features and the next day's value".to_owned();
    for (low, high) in [
        (
            map.svg(low).unwrap(),
            map.svg(PictureSize::default()).unwrap(),
        ),
        (
            lags().svg(low).unwrap(),
            lags().svg(PictureSize::default()).unwrap(),
        ),
    ] {
        assert!(high.contains("significant\n"));
        assert!(low.contains("\u{2212}0.4") && all_inside(&low));
    }
    assert!(!lags().svg(low).unwrap().contains("between the feature"));
}
