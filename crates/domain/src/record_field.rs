//! The fields of records, and the numbers of records and profiles, each once: name on the wire, unit,
//! bounds, whether it is required. The check of a record, the readers of tables, the service with its
//! document, and what a what-if can set take them from here.

use crate::bounds::{Bounds, MEAL_NAME_LENGTH, NOTE_LENGTH, TAG_NAME_LENGTH};
use crate::error::DomainError;
use crate::metric::MetricType;
use crate::profile::Profile;
use crate::record::{Activity, ActivityType, HealthMetric, Intensity, Meal, MealType, Tag};
use crate::unit::Unit;
use crate::{ReadingKind, bounds};

/// What a field of a record holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldContent {
    /// A moment, or a date where the time is not known.
    Moment,
    /// Text of some length, in characters.
    Text(Bounds<i64>),
    /// Yes or no.
    Bool,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A number within bounds.
    Number(Bounds<f64>),
}

/// A field of a record, beside those of its origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordField {
    /// Name on the wire; in tables also in camelCase.
    pub name: &'static str,
    /// What it holds.
    pub content: FieldContent,
    /// Whether a record without it is refused.
    pub required: bool,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// A number that a record or a profile may hold.
#[derive(Debug, Clone, Copy)]
pub struct NumberField<T: 'static> {
    /// Name on the wire.
    pub name: &'static str,
    /// Name in sentences.
    pub words: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Smallest and largest plausible value.
    pub bounds: Bounds<f64>,
    /// What it means, with its unit.
    pub meaning: &'static str,
    get: fn(&T) -> Option<f64>,
    get_mut: fn(&mut T) -> &mut Option<f64>,
}

impl<T> NumberField<T> {
    /// The number in a record.
    pub fn of(&self, of: &T) -> Option<f64> {
        (self.get)(of)
    }

    /// The number in a record, to set or remove it.
    pub fn of_mut<'r>(&self, of: &'r mut T) -> &'r mut Option<f64> {
        (self.get_mut)(of)
    }

    /// The field on the wire: it can be missing.
    pub const fn field(&self) -> RecordField {
        optional(self.name, FieldContent::Number(self.bounds), self.meaning)
    }

    /// Checks that the number is finite and plausible, if there is one.
    pub(crate) fn check(&self, of: &T) -> Result<(), DomainError> {
        let Some(value) = self.of(of) else {
            return Ok(());
        };
        let Bounds { low, high } = self.bounds;
        let what = self.words;
        if !value.is_finite() {
            Err(DomainError::NotFinite { what })
        } else if !(low..=high).contains(&value) {
            Err(DomainError::OutOfRange {
                what,
                low,
                high,
                unit: self.unit.symbol(),
            })
        } else {
            Ok(())
        }
    }
}

const fn required(name: &'static str, content: FieldContent, meaning: &'static str) -> RecordField {
    RecordField {
        name,
        content,
        required: true,
        meaning,
    }
}

const fn optional(name: &'static str, content: FieldContent, meaning: &'static str) -> RecordField {
    RecordField {
        name,
        content,
        required: false,
        meaning,
    }
}

/// Declares the numbers of a type: constant, place in the type, name on the wire, name in sentences, unit,
/// bounds, meaning.
macro_rules! numbers {
    ($type:ident, $what:literal {
        $($id:ident $field:ident $name:literal $words:literal, $unit:expr, $low:literal $high:literal, $meaning:literal;)+
    }) => {
        impl $type {
            $(
                #[doc = concat!($meaning, ".")]
                pub const $id: NumberField<Self> = NumberField {
                    name: $name,
                    words: $words,
                    unit: $unit,
                    bounds: Bounds { low: $low, high: $high },
                    meaning: $meaning,
                    get: |of| of.$field,
                    get_mut: |of| &mut of.$field,
                };
            )+

            #[doc = concat!("All numbers of ", $what, ".")]
            pub const NUMBERS: &'static [NumberField<Self>] = &[$(Self::$id),+];
        }
    };
}

const KCAL: Unit = Unit::Kilocalories;
const G: Unit = Unit::Grams;
const BPM: Unit = Unit::PerMinute;
const KG: Unit = Unit::Kilograms;

