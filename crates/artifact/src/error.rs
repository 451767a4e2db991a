//! Errors of reading and writing artifacts, one variant for each cause.
//!
//! Text that comes out of a file is cut and escaped before it gets in here.

use std::path::PathBuf;

/// Any cause from a decoder, kept opaque so that the decoder can be exchanged.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of reading or writing a model artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file could not be written. The path holds what it held before, or, when only flushing
    /// the folder failed, the whole new contents.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// More bytes than any artifact may have.
    #[error("artifact of {length} bytes is too large, at most {limit} are allowed")]
    TooLarge {
        /// Number of bytes, as far as they were counted.
        length: u64,
        /// Maximum number.
        limit: u64,
    },
    /// Some other kind of file.
    #[error("not a model artifact: the file does not begin with the artifact's 8-byte signature")]
    NotAnArtifact,
    /// Written by a newer release.
    #[error(
        "artifact format {found} is newer than {newest}, the newest this build reads: use a newer release"
    )]
    FormatTooNew {
        /// The file's version.
        found: u16,
        /// The newest readable one.
        newest: u16,
    },
    /// A version number from before the first release.
    #[error("artifact format {found} was never released, the oldest is {oldest}")]
    FormatTooOld {
        /// The file's version.
        found: u16,
        /// The oldest readable one.
        oldest: u16,
    },
    /// The file is truncated.
    #[error("artifact is truncated: {found} bytes of at least {expected}")]
    Truncated {
        /// How many bytes there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// There are bytes after the end.
    #[error("artifact has {} bytes after its end: {found} instead of {expected}", found - expected)]
    TrailingBytes {
        /// How many bytes there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The contents are damaged: the hash does not match.
    #[error("artifact is damaged: its contents hash to {computed}, but {stored} was written")]
    HashMismatch {
        /// BLAKE3-256 at the end of the file, hexadecimal.
        stored: String,
        /// BLAKE3-256 of the bytes before it, hexadecimal.
        computed: String,
    },
    /// The file uses a feature that this build does not know.
    #[error("unknown artifact flags {flags:#06x}, format 1 has none")]
    UnknownFlags {
        /// All flags of the file.
        flags: u16,
    },
    /// A section table that is empty or too long.
    #[error("artifact claims {found} sections, expected 1 to {most}")]
    SectionCount {
        /// How many are claimed.
        found: u32,
        /// How many there may be in a file of this length.
        most: u32,
    },
    /// A section of unknown kind.
    #[error("unknown section kind {kind}, expected 1 (manifest), 2 (weights) or 3 (state)")]
    UnknownSection {
        /// Its number.
        kind: u16,
    },
    /// A section that occurs twice in the table.
    #[error("the {section} section occurs twice")]
    DuplicateSection {
        /// The section.
        section: &'static str,
    },
    /// A required section is missing.
    #[error("the {section} section is missing")]
    SectionMissing {
        /// The section.
        section: &'static str,
    },
    /// A section that begins inside the one before it, or inside the table.
    #[error(
        "the {section} section begins at byte {offset}, before the end of what precedes it at {expected}"
    )]
    SectionOverlap {
        /// The section.
        section: &'static str,
        /// Actual offset.
        offset: u64,
        /// Expected offset.
        expected: u64,
    },
    /// Bytes that belong to no section.
    #[error(
        "the {section} begins at byte {offset}, expected {expected}: the bytes between belong to no section"
    )]
    SectionGap {
        /// What comes after the gap: a section, or the hash.
        section: &'static str,
        /// Actual offset.
        offset: u64,
        /// Expected offset.
        expected: u64,
    },
    /// A section that reaches beyond the contents.
    #[error(
        "the {section} section of {length} bytes at byte {offset} reaches beyond the contents, which end at byte {end}"
    )]
    SectionOutOfBounds {
        /// The section.
        section: &'static str,
        /// Actual offset.
        offset: u64,
        /// Claimed length in bytes.
        length: u64,
        /// Where the contents end and the hash begins.
        end: u64,
    },
    /// A section, or its header, larger than its kind may be.
    #[error("the {section} of {length} bytes is too large, at most {limit} are allowed")]
    SectionTooLarge {
        /// The section.
        section: &'static str,
        /// Length in bytes.
        length: u64,
        /// Maximum length in bytes.
        limit: u64,
    },
    /// A section in an encoding this build does not read there.
    #[error("the {section} section has codec {codec}, this build reads codec {expected} there")]
    UnknownCodec {
        /// The section.
        section: &'static str,
        /// Its codec.
        codec: u16,
        /// The codec of this section in format 1.
        expected: u16,
    },
    /// The manifest is not JSON, or lacks a field, or a field has the wrong type.
    #[error("the manifest cannot be read as JSON")]
    BadManifest {
        /// The error of the parser, with line and column.
        source: Cause,
    },
    /// The manifest has a word that no release so far has written there.
    #[error(
        "the {field} of the manifest is {found}, which this build does not know: use a newer release"
    )]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// What is written there, escaped and cut.
        found: String,
    },
    /// The weights are not safetensors.
    #[error("the weights are not well-formed safetensors")]
    BadWeights {
        /// The error of the parser.
        source: Cause,
    },
    /// The state asks for more memory than its bytes can fill.
    #[error("the state claims more than {limit} bytes while it is {length} bytes long")]
    StateLimit {
        /// Most that decoding may claim.
        limit: u64,
        /// Length of the section.
        length: u64,
    },
    /// The state is not a value of the type asked for.
    #[error(
        "the state of {length} bytes cannot be decoded: it is of another type, or of a newer release"
    )]
    BadState {
        /// Length of the section.
        length: u64,
        /// The error of the decoder.
        source: Cause,
    },
    /// A value was decoded before the state ended.
    #[error("the state is {length} bytes long, but a value of the requested type takes {consumed}")]
    StateNotConsumed {
        /// How many bytes were used.
        consumed: u64,
        /// How many there are.
        length: u64,
    },
    /// The section is well-formed, but its contents are invalid.
    #[error("invalid {section}: {what}")]
    InvalidContents {
        /// The section.
        section: &'static str,
        /// What is wrong and what was expected.
        what: String,
    },
    /// A value that cannot be encoded.
    #[error("the {section} cannot be encoded")]
    Encode {
        /// The section.
        section: &'static str,
        /// The error of the encoder.
        source: Cause,
    },
}

/// Text of unknown origin, escaped and cut to 80 characters.
pub(crate) fn shortened(text: &str) -> String {
    let head: String = text.chars().take(80).collect();
    format!("{head:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cut_and_escaped() {
        assert_eq!(shortened("a\n"), "\"a\\n\"");
        assert_eq!(shortened(&"x".repeat(1000)).len(), 82);
    }

    #[test]
    fn a_message_states_the_numbers() {
        let error = ArtifactError::TrailingBytes {
            expected: 10,
            found: 13,
        };
        assert_eq!(
            error.to_string(),
            "artifact has 3 bytes after its end: 13 instead of 10"
        );
    }
}
