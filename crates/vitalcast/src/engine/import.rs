//! Imports of exports into the store.

use super::Engine;
use super::coverage::{DataCoverage, ForecastReadiness};
use super::rejects::{Rejects, file_name};
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{MetricType, Moment, Profile, Record, RecordKind, UserId, Zone};
use vitalcast_import::{
    ColumnMap, Format, ImportError, ImportOptions, KnownAt, Reject, Sink, SinkError, SkipReason,
    WorkFolder,
};
use vitalcast_store::{Deletion, RecordFilter, Store, WriteReport};

/// Id of the person in a folder of one person, unless they choose another.
const ONLY_PERSON: &str = "me";
/// Most people of an import whose days are counted for its result: that reads each one's whole history.
pub const MOST_PEOPLE_SHOWN: usize = 50;
/// File with the maps of people's own tables, a line each; and most of them.
const MAPS: &str = "column-maps.txt";
const MOST_MAPS: usize = 100;
/// The folder for what exists only while something is imported.
const TEMPORARY: &str = "temporary";

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportSettings {
    /// Format of the file; detected from the content when not given.
    pub format: Option<Format>,
    /// IANA time zone of the people in the export; each format has a default.
    pub zone: Option<Zone>,
    /// Import only this person; for an export that does not say whose it is, the person it belongs to.
    pub user: Option<UserId>,
    /// Rule for the time from which rows count as known.
    pub known_at: KnownAt,
    /// File for the list of rejected rows; default: a file in the data folder.
    pub rejects_file: Option<PathBuf>,
    /// What the columns of a person's own table mean. It is remembered: later imports read tables with these
    /// columns by it.
    pub map: Option<ColumnMap>,
    /// Read everything and write nothing: the summary says what an import would do.
    pub dry_run: bool,
    /// Zone of a new person whose export does not say where they live; UTC when not given.
    pub assumed_zone: Option<Zone>,
    /// The export is complete: records of the same source, kind and metric that it does not hold, on the
    /// days that it spans, are deleted so that they can be restored.
    pub mirror: bool,
    /// Do not say what there is of the person afterwards: that reads the whole history, and takes longer than
    /// a small import itself.
    pub without_coverage: bool,
}

/// The result of an import: counts of rows and records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSummary {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The formats that were found.
    pub formats: Vec<FormatSummary>,
    /// Files that were not read, by what they are.
    pub not_read: Vec<FilesNotRead>,
    /// Number of files read.
    pub files: u64,
    /// Number of rows read.
    pub rows_read: u64,
    /// Number of records in the rows.
    pub records: u64,
    /// Number of new records.
    pub added: u64,
    /// Number of records that were stored before, unchanged.
    pub already_there: u64,
    /// Number of corrected records: their value differs from the stored one. Replays of earlier days
    /// use the old version.
    pub corrected: u64,
    /// Number of records left out because the stored version is newer in its source.
    pub outdated: u64,
    /// Number of records left out because they were deleted here; they can be restored.
    pub deleted_before: u64,
    /// Number of records deleted because the export does not hold them any more.
    pub deleted: u64,
    /// Number of rows and cells left out that are not errors, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Number of rejected rows, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// File with the list of rejected rows, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// Ids of the people in the export.
    pub people: Vec<UserId>,
    /// Notes about the result.
    pub notes: Vec<String>,
    /// What there is of the person after the import, if it was of one person and not left out.
    pub coverage: Option<DataCoverage>,
    /// The days with a value of each metric after the import, by person, if it was of several people (up to
    /// [`MOST_PEOPLE_SHOWN`]) and not left out.
    pub days_by_person: Vec<PersonDays>,
    /// The first rejected row: its line, and the reason in words.
    #[serde(skip)]
    pub first_rejected: Option<String>,
}

/// The days of a person of which each metric has a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonDays {
    /// Id of the person.
    pub user_id: UserId,
    /// What can be forecast, and from how many days.
    pub forecasts: Vec<ForecastReadiness>,
}

/// What was read of one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormatSummary {
    /// Name of the format.
    pub format: String,
    /// Its name in sentences.
    pub title: &'static str,
    /// Number of files read.
    pub files: u64,
    /// Number of records in them.
    pub records: u64,
}

