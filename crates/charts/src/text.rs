//! Sanitised text: for a terminal, for XML, for a line of limited length.
//!
//! Titles and labels may come from an import or an app. A control character could move a
//! terminal's cursor, a direction override could make a label read as another, and XML knows no
//! escape for most control characters at all. All of them are taken out before anything is drawn.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The same text without control characters, direction overrides and what XML cannot hold.
///
/// Line breaks and tabs become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => None,
            '\u{FFFE}' | '\u{FFFF}' | '\u{FEFF}' => None,
            _ if character.is_control() => None,
            _ => Some(character),
        })
        .collect()
}

/// The text escaped for XML and HTML, as content and inside quoted attributes, and cleaned.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text in ASCII: typographic signs by their plain form, everything else by a question mark.
pub(crate) fn to_ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{2013}' | '\u{2014}' | '\u{2212}' => plain.push('-'),
            '\u{2026}' => plain.push_str("..."),
            '\u{A0}' | '\u{202F}' => plain.push(' '),
            '\u{2018}' | '\u{2019}' => plain.push('\''),
            '\u{201C}' | '\u{201D}' => plain.push('"'),
            _ if character.is_ascii() => plain.push(character),
            _ => plain.push('?'),
        }
    }
    plain
}

/// How many columns of a terminal the text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text cut to so many columns of a terminal, with `mark` at the end where something was cut.
pub(crate) fn fit_columns(text: &str, limit: usize, mark: &str) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    // A mark that fits nowhere is left out: what can be shown of the text says more.
    let mark = if columns(mark) < limit { mark } else { "" };
    let room = limit - columns(mark);
    let mut fitted = String::new();
    let mut used = 0;
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        used += width;
        fitted.push(character);
    }
    let mut fitted = fitted.trim_end().to_owned();
    fitted.push_str(mark);
    fitted
}

/// Words laid out in lines of at most `limit` columns; a longer word stands alone and is cut.
pub(crate) fn wrap_columns(text: &str, limit: usize, mark: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = fit_columns(word, limit, mark);
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= limit => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_escape_loses_its_escape_character() {
        assert_eq!(clean("\u{1b}[2Jcleared\u{7}\u{9b}"), "[2Jcleared");
    }

    #[test]
    fn line_breaks_become_spaces_and_direction_overrides_vanish() {
        assert_eq!(clean("one\ntwo\u{202e}three"), "one twothree");
    }

    #[test]
    fn markup_is_escaped_in_content_and_attributes() {
        assert_eq!(
            escape("<a href=\"x\" title='y'>&"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"
        );
    }

    #[test]
    fn ascii_keeps_the_meaning_of_dashes_and_marks_the_rest() {
        assert_eq!(to_ascii("54\u{2013}62\u{a0}°C\u{2026}"), "54-62 ?C...");
    }

    #[test]
    fn wide_characters_count_two_columns_when_cut() {
        assert_eq!(fit_columns("心拍数です", 7, "…"), "心拍数…");
        assert_eq!(fit_columns("short", 5, "…"), "short");
        assert_eq!(fit_columns("longer", 2, "..."), "lo");
    }

    #[test]
    fn words_wrap_at_the_limit() {
        assert_eq!(wrap_columns("one two three", 7, "…"), ["one two", "three"]);
        assert_eq!(wrap_columns("", 7, "…"), Vec::<String>::new());
    }
}
