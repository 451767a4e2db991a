//! A change of a day, made on its records.

use super::error::ScenarioError;
use super::food::change_food;
use super::lever::{Lever, ShownBy};
use super::movement::change_movement;
use super::reading::set_reading;
use chrono::{Days, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::{AsOf, History, MetricType, Profile, Record, RecordKind};
use vitalcast_features::{
    DayView, FeatureId, FeatureTable, FeaturesError, LOOK_BACK_DAYS, day_view, hindsight_table,
};

/// Days before the changed one whose records are looked at: for what is usual, and for features.
pub const DAYS_LOOKED_AT: u64 = LOOK_BACK_DAYS as u64 + 1;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A total or a reading of the day gets another value.
    Set(Lever, f64),
    /// A record is added to the day: a meal, a workout, a reading.
    Add(Box<Record>),
}

/// The identity of a record, with all of its versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Kind of the record.
    pub kind: RecordKind,
    /// Metric type of a reading.
    pub metric: Option<MetricType>,
    /// Its source.
    pub source: String,
    /// Its id within the source.
    pub source_id: String,
}

impl RecordKey {
    /// The identity of a record.
    pub fn of(record: &Record) -> Self {
        let provenance = record.provenance();
        Self {
            kind: record.kind(),
            metric: metric_of(record),
            source: provenance.source.clone(),
            source_id: provenance.source_id.clone(),
        }
    }
}

fn metric_of(record: &Record) -> Option<MetricType> {
    match record {
        Record::HealthMetric(reading) => Some(reading.metric),
        Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => None,
    }
}

/// What a change does to a person's records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changed {
    /// Records that are left out, with all their versions.
    pub left_out: BTreeSet<RecordKey>,
    /// Records that are added.
    pub added: Vec<Record>,
}

impl Changed {
    /// The history after the change.
    #[must_use]
    pub fn apply(&self, history: &History) -> History {
        let mut after = History::new(history.user.clone(), history.profile.clone());
        after
            .records
            .reserve(history.records.len() + self.added.len());
        let kept = history.records.iter().filter(|record| {
            self.left_out.is_empty() || !self.left_out.contains(&RecordKey::of(record))
        });
        after.records.extend(kept.cloned());
        after.extend(self.added.iter().cloned());
        after
    }

    /// Leaves a record out, and puts another in its place.
    pub(super) fn replace(&mut self, old: &Record, new: Record) {
        self.left_out.insert(RecordKey::of(old));
        self.added.push(new);
    }

    pub(super) fn leave_out(&mut self, record: &Record) {
        self.left_out.insert(RecordKey::of(record));
    }
}

/// End of the id of a record that stands in place of another.
const INSTEAD: &str = "#what-if";
/// Source of what has no other.
pub(super) const SOURCE: &str = "what-if";

/// The id of a record that stands in place of another.
pub(super) fn id_instead(id: &str) -> String {
    format!("{id}{INSTEAD}")
}

/// A day before a change, with the records that a change may touch. Made once, it serves many changes.
#[derive(Debug)]
pub struct Day {
    pub(super) date: NaiveDate,
    pub(super) as_of: AsOf,
    pub(super) profile: Profile,
    /// The current versions of the day's records, in the order of their times.
    pub(super) records: Vec<Record>,
    /// Those of the day before.
    records_before: Vec<Record>,
    /// Current versions of the month's meals and activities, the day's included.
    pub(super) month: Vec<Record>,
    /// Records of the two days before, of the day and of the day after, with all versions.
    around: History,
    row: FeatureTable,
    pub(super) view: DayView,
    pub(super) view_before: DayView,
    /// Sources of most readings of the month.
    pub(super) sources: BTreeMap<MetricType, String>,
}