/// Files that were not read for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilesNotRead {
    /// What they are.
    pub what: String,
    /// Their number.
    pub files: u64,
    /// The first of them.
    pub examples: Vec<PathBuf>,
}

impl ImportSummary {
    /// Whether nothing in the export could be used: it has no rows, or all are rejected.
    pub fn is_unusable(&self) -> bool {
        self.records == 0 && self.skipped.is_empty()
    }

    /// Why nothing could be used, for those who do not see the list of rejected rows.
    pub(super) fn why_unusable(&self) -> String {
        let mut reasons = match self.rows_read {
            0 => vec!["it has no rows".to_owned()],
            rows => vec![format!("{rows} rows read")],
        };
        let rejected = self.rejected.iter();
        reasons.extend(rejected.map(|(reason, count)| format!("{count} rejected as {reason}")));
        let first = self.first_rejected.iter();
        reasons.extend(first.map(|first| format!("the first in {first}")));
        reasons.join("; ")
    }
}

impl Engine {
    /// Imports files, folders and zip files. Importing them again changes nothing.
    ///
    /// An export that does not say whose it is belongs to the person of the settings, else to the only
    /// person there is, else to a new one, `me`.
    ///
    /// `progress` gets the number of bytes read and the total, and can stop the import. Records
    /// imported until then stay; importing the same again completes it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Import`] if the path does not exist or nothing in it can be read,
    /// [`EngineError::Store`], [`EngineError::Interrupted`].
    pub fn import<P: AsRef<Path>>(
        &self,
        paths: &[P],
        settings: &ImportSettings,
        now: DateTime<Utc>,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<ImportSummary, EngineError> {
        if settings.dry_run {
            return self.rehearse(paths, settings, now, progress);
        }
        self.import_with(None, paths, settings, now, progress)
    }

    /// Imports into an engine of its own that is removed again. Who is known here is known there.
    fn rehearse<P: AsRef<Path>>(
        &self,
        paths: &[P],
        settings: &ImportSettings,
        now: DateTime<Utc>,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<ImportSummary, EngineError> {
        let place = self.temporary();
        let folder = WorkFolder::new_in(&place).map_err(|source| EngineError::Io {
            doing: "make a temporary folder in",
            path: place,
            source,
        })?;
        let rejects = folder.path().join("rejects.csv");
        let settings = ImportSettings {
            rejects_file: settings.rejects_file.clone().or(Some(rejects.clone())),
            ..settings.clone()
        };
        let stage = Self::open(&folder.path().join("data"))?;
        let mut summary = stage.import_with(Some(self), paths, &settings, now, progress)?;
        summary.dry_run = true;
        summary.rejects_file = summary.rejects_file.filter(|file| *file != rejects);
        Ok(summary)
    }

    /// The person to whom an export belongs that does not say whose it is; `None` if there are several to
    /// choose from.
    fn owner(&self) -> Result<Option<UserId>, EngineError> {
        let mut users = self.users()?;
        Ok(match users.len() {
            0 => Some(UserId::new(ONLY_PERSON)?),
            1 => users.pop().map(|user| user.user_id),
            _ => None,
        })
    }

    /// Imports; who is not known here may be known to `known`, and is taken over from there.
    fn import_with<P: AsRef<Path>>(
        &self,
        known: Option<&Self>,
        paths: &[P],
        settings: &ImportSettings,
        now: DateTime<Utc>,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<ImportSummary, EngineError> {
        let rejects_path = settings.rejects_file.clone().unwrap_or_else(|| {
            let moment = now.format("%Y%m%dT%H%M%SZ");
            self.folder().join(file_name(moment))
        });
        let mut sink = StoreSink {
            engine: self,
            known,
            now,
            progress,
            people: BTreeSet::new(),
            report: WriteReport::default(),
            zone_is_given: settings.zone.is_some(),
            mirror: settings.mirror.then(Mirror::default),
            placed_by_zone: BTreeMap::new(),
            notes: Vec::new(),
            rejects: Rejects::new(rejects_path),
            first_rejected: None,
        };
        let options = ImportOptions {
            format: settings.format,
            zone: settings.zone,
            assumed_zone: settings.assumed_zone,
            user: settings.user.clone(),
            owner: known.unwrap_or(self).owner()?,
            known_at: settings.known_at,
            map: settings.map.clone(),
            remembered: known.unwrap_or(self).remembered_maps()?,
            unpack_in: Some(known.unwrap_or(self).temporary()),
            ..ImportOptions::at(now)
        };
        let report = vitalcast_import::import(paths, &options, &mut sink).map_err(unwrap_sink)?;
        sink.rejects.finish()?;
        if let (Some(map), None) = (&settings.map, known) {
            self.remember_map(map)?;
        }
        let deleted = sink.finish_mirror()?;
        let mut notes = report.notes;
        notes.append(&mut sink.notes);
        notes.extend(sink.zone_note());
        notes.extend(report.owner.map(|owner| {
            format!(
                "the export does not say whose it is: it is imported as that of {owner} (choose another person \
                 with --user)"
            )
        }));
        if let Some(user) = &settings.user
            && report.records == 0
            && report.skipped.contains_key(&SkipReason::OtherUser)
        {
            notes.push(format!(
                "it contains data of other people only, not of {user}"
            ));
        }
        let people: Vec<UserId> = sink.people.into_iter().collect();
        let (mut coverage, mut days_by_person) = (None, Vec::new());
        if !settings.without_coverage && people.len() <= MOST_PEOPLE_SHOWN {
            for user in &people {
                let of_person = self.coverage(user, None, now)?;
                if people.len() == 1 {
                    coverage = Some(of_person);
                } else {
                    days_by_person.push(PersonDays {
                        user_id: of_person.user_id,
                        forecasts: of_person.forecasts,
                    });
                }
            }
        }
        let formats = report.formats.into_iter().map(|found| FormatSummary {
            format: found.format.to_string(),
            title: found.format.title(),
            files: found.files,
            records: found.records,
        });
        let not_read = report.unread.into_iter().map(|(what, found)| FilesNotRead {
            what,
            files: found.files,
            examples: found.examples,
        });
        Ok(ImportSummary {
            dry_run: false,
            formats: formats.collect(),
            not_read: not_read.collect(),
            files: report.files,
            rows_read: report.rows_read,
            records: report.records,
            added: sink.report.added,
            already_there: sink.report.unchanged,
            corrected: sink.report.corrected,
            outdated: sink.report.outdated,
            deleted_before: sink.report.deleted,
            deleted,
            skipped: words(&report.skipped),
            rejected: words(&report.rejected),
            rejects_file: sink.rejects.into_path(),
            people,
            notes,
            coverage,
            days_by_person,
            first_rejected: sink.first_rejected,
        })
    }
}

impl Engine {
    /// The place of what exists only while something is imported.
    fn temporary(&self) -> PathBuf {
        self.folder().join(TEMPORARY)
    }

    /// The maps of own tables that were given before, newest first.
    fn remembered_maps(&self) -> Result<Vec<ColumnMap>, EngineError> {
        let path = self.folder().join(MAPS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(EngineError::Io {
                    doing: "read the maps of tables in",
                    path,
                    source,
                });
            }
        };
        let maps = text.lines().rev().filter_map(|line| line.parse().ok());
        Ok(maps.take(MOST_MAPS).collect())
    }

    /// Remembers a map for tables with the same columns.
    fn remember_map(&self, map: &ColumnMap) -> Result<(), EngineError> {
        let mut maps = self.remembered_maps()?;
        maps.retain(|known| known != map);
        maps.insert(0, map.clone());
        maps.truncate(MOST_MAPS);
        let lines: Vec<String> = maps.iter().rev().map(ToString::to_string).collect();
        let path = self.folder().join(MAPS);
        let written = std::fs::write(&path, lines.join("\n") + "\n");
        written.map_err(|source| EngineError::Io {
            doing: "write the maps of tables in",
            path,
            source,
        })
    }
}

fn words<K: ToString>(counts: &BTreeMap<K, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(reason, count)| (reason.to_string(), *count))
        .collect()
}

/// Unwraps errors of the engine that were passed through the importer.
fn unwrap_sink(error: ImportError) -> EngineError {
    if matches!(error, ImportError::Interrupted) {
        return EngineError::Interrupted;
    }
    let ImportError::Sink(inner) = error else {
        return error.into();
    };
    match inner.downcast::<EngineError>() {
        Ok(error) => *error,
        Err(inner) => ImportError::Sink(inner).into(),
    }
}

struct StoreSink<'a> {
    engine: &'a Engine,
    /// Where people may be known who are not known to `engine`.
    known: Option<&'a Engine>,
    now: DateTime<Utc>,
    progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    people: BTreeSet<UserId>,
    report: WriteReport,
    /// Whether the zone was named for this import.
    zone_is_given: bool,
    mirror: Option<Mirror>,
    /// Number of records whose place in time follows from the person's zone, by zone.
    placed_by_zone: BTreeMap<&'static str, u64>,
    notes: Vec<String>,
    rejects: Rejects,
    first_rejected: Option<String>,
}

