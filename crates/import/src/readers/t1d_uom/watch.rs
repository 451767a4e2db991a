//! What the watch measured every five minutes: heart rate, stress level and resting heart rate.
//!
//! The watch writes the resting heart rate at local midnight, and that row closes the day that has just
//! ended; it counts before any other of the day. Heart rates and stress levels become values of the
//! local day if there are enough of them. A heart rate of 0 is no reading. A stress level below 1 is
//! none either: -1 and -2 say so, and 0 also fills gaps of many hours.

use super::{SOURCE, bad_time, daily};
use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::repeats::Repeats;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, british};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use std::collections::{BTreeMap, VecDeque};
use vitalcast_domain::{
    HealthMetric, MetricType, Moment, Provenance, ReadingKind, Record, Told, Unit, UserId, Zone,
};

/// Rows that a heart rate of a day needs: six hours.
const RATES_OF_A_DAY: u32 = 72;
/// Rows that a mean heart rate of a night needs: one hour.
const RATES_OF_A_NIGHT: u32 = 12;
/// Rows of half an hour.
const HALF_AN_HOUR: usize = 6;
/// Rows that a mean stress level of a day needs: three hours.
const STRESS_OF_A_DAY: u32 = 36;
/// Rows that a mean stress level of an evening needs: half an hour.
const STRESS_OF_AN_EVENING: u32 = 6;
/// Time between two rows.
const STEP: TimeDelta = TimeDelta::minutes(5);
/// Local hour at which the night ends of which the heart rate is that asleep.
const NIGHT_ENDS: u32 = 6;
/// Local hour at which the evening begins.
const EVENING: u32 = 20;

pub(super) fn watch(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
    zone: Zone,
) -> Result<(), ImportError> {
    let time = table.required(&["sleep_ts"])?;
    let columns = Columns {
        resting: table.required(&["resting_heart_rate"])?,
        rate: table.column(&["heart_rate"]),
        stress: table.column(&["stress_level_value"]),
    };
    let mut days: BTreeMap<NaiveDate, Day> = BTreeMap::new();
    let mut seen = Repeats::default();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let measured = columns.measured(&row)?;
            if measured == Measured::default() {
                return Ok(None);
            }
            let Some(Stamp::Wall(moment)) = british(row.text(Some(time))) else {
                return Err(bad_time("sleep_ts"));
            };
            importer.check_time(moment.and_utc())?;
            Ok(Some((moment, measured)))
        })();
        match outcome {
            Ok(None) => {}
            Ok(Some((moment, measured))) => {
                let offset = zone.offset_seconds(moment.and_utc());
                let local = moment + TimeDelta::seconds(i64::from(offset));
                if let Some(rate) = measured.resting {
                    let at_midnight = local.time() == NaiveTime::MIN;
                    let day = if at_midnight {
                        local.date() - Days::new(1)
                    } else {
                        local.date()
                    };
                    days.entry(day).or_default().rest(at_midnight, moment, rate);
                }
                // The same five minutes twice count once.
                if seen.is_new(&moment) {
                    days.entry(local.date())
                        .or_default()
                        .add(moment, local, measured);
                }
            }
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
        }
    }
    for (day, measured) in days {
        of_day(importer, user, zone, day, &measured)?;
    }
    Ok(())
}

struct Columns {
    resting: usize,
    rate: Option<usize>,
    stress: Option<usize>,
}

/// What a row measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Measured {
    resting: Option<f64>,
    rate: Option<f64>,
    stress: Option<f64>,
}

impl Columns {
    fn measured(&self, row: &Row<'_>) -> Result<Measured, Fault> {
        let resting = row
            .number(Some(self.resting), "resting_heart_rate")?
            .filter(|rate| *rate != 0.0);
        if let Some(rate) = resting {
            let checked = MetricType::RestingHeartRate.check(rate);
            checked.map_err(|error| fault(&error))?;
        }
        let rate = match row.number(self.rate, "heart_rate")? {
            Some(rate) => MetricType::AverageHeartRate
                .measured(rate, Unit::PerMinute)
                .map_err(|error| fault(&error))?,
            None => None,
        };
        let stress = row
            .number(self.stress, "stress_level_value")?
            .filter(|level| *level >= 1.0);
        if let Some(level) = stress {
            let checked = MetricType::StressLevel.check(level);
            checked.map_err(|error| fault(&error))?;
        }
        Ok(Measured {
            resting,
            rate,
            stress,
        })
    }
}

