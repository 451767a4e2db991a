//! Detection of formats by content.

use crate::archive::is_zip;
use crate::batch::own_table;
use crate::error::ImportError;
use crate::format::Format;
use crate::options::ImportOptions;
use crate::readers::mapped::remembered;
use crate::report::Unread;
use crate::sample::{OTHER_TABLE, Sample, look};
use crate::suggest::suggest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Maximum depth of folders.
const MAX_DEPTH: usize = 12;
/// Endings of files in which no export has readings: they are not opened.
const NEVER_READ: [&str; 29] = [
    "aac", "avi", "bin", "cff", "css", "doc", "docx", "gif", "gpx", "heic", "htm", "html", "ics",
    "jpeg", "jpg", "js", "kml", "m4a", "md", "mov", "mp3", "mp4", "pdf", "png", "svg", "tcx",
    "ttf", "webp", "xlsx",
];

/// Number of unknown tables for which a map of their columns is suggested.
const SUGGESTIONS: usize = 20;

/// The formats of the files of an import.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The files of each format, in the order of their names.
    files: BTreeMap<&'static str, Vec<PathBuf>>,
    /// Files that nobody reads, by what they are.
    pub(crate) unread: BTreeMap<String, Unread>,
}

impl Survey {
    /// The files of a format.
    pub(crate) fn of(&self, format: Format) -> &[PathBuf] {
        self.files
            .get(format.as_str())
            .map_or(&[], |files| files.as_slice())
    }

    /// All files that are read.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.values().flatten()
    }
}

/// Finds the files below some paths and their formats. A format that is given counts for a path that is
/// a file, whatever is in it. With a map, only tables with its columns are read. Archives are passed over:
/// what they hold is below a path of its own.
///
/// # Errors
///
/// [`ImportError::Read`] if a path does not exist; [`ImportError::Unrecognised`] or
/// [`ImportError::OwnTable`] if no reader accepts anything in any of them.
pub(crate) fn survey(
    paths: &[PathBuf],
    options: &ImportOptions,
    is_archive: &dyn Fn(&Path) -> bool,
) -> Result<Survey, ImportError> {
    let map = options.map.as_ref();
    let format = if map.is_some() {
        Some(Format::TABLE)
    } else {
        options.format
    };
    let of_any = |sample: &Sample<'_>| {
        let remembered = || remembered(&options.remembered, sample).map(|_| Format::TABLE);
        Format::of(sample).or_else(remembered)
    };
    let mut suggestions = SUGGESTIONS;
    let mut suggested = None;
    let mut reason = None;
    let mut survey = Survey::default();
    for path in paths {
        let before = survey.all().count();
        let mut last = "an empty folder".to_owned();
        for file in all_files(path)?.into_iter().filter(|file| !is_zip(file)) {
            let known = match format {
                Some(format) if file == *path => Ok(format),
                Some(format) => of_file(&file, &|sample| {
                    let known = match map {
                        Some(map) => sample.is_table(|columns| map.fits(columns.0)),
                        None => format.recognises(sample),
                    };
                    known.then_some(format)
                })?,
                None => of_file(&file, &of_any)?,
            };
            match known {
                Ok(format) => survey.files.entry(format.as_str()).or_default().push(file),
                Err(mut what) => {
                    last.clone_from(&what);
                    if suggestions > 0 && what == OTHER_TABLE {
                        suggestions -= 1;
                        if let Some(map) = suggest(&file) {
                            what = own_table(&map);
                            suggested.get_or_insert((file.clone(), map));
                        }
                    }
                    survey.unread.entry(what).or_default().add(file);
                }
            }
        }
        if survey.all().count() == before && reason.is_none() {
            let container = if is_archive(path) {
                Some("an archive")
            } else {
                path.is_dir().then_some("a folder")
            };
            let what = match (container, format) {
                (Some(container), Some(format)) => {
                    format!("{container} without any file of format {format}")
                }
                (Some(container), None) if last != "an empty folder" => {
                    format!("{container} without a known export")
                }
                (Some(_) | None, Some(_) | None) => last,
            };
            reason = Some((path.clone(), what));
        }
    }
    // Of several paths, those with nothing in them are told with the files that are not read.
    if survey.files.is_empty() {
        if let Some((path, map)) = suggested {
            return Err(ImportError::OwnTable { path, map });
        }
        let (path, what) = reason.unwrap_or_default();
        return Err(ImportError::Unrecognised { path, what });
    }
    survey.leave_out_copies();
    for files in survey.files.values_mut() {
        files.sort();
        files.dedup();
    }
    Ok(survey)
}

impl Survey {
    /// An export of this program holds its records twice: as versions, and as tables for people. Only the
    /// versions are read.
    fn leave_out_copies(&mut self) {
        let own = Format::OWN_EXPORT.as_str();
        let folders: Vec<PathBuf> = self
            .files
            .get(own)
            .into_iter()
            .flatten()
            .filter_map(|file| file.parent().map(Path::to_owned))
            .collect();
        if folders.is_empty() {
            return;
        }
        for (format, files) in &mut self.files {
            if *format != own {
                files.retain(|file| !folders.iter().any(|folder| file.starts_with(folder)));
            }
        }
    }
}

/// The format of a file, or a description of another content.
fn of_file(
    path: &Path,
    ask: &dyn Fn(&Sample<'_>) -> Option<Format>,
) -> Result<Result<Format, String>, ImportError> {
    Ok(look(path, ask)?.map_err(str::to_owned))
}

/// All files below a path that may be exports. Symbolic links in folders are not followed: they may lead
/// out of an archive, or in circles.
pub(crate) fn all_files(path: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ImportError::Read { path, source }
    };
    let kind = std::fs::metadata(path).map_err(failed(path))?;
    if kind.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
            let entry = entry.map_err(failed(&folder))?;
            let kind = entry.file_type().map_err(failed(&folder))?;
            let entry = entry.path();
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((entry, depth + 1));
            } else if kind.is_file() && !is_never_read(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_never_read(path: &Path) -> bool {
    let name = crate::sample::file_name(path);
    // Files that systems leave in folders, such as `.DS_Store`.
    name.starts_with('.')
        || path
            .extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| {
                NEVER_READ
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known))
            })
}
