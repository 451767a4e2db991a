//! The training loop against PyTorch.
#![allow(clippy::unwrap_used, missing_docs)]

mod golden;
mod many_outputs;
