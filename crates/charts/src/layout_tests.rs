//! Texts of pictures neither touch each other nor leave the picture.

use chrono::{Days, NaiveDate};

use crate::{
    attention::{AttentionChart, AttentionDay},
    chart::Drawn,
    dependence::DependenceChart,
    experiment::{ExperimentChart, ExperimentDay},
    importance::{ImportanceChart, ImportanceRow},
    scene::{Anchor, PictureSize, Scene, Shape},
    trajectory::{TrajectoryChart, TrajectoryDay},
    unit::Unit,
    waterfall::{WaterfallChart, WaterfallPart},
    what_if::{WhatIfBar, WhatIfChart},
};

const LONG: &str =
    "nutrition_hours_between_the_last_meal_of_the_day_and_bedtime_rolling_7_days_mean";

fn day(index: usize) -> NaiveDate {
    let first: NaiveDate = "2025-12-20".parse().unwrap();
    first + Days::new(index as u64)
}

/// Left, top, right and bottom of each text.
fn boxes(scene: &Scene) -> Vec<(String, [f64; 4])> {
    let texts = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Text {
            baseline: (x, y),
            anchor,
            size,
            weight,
            text,
            ..
        } => {
            let width = scene.fonts.width(text, *size, *weight);
            let left = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            let edges = [left, y - 0.72 * size, left + width, y + 0.2 * size];
            Some((text.clone(), edges))
        }
        Shape::Line { .. } | Shape::Area { .. } | Shape::Rectangle { .. } | Shape::Dot { .. } => {
            None
        }
    });
    texts.collect()
}

#[track_caller]
fn check(chart: &impl Drawn, width: u32, height: u32) {
    chart.check().unwrap();
    let size = PictureSize {
        width,
        height,
        pixels_per_point: 1,
    };
    let boxes = boxes(&chart.scene(size));
    let (width, height) = (f64::from(width), f64::from(height));
    for (index, (text, [left, top, right, bottom])) in boxes.iter().enumerate() {
        let is_inside = *left >= 0.0 && *top >= 0.0 && *right <= width && *bottom <= height;
        assert!(
            is_inside,
            "{text:?} leaves the picture of {width} x {height}"
        );
        for (other, edges) in &boxes[index + 1..] {
            let is_beside = *right <= edges[0] || edges[2] <= *left;
            let is_above = *bottom <= edges[1] || edges[3] <= *top;
            assert!(
                is_beside || is_above,
                "{text:?} touches {other:?} at {width}"
            );
        }
    }
}

/// Wide, narrow as in a report, and for a small phone.
const WIDTHS: [u32; 3] = [860, 350, 300];

#[test]
fn words_of_a_waterfall_stand_apart() {
    for count in [0, 1, 12, 60] {
        let parts = (0..count).map(|index| WaterfallPart {
            label: if index % 3 == 1 { LONG } else { "Steps" }.to_owned(),
            amount: f64::from(index % 7) - 3.0,
            note: if index % 2 == 0 { "8 412 steps" } else { LONG }.to_owned(),
        });
        let parts: Vec<WaterfallPart> = parts.collect();
        let sum: f64 = parts.iter().map(|part| part.amount).sum();
        let chart = WaterfallChart {
            title: LONG.to_owned(),
            subtitle: LONG.to_owned(),
            unit: Unit::beats_per_minute(),
            base: 57.0,
            base_label: LONG.to_owned(),
            value: 57.0 + sum,
            parts,
            rest: 0.0,
            value_label: "Forecast".to_owned(),
        };
        for width in WIDTHS {
            check(&chart, width, chart.natural_height_at(width));
        }
    }
}

#[test]
fn words_of_importances_stand_apart() {
    for (count, has_intervals) in [(1, true), (9, true), (60, false)] {
        let rows = (0..count).map(|index: i32| {
            let value = 0.3 - f64::from(index) * 0.01;
            ImportanceRow {
                label: if index % 3 == 1 { LONG } else { "Steps" }.to_owned(),
                value,
                lower: has_intervals.then_some(value - 0.2),
                upper: has_intervals.then_some(value + 0.2),
                note: if index % 2 == 0 {
                    "read by 3 of 5 models"
                } else {
                    ""
                }
                .to_owned(),
            }
        });
        let chart = ImportanceChart {
            title: "Importance".to_owned(),
            subtitle: String::new(),
            unit: Some(Unit::new("a very long unit", 1)),
            rows: rows.collect(),
        };
        for width in WIDTHS {
            check(&chart, width, chart.natural_height_at(width));
        }
    }
}

