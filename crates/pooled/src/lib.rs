#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calibrate;
mod corrected;
mod covariate;
mod design;
mod error;
mod followed;
mod learn;
mod model;
mod own;
mod person;
mod rivals;
mod robust;
mod validate;
mod window;

pub use calibrate::LEVELS;
pub use corrected::{CORRECTION, Corrected};
pub use design::{Covariate, Design, Part, Transform};
pub use error::PooledError;
pub use learn::Learner;
pub use model::{Contribution, PooledForecast, PooledModel, rounded};
pub use person::Person;
pub use rivals::{BestRival, Compared, GatedForecast, Rival};
pub use window::{Correction, Example};
