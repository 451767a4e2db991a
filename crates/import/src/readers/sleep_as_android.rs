//! Sleep as Android's `sleep-export.csv`: every record has a header line of its own, a line of values and
//! perhaps a line of noise.
//!
//! `Id` is the start in milliseconds since 1970, `Hours` the length, `Tz` the zone of the phone. `From` and
//! `To` have the day before the month and are not unique when clocks change; they are not read. Time asleep
//! is `Hours` plus `LenAdjust` (minutes, below 0), except that -1.0 marks an entry by hand. `DeepSleep` is
//! the share of deep sleep; below 0 there is none. Words of the `Comment` that begin with `#` are tags of the day
//! before the night: of the date twelve hours before falling asleep; `_2x` behind one says how often, and is left
//! out. The rest of the comment and events are left out. A record is several lines of one CSV table whose width
//! differs from record to record, so lines are cut here.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::numbers::number;
use crate::readings::{Night, Place};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::Fault;
use crate::tags::Noted;
use crate::text::{Next, Text};
use chrono::{DateTime, NaiveDate, TimeDelta};
use std::collections::BTreeSet;
use std::path::Path;
use vitalcast_domain::{DomainError, Moment, Zone};

const SOURCE: &str = "sleep-as-android";
/// Number of lines between two progress reports.
const PROGRESS: u64 = 2_000;
/// Most bytes of a record with a comment of several lines.
const LONGEST_RECORD: usize = 1 << 16;
/// Longest recording, hours.
const LONGEST: f64 = 24.0;
/// Shortest recording that is a sleep, hours.
const SHORTEST: f64 = 0.1;

/// The export of Sleep as Android.
pub(crate) static READER: FormatReader = FormatReader {
    word: "sleep-as-android",
    title: "Sleep as Android",
    export: "In the app: Settings, Services, Backup, Export data (`sleep-export.csv`, also in a zip file).",
    gives: &[
        Gives {
            what: "SLEEP_DURATION, TIME_IN_BED, BEDTIME, WAKE_TIME",
            from: "`Id`, `Hours`, `LenAdjust`, `Tz`",
            unit: "ms since 1970, h, min",
            note: "recordings of less than six minutes are tests and left out",
        },
        Gives {
            what: "DEEP_SLEEP_DURATION",
            from: "`DeepSleep`",
            unit: "share, 0 to 1",
            note: "from movements; events are left out",
        },
        Gives {
            what: "tag",
            from: "`Comment`: words that begin with `#`",
            unit: "yes",
            note: "of the day before the night; the app also sets some by itself",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(is_known)),
    read: Read::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Id", "Tz", "From", "To", "Hours", "DeepSleep"])
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let zone = last_zone(path)?;
    let user = importer.owner_like(path, |profile| {
        if let Some(zone) = zone {
            profile.zone = zone;
        }
    })?;
    each(path, &mut |position, line, record| {
        importer.report.rows_read += 1;
        if line.is_multiple_of(PROGRESS) {
            importer.progress(path, position)?;
        }
        let place = Place { file: path, line };
        match record.and_then(|record| night_of(&record).map(|night| night.zip(tags_of(&record)))) {
            Ok(Some((night, (day, tags)))) => {
                importer.night(&user, SOURCE, place, &night)?;
                for tag in &tags {
                    let noted = Noted {
                        id: format!("tag-{}", night.id),
                        at: Moment::Date(day),
                        name: tag,
                        applies: true,
                        note: "",
                    };
                    importer.tag(&user, SOURCE, place, &noted)?;
                }
                Ok(())
            }
            Ok(None) => {
                importer.skip(SkipReason::NotRead);
                Ok(())
            }
            Err(fault) => importer.reject(place.reject(fault)),
        }
    })
}

/// The zone of the latest record.
fn last_zone(path: &Path) -> Result<Option<Zone>, ImportError> {
    let mut last: Option<(i64, Zone)> = None;
    each(path, &mut |_, _, record| {
        if let Ok(record) = record
            && let Ok(zone) = record.cell("Tz").parse()
            && let Ok(start) = record.cell("Id").parse()
            && last.is_none_or(|last| start >= last.0)
        {
            last = Some((start, zone));
        }
        Ok(())
    })?;
    Ok(last.map(|(_, zone)| zone))
}

/// The cells of a record by the names of its header.
struct SleepRecord<'h> {
    header: &'h [String],
    cells: Vec<String>,
}

impl SleepRecord<'_> {
    fn cell(&self, name: &str) -> &str {
        let place = self.header.iter().position(|found| found == name);
        place
            .and_then(|place| self.cells.get(place))
            .map_or("", |cell| cell.trim())
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        number(self.cell(name), name)
    }
}

