//! Meals and activities that several sources recorded: each counts once.

use chrono::TimeDelta;
use vitalcast_domain::{Activity, Meal, MetricType, Profile, Record, SUM_OF_DAY, Span};

/// The meals and activities of a day without those that another source recorded too, in the same order.
///
/// A diary's sum of the day does not count beside its foods.
/// Two meals are the same when time and nutrients are equal; two activities when they overlap by at
/// least half of the shorter one. Of several, the one of the preferred source counts (the order of
/// [`MetricType::ExerciseMinutes`]), else the longer one, else the first.
pub(crate) fn counted_once<'a>(events: &[&'a Record], profile: &Profile) -> Vec<&'a Record> {
    let first = events.first().map(|record| &record.provenance().source);
    if events
        .iter()
        .all(|record| Some(&record.provenance().source) == first)
    {
        return events.to_vec();
    }
    let mut kept: Vec<&Record> = Vec::with_capacity(events.len());
    for event in events
        .iter()
        .filter(|event| !is_sum_of_others(event, events))
    {
        let source = &event.provenance().source;
        let twin = kept
            .iter()
            .enumerate()
            .filter(|(_, other)| other.provenance().source != *source)
            .filter_map(|(place, other)| Some((place, likeness(other, event)?)))
            .max_by(|(first, left), (second, right)| {
                left.total_cmp(right).then_with(|| second.cmp(first))
            })
            .map(|(place, _)| place);
        match twin {
            None => kept.push(event),
            Some(place) if is_better(event, kept[place], profile) => kept[place] = event,
            Some(_) => {}
        }
    }
    kept
}

/// Whether a record is a diary's sum of the day, and the foods of the same diary are there too.
fn is_sum_of_others(event: &Record, events: &[&Record]) -> bool {
    let (Record::Meal(meal), Some(diary)) =
        (event, event.provenance().source.strip_suffix(SUM_OF_DAY))
    else {
        return false;
    };
    let is_part = |other: &&Record| {
        matches!(other, Record::Meal(other) if other.provenance.source == diary
            && other.provenance.day == meal.provenance.day)
    };
    events.iter().any(is_part)
}

/// How much two records look like the same event, above 0 to 1; `None` when they are two.
fn likeness(left: &Record, right: &Record) -> Option<f64> {
    match (left, right) {
        (Record::Meal(left), Record::Meal(right)) => is_same_meal(left, right).then_some(1.0),
        (Record::Activity(left), Record::Activity(right)) => likeness_of_activities(left, right),
        (
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_),
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_),
        ) => None,
    }
}

fn is_same_meal(left: &Meal, right: &Meal) -> bool {
    let nutrients = |meal: &Meal| {
        [
            meal.energy_kcal,
            meal.protein_g,
            meal.carbs_g,
            meal.fat_g,
            meal.fiber_g,
        ]
    };
    left.provenance.observed_at == right.provenance.observed_at
        && left.time_known() == right.time_known()
        && nutrients(left) == nutrients(right)
}

/// Start and end, if the length is known.
fn span(activity: &Activity) -> Option<Span> {
    activity.provenance.span.or_else(|| {
        let length = TimeDelta::seconds((activity.duration_minutes? * 60.0).round() as i64);
        let start = activity.provenance.observed_at;
        Some(Span {
            start,
            end: start.checked_add_signed(length)?,
        })
    })
}

/// The share of the time of both in which they overlap.
fn likeness_of_activities(left: &Activity, right: &Activity) -> Option<f64> {
    let has_same_start = left.provenance.observed_at == right.provenance.observed_at
        && left.activity_type == right.activity_type;
    if let (Some(one), Some(other)) = (span(left), span(right))
        && left.provenance.told.at.has_time()
        && right.provenance.told.at.has_time()
    {
        let overlap = one.end.min(other.end) - one.start.max(other.start);
        let shorter = (one.end - one.start).min(other.end - other.start);
        if overlap > TimeDelta::zero() && overlap * 2 >= shorter {
            let both = one.end.max(other.end) - one.start.min(other.start);
            return Some(overlap.as_seconds_f64() / both.as_seconds_f64());
        }
    }
    has_same_start.then_some(1.0)
}

fn is_better(new: &Record, held: &Record, profile: &Profile) -> bool {
    let order = profile.preferred_sources.get(&MetricType::ExerciseMinutes);
    let rank = |record: &Record| {
        order
            .and_then(|order| {
                let source = &record.provenance().source;
                order.iter().position(|name| name == source)
            })
            .unwrap_or(usize::MAX)
    };
    let length = |record: &Record| match record {
        Record::Activity(activity) => activity.duration_minutes.unwrap_or(0.0),
        Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => 0.0,
    };
    match rank(new).cmp(&rank(held)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => length(new) > length(held),
    }
}
