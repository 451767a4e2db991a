//! LifeSnaps' daily table: one row per person and day, many people in one file (Yfantidou et al.
//! 2022).
//!
//! A word such as `NaN` means "not measured", and so does a zero, except of minutes of activity, in a
//! heart-rate zone or awake. A day on which the watch was not worn (1,440 sedentary minutes, neither
//! steps nor heart rate) has no movement. A day may come in several rows that complete each other; if
//! they contradict each other, the later one counts and a note says so.
//! What belongs to the night (sleep and its heart rate, HRV, temperature, breathing, oxygen, stress
//! score and its parts) happened before the steps of the same row and is known that morning; the rest,
//! resting heart rate included, when the day is over. The table has no zone; people lived at UTC+1 to
//! UTC+3, so Europe/Athens is assumed unless another is given.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Read};
use crate::numbers::Cell;
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use crate::workouts::bare_workout;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{
    ActivityType, HealthMetric, MetricType, Moment, Provenance, ReadingKind, Record, Told, Unit,
    UserId, Zone,
};

const SOURCE: &str = "fitbit";
const DEFAULT_ZONE: &str = "Europe/Athens";
/// Sedentary minutes of a day on which the watch was not worn.
const NOT_WORN: f64 = 1_440.0;
/// Hour at which values of the night become known.
const MORNING: u32 = 12;

/// A column with readings.
#[derive(Debug, Clone, Copy)]
struct Reading {
    name: &'static str,
    metric: MetricType,
    unit: Unit,
    when: When,
    /// Whether 0 is a value; else it means "not measured".
    zero_counts: bool,
}

/// The columns with readings.
const READINGS: &[Reading] = &[
    evening("resting_hr", M::RestingHeartRate, Unit::PerMinute),
    morning("rmssd", M::HeartRateVariabilityRmssd, Unit::Milliseconds),
    morning("minutesAsleep", M::SleepDuration, Unit::Minutes),
    morning("sleep_efficiency", M::SleepEfficiency, Unit::Percent),
    morning("stress_score", M::RecoveryScore, Unit::Score),
    morning("nightly_temperature", M::SkinTemperature, Unit::Celsius),
    morning(
        "full_sleep_breathing_rate",
        M::RespiratoryRate,
        Unit::PerMinute,
    ),
    morning("spo2", M::OxygenSaturation, Unit::Percent),
    evening(
        "filteredDemographicVO2Max",
        M::Vo2Max,
        Unit::MillilitresPerKilogramMinute,
    ),
    worn("steps", M::Steps, Unit::Count),
    worn("calories", M::TotalCalories, Unit::Kilocalories),
    worn("bpm", M::AverageHeartRate, Unit::PerMinute),
    morning("nremhr", M::SleepingHeartRate, Unit::PerMinute),
    morning("minutesAwake", M::AwakeDuration, Unit::Minutes).or_zero(),
    // From the beginning of the main sleep to its end.
    morning("sleep_duration", M::TimeInBed, Unit::Milliseconds),
    // The parts of a stress score are 0 where it is.
    morning(
        "sleep_points_percentage",
        M::RecoverySleepPart,
        Unit::Fraction,
    ),
    morning(
        "exertion_points_percentage",
        M::RecoveryExertionPart,
        Unit::Fraction,
    ),
    morning(
        "responsiveness_points_percentage",
        M::RecoveryResponsivenessPart,
        Unit::Fraction,
    ),
    minutes("lightly_active_minutes", M::LightActivityMinutes),
    minutes("moderately_active_minutes", M::ModerateActivityMinutes),
    minutes("very_active_minutes", M::VigorousActivityMinutes),
    minutes("sedentary_minutes", M::SedentaryMinutes),
    minutes(
        "minutes_below_default_zone_1",
        M::HeartRateBelowZone1Minutes,
    ),
    minutes("minutes_in_default_zone_1", M::HeartRateZone1Minutes),
    minutes("minutes_in_default_zone_2", M::HeartRateZone2Minutes),
    minutes("minutes_in_default_zone_3", M::HeartRateZone3Minutes),
];

const fn morning(name: &'static str, metric: MetricType, unit: Unit) -> Reading {
    reading(name, metric, unit, When::Morning)
}

const fn evening(name: &'static str, metric: MetricType, unit: Unit) -> Reading {
    reading(name, metric, unit, When::Evening)
}

const fn worn(name: &'static str, metric: MetricType, unit: Unit) -> Reading {
    reading(name, metric, unit, When::Worn)
}

/// Minutes of a day on which the watch was worn.
const fn minutes(name: &'static str, metric: MetricType) -> Reading {
    worn(name, metric, Unit::Minutes).or_zero()
}

const fn reading(name: &'static str, metric: MetricType, unit: Unit, when: When) -> Reading {
    Reading {
        name,
        metric,
        unit,
        when,
        zero_counts: false,
    }
}

impl Reading {
    /// The same column, where 0 is a value.
    const fn or_zero(self) -> Self {
        Self {
            zero_counts: true,
            ..self
        }
    }
}

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
    workouts: Option<usize>,
}