type Visit<'v> =
    dyn FnMut(u64, u64, Result<SleepRecord<'_>, Fault>) -> Result<(), ImportError> + 'v;

/// Visits the records of a file with their positions and lines.
fn each(path: &Path, visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let mut text = Text::open(path)?;
    let mut header: Vec<String> = Vec::new();
    loop {
        let line_number = text.line_number();
        let line = match text.line_at(0)? {
            Next::End => return Ok(()),
            Next::TooLong => {
                let message = "the line is longer than 1 MiB".to_owned();
                visit(
                    text.position(),
                    line_number,
                    Err((RejectReason::WrongLength, message)),
                )?;
                continue;
            }
            Next::Line(line) => line,
        };
        let mut bytes = text.unread()[..line.end].to_vec();
        text.consume(line.next, u64::from(line.ended));
        // A comment may have several lines.
        let is_open = |bytes: &[u8]| memchr::memchr_iter(b'"', bytes).count() % 2 == 1;
        while is_open(&bytes)
            && bytes.len() < LONGEST_RECORD
            && let Next::Line(more) = text.line_at(0)?
            && !text.unread().starts_with(b"Id,")
        {
            bytes.push(b'\n');
            bytes.extend_from_slice(&text.unread()[..more.end]);
            text.consume(more.next, u64::from(more.ended));
        }
        let Ok(row) = std::str::from_utf8(&bytes) else {
            let message = "the row is not UTF-8 text".to_owned();
            visit(
                text.position(),
                line_number,
                Err((RejectReason::NotUtf8, message)),
            )?;
            continue;
        };
        if row.starts_with("Id,") {
            header = cells(row);
        } else if !header.is_empty() && is_record(row) {
            let cells = cells(row);
            let header = &header;
            visit(
                text.position(),
                line_number,
                Ok(SleepRecord { header, cells }),
            )?;
        }
        // Other lines are noise and have no names.
    }
}

/// Whether a line has the values of a record: the first one is the number of a time.
fn is_record(row: &str) -> bool {
    let start = row.trim_start_matches('"');
    let digits = start.bytes().take_while(u8::is_ascii_digit).count();
    row.starts_with('"') || digits >= 9
}

/// The cells of a line. Within a comment, quotes are doubled.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut letters = line.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                if let Some(cell) = cells.last_mut() {
                    cell.push('"');
                }
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            letter => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells
}

/// The tags of a record, with the day before its night.
fn tags_of(record: &SleepRecord<'_>) -> Option<(NaiveDate, BTreeSet<String>)> {
    let start = DateTime::from_timestamp_millis(record.cell("Id").parse().ok()?)?;
    let zone: Zone = record.cell("Tz").parse().unwrap_or(Zone::UTC);
    let day = zone.day_of(start.checked_sub_signed(TimeDelta::hours(12))?);
    let ends = |letter: char| letter.is_whitespace() || ",;\"'()[]#".contains(letter);
    let comment = record.cell("Comment");
    let tags = comment
        .match_indices('#')
        // One within a word, as in an address, begins nothing.
        .filter(|(place, _)| comment[..*place].chars().next_back().is_none_or(ends))
        .filter_map(|(place, _)| comment[place + 1..].split(ends).next())
        .map(|tag| tag.trim_end_matches(['.', ':', '!', '?']))
        .map(|tag| match tag.rsplit_once('_') {
            Some((name, count)) if is_count(count) => name,
            Some(_) | None => tag,
        });
    let tags = tags.filter(|tag| !tag.is_empty()).map(str::to_owned);
    Some((day, tags.collect()))
}

/// Whether it says how often: `3x`.
fn is_count(text: &str) -> bool {
    let digits = text.strip_suffix('x').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The night of a record; `None` if it is a test of the app.
fn night_of(record: &SleepRecord<'_>) -> Result<Option<Night>, Fault> {
    let id = record.cell("Id");
    let start = id.parse().ok().and_then(DateTime::from_timestamp_millis);
    let start = start.ok_or_else(|| {
        let message = "Id is not a time, expected milliseconds since 1970".to_owned();
        (RejectReason::BadTime, message)
    })?;
    let hours = record.number("Hours")?.ok_or_else(|| {
        let message = "Hours is empty".to_owned();
        (RejectReason::Empty, message)
    })?;
    if !(0.0..=LONGEST).contains(&hours) {
        return Err(fault(&DomainError::OutOfRange {
            what: "Hours",
            low: 0.0,
            high: LONGEST,
            unit: "h",
        }));
    }
    if hours < SHORTEST {
        return Ok(None);
    }
    // With its decimal, -1.0 says that the entry was made by hand.
    let adjusted = match record.cell("LenAdjust") {
        "-1.0" => 0.0,
        _ => record.number("LenAdjust")?.unwrap_or(0.0),
    };
    let in_bed = hours * 60.0;
    let asleep = (in_bed + adjusted.min(0.0)).max(0.0);
    let share = record.number("DeepSleep")?;
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    let zone: Option<Zone> = record.cell("Tz").parse().ok();
    let moment = |at| Moment::Instant {
        at,
        offset_seconds: zone.map(|zone| zone.offset_seconds(at)),
    };
    let end = start + TimeDelta::seconds((hours * 3_600.0).round() as i64);
    Ok(Some(Night {
        asleep: Some(asleep),
        deep: share.map(|share| share * asleep),
        in_bed: Some(in_bed),
        ..Night::new(id, moment(start), Some(moment(end)))
    }))
}
