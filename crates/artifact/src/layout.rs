//! The container: magic, version, table of sections, sections, hash.
//!
//! Knows bytes and where they lie, not what they mean. [`unpack`] hands out a section only after
//! the hash over the whole file has been verified and the table has been found to describe the
//! file without overlap and without gaps, so every byte is accounted for. Nothing is copied and
//! nothing is allocated from a length in the file.

use crate::error::ArtifactError;

/// Newest (and so far only) format this build reads and the one it writes.
pub const SUPPORTED_FORMAT: u16 = 1;

/// Largest artifact read or written: 64 MiB.
pub const MAX_ARTIFACT_BYTES: u64 = 64 * 1024 * 1024;

const OLDEST_FORMAT: u16 = 1;

/// A byte that is not ASCII, then VCM, then line ends of both kinds around an end-of-file mark: a
/// copy that passed through a text mode no longer begins with it.
const MAGIC: [u8; 8] = *b"\x89VCM\r\n\x1a\n";

const HEADER: usize = 24;
const ENTRY: usize = 20;
const HASH: usize = blake3::OUT_LEN;
const MAX_SECTIONS: usize = 8;

/// What a section is for, in the order sections are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionKind {
    Manifest,
    Weights,
    State,
}

impl SectionKind {
    const ALL: [Self; 3] = [Self::Manifest, Self::Weights, Self::State];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Weights => "weights",
            Self::State => "state",
        }
    }

    fn id(self) -> u16 {
        match self {
            Self::Manifest => 1,
            Self::Weights => 2,
            Self::State => 3,
        }
    }

    /// The one codec of this section in format 1: JSON, safetensors, bincode. A later release may
    /// write another number here and still read this one.
    fn codec(self) -> u16 {
        match self {
            Self::Manifest => 1,
            Self::Weights => 2,
            Self::State => 3,
        }
    }
}

/// Views of the sections of a verified file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sections<'file> {
    slots: [Option<&'file [u8]>; SectionKind::ALL.len()],
}

impl<'file> Sections<'file> {
    pub(crate) fn get(&self, kind: SectionKind) -> Option<&'file [u8]> {
        self.slots[kind as usize]
    }
}

/// Lays sections out in the given order.
pub(crate) fn pack(sections: &[(SectionKind, &[u8])]) -> Result<Vec<u8>, ArtifactError> {
    let table_end = HEADER + ENTRY * sections.len();
    let contents: usize = sections.iter().map(|(_, bytes)| bytes.len()).sum();
    let total = table_end + contents + HASH;
    if total as u64 > MAX_ARTIFACT_BYTES {
        return Err(ArtifactError::TooLarge {
            length: total as u64,
            limit: MAX_ARTIFACT_BYTES,
        });
    }
    let mut file = Vec::with_capacity(total);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&SUPPORTED_FORMAT.to_le_bytes());
    file.extend_from_slice(&0_u16.to_le_bytes());
    file.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    file.extend_from_slice(&(total as u64).to_le_bytes());
    let mut offset = table_end;
    for (kind, bytes) in sections {
        file.extend_from_slice(&kind.id().to_le_bytes());
        file.extend_from_slice(&kind.codec().to_le_bytes());
        file.extend_from_slice(&(offset as u64).to_le_bytes());
        file.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        offset += bytes.len();
    }
    for (_, bytes) in sections {
        file.extend_from_slice(bytes);
    }
    let hash = blake3::hash(&file);
    file.extend_from_slice(hash.as_bytes());
    Ok(file)
}

/// Verifies a file and finds its sections: size, magic, version, length, hash, table.
pub(crate) fn unpack(file: &[u8]) -> Result<Sections<'_>, ArtifactError> {
    let found = file.len() as u64;
    if found > MAX_ARTIFACT_BYTES {
        return Err(ArtifactError::TooLarge {
            length: found,
            limit: MAX_ARTIFACT_BYTES,
        });
    }
    check_magic(file)?;
    let smallest = (HEADER + ENTRY + HASH) as u64;
    let truncated = |expected: u64| ArtifactError::Truncated { expected, found };
    check_version(read_u16(file, 8).ok_or_else(|| truncated(smallest))?)?;
    let expected = read_u64(file, 16).ok_or_else(|| truncated(smallest))?;
    if found < expected.max(smallest) {
        return Err(truncated(expected.max(smallest)));
    }
    if found > expected {
        return Err(ArtifactError::TrailingBytes { expected, found });
    }
    let (hashed, stored) = file
        .split_last_chunk::<HASH>()
        .ok_or_else(|| truncated(smallest))?;
    let stored = blake3::Hash::from_bytes(*stored);
    let computed = blake3::hash(hashed);
    if computed != stored {
        return Err(ArtifactError::HashMismatch {
            stored: stored.to_hex().to_string(),
            computed: computed.to_hex().to_string(),
        });
    }
    read_table(hashed)
}

