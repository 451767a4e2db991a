//! Labelled rows of marks in a terminal: label, marks, number.

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
};
use crate::text::columns;

/// Most columns of the marks.
const LONGEST: usize = 60;
/// Fewest columns of the marks.
const SHORTEST: usize = 8;

/// The words of a row.
pub(crate) struct Row {
    /// A sign before the label that points to the row, or a space.
    pub(crate) mark: char,
    pub(crate) label: String,
    pub(crate) number: String,
    pub(crate) paint: Paint,
}

/// Write the rows, each with the marks that `draw` gives for its index and so many columns.
///
/// A label that would leave too little room for the marks stands on a line of its own.
pub(crate) fn push_rows(
    text: &mut String,
    rows: &[Row],
    options: TerminalOptions,
    draw: impl Fn(usize, usize) -> Vec<(char, Paint)>,
) {
    let width = options.width as usize;
    let widest = |texts: &mut dyn Iterator<Item = &String>| {
        let widths = texts.map(|text| columns(&options.speakable(text)));
        widths.max().unwrap_or(0)
    };
    let label = widest(&mut rows.iter().map(|row| &row.label));
    let number = widest(&mut rows.iter().map(|row| &row.number)).min(width / 2);
    // Mark, space, label, two spaces, marks, space, number.
    let beside = 2 + label + 2;
    let is_stacked = label > width * 9 / 20 || beside + SHORTEST + 1 + number > width;
    let beside = if is_stacked { 2 } else { beside };
    // Marks are somewhere, however narrow the terminal is.
    let room = width.saturating_sub(beside + 1 + number);
    let room = room.clamp(SHORTEST.min(room).max(1), LONGEST);
    for (index, row) in rows.iter().enumerate() {
        let name_room = if is_stacked { width - 2 } else { label };
        let name = options.fitted(&row.label, name_room);
        let gap = " ".repeat(label.saturating_sub(columns(&name)));
        let name_paint = if row.mark == ' ' {
            Paint::Plain
        } else {
            Paint::Strong
        };
        let name = painted(&format!("{} {name}", row.mark), name_paint, options.colour);
        let mut marks = String::new();
        for piece in draw(index, room).chunk_by(|one, next| one.1 == next.1) {
            let signs: String = piece.iter().map(|(sign, _)| sign).collect();
            marks.push_str(&painted(&signs, piece[0].1, options.colour));
        }
        let value = options.fitted(&row.number, number);
        let before = " ".repeat(number - columns(&value));
        let value = painted(&value, row.paint, options.colour);
        let line = if is_stacked {
            format!("{}\n  {marks} {before}{value}", name.trim_end())
        } else {
            format!("{name}{gap}  {marks} {before}{value}")
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Where a value lies among so many columns, counted in halves of a column.
pub(crate) struct Scale {
    low: f64,
    span: f64,
}

impl Scale {
    pub(crate) fn new((low, high): (f64, f64)) -> Self {
        Self {
            low,
            span: high - low,
        }
    }

    fn halves(&self, value: f64, room: usize) -> usize {
        if self.span <= 0.0 {
            return room;
        }
        let share = ((value - self.low) / self.span).clamp(0.0, 1.0);
        (share * (2 * room) as f64).round() as usize
    }

    /// The column that holds a value.
    pub(crate) fn column(&self, value: f64, room: usize) -> usize {
        (self.halves(value, room) / 2).min(room.saturating_sub(1))
    }

    /// A bar between two values on blank ground; at least a thin line.
    pub(crate) fn bar(
        &self,
        (from, to): (f64, f64),
        room: usize,
        paint: Paint,
        ascii: bool,
    ) -> Vec<(char, Paint)> {
        let mut marks = vec![(' ', Paint::Plain); room];
        let (one, other) = (self.halves(from, room), self.halves(to, room));
        let (start, end) = (one.min(other), one.max(other));
        if start == end {
            let thin = if ascii { '|' } else { '│' };
            marks[self.column(from, room)] = (thin, paint);
            return marks;
        }
        if ascii {
            marks[start / 2..end.div_ceil(2)].fill(('#', paint));
            return marks;
        }
        for (column, mark) in marks.iter_mut().enumerate() {
            let left = (start..end).contains(&(2 * column));
            let right = (start..end).contains(&(2 * column + 1));
            let sign = match (left, right) {
                (true, true) => '█',
                (true, false) => '▌',
                (false, true) => '▐',
                (false, false) => continue,
            };
            *mark = (sign, paint);
        }
        marks
    }
}

/// Put a sign where nothing stands.
pub(crate) fn put_behind(marks: &mut [(char, Paint)], column: usize, sign: char, paint: Paint) {
    if let Some(mark) = marks.get_mut(column).filter(|mark| mark.0 == ' ') {
        *mark = (sign, paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(marks: &[(char, Paint)]) -> String {
        marks.iter().map(|(sign, _)| sign).collect()
    }

    #[test]
    fn long_numbers_left_no_room_for_marks_in_a_narrow_terminal() {
        let row = Row {
            mark: ' ',
            label: "a label of people".to_owned(),
            number: "12345678901234567890".to_owned(),
            paint: Paint::Plain,
        };
        for width in [40, 41, 48, 60] {
            let options = TerminalOptions {
                width,
                ..TerminalOptions::default()
            };
            let mut drawn = String::new();
            push_rows(
                &mut drawn,
                std::slice::from_ref(&row),
                options,
                |_, room| {
                    assert!(room >= SHORTEST, "{room} of {width}");
                    Scale::new((0.0, 1.0)).bar((1.0, 1.0), room, Paint::Plain, false)
                },
            );
            assert!(drawn.contains('│'), "{drawn}");
        }
    }

    #[test]
    fn a_bar_lies_between_its_values() {
        let scale = Scale::new((0.0, 4.0));
        let bar = |from, to, ascii| text(&scale.bar((from, to), 4, Paint::Plain, ascii));
        assert_eq!(bar(0.0, 4.0, false), "████");
        assert_eq!(bar(1.5, 3.5, false), " ▐█▌");
        assert_eq!(bar(3.5, 1.5, false), " ▐█▌");
        assert_eq!(bar(2.0, 2.0, false), "  │ ");
        assert_eq!(bar(4.0, 4.0, false), "   │");
        assert_eq!(bar(1.0, 2.9, true), " ## ");
    }

    #[test]
    fn a_scale_of_one_value_has_its_bar_in_view() {
        let scale = Scale::new((3.0, 3.0));
        assert_eq!(text(&scale.bar((3.0, 3.0), 4, Paint::Plain, false)), "  │ ");
    }
}
