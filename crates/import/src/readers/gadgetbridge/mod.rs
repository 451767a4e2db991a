//! Gadgetbridge: the database that the app exports, with tables for each family of watches and bands.
//!
//! All times are in UTC: `…_ACTIVITY_SAMPLE.TIMESTAMP` in seconds since 1970, the other tables in
//! milliseconds. −1 was not measured; of a pulse, neither were 0 and 255. Half of Huawei's rows are empty
//! twins (those whose `OTHER_TIMESTAMP` is not a minute later), and its pulses below −1 are bytes that
//! overflowed. Codes of sleep stages differ from family to family.
//!
//! Samples become sums and means of local days, stages become nights; each device is a source. Not read:
//! Huawei's energy (no kcal) and HRV (of an unknown kind), Xiaomi's energy, and the depth of sleep of
//! Amazfit, which is not coded in its rows.

mod families;

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{minutes_of, no_time};
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Read};
use crate::readings::{Night, Place, Reading, shortened};
use crate::report::SkipReason;
use crate::sample::{Confidence, Content, Sample};
use crate::sleep::{Interval, Stage, nights};
use crate::sqlite::Database;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use families::{Family, SAMPLES, STAGES, workout};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{
    Activity, MetricType, Moment, Profile, Provenance, ReadingKind, Record, Told, Unit, UserId,
};

const SOURCE: &str = "gadgetbridge";
/// Longest stage that ends with the next one, hours; after a longer gap a night is over.
const LONGEST_STAGE: i64 = 3;

/// The database of Gadgetbridge.
pub(crate) static READER: FormatReader = FormatReader {
    word: "gadgetbridge",
    title: "Gadgetbridge",
    export: "Gadgetbridge, \"Data management\", \"Export data\" or automatic export: a SQLite database.",
    gives: &[
        Gives {
            what: "STEPS",
            from: "`…_ACTIVITY_SAMPLE.STEPS`, `XIAOMI_DAILY_SUMMARY_SAMPLE.STEPS`",
            unit: "count",
            note: "added up by local day and device (`gadgetbridge/<device>`)",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`…_ACTIVITY_SAMPLE.HEART_RATE`",
            unit: "beats per minute",
            note: "means of half hours; the lowest is no resting heart rate",
        },
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`HUAMI_HEART_RATE_RESTING_SAMPLE`, `GARMIN_HEART_RATE_RESTING_SAMPLE`, \
                   `XIAOMI_DAILY_SUMMARY_SAMPLE.HR_RESTING`, `HUAWEI_ACTIVITY_SAMPLE.RESTING_HEART_RATE`",
            unit: "beats per minute",
            note: "the last one of a day",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD",
            from: "`GARMIN_HRV_SUMMARY_SAMPLE.LAST_NIGHT_AVERAGE`",
            unit: "ms",
            note: "of the night",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION, TIME_IN_BED, \
                   BEDTIME, WAKE_TIME",
            from: "`…_SLEEP_STAGE_SAMPLE`, `XIAOMI_SLEEP_TIME_SAMPLE`, `RAW_KIND` of Mi Band and Amazfit",
            unit: "codes by the minute, minutes",
            note: "the depth of sleep is not known of Amazfit and of Mi Band 2 and 3",
        },
        Gives {
            what: "RESPIRATORY_RATE, OXYGEN_SATURATION",
            from: "`HUAMI_SLEEP_RESPIRATORY_RATE_SAMPLE.RATE`, `XIAOMI_DAILY_SUMMARY_SAMPLE.SPO2_AVG`",
            unit: "per minute, per cent",
            note: "means of days",
        },
        Gives {
            what: "activities",
            from: "`BASE_ACTIVITY_SUMMARY`",
            unit: "milliseconds since 1970",
            note: "type and times",
        },
    ],
    recognises: |sample| Confidence::certain_if(is_known(sample)),
    read: Read::Each(read),
};

