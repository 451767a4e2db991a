//! Intervals from the errors on other days: split conformal prediction (Vovk, Gammerman and Shafer
//! 2005; Lei et al. 2018). Only this module decides which error is the half width, and which level a
//! number of errors supports.

/// The half width of an interval around a forecast, and its level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfWidth {
    /// Half width of the interval, in the unit of the errors.
    pub size: f64,
    /// Nominal coverage: the requested one, or the highest level that the errors support.
    pub level: f64,
}

/// The highest nominal coverage that `count` errors support: n / (n + 1), which is how often the next
/// error is no larger than the largest of them. 0 without any.
pub fn highest_level(count: usize) -> f64 {
    count as f64 / (count as f64 + 1.0)
}

/// Which of `count` errors, ascending by size and counted from 1, is the half width of an interval of
/// nominal coverage `level`: ⌈(n + 1) · level⌉.
///
/// `None` for a level that so many errors do not support, and for one that is not above 0 and below 1.
pub fn conformal_rank(count: usize, level: f64) -> Option<usize> {
    // NaN fails both comparisons, so it is refused too.
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    // The small term keeps a product such as 10 · 0.7 from being rounded up past 7.
    let rank = ((count as f64 + 1.0) * level - 1e-9).ceil().max(1.0);
    (rank <= count as f64).then_some(rank as usize)
}

/// The half width from absolute errors in ascending order. A level above [`highest_level`] is lowered
/// to it; the result contains the level.
///
/// `None` without errors, and for a level that is not above 0 and below 1.
pub fn half_width(ascending_errors: &[f64], level: f64) -> Option<HalfWidth> {
    let count = ascending_errors.len();
    if count == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let level = level.min(highest_level(count));
    let rank = conformal_rank(count, level)?;
    Some(HalfWidth {
        size: ascending_errors[rank - 1],
        level,
    })
}

/// A level for people: `95 %`, `97.5 %`. It is rounded down, so that no interval claims more than its
/// coverage.
pub fn level_in_words(level: f64) -> String {
    // The small term keeps 0.57 from being shown as 56.9.
    let tenths = (level * 1000.0 + 1e-6).floor();
    if tenths % 10.0 == 0.0 {
        format!("{:.0} %", tenths / 10.0)
    } else {
        format!("{:.1} %", tenths / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one_to(count: u32) -> Vec<f64> {
        (1..=count).map(f64::from).collect()
    }

    #[test]
    fn the_half_width_is_an_order_statistic_with_the_finite_sample_correction() {
        let errors = one_to(19);
        for (level, size) in [(0.9, 18.0), (0.95, 19.0), (0.3, 6.0), (0.01, 1.0)] {
            assert_eq!(half_width(&errors, level), Some(HalfWidth { size, level }));
        }
        assert_eq!(conformal_rank(9, 0.7), Some(7));
    }

    #[test]
    fn four_errors_were_said_to_hold_95_per_cent() {
        let errors = one_to(4);
        let most = HalfWidth {
            size: 4.0,
            level: 0.8,
        };
        for level in [0.8, 0.81, 0.95, 0.999] {
            assert_eq!(half_width(&errors, level), Some(most));
        }
        assert_eq!(conformal_rank(4, 0.8), Some(4));
        assert_eq!(conformal_rank(4, 0.81), None);
        let size = |level| half_width(&errors, level).unwrap().size;
        assert!(size(0.3) < size(0.5));
    }

    #[test]
    fn no_errors_and_no_level_give_no_interval() {
        assert_eq!(half_width(&[], 0.5), None);
        assert_eq!(highest_level(0), 0.0);
        for level in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(half_width(&[1.0], level), None);
            assert_eq!(conformal_rank(1, level), None);
        }
    }

    #[test]
    fn a_level_is_never_rounded_up() {
        for (level, words) in [
            (0.95, "95 %"),
            (0.975, "97.5 %"),
            (30.0 / 31.0, "96.7 %"),
            (0.999, "99.9 %"),
            (0.999_9, "99.9 %"),
            (0.57, "57 %"),
            (0.29, "29 %"),
        ] {
            assert_eq!(level_in_words(level), words);
        }
    }

    proptest! {
        // Of n + 1 exchangeable errors each is as likely as any other to be the new one, so the share
        // of places at which it would lie within is exact.
        #[test]
        fn the_next_error_lies_within_at_least_as_often_as_is_said(
            count in 1_usize..60, level in 0.001_f64..0.999,
        ) {
            let all: Vec<f64> = (0..=count).map(|size| size as f64).collect();
            let within = (0..=count).filter(|&new| {
                let mut others = all.clone();
                others.remove(new);
                all[new] <= half_width(&others, level).unwrap().size
            });
            let held = half_width(&all[..count], level).unwrap().level;
            let share = within.count() as f64 / (count as f64 + 1.0);
            prop_assert!(share >= held - 1e-9, "{share} {held}");
            prop_assert!(held <= highest_level(count));
        }
    }
}
