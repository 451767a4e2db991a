//! The modules of a binary use each other one way: none is used by what it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// The modules that each module uses, by the first step of their paths.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The paths of what follows `crate::`: one, or those of a list in braces.
fn paths(text: &str) -> Vec<&str> {
    let Some(list) = text.strip_prefix('{') else {
        return vec![text];
    };
    let (mut depth, mut begin, mut found) = (1, 0, Vec::new());
    for (place, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && letter == ',' {
            found.push(&list[begin..place]);
            begin = place + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The first step of every path from the crate's root in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let first = |path: &str| path.trim().chars().take_while(is_part).collect::<String>();
    let used = text.split("crate::").skip(1).flat_map(paths).map(first);
    used.filter(|name| !name.is_empty()).collect()
}

/// The uses among the modules of a package. The roots, `lib.rs` and `main.rs`, stand above them all.
fn uses(source: &Path) -> Uses {
    let mut uses = Uses::new();
    for file in sources(source) {
        let inside = file.strip_prefix(source).unwrap();
        let first = inside.components().next().unwrap().as_os_str();
        let module = first.to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut names = named(&text);
        names.remove(&module);
        uses.entry(module).or_default().extend(names);
    }
    uses
}

/// A way from a module back to itself.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn visit(at: &str, uses: &Uses, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(begin) = way.iter().position(|name| name == at) {
            way.drain(..begin);
            way.push(at.to_owned());
            return true;
        }
        if !done.contains(at) {
            way.push(at.to_owned());
            for next in uses.get(at).into_iter().flatten() {
                if visit(next, uses, way, done) {
                    return true;
                }
            }
            way.pop();
            done.insert(at.to_owned());
        }
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|module| {
        let mut way = Vec::new();
        visit(module, uses, &mut way, &mut done).then_some(way)
    })
}

#[test]
fn the_modules_of_a_binary_form_no_circle() {
    for binary in ["cli", "server"] {
        let uses = uses(&root().join("bins").join(binary).join("src"));
        assert!(uses.len() > 3, "{binary}: {uses:?}");
        for (module, names) in &uses {
            for name in names {
                assert!(
                    uses.contains_key(name),
                    "{binary}: {module} uses {name} of the crate's root, which stands above it"
                );
            }
        }
        assert_eq!(circle(&uses), None, "{binary}");
    }
}

#[test]
fn a_circle_is_found_where_there_is_one() {
    let of = |rows: &[(&str, &str)]| -> Uses {
        rows.iter()
            .map(|(module, text)| ((*module).to_owned(), named(text)))
            .collect()
    };
    let access = "use crate::{app::App, error::{Kind, Other},};";
    let open = [
        ("access", access),
        ("app", "crate::error::X"),
        ("error", ""),
    ];
    assert_eq!(circle(&of(&open)), None);
    let closed = [
        ("access", access),
        ("app", "x(crate::error::X)"),
        ("error", "use crate::access::Y;"),
    ];
    let found = circle(&of(&closed)).unwrap();
    assert_eq!(found.first(), found.last());
    assert!(found.len() > 2, "{found:?}");
}
