//! Writes what an artifact of the current format holds of the state in a JSON file. Run once for each
//! kind of model:
//!
//! ```text
//! cargo run -p vitalcast-inference --example write_state -- crates/inference/tests/data/state/ets.json
//! ```
//!
//! A file that has been released is never written again; a test compares its bytes.

use std::path::PathBuf;
use vitalcast_artifact::encode_state;
use vitalcast_inference::ModelState;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let json: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("expected the path of a JSON file")?
        .into();
    let state: ModelState = serde_json::from_slice(&std::fs::read(&json)?)?;
    std::fs::write(json.with_extension("bin"), encode_state(&state)?)?;
    Ok(())
}
