//! Families of devices: their tables, and the codes of their stages and workouts.

use crate::sleep::Stage;
use crate::sports::sport;
use crate::sqlite::Cells;
use vitalcast_domain::ActivityType;

/// Families of devices whose samples by the minute are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    MiBand,
    Huami,
    Xiaomi,
    Huawei,
    Garmin,
}

pub(super) const SAMPLES: [(&str, Family); 5] = [
    ("MI_BAND_ACTIVITY_SAMPLE", Family::MiBand),
    ("HUAMI_EXTENDED_ACTIVITY_SAMPLE", Family::Huami),
    ("XIAOMI_ACTIVITY_SAMPLE", Family::Xiaomi),
    ("HUAWEI_ACTIVITY_SAMPLE", Family::Huawei),
    ("GARMIN_ACTIVITY_SAMPLE", Family::Garmin),
];

impl Family {
    /// The stage of a minute of samples.
    pub(super) fn stage_of_kind(self, kind: Option<i64>) -> Option<Stage> {
        match (self, kind?) {
            (Self::MiBand, 4) => Some(Stage::Deep),
            (Self::MiBand, 5) => Some(Stage::Light),
            (Self::MiBand, 112 | 123) | (Self::Huami, 120) => Some(Stage::Asleep),
            (Self::MiBand | Self::Huami | Self::Xiaomi | Self::Huawei | Self::Garmin, _) => None,
        }
    }

    /// The stage of a code in the table of stages.
    pub(super) fn stage_of_code(self, code: i64) -> Option<Stage> {
        match (self, code) {
            (Self::Xiaomi, 2) | (Self::Huawei | Self::Garmin, 3) => Some(Stage::Deep),
            (Self::Xiaomi, 3) | (Self::Huawei, 1) | (Self::Garmin, 2) => Some(Stage::Light),
            (Self::Xiaomi | Self::Garmin, 4) | (Self::Huawei, 2) => Some(Stage::Rem),
            (Self::Xiaomi, _) | (Self::Huawei, 4) | (Self::Garmin, 1) => Some(Stage::Awake),
            (Self::MiBand | Self::Huami | Self::Huawei | Self::Garmin, _) => None,
        }
    }
}

pub(super) const STAGES: [(&str, Family); 3] = [
    ("XIAOMI_SLEEP_STAGE_SAMPLE", Family::Xiaomi),
    ("HUAWEI_SLEEP_STAGE_SAMPLE", Family::Huawei),
    ("GARMIN_SLEEP_STAGE_SAMPLE", Family::Garmin),
];

/// The sport of a workout, by its code, else by its name.
pub(super) fn workout(row: &Cells<'_>) -> ActivityType {
    match row.whole(3) {
        Some(16 | 256) => ActivityType::Running,
        Some(32) => ActivityType::Walking,
        Some(64 | 1_024) => ActivityType::Swimming,
        Some(128 | 2_048) => ActivityType::Cycling,
        Some(4_096) => ActivityType::Elliptical,
        Some(16_384) => ActivityType::Soccer,
        Some(32_768) => ActivityType::Yoga,
        Some(65_536) => ActivityType::Rowing,
        Some(_) | None => row
            .text(4)
            .and_then(|name| sport(&name))
            .unwrap_or(ActivityType::Other),
    }
}
