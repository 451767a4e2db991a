//! Reads files line by line, with lines of any length.

use crate::batch::Importer;
use crate::error::ImportError;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Maximum length of a line of a JSON lines file.
const MAX_LINE: usize = 1 << 20;

/// The lines of a JSON-lines file.
pub(super) struct JsonLines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    line: u64,
    position: u64,
}

impl<'p> JsonLines<'p> {
    pub(super) fn open(path: &'p Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(|source| ImportError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path,
            reader: BufReader::new(file),
            line: 0,
            position: 0,
        })
    }

    /// The next line that is not blank, cut at the maximum length.
    pub(super) fn line(&mut self) -> Result<Option<(u64, Vec<u8>)>, ImportError> {
        loop {
            let mut bytes = Vec::new();
            let failed = |source| ImportError::Read {
                path: self.path.to_owned(),
                source,
            };
            // A line without end must not fill the memory.
            let mut limited = (&mut self.reader).take(MAX_LINE as u64);
            let mut read = limited.read_until(b'\n', &mut bytes).map_err(failed)?;
            if read == MAX_LINE && !bytes.ends_with(b"\n") {
                read += self.reader.skip_until(b'\n').map_err(failed)?;
            }
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.position += read as u64;
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some((self.line, bytes.trim_ascii().to_vec())));
            }
        }
    }

    pub(super) fn next(
        &mut self,
        importer: &mut Importer<'_>,
    ) -> Result<Option<(u64, Vec<u8>)>, ImportError> {
        let next = self.line()?;
        if next.is_none() || self.line.is_multiple_of(2_000) {
            importer.progress(self.path, self.position)?;
        }
        Ok(next)
    }
}
