//! The training loop against PyTorch, replays against what is served, and the rules of a training.
#![allow(clippy::unwrap_used, missing_docs)]

mod device;
mod golden;
mod many_outputs;
mod served;
mod verdicts;
