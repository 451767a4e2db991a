//! Movement: the day's totals of the sources that count, and workouts made longer, left out or added.

use super::change::{Changed, Day, SOURCE};
use super::error::ScenarioError;
use super::lever::Lever;
use super::reading::{again, set_reading};
use chrono::{NaiveDate, NaiveTime, TimeDelta, Timelike};
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::{
    Activity, ActivityType, Intensity, MetricType, Moment, Provenance, Record, Told,
};
use vitalcast_features::{SportClass, sport_class};

/// Hour and minutes of a workout of somebody without any.
const EVENING: f64 = 18.0;
const HALF_AN_HOUR: f64 = 30.0;
/// Longest workout, minutes.
const LONGEST: f64 = 1_440.0;

/// Changes the movement of a day. `seen` collects the metric types that were set.
pub(super) fn change_movement(
    day: &Day,
    set: &BTreeMap<Lever, f64>,
    seen: &mut BTreeSet<(MetricType, NaiveDate)>,
    changed: &mut Changed,
) -> Result<(), ScenarioError> {
    let of = |lever: Lever| set.get(&lever).copied();
    let mut gym = Gym::of(day);
    if let Some(count) = of(Lever::Workouts) {
        gym.set_count(count);
    }
    if let Some(minutes) = of(Lever::HardMinutes) {
        gym.set_minutes(minutes, Kind::Hard, Lever::HardMinutes)?;
    }
    for (lever, class) in [
        (Lever::CardioMinutes, SportClass::Cardio),
        (Lever::StrengthMinutes, SportClass::Strength),
        (Lever::FlexibilityMinutes, SportClass::Flexibility),
    ] {
        let Some(week) = of(lever) else { continue };
        let held = day.value(lever).unwrap_or(0.0);
        let today: f64 = gym.minutes(Kind::Of(class));
        let minutes = today + week - held;
        if minutes < -1e-9 {
            return Err(ScenarioError::Impossible {
                feature: lever.name(),
                why: "the six days before already hold more",
            });
        }
        gym.set_minutes(minutes.max(0.0), Kind::Of(class), lever)?;
    }
    for (lever, totals) in [
        (Lever::Steps, &[MetricType::Steps][..]),
        (Lever::ActiveMinutes, &[MetricType::ExerciseMinutes]),
        (
            Lever::EnergyBurned,
            &[MetricType::ActiveCalories, MetricType::TotalCalories],
        ),
    ] {
        let Some(value) = of(lever) else { continue };
        // The same choice as the feature's: the first that has anything in the month.
        let from = totals
            .iter()
            .find(|metric| day.sources.contains_key(metric));
        match from {
            Some(&metric) => {
                if !seen.insert((metric, day.date)) {
                    return Err(ScenarioError::Twice(lever.name()));
                }
                set_reading(day, metric, day.date, value, changed);
            }
            None if gym.has_month(lever) => gym.scale(lever, value)?,
            None => {
                seen.insert((totals[0], day.date));
                set_reading(day, totals[0], day.date, value, changed);
            }
        }
    }
    gym.finish(changed);
    Ok(())
}

/// A kind of workout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Hard,
    Of(SportClass),
}

impl Kind {
    fn holds(self, activity: &Activity) -> bool {
        match self {
            Self::Any => true,
            Self::Hard => match activity.intensity {
                Some(Intensity::High | Intensity::Maximum) => true,
                Some(Intensity::Low | Intensity::Moderate) | None => false,
            },
            Self::Of(class) => sport_class(activity.activity_type) == Some(class),
        }
    }

    /// What somebody does who never did it.
    fn sport(self) -> ActivityType {
        match self {
            Self::Any | Self::Hard | Self::Of(SportClass::Cardio) => ActivityType::Running,
            Self::Of(SportClass::Strength) => ActivityType::WeightTraining,
            Self::Of(SportClass::Flexibility) => ActivityType::Yoga,
        }
    }
}

/// A workout on its way through the changes.
struct Workout {
    /// As it was recorded; `None` for one that is added.
    old: Option<Activity>,
    activity: Activity,
    is_out: bool,
}

