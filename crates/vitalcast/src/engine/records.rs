//! Records of a person: reading, deletion, export and erasure.

use super::{Engine, FolderLock};
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::io::{Seek, Write};
use std::ops::RangeInclusive;
use std::time::Duration;
use vitalcast_artifact::{FILE_EXTENSION, write_atomically};
use vitalcast_domain::{JobId, PredictionMetric, Record, RecordKind, UserId};
use vitalcast_store::{Deletion, Experiments, Jobs, RecordFilter, Store, Unreadable, UserSummary};
use zip::write::SimpleFileOptions;

/// Number of records per page of an export.
const PAGE: u32 = 5_000;
/// Maximum number of jobs in an export.
const JOBS: u32 = 10_000;

/// The result of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Erasure {
    /// Who.
    pub user_id: UserId,
    /// Always true: all data in the database and all models are deleted.
    pub erased: bool,
    /// Ids of the models whose files were deleted.
    pub model_files: usize,
    /// Whether the log of the database was emptied too. If another process was reading it, deleted data
    /// stay in that file until the next erasure or until the database is closed.
    pub log_emptied: bool,
    /// Whether the shared cache was cleared too. If it could not be reached, its entries are not used
    /// any more and expire within one day.
    pub shared_cache_cleared: bool,
}

impl Engine {
    /// An overview of the data of a person; `None` for an unknown person.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn user(&self, user: &UserId) -> Result<Option<UserSummary>, EngineError> {
        Ok(self.wait(self.store.user(user))?)
    }

    /// A page of records of a person in their current version, ordered by day and time, after the
    /// cursor `after`; with a cursor if there may be more. Empty for an unknown person.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`], also for an invalid cursor.
    pub fn records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Record>, Option<String>), EngineError> {
        Ok(self.wait(self.store.records(user, filter, after, limit))?)
    }

    /// Deletes records with all their versions, permanently or so that they can be restored; returns
    /// their number. A record deleted so that it can be restored does not come back with an import.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn delete_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        deletion: Deletion,
    ) -> Result<u64, EngineError> {
        Ok(self.wait(self.store.delete_records(user, filter, deletion))?)
    }

    /// Restores deleted records; returns their number.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn restore_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> Result<u64, EngineError> {
        Ok(self.wait(self.store.restore_records(user, filter))?)
    }

    /// Exports all data of a person as a zip file: profile, records (JSON lines and CSV) with earlier
    /// versions, models with artifacts, forecasts with measured values, jobs.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`], a damaged artifact, or
    /// [`EngineError::Io`] when `to` cannot be written.
    pub fn export_user<W: Write + Seek>(
        &self,
        user: &UserId,
        now: DateTime<Utc>,
        to: W,
    ) -> Result<W, EngineError> {
        let failed = |source: std::io::Error| EngineError::Io {
            doing: "write the export",
            path: "export.zip".into(),
            source,
        };
        let profile = self.profile(user)?;
        let mut zip = Archive(zip::ZipWriter::new(to));
        zip.begin("README.txt").map_err(failed)?;
        write!(
            zip.0,
            "All data that Vitalcast stores about {user}.\n\n\
             profile.json       the profile of the person\n\
             records/*.ndjson   all records in their current version, one JSON object per line\n\
             records/*.csv      the same records as tables\n\
             versions.ndjson    all versions of all records as they are stored, with what the source\n\
             \u{20}                  said and the time when each became known\n\
             deleted.ndjson     deleted records that can be restored\n\
             models.json        trained models; their files are models/*.vcm\n\
             forecasts.json     forecasts, with the measured values\n\
             experiments.json   experiments on oneself, with what was said of each day\n\
             jobs.json          requested trainings and imports\n\
             unreadable.json    what this release cannot read of these two, if there is any\n\n\
             To read profile and records back: vitalcast import, with this file or the folder of its\n\
             contents. Models, forecasts, experiments and deleted records are not read back.\n"
        )
        .map_err(failed)?;
        let mut fields = serde_json::json!(profile);
        fields["user_id"] = serde_json::json!(user);
        zip.json("profile.json", &fields).map_err(failed)?;
        for &kind in RecordKind::ALL {
            self.export_records(user, kind, &mut zip)?;
        }
        zip.begin("versions.ndjson").map_err(failed)?;
        let history = self.load(user)?;
        for version in history.versions() {
            let line = serde_json::to_string(&version).expect("records hold plain values");
            writeln!(zip.0, "{line}").map_err(failed)?;
        }
        zip.begin("deleted.ndjson").map_err(failed)?;
        for &kind in RecordKind::ALL {
            let filter = RecordFilter {
                deleted: true,
                ..RecordFilter::all(kind, all_days())
            };
            let mut after = None;
            loop {
                let (records, next) = self.records(user, &filter, after.as_deref(), PAGE)?;
                for record in &records {
                    writeln!(zip.0, "{}", super::wire::record_json(record)).map_err(failed)?;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        let models = self.models(Some(user), None)?;
        zip.json("models.json", &models).map_err(failed)?;
        for model in &models {
            let artifact = self.open_artifact(&self.registered(&model.model_id)?)?;
            zip.begin(&format!("models/{}.{FILE_EXTENSION}", model.model_id))
                .map_err(failed)?;
            zip.0.write_all(&artifact.to_bytes()?).map_err(failed)?;
        }
        // What this release cannot read, a newer one can.
        for model in self.registry(Some(user), None)?.unreadable {
            let path = self.model_path(&model.file_name);
            let bytes = std::fs::read(&path).map_err(|source| EngineError::Io {
                doing: "read the artifact",
                path,
                source,
            })?;
            zip.begin(&format!("models/{}.{FILE_EXTENSION}", model.model_id))
                .map_err(failed)?;
            zip.0.write_all(&bytes).map_err(failed)?;
        }
        self.flush_forecasts()?;
        let mut forecasts = Vec::new();
        for &metric in PredictionMetric::ALL {
            forecasts.extend(self.settled_forecasts(&history, metric, now)?);
        }
        let forecasts: Vec<_> = forecasts
            .iter()
            .map(|forecast| {
                serde_json::json!({
                    "metric": forecast.metric, "target_date": forecast.target_date,
                    "as_of": forecast.as_of, "model_id": forecast.model_id,
                    "value": forecast.value, "lower": forecast.lower, "upper": forecast.upper,
                    "level": forecast.level, "predicted_at": forecast.predicted_at,
                    "actual": forecast.actual,
                })
            })
            .collect();
        zip.json("forecasts.json", &forecasts).map_err(failed)?;
        let experiments = self.wait(self.store.experiments(user))?;
        zip.json("experiments.json", &experiments.rows)
            .map_err(failed)?;
        let jobs = self.wait(self.store.jobs_of(user, JOBS))?;
        let known: Vec<_> = jobs.rows.iter().map(super::jobs::info).collect();
        zip.json("jobs.json", &known).map_err(failed)?;
        let unreadable: Vec<_> = as_stored(&experiments.unreadable, "experiment_id")
            .chain(as_stored(&jobs.unreadable, "job_id"))
            .collect();
        if !unreadable.is_empty() {
            zip.json("unreadable.json", &unreadable).map_err(failed)?;
        }
        zip.0.finish().map_err(|error| failed(error.into()))
    }

    fn export_records<W: Write + Seek>(
        &self,
        user: &UserId,
        kind: RecordKind,
        zip: &mut Archive<W>,
    ) -> Result<(), EngineError> {
        let failed = |source: std::io::Error| EngineError::Io {
            doing: "write the export",
            path: "export.zip".into(),
            source,
        };
        let filter = RecordFilter::all(kind, all_days());
        // Twice over the records instead of holding them all.
        for table in [false, true] {
            let ending = if table { "csv" } else { "ndjson" };
            zip.begin(&format!("records/{kind}.{ending}"))
                .map_err(failed)?;
            let mut after = None;
            let mut header = table;
            loop {
                let (records, next) = self.records(user, &filter, after.as_deref(), PAGE)?;
                for record in &records {
                    let fields = super::wire::record_fields(record);
                    if header {
                        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                        writeln!(zip.0, "{}", names.join(",")).map_err(failed)?;
                        header = false;
                    }
                    let line = if table {
                        csv_line(&fields)
                    } else {
                        super::wire::record_json(record).to_string()
                    };
                    writeln!(zip.0, "{line}").map_err(failed)?;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes an export to a file; see [`Engine::export_user`].
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::export_user`].
    pub fn export_user_to(
        &self,
        user: &UserId,
        now: DateTime<Utc>,
        path: &std::path::Path,
    ) -> Result<(), EngineError> {
        let bytes = self.export_user(user, now, std::io::Cursor::new(Vec::new()))?;
        Ok(write_atomically(path, &bytes.into_inner())?)
    }

    /// Erases a person: records, profile, models with their files, forecasts, jobs, keys that are only
    /// for this person, and all cached data. It also deletes all lists of rejected rows of imports,
    /// since such a list does not name the person.
    ///
    /// For processes without a [`JobRunner`](super::JobRunner): `alone` shows that no other process
    /// runs jobs on this folder. With a runner, use
    /// [`JobRunner::erase_user`](super::JobRunner::erase_user), which cancels the jobs first.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`], [`EngineError::Io`] when a file cannot
    /// be deleted; [`EngineError::InvalidSetting`] for the lock of another folder.
    ///
    /// If a step fails, the next call or the next start of a server continues the erasure: the person
    /// stays marked as being erased until all data are deleted.
    pub fn erase_user(&self, user: &UserId, alone: &FolderLock) -> Result<Erasure, EngineError> {
        if !alone.is_of(self.folder()) {
            return Err(EngineError::InvalidSetting(
                "the lock is of another data folder".to_owned(),
            ));
        }
        self.erase(user)
    }

    /// Erases a person without running jobs.
    pub(super) fn erase(&self, user: &UserId) -> Result<Erasure, EngineError> {
        let is_pending = self.is_erasure_pending(user)?;
        if !is_pending {
            self.profile(user)?;
        }
        let hashes: Vec<String> = self
            .wait(self.store.models(Some(user), None))?
            .models
            .into_iter()
            .map(|model| model.file_hash)
            .collect();
        self.forget_forecasts(user);
        let jobs = self.wait(self.store.jobs_of(user, u32::MAX))?;
        let known = jobs.rows.into_iter().map(|stored| stored.job.job_id);
        let unreadable = jobs.unreadable.into_iter().map(|job| job.id);
        let jobs: Vec<JobId> = known.chain(unreadable).collect();
        // Nobody may register one of the files between finding that it is nobody's and deleting it.
        let publishing = self.publishing()?;
        let deleted = self.wait(self.store.erase_user(user))?;
        for hash in hashes {
            self.forget_model(&hash);
        }
        for file in &deleted.orphaned_files {
            self.remove_model_file(file)?;
        }
        drop(publishing);
        let mut model_files = deleted.orphaned_files.len();
        if is_pending {
            model_files += self.remove_unregistered_files(Duration::ZERO)?;
        }
        self.remove_rejects()?;
        self.remove_uploads_of(user, &jobs);
        self.remove_searches()?;
        self.forget_fits_of(user)?;
        // A forecast that was under way may have been added meanwhile; its person is not there.
        self.forget_forecasts(user);
        let shared_cache_cleared = self.forget_person(user).is_some();
        Ok(Erasure {
            user_id: user.clone(),
            erased: true,
            model_files,
            log_emptied: self.wait(self.store.finish_erasure(user))?,
            shared_cache_cleared,
        })
    }

    /// Whether an erasure of a person was started and not completed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn is_erasure_pending(&self, user: &UserId) -> Result<bool, EngineError> {
        let pending = self.wait(self.store.pending_erasures())?;
        Ok(pending.contains(user))
    }

    /// Continues erasures that a killed process had started, and deletes model files that were never
    /// registered or have no owner any more.
    pub(super) fn finish_erasures(&self) {
        /// Newer files may belong to a command that is about to register them.
        const SETTLED: Duration = Duration::from_mins(10);
        let finish = || -> Result<(), EngineError> {
            for user in self.wait(self.store.pending_erasures())? {
                self.erase(&user)?;
            }
            self.remove_unregistered_files(SETTLED)?;
            Ok(())
        };
        if let Err(error) = finish() {
            tracing::error!(
                code = error.code(),
                "cannot delete the files of removed models"
            );
        }
    }
}

/// All days that a record can have.
pub fn all_days() -> RangeInclusive<chrono::NaiveDate> {
    let day = |year, month, day| {
        chrono::NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
    };
    day(1, 1, 1)..=day(9999, 12, 31)
}

struct Archive<W: Write + Seek>(zip::ZipWriter<W>);

impl<W: Write + Seek> Archive<W> {
    fn begin(&mut self, name: &str) -> std::io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .large_file(true);
        Ok(self.0.start_file(name, options)?)
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        self.begin(name)?;
        serde_json::to_writer_pretty(&mut self.0, value)?;
        Ok(())
    }
}

/// Rows that this release cannot read, as they are stored, with their ids under a name.
fn as_stored<I: Serialize>(
    unreadable: &[Unreadable<I>],
    id: &'static str,
) -> impl Iterator<Item = serde_json::Value> {
    unreadable
        .iter()
        .map(move |row| serde_json::json!({id: row.id, "reason": row.what, "content": row.content}))
}

fn csv_line(fields: &[(&'static str, serde_json::Value)]) -> String {
    let cells: Vec<String> = fields
        .iter()
        .map(|(_, value)| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => super::rejects::quoted(text),
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => value.to_string(),
        })
        .collect();
    cells.join(",")
}
