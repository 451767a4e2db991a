//! Intervals hold what they say, on people whom the model has not seen.

use crate::people::{Kind, Random, fit, people};
use std::sync::LazyLock;
use vitalcast_pooled::{Person, PooledModel};
use vitalcast_windows::KnownSeries;

const LEVELS: [f64; 3] = [0.8, 0.9, 0.95];

const STEADY: Kind = Kind {
    days: 120,
    drift: 0.1,
    noise: 1.0,
    missing: 0.1,
    late: false,
    covariates: 2,
};

static STEADY_MODEL: LazyLock<PooledModel> = LazyLock::new(|| fit(&people(1..121, STEADY), 7));

/// What is counted of days: how many, and how many within each level.
#[derive(Debug, Clone, Copy, Default)]
struct Covered {
    days: f64,
    inside: [f64; 3],
}

impl Covered {
    fn shares(self) -> [f64; 3] {
        self.inside.map(|inside| inside / self.days)
    }

    #[track_caller]
    fn within(self, points: f64, what: &str) {
        for (share, level) in self.shares().into_iter().zip(LEVELS) {
            let far = (share - level).abs() * 100.0;
            assert!(
                far <= points,
                "{what}: {:?} of {} days",
                self.shares(),
                self.days
            );
        }
    }
}

/// Coverage from the tenth reading on, by a class of the origin.
fn cover(
    model: &PooledModel,
    people: &[Person],
    lead: usize,
    class: impl Fn(&Person, usize) -> usize,
) -> Vec<Covered> {
    let mut found = vec![Covered::default(); 200];
    for person in people {
        model.replay(person, 0..=person.days() - lead, lead, |day, forecast| {
            let observed = person.series.value(day + lead - 1, usize::MAX);
            let (Some(forecast), Some(observed)) = (forecast, observed) else {
                return;
            };
            if forecast.readings < 10 {
                return;
            }
            let of = &mut found[class(person, day)];
            of.days += 1.0;
            for (inside, level) in of.inside.iter_mut().zip(LEVELS) {
                let bounds = forecast.distribution.interval(level).unwrap();
                *inside += f64::from((bounds.lower..=bounds.upper).contains(&observed));
            }
        });
    }
    found
}

#[test]
fn coverage_is_nominal_at_each_lead() {
    let unseen = people(1_000..1_120, STEADY);
    for lead in [1, 3, 7] {
        let all = cover(&STEADY_MODEL, &unseen, lead, |_, _| 0)[0];
        all.within(3.0, &format!("lead {lead}"));
    }
}

#[test]
fn coverage_is_back_within_ten_days_of_a_shift_by_one_standard_deviation() {
    const SHIFT: usize = 80;
    let mut unseen = people(
        2_000..2_250,
        Kind {
            missing: 0.0,
            drift: 0.0,
            ..STEADY
        },
    );
    for person in &mut unseen {
        let mut values = person.series.known(0..STEADY.days, 0).into_owned();
        let known: Vec<f64> = values[..SHIFT].iter().flatten().copied().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let square = known
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        let shift = (square / known.len() as f64).sqrt();
        for value in values[SHIFT..].iter_mut().flatten() {
            *value += shift;
        }
        person.series = KnownSeries::from(values);
    }
    let by_day = cover(&STEADY_MODEL, &unseen, 1, |_, day| day);
    let of_90: Vec<f64> = by_day.iter().map(|of| of.shares()[1]).collect();
    // Three days together, within three points of 90 %.
    let back = (SHIFT..STEADY.days - 3)
        .find(|day| of_90[*day..day + 3].iter().sum::<f64>() / 3.0 >= 0.87)
        .unwrap()
        - SHIFT;
    let after: Vec<String> = of_90[SHIFT..SHIFT + 14]
        .iter()
        .map(|share| format!("{share:.2}"))
        .collect();
    let shown = format!("back after {back} days: {after:?}");
    assert!(of_90[SHIFT] < 0.87, "{shown}");
    assert!(back <= 10, "{shown}");
}

/// People whose level wanders, and nothing else.
const WALK: Kind = Kind {
    drift: 1.0,
    noise: 0.1,
    missing: 0.0,
    days: 150,
    late: false,
    covariates: 0,
};

/// Random walks with gaps of up to two weeks.
fn walks(seeds: std::ops::Range<u64>) -> Vec<Person> {
    let mut random = Random(seeds.start);
    let mut walks = people(seeds, WALK);
    for person in &mut walks {
        let mut values = person.series.known(0..WALK.days, 0).into_owned();
        let mut day = 3;
        while day < WALK.days {
            let gap = [0, 1, 1, 2, 3, 4, 5, 6, 8, 12][random.below(10)];
            let end = WALK.days.min(day + gap);
            values[day..end].fill(None);
            day = end + 1 + random.below(6);
        }
        person.series = KnownSeries::from(values);
    }
    walks
}

#[test]
fn coverage_on_random_walks_is_nominal_after_gaps_of_any_length() {
    let model = fit(&walks(1..151), 3);
    let unseen = walks(13_000..13_400);
    let class = |person: &Person, day: usize| {
        let gap = (0..day)
            .rev()
            .take_while(|before| person.series.value(*before, usize::MAX).is_none())
            .count();
        match gap {
            0 | 1 => gap,
            2..=3 => 2,
            4..=6 => 3,
            _ => 4,
        }
    };
    for lead in [1, 3] {
        let by_class = cover(&model, &unseen, lead, class);
        for (class, of) in by_class[..5].iter().enumerate() {
            of.within(5.0, &format!("lead {lead}, class {class}"));
        }
    }
}

#[test]
fn people_without_gaps_taught_that_a_gap_does_nothing() {
    let model = fit(&people(1..151, WALK), 7);
    for gap in [0, 1, 2, 4] {
        let mut unseen = people(20_000..20_500, WALK);
        for person in &mut unseen {
            let mut values = person.series.known(0..WALK.days, 0).into_owned();
            values[100..100 + gap].fill(None);
            person.series = KnownSeries::from(values);
        }
        let after = cover(&model, &unseen, 1, |_, day| usize::from(day == 100 + gap))[1];
        assert_eq!(after.days, 500.0);
        after.within(6.0, &format!("{gap} days"));
    }
}