fn check_magic(file: &[u8]) -> Result<(), ArtifactError> {
    // A file shorter than the magic is a truncated artifact as long as it agrees with it.
    let length = file.len().min(MAGIC.len());
    if file[..length] == MAGIC[..length] {
        Ok(())
    } else {
        Err(ArtifactError::NotAnArtifact)
    }
}

fn check_version(found: u16) -> Result<(), ArtifactError> {
    if found > SUPPORTED_FORMAT {
        Err(ArtifactError::FormatTooNew {
            found,
            newest: SUPPORTED_FORMAT,
        })
    } else if found < OLDEST_FORMAT {
        Err(ArtifactError::FormatTooOld {
            found,
            oldest: OLDEST_FORMAT,
        })
    } else {
        Ok(())
    }
}

/// Reads the table of a file whose hash was right. `hashed` is everything before the hash.
fn read_table(hashed: &[u8]) -> Result<Sections<'_>, ArtifactError> {
    let end = hashed.len() as u64;
    let too_short = || ArtifactError::Truncated {
        expected: (HEADER + ENTRY + HASH) as u64,
        found: end + HASH as u64,
    };
    let flags = read_u16(hashed, 10).ok_or_else(too_short)?;
    if flags != 0 {
        return Err(ArtifactError::UnknownFlags { flags });
    }
    let count = read_u32(hashed, 12).ok_or_else(too_short)?;
    let most = (hashed.len().saturating_sub(HEADER) / ENTRY).min(MAX_SECTIONS) as u32;
    if count == 0 || count > most {
        return Err(ArtifactError::SectionCount { found: count, most });
    }
    let mut slots = [None; SectionKind::ALL.len()];
    let mut expected = (HEADER + ENTRY * count as usize) as u64;
    for index in 0..count as usize {
        let at = HEADER + ENTRY * index;
        let id = read_u16(hashed, at).ok_or_else(too_short)?;
        let codec = read_u16(hashed, at + 2).ok_or_else(too_short)?;
        let offset = read_u64(hashed, at + 4).ok_or_else(too_short)?;
        let length = read_u64(hashed, at + 12).ok_or_else(too_short)?;
        let kind = SectionKind::ALL
            .into_iter()
            .find(|kind| kind.id() == id)
            .ok_or(ArtifactError::UnknownSection { kind: id })?;
        let section = kind.name();
        if slots[kind as usize].is_some() {
            return Err(ArtifactError::DuplicateSection { section });
        }
        let bytes = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(length).ok())
            .and_then(|(start, length)| hashed.get(start..start.checked_add(length)?))
            .ok_or(ArtifactError::SectionOutOfBounds {
                section,
                offset,
                length,
                end,
            })?;
        check_adjacent(section, offset, expected)?;
        if codec != kind.codec() {
            return Err(ArtifactError::UnknownCodec {
                section,
                codec,
                expected: kind.codec(),
            });
        }
        expected = offset + length;
        slots[kind as usize] = Some(bytes);
    }
    check_adjacent("hash", end, expected)?;
    Ok(Sections { slots })
}

fn check_adjacent(section: &'static str, offset: u64, expected: u64) -> Result<(), ArtifactError> {
    match offset.cmp(&expected) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(ArtifactError::SectionOverlap {
            section,
            offset,
            expected,
        }),
        std::cmp::Ordering::Greater => Err(ArtifactError::SectionGap {
            section,
            offset,
            expected,
        }),
    }
}

fn read_array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    read_array(bytes, at).map(u16::from_le_bytes)
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    read_array(bytes, at).map(u32::from_le_bytes)
}

fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    read_array(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_sections_come_back() {
        let file = pack(&[(SectionKind::Manifest, b"{}"), (SectionKind::State, b"")]).unwrap();
        let sections = unpack(&file).unwrap();
        assert_eq!(sections.get(SectionKind::Manifest), Some(&b"{}"[..]));
        assert_eq!(sections.get(SectionKind::Weights), None);
        assert_eq!(sections.get(SectionKind::State), Some(&b""[..]));
    }

    #[test]
    fn an_oversized_section_is_not_packed() {
        let large = vec![0_u8; MAX_ARTIFACT_BYTES as usize];
        let error = pack(&[(SectionKind::State, &large)]).unwrap_err();
        assert!(matches!(error, ArtifactError::TooLarge { .. }));
    }

    #[test]
    fn a_file_over_the_limit_is_refused_whatever_it_holds() {
        let large = vec![0_u8; MAX_ARTIFACT_BYTES as usize + 1];
        assert!(matches!(
            unpack(&large),
            Err(ArtifactError::TooLarge { length, .. }) if length == MAX_ARTIFACT_BYTES + 1
        ));
    }
}
