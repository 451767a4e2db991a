//! Meals and activities that several sources recorded: each counts once.

use chrono::TimeDelta;
use vitalcast_domain::{Activity, Meal, MetricType, Profile, Record, Span};

/// The meals and activities of a day without those that another source recorded too, in the same order.
///
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
    for event in events {
        let twin = kept.iter().position(|other| {
            other.provenance().source != event.provenance().source && is_same(other, event)
        });
        match twin {
            None => kept.push(event),
            Some(place) if is_better(event, kept[place], profile) => kept[place] = event,
            Some(_) => {}
        }
    }
    kept
}

fn is_same(left: &Record, right: &Record) -> bool {
    match (left, right) {
        (Record::Meal(left), Record::Meal(right)) => is_same_meal(left, right),
        (Record::Activity(left), Record::Activity(right)) => is_same_activity(left, right),
        (
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_),
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_),
        ) => false,
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

fn is_same_activity(left: &Activity, right: &Activity) -> bool {
    let is_same_start = left.provenance.observed_at == right.provenance.observed_at;
    match (span(left), span(right)) {
        (Some(one), Some(other)) if left.provenance.told.at.has_time() => {
            let overlap = one.end.min(other.end) - one.start.max(other.start);
            let shorter = (one.end - one.start).min(other.end - other.start);
            (overlap > TimeDelta::zero() && overlap * 2 >= shorter)
                || (is_same_start && left.activity_type == right.activity_type)
        }
        _ => is_same_start && left.activity_type == right.activity_type,
    }
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
        Record::Meal(_) | Record::HealthMetric(_) => 0.0,
    };
    match rank(new).cmp(&rank(held)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => length(new) > length(held),
    }
}