struct Gym<'a> {
    day: &'a Day,
    workouts: Vec<Workout>,
    added: usize,
}

impl<'a> Gym<'a> {
    fn of(day: &'a Day) -> Self {
        let activities = day.records.iter().filter_map(|record| match record {
            Record::Activity(activity) => Some(activity.clone()),
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        });
        Self {
            day,
            workouts: activities
                .map(|activity| Workout {
                    old: Some(activity.clone()),
                    activity,
                    is_out: false,
                })
                .collect(),
            added: 0,
        }
    }

    fn left(&mut self) -> impl DoubleEndedIterator<Item = &mut Workout> {
        self.workouts.iter_mut().filter(|workout| !workout.is_out)
    }

    /// The month's activities.
    fn month(&self) -> impl Iterator<Item = &'a Activity> {
        self.day.month.iter().filter_map(|record| match record {
            Record::Activity(activity) => Some(activity),
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        })
    }

    fn has_month(&self, lever: Lever) -> bool {
        self.month()
            .any(|activity| amount(lever, activity).is_some())
    }

    /// Minutes of a kind today.
    fn minutes(&mut self, kind: Kind) -> f64 {
        self.left()
            .filter(|workout| kind.holds(&workout.activity))
            .filter_map(|workout| workout.activity.duration_minutes)
            .sum()
    }

    fn set_count(&mut self, count: f64) {
        let wanted = count.round() as usize;
        let held = self.day.value(Lever::Workouts).unwrap_or(0.0).round() as usize;
        for _ in held..wanted {
            self.add(Kind::Any, None);
        }
        let mut too_many = held.saturating_sub(wanted);
        for workout in self.left().rev() {
            if too_many == 0 {
                break;
            }
            workout.is_out = true;
            too_many -= 1;
        }
    }

    fn set_minutes(&mut self, minutes: f64, kind: Kind, lever: Lever) -> Result<(), ScenarioError> {
        let held = self.minutes(kind);
        if minutes == 0.0 {
            for workout in self.left().filter(|workout| kind.holds(&workout.activity)) {
                workout.is_out = true;
            }
        } else if held > 0.0 {
            let factor = minutes / held;
            for workout in self.left().filter(|workout| kind.holds(&workout.activity)) {
                lengthen(&mut workout.activity, factor);
                if workout.activity.duration_minutes > Some(LONGEST) {
                    return Err(ScenarioError::OutOfRange {
                        feature: lever.name(),
                        low: 0.0,
                        high: LONGEST,
                        unit: "min",
                    });
                }
            }
        } else if minutes <= LONGEST {
            self.add(kind, Some(minutes));
        } else {
            return Err(ScenarioError::OutOfRange {
                feature: lever.name(),
                low: 0.0,
                high: LONGEST,
                unit: "min",
            });
        }
        Ok(())
    }

    /// Multiplies what the day's workouts hold of something.
    fn scale(&mut self, lever: Lever, value: f64) -> Result<(), ScenarioError> {
        let held: f64 = self
            .left()
            .filter_map(|workout| amount(lever, &workout.activity))
            .sum();
        if held <= 0.0 {
            return Err(ScenarioError::Impossible {
                feature: lever.name(),
                why: "it comes from workouts, and no workout of the day has it: add a workout",
            });
        }
        let factor = value / held;
        for workout in self.left() {
            let activity = &mut workout.activity;
            if lever == Lever::Steps {
                activity.steps = activity.steps.map(|own| own * factor);
            } else if lever == Lever::EnergyBurned {
                activity.energy_kcal = activity.energy_kcal.map(|own| own * factor);
            } else {
                lengthen(activity, factor);
            }
        }
        Ok(())
    }

    /// Adds a workout as the person usually does it.
    fn add(&mut self, kind: Kind, minutes: Option<f64>) {
        self.added += 1;
        let of_kind: Vec<&Activity> = self.month().filter(|one| kind.holds(one)).collect();
        let sport = most(of_kind.iter().map(|one| one.activity_type)).unwrap_or(kind.sport());
        let of_sport: Vec<&&Activity> = of_kind
            .iter()
            .filter(|one| one.activity_type == sport)
            .collect();
        let intensity = match kind {
            Kind::Hard => Some(Intensity::High),
            Kind::Any | Kind::Of(_) => most(of_sport.iter().filter_map(|one| one.intensity)),
        };
        let with_time = of_sport
            .iter()
            .filter(|one| one.provenance.told.at.has_time());
        let hour = median(with_time.map(|one| {
            let time = one.provenance.local_time().time();
            f64::from(time.num_seconds_from_midnight()) / 3_600.0
        }));
        let usual = median(of_sport.iter().filter_map(|one| one.duration_minutes));
        let minutes = minutes.or(usual).unwrap_or(HALF_AN_HOUR);
        let source = most(self.month().map(|one| one.provenance.source.as_str()));
        // It is over when the day is.
        let latest = (24.0 - minutes / 60.0).max(0.0);
        let hour = hour.unwrap_or(EVENING).min(latest);
        let seconds = (hour * 3_600.0).clamp(0.0, 86_399.0) as u32;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default();
        // Where a day begins later than at midnight, its hours are those from then on.
        let begin = self.day.profile.day_begins_hour;
        let time = if time.hour() < begin {
            NaiveTime::from_hms_opt(begin, 0, 0).unwrap_or_default()
        } else {
            time
        };
        let told = Told::at(Moment::Clock(self.day.date.and_time(time)));
        let id = format!("{SOURCE}-workout-{}", self.added);
        let activity = Activity {
            provenance: Provenance::told(source.unwrap_or(SOURCE), id, told),
            activity_type: sport,
            intensity,
            duration_minutes: Some(minutes),
            energy_kcal: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance_m: None,
            steps: None,
        };
        if let Record::Activity(activity) = Record::Activity(activity).placed(&self.day.profile) {
            self.workouts.push(Workout {
                old: None,
                activity,
                is_out: false,
            });
        }
    }

    fn finish(self, changed: &mut Changed) {
        let profile = &self.day.profile;
        for workout in self.workouts {
            match workout.old {
                Some(old) if workout.is_out => changed.leave_out(&Record::Activity(old)),
                Some(old) if old != workout.activity => {
                    let old = Record::Activity(old);
                    let mut new = workout.activity;
                    new.provenance = again(&new.provenance);
                    changed.replace(&old, Record::Activity(new).placed(profile));
                }
                None if !workout.is_out => changed.added.push(Record::Activity(workout.activity)),
                Some(_) | None => {}
            }
        }
    }
}

