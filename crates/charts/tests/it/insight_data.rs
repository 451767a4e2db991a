//! Small charts of explanations, scenarios and experiments that the tests share.

use vitalcast_charts::{
    AttentionChart, AttentionDay, DependenceChart, ExperimentChart, ExperimentDay, ImportanceChart,
    ImportanceRow, TrajectoryChart, TrajectoryDay, Unit, WaterfallChart, WaterfallPart, WhatIfBar,
    WhatIfChart,
};

use crate::data::day;

/// Two parts that add, one that takes away, and a rest.
pub(crate) fn waterfall() -> WaterfallChart {
    let part = |label: &str, amount, note: &str| WaterfallPart {
        label: label.to_owned(),
        amount,
        note: note.to_owned(),
    };
    WaterfallChart {
        title: "How the forecast comes about".to_owned(),
        subtitle: "boosted trees".to_owned(),
        unit: Unit::beats_per_minute(),
        base: 57.0,
        base_label: "mean of your days".to_owned(),
        parts: vec![
            part("steps", 0.5, "4120"),
            part("late carbs", 1.75, "84 g"),
            part("sleep", -0.75, ""),
        ],
        rest: 0.25,
        value: 58.75,
        value_label: "Forecast".to_owned(),
    }
}

/// One clear row, one that may be 0, one below 0.
pub(crate) fn importance() -> ImportanceChart {
    let row = |label: &str, value: f64, half: f64| ImportanceRow {
        label: label.to_owned(),
        value,
        lower: Some(value - half),
        upper: Some(value + half),
        note: String::new(),
    };
    ImportanceChart {
        title: "Importance".to_owned(),
        subtitle: String::new(),
        unit: Some(Unit::beats_per_minute().with_decimals(2)),
        rows: vec![
            row("sleep", 0.5, 0.2),
            row("steps", 0.1, 0.15),
            row("weekday", -0.05, 0.1),
        ],
    }
}

/// Five days, of which three are named.
pub(crate) fn attention() -> AttentionChart {
    let shares = [0.1, 0.3, 0.05, 0.15, 0.4];
    AttentionChart {
        title: "Attention".to_owned(),
        subtitle: String::new(),
        days: shares
            .into_iter()
            .zip(0..)
            .map(|(share, index)| AttentionDay {
                day: day(index),
                share,
            })
            .collect(),
    }
}

pub(crate) fn dependence() -> DependenceChart {
    DependenceChart {
        title: "Late carbohydrates".to_owned(),
        subtitle: String::new(),
        x_label: "late carbohydrates".to_owned(),
        x_unit: "g".to_owned(),
        unit: Unit::beats_per_minute(),
        line: vec![(0.0, 56.0), (40.0, 57.0), (80.0, 59.0)],
        points: vec![(10.0, 55.0), (60.0, 60.0)],
        current: Some((60.0, 58.2)),
    }
}

/// A better, a worse and an equal scenario.
pub(crate) fn what_if() -> WhatIfChart {
    let bar = |label: &str, value: f64| WhatIfBar {
        label: label.to_owned(),
        value,
        lower: value - 3.0,
        upper: value + 3.0,
    };
    WhatIfChart {
        title: "What if".to_owned(),
        subtitle: String::new(),
        unit: Unit::beats_per_minute(),
        better_is_lower: true,
        baseline: bar("as it is", 58.0),
        scenarios: vec![
            bar("no late meal", 55.5),
            bar("two beers", 60.0),
            bar("more steps", 57.5),
        ],
        noise: Some(1.0),
    }
}

pub(crate) fn trajectory() -> TrajectoryChart {
    TrajectoryChart {
        title: "Coming days".to_owned(),
        subtitle: String::new(),
        unit: Unit::beats_per_minute(),
        days: (4..8)
            .map(|index| TrajectoryDay {
                day: day(index),
                value: 57.0,
                lower: 57.0 - index as f64,
                upper: 57.0 + index as f64,
                baseline: Some(58.5),
            })
            .collect(),
        mean: Some(58.0),
        past: (0..4)
            .map(|index| (day(index), (index != 2).then_some(58.0)))
            .collect(),
    }
}

/// A day before, then two blocks with a day of washout each; one day was not followed.
pub(crate) fn experiment() -> ExperimentChart {
    let of = |index: u64, condition, is_washout, value| ExperimentDay {
        day: day(index),
        condition,
        is_washout,
        adhered: condition.map(|_| index != 3),
        value: Some(value),
    };
    ExperimentChart {
        title: "No food after 20:00".to_owned(),
        subtitle: String::new(),
        unit: Unit::beats_per_minute(),
        condition_labels: ["no food after 20:00".to_owned(), "as usual".to_owned()],
        days: vec![
            of(0, None, false, 57.5),
            of(1, Some(0), true, 57.0),
            of(2, Some(0), false, 56.0),
            of(3, Some(0), false, 56.5),
            of(4, Some(1), true, 57.0),
            of(5, Some(1), false, 59.0),
            of(6, Some(1), false, 58.5),
        ],
        means: [Some((56.25, 55.5, 57.0)), Some((58.75, 58.0, 59.5))],
        today: Some(day(5)),
    }
}
