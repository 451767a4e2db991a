//! What holds for every sequence of writes, against a model of a store that is a plain list.

use crate::samples::{now, reading, user};
use crate::sqlite::wait;
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::BTreeMap;
use vitalcast_domain::Record;
use vitalcast_store::{SqliteStore, Store, WriteReport};

/// A batch: few ids, few days, few values, so that everything meets everything.
fn batch() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0_u8..6, 1_u8..4, 0_u8..3), 0..8)
}

fn record((id, day, value): (u8, u8, u8)) -> Record {
    reading(
        &id.to_string(),
        &format!("2024-05-{day:02}"),
        60.0 + f64::from(value),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_store_is_a_list_of_versions(batches in prop::collection::vec(batch(), 0..8)) {
        wait(async {
            let store = SqliteStore::open_in_memory().await.unwrap();
            let mut model: BTreeMap<u8, Vec<(u8, u8, u8)>> = BTreeMap::new();
            for (step, batch) in batches.iter().enumerate() {
                let mut expected = WriteReport::default();
                for entry in batch {
                    let versions = model.entry(entry.0).or_default();
                    match versions.last() {
                        Some(last) if last == entry => expected.unchanged += 1,
                        Some(_) => expected.corrected += 1,
                        None => expected.added += 1,
                    }
                    if versions.last() != Some(entry) {
                        versions.push(*entry);
                    }
                }
                let records: Vec<Record> = batch.iter().copied().map(record).collect();
                let at = now() + TimeDelta::seconds(step as i64);
                let report = store.write_records(&user("a"), &records, at).await.unwrap();
                prop_assert_eq!(report, expected);
            }
            let Some(history) = store.history(&user("a"), None).await.unwrap() else {
                prop_assert!(batches.is_empty());
                return Ok(());
            };
            let mut kept: BTreeMap<String, Vec<Record>> = BTreeMap::new();
            for record in history.records {
                kept.entry(record.provenance().source_id.clone()).or_default().push(record);
            }
            prop_assert_eq!(kept.len(), model.len());
            for (id, versions) in model {
                let mut found = kept.remove(&id.to_string()).unwrap();
                found.sort_by_key(|record| record.provenance().known_at);
                // Every version is there, in order, and each is known later than the one before.
                let known: Vec<_> = found.iter().map(|record| record.provenance().known_at).collect();
                prop_assert!(known.is_sorted_by(|left, right| left < right));
                for (found, version) in found.iter().zip(&versions) {
                    let mut written = record(*version);
                    written.provenance_mut().known_at = found.provenance().known_at;
                    prop_assert_eq!(found, &written);
                }
                prop_assert_eq!(found.len(), versions.len());
            }
            Ok(())
        })?;
    }
}
