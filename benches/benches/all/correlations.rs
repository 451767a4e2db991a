//! What goes with what, from features in memory: guards 64 features by four methods over 180 days
//! in under 30 ms, and a lag analysis in under 10 ms.

use criterion::Criterion;
use std::hint::black_box;
use vitalcast_benches::correlations::{Analysis, LEVEL};
use vitalcast_domain::CorrelationMethod;
use vitalcast_insight::{daily_lags, lags};

pub(crate) fn benches(criterion: &mut Criterion) {
    let analysis = Analysis::new();
    let mut group = criterion.benchmark_group("correlations");
    group.bench_function("64_features_4_methods_180_days", |bencher| {
        bencher.iter(|| black_box(&analysis).run(CorrelationMethod::ALL));
    });
    group.bench_function("64_features_pearson_spearman_90_days", |bencher| {
        let analysis = Analysis::of_days(90);
        let methods = [CorrelationMethod::Pearson, CorrelationMethod::Spearman];
        bencher.iter(|| black_box(&analysis).run(&methods));
    });
    for method in [CorrelationMethod::Pearson, CorrelationMethod::Granger] {
        group.bench_function(format!("lags_7_days_of_180_{method}"), |bencher| {
            let (factor, feature) = &analysis.columns[0];
            bencher.iter(|| {
                let lagged = daily_lags(black_box(feature), 7);
                lags(factor, &lagged, &analysis.target, 8, method, LEVEL)
            });
        });
    }
    group.finish();
}