/// What a workout holds of a total.
fn amount(lever: Lever, activity: &Activity) -> Option<f64> {
    if lever == Lever::Steps {
        activity.steps
    } else if lever == Lever::EnergyBurned {
        activity.energy_kcal
    } else {
        activity.duration_minutes
    }
}

/// A workout that is so many times as long, with all that grows with it.
fn lengthen(activity: &mut Activity, factor: f64) {
    for amount in [
        &mut activity.duration_minutes,
        &mut activity.energy_kcal,
        &mut activity.distance_m,
        &mut activity.steps,
    ] {
        *amount = amount.map(|amount| amount * factor);
    }
    let told = &mut activity.provenance.told;
    let times = |length: TimeDelta| {
        TimeDelta::milliseconds((length.num_milliseconds() as f64 * factor).round() as i64)
    };
    told.until = match (told.at, told.until) {
        (
            Moment::Instant { at, .. },
            Some(Moment::Instant {
                at: end,
                offset_seconds,
            }),
        ) => Some(Moment::Instant {
            at: at + times(end - at),
            offset_seconds,
        }),
        (Moment::Clock(at), Some(Moment::Clock(end))) => Some(Moment::Clock(at + times(end - at))),
        (Moment::Instant { .. } | Moment::Clock(_) | Moment::Date(_), until) => until,
    };
}

/// The most frequent value; of equals the first.
fn most<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(value, _)| value)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
