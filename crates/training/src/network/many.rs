//! Parallel training of many networks.

use super::error::FitError;
use super::fit::{FitOptions, FittedNetwork, fit_network};
use super::labels::LabelledWindows;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use vitalcast_models::NetworkConfig;

/// One of many trainings.
#[derive(Debug)]
pub struct FitJob {
    /// The network configuration.
    pub config: NetworkConfig,
    /// The training windows.
    pub train: LabelledWindows,
    /// The validation windows for early stopping.
    pub validation: LabelledWindows,
    /// The options.
    pub options: FitOptions,
}

/// Fits `count` networks on as many threads as the current rayon pool has.
///
/// `prepare` makes the job of a number on the thread that fits it, and `finish` hears of its result on
/// the same thread, so that no more jobs are in memory at once than there are threads. Each network
/// is what [`fit_network`] makes of its job, whatever runs beside it. `finish` may stop everything:
/// jobs under way end with their current epoch, and no other is begun.
///
/// # Errors
///
/// What `prepare` says and what a training says goes to `finish`, and the others go on.
/// [`FitError::Threads`] when threads cannot be had, with nothing begun.
pub fn fit_many<E>(
    count: usize,
    prepare: impl Fn(usize) -> Result<FitJob, E> + Sync,
    finish: impl Fn(usize, Result<FittedNetwork, E>) -> ControlFlow<()> + Sync,
) -> Result<(), FitError>
where
    E: From<FitError> + Send,
{
    // One pool of one thread for each worker: in a common one, a worker that waits for the other half
    // of its batch would begin another job meanwhile, and another inside that one.
    let pools = (0..rayon::current_num_threads().min(count))
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| FitError::Threads(error.to_string()))?;
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let work = || {
        while !stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            let fitted = prepare(number).and_then(|job| Ok(fit(job, &stopped)?));
            if finish(number, fitted).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(work));
        }
    });
    Ok(())
}

fn fit(job: FitJob, stopped: &AtomicBool) -> Result<FittedNetwork, FitError> {
    let mut go_on = |_: &_| {
        if stopped.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let FitJob {
        config,
        train,
        validation,
        options,
    } = job;
    fit_network(&config, &train, &validation, &options, &mut go_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use vitalcast_models::{LstmConfig, Windows};

    fn job(number: usize) -> Result<FitJob, FitError> {
        let labelled = |count: usize| {
            let values = (0..count * 8)
                .map(|place| ((place * 37 + number * 11) % 101) as f32 / 50.0 - 1.0)
                .collect();
            let labels = (0..count)
                .map(|place| (place % 5) as f32 / 2.0 - 1.0)
                .collect();
            LabelledWindows::new(Windows::new(count, 4, 2, values)?, labels)
        };
        Ok(FitJob {
            config: NetworkConfig::Lstm(LstmConfig::new(2, 8, 1)),
            train: labelled(12)?,
            validation: labelled(4)?,
            options: FitOptions {
                epochs: 4,
                seed: number as u64,
                ..FitOptions::default()
            },
        })
    }

    #[test]
    fn each_network_is_what_it_is_when_fitted_alone() {
        let fitted = Mutex::new(vec![Vec::new(); 9]);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        pool.install(|| {
            fit_many(9, job, |number, result| {
                let bytes = result.unwrap().network.to_safetensors().unwrap();
                fitted.lock().unwrap()[number] = bytes;
                ControlFlow::Continue(())
            })
            .unwrap();
        });
        for (number, bytes) in fitted.into_inner().unwrap().into_iter().enumerate() {
            let FitJob {
                config,
                train,
                validation,
                options,
            } = job(number).unwrap();
            let mut go_on = |_: &_| ControlFlow::Continue(());
            let alone = fit_network(&config, &train, &validation, &options, &mut go_on).unwrap();
            assert!(bytes == alone.network.to_safetensors().unwrap(), "{number}");
        }
    }

    #[test]
    fn no_more_jobs_are_in_memory_than_there_are_threads() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        pool.install(|| {
            let prepare = |number| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                job(number)
            };
            fit_many(12, prepare, |_, _| {
                now.fetch_sub(1, Ordering::SeqCst);
                ControlFlow::Continue(())
            })
            .unwrap();
        });
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn one_that_fails_stops_no_other_and_a_break_stops_all() {
        let done = Mutex::new(Vec::new());
        let prepare = |number| {
            if number == 2 {
                Err(FitError::TooFewWindows(0))
            } else {
                job(number)
            }
        };
        fit_many(5, prepare, |number, result| {
            done.lock().unwrap().push((number, result.is_ok()));
            ControlFlow::Continue(())
        })
        .unwrap();
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(
            done,
            [(0, true), (1, true), (2, false), (3, true), (4, true)]
        );
        let begun = AtomicUsize::new(0);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        pool.install(|| {
            fit_many(50, prepare, |_, _| {
                begun.fetch_add(1, Ordering::SeqCst);
                ControlFlow::Break(())
            })
            .unwrap();
        });
        assert_eq!(begun.into_inner(), 1);
    }
}
