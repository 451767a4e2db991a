//! What fuzzing has kept, read again.

#![allow(clippy::unwrap_used)]

use std::fs;
use vitalcast_fuzz::{Bench, Target, corpus};

/// The cases of a target.
fn cases(target: Target) -> Vec<Vec<u8>> {
    let file = corpus::file_of(target.name());
    fs::read(file).map_or_else(|_| Vec::new(), |packed| corpus::unpack(&packed).unwrap())
}

#[test]
fn no_case_that_was_kept_makes_a_reader_panic_or_give_what_cannot_be() {
    let bench = Bench::new().unwrap();
    let mut without = Vec::new();
    for target in Target::all() {
        let cases = cases(target);
        if cases.is_empty() {
            without.push(target.name());
        }
        for (number, case) in cases.iter().enumerate() {
            let read = std::panic::catch_unwind(|| bench.read(target, case));
            assert!(read.is_ok(), "case {number} of {}", target.name());
        }
    }
    // A reader that is new is fuzzed from its fixtures until cases of it are kept.
    assert!(without.len() < 5, "without any case: {without:?}");
}

#[test]
fn every_file_of_cases_is_of_a_target() {
    let folder = corpus::file_of("any");
    let known: Vec<_> = Target::all()
        .into_iter()
        .map(|target| corpus::file_of(target.name()))
        .collect();
    for entry in fs::read_dir(folder.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert!(known.contains(&path), "{}", path.display());
    }
}
