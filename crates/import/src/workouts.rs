//! Workouts as vendors give them.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, shortened};
use chrono::{DateTime, Utc};
use vitalcast_domain::{
    Activity, ActivityType, Intensity, Moment, Provenance, Record, Told, UserId,
};

/// A workout. A number that is 0 or below was not measured.
#[derive(Debug, Clone)]
pub(crate) struct Workout {
    /// Identifies it within the source.
    pub(crate) id: String,
    pub(crate) sport: ActivityType,
    pub(crate) intensity: Option<Intensity>,
    pub(crate) at: Moment,
    pub(crate) until: Option<Moment>,
    pub(crate) minutes: Option<f64>,
    pub(crate) kilocalories: Option<f64>,
    /// Beats per minute.
    pub(crate) mean_rate: Option<f64>,
    pub(crate) highest_rate: Option<f64>,
    pub(crate) meters: Option<f64>,
    pub(crate) steps: Option<f64>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

impl Workout {
    /// A workout of which only sport and time are known.
    pub(crate) fn new(id: impl Into<String>, sport: ActivityType, at: Moment) -> Self {
        Self {
            id: id.into(),
            sport,
            intensity: None,
            at,
            until: None,
            minutes: None,
            kilocalories: None,
            mean_rate: None,
            highest_rate: None,
            meters: None,
            steps: None,
            updated_at: None,
        }
    }
}

impl Importer<'_> {
    /// Adds a workout of a source.
    pub(crate) fn workout(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        workout: Workout,
    ) -> Result<(), ImportError> {
        let told = Told {
            until: workout.until,
            updated_at: workout.updated_at,
            ..Told::at(workout.at)
        };
        let measured = |value: Option<f64>| value.filter(|value| *value > 0.0);
        let activity = Activity {
            provenance: Provenance::told(shortened(source), shortened(&workout.id), told),
            activity_type: workout.sport,
            intensity: workout.intensity,
            duration_minutes: measured(workout.minutes),
            energy_kcal: measured(workout.kilocalories),
            average_heart_rate: measured(workout.mean_rate),
            max_heart_rate: measured(workout.highest_rate),
            distance_m: measured(workout.meters),
            steps: measured(workout.steps),
        };
        self.checked(user, place, Record::Activity(activity))
    }
}

/// A workout of which only sport and time are known, as a record.
pub(crate) fn bare_workout(provenance: Provenance, sport: ActivityType) -> Activity {
    Activity {
        provenance,
        activity_type: sport,
        intensity: None,
        duration_minutes: None,
        energy_kcal: None,
        average_heart_rate: None,
        max_heart_rate: None,
        distance_m: None,
        steps: None,
    }
}
