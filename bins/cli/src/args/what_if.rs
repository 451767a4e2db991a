//! The options of `what-if`, `counterfactual` and `trajectory`.

use super::{architecture, metric};
use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use std::path::PathBuf;
use vitalcast::{
    Activity, ActivityType, FeatureChange, Intensity, Meal, ModelArchitecture, Moment,
    PredictionMetric, Provenance, Record, Told, TrajectoryChange, UserId,
};

/// Source of what is added on the command line.
const SOURCE: &str = "what-if";

/// See [`super::Command::WhatIf`].
#[derive(Debug, Args)]
pub(crate) struct WhatIfArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) metric: PredictionMetric,
    /// Day to forecast; the day before it is the one that changes [default: the day after the last day with
    /// data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// A total or reading of the day and its new value, for example activity_steps_daily=12000 or
    /// SEDENTARY_MINUTES=400; separate several with commas. All of --set, --meal and --workout are one scenario
    #[arg(long, value_name = "FEATURE=VALUE", value_parser = change, value_delimiter = ',')]
    pub(crate) set: Vec<FeatureChange>,
    /// Add a meal: its time and amounts (calories, protein, carbs, fat, fiber), for example "21:00 carbs=80,protein=20"
    #[arg(long, value_name = "MEAL", value_parser = meal)]
    pub(crate) meal: Vec<AddedMeal>,
    /// Add a workout: its time, sport, minutes and intensity, for example "18:00 RUNNING 45 HIGH"
    #[arg(long, value_name = "WORKOUT", value_parser = workout)]
    pub(crate) workout: Vec<AddedWorkout>,
    /// One more scenario: a name and its changes, for example walk:activity_steps_daily=15000; at most five
    #[arg(long, value_name = "NAME:FEATURE=VALUE,…", value_parser = scenario)]
    pub(crate) scenario: Vec<(String, Vec<FeatureChange>)>,
    /// Model version, for example v1.0.2 [default: the active one]
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Use only models of this architecture
    #[arg(long, value_name = "NAME", value_parser = architecture())]
    pub(crate) architecture: Option<ModelArchitecture>,
    /// Save a chart of the scenarios to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and the chart to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`super::Command::Counterfactual`].
#[derive(Debug, Args)]
pub(crate) struct CounterfactualArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) metric: PredictionMetric,
    /// Day to forecast; the day before it is the one that changes [default: the day after the last day with
    /// data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Value to reach, in the metric's unit [default: a noticeable improvement]
    #[arg(long, alias = "target-value", value_name = "VALUE", value_parser = number)]
    pub(crate) target: Option<f64>,
    /// Search the smallest change instead of the fewest
    #[arg(long)]
    pub(crate) smallest: bool,
    /// Most changes of one answer, 1 to 10
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) max_changes: usize,
    /// Only these may change, for example nutrition_protein_daily,STEPS [default: all that a person can do]
    #[arg(
        long,
        alias = "allowed-features",
        value_name = "FEATURE",
        value_delimiter = ','
    )]
    pub(crate) allow: Vec<String>,
    /// Model version, for example v1.0.2 [default: the active one]
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Use only models of this architecture
    #[arg(long, value_name = "NAME", value_parser = architecture())]
    pub(crate) architecture: Option<ModelArchitecture>,
    /// Save a chart of the answers to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and the chart to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`super::Command::Trajectory`].
#[derive(Debug, Args)]
pub(crate) struct TrajectoryArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric; separate several with commas
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Number of days: 7, 14 or 30
    #[arg(
        long,
        alias = "duration-days",
        value_name = "DAYS",
        default_value_t = 7
    )]
    pub(crate) days: usize,
    /// A change on every day, for example nutrition_protein_daily=+30 or activity_steps_daily=-2000; separate
    /// several with commas
    #[arg(long, value_name = "FEATURE=DELTA", value_parser = delta, value_delimiter = ',')]
    pub(crate) change: Vec<TrajectoryChange>,
    /// First day [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) start: Option<NaiveDate>,
    /// Number of simulated paths
    #[arg(long, value_name = "N", default_value_t = vitalcast::TRAJECTORY_PATHS)]
    pub(crate) paths: usize,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = vitalcast::DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Save a chart to this .svg or .png file (one metric only)
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and charts to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

fn delta(text: &str) -> Result<TrajectoryChange, String> {
    let (name, delta) = text
        .split_once('=')
        .ok_or("expected FEATURE=DELTA, for example nutrition_protein_daily=+30")?;
    Ok(TrajectoryChange {
        feature_name: name.trim().to_owned(),
        delta: number(delta.trim().trim_start_matches('+'))?,
        change_description: String::new(),
    })
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok();
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("{text:?} is not a number"))
}

