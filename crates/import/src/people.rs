//! Folders of several people: `study/p01/…`, `study/p02/…`, each with an export that does not say whose it
//! is. Such files are read person by person, each with the name of the folder as the person's id.
//!
//! A folder, or an archive, is that of a person if its name is a word for a person and a number, and if
//! there is another one with the same word and another number. One such folder alone says nothing: its
//! export is that of the owner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use vitalcast_domain::UserId;

/// Words for a person that stand before a number.
const WORDS: [&str; 10] = [
    "p",
    "participant",
    "patient",
    "person",
    "pp",
    "sub",
    "subj",
    "subject",
    "user",
    "volunteer",
];

/// The files of one person; of nobody in particular if there is no folder of a person around them.
pub(crate) type Group = (Option<UserId>, Vec<PathBuf>);

/// The people after whom folders are named.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Words that stand before several numbers.
    words: BTreeSet<String>,
}

impl People {
    /// The people of all files of an import, by what the files are called for the person.
    pub(crate) fn of(names: impl Iterator<Item = PathBuf>) -> Self {
        let mut numbers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in names {
            for (word, folder) in folders(&name) {
                numbers.entry(word).or_default().insert(folder);
            }
        }
        numbers.retain(|_, folders| folders.len() > 1);
        Self {
            words: numbers.into_keys().collect(),
        }
    }

    /// The person in whose folder a file lies.
    fn owner(&self, name: &Path) -> Option<UserId> {
        let mut around = folders(name).filter(|(word, _)| self.words.contains(word));
        around.find_map(|(_, folder)| UserId::new(folder).ok())
    }

    /// Files by person, in the order of people; those of nobody first.
    pub(crate) fn groups(&self, files: &[PathBuf], name: &dyn Fn(&Path) -> PathBuf) -> Vec<Group> {
        let mut groups: BTreeMap<Option<UserId>, Vec<PathBuf>> = BTreeMap::new();
        for file in files {
            let owner = self.owner(&name(file));
            groups.entry(owner).or_default().push(file.clone());
        }
        groups.into_iter().collect()
    }
}

/// The folders and archives around a file that may be a person's, outermost first: the word before the
/// number, and the name as the id of a person.
fn folders(name: &Path) -> impl Iterator<Item = (String, String)> {
    let around = name.parent().into_iter().flat_map(Path::components);
    around.filter_map(|folder| {
        let folder = folder.as_os_str().to_str()?;
        let folder = match folder
            .len()
            .checked_sub(4)
            .and_then(|end| folder.split_at_checked(end))
        {
            Some((stem, ending)) if ending.eq_ignore_ascii_case(".zip") => stem,
            Some(_) | None => folder,
        };
        let word = folder.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let number = &folder[word.len()..];
        let word = word.trim_end_matches([' ', '-', '_']).to_ascii_lowercase();
        let is_person = !number.is_empty() && WORDS.contains(&word.as_str());
        is_person.then(|| (word, folder.replace(' ', "_")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(names: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let people = People::of(paths.iter().cloned());
        let owner = |path: &PathBuf| people.owner(path);
        let owners = paths.iter().map(owner);
        owners
            .map(|owner| owner.map_or("-".to_owned(), |owner| owner.to_string()))
            .collect()
    }

    #[test]
    fn several_numbers_after_a_word_for_a_person_are_people() {
        for (names, expected) in [
            (
                ["s/p01/fitbit/a.json", "s/p02/fitbit/a.json"],
                ["p01", "p02"],
            ),
            (["x/P1.zip/a.json", "y/P2.zip/a.json"], ["P1", "P2"]),
            (["Subject 7/a", "Subject 12/a"], ["Subject_7", "Subject_12"]),
            (["sub-01/p3/a", "sub-02/p3/a"], ["sub-01", "sub-02"]),
            (["user_1/a", "b"], ["-", "-"]),
            // The name of the file itself says nothing.
            (["s/p01", "s/p02"], ["-", "-"]),
            (["p01/2023/a", "p01/2024/a"], ["-", "-"]),
            (["takeout-1/a", "takeout-2/a"], ["-", "-"]),
            (["2019/a", "2020/a"], ["-", "-"]),
        ] {
            assert_eq!(owners(&names), expected, "{names:?}");
        }
    }
}
