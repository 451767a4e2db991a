//! Builds files of any shape with a correct hash. Written from the drawing in the README and
//! independent of the library, so that it also pins the layout.

pub(crate) const MAGIC: [u8; 8] = [0x89, 0x56, 0x43, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a];

/// An entry of the table, as it claims to be.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) kind: u16,
    pub(crate) codec: u16,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A file whose every field can be set; the hash is always right.
pub(crate) struct Hostile {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u16,
    pub(crate) flags: u16,
    pub(crate) count: Option<u32>,
    pub(crate) total: Option<u64>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) contents: Vec<u8>,
}

impl Hostile {
    /// A well-formed file with the given sections: kind, codec, bytes.
    pub(crate) fn new(sections: &[(u16, u16, &[u8])]) -> Self {
        let mut offset = 24 + 20 * sections.len() as u64;
        let mut contents = Vec::new();
        let entries = sections
            .iter()
            .map(|&(kind, codec, bytes)| {
                let length = bytes.len() as u64;
                let entry = Entry {
                    kind,
                    codec,
                    offset,
                    length,
                };
                offset += length;
                contents.extend_from_slice(bytes);
                entry
            })
            .collect();
        Self {
            magic: MAGIC,
            version: 1,
            flags: 0,
            count: None,
            total: None,
            entries,
            contents,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let total = 24 + 20 * self.entries.len() + self.contents.len() + 32;
        let mut file = self.magic.to_vec();
        file.extend(self.version.to_le_bytes());
        file.extend(self.flags.to_le_bytes());
        file.extend(
            self.count
                .unwrap_or(self.entries.len() as u32)
                .to_le_bytes(),
        );
        file.extend(self.total.unwrap_or(total as u64).to_le_bytes());
        for entry in &self.entries {
            file.extend(entry.kind.to_le_bytes());
            file.extend(entry.codec.to_le_bytes());
            file.extend(entry.offset.to_le_bytes());
            file.extend(entry.length.to_le_bytes());
        }
        file.extend(&self.contents);
        file.extend(blake3::hash(&file).as_bytes());
        file
    }
}

/// The manifest section of a valid artifact.
pub(crate) fn manifest_json() -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(&crate::fixed::manifest()).unwrap();
    json.push(b'\n');
    json
}