#[test]
fn words_of_scenarios_stand_apart() {
    let bar = |label: &str, value: f64| WhatIfBar {
        label: label.to_owned(),
        value,
        lower: value - 3.0,
        upper: value + 3.0,
    };
    for count in [1, 5, 20] {
        let scenarios = (0..count).map(|index: i32| {
            let label = if index % 2 == 0 { LONG } else { "12,000 steps" };
            bar(label, 57.0 + f64::from(index - 2))
        });
        let chart = WhatIfChart {
            title: "What if".to_owned(),
            subtitle: LONG.to_owned(),
            unit: Unit::beats_per_minute(),
            better_is_lower: true,
            baseline: bar(LONG, 57.0),
            scenarios: scenarios.collect(),
            noise: Some(1.0),
        };
        for width in WIDTHS {
            check(&chart, width, chart.natural_height_at(width));
        }
    }
}

#[test]
fn words_of_attention_stand_apart() {
    for count in [1, 2, 30, 400] {
        for peak in [0, count / 2, count - 1] {
            let shares = (0..count).map(|index: usize| AttentionDay {
                day: day(index),
                share: (0.9 / (1.0 + index.abs_diff(peak) as f64)) / count as f64,
            });
            let chart = AttentionChart {
                title: "Attention".to_owned(),
                subtitle: LONG.to_owned(),
                days: shares.collect(),
            };
            for width in WIDTHS {
                check(&chart, width, 330);
            }
        }
    }
}

#[test]
fn words_of_dependences_stand_apart() {
    for scale in [1e-3, 1.0, 8000.0, 1e9] {
        let at = |index: i32| (f64::from(index) * scale, 57.0 + f64::from(index % 3));
        let chart = DependenceChart {
            title: "Dependence".to_owned(),
            subtitle: LONG.to_owned(),
            x_label: LONG.to_owned(),
            x_unit: "kcal".to_owned(),
            unit: Unit::beats_per_minute(),
            line: (-3..9).map(at).collect(),
            points: (0..5).map(at).collect(),
            current: Some(at(4)),
        };
        for width in WIDTHS {
            check(&chart, width, 340);
        }
    }
}

#[test]
fn words_of_trajectories_stand_apart() {
    for ahead in [1, 7, 30] {
        let chart = TrajectoryChart {
            title: "Trajectory".to_owned(),
            subtitle: LONG.to_owned(),
            unit: Unit::beats_per_minute(),
            days: (0..ahead)
                .map(|index| TrajectoryDay {
                    day: day(30 + index),
                    value: 57.0,
                    lower: 54.0,
                    upper: 60.0,
                    baseline: Some(58.0),
                })
                .collect(),
            mean: Some(57.2),
            past: (0..30).map(|index| (day(index), Some(58.0))).collect(),
        };
        for width in WIDTHS {
            check(&chart, width, 340);
        }
    }
}

#[test]
fn words_of_experiments_stand_apart() {
    for (count, today) in [(1, 0), (8, 0), (40, 20), (40, 39), (150, 75)] {
        let days = (0..count).map(|index| ExperimentDay {
            day: day(index),
            condition: (index > 3).then_some(index / 4 % 2),
            is_washout: index % 4 == 0,
            adhered: Some(index % 5 != 0),
            value: Some(57.0 + (index % 3) as f64),
        });
        let mut chart = ExperimentChart {
            title: "Experiment".to_owned(),
            subtitle: LONG.to_owned(),
            unit: Unit::beats_per_minute(),
            condition_labels: [LONG.to_owned(), "as usual".to_owned()],
            days: days.collect(),
            means: [Some((57.0, 56.2, 57.8)), Some((57.1, 56.3, 57.9))],
            today: Some(day(today)),
        };
        for width in WIDTHS {
            check(&chart, width, 380);
        }
        chart.means = [None, None];
        chart.days.iter_mut().for_each(|day| day.value = None);
        for width in WIDTHS {
            check(&chart, width, 380);
        }
    }
}
