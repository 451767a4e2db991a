//! Training and inference of the default network.

#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use vitalcast_benches::networks::Row;

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn benches(criterion: &mut Criterion) {
    // `cargo test` runs every bench once, unoptimised; an epoch will do there.
    let quick = !std::env::args().any(|word| word == "--bench");
    let mut group = criterion.benchmark_group("networks");
    for row in Row::ALL {
        group.sample_size(if row.runs().1 > 10 { 50 } else { 10 });
        let work = row.work(quick);
        group.bench_function(row.name(), |bencher| bencher.iter(&work));
    }
}

criterion_group!(group, benches);
criterion_main!(group);
