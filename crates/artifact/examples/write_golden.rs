//! Writes the golden file of the current format to the path given. Run once per released format:
//!
//! ```text
//! cargo run -p vitalcast-artifact --example write_golden -- crates/artifact/tests/data/format-1.vcm
//! ```
//!
//! A file that has been released is never written again; a test compares its bytes.

#[path = "../tests/it/fixed.rs"]
mod fixed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("expected the path to write to")?;
    fixed::artifact().write(path)?;
    Ok(())
}
