//! FIT files of watches and bike computers: workouts, the monitoring of the day, nights.
//!
//! Times are UTC. The time of the person's clock stands beside one in `monitoring_info` and `activity`; it
//! gives the offset. Steps and energy of monitoring are running totals by type of activity since local
//! midnight: the largest of each type counts, and the types are added up. The files of a day complete each
//! other, so all files are read together. A time of exactly midnight ends the day before.
//!
//! Undocumented messages (body battery, training readiness) are left out, as are the beats of workouts.

mod messages;

use crate::amounts::{DayAmounts, HeartRates};
use crate::batch::Importer;
use crate::dates::minutes_of;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Read};
use crate::readings::{Night, Place, Reading, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, GZIP};
use crate::sleep::{Interval, Stage, nights};
use crate::workouts::bare_workout;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use flate2::read::GzDecoder;
use messages::Message;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use vitalcast_domain::{
    Activity, ActivityType, MetricType as M, Moment, Profile, Provenance, Record, Told, UserId,
};

/// Longest file that is read, bytes. A day of riding with every sensor has a few MiB.
const LONGEST_FILE: u64 = 128 << 20;
/// Longest time that the last stage of a night lasts, seconds.
const LAST_STAGE: i64 = 3 * 3_600;

/// Numbers of messages.
const FILE_ID: u16 = 0;
const SESSION: u16 = 18;
const EVENT: u16 = 21;
const ACTIVITY: u16 = 34;
const MONITORING: u16 = 55;
const MONITORING_INFO: u16 = 103;
const MONITORING_HR_DATA: u16 = 211;
const STRESS_LEVEL: u16 = 227;
const SPO2_DATA: u16 = 269;
const SLEEP_LEVEL: u16 = 275;
const RESPIRATION_RATE: u16 = 297;
const SLEEP_ASSESSMENT: u16 = 346;
const HRV_STATUS_SUMMARY: u16 = 370;
const NAP_EVENT: u16 = 412;
/// Number of the field with the last 16 bits of a time.
const TIMESTAMP_16: u8 = 26;
/// Scale of HRV.
const HRV_SCALE: f64 = 128.0;

/// FIT files.
pub(crate) static READER: FormatReader = FormatReader {
    word: "fit",
    title: "FIT files",
    export: "Files of a watch (folders `ACTIVITY`, `MONITOR`, `SLEEP`) or from a vendor's site: `Export original` of \
             a workout, or Garmin's export of all data.",
    gives: &[
        Gives {
            what: "activities",
            from: "`session`: `sport`, `start_time`, `total_timer_time`, `total_distance`, `total_calories`, heart rates",
            unit: "s × 1000, cm, kcal, bpm",
            note: "transitions of a multisport workout are left out",
        },
        Gives {
            what: "STEPS, ACTIVE_CALORIES, MODERATE_ACTIVITY_MINUTES, VIGOROUS_ACTIVITY_MINUTES",
            from: "`monitoring`",
            unit: "count, kcal, min",
            note: "running totals by type of activity since local midnight",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE, RESTING_HEART_RATE",
            from: "`monitoring.heart_rate`, `monitoring_hr_data.current_day_resting_heart_rate`",
            unit: "bpm",
            note: "the last resting heart rate of a day",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD",
            from: "`hrv_status_summary.last_night_average`",
            unit: "ms × 128",
            note: "",
        },
        Gives {
            what: "SLEEP_DURATION and the parts of a night, SLEEP_SCORE",
            from: "`sleep_level`, `sleep_assessment.overall_sleep_score`, `nap_event`",
            unit: "stages",
            note: "only in files of nights, which not every export has",
        },
        Gives {
            what: "OXYGEN_SATURATION, RESPIRATORY_RATE, STRESS_LEVEL",
            from: "`spo2_data`, `respiration_rate`, `stress_level`",
            unit: "%, /min × 100, 0 to 100",
            note: "mean of the day",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_fit()),
    read: Read::Together(read),
};

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let user = importer.owner(first)?;
    let profile = importer.profile_of(&user);
    let mut days = Days::default();
    for path in files {
        let mut bytes = Vec::new();
        importer.attempt(|_| {
            bytes = content(path)?;
            Ok(())
        })?;
        if bytes.is_empty() {
            continue;
        }
        let mut file = FitFile::new(&profile);
        let damage = messages::each(&bytes, |message| {
            file.see(&mut days, message);
            Ok::<(), ImportError>(())
        })?;
        importer.report.rows_read += file.read;
        if let Some(position) = damage {
            let message = format!("the file is damaged from byte {position} on");
            let place = Place {
                file: path,
                line: 0,
            };
            importer.reject(place.reject((RejectReason::WrongLength, message)))?;
        } else if file.read == 0 {
            importer.skip(SkipReason::OtherFile);
        }
        file.finish(importer, &user, path)?;
        importer.progress(path, u64::MAX)?;
    }
    days.finish(importer, &user, first)
}

