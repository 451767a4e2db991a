//! Exit codes of errors.

use std::process::ExitCode;
use vitalcast::{EngineError, ErrorKind, ImportError, ModelFileError, TrainingError};
use vitalcast_cohort::CohortError;

/// The exit code of a failed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Any other error.
    Failure = 1,
    /// Invalid command line.
    Usage = 2,
    /// Unknown user, model or file.
    NotFound = 3,
    /// Invalid data, or too little data.
    InvalidData = 4,
    /// A resource is in use.
    Busy = 6,
    /// A folder that cannot be written, a full disk.
    Unavailable = 7,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A mistake in the command line that the parser could not see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// An import that found nothing to use, after its summary was printed.
#[derive(Debug, thiserror::Error)]
#[error("no row of {} could be used", listed(.0))]
pub(crate) struct NothingUsable(pub(crate) Vec<std::path::PathBuf>);

/// A replay in which no model made a forecast, after the reasons were printed.
#[derive(Debug, thiserror::Error)]
#[error("no model made a forecast of a scored day")]
pub(crate) struct NoForecast;

/// Paths for messages.
pub(crate) fn listed(paths: &[std::path::PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}

/// A table of all people where there are none.
#[derive(Debug, thiserror::Error)]
#[error("this data folder contains no people yet")]
pub(crate) struct NobodyHere;

pub(crate) fn code_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<NothingUsable>().is_some()
        || error.downcast_ref::<NoForecast>().is_some()
    {
        return Exit::InvalidData;
    }
    if error.downcast_ref::<UsageError>().is_some() {
        return Exit::Usage;
    }
    if error.downcast_ref::<NobodyHere>().is_some() {
        return Exit::NotFound;
    }
    if let Some(error) = error.downcast_ref::<CohortError>() {
        return code_of_cohort(error);
    }
    if let Some(error) = error.downcast_ref::<EngineError>() {
        return match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::InvalidRequest => Exit::Usage,
            ErrorKind::InvalidData | ErrorKind::NotEnoughData | ErrorKind::Damaged => {
                Exit::InvalidData
            }
            ErrorKind::Busy => Exit::Busy,
            ErrorKind::Unavailable => Exit::Unavailable,
            ErrorKind::Interrupted => Exit::Interrupted,
            ErrorKind::Internal => Exit::Failure,
        };
    }
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return code_of_io(error);
    }
    Exit::Failure
}

fn code_of_cohort(error: &CohortError) -> Exit {
    match error {
        CohortError::UnknownEnding(_)
        | CohortError::UnknownEndingOfForecasts(_)
        | CohortError::Reversed { .. }
        | CohortError::Features { .. } => Exit::Usage,
        CohortError::NoRows | CohortError::NotACohort { .. } => Exit::InvalidData,
        CohortError::Write { source, .. } | CohortError::Read { source, .. } => code_of_io(source),
    }
}

fn code_of_io(error: &std::io::Error) -> Exit {
    use std::io::ErrorKind as Io;
    let unavailable = [
        Io::PermissionDenied,
        Io::StorageFull,
        Io::ReadOnlyFilesystem,
    ];
    if error.kind() == Io::NotFound {
        Exit::NotFound
    } else if unavailable.contains(&error.kind()) {
        Exit::Unavailable
    } else {
        Exit::Failure
    }
}

/// The stable code for programs.
pub(crate) fn word_of(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<EngineError>() {
        Some(error) => error.code(),
        None if error.downcast_ref::<UsageError>().is_some() => "USAGE",
        None if error.downcast_ref::<NothingUsable>().is_some() => "NOTHING_USABLE",
        None if error.downcast_ref::<NoForecast>().is_some() => "NO_FORECAST",
        None if error.downcast_ref::<NobodyHere>().is_some() => "NOBODY_HERE",
        None => match error.downcast_ref::<CohortError>() {
            Some(
                CohortError::UnknownEnding(_)
                | CohortError::UnknownEndingOfForecasts(_)
                | CohortError::Reversed { .. },
            ) => "USAGE",
            Some(CohortError::NoRows) => "NO_ROWS",
            Some(
                CohortError::Features { .. }
                | CohortError::NotACohort { .. }
                | CohortError::Write { .. }
                | CohortError::Read { .. },
            )
            | None => "FAILURE",
        },
    }
}

/// The command that helps, if there is one.
pub(crate) fn tip_of(error: &anyhow::Error) -> Option<String> {
    if error.downcast_ref::<NobodyHere>().is_some() {
        return Some("`vitalcast import PATH` imports an export".to_owned());
    }
    let error = error.downcast_ref::<EngineError>()?;
    if let EngineError::NoModel { user, metric, .. } = error {
        let train = format!("`vitalcast train --user {user} --metric {metric}` trains one");
        return Some(train);
    }
    if let EngineError::Artifact(ModelFileError::OfModel { .. }) = error {
        let others = "`vitalcast models list` shows the others, `vitalcast models activate` takes one of them";
        return Some(others.to_owned());
    }
    if let EngineError::Training(TrainingError::NothingScored { .. }) = error {
        return Some("`--min-days N` scores people with fewer days, too".to_owned());
    }
    if let EngineError::UnknownUser { known: 0, .. } = error {
        return Some("`vitalcast import PATH` imports an export".to_owned());
    }
    let lists = [
        (matches!(error, EngineError::UnknownUser { .. }), "users"),
        (matches!(error, EngineError::UnknownModel(_)), "models list"),
        (matches!(error, EngineError::UnknownKey(_)), "keys list"),
        (
            matches!(error, EngineError::Import(ImportError::Unrecognised { .. })),
            "import --help",
        ),
    ];
    let (_, command) = lists.iter().find(|(fits, _)| *fits)?;
    Some(format!("`vitalcast {command}` lists them"))
}

/// The reader of the output has closed it (`vitalcast users | head`): not an error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
