//! What every file and every crate of the tree keeps to.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// Longest source file; beyond it there is a second idea in the file.
const MOST_LINES: usize = 700;

/// Hidden folders that belong to the tree; the others (`.git`, editors' own) do not.
const HIDDEN: [&str; 3] = [".cargo", ".ci", ".github"];

/// Words that no source file holds. Put together at compile time, so that this file passes too.
const UNFINISHED: [&str; 4] = [
    concat!("#[ig", "nore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
];

/// Folders of the machines this is developed on, which mean nothing to anybody else.
const MACHINE_FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/fa", "rm/")];

/// Every file of the tree, without what is built or written beside it.
fn files() -> Vec<PathBuf> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: Vec<PathBuf> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('/'))
        .map(|at| root().join(at))
        .collect();
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_file() {
                found.push(entry.path());
            } else if kind.is_dir() {
                let outside = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
                if !outside && !ignored.contains(&entry.path()) {
                    folders.push(entry.path());
                }
            }
        }
    }
    found.sort();
    assert!(
        found.len() > 50,
        "only {} files: is the tree where we look?",
        found.len()
    );
    found
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The folders of all packages: those with a manifest of their own.
fn packages() -> Vec<PathBuf> {
    let manifests = files()
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"));
    let folders = manifests.map(|path| path.parent().unwrap().to_path_buf());
    folders.filter(|folder| *folder != root()).collect()
}

/// Whether a manifest takes its lints from the workspace.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    lines.find(|line| !line.is_empty()) == Some("workspace = true")
}

/// The lines of `text` that name a folder of a developer's machine, counted from 1.
fn lines_with_machine_folders(text: &str) -> Vec<usize> {
    let names_one = |line: &str| {
        MACHINE_FOLDERS.iter().any(|folder| {
            line.match_indices(folder).any(|(at, _)| {
                // `network/…/` or `frame.../` is part of a longer path, not the root's folder.
                !line[..at].ends_with(|before: char| before.is_ascii_alphanumeric())
            })
        })
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| names_one(line))
        .map(|(at, _)| at + 1)
        .collect()
}

#[test]
fn every_package_takes_its_lints_from_the_workspace() {
    for package in packages() {
        let manifest = package.join("Cargo.toml");
        assert!(
            inherits_lints(&fs::read_to_string(&manifest).unwrap()),
            "{}",
            manifest.display()
        );
    }
}

#[test]
fn every_library_opens_with_its_readme() {
    for package in packages()
        .iter()
        .filter(|path| path.starts_with(root().join("crates")))
    {
        assert!(
            package.join("README.md").is_file(),
            "no README.md in {}",
            package.display()
        );
        let crate_root = package.join("src/lib.rs");
        let text = fs::read_to_string(&crate_root).unwrap();
        assert!(
            text.contains("#![doc = include_str!(\"../README.md\")]"),
            "{} does not show its README.md",
            crate_root.display()
        );
    }
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    for path in files().iter().filter(|path| is_rust(path)) {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_unfinished_and_no_test_switched_off() {
    for path in files().iter().filter(|path| is_rust(path)) {
        let text = fs::read_to_string(path).unwrap();
        for word in UNFINISHED {
            assert!(!text.contains(word), "{} contains {word}", path.display());
        }
    }
}

#[test]
fn no_text_names_a_folder_of_a_developers_machine() {
    for path in files() {
        // Pictures and weights are not text.
        let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else {
            continue;
        };
        let lines = lines_with_machine_folders(&text);
        assert!(lines.is_empty(), "{} in lines {lines:?}", path.display());
    }
}

#[test]
fn a_machine_folder_is_found_at_the_start_of_a_path_only() {
    let [work, farm] = MACHINE_FOLDERS;
    let text = format!("see {work}main\nand net{work}main\n\"{farm}x\"\n");
    assert_eq!(lines_with_machine_folders(&text), [1, 3]);
}

#[test]
fn a_manifest_with_lints_of_its_own_is_found() {
    assert!(inherits_lints(
        "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"
    ));
    assert!(!inherits_lints("[package]\nname = \"a\"\n"));
    assert!(!inherits_lints("[lints.rust]\nmissing_docs = \"allow\"\n"));
    assert!(!inherits_lints(
        "[lints]\n\n[dependencies]\nworkspace = true\n"
    ));
}
