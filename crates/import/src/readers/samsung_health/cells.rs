//! Cells of a table: times with their offset, days, and numbers without sentinels.

use crate::dates::{no_time, utc};
use crate::readings::shortened;
use crate::table::{Fault, Row};
use crate::time::{Stamp, iso};
use chrono::{DateTime, NaiveDate, Utc};
use vitalcast_domain::{ActivityType, Moment, Told};

/// Numbers above this were not measured.
const NOT_MEASURED: f64 = 1e9;

/// An instant with the offset of the clock, if it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    pub(super) at: DateTime<Utc>,
    pub(super) offset_seconds: Option<i32>,
}

impl Time {
    pub(super) fn moment(self) -> Moment {
        Moment::Instant {
            at: self.at,
            offset_seconds: self.offset_seconds,
        }
    }
}

/// A row with its columns.
pub(super) struct Cells<'r, 't> {
    pub(super) row: &'r Row<'t>,
    pub(super) columns: &'r [(&'static str, Option<usize>)],
}

impl Cells<'_, '_> {
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().find(|(found, _)| *found == name)?.1
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.row.text(self.column(name))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        let number = self.row.number(self.column(name), name)?;
        Ok(number.filter(|number| number.abs() < NOT_MEASURED))
    }

    pub(super) fn positive(&self, name: &str) -> Result<Option<f64>, Fault> {
        Ok(self.number(name)?.filter(|number| *number > 0.0))
    }

    /// A time, which is in UTC, with the offset of the row.
    pub(super) fn time(&self, name: &str) -> Result<Time, Fault> {
        let at = utc(self.text(name)).ok_or_else(no_time)?;
        Ok(Time {
            at,
            offset_seconds: offset(self.text("time_offset")),
        })
    }

    /// A local day, written as a midnight in UTC.
    pub(super) fn day(&self) -> Result<NaiveDate, Fault> {
        match iso(self.text("day_time")) {
            Some(Stamp::Day(day)) => Ok(day),
            Some(Stamp::Wall(wall)) => Ok(wall.date()),
            Some(Stamp::Instant(at, _)) => Ok(at.date_naive()),
            None => Err(no_time()),
        }
    }

    pub(super) fn told(&self, at: Time, until: Option<Time>) -> Told {
        Told {
            until: until.map(Time::moment),
            updated_at: utc(self.text("update_time")),
            ..Told::at(at.moment())
        }
    }

    /// The id of a row, else its time.
    pub(super) fn id(&self, at: Time) -> String {
        match self.text("datauuid") {
            "" => at.moment().id(),
            id => shortened(id),
        }
    }
}

/// Reads `UTC+0100`.
fn offset(text: &str) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    match iso(&format!("2000-01-01 00:00:00 {text}"))? {
        Stamp::Instant(_, offset) => Some(offset.unwrap_or(0)),
        Stamp::Wall(_) | Stamp::Day(_) => None,
    }
}

/// Columns of all tables that are read.
pub(super) const COLUMNS: [&str; 39] = [
    "datauuid",
    "start_time",
    "end_time",
    "time_offset",
    "update_time",
    "day_time",
    "sleep_duration",
    "sleep_score",
    "efficiency",
    "sleep_id",
    "stage",
    "source_type",
    "count",
    "step_count",
    "rest_calorie",
    "active_calorie",
    "heart_rate",
    "weight",
    "body_fat",
    "exercise_type",
    "duration",
    "calorie",
    "distance",
    "mean_heart_rate",
    "max_heart_rate",
    "meal_type",
    "title",
    "name",
    "protein",
    "carbohydrate",
    "total_fat",
    "dietary_fiber",
    "sugar",
    "spo2",
    "average",
    "temperature",
    "combined_id",
    "min",
    "max",
];

/// The codes of Samsung's exercises.
pub(super) fn exercise(code: Option<f64>) -> ActivityType {
    match code.map(|code| code as i64) {
        Some(1_001) => ActivityType::Walking,
        Some(1_002 | 15_005) => ActivityType::Running,
        Some(3_001) => ActivityType::Golf,
        Some(4_003) => ActivityType::Basketball,
        Some(4_004) => ActivityType::Soccer,
        Some(6_002) => ActivityType::Tennis,
        Some(7_002 | 7_003) => ActivityType::MartialArts,
        Some(8_001..=8_003) => ActivityType::Dance,
        Some(9_001) => ActivityType::Pilates,
        Some(9_002) => ActivityType::Yoga,
        Some(10_001) => ActivityType::Stretching,
        Some(10_004..=10_007) => ActivityType::Bodyweight,
        Some(11_007 | 15_003) => ActivityType::Cycling,
        Some(13_001) => ActivityType::Hiking,
        Some(14_001) => ActivityType::Swimming,
        Some(15_002) => ActivityType::WeightTraining,
        Some(15_004) => ActivityType::Rowing,
        Some(15_006) => ActivityType::Elliptical,
        Some(_) | None => ActivityType::Other,
    }
}