#[rustfmt::skip]
numbers!(Meal, "a meal" {
    ENERGY energy_kcal "calories" "calories", KCAL, 0.0 20_000.0, "Energy, kcal";
    PROTEIN protein_g "protein" "protein", G, 0.0 2_000.0, "Protein, g";
    CARBS carbs_g "carbs" "carbs", G, 0.0 3_000.0, "Carbohydrate, g";
    FAT fat_g "fat" "fat", G, 0.0 2_000.0, "Fat, g";
    FIBER fiber_g "fiber" "fiber", G, 0.0 500.0, "Fibre, g";
    SUGAR sugar_g "sugar" "sugar", G, 0.0 3_000.0, "Sugar, g";
});

#[rustfmt::skip]
numbers!(Activity, "an activity" {
    DURATION duration_minutes "duration" "duration", Unit::Minutes, 0.0 2_880.0, "Duration, minutes";
    ENERGY energy_kcal "calories_burned" "calories burned", KCAL, 0.0 30_000.0, "Energy above rest, kcal";
    AVERAGE_HEART_RATE average_heart_rate "average_heart_rate" "average heart rate", BPM, 20.0 260.0, "Mean heart rate, beats per minute";
    MAX_HEART_RATE max_heart_rate "max_heart_rate" "max heart rate", BPM, 20.0 260.0, "Highest heart rate, beats per minute";
    DISTANCE distance_m "distance" "distance", Unit::Metres, 0.0 1_000_000.0, "Distance, m";
    STEPS steps "steps" "steps", Unit::Count, 0.0 200_000.0, "Steps";
});

#[rustfmt::skip]
numbers!(Profile, "a profile" {
    WEIGHT weight_kg "weight_kg" "weight", KG, 2.0 700.0, "Body weight, kg";
    HEIGHT height_cm "height_cm" "height", Unit::Centimetres, 30.0 280.0, "Height, cm";
    GOAL_WEIGHT goal_weight_kg "goal_weight_kg" "weight goal", KG, 2.0 700.0, "Weight goal, kg";
    GOAL_ENERGY goal_energy_kcal "goal_energy_kcal" "energy goal", KCAL, 200.0 20_000.0, "Energy goal per day, kcal";
    GOAL_PROTEIN goal_protein_g "goal_protein_g" "protein goal", G, 0.0 2_000.0, "Protein goal per day, g";
    GOAL_CARBS goal_carbs_g "goal_carbs_g" "carbohydrate goal", G, 0.0 3_000.0, "Carbohydrate goal per day, g";
    GOAL_FAT goal_fat_g "goal_fat_g" "fat goal", G, 0.0 2_000.0, "Fat goal per day, g";
});

const ENDED_AT: RecordField = optional("ended_at", FieldContent::Moment, "End of the span");

impl Meal {
    /// The fields of a meal, in the order of the wire.
    pub const FIELDS: &'static [RecordField] = &[
        required(
            "consumed_at",
            FieldContent::Moment,
            "Time of the meal, also on the person's clock without an offset; or a date if the time is not known",
        ),
        optional(
            "name",
            FieldContent::Text(MEAL_NAME_LENGTH),
            "Name of the meal",
        ),
        optional(
            "meal_type",
            FieldContent::Word(MealType::WORDS),
            "Meal of the day",
        ),
        Self::ENERGY.field(),
        Self::PROTEIN.field(),
        Self::CARBS.field(),
        Self::FAT.field(),
        Self::FIBER.field(),
        Self::SUGAR.field(),
    ];
}

impl Activity {
    /// The fields of an activity, in the order of the wire.
    pub const FIELDS: &'static [RecordField] = &[
        required(
            "started_at",
            FieldContent::Moment,
            "Start time, also on the person's clock without an offset; or a date if the time is not known",
        ),
        ENDED_AT,
        required(
            "activity_type",
            FieldContent::Word(ActivityType::WORDS),
            "Type of activity",
        ),
        optional(
            "intensity",
            FieldContent::Word(Intensity::WORDS),
            "Intensity",
        ),
        Self::DURATION.field(),
        Self::ENERGY.field(),
        Self::AVERAGE_HEART_RATE.field(),
        Self::MAX_HEART_RATE.field(),
        Self::DISTANCE.field(),
        Self::STEPS.field(),
    ];
}

