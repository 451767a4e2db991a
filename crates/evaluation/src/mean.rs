//! Means and differences without rounding noise.

/// Share of the size of numbers below which a difference between them is rounding: no instrument tells
/// values apart that differ in the thirteenth digit.
pub const ROUNDING: f64 = 1e-12;

/// Mean; `None` if there are no values.
///
/// Values are added up as differences from the first, so that the mean of equal values is that value to
/// the last bit: 60.1 added up seven times and divided by seven is not 60.1.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values = values.into_iter();
    let first = values.next()?;
    let (sum, count) = values.fold((0.0, 1_usize), |(sum, count), value| {
        (sum + (value - first), count + 1)
    });
    Some(first + sum / count as f64)
}

/// A difference between numbers of a given size, or 0 if it is only rounding.
pub fn beyond_rounding(difference: f64, size: f64) -> f64 {
    if difference.abs() <= ROUNDING * size.abs() {
        0.0
    } else {
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_computed_values() {
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean([]), None);
        assert_eq!(beyond_rounding(7e-15, 60.0), 0.0);
        assert_eq!(beyond_rounding(-1e-9, 60.0), -1e-9);
        assert_eq!(beyond_rounding(7e-15, 0.0), 7e-15);
        assert_eq!(beyond_rounding(0.0, 0.0), 0.0);
    }

    proptest! {
        #[test]
        fn the_mean_of_equal_values_is_that_value(value in -1e12_f64..1e12, count in 1_usize..400) {
            prop_assert_eq!(mean(std::iter::repeat_n(value, count)), Some(value));
        }

        #[test]
        fn a_mean_is_that_of_a_plain_sum_up_to_rounding(
            values in prop::collection::vec(-1e6_f64..1e6, 1..100),
        ) {
            let plain = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!((mean(values).unwrap() - plain).abs() < 1e-8);
        }
    }
}