impl Day {
    /// A day as it is known at `as_of`.
    ///
    /// `history` holds the person's records from [`DAYS_LOOKED_AT`] days before the day to the day after
    /// it, with all versions of each.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Features`] at the ends of the calendar.
    pub fn new(history: &History, day: NaiveDate, as_of: AsOf) -> Result<Self, ScenarioError> {
        let end_of_calendar = || ScenarioError::Features(FeaturesError::EndOfCalendar(day));
        let day_before = day.pred_opt().ok_or_else(end_of_calendar)?;
        let first = day
            .checked_sub_days(Days::new(2))
            .ok_or_else(end_of_calendar)?;
        let row = hindsight_table(history, day, day, as_of)?;
        let current = current(history, as_of);
        let (mut records, mut records_before) = (Vec::new(), Vec::new());
        let mut month: Vec<Record> = Vec::new();
        let mut counts: BTreeMap<(MetricType, &str), usize> = BTreeMap::new();
        for record in &current {
            if record.provenance().day == day {
                records.push((*record).clone());
            } else if record.provenance().day == day_before {
                records_before.push((*record).clone());
            }
            match record {
                Record::HealthMetric(reading) => {
                    let source = reading.provenance.source.as_str();
                    *counts.entry((reading.metric, source)).or_default() += 1;
                }
                Record::Meal(_) | Record::Activity(_) => month.push((*record).clone()),
                Record::Tag(_) => {}
            }
        }
        let mut most: BTreeMap<MetricType, (&str, usize)> = BTreeMap::new();
        for ((metric, source), count) in counts {
            let held = most.entry(metric).or_insert((source, count));
            if count > held.1 {
                *held = (source, count);
            }
        }
        let by_time = |record: &Record| record.provenance().observed_at;
        records.sort_by(|left: &Record, right: &Record| {
            by_time(left)
                .cmp(&by_time(right))
                .then_with(|| RecordKey::of(left).cmp(&RecordKey::of(right)))
        });
        let last = day.succ_opt().ok_or_else(end_of_calendar)?;
        Ok(Self {
            date: day,
            as_of,
            profile: history.profile.clone(),
            records,
            records_before,
            month,
            around: around(history, first, last),
            row,
            view: day_view(history, day, as_of)?,
            view_before: day_view(history, day_before, as_of)?,
            sources: most
                .into_iter()
                .map(|(metric, (source, _))| (metric, source.to_owned()))
                .collect(),
        })
    }

    /// The day.
    pub fn date(&self) -> NaiveDate {
        self.date
    }

    /// The day before.
    pub(super) fn day_before(&self) -> NaiveDate {
        self.date.pred_opt().unwrap_or(self.date)
    }

    /// The current versions of the records of the day or of the day before.
    pub(super) fn current_of(&self, on: NaiveDate) -> impl Iterator<Item = &Record> {
        let records = if on == self.date {
            &self.records
        } else {
            &self.records_before
        };
        records.iter()
    }

    /// Whether nothing is recorded on the day.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records around the day: those that a change may touch, and those of the days that it shows on.
    pub fn around(&self) -> &History {
        &self.around
    }

    /// Whether a record that a change may touch was on another day once: leaving it out changes that day
    /// too.
    pub fn has_moved(&self) -> bool {
        let days = self.changing_days();
        let touched = self.records.iter().chain(&self.records_before);
        let keys: BTreeSet<RecordKey> = touched.map(RecordKey::of).collect();
        let mut versions = self.around.records.iter();
        versions.any(|of| !days.contains(&of.provenance().day) && keys.contains(&RecordKey::of(of)))
    }

    /// The days on which a change may show, and the day after them.
    pub fn changing_days(&self) -> std::ops::RangeInclusive<NaiveDate> {
        self.day_before()..=self.date.succ_opt().unwrap_or(self.date)
    }

    /// A feature of the day.
    pub(super) fn feature(&self, feature: FeatureId) -> Option<f64> {
        self.row.value_at(0, feature)
    }

    /// What the day holds of something that can be set; `None` for nothing.
    pub fn value(&self, lever: Lever) -> Option<f64> {
        match lever.shown_by() {
            ShownBy::Metric(metric) => value_in(&self.view, metric),
            ShownBy::Feature(feature) => self.feature(feature),
        }
    }

