//! The bytes of a file as UTF-8 text, in chunks and in lines.
//!
//! A byte order mark is left out, and UTF-16 is decoded. A line ends with a line feed, with a carriage
//! return, or with both, whichever way the others of the file end: files that were put together have
//! several. Nothing is longer in memory than one line of limited length.

use crate::error::ImportError;
use memchr::memchr2;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Maximum length of a line, bytes.
pub(crate) const MAX_LINE: usize = 1 << 20;
/// Most carriage returns before a line feed that end the same line: some programs double the one of a pair.
const MOST_RETURNS: usize = 3;
/// Number of bytes per read.
const AT_ONCE: usize = 1 << 18;

/// The text of a file, from its beginning.
pub(crate) struct Text<'p> {
    path: &'p Path,
    bytes: Decoder,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    start: usize,
    end: usize,
    /// Whether the file has been read to its end into the buffer.
    whole: bool,
    /// Number of the line at `start`, counted from 1.
    line: u64,
}

/// A line, by its places after the beginning of the unread text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// End of the line, without what ends it.
    pub(crate) end: usize,
    /// Beginning of the next line.
    pub(crate) next: usize,
    /// Whether it has an end in the file.
    pub(crate) ended: bool,
}

/// What comes next in a text.
pub(crate) enum Next {
    /// A line.
    Line(Line),
    /// A line of more than [`MAX_LINE`] bytes, which is skipped.
    TooLong,
    /// Nothing.
    End,
}

impl<'p> Text<'p> {
    pub(crate) fn open(path: &'p Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(|source| ImportError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut text = Self {
            path,
            bytes: Decoder {
                file,
                position: 0,
                encoding: Encoding::Utf8,
                raw: Vec::new(),
                high: None,
            },
            buffer: Vec::new(),
            start: 0,
            end: 0,
            whole: false,
            line: 1,
        };
        text.begin()?;
        Ok(text)
    }

    /// Reads the first bytes and finds the encoding.
    fn begin(&mut self) -> Result<(), ImportError> {
        self.fill()?;
        let (encoding, mark) = Encoding::of(self.unread());
        if encoding == Encoding::Utf8 {
            self.start = mark;
        } else {
            self.bytes.encoding = encoding;
            self.bytes.raw = self.unread()[mark..].to_vec();
            self.end = 0;
            let mut decoded = Vec::new();
            self.bytes.decode(self.whole, &mut decoded);
            self.end = decoded.len();
            self.buffer = decoded;
        }
        Ok(())
    }

    /// The text that is in memory and not consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The unread text, at least one byte unless the file is at its end.
    pub(crate) fn chunk(&mut self) -> Result<&[u8], ImportError> {
        while self.start == self.end && !self.whole {
            self.fill()?;
        }
        Ok(self.unread())
    }

    /// Number of the line at the beginning of the unread text.
    pub(crate) fn line_number(&self) -> u64 {
        self.line
    }

    /// Number of bytes of the file read so far.
    pub(crate) fn position(&self) -> u64 {
        self.bytes.position
    }

    pub(crate) fn path(&self) -> &'p Path {
        self.path
    }

    /// Takes bytes, and the lines that end in them, from the unread text.
    pub(crate) fn consume(&mut self, bytes: usize, lines: u64) {
        self.start = self.end.min(self.start + bytes);
        self.line += lines;
    }

    /// The line that begins `offset` bytes after the beginning of the unread text.
    pub(crate) fn line_at(&mut self, offset: usize) -> Result<Next, ImportError> {
        let mut searched = offset;
        loop {
            let unread = &self.buffer[self.start..self.end];
            let rest = unread.get(searched..).unwrap_or_default();
            if let Some(found) = memchr2(b'\r', b'\n', rest) {
                let end = searched + found;
                let is_return = |byte: &&u8| **byte == b'\r';
                let returns = unread[end..].iter().take_while(is_return);
                let last = end + returns.take(MOST_RETURNS).count();
                if last < unread.len() || self.whole {
                    let next = match unread.get(last) {
                        Some(b'\n') => last + 1,
                        Some(_) | None => end + 1,
                    };
                    return Ok(Next::Line(Line {
                        end,
                        next,
                        ended: true,
                    }));
                }
                searched = end;
            } else {
                searched = searched.max(unread.len());
            }
            if self.whole {
                let end = unread.len();
                return Ok(if end <= offset {
                    Next::End
                } else {
                    Next::Line(Line {
                        end,
                        next: end,
                        ended: false,
                    })
                });
            }
            if unread.len() - offset.min(unread.len()) > MAX_LINE {
                if offset == 0 {
                    self.skip_line()?;
                }
                return Ok(Next::TooLong);
            }
            self.fill()?;
        }
    }

    /// Consumes everything up to the next end of a line.
    pub(crate) fn skip_line(&mut self) -> Result<(), ImportError> {
        loop {
            let chunk = self.chunk()?;
            let length = chunk.len();
            match memchr2(b'\r', b'\n', chunk) {
                Some(end) => {
                    self.consume(end, 0);
                    if let Next::Line(line) = self.line_at(0)? {
                        self.consume(line.next, 1);
                    }
                    return Ok(());
                }
                None if length == 0 => return Ok(()),
                None => self.consume(length, 0),
            }
        }
    }

    /// Reads more of the file behind the unread text.
    fn fill(&mut self) -> Result<(), ImportError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.buffer.truncate(self.end);
        let read = self
            .bytes
            .read(&mut self.buffer)
            .map_err(|source| ImportError::Read {
                path: self.path.to_owned(),
                source,
            })?;
        self.end = self.buffer.len();
        self.whole = read == 0;
        Ok(())
    }
}

