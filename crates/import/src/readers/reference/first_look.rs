//! What the first rows of a reference table say about how all of them are written.

use super::Kind;
use super::cells::{Cells, Column};
use super::workout::{DurationUnit, LONGEST_MINUTES, unit_of};
use crate::numbers::{Cell, Marks, cell};
use crate::survey::{Dates, Ids, Numbers, Quantity, quantity};
use crate::time::{DateOrder, Stamp, read};
use chrono::{DateTime, TimeDelta, Utc};
use std::hash::{DefaultHasher, Hash, Hasher};
use vitalcast_domain::{Activity, Meal, MetricType, bounds};

/// Number of rows that decide whether `createdAt` shows a bulk import.
const SAMPLE: usize = 1_000;
/// A row created later than this after it happened counts as a sign of a bulk import.
const LATE: TimeDelta = TimeDelta::days(7);

/// Number of rows from which on `updatedAt` may show a change of the whole table.
const BULK: usize = 20;

/// Columns of numbers, each with what its numbers are.
const QUANTITIES: [(Column, Quantity); 14] = [
    (
        Column::CALORIES,
        Quantity::Large(10.0, Meal::ENERGY.bounds.high),
    ),
    (Column::ENERGY_KJ, Quantity::Large(40.0, 84_000.0)),
    (Column::PROTEIN, Quantity::Any(Meal::PROTEIN.bounds.high)),
    (Column::CARBS, Quantity::Any(Meal::CARBS.bounds.high)),
    (Column::FAT, Quantity::Any(Meal::FAT.bounds.high)),
    (Column::FIBER, Quantity::Any(Meal::FIBER.bounds.high)),
    (Column::SUGAR, Quantity::Any(Meal::SUGAR.bounds.high)),
    // In any unit.
    (Column::DURATION, Quantity::Any(1e8)),
    (
        Column::CALORIES_BURNED,
        Quantity::Large(10.0, Activity::ENERGY.bounds.high),
    ),
    (
        Column::AVERAGE_HEART_RATE,
        Quantity::Any(Activity::AVERAGE_HEART_RATE.bounds.high),
    ),
    (
        Column::MAX_HEART_RATE,
        Quantity::Any(Activity::MAX_HEART_RATE.bounds.high),
    ),
    (
        Column::DISTANCE,
        Quantity::Large(50.0, Activity::DISTANCE.bounds.high),
    ),
    (Column::STEPS, Quantity::Whole(Activity::STEPS.bounds.high)),
    (Column::VALUE, Quantity::Any(bounds::READING.high)),
];
const METRICS: usize = MetricType::ALL.len();

/// How the rows of a table are written.
#[derive(Debug)]
pub(super) struct Rules {
    /// Whether `createdAt` is the time when rows became known.
    pub(super) trust_created: bool,
    /// Whether `updatedAt` is the time when single rows changed, not that of a change of the whole table.
    pub(super) trust_updated: bool,
    /// Whether the ids are row numbers.
    pub(super) row_numbers: bool,
    pub(super) order: DateOrder,
    /// The unit of the durations, if the rows show it.
    pub(super) duration: Option<DurationUnit>,
    metrics: [Marks; METRICS],
    columns: [Marks; QUANTITIES.len()],
    /// Columns and metrics in which a dot or comma groups thousands.
    pub(super) grouped: Vec<&'static str>,
}

impl Rules {
    /// What dots and commas mean in the readings of a metric.
    pub(super) fn of_metric(&self, metric: MetricType) -> Marks {
        self.metrics[metric as usize]
    }

    /// What dots and commas mean in a column.
    pub(super) fn of_column(&self, column: Column) -> Marks {
        let place = QUANTITIES.iter().position(|(known, _)| *known == column);
        place.map_or_else(Marks::default, |place| self.columns[place])
    }
}

/// A first look at the rows of a table.
pub(super) struct FirstLook {
    delays: Vec<TimeDelta>,
    updates: Vec<TimeDelta>,
    ids: Ids,
    dates: Dates,
    durations: [usize; 4],
    /// Durations that no start and end explain.
    alone: Vec<f64>,
    metrics: Vec<Numbers>,
    columns: Vec<Numbers>,
}

impl FirstLook {
    pub(super) fn new() -> Self {
        Self {
            delays: Vec::new(),
            updates: Vec::new(),
            ids: Ids::default(),
            dates: Dates::default(),
            durations: [0; 4],
            alone: Vec::new(),
            metrics: vec![Numbers::default(); METRICS],
            columns: vec![Numbers::default(); QUANTITIES.len()],
        }
    }

