//! A heat map in a terminal.

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    push_heading, sign_paint,
};
use crate::{
    correlation::write_correlation,
    heat_map::{HeatCell, HeatMap},
    text::{columns, wrap_columns},
};

/// Columns of a space, a number with its sign, and a star: ` +0.50*`.
const NUMBER: usize = 7;
/// The widest column: more would only pull the numbers apart.
const WIDEST: usize = 12;
/// A label this long or longer may be cut where it stands left of its numbers.
const LONG_LABEL: usize = 32;

/// Where labels and numbers stand.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// Columns of the labels; 0 where each stands on a line of its own.
    label: usize,
    /// Columns of a number.
    column: usize,
    /// Numbers in a line.
    shown: usize,
}

impl Layout {
    fn new(width: usize, widest_label: usize, widest_name: usize, count: usize) -> Self {
        let wanted = (widest_name + 1).clamp(NUMBER, WIDEST);
        // Bands of nearly equal width, and no more of them than it takes.
        let bands = count.div_ceil(width / NUMBER);
        let shown = count.div_ceil(bands);
        let least_label = widest_label.min(LONG_LABEL);
        if least_label + shown * NUMBER <= width {
            let column = ((width - least_label) / shown).clamp(NUMBER, wanted);
            return Self {
                label: widest_label.min(width - shown * column),
                column,
                shown,
            };
        }
        Self {
            label: 0,
            column: (width / shown).clamp(NUMBER, wanted),
            shown,
        }
    }
}

/// Write a checked heat map.
pub(crate) fn heat_map(map: &HeatMap, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &map.title, &map.subtitle, options);
    let longest = |texts: &mut dyn Iterator<Item = &String>| {
        let widths = texts.map(|text| columns(&options.speakable(text)));
        widths.max().unwrap_or(0)
    };
    let layout = Layout::new(
        width,
        longest(&mut map.rows.iter().map(|row| &row.label)),
        longest(&mut map.columns.iter()),
        map.columns.len(),
    );
    for (band, names) in map.columns.chunks(layout.shown).enumerate() {
        if band > 0 {
            text.push('\n');
        }
        let first = band * layout.shown;
        let mut line = " ".repeat(layout.label);
        for name in names {
            let mut name = options.fitted(name, layout.column - 1);
            // Above the digits where it is short enough: the last column is the star's.
            if columns(&name) < layout.column - 1 {
                name.push(' ');
            }
            line.push_str(&padded(&name, layout.column));
        }
        text.push_str(&painted(line.trim_end(), Paint::Muted, options.colour));
        text.push('\n');
        for row in &map.rows {
            if layout.label == 0 {
                text.push_str(options.fitted(&row.label, width).trim_end());
                text.push('\n');
            } else {
                let label = options.fitted(&row.label, layout.label);
                text.push_str(&label);
                text.push_str(&" ".repeat(layout.label - columns(&label)));
            }
            let numbers: String = row.cells[first..first + names.len()]
                .iter()
                .map(|cell| number(*cell, layout.column, options))
                .collect();
            text.push_str(numbers.trim_end());
            text.push('\n');
        }
    }
    let dash = options.speakable("\u{2013}");
    let missing = if map.has_missing() {
        format!(", {dash} not known")
    } else {
        String::new()
    };
    let legend = format!("* significant{missing}");
    for line in wrap_columns(&legend, width, options.ellipsis()) {
        text.push_str(&painted(&line, Paint::Muted, options.colour));
        text.push('\n');
    }
    text
}

/// A number, right aligned in its column; only significant numbers are coloured.
fn number(cell: Option<HeatCell>, width: usize, options: TerminalOptions) -> String {
    let (content, paint) = match cell {
        None => ("\u{2013} ".to_owned(), Paint::Muted),
        Some(cell) => {
            let mark = if cell.stands_out { "*" } else { " " };
            let number = write_correlation(cell.value);
            (
                format!("{number}{mark}"),
                sign_paint(cell.value, cell.stands_out),
            )
        }
    };
    let content = options.speakable(&content);
    let gap = " ".repeat(width - columns(&content));
    format!("{gap}{}", painted(&content, paint, options.colour))
}

/// The text at the right of so many columns.
fn padded(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check((width, label, name, count): (usize, usize, usize, usize), expected: [usize; 3]) {
        let layout = Layout::new(width, label, name, count);
        assert_eq!([layout.label, layout.column, layout.shown], expected);
        assert!(layout.label + layout.column * layout.shown <= width);
    }

    #[test]
    fn labels_and_names_are_whole_where_there_is_room() {
        check((80, 26, 8, 4), [26, 9, 4]);
    }

    #[test]
    fn a_long_label_makes_room_for_the_names() {
        check((80, 45, 8, 4), [44, 9, 4]);
    }

    #[test]
    fn a_label_stands_alone_where_it_would_be_cut_short() {
        check((40, 45, 8, 4), [0, 9, 4]);
    }

    #[test]
    fn columns_without_room_go_to_another_band() {
        check((80, 45, 7, 12), [32, 8, 6]);
        check((40, 45, 7, 12), [0, 8, 4]);
    }
}