/// The bytes of a file, unpacked if it is compressed. What is damaged in it ends it.
fn content(path: &Path) -> Result<Vec<u8>, ImportError> {
    let failed = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file.take(LONGEST_FILE).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        let source = GzDecoder::new(bytes.as_slice()).take(LONGEST_FILE);
        // An error is the end of what is whole; that the messages end there is told as damage.
        let _ = BufReader::new(source).read_to_end(&mut unpacked);
        return Ok(unpacked);
    }
    Ok(bytes)
}

/// A value of a type of activity and a day.
type Totals = BTreeMap<(String, NaiveDate, M), BTreeMap<u8, f64>>;

/// What all files together say about days.
#[derive(Default)]
struct Days {
    totals: Totals,
    rates: BTreeMap<String, HeartRates>,
    /// Sums and numbers of samples.
    means: BTreeMap<(String, NaiveDate, M), (f64, u32)>,
    /// The last value of a day with its time.
    last: BTreeMap<(String, NaiveDate, M), (i64, f64)>,
}

impl Days {
    fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        path: &Path,
    ) -> Result<(), ImportError> {
        let place = Place {
            file: path,
            line: 0,
        };
        let mut amounts = DayAmounts::default();
        for ((source, day, metric), types) in self.totals {
            amounts.add(metric, &source, day, types.values().sum());
        }
        amounts.finish(importer, user, place, importer.options.now)?;
        for (source, rates) in self.rates {
            rates.finish(importer, user, &source, place)?;
        }
        for ((source, day, metric), (sum, count)) in self.means {
            let mean = sum / f64::from(count);
            let reading = Reading::of_day(metric, mean, metric.unit(), day);
            importer.reading(user, &source, place, reading)?;
        }
        for ((source, day, metric), (_, value)) in self.last {
            let reading = if metric == M::HeartRateVariabilityRmssd {
                Reading::of_morning(metric, value, metric.unit(), day)
                    .id(format!("heart_rate_variability_rmssd-{day}"))
            } else {
                Reading::of_day(metric, value, metric.unit(), day)
            };
            importer.reading(user, &source, place, reading)?;
        }
        Ok(())
    }
}

/// What one file says.
struct FitFile<'p> {
    profile: &'p Profile,
    source: String,
    /// Local time minus UTC, seconds.
    offset: Option<i32>,
    sessions: Vec<Session>,
    /// Stages of sleep from a time on.
    stages: Vec<(i64, Option<Stage>)>,
    naps: Vec<Night>,
    last_event: i64,
    score: Option<f64>,
    read: u64,
}

struct Session {
    start: DateTime<Utc>,
    sport: ActivityType,
    /// Number of the sport, which is part of the id.
    number: u8,
    elapsed: Option<f64>,
    timer: Option<f64>,
    distance_m: Option<f64>,
    energy_kcal: Option<f64>,
    rates: [Option<f64>; 2],
}

impl<'p> FitFile<'p> {
    fn new(profile: &'p Profile) -> Self {
        Self {
            profile,
            source: "fit".to_owned(),
            offset: None,
            sessions: Vec::new(),
            stages: Vec::new(),
            naps: Vec::new(),
            last_event: 0,
            score: None,
            read: 0,
        }
    }

    /// The local day of a time; what ends at midnight is of the day before.
    fn day(&self, time: i64, is_total: bool) -> Option<NaiveDate> {
        let at = DateTime::from_timestamp(time - i64::from(is_total), 0)?;
        Some(match self.offset {
            Some(offset) => {
                let local = at.naive_utc() + TimeDelta::seconds(i64::from(offset));
                self.profile.day_of_local(local)
            }
            None => self.profile.day_of(at),
        })
    }

    fn see_offset(&mut self, message: &Message, local: u8) {
        if let (Some(time), Some(local)) = (message.time, message.time_of(local)) {
            let offset = local - time;
            if (-15 * 3_600..=15 * 3_600).contains(&offset) {
                self.offset = Some(offset as i32);
            }
        }
    }

