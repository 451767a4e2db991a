//! Writes the charts of explanations, what-if questions and experiments, from generated data, to the
//! folder given as argument.

use std::{error::Error, fs, path::PathBuf};

use chrono::{Days, NaiveDate};
use vitalcast_charts::{
    AttentionChart, AttentionDay, Block, ChartError, DependenceChart, ExperimentChart,
    ExperimentDay, HtmlReport, ImportanceChart, ImportanceRow, PictureSize, Section,
    TerminalOptions, TrajectoryChart, TrajectoryDay, Unit, WaterfallChart, WaterfallPart,
    WhatIfBar, WhatIfChart,
};

/// Numbers between -1 and 1 that look random and are the same every time.
fn noise(index: u64) -> f64 {
    let mut state = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((state ^ (state >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn day(index: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 2).expect("a day of January") + Days::new(index)
}

const FEATURES: [(&str, &str); 16] = [
    ("Resting heart rate, mean of 7 days", "59.2 bpm"),
    ("Late-night carbohydrates", "84 g"),
    ("Sleep last night", "6.1 h"),
    ("High-intensity minutes, sum of 7 days", "142 min"),
    ("Hours between the last meal and bedtime", "0.9 h"),
    ("Steps", "4120"),
    ("HRV, difference from the mean of 30 days", "\u{2212}7 ms"),
    ("Alcohol", "2 units"),
    ("Sleep regularity over 30 days", "0.62"),
    ("Sodium", "3100 mg"),
    ("Day of the week", "Sunday"),
    ("Protein by body mass", "1.1 g/kg"),
    ("Fibre", "14 g"),
    ("Caffeine after noon", "80 mg"),
    ("Rest days before", "0"),
    ("Calories, mean of 7 days", "2480 kcal"),
];

fn waterfall(count: u64) -> WaterfallChart {
    let parts: Vec<WaterfallPart> = (0..count)
        .map(|index| WaterfallPart {
            label: FEATURES[index as usize % FEATURES.len()].0.to_owned(),
            amount: 2.1 * noise(index + 3) / (1.0 + index as f64 * 0.4),
            note: FEATURES[index as usize % FEATURES.len()].1.to_owned(),
        })
        .collect();
    let rest = 0.21;
    let sum: f64 = parts.iter().map(|part| part.amount).sum();
    WaterfallChart {
        title: "How the forecast of 18 March comes about".to_owned(),
        subtitle: "Boosted trees; what each feature of the evening before adds".to_owned(),
        unit: Unit::beats_per_minute(),
        base: 57.3,
        base_label: "Mean forecast of your days".to_owned(),
        value: 57.3 + sum + rest,
        parts,
        rest,
        value_label: "Forecast".to_owned(),
    }
}

fn importance(count: u64, has_intervals: bool) -> ImportanceChart {
    let rows = (0..count)
        .map(|index| {
            let value = 0.62 / (1.0 + index as f64 * 0.5) - 0.06 + 0.05 * noise(index + 9);
            let half = 0.09 + 0.05 * noise(index + 40).abs();
            ImportanceRow {
                label: FEATURES[index as usize % FEATURES.len()].0.to_owned(),
                value,
                lower: has_intervals.then_some(value - half),
                upper: has_intervals.then_some(value + half),
                note: String::new(),
            }
        })
        .collect();
    ImportanceChart {
        title: "What the forecasts depend on".to_owned(),
        subtitle: "How much the error grows when a feature is permuted, 90 test days".to_owned(),
        unit: Some(Unit::beats_per_minute().with_decimals(2)),
        rows,
    }
}

fn attention(days: u64) -> AttentionChart {
    let raw: Vec<f64> = (0..days)
        .map(|index| {
            let age = (days - index) as f64;
            (1.0 + 0.5 * noise(index + 70)) / age.sqrt() + if index % 7 == 3 { 0.5 } else { 0.0 }
        })
        .collect();
    let sum: f64 = raw.iter().sum();
    AttentionChart {
        title: "Days that the forecast reads most".to_owned(),
        subtitle: "Attention of the network over its 30 days".to_owned(),
        days: raw
            .iter()
            .zip(0..)
            .map(|(share, index)| AttentionDay {
                day: day(index),
                share: share / sum,
            })
            .collect(),
    }
}

fn dependence(days: u64) -> DependenceChart {
    let curve = |x: f64| 56.0 + 3.2 / (1.0 + (-(x - 60.0) / 14.0).exp());
    DependenceChart {
        title: "Late-night carbohydrates and the forecast".to_owned(),
        subtitle: "All other features as on your own days".to_owned(),
        x_label: "late-night carbohydrates".to_owned(),
        x_unit: "g".to_owned(),
        unit: Unit::beats_per_minute(),
        line: (0..=24)
            .map(|step| f64::from(step) * 5.0)
            .map(|x| (x, curve(x)))
            .collect(),
        points: (0..days)
            .map(|index| {
                let x = 55.0 + 52.0 * noise(index);
                (x, curve(x) + 1.8 * noise(index + 500))
            })
            .collect(),
        current: Some((84.0, curve(84.0) + 0.4)),
    }
}

fn what_if(labels: &[&str]) -> WhatIfChart {
    let bar = |label: &str, value: f64| WhatIfBar {
        label: label.to_owned(),
        value,
        lower: value - 3.1,
        upper: value + 3.3,
    };
    let changes = [-2.6, -0.7, 2.4, 0.0, -3.9];
    WhatIfChart {
        title: "Resting heart rate of tomorrow, if today were different".to_owned(),
        subtitle: "Linear model, 90 % intervals".to_owned(),
        unit: Unit::beats_per_minute(),
        better_is_lower: true,
        baseline: bar("Today as it is", 59.4),
        scenarios: labels
            .iter()
            .zip(changes)
            .map(|(label, change)| bar(label, 59.4 + change))
            .collect(),
        noise: Some(1.3),
    }
}

fn trajectory(ahead: u64, has_change: bool) -> TrajectoryChart {
    let level = |index: u64| 58.0 + 1.5 * noise(index);
    TrajectoryChart {
        title: "Resting heart rate over the coming weeks".to_owned(),
        subtitle: "With 30 g of protein more on each day".to_owned(),
        unit: Unit::beats_per_minute(),
        days: (0..ahead)
            .map(|index| {
                let drift = 1.6 * (1.0 - (-(index as f64) / 6.0).exp());
                let value = 58.2 - if has_change { drift } else { 0.0 };
                let half = 1.6 + (0.4 * index as f64).sqrt();
                TrajectoryDay {
                    day: day(45 + index),
                    value,
                    lower: value - half,
                    upper: value + half,
                    baseline: has_change.then_some(58.2 + 0.2 * noise(index + 900)),
                }
            })
            .collect(),
        mean: Some(57.9),
        past: (0..45)
            .map(|index| (day(index), (index % 13 != 5).then(|| level(index))))
            .collect(),
    }
}

fn experiment(pairs: u64, block: u64, done: u64) -> ExperimentChart {
    let before = 6;
    let length = before + pairs * 2 * block;
    let days: Vec<ExperimentDay> = (0..length)
        .map(|index| {
            let inside = index.checked_sub(before);
            let condition = inside.map(|inside| {
                let (pair, half) = (inside / (2 * block), (inside / block) % 2);
                ((half + u64::from(noise(pair + 7) > 0.0)) % 2) as usize
            });
            let is_known = index < done && index % 11 != 4;
            let shift = if condition == Some(0) { -1.6 } else { 0.3 };
            ExperimentDay {
                day: day(index),
                condition,
                is_washout: inside.is_some_and(|inside| inside % block == 0),
                adhered: (inside.is_some() && index < done).then_some(index % 9 != 7),
                value: is_known.then(|| 58.4 + shift + 1.4 * noise(index + 30)),
            }
        })
        .collect();
    let mean = |condition| {
        let values: Vec<f64> = days
            .iter()
            .filter(|day| day.condition == Some(condition) && !day.is_washout)
            .filter_map(|day| day.value)
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.len() > 3).then_some((mean, mean - 0.6, mean + 0.6))
    };
    ExperimentChart {
        title: "No food after 20:00 and resting heart rate".to_owned(),
        subtitle: "Blocks of days in random order, each with a day of washout".to_owned(),
        unit: Unit::beats_per_minute(),
        condition_labels: ["no food after 20:00".to_owned(), "as usual".to_owned()],
        means: [mean(0), mean(1)],
        days,
        today: (done < length).then(|| day(done)),
    }
}

/// A chart as the gallery draws it.
struct Drawing<'a> {
    name: &'a str,
    heights: [u32; 2],
    svg: &'a dyn Fn(PictureSize) -> Result<String, ChartError>,
    png: &'a dyn Fn(PictureSize) -> Result<Vec<u8>, ChartError>,
    terminal: &'a dyn Fn(TerminalOptions) -> Result<String, ChartError>,
}

/// The pictures of one chart, wide and for a phone, and its text in several widths.
fn save(
    folder: &std::path::Path,
    terminal: &mut String,
    drawing: &Drawing<'_>,
) -> Result<(), Box<dyn Error>> {
    let name = drawing.name;
    let sizes = [
        ("", 860, drawing.heights[0]),
        ("_phone", 350, drawing.heights[1]),
    ];
    for (suffix, width, height) in sizes {
        let size = PictureSize {
            width,
            height,
            ..PictureSize::default()
        };
        fs::write(
            folder.join(format!("{name}{suffix}.svg")),
            (drawing.svg)(size)?,
        )?;
        fs::write(
            folder.join(format!("{name}{suffix}.png")),
            (drawing.png)(size)?,
        )?;
    }
    for (width, ascii, colour) in [
        (120, false, false),
        (60, false, false),
        (80, true, false),
        (100, false, true),
    ] {
        let options = TerminalOptions {
            width,
            ascii,
            colour,
            ..TerminalOptions::default()
        };
        terminal.push_str(&(drawing.terminal)(options)?);
        terminal.push('\n');
    }
    Ok(())
}

macro_rules! save {
    ($folder:expr, $terminal:expr, $name:expr, $chart:expr, $heights:expr) => {
        save(
            $folder,
            $terminal,
            &Drawing {
                name: $name,
                heights: $heights,
                svg: &|size| $chart.svg(size),
                png: &|size| $chart.png(size),
                terminal: &|options| $chart.terminal(options),
            },
        )?
    };
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name a folder to write to")?;
    fs::create_dir_all(&folder)?;
    let mut text = String::new();
    let scenarios = [
        "No meal after 20:00",
        "12,000 steps",
        "Two beers with a late dinner and no workout at all in the whole of the day",
        "Caffeine left out",
        "All of them",
    ];
    for (name, chart) in [
        ("waterfall", waterfall(8)),
        ("waterfall_most", waterfall(40)),
        ("waterfall_none", waterfall(0)),
    ] {
        let heights = [860, 350].map(|width| chart.natural_height_at(width));
        save!(&folder, &mut text, name, chart, heights);
    }
    for (name, chart) in [
        ("importance", importance(12, true)),
        ("importance_bars", importance(5, false)),
        ("importance_one", importance(1, true)),
    ] {
        let heights = [860, 350].map(|width| chart.natural_height_at(width));
        save!(&folder, &mut text, name, chart, heights);
    }
    for (name, chart) in [
        ("what_if", what_if(&scenarios)),
        ("what_if_one", what_if(&scenarios[..1])),
    ] {
        let heights = [860, 350].map(|width| chart.natural_height_at(width));
        save!(&folder, &mut text, name, chart, heights);
    }
    for (name, days) in [
        ("attention", 30),
        ("attention_year", 365),
        ("attention_one", 1),
    ] {
        save!(&folder, &mut text, name, attention(days), [320, 330]);
    }
    for (name, days) in [("dependence", 90), ("dependence_bare", 0)] {
        save!(&folder, &mut text, name, dependence(days), [380, 340]);
    }
    for (name, chart) in [
        ("trajectory", trajectory(14, true)),
        ("trajectory_month", trajectory(30, true)),
        ("trajectory_bare", trajectory(7, false)),
    ] {
        save!(&folder, &mut text, name, chart, [380, 340]);
    }
    for (name, chart) in [
        ("experiment", experiment(4, 4, 38)),
        ("experiment_running", experiment(4, 3, 17)),
        ("experiment_planned", experiment(3, 3, 0)),
        ("experiment_long", experiment(15, 5, 120)),
    ] {
        save!(&folder, &mut text, name, chart, [380, 380]);
    }
    fs::write(folder.join("terminal.txt"), text)?;
    let page = HtmlReport::new("Why this forecast?", "From generated data")
        .with(
            Section::new("This forecast")
                .with(Block::Waterfall(waterfall(8)))
                .with(Block::Attention(attention(30))),
        )
        .with(
            Section::new("The model")
                .with(Block::Importance(importance(12, true)))
                .with(Block::Dependence(dependence(90))),
        )
        .with(
            Section::new("What if?")
                .with(Block::WhatIf(what_if(&scenarios)))
                .with(Block::Trajectory(trajectory(14, true))),
        )
        .with(Section::new("Experiment").with(Block::Experiment(experiment(4, 4, 38))));
    fs::write(folder.join("report.html"), page.render()?)?;
    Ok(())
}
