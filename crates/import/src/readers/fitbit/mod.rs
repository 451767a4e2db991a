//! Fitbit: Google Takeout (folders "Fitbit" or "Google Health") and exports of the website.
//!
//! **JSON** (`Global Export Data/`, cut into files such as `steps-2024-01-01.json`): resting heart rate,
//! active minutes and minutes in heart-rate zones by local day; sleep with local times; steps, energy and
//! heart rate by the minute or second, and workouts, with UTC times. None of these times has a zone.
//! Times are `03/01/24 00:00:00`, `2019-11-01 00:00:00` or `2019-11-02T07:19:30.000`. Files overlap, and
//! a sleep log comes in several of them.
//!
//! **Tables** beside them (`Sleep Score`, `Stress Score`, `Heart Rate Variability` and others), by day or
//! sleep log. In the daily tables of newer exports (`…_GoogleData/`), `2026-06-10T00:00:00Z` names the
//! local day; only another time than midnight is an instant. Their steps, energy and heart rates are at
//! UTC instants, several devices and apps side by side: each is a source of its own. What was copied from
//! Health Kit or Health Connect is left out.
//!
//! **The website's table** has sections, each with its title and header, and numbers such as `"1,000"`.
//!
//! What belongs to the night is known in the morning, resting heart rate and amounts when the day is over.
//! On a day with 1,440 sedentary minutes, no step and no heart rate, nobody wore the watch.

mod body;
mod daily;
mod days;
mod nights;
mod old;
mod site;
mod tables;

use crate::amounts::{HeartRates, LocalDays};
use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading};
use crate::readings::Place;
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Content, Sample, file_name, look};
use crate::table::Fault;
use crate::time::{DateOrder, Stamp, iso, read as read_time, two_digits};
use body::Body;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use daily::DailyTable;
use days::{Days, When};
use nights::Nights;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use vitalcast_domain::{Activity, MetricType, Profile, Record, Unit, UserId};

const SOURCE: &str = "fitbit";

