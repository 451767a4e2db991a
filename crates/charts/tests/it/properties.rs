//! Facts that hold for any data that can be drawn.

use proptest::prelude::*;
use roxmltree::Document;
use vitalcast_charts::{
    AttentionChart, AttentionDay, DependenceChart, ExperimentChart, ExperimentDay, HeatCell,
    HeatMap, HeatRow, HistoryChart, ImportanceChart, ImportanceRow, LagChart, LagPoint, LagUnit,
    PictureSize, TerminalOptions, TrajectoryChart, TrajectoryDay, Unit, WaterfallChart,
    WaterfallPart, WhatIfBar, WhatIfChart,
};

use crate::data::{chart, day, forecast};

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

fn any_value() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![30.0..120.0f64, -1e11..1e11f64, Just(0.0), -0.01..0.01f64]
}

fn any_unit() -> impl Strategy<Value = Unit> {
    (".{0,12}", 0u8..7).prop_map(|(symbol, decimals)| Unit::new(symbol, decimals))
}

fn any_waterfall() -> impl Strategy<Value = WaterfallChart> {
    let part = (".{0,60}", any_value(), ".{0,20}");
    let parts = prop::collection::vec(part, 0..20);
    (parts, any_value(), any_value(), any_unit(), ".{0,40}").prop_map(
        |(parts, base, rest, unit, title)| {
            let parts: Vec<WaterfallPart> = parts
                .into_iter()
                .map(|(label, amount, note)| WaterfallPart {
                    label,
                    amount,
                    note,
                })
                .collect();
            let value = base + parts.iter().map(|part| part.amount).sum::<f64>() + rest;
            WaterfallChart {
                subtitle: title.clone(),
                base_label: title.clone(),
                value_label: title.clone(),
                title,
                unit,
                base,
                parts,
                rest,
                value,
            }
        },
    )
}

fn any_importance() -> impl Strategy<Value = ImportanceChart> {
    let half = prop::option::of(0.0..1e3f64);
    let row = (".{0,60}", any_value(), half.clone(), half, ".{0,20}");
    let rows = prop::collection::vec(row, 1..20);
    (rows, prop::option::of(any_unit()), ".{0,40}").prop_map(|(rows, unit, title)| {
        ImportanceChart {
            subtitle: String::new(),
            title,
            unit,
            rows: rows
                .into_iter()
                .map(|(label, value, below, above, note)| ImportanceRow {
                    label,
                    value,
                    lower: below.map(|below| value - below),
                    upper: above.map(|above| value + above),
                    note,
                })
                .collect(),
        }
    })
}

fn any_what_if() -> impl Strategy<Value = WhatIfChart> {
    let bar = (".{0,60}", any_value(), 0.0..1e3f64).prop_map(|(label, value, half)| WhatIfBar {
        label,
        value,
        lower: value - half,
        upper: value + half,
    });
    let scenarios = prop::collection::vec(bar.clone(), 1..8);
    let noise = prop::option::of(0.0..1e3f64);
    (bar, scenarios, noise, any_unit(), any::<bool>()).prop_map(
        |(baseline, scenarios, noise, unit, better_is_lower)| WhatIfChart {
            title: baseline.label.clone(),
            subtitle: String::new(),
            unit,
            better_is_lower,
            baseline,
            scenarios,
            noise,
        },
    )
}

fn any_attention() -> impl Strategy<Value = AttentionChart> {
    let days = prop::collection::vec((1u64..5, 0.0..=1.0f64), 1..80);
    (days, ".{0,40}").prop_map(|(days, title)| {
        let count = days.len() as f64;
        let mut at = 0;
        AttentionChart {
            title,
            subtitle: String::new(),
            days: days
                .into_iter()
                .map(|(gap, share)| {
                    at += gap;
                    AttentionDay {
                        day: day(at),
                        share: share / count,
                    }
                })
                .collect(),
        }
    })
}

fn any_dependence() -> impl Strategy<Value = DependenceChart> {
    let line = prop::collection::vec((1e-3..1e4f64, any_value()), 1..30);
    let points = prop::collection::vec((any_value(), any_value()), 0..30);
    let current = prop::option::of((any_value(), any_value()));
    (line, points, current, any_unit(), ".{0,40}").prop_map(
        |(line, points, current, unit, title)| {
            let mut at = 0.0;
            DependenceChart {
                subtitle: String::new(),
                x_label: title.clone(),
                x_unit: unit.symbol.clone(),
                title,
                unit,
                line: line
                    .into_iter()
                    .map(|(gap, value)| {
                        at += gap;
                        (at, value)
                    })
                    .collect(),
                points,
                current,
            }
        },
    )
}