    /// Takes a row into account.
    pub(super) fn see(&mut self, kind: Kind, cells: &impl Cells) {
        let id = cells.cell(Column::ID);
        if !id.is_empty() {
            self.ids.see(id);
        }
        let moment = cells.cell(kind.moment());
        // Other dates begin with the year.
        if moment.as_bytes().get(4).is_none_or(|byte| *byte != b'-') {
            self.dates.see(moment);
        }
        if self.delays.len() < SAMPLE {
            self.delays
                .extend(delay(cells, kind.moment(), Column::CREATED_AT));
        }
        if self.updates.len() < SAMPLE {
            self.updates
                .extend(delay(cells, kind.moment(), Column::UPDATED_AT));
        }
        let day = || {
            let mut hasher = DefaultHasher::new();
            let date = moment.get(..10).unwrap_or(moment);
            (cells.cell(Column::USER_ID), date).hash(&mut hasher);
            hasher.finish()
        };
        if kind == Kind::HealthMetrics {
            let value = cells.cell(Column::VALUE);
            if says_something(value)
                && let Ok(metric) = crate::words::metric(cells.cell(Column::METRIC_TYPE))
            {
                self.metrics[metric as usize].see_on_day(value, quantity(metric), day);
            }
            return;
        }
        for ((column, quantity), numbers) in QUANTITIES.iter().zip(&mut self.columns) {
            let text = cells.cell(*column);
            if says_something(text) {
                numbers.see_on_day(text, *quantity, day);
            }
        }
        if kind == Kind::Activities
            && let Ok(Cell::Value(duration, None)) =
                cell(cells.cell(Column::DURATION), "", Marks::default())
        {
            let time = |column| read(cells.cell(column), DateOrder::Unknown).map(instant);
            match (time(Column::STARTED_AT), time(Column::ENDED_AT)) {
                (Ok(start), Ok(end)) => {
                    let minutes = (end - start).num_seconds() as f64 / 60.0;
                    if let Some(unit) = unit_of(duration, minutes) {
                        self.durations[unit as usize] += 1;
                    }
                }
                _ if self.alone.len() < SAMPLE => self.alone.push(duration),
                _ => {}
            }
        }
    }

    /// The unit of the durations, if the rows show it: the one in which start and end agree with them. Where no
    /// row has both, a longer one than minutes, if half of them would be longer than five hours and the longest
    /// longer than a day and a half.
    fn duration(&mut self) -> Option<DurationUnit> {
        /// Minutes that half of all workouts do not take.
        const USUAL: f64 = 300.0;
        let mut shown = DurationUnit::ALL
            .into_iter()
            .filter(|unit| self.durations[*unit as usize] > 0);
        match (shown.next(), shown.next()) {
            (Some(only), None) => return Some(only),
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
        self.alone.sort_by(f64::total_cmp);
        let (longest, middle) = (self.alone.last()?, self.alone.get(self.alone.len() / 2)?);
        if *longest <= LONGEST_MINUTES || *middle <= USUAL {
            return None;
        }
        [DurationUnit::Seconds, DurationUnit::Milliseconds]
            .into_iter()
            .find(|unit| {
                unit.minutes(*middle) <= USUAL && unit.minutes(*longest) <= LONGEST_MINUTES
            })
    }

    /// What the rows say.
    pub(super) fn rules(mut self) -> Rules {
        let duration = self.duration();
        let late = |delays: &[TimeDelta]| delays.iter().filter(|delay| **delay > LATE).count();
        // A few rows that were all changed late were changed one by one.
        let is_bulk = self.updates.len() >= BULK && late(&self.updates) * 2 > self.updates.len();
        let late = late(&self.delays);
        let mut file = [false; 2];
        for numbers in self.metrics.iter().chain(&self.columns) {
            let decimal = numbers.decimal();
            file = [file[0] || decimal[0], file[1] || decimal[1]];
        }
        let mut metrics = [Marks::default(); METRICS];
        let mut columns = [Marks::default(); QUANTITIES.len()];
        let mut grouped = Vec::new();
        for (metric, numbers) in MetricType::ALL.iter().zip(&self.metrics) {
            let marks = numbers.marks(quantity(*metric), file);
            metrics[*metric as usize] = marks;
            if numbers.groups(marks) {
                grouped.push(metric.as_str());
            }
        }
        for (place, ((column, quantity), numbers)) in
            QUANTITIES.iter().zip(&self.columns).enumerate()
        {
            let marks = numbers.marks(*quantity, file);
            columns[place] = marks;
            if numbers.groups(marks) {
                grouped.push(column.name());
            }
        }
        Rules {
            trust_updated: !is_bulk,
            trust_created: late * 2 <= self.delays.len(),
            row_numbers: self.ids.are_row_numbers(),
            order: self.dates.order(),
            duration,
            metrics,
            columns,
            grouped,
        }
    }
}

/// Whether a number says how its column is written: a small whole number does not.
fn says_something(text: &str) -> bool {
    text.len() > 3
}

fn instant(stamp: Stamp) -> DateTime<Utc> {
    match stamp {
        Stamp::Instant(instant, _) => instant,
        Stamp::Wall(wall) => wall.and_utc(),
        Stamp::Day(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
    }
}

fn delay(cells: &impl Cells, moment: Column, later: Column) -> Option<TimeDelta> {
    let later = cells.cell(later);
    if later.is_empty() {
        return None;
    }
    let read = |text| read(text, DateOrder::Unknown).ok().map(instant);
    Some(read(later)? - read(cells.cell(moment))?)
}
