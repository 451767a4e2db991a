//! Searches for settings of a training.
//!
//! Every replay of a search is appended to a file of the data folder, so that a search that was killed, or
//! that is asked for more trials, goes on where it was. The file is named after what the search reads: the
//! request without the number of trials, and the state of the data. It holds settings and errors, and no id.

use super::history::chart_unit;
use super::recorded::Recorded;
use super::train::cancelled;
use super::{Engine, make_private_folder};
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use vitalcast_artifact::content_hash;
use vitalcast_charts::{ImportanceChart, ImportanceRow};
use vitalcast_domain::{History, UserId};
use vitalcast_store::Store;
use vitalcast_training::{
    Evaluation, Matter, Proceed, TuningAnswer, TuningProgress, TuningRequest, tune,
};

/// The folder of the searches.
const SEARCHES: &str = "tuning";

impl Engine {
    /// Searches settings for a model of some people, or of all when none is named; see
    /// [`vitalcast_training::tune`]. No model is registered.
    ///
    /// `on_progress` hears of every new replay, and decides whether the search goes on, ends with what was
    /// found, or stops. A search of the same data that was ended or stopped goes on from its replays.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::Training`] if nobody has enough data, and for a setting
    /// outside its bounds; [`EngineError::Interrupted`]; [`EngineError::Io`] if replays cannot be recorded.
    pub fn tune(
        &self,
        users: &[UserId],
        request: &TuningRequest,
        now: DateTime<Utc>,
        on_progress: &mut dyn FnMut(&TuningProgress<'_>) -> Proceed,
    ) -> Result<TuningAnswer, EngineError> {
        let mut users = users.to_vec();
        if users.is_empty() {
            let all = self.wait(self.store.users())?;
            users.extend(all.into_iter().map(|user| user.user_id));
        }
        users.sort();
        users.dedup();
        let mut histories = Vec::with_capacity(users.len());
        // More trials of the same search go on from those that are there.
        let search = TuningRequest {
            trials: 0,
            ..request.clone()
        };
        let mut read = serde_json::to_string(&search).expect("requests are plain values");
        read.push_str(env!("CARGO_PKG_VERSION"));
        for user in &users {
            // Before the records: what is written meanwhile makes another search.
            let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
            let history = self.load(user)?;
            let today = history.profile.day_of(now);
            read.push_str(&format!(
                "\n{user} {} {} {today}",
                generation.incarnation, generation.data
            ));
            histories.push(history);
        }
        let (mut recorded, known) = open(&self.searches(), &read)?;
        let mut fault = None;
        let mut note = |progress: &TuningProgress<'_>| {
            if let Some(new) = progress.new
                && let Err(error) = recorded.append(new)
            {
                fault = Some(error);
                return Proceed::Stop;
            }
            on_progress(progress)
        };
        let people: Vec<&History> = histories.iter().collect();
        let answer = tune(&people, request, now, &known, &mut note);
        match fault {
            Some(error) => Err(error),
            None => answer.map_err(cancelled),
        }
    }

    /// The folder with the replays of searches.
    pub(super) fn searches(&self) -> PathBuf {
        self.folder.join(SEARCHES)
    }

    /// Removes the replays of all searches.
    pub(super) fn remove_searches(&self) -> Result<(), EngineError> {
        let folder = self.searches();
        match std::fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::Io {
                doing: "delete the recorded searches in",
                path: folder,
                source,
            }),
            _ => Ok(()),
        }
    }
}

/// The file of the search that reads this, and the replays in it. A line that was cut off by a kill is left
/// out.
fn open(folder: &Path, read: &str) -> Result<(Recorded, Vec<Evaluation>), EngineError> {
    let doing = "record a search in";
    let path = folder.join(format!("{}.jsonl", &content_hash(read.as_bytes())[..32]));
    make_private_folder(folder).map_err(|source| EngineError::Io {
        doing,
        path: path.clone(),
        source,
    })?;
    let (recorded, lines) = Recorded::open(&path, doing)?;
    let lines = lines.iter();
    let evaluations = lines.filter_map(|line| serde_json::from_str(line).ok());
    Ok((recorded, evaluations.collect()))
}

/// A picture of the settings that mattered; `None` if nothing is known about that.
pub fn matter_chart(answer: &TuningAnswer) -> Option<ImportanceChart> {
    if answer.mattered.is_empty() {
        return None;
    }
    let unit = chart_unit(answer.request.metric).with_decimals(3);
    let row = |matter: &Matter| ImportanceRow {
        label: matter.setting.name().replace('_', " "),
        value: matter.effect,
        lower: None,
        upper: None,
        note: String::new(),
    };
    Some(ImportanceChart {
        title: format!("Settings of {} that mattered", answer.request.architecture),
        subtitle: format!(
            "how far each moved the error of {} trials from their mean",
            answer.tried
        ),
        unit: Some(unit),
        rows: answer.mattered.iter().map(row).collect(),
    })
}
