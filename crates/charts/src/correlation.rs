//! Numbers from −1 to 1: how they are checked and written.

use crate::error::{ChartError, check_value};

/// Check that a value is a correlation.
pub(crate) fn check_correlation(field: impl Fn() -> String, value: f64) -> Result<(), ChartError> {
    check_value(&field, value)?;
    if (-1.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(ChartError::ValueOutOfRange {
        field: field(),
        value,
        lowest: -1.0,
        highest: 1.0,
    })
}

/// Two decimals with their sign, and none where they round to zero: `+0.41`, `−0.07`, `0.00`.
pub(crate) fn write_correlation(value: f64) -> String {
    let text = format!("{value:+.2}");
    match text.get(1..) {
        Some("0.00") => "0.00".to_owned(),
        _ => text.replace('-', "\u{2212}"),
    }
}

/// The number, with a star if it is significant.
pub(crate) fn write_starred(value: f64, stands_out: bool) -> String {
    let star = if stands_out { "*" } else { "" };
    format!("{}{star}", write_correlation(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_sign_and_zero_has_none() {
        assert_eq!(write_correlation(0.414), "+0.41");
        assert_eq!(write_correlation(-1.0), "\u{2212}1.00");
        assert_eq!(write_correlation(-0.004), "0.00");
        assert_eq!(write_correlation(0.0), "0.00");
        assert_eq!(write_starred(-0.5, true), "\u{2212}0.50*");
    }

    #[test]
    fn both_ends_are_correlations_and_nothing_beyond() {
        let check = |value| check_correlation(|| "here".to_owned(), value);
        assert!(check(-1.0).is_ok() && check(1.0).is_ok());
        assert_eq!(
            check(1.000_1).unwrap_err().to_string(),
            "here is 1.0001, expected -1 to 1"
        );
        assert!(matches!(check(f64::NAN), Err(ChartError::NotFinite { .. })));
    }
}
