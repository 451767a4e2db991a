//! Small charts that the tests share.

use chrono::{Days, NaiveDate};
use vitalcast_charts::{
    AverageLine, ForecastPoint, HeatCell, HeatMap, HeatRow, HistoryChart, LagChart, LagPoint,
    LagUnit, SkillBar, SkillChart, Unit,
};

pub(crate) const HOSTILE: &str =
    "</title><script>alert('x')</script> & \"quoted\" \u{1b}[2J\u{0}\u{202e}";

pub(crate) fn day(index: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 1).unwrap() + Days::new(index)
}

/// Readings from 1 March 2026 on, one a day.
pub(crate) fn chart(values: &[Option<f64>]) -> HistoryChart {
    HistoryChart {
        title: "Resting heart rate".to_owned(),
        subtitle: "Readings by day".to_owned(),
        unit: Unit::beats_per_minute(),
        history: (0..).map(day).zip(values.iter().copied()).collect(),
        average: None,
        interval_percent: Some(90),
        forecasts: Vec::new(),
    }
}

pub(crate) fn forecast(index: u64, value: f64, actual: Option<f64>) -> ForecastPoint {
    ForecastPoint {
        date: day(index),
        value,
        lower: value - 2.5,
        upper: value + 2.5,
        actual,
    }
}

/// Four weeks with a gap, five past forecasts and tomorrow's.
pub(crate) fn full_chart() -> HistoryChart {
    let values: Vec<Option<f64>> = (0..28)
        .map(|index: u32| {
            let wave = f64::from(index * 7 % 11) * 0.5 + f64::from(index % 3);
            (!(9..12).contains(&index)).then_some(54.0 + wave)
        })
        .collect();
    let mut chart = chart(&values);
    chart.average = Some(AverageLine {
        label: "average".to_owned(),
        value: 57.4,
    });
    chart.forecasts = (23..28)
        .map(|index| forecast(index, 57.0, values[index as usize]))
        .chain([forecast(28, 57.6, None)])
        .collect();
    chart
}

pub(crate) fn skill() -> SkillChart {
    let bar = |label: &str, error| SkillBar {
        label: label.to_owned(),
        mean_absolute_error: error,
    };
    SkillChart {
        title: "Mean error".to_owned(),
        subtitle: String::new(),
        unit: Unit::beats_per_minute().with_decimals(2),
        model: bar("boosted trees", Some(0.98)),
        baselines: vec![
            bar("yesterday's value", Some(1.05)),
            bar("30-day average", Some(1.31)),
            bar("personal LSTM", None),
        ],
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as a row holds it")]
pub(crate) fn cell(value: f64, stands_out: bool) -> Option<HeatCell> {
    Some(HeatCell { value, stands_out })
}

/// Three features and two methods, one number missing.
pub(crate) fn heat_map() -> HeatMap {
    let row = |label: &str, cells: [Option<HeatCell>; 2]| HeatRow {
        label: label.to_owned(),
        cells: cells.to_vec(),
    };
    HeatMap {
        title: "Correlations with sleep".to_owned(),
        subtitle: "120 days".to_owned(),
        columns: vec!["pearson".to_owned(), "spearman".to_owned()],
        rows: vec![
            row("late_meals", [cell(-0.41, true), cell(-0.38, true)]),
            row("steps", [cell(0.12, false), None]),
            row("caffeine", [cell(-0.001, false), cell(0.2, false)]),
        ],
    }
}

pub(crate) fn lag(lag: u32, correlation: f64, stands_out: bool) -> LagPoint {
    LagPoint {
        lag,
        correlation,
        lower: correlation - 0.25,
        upper: correlation + 0.25,
        stands_out,
    }
}

/// Four days, of which the second is significant.
pub(crate) fn lags() -> LagChart {
    LagChart {
        title: "Sleep after late meals".to_owned(),
        subtitle: "120 days".to_owned(),
        unit: LagUnit::Days,
        points: vec![
            lag(0, -0.21, false),
            lag(1, -0.46, true),
            lag(2, 0.12, false),
            lag(7, 0.01, false),
        ],
        optimal: Some(1),
    }
}