/// A text in Windows-1252; `None` if it has bytes that mean nothing there.
pub(crate) fn windows_1252(bytes: &[u8]) -> Option<String> {
    /// The letters of 0x80 to 0x9f; the others are those of Latin-1.
    const LETTERS: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => Some(LETTERS[usize::from(byte - 0x80)]).filter(|letter| *letter != '\0'),
        0 => None,
        _ => Some(char::from(*byte)),
    };
    bytes.iter().map(letter).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Little,
    Utf16Big,
}

impl Encoding {
    /// The encoding of a text, and the length of its byte order mark.
    fn of(head: &[u8]) -> (Self, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Self::Utf8, 3),
            [0xff, 0xfe, ..] => (Self::Utf16Little, 2),
            [0xfe, 0xff, ..] => (Self::Utf16Big, 2),
            // Without a mark: ASCII letters with a zero beside each.
            [1..=127, 0, 1..=127, 0, ..] => (Self::Utf16Little, 0),
            [0, 1..=127, 0, 1..=127, ..] => (Self::Utf16Big, 0),
            _ => (Self::Utf8, 0),
        }
    }
}

/// Reads a file and converts it to UTF-8.
struct Decoder {
    file: File,
    position: u64,
    encoding: Encoding,
    /// Bytes that are read but not decoded.
    raw: Vec<u8>,
    /// The first half of a pair of surrogates.
    high: Option<u16>,
}

impl Decoder {
    /// Appends more text to a buffer; the number of bytes read from the file, 0 at its end.
    fn read(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<u64> {
        let target = match self.encoding {
            Encoding::Utf8 => &mut *buffer,
            Encoding::Utf16Little | Encoding::Utf16Big => &mut self.raw,
        };
        let read = (&mut self.file).take(AT_ONCE as u64).read_to_end(target)? as u64;
        self.position += read;
        if self.encoding != Encoding::Utf8 {
            self.decode(read == 0, buffer);
        }
        Ok(read)
    }

    /// Decodes the raw UTF-16; what is no text becomes a replacement character.
    fn decode(&mut self, last: bool, text: &mut Vec<u8>) {
        let raw = std::mem::take(&mut self.raw);
        let pairs = raw.chunks_exact(2);
        self.raw = pairs.remainder().to_vec();
        let big = self.encoding == Encoding::Utf16Big;
        let unit = |pair: &[u8]| {
            if big {
                u16::from_be_bytes([pair[0], pair[1]])
            } else {
                u16::from_le_bytes([pair[0], pair[1]])
            }
        };
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.map(unit));
        if !last
            && units
                .last()
                .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
        {
            self.high = units.pop();
        }
        let mut bytes = [0; 4];
        for letter in char::decode_utf16(units) {
            let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
        }
    }
}