    /// The records after some changes.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] for the first change that cannot be made.
    pub fn change(&self, changes: &[Change]) -> Result<Changed, ScenarioError> {
        let mut changed = Changed::default();
        let mut set: BTreeMap<Lever, f64> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Set(lever, value) => {
                    let (low, high) = lever.range();
                    if !(low..=high).contains(value) {
                        return Err(ScenarioError::OutOfRange {
                            feature: lever.name(),
                            low,
                            high,
                            unit: lever.unit(),
                        });
                    }
                    if set.insert(*lever, *value).is_some() {
                        return Err(ScenarioError::Twice(lever.name()));
                    }
                }
                Change::Add(record) => changed.added.push(self.added(record)?),
            }
        }
        change_food(self, &set, &mut changed)?;
        let mut seen: BTreeSet<(MetricType, NaiveDate)> = BTreeSet::new();
        change_movement(self, &set, &mut seen, &mut changed)?;
        for (&lever, &value) in &set {
            let Some((metric, day)) = self.reading_of(lever) else {
                continue;
            };
            if !seen.insert((metric, day)) {
                return Err(ScenarioError::Twice(lever.name()));
            }
            set_reading(self, metric, day, value, &mut changed);
        }
        Ok(changed)
    }

    /// The reading that a lever sets, if it sets one.
    fn reading_of(&self, lever: Lever) -> Option<(MetricType, NaiveDate)> {
        let has = |metric| value_in(&self.view, metric).is_some();
        match lever {
            Lever::Sleep => Some((MetricType::SleepDuration, self.date)),
            Lever::SleepQuality => {
                let by_efficiency =
                    !has(MetricType::SleepScore) && has(MetricType::SleepEfficiency);
                let metric = if by_efficiency {
                    MetricType::SleepEfficiency
                } else {
                    MetricType::SleepScore
                };
                Some((metric, self.date))
            }
            Lever::RestingHeartRateBefore => {
                Some((MetricType::RestingHeartRate, self.day_before()))
            }
            Lever::HrvBefore => Some((MetricType::HeartRateVariabilityRmssd, self.day_before())),
            Lever::RecoveryBefore => Some((MetricType::RecoveryScore, self.day_before())),
            Lever::Reading(metric) => Some((metric, self.date)),
            Lever::Energy
            | Lever::Protein
            | Lever::Carbs
            | Lever::Fat
            | Lever::Fiber
            | Lever::LastMeal
            | Lever::LateCarbs
            | Lever::LateEnergy
            | Lever::Steps
            | Lever::ActiveMinutes
            | Lever::EnergyBurned
            | Lever::Workouts
            | Lever::HardMinutes
            | Lever::CardioMinutes
            | Lever::StrengthMinutes
            | Lever::FlexibilityMinutes => None,
        }
    }

    /// A record that is added, placed on the day.
    fn added(&self, record: &Record) -> Result<Record, ScenarioError> {
        record.validate().map_err(ScenarioError::Record)?;
        let placed = record.clone().placed(&self.profile);
        let provenance = placed.provenance();
        if provenance.day != self.date || provenance.known_at > self.as_of {
            return Err(ScenarioError::Contradictory(
                "a record that is added must be of the day that changes, and over by its end",
            ));
        }
        Ok(placed)
    }
}

/// The counted value of a metric type on a day.
pub(super) fn value_in(view: &DayView, metric: MetricType) -> Option<f64> {
    let value = view.values.iter().find(|value| value.metric == metric)?;
    value.counted.as_ref().map(|counted| counted.value)
}

/// The version of each record that is current at a moment.
fn current(history: &History, as_of: AsOf) -> Vec<&Record> {
    let mut latest: BTreeMap<RecordKey, &Record> = BTreeMap::new();
    for record in &history.records {
        let known_at = record.provenance().known_at;
        if known_at > as_of {
            continue;
        }
        // Versions known at one moment count in the order they were written.
        let held = latest.entry(RecordKey::of(record)).or_insert(record);
        if held.provenance().known_at <= known_at {
            *held = record;
        }
    }
    latest.into_values().collect()
}

/// All versions of the records that have one on some days.
fn around(history: &History, first: NaiveDate, last: NaiveDate) -> History {
    let on_them = |record: &&Record| (first..=last).contains(&record.provenance().day);
    let keys: BTreeSet<RecordKey> = history
        .records
        .iter()
        .filter(on_them)
        .map(RecordKey::of)
        .collect();
    let mut around = History::new(history.user.clone(), history.profile.clone());
    let of_them = history
        .records
        .iter()
        .filter(|record| on_them(record) || keys.contains(&RecordKey::of(record)));
    around.records = of_them.cloned().collect();
    around
}
