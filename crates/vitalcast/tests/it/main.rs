//! The engine on real people's slices: what a data folder holds, and what a forecast is made of.

#![allow(clippy::unwrap_used)]

mod architectures;
mod backtest;
mod correlations;
mod experiments;
mod explanations;
mod forecasts;
mod imports;
mod known;
mod known_effect;
mod known_effect_what_if;
mod late_eater;
mod many_people;
mod numbers;
mod person_days;
mod pooled_lstm;
mod real;
mod tags;
mod training;
mod true_days;
mod tuning;
mod what_if;
