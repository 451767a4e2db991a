//! `vitalcast import --watch`: imports a folder whenever something in it has changed.

use crate::interrupt::Interrupt;
use crate::output::Output;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use vitalcast::{Engine, EngineError, ErrorKind, ImportSettings};

/// Depth of folders that are looked at.
const MAX_DEPTH: usize = 12;
/// Time between two looks at Ctrl-C.
const BLINK: Duration = Duration::from_millis(200);

/// What the files of some folders look like from outside.
type Seen = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// Imports the paths now, and again whenever a file in them is new or has changed and is no longer being
/// written. Ends with Ctrl-C.
pub(crate) fn run(
    engine: &Engine,
    paths: &[PathBuf],
    settings: &ImportSettings,
    every: Duration,
    now: &dyn Fn() -> DateTime<Utc>,
    interrupt: &Interrupt,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut imported: Option<Seen> = None;
    let mut before: Option<Seen> = None;
    output.note(format_args!(
        "Watching {} (Ctrl-C ends it).",
        crate::exit::listed(paths)
    ));
    while interrupt.check().is_continue() {
        let seen = look(paths);
        // A file that has changed since the last look may still be written.
        let is_quiet = before.is_none() || before.as_ref() == Some(&seen);
        if is_quiet && imported.as_ref() != Some(&seen) && !seen.is_empty() {
            let summary = engine.import(paths, settings, now(), &mut |_, _| interrupt.check());
            // Files that cannot be read must change first; a disk that is full may have room the next time.
            let is_settled = match &summary {
                Ok(_) => true,
                Err(error) => error.kind() == ErrorKind::InvalidData,
            };
            match summary {
                Ok(summary) if output.is_json() => output.json(&summary)?,
                Ok(summary) => output.line(format_args!(
                    "{}: {} new, {} corrected, {} rejected",
                    now().format("%Y-%m-%d %H:%M:%S UTC"),
                    summary.added,
                    summary.corrected,
                    summary.rejected.values().sum::<u64>()
                ))?,
                Err(EngineError::Interrupted) => break,
                // The next file may be a whole one.
                Err(error) => output.error(&error.into()),
            }
            output.flush()?;
            imported = is_settled.then(|| seen.clone());
        }
        before = Some(seen);
        wait(every, interrupt);
    }
    Ok(())
}

fn wait(time: Duration, interrupt: &Interrupt) {
    let mut left = time;
    while left > Duration::ZERO && matches!(interrupt.check(), ControlFlow::Continue(())) {
        let nap = left.min(BLINK);
        std::thread::sleep(nap);
        left -= nap;
    }
}

/// Sizes and times of all files. What cannot be read now is looked at the next time.
fn look(paths: &[PathBuf]) -> Seen {
    let mut seen = Seen::new();
    for path in paths {
        add(path, 0, &mut seen);
    }
    seen
}

fn add(path: &Path, depth: usize, seen: &mut Seen) {
    let Ok(data) = std::fs::symlink_metadata(path) else {
        return;
    };
    if data.is_file() {
        seen.insert(path.to_owned(), (data.len(), data.modified().ok()));
    } else if data.is_dir() && depth < MAX_DEPTH {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries {
            add(&entry.path(), depth + 1, seen);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_or_appears_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned()];
        let empty = look(&paths);
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        assert_eq!(look(&paths), empty);
        let file = folder.path().join("inner/a.csv");
        std::fs::write(&file, "a").unwrap();
        let one = look(&paths);
        assert_eq!(one.len(), 1);
        std::fs::write(&file, "ab").unwrap();
        assert_ne!(look(&paths), one);
        assert!(look(&[folder.path().join("gone")]).is_empty());
    }
}
