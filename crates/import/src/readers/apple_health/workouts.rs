//! Workouts: totals as attributes in older exports, as statistics within the workout in newer ones.

use super::elements::{attributes, text_of, time_of};
use crate::dates::minutes_of;
use crate::healthkit::metres;
use crate::readings::shortened;
use crate::report::RejectReason;
use crate::sports::sport;
use crate::table::Fault;
use chrono::{DateTime, Utc};
use quick_xml::events::BytesStart;
use vitalcast_domain::{Activity, ActivityType, Moment, Provenance, Told, Unit, Zone};

/// A workout that is being read.
pub(super) struct Workout {
    /// Its type, in the word of the export.
    word: String,
    pub(super) start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
    pub(super) written: Option<i32>,
    /// The zone that the workout itself names.
    pub(super) zone: Option<Zone>,
    /// The name of its source, as it is written.
    pub(super) source: String,
    minutes: Option<f64>,
    energy: Option<f64>,
    distance: Option<f64>,
    steps: Option<f64>,
    average: Option<f64>,
    highest: Option<f64>,
    pub(super) line: u64,
}

impl Workout {
    pub(super) fn of(element: &BytesStart<'_>, line: u64) -> Result<Self, Fault> {
        let (mut word, mut source) = (String::new(), String::new());
        let (mut start, mut end) = (None, None);
        let mut numbers = [
            (None, String::new()),
            (None, String::new()),
            (None, String::new()),
        ];
        for attribute in attributes(element) {
            let text = text_of(&attribute);
            let number = || text.trim().parse::<f64>().ok();
            match attribute.key.0 {
                "workoutActivityType" => word = text.into_owned(),
                "sourceName" => source = attribute.value.clone().into_owned(),
                "startDate" => start = time_of(&text),
                "endDate" => end = time_of(&text),
                "duration" => numbers[0].0 = number(),
                "durationUnit" => numbers[0].1 = text.into_owned(),
                "totalEnergyBurned" => numbers[1].0 = number(),
                "totalEnergyBurnedUnit" => numbers[1].1 = text.into_owned(),
                "totalDistance" => numbers[2].0 = number(),
                "totalDistanceUnit" => numbers[2].1 = text.into_owned(),
                _ => {}
            }
        }
        let Some((start, written)) = start else {
            let message = "the workout has no start that can be read".to_owned();
            return Err((RejectReason::BadTime, message));
        };
        let end = end.map(|(end, _)| end);
        let [minutes, energy, distance] = numbers;
        let minutes = convert(minutes.0, or(&minutes.1, "min"), Unit::Minutes);
        let lasted = end.map(|end| minutes_of(end - start));
        Ok(Self {
            word,
            start,
            end,
            written,
            zone: None,
            source,
            minutes: minutes.or(lasted).filter(|minutes| *minutes > 0.0),
            energy: convert(energy.0, or(&energy.1, "kcal"), Unit::Kilocalories),
            distance: distance
                .0
                .and_then(|value| Some(value * metres(or(&distance.1, "km"))?)),
            steps: None,
            average: None,
            highest: None,
            line,
        })
    }

    /// Takes in the statistics of one kind of measurement.
    pub(super) fn statistics(&mut self, element: &BytesStart<'_>) {
        let mut kind = String::new();
        let mut unit = String::new();
        let (mut sum, mut average, mut highest) = (None, None, None);
        for attribute in attributes(element) {
            let text = text_of(&attribute);
            let number = || text.trim().parse::<f64>().ok();
            match attribute.key.0 {
                "type" => kind = text.into_owned(),
                "unit" => unit = text.into_owned(),
                "sum" => sum = number(),
                "average" => average = number(),
                "maximum" => highest = number(),
                _ => {}
            }
        }
        match kind.strip_prefix("HKQuantityTypeIdentifier").unwrap_or("") {
            "ActiveEnergyBurned" => {
                self.energy = convert(sum, &unit, Unit::Kilocalories).or(self.energy);
            }
            "StepCount" => self.steps = sum.or(self.steps),
            "HeartRate" => {
                self.average = convert(average, &unit, Unit::PerMinute).or(self.average);
                self.highest = convert(highest, &unit, Unit::PerMinute).or(self.highest);
            }
            word if word.starts_with("Distance") => {
                let distance = sum.and_then(|sum| Some(sum * metres(&unit)?));
                self.distance = distance.into_iter().chain(self.distance).reduce(f64::max);
            }
            _ => {}
        }
    }

    /// The workout, whose times get their offsets.
    pub(super) fn activity(
        self,
        source: &str,
        moment: impl Fn(DateTime<Utc>) -> Moment,
    ) -> Activity {
        let end = self.end.filter(|end| *end > self.start);
        let told = Told {
            until: end.map(&moment),
            ..Told::at(moment(self.start))
        };
        let word = crate::words::letters(&self.word);
        let word = word.strip_prefix("hkworkoutactivitytype").unwrap_or(&word);
        let id = format!(
            "workout-{word}-{}-{}",
            told.at.id(),
            told.until.map(Moment::id).unwrap_or_default()
        );
        // A total of 0 was not measured.
        let measured = |value: Option<f64>| value.filter(|value| *value > 0.0);
        Activity {
            provenance: Provenance::told(shortened(source), shortened(&id), told),
            activity_type: sport(&self.word).unwrap_or(ActivityType::Other),
            intensity: None,
            duration_minutes: self.minutes,
            energy_kcal: measured(self.energy),
            average_heart_rate: measured(self.average),
            max_heart_rate: measured(self.highest),
            distance_m: measured(self.distance),
            steps: measured(self.steps),
        }
    }
}

fn or<'t>(unit: &'t str, otherwise: &'t str) -> &'t str {
    if unit.is_empty() { otherwise } else { unit }
}

fn convert(value: Option<f64>, unit: &str, target: Unit) -> Option<f64> {
    Unit::parse(unit).ok()?.convert(value?, target)
}
