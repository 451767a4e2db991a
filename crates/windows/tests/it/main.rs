//! Windows, splits and scalers through the public names.
#![allow(clippy::unwrap_used, missing_docs)]

mod properties;
mod reference;
