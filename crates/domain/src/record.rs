//! Records of meals, activities and measurements, each with the time when it happened and the time when
//! it became known.
//!
//! The identity of a record is (user, kind, source, source id). A record with the same identity and
//! other content is a *correction*: a new version that becomes known later. At any time, the current
//! version is the one with the latest `known_at` not after that time; older versions stay for replays.

use crate::bounds::{Bounds, NOTE_LENGTH, SOURCE_LENGTH, TAG_NAME_LENGTH};
use crate::day_rule::{DayRule, ReadingKind, SHORTEST_NIGHT_HOURS};
use crate::error::DomainError;
use crate::id::UserId;
use crate::metric::{MetricType, word_enum};
use crate::profile::Profile;
use crate::provenance::{Placing, Provenance, Span, Told};
use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

word_enum! {
    /// Meal of the day.
    MealType, "meal type" {
        /// First meal.
        Breakfast = "breakfast",
        /// Midday meal.
        Lunch = "lunch",
        /// Evening meal.
        Dinner = "dinner",
        /// Anything between meals.
        Snack = "snack",
    }
}

word_enum! {
    /// The 21 activity types of the contract.
    ActivityType, "activity type" {
        /// Running.
        Running = "RUNNING",
        /// Cycling.
        Cycling = "CYCLING",
        /// Swimming.
        Swimming = "SWIMMING",
        /// Walking.
        Walking = "WALKING",
        /// Hiking.
        Hiking = "HIKING",
        /// Rowing.
        Rowing = "ROWING",
        /// Elliptical trainer.
        Elliptical = "ELLIPTICAL",
        /// Weight training.
        WeightTraining = "WEIGHT_TRAINING",
        /// Exercises with one's own weight.
        Bodyweight = "BODYWEIGHT",
        /// Mixed high-intensity training.
        Crossfit = "CROSSFIT",
        /// Powerlifting.
        Powerlifting = "POWERLIFTING",
        /// Basketball.
        Basketball = "BASKETBALL",
        /// Football (soccer).
        Soccer = "SOCCER",
        /// Tennis.
        Tennis = "TENNIS",
        /// Golf.
        Golf = "GOLF",
        /// Yoga.
        Yoga = "YOGA",
        /// Pilates.
        Pilates = "PILATES",
        /// Stretching.
        Stretching = "STRETCHING",
        /// Martial arts.
        MartialArts = "MARTIAL_ARTS",
        /// Dance.
        Dance = "DANCE",
        /// Anything else.
        Other = "OTHER",
    }
}

word_enum! {
    /// Intensity of an activity.
    Intensity, "intensity" {
        /// Easy.
        Low = "LOW",
        /// Breathing faster.
        Moderate = "MODERATE",
        /// Hard.
        High = "HIGH",
        /// Maximum effort.
        Maximum = "MAXIMUM",
    }
}

word_enum! {
    /// The kind of a record.
    RecordKind, "record kind" {
        /// Food or drink.
        Meal = "meal",
        /// A workout or walk.
        Activity = "activity",
        /// One reading of one metric.
        HealthMetric = "health_metric",
        /// Something that a person noted of a day.
        Tag = "tag",
    }
}

/// Something eaten or drunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meal {
    /// Origin and times.
    pub provenance: Provenance,
    /// Name of the meal.
    pub name: Option<String>,
    /// Meal of the day.
    pub meal_type: Option<MealType>,
    /// Energy, kcal.
    pub energy_kcal: Option<f64>,
    /// Protein, g.
    pub protein_g: Option<f64>,
    /// Carbohydrate, g.
    pub carbs_g: Option<f64>,
    /// Fat, g.
    pub fat_g: Option<f64>,
    /// Fibre, g.
    pub fiber_g: Option<f64>,
    /// Sugar, g.
    pub sugar_g: Option<f64>,
}

impl Meal {
    /// Whether the time of day is known; if not, only the day counts.
    pub fn time_known(&self) -> bool {
        self.provenance.told.at.has_time()
    }
}

/// A workout, a walk or a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Origin and times; `observed_at` is the start.
    pub provenance: Provenance,
    /// Type of activity.
    pub activity_type: ActivityType,
    /// Intensity, if given.
    pub intensity: Option<Intensity>,
    /// Duration in minutes, if known. A list of workout names has no durations.
    pub duration_minutes: Option<f64>,
    /// Energy above rest, kcal.
    pub energy_kcal: Option<f64>,
    /// Mean heart rate, bpm.
    pub average_heart_rate: Option<f64>,
    /// Highest heart rate, bpm.
    pub max_heart_rate: Option<f64>,
    /// Distance, m.
    pub distance_m: Option<f64>,
    /// Steps.
    pub steps: Option<f64>,
}

