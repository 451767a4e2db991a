//! Experiments of one person on themselves: two conditions, in pairs of blocks of days, the order within
//! each pair random.
//!
//! Numbers in, numbers out. A day belongs to a block by [`BlockDesign`]; the first days of each block are
//! left out ([`BlockDesign::washout_days`]). Of each pair of blocks one number is left: the mean under
//! condition A less that under condition B ([`pair_differences`]). If the condition makes no difference,
//! the other order would have given the same number with the other sign, and both orders were equally
//! likely. Everything that is claimed follows from that alone:
//!
//! - [`sign_flip_test`]: a test and an interval for an experiment that went to its planned end;
//! - [`AlwaysValid`]: intervals that hold at every look, however often somebody looks;
//! - [`power`](PowerTable): how long an experiment has to be, from the person's own days.
//!
//! Neither autocorrelation nor a weekly rhythm nor missing days change that. They only make the numbers
//! noisier, which the plan takes into account.

mod always_valid;
mod bayes;
mod design;
mod futility;
mod power;
mod sign_test;
mod treated;

pub use always_valid::{AlwaysValid, AlwaysValidInterval};
pub use bayes::{Belief, belief};
pub use design::{
    BlockDesign, DayPlace, PairDifference, pair_differences, pairs_within, random_order,
};
pub use futility::conditional_power;
pub use power::{DailySpread, LEAST_DAYS, MOST_PAIRS, PowerTable, daily_spread, pair_spread};
pub use sign_test::{LEAST_PAIRS, SignFlipTest, sign_flip_test};
pub use treated::{AsTreated, as_treated, mean_with_interval};

/// Level of all intervals, and one minus the level of all tests.
pub const LEVEL: f64 = 0.95;