fn is_known(sample: &Sample<'_>) -> bool {
    let Content::Sqlite(tables) = &sample.content else {
        return false;
    };
    let is_samples = |table: &String| table.to_ascii_uppercase().ends_with("_ACTIVITY_SAMPLE");
    sample.has_sqlite_table("DEVICE") && tables.iter().any(is_samples)
}

/// Values of a day or night: table, column, metric, unit, and whether it is of the night.
const VALUES: [(&str, &str, MetricType, Unit, bool); 3] = [
    (
        "HUAMI_HEART_RATE_RESTING_SAMPLE",
        "HEART_RATE",
        M::RestingHeartRate,
        Unit::PerMinute,
        false,
    ),
    (
        "GARMIN_HEART_RATE_RESTING_SAMPLE",
        "HEART_RATE",
        M::RestingHeartRate,
        Unit::PerMinute,
        false,
    ),
    (
        "GARMIN_HRV_SUMMARY_SAMPLE",
        "LAST_NIGHT_AVERAGE",
        M::HeartRateVariabilityRmssd,
        Unit::Milliseconds,
        true,
    ),
];

/// The beginning of a stage, or of a time without one.
type Point<'p> = (DateTime<Utc>, Option<Stage>, Place<'p>);

/// A value of a day, with its place, and whether it is of the night.
type Value<'p> = (f64, Unit, bool, Place<'p>);

