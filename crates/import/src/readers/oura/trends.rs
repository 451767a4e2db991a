//! A row of Oura's trends: a day with its night.

use super::{Heart, Outcome, SOURCE, day, movement, of_morning, time};
use crate::batch::Importer;
use crate::fields::Fields;
use crate::readings::{Night, Place};
use crate::table::Fault;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{Moment, Unit, UserId};

/// A day of the trends CSV.
pub(super) fn row(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
) -> Outcome {
    let first = |names: &[&str]| -> Result<Option<f64>, Fault> {
        let name = names.iter().find(|name| fields.has(name));
        name.map_or(Ok(None), |name| fields.number(name))
    };
    let span = |names: &[&str]| first(names).map(|value| value.map(|seconds| seconds / 60.0));
    let read = (|| {
        let day = day(fields, "date")?;
        let start = time(fields, "Bedtime Start")?;
        let end = time(fields, "Bedtime End")?;
        let night = match (start, end) {
            (Some(start), Some(end)) => Night::new(start.id(), start, Some(end)),
            (_, _) => Night::new(day.to_string(), Moment::Date(day), None),
        };
        let night = Night {
            day: Some(day),
            asleep: span(&["Total Sleep Time", "Total Sleep Duration"])?,
            deep: span(&["Deep Sleep Time", "Deep Sleep Duration"])?,
            rem: span(&["REM Sleep Time", "REM Sleep Duration"])?,
            awake: span(&["Awake Time"])?,
            in_bed: span(&["Total Bedtime", "Time in Bed"])?,
            heart_rate: first(&["Average Resting Heart Rate", "Average Heart Rate"])?,
            ..night
        };
        let heart = [
            first(&["Lowest Resting Heart Rate", "Lowest Heart Rate"])?,
            first(&["Average HRV"])?,
            first(&["Respiratory Rate"])?,
        ];
        let amounts = [
            (M::Steps, first(&["Steps"])?, Unit::Count),
            (
                M::ActiveCalories,
                first(&["Activity Burn"])?,
                Unit::Kilocalories,
            ),
            (
                M::TotalCalories,
                first(&["Total Burn"])?,
                Unit::Kilocalories,
            ),
        ];
        Ok((day, night, heart, amounts))
    })();
    let (day, night, heart, amounts) = match read {
        Ok(read) => read,
        Err(fault) => return Ok(Err(fault)),
    };
    if night.at.has_time() {
        importer.night(user, SOURCE, place, &night)?;
    } else {
        importer.dated_night(user, SOURCE, place, day, &night)?;
    }
    Heart::new(&night, day, heart).add(importer, user, place)?;
    for (name, metric, column) in [
        ("readiness", M::RecoveryScore, "Readiness Score"),
        ("sleep-score", M::SleepScore, "Sleep Score"),
    ] {
        let outcome = of_morning(
            importer,
            user,
            place,
            name,
            metric,
            Ok(day),
            fields.number(column),
        )?;
        if let Err(fault) = outcome {
            importer.reject(place.reject(fault))?;
        }
    }
    if amounts.iter().any(|amount| amount.1.is_some()) {
        movement(importer, user, place, day, &amounts)?;
    }
    Ok(Ok(()))
}
