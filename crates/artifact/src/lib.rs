#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod artifact;
mod calibration;
mod error;
mod facts;
mod file;
mod layout;
mod manifest;
mod state;
mod validate;
mod weights;

pub use artifact::{Artifact, content_hash};
pub use calibration::{Calibration, LeadCalibration, ResidualQuantile};
pub use error::ArtifactError;
pub use file::{remove_leftovers, write_atomically};
pub use layout::{MAX_ARTIFACT_BYTES, SUPPORTED_FORMAT};
pub use manifest::{Deviation, Gate, Manifest, ReportedMetrics, WindowCounts};
pub use state::{decode_state, encode_state};
pub use validate::MAX_LOOKBACK_DAYS;

/// File name extension of an artifact, without the dot.
pub const FILE_EXTENSION: &str = "vcm";