/// What a complete export holds, to find what it holds no more.
#[derive(Default)]
struct Mirror {
    /// By person, kind, series and source: first and last day, and the ids.
    held: BTreeMap<MirrorKey, Held>,
}

type MirrorKey = (UserId, RecordKind, Series, String);

/// What a record is one of: an export may hold some of a source's series and not the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Series {
    Events,
    Metric(MetricType),
    Tag(String),
}

impl Series {
    fn of(record: &Record) -> Self {
        match record {
            Record::HealthMetric(reading) => Self::Metric(reading.metric),
            Record::Tag(tag) => Self::Tag(tag.name.clone()),
            Record::Meal(_) | Record::Activity(_) => Self::Events,
        }
    }

    fn metric(&self) -> Option<MetricType> {
        match self {
            Self::Metric(metric) => Some(*metric),
            Self::Events | Self::Tag(_) => None,
        }
    }
}

struct Held {
    first: NaiveDate,
    last: NaiveDate,
    ids: HashSet<String>,
}

impl Mirror {
    fn add(&mut self, user: &UserId, record: &Record) {
        let provenance = record.provenance();
        let key = (
            user.clone(),
            record.kind(),
            Series::of(record),
            provenance.source.clone(),
        );
        let held = self.held.entry(key).or_insert_with(|| Held {
            first: provenance.day,
            last: provenance.day,
            ids: HashSet::new(),
        });
        held.first = held.first.min(provenance.day);
        held.last = held.last.max(provenance.day);
        held.ids.insert(provenance.source_id.clone());
    }
}

