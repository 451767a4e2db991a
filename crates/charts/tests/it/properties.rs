//! Facts that hold for any data that can be drawn.

use proptest::prelude::*;
use roxmltree::Document;
use vitalcast_charts::{HistoryChart, PictureSize, TerminalOptions, Unit};

use crate::data::{chart, forecast};

fn any_chart() -> impl Strategy<Value = HistoryChart> {
    let value = prop_oneof![30.0..120.0f64, -1e12..1e12f64, Just(0.0), -0.01..0.01f64];
    let values = prop::collection::vec(prop::option::of(value), 1..60);
    let ahead = prop::option::of((40.0..90.0f64, prop::option::of(40.0..90.0f64)));
    (values, ahead, ".{0,40}", ".{0,12}", 0u8..4).prop_map(
        |(values, ahead, title, symbol, decimals)| {
            let mut chart = chart(&values);
            chart.title = title;
            chart.unit = Unit::new(symbol, decimals);
            chart.forecasts = ahead
                .iter()
                .map(|(value, actual)| forecast(60, *value, *actual))
                .collect();
            chart
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_svg_is_always_well_formed(chart in any_chart(), width in 240u32..1200, height in 160u32..800) {
        let picture = chart.svg(PictureSize { width, height, pixels_per_point: 1 }).unwrap();
        let document = Document::parse(&picture);
        prop_assert!(document.is_ok(), "{:?}", document.err());
        prop_assert!(!picture.contains("NaN"));
    }

    #[test]
    fn a_terminal_chart_keeps_its_width_and_holds_no_control_characters(
        chart in any_chart(), width in 40u32..160, height in 12u32..60, ascii: bool,
    ) {
        let text = chart.terminal(TerminalOptions { width, height, ascii, colour: false }).unwrap();
        for line in text.lines() {
            prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= width as usize, "{line:?}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(!ascii || line.is_ascii(), "{line:?}");
        }
    }
}
