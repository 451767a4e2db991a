//! What readers of exports with data of Apple's HealthKit share.

use vitalcast_domain::{MetricType, Unit};

/// A nutrient of a meal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nutrient {
    Energy,
    Protein,
    Carbohydrate,
    Fat,
    Fibre,
    Sugar,
}

/// Number of nutrients.
pub(crate) const NUTRIENTS: usize = 6;

/// An amount of which a day has a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Amount {
    Of(MetricType),
    /// Energy at rest: part of the total, not a metric.
    Basal,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A measurement that is kept.
    Sample(MetricType),
    /// A measurement of the night that ends with it.
    Night(MetricType),
    /// One of many measurements, of which the day has a mean.
    Mean(MetricType),
    /// A value of the day that may be revised.
    Latest(MetricType),
    Amount(Amount),
    HeartRate,
    /// Whether the person stood in an hour.
    Stand,
    Sleep,
    Food(Nutrient),
    /// Read in the first look.
    OfThePerson,
    Unused,
}

/// Names of devices that are told apart by what they are, not by whose they are.
const DEVICES: [&str; 3] = ["Apple Watch", "iPhone", "iPad"];

/// The source that a name means: what the device is, or the name of the app.
pub(crate) fn source(vendor: &str, name: &str) -> String {
    // Names of devices have no-break spaces.
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    match DEVICES.iter().find(|device| name.contains(**device)) {
        Some(device) => format!("{vendor}/{device}"),
        None if name.is_empty() => vendor.to_owned(),
        None => format!("{vendor}/{name}"),
    }
}

/// A value with its unit; a per cent that is at most 1 is a fraction, as HealthKit writes it.
pub(crate) fn percent(value: f64, unit: Unit) -> (f64, Unit) {
    if unit == Unit::Percent && (0.0..=1.0).contains(&value) {
        (value, Unit::Fraction)
    } else {
        (value, unit)
    }
}

/// Metres in a unit of length.
pub(crate) fn metres(unit: &str) -> Option<f64> {
    Unit::parse(unit).ok()?.convert(1.0, Unit::Metres)
}

/// Grams of a nutrient.
pub(crate) fn grams(value: f64, unit: &str) -> Option<f64> {
    match unit {
        "mg" => Some(value / 1_000.0),
        "mcg" => Some(value / 1_000_000.0),
        "oz" => Some(value * 28.349_523_125),
        unit => Unit::parse(unit).ok()?.convert(value, Unit::Grams),
    }
}
