//! The guide says what the readers read.

use vitalcast_import::Format;

#[test]
fn the_guide_shows_the_readers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/importers.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (_, tables) = guide.split_once("<!-- formats -->\n\n").unwrap();
    assert_eq!(
        tables.trim_end(),
        Format::guide().trim_end(),
        "run `cargo run -p vitalcast-import --example guide` and put its output below the mark"
    );
}
