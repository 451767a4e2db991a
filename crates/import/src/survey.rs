//! A first look at a table: what only the whole of a column says.
//!
//! A number such as `9.214` may be grouped or not, `03/04/2024` may be in March or April, the ids may
//! be row numbers, durations may be in seconds. One row does not tell; the first rows together do.

use crate::batch::Importer;
use crate::numbers::{Mark, Marks, Shape, shape};
use crate::report::RejectReason;
use crate::table::Fault;
use crate::time::{DateOrder, order_of};
use std::collections::HashSet;
use vitalcast_domain::{MetricType, Unit};

/// Number of bytes of a file that are read for the first look.
pub(crate) const LOOKED_AT: u64 = 4 << 20;

/// What the numbers of a column are, as far as it decides how they are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quantity {
    /// Whole numbers with an upper limit.
    Whole(f64),
    /// Values that are at least so large and at most so large, unless many come on a day.
    Large(f64, f64),
    /// Anything up to a limit.
    Any(f64),
}

/// What the values of a metric are.
pub(crate) fn quantity(metric: MetricType) -> Quantity {
    let (_, most) = metric.plausible_range();
    if metric == MetricType::Steps {
        Quantity::Whole(most)
    } else if metric == MetricType::TotalCalories {
        Quantity::Large(100.0, most)
    } else if metric == MetricType::ActiveCalories {
        Quantity::Large(30.0, most)
    } else {
        Quantity::Any(most)
    }
}

/// What the values of a metric are in another unit.
pub(crate) fn quantity_in(metric: MetricType, unit: Unit) -> Quantity {
    let scaled = |bound: f64| metric.unit().convert(bound, unit).unwrap_or(bound);
    match quantity(metric) {
        Quantity::Whole(most) => Quantity::Whole(most),
        Quantity::Large(least, most) => Quantity::Large(scaled(least), scaled(most)),
        // A time of hours is not shorter than a minute.
        Quantity::Any(most)
            if metric.unit() == Unit::Hours
                && matches!(unit, Unit::Seconds | Unit::Milliseconds) =>
        {
            let minute = Unit::Minutes.convert(1.0, unit).unwrap_or_default();
            Quantity::Large(minute, scaled(most))
        }
        Quantity::Any(most) => Quantity::Any(scaled(most)),
    }
}

/// What the numbers of a vendor's column are, as its name says in the languages of exports: steps are whole,
/// an energy is not below 10 (40 in kilojoules), and a number of minutes of a day not below 2.
pub(crate) fn quantity_of(name: &str) -> Quantity {
    /// Words of names whose numbers are no counts, although the name has one of these.
    const NO_COUNTS: [&str; 6] = [
        "length",
        "speed",
        "rate",
        "cadence",
        "distance",
        "asymmetry",
    ];
    const STEPS: [&str; 5] = ["step", "schritt", "pasos", "passos", "stappen"];
    const KILOJOULES: [&str; 2] = ["kj", "kilojoule"];
    const ENERGY: [&str; 5] = ["calor", "kalorie", "kcal", "energ", "burn"];
    const MINUTES: [&str; 3] = ["minutes", "minuten", "minutos"];
    let letters = crate::words::letters(name);
    let has = |words: &[&str]| words.iter().any(|word| letters.contains(word));
    if has(&STEPS) && !has(&NO_COUNTS) {
        quantity(MetricType::Steps)
    } else if has(&KILOJOULES) {
        Quantity::Large(40.0, 84_000.0)
    } else if has(&ENERGY) {
        Quantity::Large(10.0, 25_000.0)
    } else if has(&MINUTES) {
        Quantity::Large(2.0, 1_440.0)
    } else {
        Quantity::Any(f64::INFINITY)
    }
}

/// Refuses a number of steps that seems to be a grouped one that lost its last zeros, as 9.2 for 9.200.
pub(crate) fn check_cut(steps: f64, marks: Marks, name: &str) -> Result<(), Fault> {
    let grouped = marks.dot == Mark::Grouping || marks.comma == Mark::Grouping;
    if steps.fract() != 0.0 && (grouped || (marks.dot == Mark::Unclear && steps < 1_000.0)) {
        return Err((
            RejectReason::BadNumber,
            format!(
                "{name} has decimals, but steps are whole and the column seems to group thousands"
            ),
        ));
    }
    Ok(())
}

impl Importer<'_> {
    /// Says in which columns of a file thousands are grouped.
    pub(crate) fn tell_grouped(&mut self, file: &str, columns: &[&str]) {
        if !columns.is_empty() {
            self.note(format!(
                "{file}: dots or commas before three digits group thousands in {} (1.234 is read as \
                 1234)",
                columns.join(", ")
            ));
        }
    }
}

