//! Prints the part of `docs/importers.md` that follows from the readers.

use std::io::Write as _;
use vitalcast_import::Format;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(Format::guide().as_bytes())
}
