//! How long a fit to many people takes, and how much memory it needs.
//!
//! Arguments: people, days, covariates and days ahead; 10,000, 365, 20 and 7 without them. A checksum of
//! forecasts shows whether two builds give the same numbers.

#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

use std::time::Instant;
use vitalcast_pooled::{Covariate, Design, Learner, Person, PooledModel, Transform};
use vitalcast_windows::KnownSeries;

/// Repeatable numbers (xorshift64*), cheap enough for millions of days.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: a sum of four uniform numbers.
    fn normal(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.uniform()).sum();
        (sum - 2.0) * 3.0_f64.sqrt()
    }
}

/// A level that wanders, a weekday, and covariates that tell a little of tomorrow. One day in eight is
/// missing.
fn person(number: u64, days: usize, covariates: usize) -> Person {
    let mut random =
        Random(0x9e37_79b9_7f4a_7c15 ^ (number + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9));
    let mut level = 60.0 + 6.0 * random.normal();
    let noise = 2.0 * (0.4 * random.normal()).exp();
    let mut series = Vec::with_capacity(days);
    let mut others = vec![Vec::with_capacity(days); covariates];
    let mut told = 0.0;
    for day in 0..days {
        level += 0.2 * noise * random.normal();
        let weekend = f64::from(u8::from(day % 7 >= 5));
        let value = level + noise * (0.3 * weekend + 0.4 * told + 0.8 * random.normal());
        series.push((random.uniform() > 0.125).then_some(value));
        told = 0.0;
        for (place, other) in others.iter_mut().enumerate() {
            let reading = random.normal();
            if place % 5 == 0 {
                told += reading / covariates as f64;
            }
            other.push((random.uniform() > 0.125).then_some(100.0 + 10.0 * reading));
        }
    }
    Person {
        first_weekday: 0,
        source: "watch".to_owned(),
        series: KnownSeries::from(series),
        covariates: others
            .into_iter()
            .map(|other| Some(KnownSeries::from(other)))
            .collect(),
    }
}

/// Largest resident size so far, MiB, where the system tells it.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

fn main() -> Result<(), vitalcast_pooled::PooledError> {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|word| word.parse().unwrap_or(1));
    let mut setting = |otherwise: usize| arguments.next().unwrap_or(otherwise);
    let (people, days, covariates, horizon) =
        (setting(10_000), setting(365), setting(20), setting(7));
    let people: Vec<Person> = (0..people as u64)
        .map(|number| person(number, days, covariates))
        .collect();
    let learners: Vec<Learner<'_>> = people
        .iter()
        .map(|person| Learner {
            person,
            targets: 0..days,
        })
        .collect();
    let design = Design {
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
    };
    println!("people are there: {:?} MiB", most_memory());
    let start = Instant::now();
    let model = PooledModel::fit(&design, &learners, false)?;
    println!(
        "fitted {} rows in {:.2} s, {:?} MiB",
        model.rows(),
        start.elapsed().as_secs_f64(),
        most_memory()
    );
    let start = Instant::now();
    let mut count = 0_usize;
    for lead in [1, horizon] {
        let (mut values, mut widths) = (0.0, 0.0);
        for person in people.iter().take(100) {
            model.replay(person, 0..=days, lead, |_, forecast| {
                if let Some(forecast) = forecast {
                    count += 1;
                    values += forecast.distribution.value();
                    widths += forecast
                        .distribution
                        .interval(0.9)
                        .map_or(0.0, |bounds| bounds.upper - bounds.lower);
                }
            });
        }
        println!("lead {lead}: forecasts add up to {values:.6}, widths of 90 % to {widths:.6}");
    }
    println!(
        "{count} replayed forecasts in {:.3} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
