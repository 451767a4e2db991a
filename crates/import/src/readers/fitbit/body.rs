//! What an export says about the body and the home of the person.

use super::old::{clock, is_log};
use super::{READER, SOURCE, bad_time, utc};
use crate::batch::Importer;
use crate::error::ImportError;
use crate::loose;
use crate::objects::each_object;
use crate::readings::{Place, Reading};
use crate::report::SkipReason;
use crate::table::Table;
use chrono::{DateTime, NaiveDateTime};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vitalcast_domain::{MetricType, Moment, Profile, Unit, UserId, Zone};

const KILOGRAMS_PER_POUND: f64 = 0.453_592_37;
/// Weights and heights that are believed, kg and cm.
const WEIGHTS: std::ops::RangeInclusive<f64> = 20.0..=400.0;
const HEIGHTS: std::ops::RangeInclusive<f64> = 100.0..=250.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WeightLog {
    #[serde(default, deserialize_with = "loose::text")]
    log_id: Option<String>,
    #[serde(default, deserialize_with = "loose::number")]
    weight: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    bmi: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    fat: Option<f64>,
    #[serde(default, deserialize_with = "loose::text")]
    date: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    time: Option<String>,
}

/// What an export says about the body and the home of the person.
#[derive(Debug, Default)]
pub(super) struct Body {
    zone: Option<Zone>,
    height_cm: Option<f64>,
    is_metric: bool,
    /// Weights by time: the value, the body mass index beside it, and whether the unit is known.
    weights: BTreeMap<NaiveDateTime, Weight>,
    fats: Vec<(PathBuf, u64, Option<String>, NaiveDateTime, f64)>,
}

#[derive(Debug, Clone, Copy)]
enum Weight {
    Kilograms(f64),
    /// In the unit of the account, with the body mass index.
    Account(f64, Option<f64>),
}

impl Body {
    pub(super) fn read_profile(
        &mut self,
        importer: &mut Importer<'_>,
        file: &Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let (zone, height) = (table.column(&["timezone"]), table.column(&["height"]));
        let (unit, height_unit) = (
            table.column(&["weight_unit"]),
            table.column(&["height_unit"]),
        );
        while let Some(row) = table.next(importer)? {
            self.zone = row.text(zone).parse().ok().or(self.zone);
            let is_metric = |text: &str| text.eq_ignore_ascii_case("metric");
            self.is_metric = is_metric(row.text(unit));
            let height = row.text(height).parse::<f64>().ok();
            if is_metric(row.text(height_unit)) {
                self.height_cm = height.filter(|height| HEIGHTS.contains(height));
            }
        }
        Ok(())
    }

    pub(super) fn read_weights(
        &mut self,
        importer: &mut Importer<'_>,
        file: &Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_log,
            |importer, place, log: WeightLog| {
                let date = log.date.as_deref().unwrap_or("");
                let time = log.time.as_deref().unwrap_or("00:00:00");
                let Some(at) = clock(Some(&format!("{date} {time}"))) else {
                    return importer.reject(place.reject(bad_time("date")));
                };
                if let Some(weight) = log.weight {
                    self.weights.insert(at, Weight::Account(weight, log.bmi));
                }
                match log.fat.filter(|fat| *fat > 0.0) {
                    Some(fat) => {
                        let file = file.to_owned();
                        self.fats.push((file, place.line, log.log_id, at, fat));
                    }
                    None => importer.skip(SkipReason::Missing),
                }
                Ok(())
            },
        )
    }

    pub(super) fn read_weight_table(
        &mut self,
        importer: &mut Importer<'_>,
        file: &Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let (time, grams) = (
            table.required(&["timestamp"])?,
            table.required(&["weight grams"])?,
        );
        while let Some(row) = table.next(importer)? {
            let at: Option<DateTime<_>> = utc(row.text(Some(time)));
            match (at, row.number(Some(grams), "weight grams")) {
                (Some(at), Ok(Some(grams))) => {
                    let weight = Weight::Kilograms(grams / 1_000.0);
                    self.weights.insert(at.naive_utc(), weight);
                }
                (Some(_), Ok(None)) => importer.skip(SkipReason::Missing),
                (Some(_), Err(fault)) => importer.reject(row.place().reject(fault))?,
                (None, _) => importer.reject(row.place().reject(bad_time("timestamp")))?,
            }
        }
        Ok(())
    }

    /// Writes it into the profile of a new person.
    pub(super) fn describe(&self, profile: &mut Profile) {
        profile.zone = self.zone.unwrap_or(profile.zone);
        profile.height_cm = self.height_cm;
        let latest = self.weights.values().next_back();
        let kilograms = latest.map(|weight| match *weight {
            Weight::Kilograms(weight) => weight,
            Weight::Account(weight, bmi) => {
                let pounds = weight * KILOGRAMS_PER_POUND;
                // The body mass index shows the unit, if the height is known.
                let is_metric = match (self.height_cm, bmi) {
                    (Some(height), Some(bmi)) if bmi > 0.0 => {
                        let expected = bmi * (height / 100.0).powi(2);
                        (weight - expected).abs() < (pounds - expected).abs()
                    }
                    (Some(_) | None, Some(_) | None) => self.is_metric,
                };
                if is_metric { weight } else { pounds }
            }
        });
        profile.weight_kg = kilograms.filter(|weight| WEIGHTS.contains(weight));
    }

    pub(super) fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<(), ImportError> {
        for (file, line, id, at, fat) in self.fats {
            let place = Place { file: &file, line };
            let metric = MetricType::BodyFatPercentage;
            let mut reading = Reading::at(metric, fat, Unit::Percent, Moment::Clock(at));
            if let Some(id) = id {
                reading = reading.id(format!("fat-{id}"));
            }
            importer.reading(user, SOURCE, place, reading)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight_of(height_cm: Option<f64>, is_metric: bool, weight: Weight) -> Option<f64> {
        let at = NaiveDateTime::default();
        let body = Body {
            height_cm,
            is_metric,
            weights: BTreeMap::from([(at, weight)]),
            ..Body::default()
        };
        let mut profile = Profile::default();
        body.describe(&mut profile);
        profile
            .weight_kg
            .map(|weight| (weight * 10.0).round() / 10.0)
    }

    #[test]
    fn a_weight_is_in_pounds_unless_something_says_otherwise() {
        let (pounds, kilograms) = (
            Weight::Account(176.4, Some(24.7)),
            Weight::Account(80.0, Some(24.7)),
        );
        assert_eq!(weight_of(None, false, pounds), Some(80.0));
        assert_eq!(weight_of(None, true, kilograms), Some(80.0));
        // The body mass index of a known height decides.
        assert_eq!(weight_of(Some(180.0), true, pounds), Some(80.0));
        assert_eq!(weight_of(Some(180.0), false, kilograms), Some(80.0));
        assert_eq!(weight_of(None, false, Weight::Kilograms(71.5)), Some(71.5));
        assert_eq!(weight_of(None, false, Weight::Account(7.0, None)), None);
    }
}
