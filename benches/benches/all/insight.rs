//! Explanations of one forecast and the test of an experiment. Guards: Shapley values of trees (100 of depth
//! 4) in under 1 ms in both games, of the default network (51 features, 30 days, 512 evaluations) in under
//! 150 ms on two cores, a randomisation test of 10,000 draws in under 50 ms.

use criterion::Criterion;
use std::cell::LazyCell;
use vitalcast_benches::explanations::{Unknown, explainer_of_trees, network, randomisation, trees};

pub(crate) fn benches(criterion: &mut Criterion) {
    let quick = crate::is_quick();
    let mut group = criterion.benchmark_group("insight");
    let path_dependent = LazyCell::new(|| trees(Unknown::AsOnTheWay, 1));
    group.bench_function("trees, one forecast, path-dependent", |bencher| {
        bencher.iter(&*path_dependent);
    });
    let interventional = LazyCell::new(|| trees(Unknown::AsInOtherRows, 1));
    group.bench_function("trees, one forecast, against 100 rows", |bencher| {
        bencher.iter(&*interventional);
    });
    let ready = LazyCell::new(explainer_of_trees);
    group.bench_function("trees, ready for 100 rows", |bencher| {
        bencher.iter(&*ready);
    });
    let test = LazyCell::new(randomisation);
    group.bench_function("randomisation test, 10,000 draws", |bencher| {
        bencher.iter(&*test);
    });
    group.sample_size(10);
    let of_network = LazyCell::new(|| network(if quick { 2 } else { 512 }));
    group.bench_function("network, 512 evaluations", |bencher| {
        bencher.iter(&*of_network);
    });
    group.finish();
}
