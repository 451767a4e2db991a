//! Training and inference of networks, and the models beside them: the rows of the peers' table.

use criterion::Criterion;
use std::cell::LazyCell;
use vitalcast_benches::rows::Row;

pub(crate) fn benches(criterion: &mut Criterion) {
    let quick = crate::is_quick();
    let mut group = criterion.benchmark_group("networks");
    for row in Row::ALL {
        // Ten samples of it would take minutes.
        if row == Row::TreesFitLarge && !quick {
            continue;
        }
        group.sample_size(if row.runs().1 > 10 { 50 } else { 10 });
        let work = LazyCell::new(|| row.work(quick));
        group.bench_function(row.name(), |bencher| bencher.iter(&*work));
    }
}
