//! Rows as windows read them: each as known on the evening of the window's origin.

use crate::people::{day, delayed, known, much_later, person, reading};
use crate::properties::{DAYS, bits, first, record, someone};
use chrono::{Days, NaiveDate, TimeDelta};
use proptest::prelude::*;
use vitalcast_domain::{AsOf, History, MetricType, Record};
use vitalcast_features::{KnownTable, catalogue, hindsight_table, known_table};

const HRV: MetricType = MetricType::HeartRateVariabilityRmssd;
const LOOKBACK: usize = 12;

fn at(place: usize) -> NaiveDate {
    first().checked_add_days(Days::new(place as u64)).unwrap()
}

fn rows(history: &History, last: usize, as_of: AsOf) -> KnownTable {
    known_table(history, HRV, first(), at(last), LOOKBACK, as_of).unwrap()
}

/// A row as known on the evening of an origin.
fn row(table: &KnownTable, row: usize, origin: usize) -> Vec<Option<u64>> {
    let version = table
        .later()
        .iter()
        .rfind(|later| later.row == row && later.from <= origin);
    bits(version.map_or_else(|| table.evenings().row(row).unwrap(), |later| &later.values))
}

/// The metric's own day, likewise.
fn own(table: &KnownTable, row: usize, origin: usize) -> Option<u64> {
    let own = table.own_history();
    let (day, evening) = (row + own.days_before, origin + own.days_before);
    let version = own
        .later
        .iter()
        .rfind(|later| later.day == day && later.from <= evening);
    version
        .map_or(own.first[day], |later| later.value)
        .map(f64::to_bits)
}

fn hrv(history: &History, row: usize, as_of: AsOf) -> Option<u64> {
    let values = vitalcast_features::daily_values(history, HRV, at(row), at(row), as_of).unwrap();
    values[0].map(f64::to_bits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_window_reads_a_row_as_if_its_origin_were_now(
        history in someone(), row_at in 0..DAYS as usize, after in 0..=LOOKBACK,
    ) {
        let table = rows(&history, DAYS as usize - 1, much_later());
        let origin = (row_at + after).min(DAYS as usize - 1);
        let evening = history.profile.zone.evening_of(at(origin));
        let now = hindsight_table(&history, at(row_at), at(row_at), evening).unwrap();
        prop_assert_eq!(row(&table, row_at, origin), bits(now.row(0).unwrap()));
        prop_assert_eq!(own(&table, row_at, origin), hrv(&history, row_at, evening));
    }

    #[test]
    fn a_forecast_made_during_a_day_reads_what_became_known_since_midnight(
        history in someone(), row_at in 0..DAYS as usize, seconds in 0_i64..86_400,
    ) {
        let now = history.profile.zone.evening_of(at(row_at)) + TimeDelta::seconds(seconds);
        let table = rows(&history, row_at, now);
        let known = hindsight_table(&history, at(row_at), at(row_at), now).unwrap();
        prop_assert_eq!(row(&table, row_at, row_at + 1), bits(known.row(0).unwrap()));
        prop_assert_eq!(own(&table, row_at, row_at + 1), hrv(&history, row_at, now));
    }

    #[test]
    fn what_becomes_known_later_changes_nothing_that_an_earlier_origin_reads(
        history in someone(),
        later in prop::collection::vec(record("UTC"), 1..20),
        evening in 0..DAYS as usize,
    ) {
        let known_from =
            history.profile.zone.evening_of(at(evening)) + TimeDelta::milliseconds(1);
        let mut grown = history.clone();
        for mut record in later {
            let provenance = record.provenance_mut();
            provenance.known_at = provenance.known_at.max(known_from);
            grown.records.push(record);
        }
        let before = rows(&history, evening, much_later());
        let after = rows(&grown, DAYS as usize - 1, much_later());
        for origin in 0..=evening {
            for read in (origin + 1).saturating_sub(LOOKBACK)..=origin {
                prop_assert_eq!(row(&before, read, origin), row(&after, read, origin));
                prop_assert_eq!(own(&before, read, origin), own(&after, read, origin));
            }
        }
    }
}

/// Sixty days of one reading a day.
fn readings() -> Vec<Record> {
    (0..DAYS as usize)
        .map(|place| {
            let on = at(place).to_string();
            reading("UTC", &on, &on, HRV, 40.0 + (place % 7) as f64)
        })
        .collect()
}

#[test]
fn nothing_late_has_no_versions() {
    let table = rows(&person("UTC", readings()), DAYS as usize - 1, much_later());
    assert!(table.later().is_empty());
    assert!(table.own_history().later.is_empty());
}

#[test]
fn a_phone_that_syncs_at_breakfast_gives_each_row_one_more_version() {
    let late = readings()
        .into_iter()
        .map(|record| delayed(record, TimeDelta::hours(8)))
        .collect();
    let table = rows(&person("UTC", late), DAYS as usize - 1, much_later());
    // The rows' own day becomes known on the evening after; nothing changes from then on.
    let versions: Vec<(usize, usize)> = table
        .later()
        .iter()
        .map(|later| (later.row, later.from))
        .collect();
    let expected: Vec<(usize, usize)> = (0..DAYS as usize).map(|row| (row, row + 1)).collect();
    assert_eq!(versions, expected);
    assert_eq!(table.own_history().later.len(), DAYS as usize, "one a day");
}

#[test]
fn a_correction_changes_only_what_reads_its_metric() {
    let mut records = readings();
    let corrected = reading("UTC", &at(20).to_string(), &at(20).to_string(), HRV, 99.0);
    records.push(known(corrected, &format!("{}T08:00:00Z", at(23))));
    let table = rows(&person("UTC", records), DAYS as usize - 1, much_later());
    let versions: Vec<(usize, usize)> = table
        .later()
        .iter()
        .map(|later| (later.row, later.from))
        .collect();
    // Rows 20 to 22 had been read before; those after see the correction on their own evening.
    assert_eq!(versions, [(20, 23), (21, 23), (22, 23)]);
    for later in table.later() {
        let before = table.evenings().row(later.row).unwrap();
        for (place, feature) in catalogue().iter().enumerate() {
            let is_changed = later.values[place] != before[place];
            assert!(!is_changed || feature.is_made_of(HRV), "{}", feature.name);
        }
        assert!(later.values != before);
    }
    assert_eq!(table.evenings().first_day(), day("2025-09-20"));
}