/// What the rows of a local day say.
#[derive(Default)]
struct Day {
    /// The resting heart rate that counts: whether it was written at midnight, its time, its value.
    resting: Option<(bool, NaiveDateTime, f64)>,
    rate: Mean,
    night_rate: Mean,
    /// The last rates without a gap, at most those of half an hour.
    last: VecDeque<f64>,
    last_at: NaiveDateTime,
    lowest: Option<f64>,
    stress: Mean,
    evening_stress: Mean,
}

impl Day {
    fn rest(&mut self, at_midnight: bool, moment: NaiveDateTime, rate: f64) {
        let is_later = |(midnight, at, _)| (at_midnight, moment) > (midnight, at);
        if self.resting.is_none_or(is_later) {
            self.resting = Some((at_midnight, moment, rate));
        }
    }

    fn add(&mut self, moment: NaiveDateTime, local: NaiveDateTime, measured: Measured) {
        if let Some(rate) = measured.rate {
            self.rate.add(rate);
            if local.hour() < NIGHT_ENDS {
                self.night_rate.add(rate);
            }
            if moment - self.last_at != STEP {
                self.last.clear();
            }
            self.last_at = moment;
            self.last.push_back(rate);
            if self.last.len() > HALF_AN_HOUR {
                self.last.pop_front();
            }
            if self.last.len() == HALF_AN_HOUR {
                let mean = self.last.iter().sum::<f64>() / HALF_AN_HOUR as f64;
                self.lowest = Some(self.lowest.map_or(mean, |lowest| lowest.min(mean)));
            }
        }
        if let Some(level) = measured.stress {
            self.stress.add(level);
            if local.hour() >= EVENING {
                self.evening_stress.add(level);
            }
        }
    }
}

/// A mean of many rows.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean, if there are enough rows.
    fn of(&self, least: u32) -> Option<f64> {
        (self.count >= least).then(|| self.sum / f64::from(self.count))
    }
}

/// The values of a day.
fn of_day(
    importer: &mut Importer<'_>,
    user: &UserId,
    zone: Zone,
    day: NaiveDate,
    measured: &Day,
) -> Result<(), ImportError> {
    for (name, metric, value) in [
        (
            "resting-heart-rate",
            MetricType::RestingHeartRate,
            measured.resting.map(|(.., rate)| rate),
        ),
        (
            "average-heart-rate",
            MetricType::AverageHeartRate,
            measured.rate.of(RATES_OF_A_DAY),
        ),
        (
            "lowest-heart-rate",
            MetricType::LowestHeartRate,
            measured
                .lowest
                .filter(|_| measured.rate.count >= RATES_OF_A_DAY),
        ),
        (
            "stress-level",
            MetricType::StressLevel,
            measured.stress.of(STRESS_OF_A_DAY),
        ),
        (
            "evening-stress-level",
            MetricType::EveningStressLevel,
            measured.evening_stress.of(STRESS_OF_AN_EVENING),
        ),
    ] {
        if let Some(value) = value {
            let provenance = Provenance::of_day(SOURCE, format!("{name}-{day}"), day, zone);
            daily(importer, user, provenance, metric, value, metric.unit())?;
        }
    }
    let Some(rate) = measured.night_rate.of(RATES_OF_A_NIGHT) else {
        return Ok(());
    };
    // Known when the last of its rows is over.
    let told = Told {
        day: Some(day),
        ..Told::at(Moment::Clock(
            day.and_time(NaiveTime::MIN) + TimeDelta::hours(i64::from(NIGHT_ENDS)),
        ))
    };
    let provenance = Provenance::told(SOURCE, format!("sleeping-heart-rate-{day}"), told);
    let metric = MetricType::SleepingHeartRate;
    let reading = HealthMetric {
        kind: Some(ReadingKind::DayValue),
        ..HealthMetric::new(provenance, metric, rate)
    };
    importer.record(user, Record::HealthMetric(reading))
}