impl StoreSink<'_> {
    fn is_without_data(&self, user: &UserId) -> Result<bool, EngineError> {
        let summary = self.engine.user(user)?;
        Ok(summary.is_none_or(|summary| summary.days == 0))
    }

    /// Copies a person from where they are known.
    fn take_over(&mut self, user: &UserId) -> Result<(), EngineError> {
        let Some(known) = self.known else {
            return Ok(());
        };
        let Some(history) = known.wait(known.store.history(user, None))? else {
            return Ok(());
        };
        self.engine.set_profile(user, &history.profile)?;
        let versions: Vec<Record> = history.versions().map(Cow::into_owned).collect();
        let store = &self.engine.store;
        self.engine
            .wait(store.write_versions(user, &versions, self.now))?;
        Ok(())
    }

    /// Deletes what a complete export does not hold any more; returns the number of records.
    fn finish_mirror(&mut self) -> Result<u64, EngineError> {
        /// Number of records per page.
        const PAGE: u32 = 5_000;
        let Some(mirror) = self.mirror.take() else {
            return Ok(0);
        };
        let mut deleted = 0;
        for ((user, kind, series, source), held) in mirror.held {
            let filter = RecordFilter {
                metric: series.metric(),
                source: Some(source),
                ..RecordFilter::all(kind, held.first..=held.last)
            };
            let mut gone = Vec::new();
            let mut after = None;
            loop {
                let (records, next) =
                    self.engine
                        .records(&user, &filter, after.as_deref(), PAGE)?;
                gone.extend(
                    records
                        .into_iter()
                        .filter(|record| Series::of(record) == series)
                        .map(|record| record.provenance().source_id.clone())
                        .filter(|id| !held.ids.contains(id)),
                );
                after = next;
                if after.is_none() {
                    break;
                }
            }
            for id in gone {
                let one = RecordFilter {
                    source_id: Some(id),
                    ..filter.clone()
                };
                let deletion = Deletion::Restorable { at: self.now };
                deleted += self.engine.delete_records(&user, &one, deletion)?;
            }
        }
        Ok(deleted)
    }

    /// The zones that placed records, where none was named.
    fn zone_note(&self) -> Option<String> {
        if self.zone_is_given || self.placed_by_zone.is_empty() {
            return None;
        }
        let counts: Vec<String> = self
            .placed_by_zone
            .iter()
            .map(|(zone, count)| format!("{count} in {zone}"))
            .collect();
        Some(format!(
            "records that do not say their UTC offset are placed in the time zone of the person: {} (choose \
             another with --zone)",
            counts.join(", ")
        ))
    }
}