fn change(text: &str) -> Result<FeatureChange, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected FEATURE=VALUE, for example activity_steps_daily=12000")?;
    Ok(FeatureChange {
        feature_name: name.trim().to_owned(),
        current_value: None,
        new_value: number(value)?,
        change_description: String::new(),
    })
}

fn scenario(text: &str) -> Result<(String, Vec<FeatureChange>), String> {
    let (name, changes) = text
        .split_once(':')
        .ok_or("expected NAME:FEATURE=VALUE,…, for example walk:activity_steps_daily=15000")?;
    let changes = changes.split(',').map(change);
    Ok((name.trim().to_owned(), changes.collect::<Result<_, _>>()?))
}

fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M")
        .map_err(|_| format!("{text:?} is not a time of day, expected for example 21:00"))
}

/// A meal of the command line.
#[derive(Debug, Clone)]
pub(crate) struct AddedMeal {
    time: NaiveTime,
    /// Energy in kcal; protein, carbohydrate, fat and fibre in g.
    amounts: [Option<f64>; 5],
}

fn meal(text: &str) -> Result<AddedMeal, String> {
    const NAMES: [&str; 5] = ["calories", "protein", "carbs", "fat", "fiber"];
    let (at, rest) = text
        .trim()
        .split_once(' ')
        .ok_or("expected a time and amounts, for example \"21:00 carbs=80,protein=20\"")?;
    let mut amounts = [None; 5];
    for part in rest.split(',') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("expected NAME=AMOUNT in {part:?}"))?;
        let place = NAMES.iter().position(|known| *known == name.trim());
        let place = place.ok_or_else(|| {
            format!(
                "unknown amount {name:?}, expected one of {}",
                NAMES.join(", ")
            )
        })?;
        amounts[place] = Some(number(value)?);
    }
    if amounts[0].is_none() {
        let energy = [4.0, 4.0, 9.0].iter().zip(&amounts[1..4]);
        let energy = energy.map(|(of, grams)| of * grams.unwrap_or(0.0)).sum();
        amounts[0] = Some(energy);
    }
    Ok(AddedMeal {
        time: time(at)?,
        amounts,
    })
}

impl AddedMeal {
    /// The meal on a day, the `place`th that is added.
    pub(crate) fn on(&self, day: NaiveDate, place: usize) -> Record {
        let [energy_kcal, protein_g, carbs_g, fat_g, fiber_g] = self.amounts;
        let told = Told::at(Moment::Clock(day.and_time(self.time)));
        Record::Meal(Meal {
            provenance: Provenance::told(SOURCE, format!("meal {place}"), told),
            name: None,
            meal_type: None,
            energy_kcal,
            protein_g,
            carbs_g,
            fat_g,
            fiber_g,
            sugar_g: None,
        })
    }
}

/// A workout of the command line.
#[derive(Debug, Clone)]
pub(crate) struct AddedWorkout {
    time: NaiveTime,
    sport: ActivityType,
    minutes: f64,
    intensity: Option<Intensity>,
}

fn workout(text: &str) -> Result<AddedWorkout, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (at, sport, minutes, intensity) = match words.as_slice() {
        [at, sport, minutes] => (at, sport, minutes, None),
        [at, sport, minutes, intensity] => (at, sport, minutes, Some(intensity)),
        _ => return Err("expected for example \"18:00 RUNNING 45 HIGH\"".to_owned()),
    };
    let intensity = intensity.map(|word| word.to_ascii_uppercase().parse::<Intensity>());
    Ok(AddedWorkout {
        time: time(at)?,
        sport: sport
            .to_ascii_uppercase()
            .parse()
            .map_err(|error: vitalcast::DomainError| error.to_string())?,
        minutes: number(minutes)?,
        intensity: intensity.transpose().map_err(|error| error.to_string())?,
    })
}

impl AddedWorkout {
    /// The workout on a day, the `place`th that is added.
    pub(crate) fn on(&self, day: NaiveDate, place: usize) -> Record {
        let told = Told::at(Moment::Clock(day.and_time(self.time)));
        Record::Activity(Activity {
            provenance: Provenance::told(SOURCE, format!("workout {place}"), told),
            activity_type: self.sport,
            intensity: self.intensity,
            duration_minutes: Some(self.minutes),
            energy_kcal: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance_m: None,
            steps: None,
        })
    }
}
