//! Collects records into batches and counts rows and records.

use crate::error::ImportError;
use crate::format::Format;
use crate::map::ColumnMap;
use crate::options::{ImportOptions, Sink};
use crate::people::Group;
use crate::report::{FormatReport, ImportReport, Reject, RejectReason, SkipReason};
use crate::table::Fault;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use vitalcast_domain::{DomainError, Profile, Record, UserId, Zone};

/// Number of records per batch.
const BATCH: usize = 5_000;
/// The earliest year of a record.
const OLDEST_YEAR: i32 = 1990;

/// The state of one import.
pub(crate) struct Importer<'s> {
    pub(crate) options: &'s ImportOptions,
    pub(crate) report: ImportReport,
    sink: &'s mut dyn Sink,
    people: HashMap<UserId, Person, RandomState>,
    /// Number of records that wait to be passed to the sink.
    waiting: usize,
    sizes: HashMap<PathBuf, u64>,
    total_bytes: u64,
    done_bytes: BTreeMap<PathBuf, u64>,
    /// Whether the records are versions of a whole history.
    are_versions: bool,
    /// The person in whose folder the files lie that are being read.
    in_folder_of: Option<UserId>,
    /// Files that could not be read.
    failed: Vec<ImportError>,
}

/// A person who was passed to the sink.
struct Person {
    profile: Profile,
    /// Records that wait to be passed to the sink, and how many the last batch had.
    waiting: Vec<Record>,
    last: usize,
}

impl Person {
    fn take(&mut self, mut record: Record) {
        record.place(&self.profile);
        if self.waiting.capacity() == 0 {
            self.waiting.reserve(self.last);
        }
        self.waiting.push(record);
    }
}

