//! Readings far outside a person's own range, which models should not follow.
//!
//! A sensor fault or a wrong entry is far from all days before it and alone. Such a day counts as not
//! observed for models and baselines; the data keep it. A change that lasts is another matter: three
//! readings in a row that are off on the same side, at least half as much as one that is far, and nearer to
//! one another than to the old level, are a new level, and all of them are taken. So a true change is
//! followed on its third day, also where only some of its days are far. And what
//! comes again and again is the person's range, even if half of the days are all the same: free days, or
//! every second day.
//!
//! A day is judged by the observed days of the three weeks before it, as known on the evening of the
//! origin. What a window sees is therefore a function of what was known on its origin, in training and
//! in serving.

use crate::known::{KnownSeries, LaterValue};

/// Days before a day that it is compared with.
const RANGE_DAYS: usize = 21;
/// Observed days among them without which nothing is called unusual.
const LEAST_OBSERVED: usize = 7;
/// Days from the first to the last reading of a new level.
const RUN_DAYS: usize = 9;
/// Robust standard deviations from the median beyond which a reading is unusual.
const FAR: f64 = 6.0;
/// The standard deviation of normal values in median absolute deviations.
const DEVIATIONS: f64 = 1.4826;
/// The smallest spread, as a share of the level: someone whose days are all the same is not unusual
/// for a little more.
const LEAST_SHARE: f64 = 0.01;
/// As many of the days before, and as large a part of them, at least half as far on the same side: then a
/// reading is nothing new.
const LEAST_AGAIN: usize = 3;
const SHARE_AGAIN: f64 = 0.2;

/// Days before the first day that is judged, so that each judgement has all the days it reads.
const DAYS_BEFORE: usize = RANGE_DAYS + RUN_DAYS;

/// The series from day `days_before` on without unusual readings, as known on any evening. Days count
/// from `days_before`.
///
/// `resolution` is a difference that means nothing, in the unit of the values. The days before are only
/// compared with; with at least 30 of them, no judgement depends on where the series begins.
///
/// # Panics
///
/// When the series has fewer days than `days_before`.
pub fn without_unusual(series: &KnownSeries, days_before: usize, resolution: f64) -> KnownSeries {
    let judge = Judge { series, resolution };
    let mut first = Vec::with_capacity(series.days() - days_before);
    let mut later = Vec::new();
    for day in days_before..series.days() {
        let mut before = judge.usable(day, day);
        first.push(before);
        for from in judge.evenings_to_look_again(day) {
            let value = judge.usable(day, from);
            if value.map(f64::to_bits) != before.map(f64::to_bits) {
                later.push(LaterValue {
                    day: day - days_before,
                    from: from - days_before,
                    value,
                });
                before = value;
            }
        }
    }
    KnownSeries::new(first, later).expect("values come by day and evening")
}

/// How a reading lies to the days before it.
#[derive(Clone, Copy)]
struct Place {
    value: f64,
    /// Its distance from the median of the days before, with the sign.
    distance: f64,
    is_far: bool,
    /// Whether it is at least half as far.
    is_off: bool,
}

struct Judge<'a> {
    series: &'a KnownSeries,
    resolution: f64,
}