/// The numbers of one column, or of one metric in a column of many.
#[derive(Debug, Default, Clone)]
pub(crate) struct Numbers {
    /// Whether the dot, and the comma, was a decimal sign without doubt.
    decimal: [bool; 2],
    /// Whether that was before more than three decimals or after more than three digits: no grouped number
    /// that lost its last zeros looks so.
    fine: [bool; 2],
    /// Numbers with a dot, and with a comma, that may group thousands.
    either: [Either; 2],
    /// Whether a whole number of a thousand and more was written without separators.
    plain_thousands: bool,
    /// Numbers of which the day was said, and those days.
    dated: usize,
    days: HashSet<u64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Either {
    count: usize,
    most_decimal: f64,
    most_grouped: f64,
    /// Whether one has other decimals than zeros.
    some_decimals: bool,
}

impl Numbers {
    /// Takes a number of a day into account: `day` is anything that is the same for values of one person and
    /// day, asked for only if it matters for the quantity how many numbers are of one day.
    pub(crate) fn see_on_day(&mut self, text: &str, of: Quantity, day: impl FnOnce() -> u64) {
        match of {
            Quantity::Large(..) => {
                self.dated += 1;
                if self.days.len() < 10_000 {
                    self.days.insert(day());
                }
            }
            Quantity::Whole(_) | Quantity::Any(_) => {}
        }
        self.see(text);
    }

    /// Takes a number into account that is the only one of its day.
    pub(crate) fn see(&mut self, text: &str) {
        let end = text.rfind(|letter: char| letter.is_ascii_digit() || letter == '.');
        let digits = end.map_or(text, |end| &text[..=end]);
        match shape(digits) {
            None | Some(Shape::Clear(_)) => {}
            Some(Shape::Whole(value)) => self.plain_thousands |= value >= 1_000.0,
            Some(Shape::Decimal(dot, value)) => {
                let place = usize::from(!dot);
                self.decimal[place] = true;
                self.fine[place] |= value.fract() != 0.0 && is_fine(digits);
            }
            Some(Shape::Either(dot, decimal, grouped)) => {
                let either = &mut self.either[usize::from(!dot)];
                either.count += 1;
                either.most_decimal = either.most_decimal.max(decimal.abs());
                either.most_grouped = either.most_grouped.max(grouped.abs());
                either.some_decimals |= decimal.fract() != 0.0;
            }
        }
    }

    /// What dots and commas mean in this column, given those that are decimal signs without doubt
    /// somewhere in the file.
    pub(crate) fn marks(&self, quantity: Quantity, file: [bool; 2]) -> Marks {
        Marks {
            dot: self.mark(0, quantity, file),
            comma: self.mark(1, quantity, file),
        }
    }

    fn mark(&self, place: usize, quantity: Quantity, file: [bool; 2]) -> Mark {
        let default = [Marks::default().dot, Marks::default().comma][place];
        let (own, other) = (file[place], file[1 - place]);
        let either = self.either[place];
        if either.count == 0 {
            return match (own, other) {
                (true, false) => Mark::Decimal,
                (false, true) if place == 0 => Mark::Unclear,
                _ => default,
            };
        }
        if self.fine[place] {
            return Mark::Decimal;
        }
        let many_a_day = self.dated > 2 * self.days.len() + self.days.len() / 2;
        let (plain_fits, limit) = match quantity {
            Quantity::Whole(limit) => (self.decimal[place] && !either.some_decimals, limit),
            Quantity::Large(least, limit) => (many_a_day || either.most_decimal >= least, limit),
            Quantity::Any(limit) => (either.most_decimal <= limit, limit),
        };
        let grouped_fits = either.most_grouped <= limit;
        let contradicted = self.decimal[place] || self.plain_thousands || (own && !other);
        let elsewhere = other && !own;
        match (plain_fits, grouped_fits) {
            (false, true) if contradicted => Mark::Unclear,
            (false, true) => Mark::Grouping,
            (true, false) if elsewhere => Mark::Unclear,
            (true, false) => Mark::Decimal,
            (true, true) if elsewhere && !self.decimal[place] => Mark::Grouping,
            (true, true) if own || self.decimal[place] => Mark::Decimal,
            (true, true) => default,
            (false, false) => Mark::Unclear,
        }
    }

    /// Whether the column has numbers in which these marks group thousands.
    pub(crate) fn groups(&self, marks: Marks) -> bool {
        [marks.dot, marks.comma]
            .iter()
            .zip(&self.either)
            .any(|(mark, either)| *mark == Mark::Grouping && either.count > 0)
    }

    /// Whether the dot, and the comma, is a decimal sign in this column without doubt.
    pub(crate) fn decimal(&self) -> [bool; 2] {
        self.decimal
    }
}

/// Whether a number has more than three decimals, or more than three digits before them.
fn is_fine(digits: &str) -> bool {
    let place = digits.find(['.', ',']).unwrap_or(digits.len());
    let whole = digits[..place].trim_start_matches(['-', '−', '+']);
    whole.len() > 3 || digits.len() - place > 4
}

/// Ids that may be row numbers.
///
/// A row number says nothing about other files: the rows of January and of February both begin with 1.
/// What a database gives out stays with its row. Both are whole numbers, but those of a sheet are close
/// together, also when some rows are left out, and so are those of a database of one person. Their times
/// tell such rows apart just as well, so they are not taken for ids.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    some_other: bool,
    least: u64,
    most: u64,
    different: HashSet<u64>,
}

