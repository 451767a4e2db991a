//! The LSTM of many people's days beside the linear model of many people and yesterday's value.
//!
//! Argument: the folder with the data sets `lifesnaps` and `t1d-uom`. The last 40 % of the readings of
//! everyone with at least 30 are scored, one day ahead, in five folds of people: a model learns from all days
//! of the people of other folds and from the earlier days of the scored ones. With `inner` after the folder,
//! these days are left out altogether, and the 30 % before them are scored: so settings are chosen.
//!
//! ```text
//! cargo run --release -p vitalcast --example pooled_lstm -- DIR
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

mod development;

use chrono::{DateTime, Utc};
use development::{DATA_SETS, FOLDS, SERIES, read};
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use vitalcast::{ModelArchitecture, PredictionMetric, ReplayModel, ReplayRequest, backtest};

const MODELS: [ModelArchitecture; 3] = [
    ModelArchitecture::PooledLstm,
    ModelArchitecture::Pooled,
    ModelArchitecture::Naive,
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("expected a folder")?;
    let (test_fraction, hold_out) = match arguments.next().as_deref() {
        Some("inner") => (0.3, 0.4),
        _ => (0.4, 0.0),
    };
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut sets = Vec::new();
    for data_set in DATA_SETS {
        sets.push(read(&Path::new(&folder).join(data_set), now)?);
    }
    for (data_set, metric) in SERIES {
        let request = ReplayRequest {
            models: MODELS.map(ReplayModel::Of).to_vec(),
            test_fraction,
            hold_out,
            ..ReplayRequest::new(metric)
        };
        let started = Instant::now();
        let mut errors: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
        for fold in 0..FOLDS {
            let (scored, mut learned): (Vec<_>, Vec<_>) = sets[data_set]
                .iter()
                .cloned()
                .enumerate()
                .partition(|(place, _)| place % FOLDS == fold);
            if metric == PredictionMetric::SleepDuration {
                learned.extend(sets[1 - data_set].iter().cloned().map(|of| (0, of)));
            }
            let [scored, learned] =
                [scored, learned].map(|of| of.into_iter().map(|(_, of)| of).collect::<Vec<_>>());
            let go_on = &mut |_: &str| ControlFlow::Continue(());
            for row in backtest(&scored, &learned, &request, now, go_on)?.rows {
                let (sum, count, inside) = errors.entry(row.model).or_default();
                *sum += (row.forecast - row.observed).abs();
                *count += 1.0;
                let bounds = row.intervals[0].unwrap_or((row.forecast, row.forecast));
                *inside += f64::from(u8::from((bounds.0..=bounds.1).contains(&row.observed)));
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let numbers: Vec<String> = errors
            .iter()
            .map(|(model, (sum, count, inside))| {
                let (mae, held) = (sum / count, 100.0 * inside / count);
                format!("{model} {mae:.4} (80 % held {held:.1} %, {count} days)")
            })
            .collect();
        println!(
            "{} {metric}: {}; {seconds:.0} s",
            DATA_SETS[data_set],
            numbers.join(", ")
        );
    }
    Ok(())
}