/// One reading of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthMetric {
    /// Origin and times.
    pub provenance: Provenance,
    /// The metric.
    pub metric: MetricType,
    /// The value in [`MetricType::unit`].
    pub value: f64,
    /// What the source says it is a measurement of.
    #[serde(
        default,
        rename = "reading_kind",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<ReadingKind>,
}

impl HealthMetric {
    /// A reading in [`MetricType::unit`].
    pub fn new(provenance: Provenance, metric: MetricType, value: f64) -> Self {
        Self {
            provenance,
            metric,
            value,
            kind: None,
        }
    }

    /// What it is a measurement of: as its source says, else as its time and its metric suggest.
    pub fn kind(&self) -> ReadingKind {
        self.kind.unwrap_or_else(|| {
            let is_of_a_date = !self.provenance.told.at.has_time();
            match self.metric.day_rule() {
                DayRule::Night => ReadingKind::Session,
                DayRule::Amount(_) if is_of_a_date => ReadingKind::DayTotal,
                DayRule::Amount(_) if self.provenance.span.is_some() => ReadingKind::Sample,
                DayRule::Amount(of_a_moment) => of_a_moment,
                DayRule::Level | DayRule::Latest | DayRule::PartOfNight | DayRule::ScoreOfNight => {
                    if is_of_a_date {
                        ReadingKind::DayValue
                    } else {
                        ReadingKind::Sample
                    }
                }
            }
        })
    }

    /// Whether it is a short sleep: it counts only together with the rest of its night.
    pub fn is_partial(&self) -> bool {
        self.metric == MetricType::SleepDuration && self.value < SHORTEST_NIGHT_HOURS
    }

    /// When the person was asleep or in bed: the span that the source gave, else the time asleep before
    /// waking. `None` for other metrics and for a value of a day, whose times are not known.
    pub fn session(&self) -> Option<Span> {
        if self.metric != MetricType::SleepDuration {
            return None;
        }
        let provenance = &self.provenance;
        if self.kind() == ReadingKind::DayValue || !provenance.told.at.has_time() {
            return None;
        }
        provenance.span.or_else(|| {
            let asleep = TimeDelta::seconds((self.value * 3_600.0).round() as i64);
            let at = provenance.observed_at;
            Some(if self.is_dated_by_bedtime() {
                Span {
                    start: at,
                    end: at.checked_add_signed(asleep)?,
                }
            } else {
                Span {
                    start: at.checked_sub_signed(asleep)?,
                    end: at,
                }
            })
        })
    }

    /// Whether the time of a night is that of going to bed: it lies on the day before the day of waking
    /// that its source names.
    fn is_dated_by_bedtime(&self) -> bool {
        let provenance = &self.provenance;
        self.metric.is_of_the_night()
            && provenance.span.is_none()
            && provenance.told.at.has_time()
            && provenance.told.day == provenance.local_time().date().succ_opt()
            && provenance.told.day.is_some()
    }
}

/// Something that a person noted of a day: a drink, a late meal, an illness, an answer in a journal.
///
/// A journal that asks also keeps what did not happen. An app with labels keeps only what did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Origin and times. Without a time of day it is about the whole day.
    pub provenance: Provenance,
    /// The label or the question, as its source writes it.
    pub name: String,
    /// Whether it was so; `false` is an answer, too.
    pub applies: bool,
    /// What the person wrote beside it.
    pub note: Option<String>,
}

impl Tag {
    /// The lengths of name and note, in characters.
    fn check(&self) -> Result<(), DomainError> {
        let note = self.note.as_deref().map(|note| ("note", note, NOTE_LENGTH));
        for (what, text, length) in [("name of a tag", self.name.as_str(), TAG_NAME_LENGTH)]
            .into_iter()
            .chain(note)
        {
            let Bounds { low, high } = length;
            if !(low..=high).contains(&(text.chars().count() as i64)) {
                return Err(DomainError::OutOfRange {
                    what,
                    low: low as f64,
                    high: high as f64,
                    unit: "characters",
                });
            }
        }
        Ok(())
    }
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// Food or drink.
    Meal(Meal),
    /// A workout or walk.
    Activity(Activity),
    /// One reading.
    HealthMetric(HealthMetric),
    /// Something noted of a day.
    Tag(Tag),
}

/// End of the name of a source whose meals are sums of whole days, behind the name of the diary that also has
/// the foods: `cronometer/day`. Such a meal counts only on days without the foods.
pub const SUM_OF_DAY: &str = "/day";