/// Whether the day of a record, or the instants of its clock time or date, follow from the person's zone.
fn is_placed_by_zone(record: &Record) -> bool {
    let told = &record.provenance().told;
    if matches!((record, told.at), (Record::Tag(_), Moment::Date(_))) {
        // It is of that day in any zone.
        return false;
    }
    match told.until.unwrap_or(told.at) {
        Moment::Instant { offset_seconds, .. } => told.day.is_none() && offset_seconds.is_none(),
        Moment::Clock(_) | Moment::Date(_) => true,
    }
}

impl Sink for StoreSink<'_> {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        if !self.people.insert(user.clone()) {
            return Ok(self.engine.profile(user)?);
        }
        self.take_over(user)?;
        // Whoever is known already keeps the profile they have, but for a zone that was named.
        let store = &self.engine.store;
        let known = self
            .engine
            .wait(store.profile(user))
            .map_err(EngineError::from)?;
        match known {
            None => {
                self.engine.set_profile(user, profile)?;
            }
            // Nobody has said anything about them yet: what their first export says counts.
            Some(known) if known == Profile::default() && self.is_without_data(user)? => {
                self.engine.set_profile(user, profile)?;
            }
            Some(known) if self.zone_is_given && known.zone != profile.zone => {
                if known.moves.is_empty() {
                    let (before, after) = (known.zone, profile.zone);
                    let moved = self.engine.set_profile(
                        user,
                        &Profile {
                            zone: after,
                            ..known
                        },
                    )?;
                    self.notes.push(format!(
                        "the time zone of {user} was {before} and is {after} now; {moved} stored records \
                         belong to another day now"
                    ));
                } else {
                    self.notes.push(format!(
                        "the time zones of {user} stay as they are in the profile, with its moves"
                    ));
                }
            }
            Some(_) => {}
        }
        Ok(self.engine.profile(user)?)
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        let profile = self.engine.profile(user)?;
        let by_zone = records.iter().filter(|record| is_placed_by_zone(record));
        let by_zone = by_zone.count() as u64;
        if by_zone > 0 {
            *self.placed_by_zone.entry(profile.zone.name()).or_default() += by_zone;
        }
        if let Some(mirror) = &mut self.mirror {
            for record in &records {
                mirror.add(user, &record.clone().placed(&profile));
            }
        }
        let store = &self.engine.store;
        let report = self
            .engine
            .wait(store.write_records(user, &records, self.now))
            .map_err(EngineError::from)?;
        self.report.add(&report);
        Ok(())
    }

    fn versions(&mut self, user: &UserId, versions: Vec<Record>) -> Result<(), SinkError> {
        let store = &self.engine.store;
        let report = self
            .engine
            .wait(store.write_versions(user, &versions, self.now))
            .map_err(EngineError::from)?;
        self.report.add(&report);
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        self.first_rejected
            .get_or_insert_with(|| format!("line {}: {}", reject.line, reject.message));
        Ok(self.rejects.write(reject)?)
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        (self.progress)(done, total)
    }
}