impl Judge<'_> {
    /// The value of a day on some evening, unless it is unusual.
    fn usable(&self, day: usize, origin: usize) -> Option<f64> {
        let place = self.place(day, origin)?;
        (!place.is_far || self.is_of_a_new_level(day, place, origin)).then_some(place.value)
    }

    fn place(&self, day: usize, origin: usize) -> Option<Place> {
        let value = self.series.value(day, origin)?;
        let before = self
            .series
            .known(day.saturating_sub(RANGE_DAYS)..day, origin);
        let mut buffer = [0.0; RANGE_DAYS];
        let mut count = 0;
        for value in before.iter().flatten() {
            buffer[count] = *value;
            count += 1;
        }
        let known = &mut buffer[..count];
        if known.len() < LEAST_OBSERVED {
            return Some(Place {
                value,
                distance: 0.0,
                is_far: false,
                is_off: false,
            });
        }
        let level = median(known);
        let distance = value - level;
        let comes_again = |before: &&f64| (**before - level) / distance >= 0.5;
        let again = known.iter().filter(comes_again).count();
        for value in known.iter_mut() {
            *value = (*value - level).abs();
        }
        let spread = (DEVIATIONS * median(known))
            .max(LEAST_SHARE * level.abs())
            .max(self.resolution);
        let is_new = again < LEAST_AGAIN || (again as f64) < SHARE_AGAIN * count as f64;
        Some(Place {
            value,
            distance,
            is_far: is_new && distance.abs() > FAR * spread,
            is_off: is_new && distance.abs() > FAR / 2.0 * spread,
        })
    }

    /// Whether three readings in a row, this one among them, are off together.
    fn is_of_a_new_level(&self, day: usize, place: Place, origin: usize) -> bool {
        let first = day.saturating_sub(RUN_DAYS);
        let last = (day + RUN_DAYS).min(origin).min(self.series.days() - 1);
        let mut run: Vec<(usize, Place)> = (first..day)
            .rev()
            .filter_map(|day| Some((day, self.place(day, origin)?)))
            .take(2)
            .collect();
        run.reverse();
        run.push((day, place));
        run.extend(
            (day + 1..=last)
                .filter_map(|day| Some((day, self.place(day, origin)?)))
                .take(2),
        );
        run.windows(3).any(|three| {
            let is_together = three[2].0 - three[0].0 <= RUN_DAYS;
            let places = || three.iter().map(|(_, place)| place);
            let side = place.distance.signum();
            let are_off = places().all(|place| place.is_off && place.distance.signum() == side);
            let lowest = places()
                .map(|place| place.value)
                .fold(f64::INFINITY, f64::min);
            let highest = places()
                .map(|place| place.value)
                .fold(f64::NEG_INFINITY, f64::max);
            let nearest = places()
                .map(|place| place.distance.abs())
                .fold(f64::INFINITY, f64::min);
            is_together && are_off && highest - lowest < nearest
        })
    }

    /// The evenings after its own on which a day can come to be judged otherwise, in order.
    fn evenings_to_look_again(&self, day: usize) -> Vec<usize> {
        let mut evenings: Vec<usize> = Vec::new();
        let mut changed_in = |days: std::ops::Range<usize>| {
            let changes = self.series.later_of(days);
            evenings.extend(
                changes
                    .iter()
                    .map(|later| later.from)
                    .filter(|from| *from > day),
            );
        };
        changed_in(day.saturating_sub(RANGE_DAYS)..day + 1);
        let mut is_ever_far = self.is_far(day, day);
        evenings.sort_unstable();
        evenings.dedup();
        is_ever_far |= evenings.iter().any(|evening| self.is_far(day, *evening));
        if is_ever_far {
            let last = (day + RUN_DAYS).min(self.series.days() - 1);
            evenings.extend(day + 1..=last);
            let days = day.saturating_sub(DAYS_BEFORE)..last + 1;
            let changes = self.series.later_of(days);
            evenings.extend(
                changes
                    .iter()
                    .map(|later| later.from)
                    .filter(|from| *from > day),
            );
            evenings.sort_unstable();
            evenings.dedup();
        }
        evenings
    }

    fn is_far(&self, day: usize, origin: usize) -> bool {
        self.place(day, origin).is_some_and(|place| place.is_far)
    }
}

