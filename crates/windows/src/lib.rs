#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assemble;
mod error;
mod known;
mod matrix;
mod scaler;
mod split;
mod unusual;
mod window;

pub use assemble::assemble;
pub use error::WindowError;
pub use known::{Evenings, KnownSeries, LaterValue};
pub use matrix::{DayMatrix, LaterRow};
pub use scaler::{FARTHEST, FittedScaler, StandardScaler, TargetScaler};
pub use split::{ChronologicalSplit, SplitFractions};
pub use unusual::without_unusual;
pub use window::{Horizon, Lookback, Window, WindowEnd, cut_windows};
