//! What readers of workouts share.

use vitalcast_domain::{Activity, ActivityType, Provenance};

/// A workout of which only type and time are known.
pub(crate) fn workout(provenance: Provenance, activity_type: ActivityType) -> Activity {
    Activity {
        provenance,
        activity_type,
        intensity: None,
        duration_minutes: None,
        energy_kcal: None,
        average_heart_rate: None,
        max_heart_rate: None,
        distance_m: None,
        steps: None,
    }
}
