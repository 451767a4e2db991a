#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accuracy;
mod adaptive;
mod calibration;
mod comparison;
mod conformal;
mod distribution;
mod error;
mod gap;
mod interval;
mod mean;
mod normal_range;
mod random;
mod readiness;
mod replay;
mod scores;

pub use accuracy::{Accuracy, mean_absolute_error, skill};
pub use adaptive::{AdaptiveSpread, ScoreQuantiles, ScoreTable};
pub use calibration::{Calibration, FollowedIntervals, Step};
pub use comparison::{Comparison, DieboldMariano, PairedDay, SIGNIFICANT, diebold_mariano};
pub use conformal::{HalfWidth, conformal_rank, half_width, highest_level, level_in_words};
pub use distribution::{Bounds, Distribution};
pub use error::EvaluationError;
pub use gap::GapFactors;
pub use interval::{coverage, mean_width};
pub use mean::{ROUNDING, beyond_rounding, mean};
pub use normal_range::{NormalRange, Verdict};
pub use readiness::ProductionReadiness;
pub use replay::{Replayed, ReplayedDay, ReplayedPerson, Scored, replay, replay_days};
pub use scores::{LevelScore, Report, ScoredDay};