impl Tag {
    /// The fields of a tag, in the order of the wire.
    pub const FIELDS: &'static [RecordField] = &[
        required(
            "noted_at",
            FieldContent::Moment,
            "Time that the tag is about, also on the person's clock without an offset; or a date for a whole day",
        ),
        required(
            "name",
            FieldContent::Text(TAG_NAME_LENGTH),
            "The label, or the question of a journal",
        ),
        optional(
            "applies",
            FieldContent::Bool,
            "Whether it was so: true when not given, false for an answer of no",
        ),
        optional(
            "note",
            FieldContent::Text(NOTE_LENGTH),
            "What the person wrote beside it",
        ),
    ];
}

impl HealthMetric {
    /// The fields of a reading, in the order of the wire. Its bounds are those of its metric type
    /// ([`MetricType::plausible_range`]); here stand the widest, in any unit.
    pub const FIELDS: &'static [RecordField] = &[
        required(
            "recorded_at",
            FieldContent::Moment,
            "Time of the reading, start of its span, or a date for a value of that day; for a night \
             without an end, the time of waking",
        ),
        ENDED_AT,
        optional(
            "kind",
            FieldContent::Word(ReadingKind::WORDS),
            "What it is a measurement of; when not given, it follows from metric and time",
        ),
        required(
            "metric_type",
            FieldContent::Word(MetricType::WORDS),
            "The metric",
        ),
        required(
            "value",
            FieldContent::Number(bounds::READING),
            "Measured value in the given unit; it must be physiologically plausible",
        ),
        optional(
            "unit",
            FieldContent::Text(bounds::UNIT_LENGTH),
            "Unit, for example bpm, ms, h, min; the unit of the metric when not given",
        ),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Provenance, Record, Zone};
    use chrono::DateTime;

    #[test]
    fn a_record_is_checked_by_the_bounds_of_its_fields() {
        let provenance = Provenance::at("a", "b", DateTime::UNIX_EPOCH, Zone::UTC);
        let meal = Meal {
            provenance: provenance.clone(),
            name: None,
            meal_type: None,
            energy_kcal: None,
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
        };
        for field in Meal::NUMBERS {
            let Bounds { low, high } = field.bounds;
            for (value, is_allowed) in [(low, true), (high, true), (high + 1.0, false)] {
                let mut meal = meal.clone();
                *field.of_mut(&mut meal) = Some(value);
                assert_eq!(field.of(&meal), Some(value));
                assert_eq!(
                    Record::Meal(meal).validate().is_ok(),
                    is_allowed,
                    "{}",
                    field.name
                );
            }
        }
        let activity = Activity {
            provenance,
            activity_type: ActivityType::Other,
            intensity: None,
            duration_minutes: None,
            energy_kcal: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance_m: None,
            steps: None,
        };
        for field in Activity::NUMBERS {
            let mut activity = activity.clone();
            *field.of_mut(&mut activity) = Some(field.bounds.low - 1.0);
            let told = Record::Activity(activity).validate().unwrap_err();
            assert!(told.to_string().contains(field.words), "{told}");
        }
        for field in Profile::NUMBERS {
            let mut profile = Profile::default();
            *field.of_mut(&mut profile) = Some(field.bounds.high + 1.0);
            let told = profile.validate().unwrap_err();
            assert_eq!(told.0[0].field, field.name);
        }
    }

    #[test]
    fn every_number_is_a_field_of_the_wire_and_no_name_stands_twice() {
        let numbers = |fields: &[RecordField]| -> Vec<&'static str> {
            let is_number = |of: &&RecordField| matches!(of.content, FieldContent::Number(_));
            fields.iter().filter(is_number).map(|of| of.name).collect()
        };
        let of_meal: Vec<&str> = Meal::NUMBERS.iter().map(|of| of.name).collect();
        assert_eq!(numbers(Meal::FIELDS), of_meal);
        let of_activity: Vec<&str> = Activity::NUMBERS.iter().map(|of| of.name).collect();
        assert_eq!(numbers(Activity::FIELDS), of_activity);
        for fields in [
            Meal::FIELDS,
            Activity::FIELDS,
            HealthMetric::FIELDS,
            Tag::FIELDS,
        ] {
            let mut names: Vec<&str> = fields.iter().map(|of| of.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), fields.len());
        }
    }
}
