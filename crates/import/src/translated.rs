//! Names of columns that follow the language of an app. Accents may be composed or not, and blanks may be
//! of any kind, so names are compared by their bare letters.

/// The letters and digits of a name in lower case, without accents.
pub(crate) fn bare(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        let plain = match letter {
            'a'..='z' | '0'..='9' => letter,
            'à'..='å' => 'a',
            'ç' => 'c',
            'è'..='ë' => 'e',
            'ì'..='ï' => 'i',
            'ñ' => 'n',
            'ò'..='ö' | 'ø' => 'o',
            'ù'..='ü' => 'u',
            'ý' | 'ÿ' => 'y',
            'ß' => {
                bare.push('s');
                's'
            }
            // Marks, blanks, and accents that stand behind their letter.
            _ => continue,
        };
        bare.push(plain);
    }
    bare
}

/// Index of the first column whose bare name is one of some.
pub(crate) fn place_of<T: AsRef<str>>(columns: &[T], names: &[&str]) -> Option<usize> {
    columns
        .iter()
        .position(|column| names.contains(&bare(column.as_ref()).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_count_neither_composed_nor_apart() {
        for name in [
            "Herzfrequenzvariabilität (ms)",
            "Herzfrequenzvariabilita\u{308}t (ms)",
            " herzfrequenzvariabilitat\u{a0}(MS)",
        ] {
            assert_eq!(bare(name), "herzfrequenzvariabilitatms", "{name}");
        }
        let columns = ["Score\u{a0}%", "Durée (min)"];
        assert_eq!(place_of(&columns, &["dureemin"]), Some(1));
        assert_eq!(place_of(&columns, &["duree"]), None);
    }
}
