//! Units and the format of their numbers.

use crate::error::ChartError;

/// More decimals than this say nothing about a body.
const LARGEST_DECIMALS: u8 = 6;

/// The unit of a series and the number of its decimals.
///
/// ```
/// use vitalcast_charts::Unit;
///
/// assert_eq!(Unit::beats_per_minute().write(57.4), "57 bpm");
/// assert_eq!(Unit::hours().write(7.26), "7.3 h");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The sign behind the number, for example `bpm`. May be empty.
    pub symbol: String,
    /// How many decimals a value is written with.
    pub decimals: u8,
}

impl Unit {
    /// Creates a unit.
    pub fn new(symbol: impl Into<String>, decimals: u8) -> Self {
        Self {
            symbol: symbol.into(),
            decimals,
        }
    }

    /// Heart rate: whole beats.
    pub fn beats_per_minute() -> Self {
        Self::new("bpm", 0)
    }

    /// Heart rate variability: whole milliseconds.
    pub fn milliseconds() -> Self {
        Self::new("ms", 0)
    }

    /// Sleep: hours with one decimal, six minutes.
    pub fn hours() -> Self {
        Self::new("h", 1)
    }

    /// A recovery score: whole per cent.
    pub fn percent() -> Self {
        Self::new("%", 0)
    }

    /// The same unit with other decimals, for example for a mean error.
    #[must_use]
    pub fn with_decimals(mut self, decimals: u8) -> Self {
        self.decimals = decimals;
        self
    }

    /// A number with its unit, rounded to the unit's decimals.
    pub fn write(&self, value: f64) -> String {
        self.write_with(value, usize::from(self.decimals))
    }

    /// A number without its unit, rounded to the unit's decimals.
    pub fn write_number(&self, value: f64) -> String {
        write_number(value, usize::from(self.decimals))
    }

    pub(crate) fn write_with(&self, value: f64, decimals: usize) -> String {
        let number = write_number(value, decimals);
        if self.symbol.is_empty() {
            number
        } else {
            format!("{number} {}", self.symbol)
        }
    }

    /// A range with its unit once: `54–62 bpm`. Negative numbers are set apart by `to`.
    pub(crate) fn write_range(&self, lower: f64, upper: f64) -> String {
        let low = self.write_number(lower);
        let high = self.write(upper);
        if low.starts_with('-') || high.starts_with('-') {
            format!("{low} to {high}")
        } else {
            format!("{low}\u{2013}{high}")
        }
    }

    /// Decimals with which differences as large as `largest` have two digits: the unit's own, or one
    /// or two more.
    pub(crate) fn decimals_of(&self, largest: f64) -> u8 {
        let own = self.decimals;
        if largest == 0.0 {
            return own;
        }
        let least = |decimals: u8| 10f64.powi(1 - i32::from(decimals));
        (own..own + 2)
            .find(|decimals| largest >= least(*decimals))
            .unwrap_or(own + 2)
    }

    /// A difference with its sign and its unit: `+1.3 bpm`, `−0.4 bpm`; no sign where it rounds to
    /// 0.
    pub(crate) fn write_change(&self, change: f64) -> String {
        let text = self.write(change);
        let is_zero = !self
            .write_number(change)
            .contains(|sign| ('1'..='9').contains(&sign));
        if is_zero || change < 0.0 {
            with_minus_sign(&text)
        } else {
            format!("+{text}")
        }
    }

    pub(crate) fn check(&self) -> Result<(), ChartError> {
        if self.decimals > LARGEST_DECIMALS {
            return Err(ChartError::TooManyDecimals {
                decimals: self.decimals,
                largest: LARGEST_DECIMALS,
            });
        }
        Ok(())
    }
}

/// A number in plain digits up to a million, in powers of ten beyond; zero is never negative.
pub(crate) fn write_number(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e6 {
        return format!("{value:.2e}");
    }
    let number = format!("{value:.decimals$}");
    match number.strip_prefix('-') {
        Some(rest) if rest.chars().all(|digit| digit == '0' || digit == '.') => rest.to_owned(),
        _ => number,
    }
}

/// The same text with a typographic minus before a number, for pictures and pages.
pub(crate) fn with_minus_sign(text: &str) -> String {
    text.strip_prefix('-')
        .map_or_else(|| text.to_owned(), |rest| format!("\u{2212}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_the_unit_demands() {
        assert_eq!(Unit::milliseconds().write(43.6), "44 ms");
        assert_eq!(Unit::hours().with_decimals(2).write(0.704), "0.70 h");
        assert_eq!(Unit::new("", 1).write(1.0), "1.0");
    }

    #[test]
    fn a_small_negative_number_does_not_become_minus_zero() {
        assert_eq!(write_number(-0.04, 1), "0.0");
        assert_eq!(write_number(-0.06, 1), "-0.1");
    }

    #[test]
    fn huge_numbers_are_written_in_powers_of_ten() {
        assert_eq!(write_number(1.234e11, 0), "1.23e11");
    }

    #[test]
    fn a_range_names_its_unit_once() {
        assert_eq!(
            Unit::beats_per_minute().write_range(54.2, 61.8),
            "54\u{2013}62 bpm"
        );
        assert_eq!(Unit::new("°C", 1).write_range(-0.4, 0.2), "-0.4 to 0.2 °C");
    }

    #[test]
    fn decimals_have_a_limit() {
        assert!(Unit::new("bpm", 6).check().is_ok());
        assert!(Unit::new("bpm", 7).check().is_err());
    }
}
