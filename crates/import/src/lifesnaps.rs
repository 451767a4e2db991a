//! LifeSnaps' daily table: one row per person and day, many people in one file (Yfantidou et al.
//! 2022).
//!
//! A zero means "not measured" for the heart, the night and the stress score. A day on which the
//! watch was not worn (1,440 sedentary minutes, neither steps nor heart rate) has no movement.
//! What belongs to the night (sleep, HRV, temperature, breathing, oxygen, stress score) happened
//! before the steps of the same row and is known that morning; the rest, resting heart rate
//! included, when the day is over. The table has no zone; people lived at UTC+1 to UTC+3, so
//! Europe/Athens is assumed unless another is given.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::FormatReader;
use crate::report::{RejectReason, SkipReason};
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use std::collections::HashSet;
use std::path::Path;
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, MetricType, Moment, Provenance, Record, Told, Unit,
    UserId, Zone,
};

const SOURCE: &str = "fitbit";
const DEFAULT_ZONE: &str = "Europe/Athens";
/// Sedentary minutes of a day on which the watch was not worn.
const NOT_WORN: f64 = 1_440.0;
/// Hour at which values of the night become known.
const MORNING: u32 = 12;

/// Readings of a column: metric, unit, and whether a zero means "not measured".
const READINGS: &[(&str, MetricType, Unit, bool, When)] = &[
    (
        "resting_hr",
        MetricType::RestingHeartRate,
        Unit::PerMinute,
        true,
        When::Evening,
    ),
    (
        "rmssd",
        MetricType::HeartRateVariabilityRmssd,
        Unit::Milliseconds,
        true,
        When::Morning,
    ),
    (
        "minutesAsleep",
        MetricType::SleepDuration,
        Unit::Minutes,
        true,
        When::Morning,
    ),
    (
        "sleep_efficiency",
        MetricType::SleepEfficiency,
        Unit::Percent,
        true,
        When::Morning,
    ),
    (
        "stress_score",
        MetricType::RecoveryScore,
        Unit::Score,
        true,
        When::Morning,
    ),
    (
        "nightly_temperature",
        MetricType::SkinTemperature,
        Unit::Celsius,
        true,
        When::Morning,
    ),
    (
        "full_sleep_breathing_rate",
        MetricType::RespiratoryRate,
        Unit::PerMinute,
        true,
        When::Morning,
    ),
    (
        "spo2",
        MetricType::OxygenSaturation,
        Unit::Percent,
        true,
        When::Morning,
    ),
    (
        "filteredDemographicVO2Max",
        MetricType::Vo2Max,
        Unit::MillilitresPerKilogramMinute,
        true,
        When::Evening,
    ),
    ("steps", MetricType::Steps, Unit::Count, true, When::Worn),
    (
        "calories",
        MetricType::TotalCalories,
        Unit::Kilocalories,
        true,
        When::Worn,
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Known in the morning.
    Morning,
    /// Known when the day is over.
    Evening,
    /// Known when the day is over, and only if the watch was worn.
    Worn,
}

struct Columns {
    user: usize,
    date: usize,
    readings: Vec<Option<usize>>,
    sedentary: Option<usize>,
    steps: Option<usize>,
    bpm: Option<usize>,
    moderate: Option<usize>,
    vigorous: Option<usize>,
    workouts: Option<usize>,
}

/// The daily table of LifeSnaps.
pub(crate) static READER: FormatReader = FormatReader {
    word: "lifesnaps",
    recognises: |columns| columns.has_all(&["resting_hr", "rmssd", "date", "id"]),
    read,
};

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut table = Table::open(path)?;
    let columns = Columns {
        user: table.required(&["id"])?,
        date: table.required(&["date"])?,
        readings: READINGS
            .iter()
            .map(|(name, ..)| table.column(&[*name]))
            .collect(),
        sedentary: table.column(&["sedentary_minutes"]),
        steps: table.column(&["steps"]),
        bpm: table.column(&["bpm"]),
        moderate: table.column(&["moderately_active_minutes"]),
        vigorous: table.column(&["very_active_minutes"]),
        workouts: table.column(&["activityType"]),
    };
    let zone = match importer.options.zone {
        Some(zone) => zone,
        None => {
            importer.note(format!(
                "the table has no time zone: {DEFAULT_ZONE} is used (choose another with --zone)"
            ));
            DEFAULT_ZONE.parse().unwrap_or(Zone::UTC)
        }
    };
    let mut seen: HashSet<(String, NaiveDate)> = HashSet::new();
    while let Some(row) = table.next(importer)? {
        match day_of(importer, &row, &columns) {
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
            Ok(None) => importer.skip(SkipReason::OtherUser),
            Ok(Some((user, day))) => {
                if !seen.insert((user.as_str().to_owned(), day)) {
                    importer.skip(SkipReason::Repeated);
                    continue;
                }
                importer.person(&user, zone)?;
                let (records, faults) = records(importer, &row, &columns, day, zone);
                for fault in faults {
                    let reject = row.reject(fault);
                    importer.reject(reject)?;
                }
                for record in records {
                    importer.record(&user, record)?;
                }
            }
        }
    }
    Ok(())
}

