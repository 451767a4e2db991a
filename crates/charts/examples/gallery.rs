//! Writes one picture of each kind, from generated data, to the folder given as argument.

use std::{error::Error, f64::consts::TAU, fs, path::PathBuf};

use chrono::{Days, NaiveDate};
use vitalcast_charts::{
    Alignment, AverageLine, Block, ChartError, ForecastPoint, HeatCell, HeatMap, HeatRow,
    HistoryChart, HtmlReport, LagChart, LagPoint, LagUnit, PictureSize, Section, SkillBar,
    SkillChart, Table, TerminalOptions, Unit,
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

const FEATURES: [&str; 20] = [
    "nutrition_late_night_carbs",
    "sleep_hours",
    "workout_high_intensity_minutes_rolling_7_days",
    "nutrition_alcohol_units",
    "steps",
    "nutrition_hours_between_last_meal_and_bedtime",
    "sleep_regularity_30_days",
    "workout_load_7_days",
    "nutrition_caffeine_after_noon_mg",
    "heart_rate_variability_rmssd_ms_lag_1",
    "nutrition_fibre_g",
    "weekday_is_saturday_or_sunday",
    "workout_rest_days_before",
    "nutrition_protein_g_per_kg",
    "sleep_onset_hour",
    "resting_heart_rate_change_3_days",
    "nutrition_sodium_mg",
    "sleep_share_deep",
    "workout_last_session_end_hour",
    "nutrition_water_litres",
];

const METHODS: [&str; 4] = ["pearson", "spearman", "kendall", "granger"];
const DAYS: [&str; 12] = [
    "same day", "1 day", "2 days", "3 days", "4 days", "5 days", "6 days", "7 days", "8 days",
    "9 days", "10 days", "11 days",
];

fn heat_map(rows: usize, columns: &[&str]) -> HeatMap {
    let cell = |row: usize, column: usize| {
        let place = (row * 16 + column) as u64;
        let strength = 0.9 / (1.0 + row as f64 * 0.25);
        let sign = if row % 3 == 1 { -1.0 } else { 1.0 };
        let value = (sign * strength + 0.12 * noise(place)).clamp(-1.0, 1.0);
        (noise(place + 500) > -0.85).then_some(HeatCell {
            value,
            stands_out: value.abs() > 0.35,
        })
    };
    HeatMap {
        title: "Correlations with resting heart rate".to_owned(),
        subtitle: "Features of a day and the value of the next day, 120 days".to_owned(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: (0..rows)
            .map(|row| HeatRow {
                label: FEATURES[row % FEATURES.len()].to_owned(),
                cells: (0..columns.len()).map(|column| cell(row, column)).collect(),
            })
            .collect(),
    }
}

/// Correlations that rise and fall around one lag.
fn lags(unit: LagUnit, lags: impl Iterator<Item = u32>, best: u32, strength: f64) -> LagChart {
    let points: Vec<LagPoint> = lags
        .map(|lag| {
            let away = f64::from(lag.abs_diff(best)) / f64::from(best + 1);
            let correlation = strength * (-away * away).exp() + 0.06 * noise(u64::from(lag));
            let half = 0.22 - 0.1 * correlation.abs();
            LagPoint {
                lag,
                correlation,
                lower: (correlation - half).max(-1.0),
                upper: (correlation + half).min(1.0),
                stands_out: correlation.abs() > 0.3,
            }
        })
        .collect();
    let optimal = (0..points.len())
        .filter(|place| points[*place].stands_out)
        .max_by(|one, other| {
            let size = |place: usize| points[place].correlation.abs();
            size(*one).total_cmp(&size(*other))
        });
    LagChart {
        title: "Resting heart rate after late-night carbs".to_owned(),
        subtitle: "120 days, 95 % intervals".to_owned(),
        unit,
        points,
        optimal,
    }
}

fn skill() -> SkillChart {
    let bar = |label: &str, error| SkillBar {
        label: label.to_owned(),
        mean_absolute_error: error,
    };
    SkillChart {
        title: "Mean error of tomorrow's resting heart rate".to_owned(),
        subtitle: "Rolling origin, 120 days that no model was trained on".to_owned(),
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
        caption: "The last forecasts and the measured values, in bpm".to_owned(),
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
                .with_paragraph("Tomorrow will be similar to the last week.")
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
                .with(Block::List(vec![
                    "Scored on 120 days that were not used for fitting.".to_owned(),
                    "Six days without a reading were left out.".to_owned(),
                ])),
        )
        .with(
            Section::new("Correlations")
                .with(Block::HeatMap(heat_map(8, &METHODS)))
                .with(Block::Lags(lags(LagUnit::Days, 0..8, 1, 0.62))),
        )
}

/// One chart in plain text of two widths, in ASCII and in colour.
fn push_terminals(
    terminal: &mut String,
    draw: impl Fn(TerminalOptions) -> Result<String, ChartError>,
) -> Result<(), ChartError> {
    for (width, ascii, colour) in [
        (80, false, false),
        (40, false, false),
        (80, true, false),
        (80, false, true),
    ] {
        terminal.push_str(&draw(TerminalOptions {
            width,
            ascii,
            colour,
            ..TerminalOptions::default()
        })?);
        terminal.push('\n');
    }
    Ok(())
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
    for (name, map) in [
        ("heat_map", heat_map(20, &METHODS)),
        ("heat_map_small", heat_map(3, &["pearson"])),
        ("heat_map_lags", heat_map(40, &DAYS)),
    ] {
        let sized = |width| PictureSize {
            width,
            height: map.natural_height_at(width),
            ..size
        };
        let (wide, narrow) = (sized(size.width), sized(phone.width));
        fs::write(folder.join(format!("{name}.svg")), map.svg(wide)?)?;
        fs::write(folder.join(format!("{name}.png")), map.png(wide)?)?;
        fs::write(folder.join(format!("{name}_phone.svg")), map.svg(narrow)?)?;
        fs::write(folder.join(format!("{name}_phone.png")), map.png(narrow)?)?;
        push_terminals(&mut terminal, |options| map.terminal(options))?;
    }
    for (name, chart) in [
        ("lags", lags(LagUnit::Days, 0..8, 1, 0.62)),
        ("lags_month", lags(LagUnit::Days, 0..31, 9, -0.55)),
        ("lags_hours", lags(LagUnit::Hours, 0..73, 14, -0.48)),
        (
            "lags_uneven",
            lags(LagUnit::Days, [0, 1, 2, 3, 7, 14].into_iter(), 0, 0.9),
        ),
        ("lags_weak", lags(LagUnit::Days, 0..8, 3, 0.1)),
        ("lags_one", lags(LagUnit::Days, 2..3, 2, 0.5)),
    ] {
        fs::write(folder.join(format!("{name}.svg")), chart.svg(size)?)?;
        fs::write(folder.join(format!("{name}.png")), chart.png(size)?)?;
        fs::write(folder.join(format!("{name}_phone.png")), chart.png(phone)?)?;
        push_terminals(&mut terminal, |options| chart.terminal(options))?;
    }
    fs::write(folder.join("terminal.txt"), terminal)?;
    fs::write(folder.join("report.html"), report().render()?)?;
    Ok(())
}
