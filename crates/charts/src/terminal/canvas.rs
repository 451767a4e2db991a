//! A grid of characters with a colour each, and dots of braille under them.

/// What a character is for; with colours, each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Strong,
    Muted,
    Reading,
    Forecast,
}

impl Paint {
    /// The ANSI escape that begins this colour. The numbers are of the 256-colour palette, near to
    /// the blue and vermillion of the pictures and readable on dark and light ground.
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\u{1b}[1m",
            Self::Muted => "\u{1b}[2m",
            Self::Reading => "\u{1b}[38;5;32m",
            Self::Forecast => "\u{1b}[38;5;166m",
        }
    }
}

const RESET: &str = "\u{1b}[0m";

/// A coloured piece of text.
pub(crate) fn painted(text: &str, paint: Paint, colour: bool) -> String {
    if colour && paint != Paint::Plain && !text.is_empty() {
        format!("{}{text}{RESET}", paint.code())
    } else {
        text.to_owned()
    }
}

/// The plot: `columns` × `rows` characters, each of 2 × 4 dots.
pub(crate) struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<(char, Paint)>,
    dots: Vec<u8>,
    ascii: bool,
}

/// The bit of each dot of a braille character, by row and column, as Unicode orders them.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    pub(crate) fn new(columns: usize, rows: usize, ascii: bool) -> Self {
        Self {
            columns,
            rows,
            cells: vec![(' ', Paint::Plain); columns * rows],
            dots: vec![0; columns * rows],
            ascii,
        }
    }

    /// Dots across and down. In ASCII a character is one dot.
    pub(crate) fn dot_extent(&self) -> (i64, i64) {
        let signed = |count: usize| i64::try_from(count).expect("a terminal has few characters");
        let (columns, rows) = (signed(self.columns), signed(self.rows));
        if self.ascii {
            (columns, rows)
        } else {
            (columns * 2, rows * 4)
        }
    }

    /// The character that holds a dot.
    pub(crate) fn cell_of(&self, (across, down): (i64, i64)) -> (i64, i64) {
        if self.ascii {
            (across, down)
        } else {
            (across.div_euclid(2), down.div_euclid(4))
        }
    }

    fn index(&self, (column, row): (i64, i64)) -> Option<usize> {
        let column = usize::try_from(column)
            .ok()
            .filter(|column| *column < self.columns)?;
        let row = usize::try_from(row).ok().filter(|row| *row < self.rows)?;
        Some(row * self.columns + column)
    }

    /// Set a character; outside the grid nothing happens.
    pub(crate) fn put(&mut self, cell: (i64, i64), character: char, paint: Paint) {
        if let Some(index) = self.index(cell) {
            self.cells[index] = (character, paint);
        }
    }

    /// Set one dot of the readings.
    pub(crate) fn dot(&mut self, dot: (i64, i64)) {
        let Some(index) = self.index(self.cell_of(dot)) else {
            return;
        };
        if self.ascii {
            self.cells[index] = ('*', Paint::Reading);
        } else {
            let (column, row) = (dot.0.rem_euclid(2) as usize, dot.1.rem_euclid(4) as usize);
            self.dots[index] |= BITS[row][column];
        }
    }

    /// Dots in a straight line, both ends included.
    pub(crate) fn line(&mut self, from: (i64, i64), to: (i64, i64)) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        for step in 0..=steps {
            let between = |start: i64, end: i64| {
                (start as f64 + (end - start) as f64 * step as f64 / steps as f64).round() as i64
            };
            self.dot((between(from.0, to.0), between(from.1, to.1)));
        }
    }

    /// One row as text, without spaces at its end.
    pub(crate) fn row(&self, row: usize, colour: bool) -> String {
        let first = row * self.columns;
        let mut cells: Vec<(char, Paint)> = (first..first + self.columns)
            .map(|index| match (self.cells[index], self.dots[index]) {
                // A mark hides the dots under it; the faint average line does not.
                ((' ', _), 0) => (' ', Paint::Plain),
                ((' ', _) | (_, Paint::Muted), dots) if dots != 0 => {
                    let braille = char::from_u32(0x2800 + u32::from(dots))
                        .expect("0x2800 to 0x28FF are braille characters");
                    (braille, Paint::Reading)
                }
                (cell, _) => cell,
            })
            .collect();
        while cells.last().is_some_and(|(character, _)| *character == ' ') {
            cells.pop();
        }
        let mut text = String::new();
        for piece in cells.chunk_by(|one, next| one.1 == next.1) {
            let characters: String = piece.iter().map(|(character, _)| character).collect();
            text.push_str(&painted(&characters, piece[0].1, colour));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_has_eight_dots() {
        let mut canvas = Canvas::new(1, 1, false);
        canvas.line((0, 0), (0, 3));
        assert_eq!(canvas.row(0, false), "⡇");
        canvas.line((1, 0), (1, 3));
        assert_eq!(canvas.row(0, false), "⣿");
    }

    #[test]
    fn what_lies_outside_is_not_drawn() {
        let mut canvas = Canvas::new(2, 1, false);
        canvas.line((-5, -5), (-1, -1));
        canvas.put((2, 0), 'x', Paint::Plain);
        canvas.dot((100, 0));
        assert_eq!(canvas.row(0, false), "");
    }

    #[test]
    fn colours_begin_and_end() {
        let mut canvas = Canvas::new(3, 1, true);
        canvas.put((1, 0), 'o', Paint::Forecast);
        assert_eq!(canvas.row(0, true), " \u{1b}[38;5;166mo\u{1b}[0m");
        assert_eq!(canvas.row(0, false), " o");
    }

    #[test]
    fn readings_show_over_the_average_and_marks_over_readings() {
        let mut canvas = Canvas::new(2, 1, false);
        canvas.put((0, 0), '─', Paint::Muted);
        canvas.put((1, 0), '●', Paint::Forecast);
        canvas.line((0, 0), (3, 0));
        assert_eq!(canvas.row(0, false), "⠉●");
    }
}
