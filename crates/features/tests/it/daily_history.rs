//! Days in place of records: the same values, and no others.

use crate::people::{day, delayed, instant, person, reading};
use crate::properties::{DAYS, bits, first, someone};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use vitalcast_domain::{AsOf, History, MetricType, Record, RecordKind};
use vitalcast_features::{
    DailyHistory, FeaturesError, KnownDays, LaterValue, PersonData, known_table,
};

const LOOKBACK: usize = 12;

fn at(place: u64) -> NaiveDate {
    first().checked_add_days(Days::new(place)).unwrap()
}

/// Every value with the evenings from which it holds, bit for bit.
fn all_bits(person: PersonData<'_>, from: NaiveDate, to: NaiveDate, as_of: AsOf) -> Vec<Vec<u64>> {
    let none = u64::MAX;
    let plain = |values: &[Option<f64>]| -> Vec<u64> {
        bits(values)
            .into_iter()
            .map(|value| value.unwrap_or(none))
            .collect()
    };
    let of_later = |later: &LaterValue| {
        let value = later.value.map_or(none, f64::to_bits);
        vec![later.day as u64, later.from as u64, value]
    };
    let days = KnownDays::new(person, from, to, as_of).unwrap();
    let mut all = Vec::new();
    for metric in MetricType::ALL {
        if let Some(values) = days.of(*metric) {
            all.push(vec![*metric as u64]);
            all.push(plain(&values.first));
            all.extend(values.later.iter().map(of_later));
        }
        all.push(vec![
            person
                .main_source(*metric)
                .map_or(0, |name| name.len() as u64),
        ]);
    }
    for metric in [
        MetricType::HeartRateVariabilityRmssd,
        MetricType::SleepDuration,
    ] {
        let table = known_table(person, metric, from, to, LOOKBACK, as_of).unwrap();
        let rows = 0..table.evenings().days();
        all.extend(rows.map(|row| plain(table.evenings().row(row).unwrap())));
        for later in table.later() {
            all.push(vec![later.row as u64, later.from as u64]);
            all.push(plain(&later.values));
        }
        all.push(plain(&table.own_history().first));
        all.extend(table.own_history().later.iter().map(of_later));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn days_say_what_their_records_say_at_the_moment_and_on_every_evening_before(
        history in someone(), ends in (0..DAYS, 0..DAYS), hours in 0..DAYS * 24, begins in 0..24_u32,
    ) {
        let mut history = history;
        history.profile.day_begins_hour = begins;
        let begin = history.profile.start_of_day(first());
        let now = begin + TimeDelta::hours(hours as i64) + TimeDelta::minutes(17);
        let days = DailyHistory::new(&history, now).unwrap();
        prop_assert!(days.holds_at(now));
        let (records, days) = (PersonData::from(&history), PersonData::from(&days));
        let (from, to) = (at(ends.0.min(ends.1)), at(ends.0.max(ends.1)));
        prop_assert_eq!(all_bits(records, from, to, now), all_bits(days, from, to, now));
        prop_assert_eq!(records.span(), days.span());
        prop_assert_eq!(records.next_known(now), days.next_known(now));
        let evening = history.profile.evening_of(to);
        if evening <= now {
            prop_assert_eq!(all_bits(records, from, to, evening), all_bits(days, from, to, evening));
        }
        for as_of in [now, evening] {
            prop_assert_eq!(records.last_known_day(to, as_of), days.last_known_day(to, as_of));
        }
    }
}

/// Kind and id of a record.
fn id(record: &Record) -> (RecordKind, String) {
    (record.kind(), record.provenance().source_id.clone())
}

/// All versions of the records that have one on some days.
fn of_days(history: &History, days: RangeInclusive<NaiveDate>) -> History {
    let is_on = |record: &&Record| days.contains(&record.provenance().day);
    let ids: HashSet<_> = history.records.iter().filter(is_on).map(id).collect();
    let mut some = history.clone();
    some.records.retain(|record| ids.contains(&id(record)));
    some
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn days_after_a_change_are_those_of_all_changed_records(
        history in someone(), other in someone(), place in 2..DAYS - 1, hours in 0..DAYS * 24,
        left_out in 0..4_usize, is_past in any::<bool>(),
    ) {
        let begin = history.profile.start_of_day(first());
        let now = begin + TimeDelta::hours(hours as i64) + TimeDelta::minutes(17);
        let (day, days) = (at(place), at(place - 1)..=at(place + 1));
        // The records of one day are others: some are left out, and those of somebody else are added.
        let mut changed = history.clone();
        let others = history.records.iter().filter(|record| record.provenance().day != day);
        let stay: HashSet<_> = others.map(id).collect();
        changed.records.retain(|record| {
            let of_id = id(record).1.parse::<usize>().unwrap();
            stay.contains(&id(record)) || of_id % 4 != left_out
        });
        let added = other.records.into_iter().filter_map(|mut record| {
            record.provenance_mut().source_id += "-new";
            (record.provenance().day == day).then_some(record)
        });
        changed.records.extend(added);
        let evening = history.profile.evening_of(day);
        let as_of = if is_past && evening <= now { evening } else { now };
        let of_all = DailyHistory::new(&changed, now).unwrap();
        let around = at(place - 2)..=at(place + 2);
        let (old, new) = (of_days(&history, around.clone()), of_days(&changed, around));
        let made = DailyHistory::new(&history, now).unwrap();
        let made = made.with_changed_days(&old, &new, days, as_of).unwrap();
        let to = history.profile.day_of(as_of).pred_opt().unwrap().clamp(first(), at(DAYS - 1));
        let (of_all, made) = (PersonData::from(&of_all), PersonData::from(&made));
        prop_assert_eq!(all_bits(made, first(), to, as_of), all_bits(of_all, first(), to, as_of));
        prop_assert_eq!(made.span(), of_all.span());
        prop_assert_eq!(made.last_known_day(to, as_of), of_all.last_known_day(to, as_of));
    }
}

#[test]
fn days_that_are_added_are_read_like_others() {
    let of = |id, on, metric, value| reading("UTC", id, on, metric, value);
    let (rhr, steps) = (MetricType::RestingHeartRate, MetricType::Steps);
    let records = vec![
        of("a", "2025-10-01", rhr, 60.0),
        of("b", "2025-10-01", steps, 4_000.0),
        of("c", "2025-10-02", rhr, 61.0),
        of("d", "2025-10-03", rhr, 70.0),
    ];
    let now = instant("2025-10-05T08:00:00Z");
    let all = DailyHistory::new(&person("UTC", records), now).unwrap();
    let evening = instant("2025-10-03T00:00:00Z");
    let mut days = all.until(day("2025-10-02"), evening).unwrap();
    let mut cells = all.cells_of_day(day("2025-10-01")).unwrap();
    assert_eq!(
        (cells.value(rhr), cells.value(steps)),
        (Some(60.0), Some(4_000.0))
    );
    cells.set(rhr, Some(64.5));
    days.push_day(day("2025-10-03"), &cells);
    cells.set(steps, None);
    days.push_day(day("2025-10-04"), &cells);
    let known = KnownDays::new(
        &days,
        day("2025-10-01"),
        day("2025-10-04"),
        instant("2025-10-05T00:00:00Z"),
    );
    let known = known.unwrap();
    let of = |metric| known.of(metric).unwrap().first;
    assert_eq!(of(rhr), [Some(60.0), Some(61.0), Some(64.5), Some(64.5)]);
    assert_eq!(of(steps), [Some(4_000.0), None, Some(4_000.0), None]);
    assert!(all.cells_of_day(day("2025-10-04")).is_none());
}

fn of_two_days() -> (DailyHistory, DateTime<Utc>) {
    let of = |id, on| reading("UTC", id, on, MetricType::RestingHeartRate, 60.0);
    let records = vec![
        of("a", "2025-10-01"),
        delayed(of("b", "2025-10-02"), TimeDelta::hours(40)),
    ];
    let now = instant("2025-10-03T08:00:00Z");
    (
        DailyHistory::new(&person("UTC", records), now).unwrap(),
        now,
    )
}

#[test]
fn days_hold_until_the_next_record_becomes_known() {
    let (days, now) = of_two_days();
    let next = instant("2025-10-04T15:59:59Z");
    assert_eq!(PersonData::from(&days).next_known(now), Some(next));
    assert!(days.holds_at(now) && days.holds_at(next - TimeDelta::seconds(1)));
    assert!(!days.holds_at(next));
    // The first record was not known yet.
    assert!(!days.holds_at(instant("2025-10-01T12:00:00Z")));
}

#[test]
fn days_answer_for_no_moment_that_they_do_not_hold_for() {
    let (days, _) = of_two_days();
    let of = |to: &str, as_of: &str| {
        KnownDays::new(&days, day("2025-09-01"), day(to), instant(as_of)).map(|_| ())
    };
    of("2025-10-02", "2025-10-03T00:00:00Z").unwrap();
    // Later than what they were made of; in the middle of a day that is over; days after the evening.
    for (to, as_of) in [
        ("2025-10-02", "2025-10-05T00:00:00Z"),
        ("2025-09-30", "2025-10-01T12:00:00Z"),
        ("2025-10-01", "2025-10-01T00:00:00Z"),
    ] {
        let refused = of(to, as_of).unwrap_err();
        assert!(
            matches!(refused, FeaturesError::OtherMoment(_)),
            "{to} {as_of}"
        );
    }
}

#[test]
fn nobody_has_no_days() {
    let now = instant("2025-10-03T08:00:00Z");
    let days = DailyHistory::new(&person("UTC", Vec::new()), now).unwrap();
    assert_eq!(PersonData::from(&days).span(), None);
    assert!(days.holds_at(now));
    let known = KnownDays::new(&days, first(), at(3), now).unwrap();
    assert!(known.of(MetricType::Steps).is_none());
}

#[test]
fn records_of_longer_than_a_life_are_refused() {
    let of = |id, on| reading("UTC", id, on, MetricType::RestingHeartRate, 60.0);
    let far = person("UTC", vec![of("a", "1900-01-01"), of("b", "2025-10-01")]);
    let refused = DailyHistory::new(&far, instant("2025-10-03T08:00:00Z")).unwrap_err();
    assert!(matches!(refused, FeaturesError::TooManyDays { .. }));
}
