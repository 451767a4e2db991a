//! Readings: a day's value of a metric type, set for each of its sources.

use super::change::{Changed, Day, SOURCE, id_instead};
use chrono::NaiveDate;
use vitalcast_domain::{
    DayRule, HealthMetric, MetricType, Moment, Provenance, ReadingKind, Record, Told,
};
use vitalcast_features::SourceValue;

/// Sets the value of a metric type on the day or the day before. Every source of that day says it, so
/// that it counts whichever source does.
pub(super) fn set_reading(
    day: &Day,
    metric: MetricType,
    on: NaiveDate,
    value: f64,
    changed: &mut Changed,
) {
    let view = if on == day.date {
        &day.view
    } else {
        &day.view_before
    };
    let by_source: &[SourceValue] = view
        .values
        .iter()
        .find(|of| of.metric == metric)
        .map_or(&[], |of| &of.by_source);
    let readings = || {
        day.current_of(on).filter_map(move |record| match record {
            Record::HealthMetric(reading) if reading.metric == metric => Some(reading),
            Record::HealthMetric(_) | Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => {
                None
            }
        })
    };
    let kind = match metric.day_rule() {
        DayRule::Level | DayRule::Latest | DayRule::ScoreOfNight => ReadingKind::DayValue,
        DayRule::Amount(_) => ReadingKind::DayTotal,
        // The parts are added up: what was there would count too.
        DayRule::PartOfNight => {
            for reading in readings() {
                changed.leave_out(&Record::HealthMetric(reading.clone()));
            }
            ReadingKind::DayValue
        }
        DayRule::Night => {
            for of_source in by_source.iter().filter(|of| of.value > 0.0) {
                let factor = value / of_source.value;
                let of_it = readings().filter(|of| of.provenance.source == of_source.source);
                for reading in of_it {
                    let new = HealthMetric {
                        provenance: again(&reading.provenance),
                        value: reading.value * factor,
                        ..reading.clone()
                    };
                    let old = Record::HealthMetric(reading.clone());
                    changed.replace(&old, Record::HealthMetric(new).placed(&day.profile));
                }
            }
            if !by_source.is_empty() {
                return;
            }
            // Naps and pieces alone are no night; they would hide one that has no times.
            for reading in readings() {
                changed.leave_out(&Record::HealthMetric(reading.clone()));
            }
            ReadingKind::DayValue
        }
    };
    let main = day.sources.get(&metric).map_or(SOURCE, String::as_str);
    let mut sources: Vec<&str> = by_source.iter().map(|of| of.source.as_str()).collect();
    if sources.is_empty() {
        sources.push(main);
    }
    for source in sources {
        let told = Told {
            // Of equal times the later change counts.
            updated_at: Some(day.as_of),
            ..Told::at(Moment::Date(on))
        };
        let provenance = Provenance::told(source, format!("{SOURCE}-{on}"), told);
        let reading = HealthMetric {
            kind: Some(kind),
            ..HealthMetric::new(provenance, metric, value)
        };
        changed
            .added
            .push(Record::HealthMetric(reading).placed(&day.profile));
    }
}

/// What a source said, under another id and known when it was over.
pub(super) fn again(provenance: &Provenance) -> Provenance {
    let told = Told {
        known_at: None,
        ..provenance.told
    };
    Provenance::told(
        provenance.source.clone(),
        id_instead(&provenance.source_id),
        told,
    )
}