impl Record {
    /// The provenance of the record.
    pub fn provenance(&self) -> &Provenance {
        match self {
            Self::Meal(meal) => &meal.provenance,
            Self::Activity(activity) => &activity.provenance,
            Self::HealthMetric(reading) => &reading.provenance,
            Self::Tag(tag) => &tag.provenance,
        }
    }

    /// The provenance of the record, mutable.
    pub fn provenance_mut(&mut self) -> &mut Provenance {
        match self {
            Self::Meal(meal) => &mut meal.provenance,
            Self::Activity(activity) => &mut activity.provenance,
            Self::HealthMetric(reading) => &mut reading.provenance,
            Self::Tag(tag) => &mut tag.provenance,
        }
    }

    /// The kind of the record.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Meal(_) => RecordKind::Meal,
            Self::Activity(_) => RecordKind::Activity,
            Self::HealthMetric(_) => RecordKind::HealthMetric,
            Self::Tag(_) => RecordKind::Tag,
        }
    }

    /// Places the record on the person's day: derives day and instants from what the source said and
    /// from the zones of the profile.
    pub fn place(&mut self, profile: &Profile) {
        let placing = match self {
            Self::Meal(_) | Self::Activity(_) | Self::Tag(_) => Placing::Event,
            Self::HealthMetric(reading) if reading.metric.is_of_the_night() => Placing::Night,
            Self::HealthMetric(_) => Placing::Reading,
        };
        self.provenance_mut().place(profile, placing);
        // A night that is dated by bedtime is known when it is over.
        if let Self::HealthMetric(reading) = self
            && let Some(Span { end, .. }) = reading.session()
            && reading.is_dated_by_bedtime()
        {
            let provenance = &mut reading.provenance;
            provenance.known_at = provenance.known_at.max(end);
        }
    }

    /// The same record, placed on the person's day.
    #[must_use]
    pub fn placed(mut self, profile: &Profile) -> Self {
        self.place(profile);
        self
    }

    /// Whether another record says the same: what follows from the person's profile does not count, and
    /// neither does when it became known.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let bare = |record: &Self| {
            let mut record = record.clone();
            let provenance = record.provenance_mut();
            let told = Told {
                day: None,
                known_at: None,
                updated_at: None,
                ..provenance.told
            };
            *provenance = Provenance::told(
                std::mem::take(&mut provenance.source),
                std::mem::take(&mut provenance.source_id),
                told,
            );
            record
        };
        let (one, two) = (self.provenance(), other.provenance());
        // A day that is said and follows from the time anyway says nothing new.
        (one.told.day == two.told.day || one.day == two.day) && bare(self) == bare(other)
    }

    /// Checks all numbers, names and times.
    ///
    /// # Errors
    ///
    /// [`DomainError`] for the first number that is not finite or not plausible, for a source that is
    /// empty or longer than 200 bytes, for a tag whose name is empty or too long, and for times that
    /// contradict each other: an end before its start, a session longer than a day and a half, or a day that
    /// is more than one day away from its time.
    pub fn validate(&self) -> Result<(), DomainError> {
        let provenance = self.provenance();
        for (what, text) in [
            ("source", &provenance.source),
            ("source_id", &provenance.source_id),
        ] {
            let Bounds { low, high } = SOURCE_LENGTH;
            if !(low..=high).contains(&(text.len() as i64)) {
                return Err(DomainError::OutOfRange {
                    what,
                    low: low as f64,
                    high: high as f64,
                    unit: "bytes",
                });
            }
        }
        provenance.told.validate()?;
        match self {
            Self::Meal(meal) => Meal::NUMBERS.iter().try_for_each(|field| field.check(meal)),
            Self::Activity(activity) => {
                let mut numbers = Activity::NUMBERS.iter();
                numbers.try_for_each(|field| field.check(activity))
            }
            Self::HealthMetric(reading) => reading.metric.check(reading.value),
            Self::Tag(tag) => tag.check(),
        }
    }
}

