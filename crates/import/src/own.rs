//! Vitalcast's own export: `versions.ndjson` with every version of every record as it was stored, and
//! `profile.json` beside it. Reading it back gives the same records, days and replays.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::FormatReader;
use crate::report::{Reject, RejectReason, SkipReason};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use vitalcast_domain::{Profile, Record, UserId};

/// An export of this program.
pub(crate) static READER: FormatReader = FormatReader {
    word: "vitalcast",
    recognises: |columns| columns.has_all(&["kind", "provenance"]),
    read,
};

/// Name of the file with the person's profile.
const PROFILE: &str = "profile.json";

/// The profile, with the id of the person in exports that have it.
#[derive(Deserialize)]
struct ExportedProfile {
    user_id: Option<UserId>,
    #[serde(flatten)]
    profile: Profile,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ImportError::Read { path, source }
    };
    let beside = path.with_file_name(PROFILE);
    let exported: Option<ExportedProfile> = if beside.is_file() {
        let text = std::fs::read(&beside).map_err(failed(&beside))?;
        let parsed = serde_json::from_slice(&text);
        Some(parsed.map_err(|_| ImportError::Unrecognised {
            path: beside.clone(),
            what: "not the profile of a person".to_owned(),
        })?)
    } else {
        None
    };
    let named = exported.as_ref().and_then(|found| found.user_id.clone());
    let user = match (&importer.options.user, named) {
        (Some(user), _) => user.clone(),
        (None, Some(user)) => user,
        (None, None) => {
            return Err(ImportError::WithoutUser {
                path: path.to_owned(),
            });
        }
    };
    let profile = exported.map_or_else(Profile::default, |found| found.profile);
    if let Err(faults) = profile.validate() {
        return Err(ImportError::Unrecognised {
            path: beside,
            what: format!("a profile with invalid values: {faults}"),
        });
    }
    importer.person_with(&user, &profile)?;
    let mut reader = BufReader::new(File::open(path).map_err(failed(path))?);
    let mut line = Vec::new();
    let (mut number, mut position) = (0, 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(failed(path))?;
        if read == 0 {
            break;
        }
        number += 1;
        position += read as u64;
        if number % 2_000 == 0 {
            importer.progress(path, position)?;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        importer.report.rows_read += 1;
        let outcome = serde_json::from_slice::<Record>(&line)
            .map_err(|error| {
                let message = format!("not a record (column {} of the line)", error.column());
                (RejectReason::NotJson, message)
            })
            .and_then(|record| {
                let is_valid = record.validate().map_err(|error| fault(&error));
                is_valid.map(|()| record)
            });
        match outcome {
            Ok(record) => importer.record(&user, as_it_was_known(record, &profile))?,
            Err((reason, message)) => importer.reject(Reject {
                file: path.to_owned(),
                line: number,
                reason,
                message,
            })?,
        }
    }
    importer.progress(path, position)?;
    if importer.report.records == 0 && number == 0 {
        importer.skip(SkipReason::OtherFile);
    }
    Ok(())
}

/// A version keeps the time when it became known, also where that does not follow from what its source
/// said, as for a correction.
fn as_it_was_known(mut record: Record, profile: &Profile) -> Record {
    let known_at = record.provenance().known_at;
    record.place(profile);
    if record.provenance().known_at != known_at {
        let provenance = record.provenance_mut();
        provenance.told.known_at = Some(known_at);
        provenance.known_at = known_at;
    }
    record
}
