//! Vitalcast's own export: `versions.ndjson` with every version of every record as it was stored, and
//! `profile.json` beside it. Reading it back gives the same records, days and replays.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading};
use crate::json::Rows;
use crate::report::{Reject, RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::Fault;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use vitalcast_domain::{Profile, Record, UserId};

/// An export of this program.
pub(crate) static READER: FormatReader = FormatReader {
    word: "vitalcast",
    title: "Vitalcast",
    export: "`vitalcast export`, or the export of the HTTP service: a zip file with `versions.ndjson`.",
    gives: &[Gives {
        what: "everything",
        from: "`versions.ndjson`, `profile.json`",
        unit: "–",
        note: "every version of every record, with the profile",
    }],
    recognises: |sample| {
        Confidence::certain_if(
            sample.is_json(|keys| keys.pass(is_known))
                && Rows::open(sample.path, &is_known).is_ok_and(|(_, known)| known),
        )
    },
    read: Reading::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["kind", "provenance"])
}

/// Name of the file with the person's profile.
const PROFILE: &str = "profile.json";
/// Bytes of it that are read at most.
const LONGEST_PROFILE: u64 = 1 << 20;

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
        let mut text = Vec::new();
        File::open(&beside)
            .and_then(|file| file.take(LONGEST_PROFILE).read_to_end(&mut text))
            .map_err(failed(&beside))?;
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
        (Some(user), Some(named)) if *user != named => {
            importer.skip(SkipReason::OtherUser);
            return Ok(());
        }
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
    let (mut rows, _) = Rows::open(path, &is_known)?;
    let mut count: u64 = 0;
    while let Some(found) = rows.next()? {
        count += 1;
        if count.is_multiple_of(2_000) {
            importer.progress(path, rows.position())?;
        }
        importer.report.rows_read += 1;
        let outcome = match found.fault {
            Some(fault) => Err(fault),
            None => parse(rows.row()),
        };
        match outcome {
            Ok(record) => importer.record(&user, as_it_was_known(record, &profile))?,
            Err((reason, message)) => importer.reject(Reject {
                file: path.to_owned(),
                line: found.line,
                reason,
                message,
            })?,
        }
    }
    importer.progress(path, rows.position())
}

/// A record that can be stored.
fn parse(row: &[u8]) -> Result<Record, Fault> {
    let record: Record = serde_json::from_slice(row).map_err(|error| {
        let message = format!("not a record (column {} of the line)", error.column());
        (RejectReason::NotJson, message)
    })?;
    record.validate().map_err(|error| fault(&error))?;
    Ok(record)
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