fn any_trajectory() -> impl Strategy<Value = TrajectoryChart> {
    let ahead = (any_value(), 0.0..1e3f64, prop::option::of(any_value()));
    let days = prop::collection::vec(ahead, 1..31);
    let past = prop::collection::vec(prop::option::of(any_value()), 0..40);
    (days, past, prop::option::of(any_value()), any_unit()).prop_map(|(days, past, mean, unit)| {
        let first = past.len() as u64;
        TrajectoryChart {
            title: "Coming days".to_owned(),
            subtitle: String::new(),
            unit,
            days: (first..)
                .zip(days)
                .map(|(index, (value, half, baseline))| TrajectoryDay {
                    day: day(index),
                    value,
                    lower: value - half,
                    upper: value + half,
                    baseline,
                })
                .collect(),
            mean,
            past: (0..).map(day).zip(past).collect(),
        }
    })
}

fn any_experiment() -> impl Strategy<Value = ExperimentChart> {
    let of_day = (
        1u64..4,
        prop::option::of(0usize..2),
        any::<bool>(),
        prop::option::of(any::<bool>()),
        prop::option::of(any_value()),
    );
    let mean = prop::option::of((any_value(), 0.0..1e3f64));
    let days = prop::collection::vec(of_day, 1..60);
    let today = prop::option::of(0u64..200);
    (days, [mean.clone(), mean], today, any_unit(), ".{0,40}").prop_map(
        |(days, means, today, unit, label)| {
            let mut at = 0;
            ExperimentChart {
                title: label.clone(),
                subtitle: String::new(),
                unit,
                condition_labels: [label.clone(), label],
                days: days
                    .into_iter()
                    .map(|(gap, condition, is_washout, adhered, value)| {
                        at += gap;
                        ExperimentDay {
                            day: day(at),
                            condition,
                            is_washout,
                            adhered,
                            value,
                        }
                    })
                    .collect(),
                means: means.map(|mean| mean.map(|(mean, half)| (mean, mean - half, mean + half))),
                today: today.map(day),
            }
        },
    )
}

fn check_svg(picture: &str) -> Result<(), TestCaseError> {
    let document = Document::parse(picture);
    prop_assert!(document.is_ok(), "{:?}", document.err());
    let document = document.unwrap();
    // A label may be called "NaN", or r="-: it stands in a text, or in an attribute for screen readers.
    let attributes = document
        .descendants()
        .flat_map(|node| node.attributes())
        .filter(|attribute| !attribute.name().starts_with("aria-"));
    for attribute in attributes {
        let (name, value) = (attribute.name(), attribute.value());
        let is_size = ["width", "height", "r"].contains(&name);
        prop_assert!(!(is_size && value.starts_with('-')), "{name}: {value}");
        let mut words = value.split(|letter: char| !letter.is_ascii_alphabetic());
        let is_number = !words.any(|word| word == "NaN" || word == "inf");
        prop_assert!(is_number, "{name}: {value}");
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

    #[test]
    fn an_svg_of_rows_is_always_well_formed(
        waterfall in any_waterfall(), importance in any_importance(), what_if in any_what_if(),
        width in 240u32..1200, height in 160u32..800,
    ) {
        let size = PictureSize { width, height, pixels_per_point: 1 };
        check_svg(&waterfall.svg(size).unwrap())?;
        check_svg(&importance.svg(size).unwrap())?;
        check_svg(&what_if.svg(size).unwrap())?;
        let height = waterfall.natural_height_at(width);
        check_svg(&waterfall.svg(PictureSize { height, ..size }).unwrap())?;
    }

    #[test]
    fn an_svg_of_days_and_numbers_is_always_well_formed(
        attention in any_attention(), dependence in any_dependence(),
        trajectory in any_trajectory(), experiment in any_experiment(),
        width in 240u32..1200, height in 160u32..800,
    ) {
        let size = PictureSize { width, height, pixels_per_point: 1 };
        check_svg(&attention.svg(size).unwrap())?;
        check_svg(&dependence.svg(size).unwrap())?;
        check_svg(&trajectory.svg(size).unwrap())?;
        check_svg(&experiment.svg(size).unwrap())?;
    }

    #[test]
    fn insight_in_a_terminal_keeps_its_width_and_holds_no_control_characters(
        waterfall in any_waterfall(), importance in any_importance(), what_if in any_what_if(),
        attention in any_attention(), dependence in any_dependence(),
        trajectory in any_trajectory(), experiment in any_experiment(),
        width in 40u32..160, height in 12u32..60, ascii: bool,
    ) {
        let options = TerminalOptions { width, height, ascii, colour: false };
        check_terminal(&waterfall.terminal(options).unwrap(), options)?;
        check_terminal(&importance.terminal(options).unwrap(), options)?;
        check_terminal(&what_if.terminal(options).unwrap(), options)?;
        check_terminal(&attention.terminal(options).unwrap(), options)?;
        check_terminal(&dependence.terminal(options).unwrap(), options)?;
        check_terminal(&trajectory.terminal(options).unwrap(), options)?;
        check_terminal(&experiment.terminal(options).unwrap(), options)?;
    }
}