/// Number of ids from which on whole numbers that are close together are row numbers, however large.
const MANY: usize = 10;
/// Largest row number of fewer ids.
const FEW_UP_TO: u64 = 100_000;

impl Ids {
    pub(crate) fn see(&mut self, id: &str) {
        if self.some_other {
            return;
        }
        let digits = id.strip_suffix(".0").unwrap_or(id);
        let number = match digits.parse::<u64>() {
            Ok(number) if digits.len() <= 9 && !digits.starts_with('+') => number,
            Ok(_) | Err(_) => {
                self.some_other = true;
                self.different = HashSet::new();
                return;
            }
        };
        if self.different.is_empty() {
            (self.least, self.most) = (number, number);
        }
        self.least = self.least.min(number);
        self.most = self.most.max(number);
        self.different.insert(number);
    }

    /// Whether the ids are row numbers: whole numbers, at least half of all from the first to the last.
    pub(crate) fn are_row_numbers(&self) -> bool {
        let count = self.different.len();
        let are_close = (self.most - self.least) < 2 * count as u64;
        count > 0 && are_close && (count >= MANY || self.most <= FEW_UP_TO)
    }
}

/// The order of day and month, as the dates of a column show it.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    day_first: bool,
    month_first: bool,
}

impl Dates {
    pub(crate) fn see(&mut self, text: &str) {
        match order_of(text) {
            DateOrder::Unknown => {}
            DateOrder::DayFirst => self.day_first = true,
            DateOrder::MonthFirst => self.month_first = true,
        }
    }

    pub(crate) fn order(&self) -> DateOrder {
        match (self.day_first, self.month_first) {
            (true, false) => DateOrder::DayFirst,
            (false, true) => DateOrder::MonthFirst,
            (true, true) | (false, false) => DateOrder::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(texts: &[&str], quantity: Quantity, file: [bool; 2]) -> Marks {
        let mut numbers = Numbers::default();
        for (day, text) in texts.iter().enumerate() {
            numbers.see_on_day(text, quantity, || day as u64);
        }
        numbers.marks(quantity, file)
    }

    #[test]
    fn a_column_says_what_its_dots_mean() {
        const STEPS: Quantity = Quantity::Whole(200_000.0);
        const ENERGY: Quantity = Quantity::Large(100.0, 25_000.0);
        const PULSE: Quantity = Quantity::Any(250.0);
        let none = [false, false];
        for (texts, quantity, file, expected) in [
            (&["9.214", "11.046", "804"][..], STEPS, none, Mark::Grouping),
            (&["9.214", "9214"], STEPS, none, Mark::Unclear),
            (&["9.214", "9.2"], STEPS, none, Mark::Unclear),
            (&["9.214"], STEPS, [true, false], Mark::Unclear),
            (&["9214.000", "812.000"], STEPS, none, Mark::Decimal),
            (&["9.000"], STEPS, none, Mark::Grouping),
            (&["2.341", "2.507"], ENERGY, none, Mark::Grouping),
            (&["812.345"], ENERGY, none, Mark::Decimal),
            (&["57.123"], PULSE, none, Mark::Decimal),
            (&["57.123"], PULSE, [false, true], Mark::Unclear),
        ] {
            assert_eq!(marks(texts, quantity, file).dot, expected, "{texts:?}");
        }
        // Many values of one day are samples, which may be small.
        let mut samples = Numbers::default();
        for text in ["1.102", "1.214", "1.333"] {
            samples.see_on_day(text, ENERGY, || 1);
        }
        assert_eq!(samples.marks(ENERGY, none).dot, Mark::Decimal);
        let commas = marks(&["9,214"], STEPS, none);
        assert_eq!(commas.comma, Mark::Grouping);
        assert_eq!(marks(&["57,123"], PULSE, none).comma, Mark::Decimal);
    }

    #[test]
    fn row_numbers_are_told_from_ids() {
        let are = |ids: &[&str]| {
            let mut seen = Ids::default();
            for id in ids {
                seen.see(id);
            }
            seen.are_row_numbers()
        };
        for ids in [
            &["1", "2", "3"][..],
            &["0", "1"],
            &["2", "3", "4"],
            &["1", "2", "1", "2", "3"],
            &["1.0", "2.0"],
            &["1"],
            &["3", "1", "2"],
            // Rows were left out.
            &["1", "3", "4", "7"],
            // A later part of a sheet.
            &["17"],
            &["31", "32"],
        ] {
            assert!(are(ids), "{ids:?}");
        }
        let long: Vec<String> = (4_812_000..4_812_012).map(|id| id.to_string()).collect();
        assert!(are(&long.iter().map(String::as_str).collect::<Vec<_>>()));
        for ids in [
            &["1", "30", "47"][..],
            &["c1", "c2"],
            &["1", "c2"],
            &["4812007"],
            &["4812007", "4812008"],
            &["1234567890"],
            &[],
        ] {
            assert!(!are(ids), "{ids:?}");
        }
    }
}
