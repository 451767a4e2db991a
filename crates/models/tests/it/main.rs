//! Networks against PyTorch, and weights that no one should trust.
#![allow(clippy::unwrap_used, missing_docs)]

mod bounds;
mod golden;
mod gradients;
mod learning;
mod pytorch;
mod series;
mod trees;
mod weights;
