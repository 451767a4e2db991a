//! Facts that hold for any data that can be drawn.

use proptest::prelude::*;
use roxmltree::Document;
use vitalcast_charts::{
    HeatCell, HeatMap, HeatRow, HistoryChart, LagChart, LagPoint, LagUnit, PictureSize,
    TerminalOptions, Unit,
};

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

fn any_map() -> impl Strategy<Value = HeatMap> {
    let cell = || {
        let known = (-1.0..=1.0f64, any::<bool>());
        prop::option::of(known.prop_map(|(value, stands_out)| HeatCell { value, stands_out }))
    };
    let columns = prop::collection::vec(".{0,20}", 1..=12);
    let sized = columns.prop_flat_map(move |columns| {
        let cells = prop::collection::vec(cell(), columns.len());
        let row = (".{0,60}", cells).prop_map(|(label, cells)| HeatRow { label, cells });
        (Just(columns), prop::collection::vec(row, 1..5))
    });
    (sized, ".{0,40}", ".{0,40}").prop_map(|((columns, rows), title, subtitle)| HeatMap {
        title,
        subtitle,
        columns,
        rows,
    })
}

fn any_lags() -> impl Strategy<Value = LagChart> {
    let point = (1u32..60, -1.0..=1.0f64, 0.0..0.5f64, any::<bool>());
    let points = prop::collection::vec(point, 1..40);
    (
        points,
        any::<bool>(),
        any::<prop::sample::Index>(),
        ".{0,40}",
    )
        .prop_map(|(points, is_hours, optimal, title)| {
            let mut at = 0;
            let points: Vec<LagPoint> = points
                .into_iter()
                .map(|(gap, correlation, half, stands_out)| {
                    at += gap;
                    LagPoint {
                        lag: at - 1,
                        correlation,
                        lower: (correlation - half).max(-1.0),
                        upper: (correlation + half).min(1.0),
                        stands_out,
                    }
                })
                .collect();
            LagChart {
                title,
                subtitle: String::new(),
                unit: if is_hours {
                    LagUnit::Hours
                } else {
                    LagUnit::Days
                },
                optimal: Some(optimal.index(points.len())),
                points,
            }
        })
}

fn check_svg(picture: &str) -> Result<(), TestCaseError> {
    let document = Document::parse(picture);
    prop_assert!(document.is_ok(), "{:?}", document.err());
    prop_assert!(!picture.contains("NaN") && !picture.contains("inf\""));
    for size in ["width=\"-", "height=\"-", "r=\"-"] {
        prop_assert!(!picture.contains(size), "{size}");
    }
    Ok(())
}

fn check_terminal(text: &str, options: TerminalOptions) -> Result<(), TestCaseError> {
    for line in text.lines() {
        let width = unicode_width::UnicodeWidthStr::width(line);
        prop_assert!(width <= options.width as usize, "{line:?}");
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        prop_assert!(!options.ascii || line.is_ascii(), "{line:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_svg_is_always_well_formed(chart in any_chart(), width in 240u32..1200, height in 160u32..800) {
        let picture = chart.svg(PictureSize { width, height, pixels_per_point: 1 }).unwrap();
        check_svg(&picture)?;
    }

    #[test]
    fn a_terminal_chart_keeps_its_width_and_holds_no_control_characters(
        chart in any_chart(), width in 40u32..160, height in 12u32..60, ascii: bool,
    ) {
        let options = TerminalOptions { width, height, ascii, colour: false };
        check_terminal(&chart.terminal(options).unwrap(), options)?;
    }

    #[test]
    fn an_svg_of_correlations_is_always_well_formed(
        map in any_map(), lags in any_lags(), width in 240u32..1200, height in 160u32..800,
    ) {
        let size = PictureSize { width, height, pixels_per_point: 1 };
        check_svg(&map.svg(size).unwrap())?;
        check_svg(&lags.svg(size).unwrap())?;
        let height = map.natural_height_at(width);
        check_svg(&map.svg(PictureSize { height, ..size }).unwrap())?;
    }

    #[test]
    fn correlations_in_a_terminal_keep_their_width_and_hold_no_control_characters(
        map in any_map(), lags in any_lags(), width in 40u32..160, ascii: bool,
    ) {
        let options = TerminalOptions { width, ascii, ..TerminalOptions::default() };
        check_terminal(&map.terminal(options).unwrap(), options)?;
        check_terminal(&lags.terminal(options).unwrap(), options)?;
    }
}