/// Exports of Fitbit.
pub(crate) static READER: FormatReader = FormatReader {
    word: "fitbit",
    title: "Fitbit",
    export: "Google Takeout (<https://takeout.google.com>) with \"Fitbit\" or \"Google Health\" selected: the zip \
             file or its unpacked folder. Older exports from the Fitbit website are read too.",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`resting_heart_rate-*.json`, `daily_resting_heart_rate.csv`",
            unit: "beats per minute",
            note: "of a local day, known when it is over; 0 means none",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, SLEEPING_HEART_RATE",
            from: "`Daily Heart Rate Variability Summary - *.csv` (`rmssd`, `nremhr`), \
                   `daily_heart_rate_variability.csv`",
            unit: "ms, beats per minute",
            note: "of the night; the heart rate is that outside of REM sleep; Fitbit has no SDNN",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION, TIME_IN_BED, \
                   SLEEP_EFFICIENCY, BEDTIME, WAKE_TIME",
            from: "`sleep-*.json`; `UserSleeps_*.csv` with `UserSleepStages_*.csv`",
            unit: "minutes, ms, per cent",
            note: "every sleep log counts once; stages only where they were measured; efficiency only in the \
                   JSON files",
        },
        Gives {
            what: "SLEEP_SCORE",
            from: "`sleep_score.csv`, `UserSleepScores_*.csv` (`overall_score`)",
            unit: "0 to 100",
            note: "belongs to its sleep log",
        },
        Gives {
            what: "RECOVERY_SCORE, RECOVERY_SLEEP_PART, RECOVERY_EXERTION_PART, \
                   RECOVERY_RESPONSIVENESS_PART",
            from: "`Stress Score.csv`",
            unit: "0 to 100; points of the most points",
            note: "the stress management score, of which a higher one is better; the parts are shares of their \
                   most points",
        },
        Gives {
            what: "RECOVERY_SCORE",
            from: "`Daily Readiness Score - *.csv`, `daily_readiness.csv`",
            unit: "0 to 100",
            note: "source `fitbit/readiness`, so that it is never mixed with the stress management score",
        },
        Gives {
            what: "RESPIRATORY_RATE, OXYGEN_SATURATION, SKIN_TEMPERATURE",
            from: "`Respiratory Rate Summary - *.csv`, `Daily SpO2 - *.csv`, `Computed Temperature - *.csv` and \
                   their successors in `Physical Activity_GoogleData`",
            unit: "per minute, per cent, °C",
            note: "of the night; a saturation of exactly 50 is a failure",
        },
        Gives {
            what: "STEPS, TOTAL_CALORIES",
            from: "`steps-*.json`, `calories-*.json`, `steps_*.csv`, `calories_*.csv`",
            unit: "count, kcal",
            note: "minutes in UTC, added up by local day and device; set the time zone right",
        },
        Gives {
            what: "LIGHT_ACTIVITY_MINUTES, MODERATE_ACTIVITY_MINUTES, VIGOROUS_ACTIVITY_MINUTES, \
                   SEDENTARY_MINUTES, EXERCISE_MINUTES",
            from: "`lightly_active_minutes-*.json` and the like",
            unit: "minutes",
            note: "exercise minutes are moderate and vigorous ones together",
        },
        Gives {
            what: "HEART_RATE_BELOW_ZONE_1_MINUTES, HEART_RATE_ZONE_1_MINUTES to \
                   HEART_RATE_ZONE_3_MINUTES",
            from: "`time_in_heart_rate_zones-*.json`",
            unit: "minutes",
            note: "the default zones",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`heart_rate-*.json`, `heart_rate_*.csv`",
            unit: "beats per minute",
            note: "means of half hours",
        },
        Gives {
            what: "VO2_MAX",
            from: "`demographic_vo2_max-*.json` (`filteredDemographicVO2Max`), `daily_vo2_max.csv`",
            unit: "mL/kg/min",
            note: "an estimate",
        },
        Gives {
            what: "activities",
            from: "`exercise-*.json`, `UserExercises_*.csv`",
            unit: "ms, kcal, km or miles, mm",
            note: "the energy of a workout includes that of rest",
        },
        Gives {
            what: "BODY_FAT_PERCENTAGE, weight and zone of the profile",
            from: "`weight-*.json`, `weight.csv`, `Profile.csv`",
            unit: "lb (kg if the profile says metric), g",
            note: "the latest weight, for a new person",
        },
        Gives {
            what: "steps, energy, active minutes, sleep, body fat",
            from: "the table of the website (sections `Body`, `Activities`, `Sleep`)",
            unit: "as named by the columns",
            note: "local days and times; food, distance and floors are left out",
        },
    ],
    recognises: |sample| kind_of(sample).map_or(Confidence::No, |found| found.1),
    read: Reading::Together(read),
};

/// What a file of an export holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    RestingHeartRate,
    Minutes(MetricType),
    ActiveMinutes(MetricType),
    Zones,
    HeartRate,
    Vo2Max,
    Sleep,
    Exercise,
    Weight,
    Profile,
    Daily(&'static DailyTable),
    Stress,
    SleepScore,
    UserSleeps,
    UserSleepStages,
    UserExercises,
    Amounts(MetricType),
    HeartRates,
    WeightTable,
    Site,
}

/// Beginnings of the names of JSON files whose rows are a time and a value.
const TIMED: [(&str, Kind); 9] = [
    ("resting_heart_rate", Kind::RestingHeartRate),
    ("steps", Kind::Minutes(MetricType::Steps)),
    ("calories", Kind::Minutes(MetricType::TotalCalories)),
    (
        "lightly_active_minutes",
        Kind::ActiveMinutes(MetricType::LightActivityMinutes),
    ),
    (
        "moderately_active_minutes",
        Kind::ActiveMinutes(MetricType::ModerateActivityMinutes),
    ),
    (
        "very_active_minutes",
        Kind::ActiveMinutes(MetricType::VigorousActivityMinutes),
    ),
    (
        "sedentary_minutes",
        Kind::ActiveMinutes(MetricType::SedentaryMinutes),
    ),
    ("time_in_heart_rate_zones", Kind::Zones),
    ("heart_rate", Kind::HeartRate),
];

