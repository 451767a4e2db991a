//! The elements of an export, one by one. Nothing is longer in memory than one element of limited length.

use crate::error::ImportError;
use crate::time::{Stamp, iso};
use chrono::{DateTime, Utc};
use memchr::memmem;
use quick_xml::XmlVersion;
use quick_xml::events::attributes::{Attribute, Attributes};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Longest element or text between elements, bytes.
const LONGEST: usize = 1 << 20;
/// Most elements within each other.
const DEEPEST: usize = 200;
/// Bytes before the root element that are looked through for it.
const PROLOG: u64 = 1 << 20;
/// Bytes read at a time.
const AT_ONCE: usize = 1 << 18;
/// The root element; no declaration in the document type begins like this.
const ROOT: &[u8] = b"<HealthData";
/// Beginnings of the elements with which reading goes on behind damage.
const ENTRIES: [&[u8]; 4] = [
    b"<Record ",
    b"<Workout ",
    b"<Correlation ",
    b"<ActivitySummary ",
];
/// Bytes that are more than any of them.
const LONGEST_ENTRY: usize = 32;
/// Most damaged places of a file behind which reading goes on.
const MOST_DAMAGED: u32 = 1_000;

/// The elements of a file.
pub(super) struct Elements {
    reader: Reader<Capped>,
    buffer: Vec<u8>,
    /// Place of the root element in the file.
    begin: u64,
    depth: usize,
    /// Damaged places so far.
    damaged: u32,
}

/// What comes next in a file.
pub(super) enum Next<'a> {
    /// An element with elements in it.
    Start(BytesStart<'a>),
    /// An element with nothing in it.
    Empty(BytesStart<'a>),
    /// The end of an element; its name.
    End(Kind),
    /// An element that is not UTF-8 text.
    NotUtf8,
    /// Anything else.
    Other,
    /// Something that is not XML, or too long or deep. It is passed over, to the next entry.
    Damaged(&'static str),
    /// The end of the file.
    EndOfFile,
    /// What is wrong from here on.
    Damage(String),
}

/// The elements that have a meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Record,
    Correlation,
    Workout,
    WorkoutActivity,
    WorkoutStatistics,
    MetadataEntry,
    ActivitySummary,
    ExportDate,
    /// The root, and what describes the person.
    About,
    Other,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "Record" => Self::Record,
            "Correlation" => Self::Correlation,
            "Workout" => Self::Workout,
            "WorkoutActivity" => Self::WorkoutActivity,
            "WorkoutStatistics" => Self::WorkoutStatistics,
            "MetadataEntry" => Self::MetadataEntry,
            "ActivitySummary" => Self::ActivitySummary,
            "ExportDate" => Self::ExportDate,
            "HealthData" | "Me" => Self::About,
            _ => Self::Other,
        }
    }
}

impl Elements {
    /// Opens a file at its root element. The document type before it is not read: some versions of iOS
    /// write one that no parser accepts.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut head = Vec::new();
        (&mut file)
            .take(PROLOG)
            .read_to_end(&mut head)
            .map_err(failed)?;
        let begin = root_in(&head).ok_or_else(|| ImportError::Unrecognised {
            path: path.to_owned(),
            what: "XML without an element HealthData".to_owned(),
        })? as u64;
        file.seek(SeekFrom::Start(begin)).map_err(failed)?;
        Ok(Self {
            reader: reader_of(Capped {
                inner: Some(BufReader::with_capacity(AT_ONCE, file)),
                left: LONGEST,
            }),
            buffer: Vec::new(),
            begin,
            depth: 0,
            damaged: 0,
        })
    }

    /// Number of bytes of the file read so far.
    pub(super) fn position(&self) -> u64 {
        self.begin.saturating_add(self.reader.buffer_position())
    }

    /// The next part of the file, and the number of elements in which it stands.
    pub(super) fn next(&mut self) -> (Next<'_>, usize) {
        self.buffer.clear();
        self.reader.get_mut().left = LONGEST;
        let depth = self.depth;
        let at = self.begin.saturating_add(self.reader.buffer_position());
        let what = match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Start(element)) => {
                self.depth += 1;
                if self.depth <= DEEPEST {
                    return (Next::Start(element), depth);
                }
                "too many elements within each other"
            }
            Ok(Event::Empty(element)) => return (Next::Empty(element), depth),
            Ok(Event::End(element)) => {
                self.depth = self.depth.saturating_sub(1);
                return (Next::End(Kind::of(element.name().0)), depth);
            }
            Ok(Event::Eof) if depth > 0 => {
                let what = "the file ends in the middle of an element".into();
                return (Next::Damage(what), depth);
            }
            Ok(Event::Eof) => return (Next::EndOfFile, depth),
            Ok(
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_),
            ) => return (Next::Other, depth),
            Err(Error::Encoding(_)) => {
                // The parser gives up, but the element is behind it.
                self.begin += self.reader.buffer_position();
                let stopped = std::mem::replace(&mut self.reader, reader_of(Capped::default()));
                self.reader = reader_of(stopped.into_inner());
                return (Next::NotUtf8, depth);
            }
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                "an element is longer than 1 MiB"
            }
            Err(Error::Io(error)) => {
                return (Next::Damage(format!("it cannot be read: {error}")), depth);
            }
            Err(
                Error::Syntax(_)
                | Error::IllFormed(_)
                | Error::InvalidAttr(_)
                | Error::Escape(_)
                | Error::Namespace(_),
            ) => "it is not XML",
        };
        self.damaged += 1;
        let stopped = std::mem::replace(&mut self.reader, reader_of(Capped::default()));
        let file = stopped.into_inner().inner;
        if self.damaged <= MOST_DAMAGED
            && let Some(mut file) = file
            && let Ok(Some(found)) = seek_behind(&mut file, at)
        {
            self.reader = reader_of(Capped {
                inner: Some(file),
                left: LONGEST,
            });
            (self.begin, self.depth) = (found, 1);
            return (Next::Damaged(what), depth);
        }
        (Next::Damage(what.to_owned()), depth)
    }
}