fn day_of(
    importer: &Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
) -> Result<Option<(UserId, NaiveDate)>, Fault> {
    let user = UserId::new(row.text(Some(columns.user))).map_err(|error| fault(&error))?;
    if !importer.wants(&user) {
        return Ok(None);
    }
    let day = match iso(row.text(Some(columns.date))) {
        Some(Stamp::Day(day)) => day,
        Some(Stamp::Wall(wall)) => wall.date(),
        Some(Stamp::Instant(..)) | None => {
            return Err((
                RejectReason::BadTime,
                "date is not a day, expected for example 2021-05-24".to_owned(),
            ));
        }
    };
    importer.check_day(day)?;
    Ok(Some((user, day)))
}

/// The records of a row; an invalid cell is rejected without affecting the others.
fn records(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
    day: NaiveDate,
    zone: Zone,
) -> (Vec<Record>, Vec<Fault>) {
    let mut records = Vec::new();
    let mut faults = Vec::new();
    let mut number = |column: Option<usize>, name: &str| match row.number(column, name) {
        Ok(value) => value,
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let some_steps = number(columns.steps, "steps").is_some_and(|steps| steps > 0.0);
    let worn = some_steps
        || number(columns.bpm, "bpm").is_some_and(|bpm| bpm > 0.0)
        || number(columns.sedentary, "sedentary_minutes").is_some_and(|minutes| minutes < NOT_WORN);
    let mut values = Vec::new();
    for ((name, metric, unit, zero_is_missing, when), column) in
        READINGS.iter().zip(&columns.readings)
    {
        match number(*column, name) {
            None => {}
            Some(0.0) if *zero_is_missing => importer.skip(SkipReason::Missing),
            Some(_) if *when == When::Worn && !worn => importer.skip(SkipReason::NotWorn),
            Some(value) => values.push((*name, *metric, value, *unit, *when)),
        }
    }
    let moderate = number(columns.moderate, "moderately_active_minutes");
    let vigorous = number(columns.vigorous, "very_active_minutes");
    if let (Some(moderate), Some(vigorous), true) = (moderate, vigorous, worn) {
        values.push((
            "active_minutes",
            MetricType::ExerciseMinutes,
            moderate + vigorous,
            Unit::Minutes,
            When::Worn,
        ));
    }
    for (name, metric, value, unit, when) in values {
        match metric.to_canonical(value, unit) {
            Ok(value) => records.push(Record::HealthMetric(HealthMetric::new(
                provenance(name, day, zone, when),
                metric,
                value,
            ))),
            Err(error) => faults.push(fault(&error)),
        }
    }
    for (index, name) in listed(row.text(columns.workouts)).enumerate() {
        records.push(Record::Activity(Activity {
            provenance: provenance(&format!("workout-{}", index + 1), day, zone, When::Evening),
            activity_type: activity_type(name),
            intensity: None,
            duration_minutes: None,
            energy_kcal: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance_m: None,
            steps: None,
        }));
    }
    (records, faults)
}

fn provenance(name: &str, day: NaiveDate, zone: Zone, when: When) -> Provenance {
    let source_id = format!("{name}-{day}");
    if when != When::Morning {
        return Provenance::of_day(SOURCE, source_id, day, zone);
    }
    let noon = day.and_time(NaiveTime::MIN) + TimeDelta::hours(i64::from(MORNING));
    let told = Told {
        day: Some(day),
        ..Told::at(Moment::Clock(noon))
    };
    Provenance::told(SOURCE, source_id, told)
}

/// The names in a list such as `['Walk', 'Run']`.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.trim_matches(['[', ']'])
        .split(',')
        .map(|name| name.trim().trim_matches(['\'', '"']))
        .filter(|name| !name.is_empty())
}

fn activity_type(name: &str) -> ActivityType {
    match name.to_ascii_lowercase().as_str() {
        "walk" | "walking" => ActivityType::Walking,
        "run" | "running" | "treadmill" | "treadmill run" => ActivityType::Running,
        "bike" | "outdoor bike" | "spinning" | "cycling" | "mountain biking" => {
            ActivityType::Cycling
        }
        "swim" | "swimming" => ActivityType::Swimming,
        "hike" | "hiking" => ActivityType::Hiking,
        "rowing" | "rowing machine" => ActivityType::Rowing,
        "elliptical" => ActivityType::Elliptical,
        "weights" | "weightlifting" => ActivityType::WeightTraining,
        "bootcamp" | "circuit training" | "interval workout" | "calisthenics" => {
            ActivityType::Bodyweight
        }
        "crossfit" => ActivityType::Crossfit,
        "basketball" => ActivityType::Basketball,
        "soccer" | "football" => ActivityType::Soccer,
        "tennis" => ActivityType::Tennis,
        "golf" => ActivityType::Golf,
        "yoga" => ActivityType::Yoga,
        "pilates" => ActivityType::Pilates,
        "stretching" => ActivityType::Stretching,
        "martial arts" | "kickboxing" | "boxing" => ActivityType::MartialArts,
        "dancing" | "dance" | "zumba" => ActivityType::Dance,
        _ => ActivityType::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_workouts_are_read() {
        let names: Vec<&str> = listed("['Walk', 'Outdoor Bike']").collect();
        assert_eq!(names, ["Walk", "Outdoor Bike"]);
        assert_eq!(listed("").count(), 0);
        assert_eq!(listed("[]").count(), 0);
    }
}
