//! All benches in one program, so that only one is linked. Some of them:
//! `cargo bench -p vitalcast-benches -- features`.

#![allow(clippy::unwrap_used, missing_docs)]

mod correlations;
mod features;
mod import;
mod insight;
mod pooled;
mod rows;
mod what_if;

use criterion::{criterion_group, criterion_main};

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `cargo test` runs every bench once, unoptimised; a fraction of the work will do there.
fn is_quick() -> bool {
    !std::env::args().any(|word| word == "--bench")
}

criterion_group!(
    group,
    import::benches,
    features::benches,
    correlations::benches,
    insight::benches,
    pooled::benches,
    rows::benches,
    what_if::benches
);
criterion_main!(group);
