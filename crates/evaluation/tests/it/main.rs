//! Accuracy against values computed by scikit-learn.
#![allow(clippy::unwrap_used, missing_docs)]

mod reference;