/// The median of at least one value, which are put in another order.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower + (upper - lower) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ordinary nights between 43 and 47, then what comes after them.
    fn nights(after: &[Option<f64>]) -> KnownSeries {
        let ordinary = [43.0, 45.0, 47.0, 44.0, 46.0];
        let mut values: Vec<Option<f64>> = (0..44).map(|day| Some(ordinary[day % 5])).collect();
        values.extend(after);
        KnownSeries::from(values)
    }

    /// What is left of the days after the first 44, on the evening of the last of them.
    fn left(after: &[Option<f64>]) -> Vec<Option<f64>> {
        let series = nights(after);
        let used = without_unusual(&series, 30, 1.0);
        used.known(14..used.days(), used.days() - 1).into_owned()
    }

    #[test]
    fn one_reading_far_off_is_left_out_and_the_days_after_it_are_not() {
        assert_eq!(left(&[Some(255.0)]), [None]);
        assert_eq!(
            left(&[Some(255.0), Some(45.0), Some(46.0), Some(44.0)]),
            [None, Some(45.0), Some(46.0), Some(44.0)]
        );
        assert_eq!(left(&[Some(4.0)]), [None]);
        // Far, but within the person's range.
        assert_eq!(left(&[Some(52.0), Some(37.0)]), [Some(52.0), Some(37.0)]);
    }

    #[test]
    fn a_new_level_is_taken_on_its_third_day_with_all_its_days() {
        let level = [Some(70.0), Some(85.0), Some(92.0)];
        assert_eq!(left(&level[..1]), [None]);
        assert_eq!(left(&level[..2]), [None, None]);
        assert_eq!(left(&level), level);
        // It goes on, days without a reading between.
        let goes_on = [level[0], None, level[1], level[2], None, Some(80.0)];
        assert_eq!(left(&goes_on), goes_on);
    }

    #[test]
    fn a_new_level_whose_days_lie_on_both_sides_of_the_limit_is_taken_on_its_third_day() {
        // Beyond 53.9 a night is far, beyond 49.4 half as far.
        let level = [Some(55.0), Some(53.0), Some(56.0)];
        assert_eq!(left(&level[..2]), [None, level[1]]);
        assert_eq!(left(&level), level);
        // Two that are far and an ordinary one are no level.
        let ordinary = [Some(55.0), Some(48.0), Some(56.0)];
        assert_eq!(left(&ordinary), [None, ordinary[1], None]);
    }

    #[test]
    fn readings_that_do_not_agree_are_no_new_level() {
        let wild = [Some(255.0), Some(4.0), Some(200.0)];
        assert_eq!(left(&wild), [None; 3]);
        let apart = [Some(255.0), Some(120.0), Some(600.0)];
        assert_eq!(left(&apart), [None; 3]);
        // Two only, then back.
        let back = [Some(80.0), Some(82.0), Some(45.0), Some(46.0)];
        assert_eq!(left(&back), [None, None, Some(45.0), Some(46.0)]);
    }

    #[test]
    fn what_is_left_out_on_an_evening_does_not_depend_on_later_days() {
        let series = nights(&[Some(70.0), Some(85.0), Some(92.0)]);
        let used = without_unusual(&series, 30, 1.0);
        let on = |origin| used.value(14, origin);
        assert_eq!(
            [on(14), on(15), on(16), on(17)],
            [None, None, Some(70.0), Some(70.0)]
        );
    }

    #[test]
    fn someone_whose_days_are_all_the_same_is_not_unusual_for_a_little_more() {
        let mut values = vec![Some(60.0); 40];
        values.extend([Some(65.0), Some(80.0)]);
        let used = without_unusual(&KnownSeries::from(values), 30, 1.0);
        assert_eq!(*used.known(10..12, 11), [Some(65.0), None]);
    }

    #[test]
    fn someone_whose_days_are_one_of_two_kinds_had_no_reading_left() {
        let all_are_read = |of: fn(usize) -> f64| {
            let values: Vec<Option<f64>> = (0..70).map(|day| Some(of(day))).collect();
            let used = without_unusual(&KnownSeries::from(values.clone()), 30, 1.0);
            assert_eq!(*used.known(0..40, 39), values[30..]);
        };
        all_are_read(|day| [50.0, 60.0][day % 2]);
        all_are_read(|day| if day % 7 < 5 { 52.0 } else { 61.0 });
        all_are_read(|day| {
            if day % 3 == 0 {
                66.0
            } else {
                50.0 + (day % 3) as f64
            }
        });
    }

    #[test]
    fn a_few_days_are_no_range() {
        let values = vec![
            Some(45.0),
            Some(46.0),
            Some(44.0),
            Some(45.0),
            Some(46.0),
            Some(255.0),
        ];
        let used = without_unusual(&KnownSeries::from(values.clone()), 0, 1.0);
        assert_eq!(*used.known(0..6, 5), values[..]);
    }

    fn someone() -> impl Strategy<Value = KnownSeries> {
        let value = || {
            prop_oneof![
                6 => (40.0_f64..50.0).prop_map(Some),
                1 => (60.0_f64..300.0).prop_map(Some),
                2 => Just(None),
            ]
        };
        let later = prop::collection::vec((0_usize..80, 1_usize..40, value()), 0..40);
        (prop::collection::vec(value(), 80), later).prop_map(|(first, later)| {
            let mut later: Vec<LaterValue> = later
                .into_iter()
                .map(|(day, after, value)| LaterValue {
                    day,
                    from: day + after,
                    value,
                })
                .collect();
            later.sort_by_key(|value| (value.day, value.from));
            later.dedup_by_key(|value| (value.day, value.from));
            KnownSeries::new(first, later).unwrap()
        })
    }

    proptest! {
        #[test]
        fn every_evening_sees_what_judging_its_own_knowledge_gives(
            series in someone(), origin in 30_usize..80, begins in 0_usize..20,
        ) {
            prop_assume!(begins + 30 <= origin);
            let used = without_unusual(&series, 30, 1.0);
            // Only what was known on that evening, in a series that begins and ends elsewhere.
            let known = series.known(begins..origin + 1, origin).into_owned();
            let before = 30 - begins;
            let alone = without_unusual(&KnownSeries::from(known), before, 1.0);
            let (from, last) = (begins, origin - 30);
            prop_assert_eq!(
                used.known(from..last + 1, last).into_owned(),
                alone.known(from..alone.days(), alone.days() - 1).into_owned()
            );
        }
    }
}