/// All data of one person: the input of features, training and forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Id of the person.
    pub user: UserId,
    /// Profile of the person.
    pub profile: Profile,
    /// All versions of all meals, activities and readings. Later versions of an identity come after
    /// earlier ones.
    pub records: Vec<Record>,
    /// All versions of all tags, in the same order. They stand apart because no feature and no forecast
    /// reads them: a day with nothing but a tag is a day without a record for these.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl History {
    /// A person without records.
    pub fn new(user: UserId, profile: Profile) -> Self {
        Self {
            user,
            profile,
            records: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Adds versions of records, each to its own list.
    pub fn extend(&mut self, versions: impl IntoIterator<Item = Record>) {
        for version in versions {
            match version {
                Record::Tag(tag) => self.tags.push(tag),
                Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) => {
                    self.records.push(version);
                }
            }
        }
    }

    /// All versions of all records, those of tags at the end.
    pub fn versions(&self) -> impl Iterator<Item = Cow<'_, Record>> {
        let tags = self.tags.iter().cloned().map(Record::Tag).map(Cow::Owned);
        self.records.iter().map(Cow::Borrowed).chain(tags)
    }

    /// Places all records on the person's days, after a change of the profile.
    pub fn place(&mut self) {
        for record in &mut self.records {
            record.place(&self.profile);
        }
        for tag in &mut self.tags {
            tag.provenance.place(&self.profile, Placing::Event);
        }
    }

    /// First and last local day with a meal, an activity or a reading.
    pub fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        let days = || self.records.iter().map(|record| record.provenance().day);
        Some((days().min()?, days().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Zone;
    use chrono::DateTime;

    #[test]
    fn the_contract_names_21_activity_types_and_4_intensities() {
        assert_eq!(ActivityType::ALL.len(), 21);
        assert_eq!(Intensity::ALL.len(), 4);
    }

    #[test]
    fn a_night_dated_by_bedtime_is_known_when_it_is_over() {
        let told = Told {
            day: Some("2026-05-11".parse().unwrap()),
            ..Told::at("2026-05-10T22:55:00+02:00".parse().unwrap())
        };
        let provenance = Provenance::told("watch", "x", told);
        let night = HealthMetric::new(provenance, MetricType::SleepDuration, 7.5);
        let placed = Record::HealthMetric(night).placed(&Profile::default());
        assert_eq!(placed.provenance().day.to_string(), "2026-05-11");
        let known = placed.provenance().known_at.to_rfc3339();
        assert_eq!(known, "2026-05-11T04:25:00+00:00");
    }

    #[test]
    fn a_daily_value_is_known_in_the_evening_of_its_own_day() {
        let zone: Zone = "Europe/London".parse().unwrap();
        let day = "2024-03-31".parse().unwrap();
        let provenance = Provenance::of_day("garmin", "x", day, zone);
        assert_eq!(zone.day_of(provenance.observed_at), day);
        assert_eq!(provenance.known_at, zone.evening_of(day));
        assert_eq!(provenance.local_time().to_string(), "2024-03-31 23:59:59");
    }

    #[test]
    fn a_record_round_trips_through_json() {
        let provenance = Provenance::at("a", "b", DateTime::UNIX_EPOCH, Zone::UTC);
        let record = Record::HealthMetric(HealthMetric {
            kind: Some(ReadingKind::Session),
            ..HealthMetric::new(provenance, MetricType::SleepDuration, 7.25)
        });
        let json = serde_json::to_string(&record).unwrap();
        assert!(json.contains("\"kind\":\"health_metric\""));
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn a_tag_needs_a_name_and_is_of_its_day() {
        let told = Told::at("2026-05-10".parse().unwrap());
        let mut tag = Tag {
            provenance: Provenance::told("journal", "x", told),
            name: "alcohol".to_owned(),
            applies: false,
            note: None,
        };
        let placed = Record::Tag(tag.clone()).placed(&Profile::default());
        assert_eq!(placed.validate(), Ok(()));
        assert_eq!(placed.provenance().day.to_string(), "2026-05-10");
        let known = placed.provenance().known_at.to_rfc3339();
        assert_eq!(known, "2026-05-11T00:00:00+00:00");
        tag.name.clear();
        assert!(Record::Tag(tag.clone()).validate().is_err());
        "alcohol".clone_into(&mut tag.name);
        tag.note = Some("x".repeat(4_001));
        assert!(Record::Tag(tag).validate().is_err());
    }

    #[test]
    fn a_meal_of_infinite_energy_is_refused() {
        let mut meal = Meal {
            provenance: Provenance::at("a", "b", DateTime::UNIX_EPOCH, Zone::UTC),
            name: None,
            meal_type: None,
            energy_kcal: Some(f64::INFINITY),
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
        };
        assert!(matches!(
            Record::Meal(meal.clone()).validate(),
            Err(DomainError::NotFinite { what: "calories" })
        ));
        meal.energy_kcal = Some(-1.0);
        assert!(matches!(
            Record::Meal(meal).validate(),
            Err(DomainError::OutOfRange { .. })
        ));
    }
}