impl<'s> Importer<'s> {
    pub(crate) fn new<'f>(
        files: impl Iterator<Item = &'f PathBuf>,
        options: &'s ImportOptions,
        sink: &'s mut dyn Sink,
    ) -> Result<Self, ImportError> {
        let mut sizes = HashMap::new();
        for file in files {
            let size = std::fs::metadata(file)
                .map_err(|source| ImportError::Read {
                    path: file.clone(),
                    source,
                })?
                .len();
            sizes.insert(file.clone(), size);
        }
        Ok(Self {
            options,
            report: ImportReport::default(),
            sink,
            people: HashMap::default(),
            waiting: 0,
            total_bytes: sizes.values().sum(),
            sizes,
            done_bytes: BTreeMap::new(),
            are_versions: false,
            in_folder_of: None,
            failed: Vec::new(),
        })
    }

    /// Reads the files of a format, person by person.
    pub(crate) fn read(&mut self, format: Format, groups: &[Group]) -> Result<(), ImportError> {
        let before = self.report.records;
        self.are_versions = format == Format::OWN_EXPORT;
        let mut count = 0;
        let mut others: Vec<&str> = Vec::new();
        for (person, files) in groups {
            if let Some(person) = person.as_ref().filter(|person| !self.wants(person)) {
                self.skip(SkipReason::OtherUser);
                others.push(person.as_str());
                continue;
            }
            self.in_folder_of.clone_from(person);
            format.read(self, files)?;
            self.flush()?;
            count += files.len() as u64;
        }
        self.in_folder_of = None;
        if !others.is_empty() {
            let others = others.join(", ");
            self.note(format!("folders of other people are left out: {others}"));
        }
        if count > 0 {
            self.report.files += count;
            self.report.formats.push(FormatReport {
                format,
                files: count,
                records: self.report.records - before,
            });
        }
        Ok(())
    }

    /// Reads files one by one. A file that cannot be read is noted, and the others are read.
    pub(crate) fn each(
        &mut self,
        files: &[PathBuf],
        read: impl Fn(&mut Self, &Path) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for file in files {
            self.attempt(|importer| read(importer, file))?;
        }
        Ok(())
    }

    /// Reads one of the files that complete each other. If it cannot be read, that is noted, and reading
    /// goes on.
    pub(crate) fn attempt(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        match read(self) {
            Ok(()) => Ok(()),
            Err(error @ (ImportError::Interrupted | ImportError::Sink(_))) => Err(error),
            Err(error) => {
                self.failed.push(error);
                Ok(())
            }
        }
    }

    /// Whether rows of this person are imported.
    pub(crate) fn wants(&self, user: &UserId) -> bool {
        self.options
            .user
            .as_ref()
            .is_none_or(|wanted| wanted == user)
    }

    /// The time zone of a person who was passed to the sink before.
    pub(crate) fn zone_of(&self, user: &UserId) -> Option<Zone> {
        self.people.get(user).map(|person| person.profile.zone)
    }

    /// The zone of a new person of whom the export does not say where they live.
    pub(crate) fn zone_to_assume(&self) -> Zone {
        let options = self.options;
        options.zone.or(options.assumed_zone).unwrap_or(Zone::UTC)
    }

    /// Passes a person to the sink, once.
    pub(crate) fn person(&mut self, user: &UserId, zone: Zone) -> Result<(), ImportError> {
        if self.people.contains_key(user) {
            return Ok(());
        }
        let profile = Profile {
            zone,
            ..Profile::default()
        };
        self.person_with(user, &profile)
    }

    /// Passes a person with their profile to the sink, once.
    pub(crate) fn person_with(
        &mut self,
        user: &UserId,
        profile: &Profile,
    ) -> Result<(), ImportError> {
        if self.people.contains_key(user) {
            return Ok(());
        }
        let profile = self.sink.person(user, profile).map_err(ImportError::Sink)?;
        let person = Person {
            profile,
            waiting: Vec::new(),
            last: 0,
        };
        self.people.insert(user.clone(), person);
        Ok(())
    }

    /// The person to whom an export without ids belongs; they are passed to the sink.
    pub(crate) fn owner(&mut self, file: &Path) -> Result<UserId, ImportError> {
        self.owner_like(file, |_| {})
    }

    /// The same, with what the export says about a new person: it is written into the profile that the
    /// function gets, which has the zone to be assumed.
    pub(crate) fn owner_like(
        &mut self,
        file: &Path,
        describe: impl FnOnce(&mut Profile),
    ) -> Result<UserId, ImportError> {
        let told = self.options.user.as_ref().or(self.in_folder_of.as_ref());
        let named = told.or(self.options.owner.as_ref());
        let user = named.cloned().ok_or_else(|| ImportError::WithoutUser {
            path: file.to_owned(),
        })?;
        if told.is_none() {
            self.report.owner = Some(user.clone());
        } else if self.options.user.is_none() {
            self.note(
                "the files are of several people, whose ids are the names of their folders"
                    .to_owned(),
            );
        }
        if !self.people.contains_key(&user) {
            let mut profile = Profile {
                zone: self.options.assumed_zone.unwrap_or(Zone::UTC),
                ..Profile::default()
            };
            describe(&mut profile);
            if let Some(zone) = self.options.zone {
                profile.zone = zone;
                profile.moves.clear();
            }
            self.person_with(&user, &profile)?;
        }
        Ok(user)
    }

    /// The profile of a person who was passed to the sink before.
    pub(crate) fn profile_of(&self, user: &UserId) -> Profile {
        let person = self.people.get(user);
        person.map_or_else(Profile::default, |person| person.profile.clone())
    }

    /// Adds a record to the next batch; a person who is new has the zone to be assumed.
    pub(crate) fn record(&mut self, user: &UserId, record: Record) -> Result<(), ImportError> {
        match self.people.get_mut(user) {
            Some(person) => person.take(record),
            None => {
                self.person(user, self.zone_to_assume())?;
                if let Some(person) = self.people.get_mut(user) {
                    person.take(record);
                }
            }
        }
        self.report.records += 1;
        self.waiting += 1;
        if self.waiting >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    pub(crate) fn reject(&mut self, reject: Reject) -> Result<(), ImportError> {
        *self.report.rejected.entry(reject.reason).or_default() += 1;
        self.sink.reject(&reject).map_err(ImportError::Sink)
    }

    pub(crate) fn skip(&mut self, reason: SkipReason) {
        *self.report.skipped.entry(reason).or_default() += 1;
    }

    pub(crate) fn note(&mut self, note: String) {
        if !self.report.notes.contains(&note) {
            self.report.notes.push(note);
        }
    }

    /// Numbers of rows, of records, and of rows and cells that are left out without a fault.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let skipped = self.report.skipped.values().sum();
        (self.report.rows_read, self.report.records, skipped)
    }

    /// Says that a file has given nothing, with the counts from before it was read.
    pub(crate) fn tell_of_nothing(&mut self, file: &Path, before: (u64, u64, u64)) {
        let after = self.counts();
        if after.1 > before.1 || after.2 > before.2 {
            return;
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.note(match after.0 - before.0 {
            0 => format!("{name}: the file has no rows"),
            rows => format!("{name}: none of its {rows} rows could be used"),
        });
    }

    pub(crate) fn progress(&mut self, file: &Path, position: u64) -> Result<(), ImportError> {
        let size = self.sizes.get(file).copied().unwrap_or(position);
        self.done_bytes.insert(file.to_owned(), position.min(size));
        let done = self.done_bytes.values().sum();
        if self.sink.progress(done, self.total_bytes).is_break() {
            return Err(ImportError::Interrupted);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ImportError> {
        let mut people: Vec<_> = self
            .people
            .iter_mut()
            .filter(|(_, person)| !person.waiting.is_empty())
            .collect();
        // In the order of ids, so that the same file is written in the same order.
        people.sort_by_key(|(user, _)| *user);
        self.waiting = 0;
        for (user, person) in people {
            let records = std::mem::take(&mut person.waiting);
            person.last = records.len();
            let written = if self.are_versions {
                self.sink.versions(user, records)
            } else {
                self.sink.records(user, records)
            };
            written.map_err(ImportError::Sink)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<ImportReport, ImportError> {
        self.flush()?;
        self.report.people = self.people.len() as u64;
        if !self.failed.is_empty() && self.report.rows_read == 0 && self.report.records == 0 {
            return Err(self.failed.swap_remove(0));
        }
        for error in std::mem::take(&mut self.failed) {
            let (what, path) = match error {
                ImportError::Read { path, source } => (format!("cannot be read: {source}"), path),
                ImportError::Unrecognised { path, what } => (what, path),
                ImportError::MissingColumn { path, column, .. } => {
                    (format!("a table without a column {column:?}"), path)
                }
                ImportError::OwnTable { path, map } => (own_table(&map), path),
                ImportError::WithoutUser { path } => ("data of an unknown person".to_owned(), path),
                error @ (ImportError::Interrupted | ImportError::Sink(_)) => return Err(error),
            };
            self.report.files = self.report.files.saturating_sub(1);
            self.report.unread.entry(what).or_default().add(path);
        }
        Ok(self.report)
    }

    /// Refuses a time in the future or before the earliest year.
    pub(crate) fn check_time(&self, moment: DateTime<Utc>) -> Result<(), Fault> {
        check_year(moment.date_naive())?;
        if moment > self.options.now + TimeDelta::days(1) {
            return Err((
                RejectReason::Future,
                format!("{} is in the future", moment.date_naive()),
            ));
        }
        Ok(())
    }

    /// Refuses a local day in the future or before the earliest year.
    pub(crate) fn check_day(&self, day: NaiveDate) -> Result<(), Fault> {
        check_year(day)?;
        if day > (self.options.now + TimeDelta::days(1)).date_naive() {
            return Err((RejectReason::Future, format!("{day} is in the future")));
        }
        Ok(())
    }
}

/// What a table is that nobody knows, but whose columns suggest a map.
pub(crate) fn own_table(map: &ColumnMap) -> String {
    format!("a table that no reader knows; if its columns are these: --map '{map}'")
}

fn check_year(day: NaiveDate) -> Result<(), Fault> {
    use chrono::Datelike;
    if day.year() < OLDEST_YEAR {
        return Err((
            RejectReason::TooOld,
            format!("{day} is before {OLDEST_YEAR}, the earliest year accepted"),
        ));
    }
    Ok(())
}

/// Converts a refused value to the reason of a rejected row.
pub(crate) fn fault(error: &DomainError) -> Fault {
    let reason = match error {
        DomainError::NotFinite { .. } => RejectReason::NotFinite,
        DomainError::OutOfRange { .. } => RejectReason::OutOfRange,
        DomainError::WrongUnit { .. } => RejectReason::WrongUnit,
        DomainError::Times(_) => RejectReason::Contradiction,
        DomainError::UnsafeId { .. } => RejectReason::BadUser,
        DomainError::UnknownWord { .. } | DomainError::UnknownZone(_) => RejectReason::UnknownWord,
    };
    (reason, said(error))
}

/// What an error says, without a word that may be a health value in the wrong column.
fn said(error: &DomainError) -> String {
    match error {
        DomainError::UnknownWord {
            what,
            got,
            expected,
        } if got.bytes().any(|byte| byte.is_ascii_digit()) => {
            format!("unknown {what}, expected one of: {expected}")
        }
        DomainError::UnsafeId { what, max, got } if got.parse::<f64>().is_ok() => {
            format!("{what} must be 1 to {max} characters, each a letter, digit, '-' or '_'")
        }
        DomainError::UnknownWord { .. }
        | DomainError::UnsafeId { .. }
        | DomainError::UnknownZone(_)
        | DomainError::WrongUnit { .. }
        | DomainError::NotFinite { .. }
        | DomainError::Times(_)
        | DomainError::OutOfRange { .. } => error.to_string(),
    }
}
