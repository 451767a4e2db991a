//! The rules of the house, as tests: layers, features, the tree, the data slices, the command itself.
#![allow(clippy::unwrap_used, missing_docs)]

mod command;
mod layers;
mod slices;
mod tree;
mod unified;

use std::path::{Path, PathBuf};

/// The folder with the workspace's `Cargo.toml`.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}
