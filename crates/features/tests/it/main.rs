//! The features from outside: a real day by hand, made-up people, and properties that always hold.

#![allow(clippy::unwrap_used)]

mod by_hand;
mod daily_history;
mod known;
mod nights;
mod people;
mod properties;
mod real_day;
mod relations;