    fn see(&mut self, days: &mut Days, message: &Message) {
        self.read += 1;
        let field = |number| message.field(number);
        match (message.number, message.time) {
            (FILE_ID, _) => {
                if let Some(vendor) = field(1).and_then(|number| vendor_of(number as u16)) {
                    self.source = format!("fit/{vendor}");
                }
                // It says nothing about the person.
                self.read -= 1;
            }
            (MONITORING_INFO, _) => self.see_offset(message, 0),
            (ACTIVITY, _) => self.see_offset(message, 5),
            (MONITORING, Some(time)) => self.monitoring(days, message, time),
            (MONITORING_HR_DATA, Some(time)) => {
                self.last(days, M::RestingHeartRate, time, field(1).or(field(0)));
            }
            (HRV_STATUS_SUMMARY, Some(time)) => {
                let value = field(1).map(|value| value / HRV_SCALE);
                self.last(days, M::HeartRateVariabilityRmssd, time, value);
            }
            (SPO2_DATA, Some(time)) => self.sample(days, M::OxygenSaturation, time, field(0)),
            (RESPIRATION_RATE, Some(time)) => {
                let value = field(0).map(|value| value / 100.0);
                self.sample(days, M::RespiratoryRate, time, value);
            }
            (STRESS_LEVEL, time) => {
                if let Some(time) = message.time_of(1).or(time) {
                    self.sample(days, M::StressLevel, time, field(0));
                }
            }
            (SLEEP_LEVEL, Some(time)) => {
                self.stages
                    .push((time, field(0).and_then(|level| stage_of(level as u8))));
            }
            (SLEEP_ASSESSMENT, _) => self.score = field(6).or(self.score),
            (NAP_EVENT, _) => self.naps.extend(nap_of(message)),
            (EVENT, Some(time)) => {
                self.last_event = self.last_event.max(time);
                self.read -= 1;
            }
            (SESSION, _) => self.sessions.extend(session_of(message)),
            _ => self.read -= 1,
        }
    }

    fn monitoring(&self, days: &mut Days, message: &Message, time: i64) {
        let field = |number| message.field(number);
        if let (Some(rate), Some(at)) = (field(27), DateTime::from_timestamp(time, 0)) {
            days.rates
                .entry(self.source.clone())
                .or_default()
                .add(at, rate);
        }
        // The lower five bits of a byte hold the type where no field does.
        let packed = field(24).map(|packed| f64::from(packed as u8 & 0x1f));
        let kind = field(5).or(packed).map(|kind| kind as u8);
        let (Some(day), Some(kind)) = (self.day(time, true), kind) else {
            return;
        };
        // Cycles are steps of a runner (1) or walker (6).
        let cycles = field(3).or(field(9));
        let steps = cycles.filter(|_| matches!(kind, 1 | 6));
        for (metric, value) in [
            (M::Steps, steps),
            (M::ActiveCalories, field(19)),
            (M::ModerateActivityMinutes, field(33)),
            (M::VigorousActivityMinutes, field(34)),
        ] {
            if let Some(value) = value {
                let key = (self.source.clone(), day, metric);
                let total = days.totals.entry(key).or_default().entry(kind).or_default();
                *total = total.max(value);
            }
        }
    }

    fn last(&self, days: &mut Days, metric: M, time: i64, value: Option<f64>) {
        let Some((value, day)) = value.zip(self.day(time, false)) else {
            return;
        };
        if metric.not_measured(value) {
            return;
        }
        let last = days.last.entry((self.source.clone(), day, metric));
        let last = last.or_insert((time, value));
        if time >= last.0 {
            *last = (time, value);
        }
    }

    fn sample(&self, days: &mut Days, metric: M, time: i64, value: Option<f64>) {
        let (low, high) = metric.plausible_range();
        let value = value.filter(|value| (low..=high).contains(value));
        let Some((value, day)) = value.zip(self.day(time, false)) else {
            return;
        };
        let mean = days
            .means
            .entry((self.source.clone(), day, metric))
            .or_default();
        mean.0 += value;
        mean.1 += 1;
    }

    /// Passes workouts and nights on.
    fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        path: &Path,
    ) -> Result<(), ImportError> {
        let place = Place {
            file: path,
            line: 0,
        };
        for session in &self.sessions {
            let record = Record::Activity(session.activity(&self.source, self.offset));
            importer.checked(user, place, record)?;
        }
        let mut found = nights(self.intervals());
        let longest = found.iter_mut().max_by(|left, right| {
            left.asleep
                .unwrap_or(0.0)
                .total_cmp(&right.asleep.unwrap_or(0.0))
        });
        if let Some(night) = longest {
            night.score = self.score;
        }
        for night in found.iter().chain(&self.naps) {
            importer.night(user, &self.source, place, night)?;
        }
        Ok(())
    }

    /// The stages of sleep: each lasts until the next one, the last one until the last event.
    fn intervals(&self) -> Vec<Interval> {
        let mut stages = self.stages.clone();
        stages.sort_by_key(|(time, _)| *time);
        let last = stages.last().map_or(0, |(time, _)| *time);
        let end = self.last_event.clamp(last, last + LAST_STAGE);
        let ends = stages.iter().skip(1).map(|(time, _)| *time).chain([end]);
        let time = |seconds| DateTime::from_timestamp(seconds, 0);
        stages
            .iter()
            .zip(ends)
            .filter_map(|((start, stage), end)| {
                Some(Interval {
                    start: time(*start)?,
                    end: time(end)?,
                    stage: (*stage)?,
                    offset_seconds: self.offset,
                })
            })
            .collect()
    }
}