/// What a file holds, by its columns or keys; by its name only where several files have the same ones.
fn kind_of(sample: &Sample<'_>) -> Option<(Kind, Confidence)> {
    match &sample.content {
        Content::Json(keys) => {
            let certain = |kind| Some((kind, Confidence::Certain));
            if keys.has_all(&["logId", "dateOfSleep", "minutesAsleep"]) {
                return certain(Kind::Sleep);
            }
            if keys.has_all(&["logId", "activityName", "startTime"]) {
                return certain(Kind::Exercise);
            }
            if keys.has_all(&["logId", "weight", "bmi", "date", "time"]) {
                return certain(Kind::Weight);
            }
            if !keys.has_all(&["dateTime", "value"]) {
                return None;
            }
            if keys.has("valuesInZones") {
                return certain(Kind::Zones);
            }
            if keys.has("filteredDemographicVO2Max") || keys.has("demographicVO2Max") {
                return certain(Kind::Vo2Max);
            }
            if keys.has_all(&["bpm", "confidence"]) {
                return certain(Kind::HeartRate);
            }
            if keys.has_all(&["date", "error"]) {
                return certain(Kind::RestingHeartRate);
            }
            let name = sample.file_name().to_ascii_lowercase();
            let named = |(start, _): &&(&str, Kind)| {
                let rest = name.strip_prefix(start);
                rest.is_some_and(|rest| rest.starts_with(['-', '_', '.']))
            };
            TIMED
                .iter()
                .find(named)
                .and_then(|(_, kind)| certain(*kind))
        }
        Content::Table(columns) => table_kind(columns, sample.file_name()),
        Content::Xml(_) | Content::Sqlite(_) | Content::Fit => None,
    }
}

fn table_kind(columns: &Columns<'_>, name: &str) -> Option<(Kind, Confidence)> {
    let certain = |kind| Some((kind, Confidence::Certain));
    if let Some(table) = daily::daily(columns, name) {
        return certain(Kind::Daily(table));
    }
    let known: [(&[&str], Kind); 10] = [
        (
            &["DATE", "STRESS_SCORE", "CALCULATION_FAILED"],
            Kind::Stress,
        ),
        (&["sleep_log_entry_id", "overall_score"], Kind::SleepScore),
        (
            &["sleep_id", "overall_score", "score_time"],
            Kind::SleepScore,
        ),
        (
            &[
                "sleep_id",
                "sleep_stage_type",
                "sleep_stage_start",
                "sleep_stage_end",
            ],
            Kind::UserSleepStages,
        ),
        (
            &["sleep_id", "sleep_start", "sleep_end", "minutes_asleep"],
            Kind::UserSleeps,
        ),
        (
            &["exercise_start", "exercise_end", "activity_name"],
            Kind::UserExercises,
        ),
        (
            &["timestamp", "steps", "data source"],
            Kind::Amounts(MetricType::Steps),
        ),
        (
            &["timestamp", "calories", "data source"],
            Kind::Amounts(MetricType::TotalCalories),
        ),
        (
            &["timestamp", "beats per minute", "data source"],
            Kind::HeartRates,
        ),
        (
            &["timestamp", "weight grams", "data source"],
            Kind::WeightTable,
        ),
    ];
    let fits = |(needs, _): &&(&[&str], Kind)| columns.has_all(needs);
    if let Some((_, kind)) = known.iter().find(fits) {
        return certain(*kind);
    }
    if columns.has_all(&["timezone", "member_since", "stride_length_walking"]) {
        return certain(Kind::Profile);
    }
    site::confidence(columns).map(|sure| (Kind::Site, sure))
}

