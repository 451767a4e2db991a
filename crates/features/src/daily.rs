//! The daily table: every field of every view of every day.

use crate::event::counted_once;
use crate::field::{FIELDS, Reduction, contribute, of_metric, reduction};
use crate::knowledge::{Calendar, Views, Visible, visible};
use crate::reading::{Sleep, daily_value};
use chrono::NaiveDate;
use vitalcast_domain::{AsOf, HealthMetric, History, MetricType, Profile, Record};

/// The days of one person: `NaN` inside stands for missing and never leaves this crate.
pub(crate) struct DailyTable {
    views: Views,
    /// `[view, field]`, row-major.
    values: Vec<f64>,
    /// Days of the views before the first day: the evening before belongs to its night.
    before: usize,
}

impl DailyTable {
    /// A field of a day as seen from an evening; `None` before the table begins, and where nothing
    /// was known.
    pub(crate) fn value(&self, field: usize, day: usize, evening: usize) -> Option<f64> {
        let view = self.views.seen(day + self.before, evening + self.before);
        let value = self.values[view * FIELDS + field];
        (!value.is_nan()).then_some(value)
    }

    /// The evenings after its own from which a day looks different, in order, with all fields before
    /// and from then on.
    pub(crate) fn later(&self, day: usize) -> impl Iterator<Item = (usize, &[f64], &[f64])> {
        self.views.later(day + self.before).map(|(view, evening)| {
            let (before, rest) = self.values[(view - 1) * FIELDS..].split_at(FIELDS);
            (evening - self.before, before, &rest[..FIELDS])
        })
    }

    /// All views of a day, each with the evening from which it holds.
    pub(crate) fn views_of(&self, day: usize) -> impl Iterator<Item = (usize, &[f64])> {
        let views = self.views.views_of(day + self.before);
        views.map(|(view, evening)| {
            let cells = &self.values[view * FIELDS..(view + 1) * FIELDS];
            (evening - self.before, cells)
        })
    }

    /// A table whose first day is that of the views.
    pub(crate) fn new(views: Views, values: Vec<f64>) -> Self {
        Self {
            views,
            values,
            before: 0,
        }
    }
}

/// The daily table of one person.
pub(crate) fn daily_table(
    history: &History,
    first_day: NaiveDate,
    days: usize,
    as_of: AsOf,
) -> DailyTable {
    let (begin, before) = match first_day.pred_opt() {
        Some(day_before) => (day_before, 1),
        None => (first_day, 0),
    };
    let days = days + before;
    let calendar = Calendar::new(history, begin, days);
    let versions: Vec<Visible<'_>> = visible(history, &calendar, as_of);
    let views = Views::new(days, &versions);
    let mut values = vec![f64::NAN; views.count() * FIELDS];
    let mut cells = values.chunks_exact_mut(FIELDS);
    let mut records = DayRecords::default();
    let (mut of_day_before, mut rest): (&[Visible<'_>], &[Visible<'_>]) = (&[], &versions);
    for day in 0..days {
        let end = rest.partition_point(|version| version.day <= day);
        let (of_day, later) = rest.split_at(end);
        for evening in views.evenings_of(day) {
            let seen = |version: &&Visible<'_>| (version.from..version.until).contains(&evening);
            records.clear();
            for version in of_day.iter().filter(seen) {
                records.add(version.record);
            }
            for version in of_day_before.iter().filter(seen) {
                records.add_before(version.record);
            }
            let cells = cells.next().expect("one row for each view");
            records.reduce(&history.profile, cells);
        }
        (of_day_before, rest) = (of_day, later);
    }
    DailyTable {
        views,
        values,
        before,
    }
}

/// The records of one day as seen from one evening, in the order of their times.
pub(crate) struct DayRecords<'a> {
    /// Meals and activities.
    events: Vec<&'a Record>,
    /// By metric type.
    readings: [Vec<&'a HealthMetric>; METRICS],
    /// Sleep sessions of the day before.
    sessions_before: Vec<&'a HealthMetric>,
}

const METRICS: usize = MetricType::ALL.len();