/// The daily table of LifeSnaps.
pub(crate) static READER: FormatReader = FormatReader {
    word: "lifesnaps",
    title: "LifeSnaps",
    export: "The daily table of the published data set (a CSV file with columns `id`, `date`, `resting_hr`, \
             `rmssd`).",
    gives: &[Gives {
        what: "26 daily series",
        from: "columns of the table",
        unit: "as named by the columns",
        note: "0 means \"not measured\" where no body has it",
    }],
    recognises: |sample| {
        let has = |columns: &crate::format::Columns<'_>| {
            columns.has_all(&["resting_hr", "rmssd", "date", "id"])
        };
        Confidence::certain_if(sample.is_table(has))
    },
    read: Read::Each(read),
};

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let columns = Columns {
        user: table.required(&["id"])?,
        date: table.required(&["date"])?,
        readings: READINGS
            .iter()
            .map(|reading| table.column(&[reading.name]))
            .collect(),
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
    let mut days = Days::default();
    while let Some(row) = table.next(importer)? {
        match day_of(importer, &row, &columns) {
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
            Ok(None) => importer.skip(SkipReason::OtherUser),
            Ok(Some((user, day))) => {
                importer.person(&user, zone)?;
                let (records, faults) = records(importer, &row, &columns, day, zone);
                let is_bad = !faults.is_empty();
                for fault in faults {
                    let reject = row.reject(fault);
                    importer.reject(reject)?;
                }
                let records = days.new_ones(&user, day, records);
                if let (Some([]), false) = (records.as_deref(), is_bad) {
                    importer.skip(SkipReason::Repeated);
                }
                for record in records.into_iter().flatten() {
                    importer.record(&user, record)?;
                }
            }
        }
    }
    if days.contradictions > 0 {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        importer.note(format!(
            "{file}: {} values contradict those of an earlier row of the same person and day; the \
             later ones count",
            days.contradictions
        ));
    }
    Ok(())
}

/// The days that were read, with hashes of their values: a day may come in several rows that complete
/// each other.
#[derive(Default)]
struct Days {
    seen: HashMap<u64, Vec<(u32, u32)>>,
    contradictions: u64,
}

impl Days {
    /// The records of a row that no earlier row of the day has. `None` for the first row of a day
    /// without any record.
    fn new_ones(
        &mut self,
        user: &UserId,
        day: NaiveDate,
        mut records: Vec<Record>,
    ) -> Option<Vec<Record>> {
        let is_first = !self.seen.contains_key(&hash(&(user, day)));
        let seen = self.seen.entry(hash(&(user, day))).or_default();
        records.retain(|record| {
            let (name, value) = (
                hash(&record.provenance().source_id) as u32,
                value_of(record),
            );
            match seen.iter_mut().find(|known| known.0 == name) {
                Some(known) if known.1 == value => false,
                Some(known) => {
                    known.1 = value;
                    self.contradictions += 1;
                    true
                }
                None => {
                    seen.push((name, value));
                    true
                }
            }
        });
        seen.shrink_to_fit();
        (!records.is_empty() || !is_first).then_some(records)
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A hash of what a record says.
fn value_of(record: &Record) -> u32 {
    match record {
        Record::HealthMetric(reading) => hash(&reading.value.to_bits()) as u32,
        Record::Activity(activity) => hash(&activity.activity_type) as u32,
        Record::Meal(_) | Record::Tag(_) => 0,
    }
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
    let mut number = |importer: &mut Importer<'_>, column: Option<usize>, name: &str| match row
        .cell(column, name)
    {
        Ok(Cell::Value(value, None)) => Some(value),
        Ok(Cell::Empty) => None,
        Ok(Cell::NotMeasured) => {
            importer.skip(SkipReason::Missing);
            None
        }
        Ok(Cell::Value(_, Some(_))) => {
            faults.push((
                RejectReason::WrongUnit,
                format!("{name} has a unit, expected a number alone"),
            ));
            None
        }
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let mut cells = Vec::with_capacity(READINGS.len());
    for (reading, column) in READINGS.iter().zip(&columns.readings) {
        cells.push(number(importer, *column, reading.name));
    }
    let of = |metric: MetricType| {
        let place = READINGS.iter().position(|reading| reading.metric == metric);
        place.and_then(|place| cells[place])
    };
    let is_above_0 = |value: Option<f64>| value.is_some_and(|value| value > 0.0);
    let worn = is_above_0(of(M::Steps))
        || is_above_0(of(M::AverageHeartRate))
        || of(M::SedentaryMinutes).is_some_and(|minutes| minutes < NOT_WORN);
    let (moderate, vigorous) = (
        of(M::ModerateActivityMinutes),
        of(M::VigorousActivityMinutes),
    );
    let mut add =
        |importer: &mut Importer<'_>, name, metric: MetricType, value, unit, when| match metric
            .measured(value, unit)
        {
            Ok(None) => importer.skip(SkipReason::Missing),
            Ok(Some(value)) => records.push(Record::HealthMetric(HealthMetric {
                // The hour of a value of the night says when it is known, not when the person woke.
                kind: (when == When::Morning).then_some(ReadingKind::DayValue),
                ..HealthMetric::new(provenance(name, day, zone, when), metric, value)
            })),
            Err(error) => faults.push(fault(&error)),
        };
    for (reading, cell) in READINGS.iter().zip(cells) {
        let &Reading {
            name,
            metric,
            unit,
            when,
            zero_counts,
        } = reading;
        match cell {
            None => {}
            Some(0.0) if !zero_counts => importer.skip(SkipReason::Missing),
            Some(_) if when == When::Worn && !worn => importer.skip(SkipReason::NotWorn),
            Some(value) => add(importer, name, metric, value, unit, when),
        }
    }
    if let (Some(moderate), Some(vigorous), true) = (moderate, vigorous, worn) {
        add(
            importer,
            "active_minutes",
            M::ExerciseMinutes,
            moderate + vigorous,
            Unit::Minutes,
            When::Worn,
        );
    }
    for (index, name) in listed(row.text(columns.workouts)).enumerate() {
        records.push(Record::Activity(bare_workout(
            provenance(&format!("workout-{}", index + 1), day, zone, When::Evening),
            sport(name).unwrap_or(ActivityType::Other),
        )));
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
