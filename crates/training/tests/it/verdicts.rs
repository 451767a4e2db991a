//! A person's normal range: how often an ordinary day is outside it, and the probability that tomorrow is.

use crate::served::{Day, first_day, history, query};
use chrono::Days;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use vitalcast_domain::{NormalBand, PredictionMetric, RangeVerdict};
use vitalcast_inference::{forecast, without_training};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;
/// Days before the first verdict, and days with one: a quarter of a year.
const BEFORE: usize = 30;
const QUARTER: usize = 91;

fn normal(random: &mut SmallRng) -> f64 {
    let (one, other): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

/// A person's days: noise around a level that wanders.
fn days(person: u64, wandering: f64, noise: f64, digits: f64) -> Vec<f64> {
    let mut random = SmallRng::seed_from_u64(person);
    let mut level = 55.0 + person as f64;
    (0..BEFORE + QUARTER)
        .map(|_| {
            level += wandering * normal(&mut random);
            let value = level + noise * normal(&mut random);
            (value / digits).round() * digits
        })
        .collect()
}

/// The normal range as it is said each evening, and the value of the day after it.
fn said(values: &[f64]) -> Vec<(NormalBand, f64)> {
    let readings: Vec<Day> = values.iter().map(|value| Day::Reading(*value)).collect();
    let history = history(RHR, &readings);
    let release = without_training(RHR).unwrap();
    (BEFORE..values.len())
        .map(|day| {
            let query = query(&history, first_day() + Days::new(day as u64), 1);
            let served = forecast(&release.model, &release.manifest, &history, &query).unwrap();
            (
                served.response.prediction.normal_range.unwrap(),
                values[day],
            )
        })
        .collect()
}

/// A range of 95 % was crossed three to seven times in a quarter on the days of real people in a random order.
#[test]
fn an_ordinary_person_was_told_of_four_unusual_readings_a_quarter() {
    let people = 8;
    for digits in [0.1, 1.0] {
        let alarms: usize = (0..people)
            .map(|person| {
                let of_person = said(&days(person, 0.0, 1.5, digits));
                let is_alarm = |(band, _): &&(NormalBand, f64)| {
                    assert!((QUARTER as f64 * band.false_alarm_rate) < 1.0);
                    band.last_reading.unwrap() != RangeVerdict::Inside
                };
                of_person.iter().filter(is_alarm).count()
            })
            .sum();
        assert!(alarms <= people as usize, "{alarms} alarms, {digits}");
    }
}

/// At least 1 % was said of days that come once in a thousand.
#[test]
fn tomorrow_is_outside_as_often_as_is_said() {
    let all: Vec<_> = (40..56)
        .flat_map(|person| said(&days(person, 0.9, 0.3, 0.1)))
        .collect();
    let happened = |said: &[&(NormalBand, f64)]| {
        let outside = said
            .iter()
            .filter(|(band, value)| !(band.low..=band.high).contains(value));
        let probabilities = said.iter().map(|(band, _)| band.probability_outside);
        (outside.count() as f64, probabilities.sum::<f64>())
    };
    let (likely, unlikely): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|(band, _)| band.probability_outside > 0.05);
    let (outside, expected) = happened(&likely);
    assert!(
        expected > 20.0 && (0.6..1.6).contains(&(outside / expected)),
        "{outside} {expected}"
    );
    let (outside, expected) = happened(&unlikely);
    assert!(
        unlikely.len() > 1_000 && outside < 8.0 && expected < 8.0,
        "{outside} {expected}"
    );
}