struct Export<'p> {
    database: Database<'p>,
    profile: Profile,
    devices: HashMap<i64, String>,
    values: BTreeMap<(i64, NaiveDate, MetricType), Value<'p>>,
    steps: BTreeMap<(i64, NaiveDate), (f64, Place<'p>)>,
    /// Days of which a summary has the steps.
    summed: BTreeSet<(i64, NaiveDate)>,
    heart_rates: BTreeMap<i64, (Place<'p>, HeartRates)>,
    stages: BTreeMap<i64, (Place<'p>, Vec<Interval>)>,
    end: Option<DateTime<Utc>>,
    /// Devices whose nights are known with their minutes.
    with_nights: BTreeSet<i64>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let database = Database::open(path)?;
    let user = importer.owner(path)?;
    let mut devices: HashMap<i64, String> = HashMap::new();
    let columns = ["_id", "NAME", "MODEL", "MANUFACTURER"];
    database.each(importer, "DEVICE", &columns, "_id", |_, _, row| {
        let name = row.text(1).or_else(|| row.text(2)).or_else(|| row.text(3));
        if let Some(id) = row.whole(0) {
            let name = name.unwrap_or_else(|| "device".to_owned());
            let mut source = shortened(&format!("{SOURCE}/{name}"));
            // A band that was paired again is a device of its own under the same name.
            if devices.values().any(|known| *known == source) {
                source = shortened(&format!("{SOURCE}/{id} {name}"));
            }
            devices.insert(id, source);
        }
        Ok(())
    })?;
    let mut export = Export {
        database,
        profile: importer.profile_of(&user),
        devices,
        values: BTreeMap::new(),
        steps: BTreeMap::new(),
        summed: BTreeSet::new(),
        heart_rates: BTreeMap::new(),
        stages: BTreeMap::new(),
        end: None,
        with_nights: BTreeSet::new(),
    };
    for (table, family) in SAMPLES {
        export.read_samples(importer, table, family)?;
    }
    for (table, column, metric, unit, is_of_night) in VALUES {
        export.read_values(importer, (table, column), metric, unit, is_of_night)?;
    }
    export.read_summaries(importer)?;
    export.read_breathing(importer)?;
    export.read_xiaomi_nights(importer, &user)?;
    for (table, family) in STAGES {
        export.read_stages(importer, table, family)?;
    }
    export.read_workouts(importer, &user)?;
    export.finish(importer, &user)?;
    importer.progress(path, u64::MAX)
}

impl<'p> Export<'p> {
    fn source(&self, device: i64) -> &str {
        self.devices.get(&device).map_or(SOURCE, String::as_str)
    }

    fn read_samples(
        &mut self,
        importer: &mut Importer<'_>,
        table: &str,
        family: Family,
    ) -> Result<(), ImportError> {
        let columns = [
            "TIMESTAMP",
            "DEVICE_ID",
            "STEPS",
            "HEART_RATE",
            "RAW_KIND",
            "OTHER_TIMESTAMP",
            "RESTING_HEART_RATE",
        ];
        let Self {
            database,
            profile,
            values,
            steps,
            heart_rates,
            stages,
            end,
            ..
        } = self;
        database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let Some(at) = row.seconds(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                let device = row.whole(1).unwrap_or(0);
                let minute_later = at + TimeDelta::minutes(1);
                // The other rows of Huawei are empty twins.
                if family == Family::Huawei
                    && row.seconds(5).is_some_and(|other| other != minute_later)
                {
                    importer.skip(SkipReason::Repeated);
                    return Ok(());
                }
                // A time in the future is damage, and no end of the export.
                if at <= importer.options.now {
                    *end = (*end).max(Some(minute_later));
                }
                let day = profile.day_of(at);
                if let Some(count) = row.number(2).filter(|count| *count > 0.0) {
                    steps.entry((device, day)).or_insert((0.0, place)).0 += count;
                }
                if let Some(rate) = row.number(3) {
                    // Bytes of Huawei that overflowed.
                    let is_overflown = family == Family::Huawei && rate < -1.0;
                    let rate = if is_overflown { rate + 256.0 } else { rate };
                    if rate > 0.0 && rate < 255.0 {
                        let rates = heart_rates.entry(device);
                        let rates = rates.or_insert_with(|| (place, HeartRates::default()));
                        rates.1.add(at, rate);
                    }
                }
                if let Some(rate) = row.number(6).filter(|rate| *rate > 0.0) {
                    let value = (rate, Unit::PerMinute, false, place);
                    values.insert((device, day, M::RestingHeartRate), value);
                }
                if let Some(stage) = family.stage_of_kind(row.whole(4)) {
                    let stages = stages.entry(device).or_insert_with(|| (place, Vec::new()));
                    stages.1.push(Interval {
                        start: at,
                        end: minute_later,
                        stage,
                        offset_seconds: None,
                    });
                }
                Ok(())
            },
        )
    }

    fn read_values(
        &mut self,
        importer: &mut Importer<'_>,
        (table, column): (&str, &str),
        metric: MetricType,
        unit: Unit,
        is_of_night: bool,
    ) -> Result<(), ImportError> {
        let columns = ["TIMESTAMP", "DEVICE_ID", column];
        let Self {
            database,
            profile,
            values,
            ..
        } = self;
        database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let Some(at) = row.millis(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                match row.number(2).filter(|value| *value > 0.0) {
                    Some(value) => {
                        let key = (row.whole(1).unwrap_or(0), profile.day_of(at), metric);
                        values.insert(key, (value, unit, is_of_night, place));
                    }
                    None => importer.skip(SkipReason::Missing),
                }
                Ok(())
            },
        )
    }

    /// Xiaomi's days, with the zone of the person in quarter hours.
    fn read_summaries(&mut self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let columns = [
            "TIMESTAMP",
            "DEVICE_ID",
            "TIMEZONE",
            "STEPS",
            "HR_RESTING",
            "SPO2_AVG",
        ];
        let table = "XIAOMI_DAILY_SUMMARY_SAMPLE";
        let Self {
            database,
            profile,
            values,
            steps,
            summed,
            ..
        } = self;
        database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let Some(at) = row.millis(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                let quarters = row.whole(2).filter(|quarters| quarters.abs() <= 72);
                let day = match quarters {
                    Some(quarters) => (at + TimeDelta::minutes(15 * quarters)).date_naive(),
                    None => profile.day_of(at),
                };
                let device = row.whole(1).unwrap_or(0);
                if let Some(count) = row.number(3).filter(|count| *count > 0.0) {
                    steps.insert((device, day), (count, place));
                    summed.insert((device, day));
                }
                for (column, metric, unit) in [
                    (4, M::RestingHeartRate, Unit::PerMinute),
                    (5, M::OxygenSaturation, Unit::Percent),
                ] {
                    match row.number(column).filter(|value| *value > 0.0) {
                        Some(value) => {
                            values.insert((device, day, metric), (value, unit, false, place));
                        }
                        None => importer.skip(SkipReason::Missing),
                    }
                }
                Ok(())
            },
        )
    }

    fn read_breathing(&mut self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let columns = ["TIMESTAMP", "DEVICE_ID", "RATE"];
        let table = "HUAMI_SLEEP_RESPIRATORY_RATE_SAMPLE";
        let mut sums: BTreeMap<(i64, NaiveDate), (f64, u32, Place<'p>)> = BTreeMap::new();
        let (database, profile) = (&self.database, &self.profile);
        database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let Some(at) = row.millis(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                match row.number(2).filter(|rate| *rate > 0.0 && *rate < 255.0) {
                    Some(rate) => {
                        // An evening belongs to the night before the next morning.
                        let day = profile.day_of(at + TimeDelta::hours(6));
                        let key = (row.whole(1).unwrap_or(0), day);
                        let sum = sums.entry(key).or_insert((0.0, 0, place));
                        sum.0 += rate;
                        sum.1 += 1;
                    }
                    None => importer.skip(SkipReason::Missing),
                }
                Ok(())
            },
        )?;
        for ((device, day), (sum, count, place)) in sums {
            let value = (sum / f64::from(count), Unit::PerMinute, true, place);
            self.values.insert((device, day, M::RespiratoryRate), value);
        }
        Ok(())
    }

    /// Xiaomi's nights with their minutes; stages of a device that has them are left out.
    fn read_xiaomi_nights(
        &mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<(), ImportError> {
        let columns = [
            "TIMESTAMP",
            "DEVICE_ID",
            "WAKEUP_TIME",
            "TOTAL_DURATION",
            "DEEP_SLEEP_DURATION",
            "LIGHT_SLEEP_DURATION",
            "REM_SLEEP_DURATION",
            "AWAKE_DURATION",
        ];
        let table = "XIAOMI_SLEEP_TIME_SAMPLE";
        let mut with_nights = BTreeSet::new();
        self.database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let Some((start, end)) = row.millis(0).zip(row.millis(2)) else {
                    return importer.reject(place.reject(no_time()));
                };
                let minutes = |column| row.number(column).filter(|minutes| *minutes >= 0.0);
                let parts = [minutes(4), minutes(5), minutes(6)];
                let staged: f64 = parts.iter().flatten().sum();
                let has_stages = staged > 0.0;
                let asleep = if has_stages { Some(staged) } else { minutes(3) };
                if asleep.is_none_or(|asleep| asleep <= 0.0) {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                }
                let device = row.whole(1).unwrap_or(0);
                with_nights.insert(device);
                let (from, to) = (Moment::instant(start), Moment::instant(end));
                let night = Night {
                    asleep,
                    deep: parts[0].filter(|_| has_stages),
                    rem: parts[2].filter(|_| has_stages),
                    awake: minutes(7),
                    in_bed: Some(minutes_of(end - start)).filter(|minutes| *minutes > 0.0),
                    ..Night::new(from.id(), from, Some(to))
                };
                importer.night(user, self.source(device), place, &night)
            },
        )?;
        self.with_nights = with_nights;
        Ok(())
    }

    fn read_stages(
        &mut self,
        importer: &mut Importer<'_>,
        table: &str,
        family: Family,
    ) -> Result<(), ImportError> {
        let columns = ["TIMESTAMP", "DEVICE_ID", "STAGE"];
        let mut points: BTreeMap<i64, Vec<Point<'p>>> = BTreeMap::new();
        self.database.each(
            importer,
            table,
            &columns,
            "TIMESTAMP",
            |importer, place, row| {
                let (Some(at), Some(code)) = (row.millis(0), row.whole(2)) else {
                    return importer.reject(place.reject(no_time()));
                };
                let stage = family.stage_of_code(code);
                if stage.is_none() {
                    importer.skip(SkipReason::Missing);
                }
                let device = row.whole(1).unwrap_or(0);
                points.entry(device).or_default().push((at, stage, place));
                Ok(())
            },
        )?;
        for (device, points) in points {
            if self.with_nights.contains(&device) {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let Some((_, _, place)) = points.first().copied() else {
                continue;
            };
            let next = points
                .iter()
                .skip(1)
                .map(|point| Some(point.0))
                .chain([None]);
            let stages = points
                .iter()
                .zip(next)
                .filter_map(|((start, stage, _), next)| {
                    // A stage lasts until the next one; the last of a night is a minute long.
                    let near =
                        |next: &DateTime<Utc>| *next - *start <= TimeDelta::hours(LONGEST_STAGE);
                    let end = next.filter(near).unwrap_or(*start + TimeDelta::minutes(1));
                    Some(Interval {
                        start: *start,
                        end,
                        stage: (*stage)?,
                        offset_seconds: None,
                    })
                });
            let known = self.stages.entry(device).or_insert((place, Vec::new()));
            known.1.extend(stages);
        }
        Ok(())
    }

    fn read_workouts(&self, importer: &mut Importer<'_>, user: &UserId) -> Result<(), ImportError> {
        let columns = [
            "START_TIME",
            "END_TIME",
            "DEVICE_ID",
            "ACTIVITY_KIND",
            "NAME",
        ];
        let table = "BASE_ACTIVITY_SUMMARY";
        self.database.each(
            importer,
            table,
            &columns,
            "START_TIME",
            |importer, place, row| {
                let Some(start) = row.millis(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                let end = row.millis(1).filter(|end| *end > start);
                let told = Told {
                    until: end.map(Moment::instant),
                    ..Told::at(Moment::instant(start))
                };
                let source = self.source(row.whole(2).unwrap_or(0));
                let activity = Activity {
                    provenance: Provenance::told(source, Moment::instant(start).id(), told),
                    activity_type: workout(row),
                    intensity: None,
                    duration_minutes: end.map(|end| minutes_of(end - start)),
                    energy_kcal: None,
                    average_heart_rate: None,
                    max_heart_rate: None,
                    distance_m: None,
                    steps: None,
                };
                importer.checked(user, place, Record::Activity(activity))
            },
        )
    }

    fn finish(mut self, importer: &mut Importer<'_>, user: &UserId) -> Result<(), ImportError> {
        for ((device, day, metric), (value, unit, is_of_night, place)) in &self.values {
            let reading = if *is_of_night {
                let name = metric.as_str().to_ascii_lowercase();
                Reading::of_morning(*metric, *value, *unit, *day).id(format!("{name}-{day}"))
            } else {
                Reading::of_day(*metric, *value, *unit, *day)
            };
            importer.reading(user, self.source(*device), *place, reading)?;
        }
        let now = importer.options.now;
        let today = self
            .profile
            .day_of(self.end.map_or(now, |end| end.min(now)));
        for ((device, day), (count, place)) in &self.steps {
            let kind = if *day < today || self.summed.contains(&(*device, *day)) {
                ReadingKind::DayTotal
            } else {
                ReadingKind::RunningTotal
            };
            let reading = Reading::of_day(M::Steps, *count, Unit::Count, *day).kind(kind);
            importer.reading(user, self.source(*device), *place, reading)?;
        }
        for (device, (place, rates)) in std::mem::take(&mut self.heart_rates) {
            rates.finish(importer, user, self.source(device), place)?;
        }
        for (device, (place, stages)) in std::mem::take(&mut self.stages) {
            for night in nights(stages) {
                importer.night(user, self.source(device), place, &night)?;
            }
        }
        Ok(())
    }
}