impl Default for DayRecords<'_> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            readings: std::array::from_fn(|_| Vec::new()),
            sessions_before: Vec::new(),
        }
    }
}

impl<'a> DayRecords<'a> {
    fn clear(&mut self) {
        self.events.clear();
        self.readings.iter_mut().for_each(Vec::clear);
        self.sessions_before.clear();
    }

    /// Adds a record of the day.
    pub(crate) fn add(&mut self, record: &'a Record) {
        match record {
            Record::Meal(_) | Record::Activity(_) => self.events.push(record),
            Record::HealthMetric(reading) => {
                if !reading.metric.not_measured(reading.value) {
                    self.readings[reading.metric as usize].push(reading);
                }
            }
        }
    }

    /// Adds a record of the day before: its evening may be the first part of the night.
    pub(crate) fn add_before(&mut self, record: &'a Record) {
        if let Record::HealthMetric(reading) = record
            && reading.metric == MetricType::SleepDuration
        {
            self.sessions_before.push(reading);
        }
    }

    /// Meals and activities, each once.
    pub(crate) fn events(&self, profile: &Profile) -> Vec<&'a Record> {
        counted_once(&self.events, profile)
    }

    /// Number of recorded meals and activities, those counted twice included.
    pub(crate) fn recorded_events(&self) -> usize {
        self.events.len()
    }

    /// Whether there is any reading.
    pub(crate) fn has_readings(&self) -> bool {
        self.readings.iter().any(|readings| !readings.is_empty())
    }

    /// The readings of a metric.
    pub(crate) fn readings(&self, metric: MetricType) -> &[&'a HealthMetric] {
        &self.readings[metric as usize]
    }

    /// The nights and naps of the day.
    pub(crate) fn sleep(&self) -> Sleep<'a> {
        let sessions = self.readings(MetricType::SleepDuration);
        Sleep::new(sessions, self.sessions_before.iter().copied())
    }

    /// Whether nothing was measured but amounts of zero: then the device was not worn, and its amounts
    /// do not count. A meal is written down without a device, so it shows nothing; a workout shows that
    /// the person moved. The types of our own summarise whatever part of the day was measured; beside
    /// the contract's they do not show that an amount was.
    pub(crate) fn is_not_worn(&self) -> bool {
        let readings = || self.readings.iter().flatten();
        let has_contract = readings().any(|reading| reading.metric.is_of_the_contract());
        let is_zero_amount =
            |reading: &&HealthMetric| reading.value == 0.0 && reading.metric.is_amount();
        let has_workout = (self.events.iter()).any(|record| matches!(record, Record::Activity(_)));
        !has_workout
            && readings()
                .filter(|reading| !has_contract || reading.metric.is_of_the_contract())
                .all(is_zero_amount)
    }

    /// Writes every field of the day; fields that nothing was recorded of stay as they are.
    fn reduce(&self, profile: &Profile, cells: &mut [f64]) {
        let is_not_worn = self.is_not_worn();
        if !self.events.is_empty() {
            let mut counts = [0_u32; FIELDS];
            for record in self.events(profile) {
                contribute(record, &mut |field, value| {
                    add(
                        &mut cells[field],
                        &mut counts[field],
                        reduction(field),
                        value,
                    );
                });
            }
        }
        let sleep = self.sleep();
        for (readings, metric) in self.readings.iter().zip(MetricType::ALL) {
            if readings.is_empty() || (is_not_worn && metric.is_amount()) {
                continue;
            }
            if let Some(found) = daily_value(*metric, readings, &sleep, profile) {
                cells[of_metric(*metric)] = found.value;
            }
        }
    }
}

/// Adds a value to a cell. Records come in their canonical order, so a sum is always added up in the
/// same order.
fn add(held: &mut f64, count: &mut u32, reduction: Reduction, value: f64) {
    *held = match reduction {
        _ if *count == 0 => value,
        Reduction::Sum => *held + value,
        // Step by step, so that the mean of equal values is that value to the last bit.
        Reduction::Mean => *held + (value - *held) / f64::from(*count + 1),
        Reduction::Smallest => held.min(value),
        Reduction::Largest => held.max(value),
    };
    *count += 1;
}
