//! Files: whole or absent, whatever happens to the writer.

use crate::fixed;
use std::fs;
use std::path::{Path, PathBuf};
use vitalcast_artifact::{
    Artifact, ArtifactError, MAX_ARTIFACT_BYTES, Manifest, remove_leftovers, write_atomically,
};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// An artifact whose bytes differ from the fixed one's.
fn other() -> Artifact {
    let manifest = Manifest {
        seed: 7,
        ..fixed::manifest()
    };
    Artifact::new(manifest, None, &()).unwrap()
}

/// What a writer killed in the middle leaves: half an artifact under a temporary name.
fn killed_writer(folder: &Path) -> PathBuf {
    let half = fixed::artifact().to_bytes().unwrap();
    let path = folder.join(".vitalcast-a1B2c3.tmp");
    fs::write(&path, &half[..half.len() / 2]).unwrap();
    path
}

#[test]
fn a_written_artifact_opens_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    let size = fixed::artifact().write(&path).unwrap();
    assert_eq!(size, fs::metadata(&path).unwrap().len());
    assert_eq!(Artifact::open(&path).unwrap(), fixed::artifact());
    assert_eq!(names(folder.path()), ["model.vcm"]);
}

#[test]
fn an_existing_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    fixed::artifact().write(&path).unwrap();
    other().write(&path).unwrap();
    assert_eq!(Artifact::open(&path).unwrap(), other());
    assert_eq!(names(folder.path()), ["model.vcm"]);
}

#[test]
fn an_open_reader_keeps_the_file_it_opened() {
    use std::io::Read;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    write_atomically(&path, b"before").unwrap();
    let mut reader = fs::File::open(&path).unwrap();
    write_atomically(&path, b"after").unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(
        (text.as_str(), fs::read(&path).unwrap().as_slice()),
        ("before", &b"after"[..])
    );
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent").join("model.vcm");
    let error = fixed::artifact().write(&path).unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
    assert!(matches!(
        error,
        ArtifactError::Write { path: named, source }
            if named == path && source.kind() == std::io::ErrorKind::NotFound
    ));
}

#[test]
fn a_folder_in_the_way_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    fs::create_dir(&path).unwrap();
    assert!(matches!(
        fixed::artifact().write(&path),
        Err(ArtifactError::Write { .. })
    ));
    assert_eq!(names(folder.path()), ["model.vcm"]);
    assert!(matches!(
        Artifact::open(&path),
        Err(ArtifactError::Read { .. })
    ));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Artifact::open("no-such-folder/model.vcm").unwrap_err();
    assert_eq!(error.to_string(), "cannot read no-such-folder/model.vcm");
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.vcm");
    fs::File::create(&path)
        .unwrap()
        .set_len(MAX_ARTIFACT_BYTES + 1)
        .unwrap();
    assert!(matches!(
        Artifact::open(&path),
        Err(ArtifactError::TooLarge { length, .. }) if length == MAX_ARTIFACT_BYTES + 1
    ));
}

#[test]
fn a_killed_writer_harms_neither_the_old_file_nor_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    fixed::artifact().write(&path).unwrap();
    let leftover = killed_writer(folder.path());
    assert_eq!(Artifact::open(&path).unwrap(), fixed::artifact());
    assert!(matches!(
        Artifact::open(&leftover),
        Err(ArtifactError::Truncated { .. })
    ));
    other().write(&path).unwrap();
    assert_eq!(Artifact::open(&path).unwrap(), other());
    assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
    assert_eq!(names(folder.path()), ["model.vcm"]);
}

#[test]
fn only_leftovers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    killed_writer(folder.path());
    let kept = [
        "notes.tmp",
        ".vitalcast-settings",
        "model.vcm",
        "x.vitalcast-1.tmp",
    ];
    for name in kept {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    fs::create_dir(folder.path().join(".vitalcast-folder.tmp")).unwrap();
    assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
    assert_eq!(remove_leftovers(folder.path()).unwrap(), 0);
    assert_eq!(names(folder.path()).len(), kept.len() + 1);
}

#[test]
fn a_write_in_progress_is_not_a_leftover() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed_writer(folder.path());
    let writer = fs::File::open(&path).unwrap();
    writer.lock().unwrap();
    assert_eq!(remove_leftovers(folder.path()).unwrap(), 0);
    drop(writer);
    assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
}

#[test]
fn a_folder_that_does_not_exist_has_no_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(remove_leftovers(folder.path().join("absent")).unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn a_written_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    fixed::artifact().write(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn readers_beside_two_writers_always_see_a_whole_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.vcm");
    let (one, two) = (fixed::artifact(), other());
    one.write(&path).unwrap();
    std::thread::scope(|scope| {
        for artifact in [&one, &two] {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    artifact.write(path).unwrap();
                }
            });
        }
        for _ in 0..100 {
            let seen = Artifact::open(&path).unwrap();
            assert!(seen == one || seen == two);
        }
    });
    assert_eq!(names(folder.path()), ["model.vcm"]);
}