/// Everything that is collected from the files of an export.
struct Export<'f> {
    profile: Profile,
    local: LocalDays,
    days: Days<'f>,
    nights: Nights<'f>,
    /// Workouts by id, those of the tables first; with their places.
    workouts: BTreeMap<(bool, String), (Place<'f>, Activity)>,
    /// Heart rates by source, with the first of their places.
    heart_rates: BTreeMap<String, (Place<'f>, HeartRates)>,
    copies: u64,
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let mut kinds = Vec::new();
    for file in files {
        importer.attempt(|_| {
            let asked = look(file, &|sample| kind_of(sample).map(|found| found.0))?;
            if let Ok(kind) = asked {
                kinds.push((file.as_path(), kind));
            }
            Ok(())
        })?;
    }
    leave_out_older(importer, &mut kinds);
    let Some((first, _)) = kinds.first() else {
        return Ok(());
    };
    let mut body = Body::default();
    for (file, kind) in &kinds {
        importer.attempt(|importer| {
            if *kind == Kind::Profile {
                body.read_profile(importer, file)
            } else if *kind == Kind::Weight {
                body.read_weights(importer, file)
            } else if *kind == Kind::WeightTable {
                body.read_weight_table(importer, file)
            } else {
                Ok(())
            }
        })?;
    }
    let user = importer.owner_like(first, |profile| body.describe(profile))?;
    let mut export = Export {
        profile: importer.profile_of(&user),
        local: LocalDays::of(importer.profile_of(&user)),
        days: Days::until(importer.options.now),
        nights: Nights::default(),
        workouts: BTreeMap::new(),
        heart_rates: BTreeMap::new(),
        copies: 0,
    };
    body.finish(importer, &user)?;
    for (file, kind) in &kinds {
        importer.attempt(|importer| export.read(importer, file, *kind))?;
    }
    export.finish(importer, &user)
}

/// Of two tables of minutes with the same name, from two exports, only the longer one is read: their rows
/// would be added up.
fn leave_out_older(importer: &mut Importer<'_>, kinds: &mut Vec<(&Path, Kind)>) {
    let size = |file: &Path| std::fs::metadata(file).map_or(0, |data| data.len());
    let mut longest: HashMap<&str, &Path> = HashMap::new();
    let is_added_up = |kind: &Kind| matches!(kind, Kind::Amounts(_));
    for (file, _) in kinds.iter().filter(|(_, kind)| is_added_up(kind)) {
        let best = longest.entry(file_name(file)).or_insert(file);
        if size(file) > size(best) {
            *best = file;
        }
    }
    kinds.retain(|(file, kind)| {
        let kept = !is_added_up(kind) || longest.get(file_name(file)) == Some(file);
        if !kept {
            importer.skip(SkipReason::Repeated);
        }
        kept
    });
}

impl<'f> Export<'f> {
    fn read(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        kind: Kind,
    ) -> Result<(), ImportError> {
        match kind {
            Kind::Profile | Kind::Weight | Kind::WeightTable => Ok(()),
            Kind::RestingHeartRate => self.read_resting(importer, file),
            Kind::Minutes(metric) => self.read_minutes(importer, file, metric),
            Kind::ActiveMinutes(metric) => self.read_active_minutes(importer, file, metric),
            Kind::Zones => self.read_zones(importer, file),
            Kind::HeartRate => self.read_heart_rate(importer, file),
            Kind::Vo2Max => self.read_vo2_max(importer, file),
            Kind::Sleep => self.read_sleep(importer, file),
            Kind::Exercise => self.read_exercise(importer, file),
            Kind::Daily(table) => self.read_daily(importer, file, table),
            Kind::Stress => self.read_stress(importer, file),
            Kind::SleepScore => self.read_sleep_score(importer, file),
            Kind::UserSleeps => self.read_user_sleeps(importer, file),
            Kind::UserSleepStages => self.read_user_sleep_stages(importer, file),
            Kind::UserExercises => self.read_user_exercises(importer, file),
            Kind::Amounts(metric) => self.read_amounts(importer, file, metric),
            Kind::HeartRates => self.read_heart_rates(importer, file),
            Kind::Site => self.read_site(importer, file),
        }
    }

    fn heart_rate(&mut self, source: &str, place: Place<'f>, at: DateTime<Utc>, rate: f64) {
        let known = match self.heart_rates.get_mut(source) {
            Some(known) => known,
            None => self
                .heart_rates
                .entry(source.to_owned())
                .or_insert_with(|| (place, HeartRates::default())),
        };
        known.1.add(at, rate);
    }

    fn finish(mut self, importer: &mut Importer<'_>, user: &UserId) -> Result<(), ImportError> {
        if self.copies > 0 {
            importer.note(format!(
                "Fitbit: {} rows were left out that it had copied from Apple Health or Health Connect; \
                 import those exports instead",
                self.copies
            ));
        }
        // Heart rates of the tables count where both are.
        let rates = std::mem::take(&mut self.heart_rates).into_iter();
        let by_source: Vec<_> = rates
            .map(|(source, (place, rates))| (source, place, rates.days(&self.profile)))
            .collect();
        let in_tables: BTreeSet<NaiveDate> = by_source
            .iter()
            .filter(|(source, ..)| source != SOURCE)
            .flat_map(|(.., days)| days.keys().copied())
            .collect();
        for (source, place, days) in by_source {
            for (day, (mean, lowest)) in days {
                self.days.worn(day);
                if source == SOURCE && in_tables.contains(&day) {
                    importer.skip(SkipReason::Repeated);
                    continue;
                }
                for (metric, value) in [
                    (MetricType::AverageHeartRate, Some(mean)),
                    (MetricType::LowestHeartRate, lowest),
                ] {
                    if let Some(value) = value {
                        let reading =
                            crate::readings::Reading::of_day(metric, value, Unit::PerMinute, day);
                        importer.reading(user, &source, place, reading)?;
                    }
                }
            }
        }
        self.days.finish(importer, user, &self.profile)?;
        self.nights.finish(importer, user)?;
        // A workout that a table has too comes in the JSON files under another id.
        let mut begun: BTreeSet<i64> = BTreeSet::new();
        for ((is_old, _), (place, workout)) in self.workouts {
            let at = workout.provenance.observed_at.timestamp();
            if !is_old {
                begun.insert(at);
            } else if begun.range(at - 59..at + 60).next().is_some() {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            importer.checked(user, place, Record::Activity(workout))?;
        }
        Ok(())
    }

    /// A value of a day or night; what is 0, less, or no number was not measured.
    #[expect(clippy::too_many_arguments, reason = "each is a part of one value")]
    fn value(
        &mut self,
        importer: &mut Importer<'_>,
        place: Place<'f>,
        rank: u8,
        day: NaiveDate,
        metric: MetricType,
        value: Option<f64>,
        (unit, when): (Unit, When),
    ) {
        match value {
            Some(value) if value > 0.0 => {
                let value = days::Value::new(place, rank, value, unit, when);
                self.days.value(SOURCE, day, metric, value);
            }
            Some(_) | None => importer.skip(SkipReason::Missing),
        }
    }
}

/// A time as Fitbit writes it.
fn stamp(text: &str) -> Option<Stamp> {
    if let Some(stamp) = american(text.as_bytes()) {
        return Some(stamp);
    }
    let (date, clock) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = date.splitn(3, '/');
    if let (Some(month), Some(day), Some(year)) = (parts.next(), parts.next(), parts.next())
        && year.len() == 2
    {
        let separator = if clock.is_empty() { "" } else { "T" };
        return iso(&format!("20{year}-{month:0>2}-{day:0>2}{separator}{clock}"));
    }
    read_time(text, DateOrder::MonthFirst).ok()
}

/// The fast way for the millions of `01/31/24 07:00:00`.
fn american(text: &[u8]) -> Option<Stamp> {
    let &[
        o1,
        o2,
        b'/',
        d1,
        d2,
        b'/',
        y1,
        y2,
        b' ',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
    ] = text
    else {
        return None;
    };
    let year = 2_000 + two_digits(y1, y2)? as i32;
    let day = NaiveDate::from_ymd_opt(year, two_digits(o1, o2)?, two_digits(d1, d2)?)?;
    let (hour, minute) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
    Some(Stamp::Wall(day.and_hms_opt(
        hour,
        minute,
        two_digits(s1, s2)?,
    )?))
}

/// The local day that a time in a daily file names: midnight with a `Z` is a label, not an instant.
fn labelled_day(stamp: Stamp, profile: &Profile) -> NaiveDate {
    match stamp {
        Stamp::Day(day) => day,
        Stamp::Wall(wall) => wall.date(),
        Stamp::Instant(at, Some(offset)) => {
            (at + chrono::TimeDelta::seconds(i64::from(offset))).date_naive()
        }
        Stamp::Instant(at, None) if at.time() == NaiveTime::MIN => at.date_naive(),
        Stamp::Instant(at, None) => profile.day_of(at),
    }
}

/// An instant; a time without a mark is in UTC.
fn instant(stamp: Stamp) -> Option<DateTime<Utc>> {
    match stamp {
        Stamp::Instant(at, _) => Some(at),
        Stamp::Wall(wall) => Some(wall.and_utc()),
        Stamp::Day(_) => None,
    }
}

/// The instant of a text.
fn utc(text: &str) -> Option<DateTime<Utc>> {
    stamp(text).and_then(instant)
}

fn bad_time(name: &str) -> Fault {
    (RejectReason::BadTime, format!("{name} is not a time"))
}