/// A nap that is not deleted.
fn nap_of(message: &Message) -> Option<Night> {
    let time = |field| DateTime::from_timestamp(message.time_of(field)?, 0);
    let (start, end) = (time(0)?, time(2)?);
    if message.field(5) == Some(1.0) || start >= end {
        return None;
    }
    let asleep = minutes_of(end - start);
    let moment = |at, field| Moment::Instant {
        at,
        offset_seconds: message
            .field(field)
            .filter(|minutes| minutes.abs() <= 15.0 * 60.0)
            .map(|minutes| minutes as i32 * 60),
    };
    let (at, until) = (moment(start, 1), moment(end, 3));
    Some(Night {
        asleep: Some(asleep),
        ..Night::new(
            format!("nap-{}", Moment::instant(start).id()),
            at,
            Some(until),
        )
    })
}

fn stage_of(level: u8) -> Option<Stage> {
    match level {
        1 => Some(Stage::Awake),
        2 => Some(Stage::Light),
        3 => Some(Stage::Deep),
        4 => Some(Stage::Rem),
        _ => None,
    }
}

fn session_of(message: &Message) -> Option<Session> {
    let start = DateTime::from_timestamp(message.time_of(2)?, 0)?;
    let number = message.field(5).map_or(0, |sport| sport as u8);
    let sub_sport = message.field(6).map_or(0, |sport| sport as u8);
    Some(Session {
        start,
        sport: sport_of(number, sub_sport)?,
        number,
        elapsed: message.field(7).map(|millis| millis / 1_000.0),
        timer: message.field(8).map(|millis| millis / 1_000.0),
        distance_m: message.field(9).map(|centimetres| centimetres / 100.0),
        energy_kcal: message.field(11),
        rates: [message.field(16), message.field(17)],
    })
}

impl Session {
    fn activity(&self, source: &str, offset_seconds: Option<i32>) -> Activity {
        let moment = |at| Moment::Instant { at, offset_seconds };
        let length = |seconds: f64| TimeDelta::try_seconds(seconds as i64);
        let end = self.elapsed.or(self.timer).and_then(length);
        let end = end.and_then(|length| self.start.checked_add_signed(length));
        let told = Told {
            until: end.map(moment),
            ..Told::at(moment(self.start))
        };
        let id = format!(
            "session-{}-{}",
            Moment::instant(self.start).id(),
            self.number
        );
        let above_zero = |value: &f64| *value > 0.0;
        Activity {
            duration_minutes: self.timer.or(self.elapsed).map(|seconds| seconds / 60.0),
            energy_kcal: self.energy_kcal,
            average_heart_rate: self.rates[0].filter(above_zero),
            max_heart_rate: self.rates[1].filter(above_zero),
            distance_m: self.distance_m,
            ..bare_workout(Provenance::told(source, shortened(&id), told), self.sport)
        }
    }
}

/// The sport of a workout; `None` for a transition between two.
fn sport_of(sport: u8, sub_sport: u8) -> Option<ActivityType> {
    use ActivityType as A;
    Some(match (sport, sub_sport) {
        (3, _) => return None,
        (4 | 10, 15) => A::Elliptical,
        (4 | 10, 14) => A::Rowing,
        (4 | 10, 20) => A::WeightTraining,
        (4 | 10, 19) => A::Stretching,
        (4 | 10, 43) => A::Yoga,
        (4 | 10, 44) => A::Pilates,
        (1, _) => A::Running,
        (2 | 21, _) => A::Cycling,
        (5, _) => A::Swimming,
        (6, _) => A::Basketball,
        (7, _) => A::Soccer,
        (8, _) => A::Tennis,
        (11, _) => A::Walking,
        (15, _) => A::Rowing,
        (17, _) => A::Hiking,
        (25, _) => A::Golf,
        (47, _) => A::MartialArts,
        (62, _) => A::Crossfit,
        _ => A::Other,
    })
}

/// The makers of common devices.
fn vendor_of(manufacturer: u16) -> Option<&'static str> {
    Some(match manufacturer {
        1 => "garmin",
        23 => "suunto",
        32 => "wahoo",
        123 => "polar",
        260 => "zwift",
        294 => "coros",
        _ => return None,
    })
}
