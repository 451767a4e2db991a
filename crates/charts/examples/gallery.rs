//! Writes one picture of each kind, from generated data, to the folder given as argument.

use std::{error::Error, f64::consts::TAU, fs, path::PathBuf};

use chrono::{Days, NaiveDate};
use vitalcast_charts::{
    Alignment, AverageLine, Block, ForecastPoint, HeatCell, HeatMap, HeatRow, HistoryChart,
    HtmlReport, LagChart, LagPoint, LagUnit, PictureSize, Section, SkillBar, SkillChart, Table,
    TerminalOptions, Unit,
};

/// Numbers between -1 and 1 that look random and are the same every time.
fn noise(index: u64) -> f64 {
    let mut state = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((state ^ (state >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn resting_heart_rate(days: u64, past_forecasts: u64, ahead: u64) -> HistoryChart {
    let first = NaiveDate::from_ymd_opt(2026, 1, 2).expect("a day of January");
    let date = |index| first + Days::new(index);
    let level = |index: u64| 57.0 + 2.2 * (index as f64 / 40.0 * TAU).sin();
    let reading = |index: u64| level(index) + 1.6 * noise(index);
    let is_missing = |index: u64| (31..36).contains(&index) || index == 52 || index == 54;
    let history = (0..days)
        .map(|index| (date(index), (!is_missing(index)).then(|| reading(index))))
        .collect();
    let forecasts = (days - past_forecasts..days + ahead)
        .map(|index| {
            let value = level(index) + 0.4 * noise(index + 1000);
            let widening = 2.4 + 0.25 * index.saturating_sub(days) as f64;
            ForecastPoint {
                date: date(index),
                value,
                lower: value - widening,
                upper: value + widening,
                actual: (index < days && !is_missing(index)).then(|| reading(index)),
            }
        })
        .collect();
    HistoryChart {
        title: "Resting heart rate".to_owned(),
        subtitle: "Readings and forecasts by day, pooled model".to_owned(),
        unit: Unit::beats_per_minute(),
        history,
        average: Some(AverageLine {
            label: "30-day average".to_owned(),
            value: 57.2,
        }),
        interval_percent: Some(90),
        forecasts,
    }
}

fn heat_map(rows: u64) -> HeatMap {
    HeatMap {
        title: "What goes with Resting Heart Rate".to_owned(),
        subtitle: "a day's features and the next day's value".to_owned(),
        columns: ["pearson", "spearman", "kendall", "granger"]
            .map(str::to_owned)
            .to_vec(),
        rows: (0..rows)
            .map(|row| HeatRow {
                label: format!("nutrition_feature_with_a_rather_long_name_{row}"),
                cells: (0..4)
                    .map(|column| {
                        let value = noise(row * 4 + column);
                        (column != row % 7).then_some(HeatCell {
                            value,
                            stands_out: value.abs() > 0.7,
                        })
                    })
                    .collect(),
            })
            .collect(),
    }
}

fn lags() -> LagChart {
    let points = (0..8_u32).map(|lag| {
        let correlation = 0.62 * (-f64::from(lag.abs_diff(1))).exp() - 0.05 * f64::from(lag % 3);
        LagPoint {
            lag,
            correlation,
            lower: correlation - 0.22,
            upper: correlation + 0.2,
            stands_out: correlation > 0.25,
        }
    });
    LagChart {
        title: "Resting Heart Rate after late-night carbs".to_owned(),
        subtitle: "90 days".to_owned(),
        unit: LagUnit::Days,
        points: points.collect(),
        optimal: Some(1),
    }
}

fn skill() -> SkillChart {
    let bar = |label: &str, error| SkillBar {
        label: label.to_owned(),
        mean_absolute_error: error,
    };
    SkillChart {
        title: "Mean error of tomorrow's resting heart rate".to_owned(),
        subtitle: "Rolling origin, 120 days that no model had seen".to_owned(),
        unit: Unit::beats_per_minute().with_decimals(2),
        model: bar("boosted trees", Some(0.98)),
        baselines: vec![
            bar("yesterday's value", Some(1.05)),
            bar("same day last week", Some(1.62)),
            bar("30-day average", Some(1.31)),
            bar("exponential smoothing", Some(1.02)),
            bar("personal LSTM", None),
        ],
    }
}

fn report() -> HtmlReport {
    let month = resting_heart_rate(75, 14, 1);
    let rows = month
        .forecasts
        .iter()
        .rev()
        .take(5)
        .map(|point| {
            vec![
                Some(point.date.format("%-d %B").to_string()),
                Some(month.unit.write_number(point.value)),
                Some(month.unit.write_number(point.lower)),
                Some(month.unit.write_number(point.upper)),
                point.actual.map(|actual| month.unit.write_number(actual)),
            ]
        })
        .collect();
    let column = |header: &str, alignment| (header.to_owned(), alignment);
    let table = Table {
        caption: "The last forecasts and what came true, in bpm".to_owned(),
        columns: vec![
            column("Day", Alignment::Text),
            column("Forecast", Alignment::Number),
            column("Lower", Alignment::Number),
            column("Upper", Alignment::Number),
            column("Came true", Alignment::Number),
        ],
        rows,
    };
    HtmlReport::new("Your forecast for tomorrow", "From 75 days of readings")
        .with(
            Section::new("Tomorrow, 18 March")
                .with_paragraph("Tomorrow looks much like the last week.")
                .with(Block::History(month))
                .with(Block::Table(table)),
        )
        .with(
            Section::new("How good are these forecasts?")
                .with(Block::Note(
                    "On your own data the forecast is a little better than \"same as yesterday\"."
                        .to_owned(),
                ))
                .with(Block::Skill(skill()))
                .with(Block::HeatMap(heat_map(8)))
                .with(Block::Lags(lags()))
                .with(Block::List(vec![
                    "Scored on 120 days that were not used for fitting.".to_owned(),
                    "Six days without a reading were left out.".to_owned(),
                ])),
        )
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name a folder to write to")?;
    fs::create_dir_all(&folder)?;
    let size = PictureSize::default();
    let phone = PictureSize {
        width: 350,
        height: 330,
        ..size
    };
    let mut nothing_known = resting_heart_rate(20, 0, 0);
    nothing_known
        .history
        .iter_mut()
        .for_each(|(_, value)| *value = None);
    let charts = [
        ("history", resting_heart_rate(75, 14, 1)),
        ("year", resting_heart_rate(365, 60, 1)),
        ("week_ahead", resting_heart_rate(28, 0, 7)),
        ("readings_only", resting_heart_rate(90, 0, 0)),
        ("first_day", resting_heart_rate(1, 0, 0)),
        ("nothing_known", nothing_known),
    ];
    let mut terminal = String::new();
    for (name, chart) in &charts {
        fs::write(folder.join(format!("{name}.svg")), chart.svg(size)?)?;
        fs::write(folder.join(format!("{name}.png")), chart.png(size)?)?;
        fs::write(folder.join(format!("{name}_phone.png")), chart.png(phone)?)?;
        for (ascii, colour) in [(false, false), (true, false), (false, true)] {
            let options = TerminalOptions {
                ascii,
                colour,
                ..TerminalOptions::default()
            };
            terminal.push_str(&chart.terminal(options)?);
            terminal.push('\n');
        }
    }
    let skill = skill();
    let skill_size = PictureSize {
        height: skill.natural_height(),
        ..size
    };
    fs::write(folder.join("skill.svg"), skill.svg(skill_size)?)?;
    fs::write(folder.join("skill.png"), skill.png(skill_size)?)?;
    for ascii in [false, true] {
        let options = TerminalOptions {
            ascii,
            ..TerminalOptions::default()
        };
        terminal.push_str(&skill.terminal(options)?);
        terminal.push('\n');
    }
    let lags = lags();
    fs::write(folder.join("lags.svg"), lags.svg(size)?)?;
    fs::write(folder.join("lags.png"), lags.png(size)?)?;
    fs::write(folder.join("lags_phone.png"), lags.png(phone)?)?;
    let options = TerminalOptions::default();
    terminal.push_str(&lags.terminal(options)?);
    for (name, rows) in [("heat_map", 20), ("heat_map_small", 3)] {
        let map = heat_map(rows);
        let height = map.natural_height();
        let size = PictureSize { height, ..size };
        fs::write(folder.join(format!("{name}.svg")), map.svg(size)?)?;
        fs::write(folder.join(format!("{name}.png")), map.png(size)?)?;
        let phone = PictureSize { height, ..phone };
        fs::write(folder.join(format!("{name}_phone.png")), map.png(phone)?)?;
        terminal.push_str(&map.terminal(options)?);
    }
    fs::write(folder.join("terminal.txt"), terminal)?;
    fs::write(folder.join("report.html"), report().render()?)?;
    Ok(())
}
