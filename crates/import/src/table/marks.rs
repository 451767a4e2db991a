//! What a dot or comma before three digits means in each column of a table: `7.200` may be seven and a bit, or
//! seven thousand. The first rows are looked at together, once, when the first such number comes.

use super::Table;
use crate::error::ImportError;
use crate::numbers::{Cell, Mark, Marks};
use crate::survey::{LOOKED_AT, Numbers, Quantity, check_cut};
use crate::table::Fault;
use crate::text::{Next, Text};
use std::cell::OnceCell;

/// The meanings of dot and comma by column, once they were asked for.
#[derive(Default)]
pub(super) struct ColumnMarks(OnceCell<Vec<Column>>);

#[derive(Debug, Clone, Copy)]
struct Column {
    marks: Marks,
    /// Whether numbers of the first rows are grouped.
    is_grouped: bool,
}

/// Of a column that cannot be looked at again, nothing is known.
const UNKNOWN: Marks = Marks {
    dot: Mark::Unclear,
    comma: Mark::Unclear,
};

impl Table<'_> {
    /// What dots and commas mean in a column.
    pub(super) fn marks(&self, column: usize) -> Marks {
        let columns = self
            .marks
            .0
            .get_or_init(|| self.survey().unwrap_or_default());
        columns.get(column).map_or(UNKNOWN, |column| column.marks)
    }

    /// Refuses a number of steps that seems to have lost its last zeros.
    pub(super) fn check_cut(&self, column: usize, found: &Cell, name: &str) -> Result<(), Fault> {
        match (found, self.quantities.get(column)) {
            (Cell::Value(value, _), Some(Quantity::Whole(_))) if value.fract() != 0.0 => {
                check_cut(*value, self.marks(column), name)
            }
            (Cell::Value(..) | Cell::Empty | Cell::NotMeasured, _) => Ok(()),
        }
    }

    /// Names of the columns with grouped numbers.
    pub(super) fn grouped(&self) -> Vec<&str> {
        let columns = self.marks.0.get().into_iter().flatten().zip(&self.header);
        columns
            .filter(|(column, _)| column.is_grouped)
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// Looks at the first rows of the file again.
    fn survey(&self) -> Result<Vec<Column>, ImportError> {
        let mut text = Text::open(self.text.path())?;
        let (bytes, lines) = self.before_rows;
        let mut place = 0;
        while place < bytes
            && let Next::Line(line) = text.line_at(place)?
        {
            place = line.next;
        }
        text.consume(bytes, lines);
        let mut first = Table::from(text, self.delimiter, self.header.clone());
        let mut columns = vec![Numbers::default(); self.header.len()];
        while first.position() <= LOOKED_AT
            && let Some(row) = first.peek()?
        {
            for (column, numbers) in columns.iter_mut().enumerate() {
                numbers.see(row.text(Some(column)));
            }
        }
        let mut file = [false; 2];
        for numbers in &columns {
            let decimal = numbers.decimal();
            file = [file[0] || decimal[0], file[1] || decimal[1]];
        }
        let of_column = |(numbers, quantity): (&Numbers, &Quantity)| {
            let quantity = match *quantity {
                // Amounts of a minute or of a food may be as small as their decimals show.
                Quantity::Large(_, most) if numbers.decimal() != [false; 2] => Quantity::Any(most),
                other @ (Quantity::Whole(_) | Quantity::Large(..) | Quantity::Any(_)) => other,
            };
            let marks = numbers.marks(quantity, file);
            Column {
                marks,
                is_grouped: numbers.groups(marks),
            }
        };
        Ok(columns
            .iter()
            .zip(&self.quantities)
            .map(of_column)
            .collect())
    }
}
