//! Simulated people, the same for the same seed.

use vitalcast_pooled::{Covariate, Design, Learner, Person, PooledModel, Transform};
use vitalcast_windows::{KnownSeries, LaterValue};

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }
}

/// How people's days come about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) days: usize,
    /// Standard deviation of the daily step of the level, in the person's noise.
    pub(crate) drift: f64,
    /// Standard deviation of the readings around the level, in the person's noise.
    pub(crate) noise: f64,
    pub(crate) missing: f64,
    /// Whether some values come late or are corrected.
    pub(crate) late: bool,
    pub(crate) covariates: usize,
}

/// People with two further series, some of whose values come late or are corrected.
pub(crate) const LATE: Kind = Kind {
    days: 60,
    drift: 0.1,
    noise: 1.0,
    missing: 0.15,
    late: true,
    covariates: 2,
};

impl Default for Kind {
    fn default() -> Self {
        Self {
            days: 60,
            drift: 0.1,
            noise: 1.0,
            missing: 0.15,
            late: false,
            covariates: 2,
        }
    }
}

/// The first covariate tells a little of the next day.
pub(crate) fn person(seed: u64, kind: Kind) -> Person {
    let mut random = Random(seed);
    let size = 2.0 * (0.3 * random.normal()).exp();
    let mut level = 60.0 + 5.0 * random.normal();
    let mut told = 0.0;
    let mut series = Vec::new();
    let mut others = vec![Vec::new(); kind.covariates];
    for _ in 0..kind.days {
        level += kind.drift * size * random.normal();
        let value = level + size * (kind.noise * random.normal() + told);
        series.push((random.uniform() >= kind.missing).then_some(value));
        for (place, other) in others.iter_mut().enumerate() {
            let reading = random.normal();
            if place == 0 {
                told = 0.3 * kind.noise * reading;
            }
            other.push((random.uniform() >= kind.missing).then_some(9.0 + reading));
        }
    }
    let mut known = |values: Vec<Option<f64>>| {
        let mut later = Vec::new();
        for day in 0..values.len() {
            if kind.late && random.uniform() < 0.2 {
                let from = day + 1 + random.below(4);
                let value = (random.uniform() < 0.7).then(|| 60.0 + 3.0 * random.normal());
                later.push(LaterValue { day, from, value });
            }
        }
        KnownSeries::new(values, later).unwrap()
    };
    Person {
        first_weekday: (seed % 7) as usize,
        source: "watch".to_owned(),
        series: known(series),
        covariates: others.into_iter().map(|other| Some(known(other))).collect(),
    }
}

pub(crate) fn people(seeds: std::ops::Range<u64>, kind: Kind) -> Vec<Person> {
    seeds.map(|seed| person(seed, kind)).collect()
}

pub(crate) fn design(covariates: usize, horizon: usize) -> Design {
    Design {
        transform: Transform::Identity,
        own_penalty: 100.0,
        covariates: (0..covariates)
            .map(|place| Covariate {
                name: format!("series {place}"),
                transform: Transform::Identity,
                penalty: 300.0,
            })
            .collect(),
        horizon,
        without: None,
    }
}

pub(crate) fn learners(people: &[Person]) -> Vec<Learner<'_>> {
    people
        .iter()
        .map(|person| Learner {
            person,
            targets: 0..person.days(),
        })
        .collect()
}

pub(crate) fn fit(people: &[Person], horizon: usize) -> PooledModel {
    let covariates = people.first().map_or(0, |person| person.covariates.len());
    PooledModel::fit(&design(covariates, horizon), &learners(people), false).unwrap()
}

/// All that a forecast says, as bits: the value and the bounds.
pub(crate) fn forecasts(
    model: &PooledModel,
    person: &Person,
    days: std::ops::RangeInclusive<usize>,
    lead: usize,
) -> Vec<Option<Vec<u64>>> {
    let mut found = Vec::new();
    model.replay(person, days, lead, |_, forecast| {
        found.push(forecast.map(|forecast| {
            let mut bits = vec![
                forecast.distribution.value().to_bits(),
                forecast.spread.to_bits(),
                forecast.readings as u64,
            ];
            for bounds in forecast.distribution.intervals() {
                bits.extend([bounds.lower.to_bits(), bounds.upper.to_bits()]);
            }
            bits
        }));
    });
    found
}
