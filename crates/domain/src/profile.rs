//! The profile of a person; all fields except the time zone are optional.

use crate::day::Zone;
use crate::error::{FieldError, InvalidRequest};
use crate::metric::word_enum;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

word_enum! {
    /// Self-reported activity level of an ordinary day.
    ActivityLevel, "activity level" {
        /// Sitting for most of the day.
        Sedentary = "sedentary",
        /// Some walking.
        Light = "light",
        /// The reference level.
        Moderate = "moderate",
        /// Training most days.
        Active = "active",
        /// Hard training or physical work.
        VeryActive = "very_active",
    }
}

impl ActivityLevel {
    /// Factor on the energy goal (reference service, `CONTRACT.md` C.1).
    pub fn energy_factor(self) -> f64 {
        match self {
            Self::Sedentary => 0.9,
            Self::Light => 0.95,
            Self::Moderate => 1.0,
            Self::Active => 1.05,
            Self::VeryActive => 1.1,
        }
    }
}

/// A person's profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Profile {
    /// IANA time zone in which the person's days begin and end.
    pub zone: Zone,
    /// Body weight, kg.
    pub weight_kg: Option<f64>,
    /// Height, cm.
    pub height_cm: Option<f64>,
    /// Weight goal, kg.
    pub goal_weight_kg: Option<f64>,
    /// Energy goal per day, kcal.
    pub goal_energy_kcal: Option<f64>,
    /// Protein goal per day, g.
    pub goal_protein_g: Option<f64>,
    /// Carbohydrate goal per day, g.
    pub goal_carbs_g: Option<f64>,
    /// Fat goal per day, g.
    pub goal_fat_g: Option<f64>,
    /// Self-reported activity level.
    pub activity_level: Option<ActivityLevel>,
    /// First days of menstrual cycles, if tracked, in time order.
    pub cycle_starts: Vec<NaiveDate>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            zone: Zone::UTC,
            weight_kg: None,
            height_cm: None,
            goal_weight_kg: None,
            goal_energy_kcal: None,
            goal_protein_g: None,
            goal_carbs_g: None,
            goal_fat_g: None,
            activity_level: None,
            cycle_starts: Vec::new(),
        }
    }
}

impl Profile {
    /// Checks that every number is plausible for a person.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let checks = [
            ("weight_kg", self.weight_kg, 2.0, 700.0),
            ("height_cm", self.height_cm, 30.0, 280.0),
            ("goal_weight_kg", self.goal_weight_kg, 2.0, 700.0),
            ("goal_energy_kcal", self.goal_energy_kcal, 200.0, 20_000.0),
            ("goal_protein_g", self.goal_protein_g, 0.0, 2_000.0),
            ("goal_carbs_g", self.goal_carbs_g, 0.0, 3_000.0),
            ("goal_fat_g", self.goal_fat_g, 0.0, 2_000.0),
        ];
        let mut faults: Vec<FieldError> = checks
            .into_iter()
            .filter(|(_, value, low, high)| {
                value.is_some_and(|value| !(*low..=*high).contains(&value))
            })
            .map(|(field, _, low, high)| FieldError {
                field,
                message: format!("must be between {low} and {high}"),
            })
            .collect();
        if !self.cycle_starts.is_sorted() {
            faults.push(FieldError {
                field: "cycle_starts",
                message: "must be in time order".to_owned(),
            });
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(InvalidRequest(faults))
        }
    }
}
