//! Exit codes, and which error gives which.

use std::process::ExitCode;
use vitalcast::{EngineError, ErrorKind};

/// What went wrong, as a shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Anything without a code of its own.
    Failure = 1,
    /// A command line that does not fit.
    Usage = 2,
    /// A user, model or file that is not there.
    NotFound = 3,
    /// Data that cannot be used, or too little of it.
    InvalidData = 4,
    /// Two at once where only one can be.
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

pub(crate) fn code_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<UsageError>().is_some() {
        return Exit::Usage;
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
        use std::io::ErrorKind as Io;
        let unavailable = [
            Io::PermissionDenied,
            Io::StorageFull,
            Io::ReadOnlyFilesystem,
        ];
        return if error.kind() == Io::NotFound {
            Exit::NotFound
        } else if unavailable.contains(&error.kind()) {
            Exit::Unavailable
        } else {
            Exit::Failure
        };
    }
    Exit::Failure
}

/// The stable word for programs.
pub(crate) fn word_of(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<EngineError>() {
        Some(error) => error.code(),
        None if error.downcast_ref::<UsageError>().is_some() => "USAGE",
        None => "FAILURE",
    }
}

/// The command that helps, if there is one.
pub(crate) fn tip_of(error: &anyhow::Error) -> Option<String> {
    let error = error.downcast_ref::<EngineError>()?;
    if let EngineError::NoModel { user, metric, .. } = error {
        let train = format!("`vitalcast train --user {user} --metric {metric}` trains one");
        return Some(train);
    }
    let lists = [
        (matches!(error, EngineError::UnknownUser { .. }), "users"),
        (matches!(error, EngineError::UnknownModel(_)), "models list"),
        (matches!(error, EngineError::UnknownKey(_)), "keys list"),
    ];
    let (_, command) = lists.iter().find(|(fits, _)| *fits)?;
    Some(format!("`vitalcast {command}` lists them"))
}

/// Whoever read our output has gone (`vitalcast users | head`): not an error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