/// Goes to the first entry that begins behind a place; `None` if there is none.
fn seek_behind(file: &mut BufReader<File>, at: u64) -> std::io::Result<Option<u64>> {
    let mut from = at.saturating_add(1);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    loop {
        let more = file.by_ref().take(AT_ONCE as u64).read_to_end(&mut text)?;
        let places = ENTRIES
            .iter()
            .filter_map(|entry| memmem::find(&text, entry));
        if let Some(place) = places.min() {
            let found = from + place as u64;
            file.seek(SeekFrom::Start(found))?;
            return Ok(Some(found));
        }
        if more == 0 {
            return Ok(None);
        }
        // An entry may begin in one part and end in the next.
        let gone = text.len().saturating_sub(LONGEST_ENTRY);
        text.drain(..gone);
        from += gone as u64;
    }
}

/// When an export was made; `None` if its beginning does not say it.
pub(super) fn made_at(path: &Path) -> Option<DateTime<Utc>> {
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(PROLOG).read_to_end(&mut head).ok()?;
    let head = &head[root_in(&head)?..];
    let entry = &head[memmem::find(head, b"<ExportDate")?..];
    let entry = &entry[..memchr::memchr(b'>', entry)?];
    let text = std::str::from_utf8(entry).ok()?;
    let (_, text) = text.split_once("value=")?;
    let quote = text.chars().next()?;
    let text = text.get(1..)?.split(quote).next()?;
    time_of(text).map(|(at, _)| at)
}

/// Place of the root element in the beginning of a file.
fn root_in(head: &[u8]) -> Option<usize> {
    memmem::find_iter(head, ROOT).find(|place| {
        let after = head.get(place + ROOT.len());
        after.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
    })
}

/// A file of which only so many bytes can be read until more are granted.
#[derive(Default)]
struct Capped {
    inner: Option<BufReader<File>>,
    left: usize,
}

fn reader_of(file: Capped) -> Reader<Capped> {
    let mut reader = Reader::from_reader(file);
    let config = reader.config_mut();
    // An element that is lost costs itself, not the rest of the file.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}

impl BufRead for Capped {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.inner.as_mut().map_or(Ok(&[]), BufRead::fill_buf)
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        if let Some(file) = &mut self.inner {
            file.consume(amount);
        }
    }
}

/// The attributes of an element, as they are written. One that is broken ends them.
pub(super) fn attributes<'a>(element: &'a BytesStart<'_>) -> impl Iterator<Item = Attribute<'a>> {
    let mut attributes: Attributes<'a> = element.attributes();
    attributes.with_checks(false);
    attributes.map_while(Result::ok)
}

/// The text of an attribute: the five entities of XML are resolved, others are left as they are.
pub(super) fn text_of<'a>(attribute: &'a Attribute<'_>) -> Cow<'a, str> {
    if !attribute.value.contains('&') {
        return Cow::Borrowed(&attribute.value);
    }
    let resolved = attribute.normalized_value(XmlVersion::Implicit1_0);
    resolved.unwrap_or(Cow::Borrowed(&attribute.value))
}

/// A time with its written offset.
pub(super) fn time_of(text: &str) -> Option<(DateTime<Utc>, Option<i32>)> {
    match iso(text)? {
        Stamp::Instant(at, offset) => Some((at, offset)),
        Stamp::Wall(_) | Stamp::Day(_) => None,
    }
}
