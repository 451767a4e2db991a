//! The daily table: every field of every view of every day.

use crate::event::counted_once;
use crate::field::{FIELDS, Reduction, contribute, of_metric, reduction};
use crate::knowledge::{Calendar, Views, Visible, visible};
use crate::reading::{Sleep, daily_value};
use chrono::NaiveDate;
use std::borrow::Cow;
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
        let (of_day, later) = until_day(rest, day);
        let (of_day_after, _) = until_day(later, day + 1);
        for evening in views.evenings_of(day) {
            let seen = |version: &&Visible<'_>| (version.from..version.until).contains(&evening);
            records.clear();
            for version in of_day.iter().filter(seen) {
                records.add(version.record);
            }
            for version in of_day_before.iter().filter(seen) {
                records.add_before(version.record);
            }
            for version in of_day_after.iter().filter(seen) {
                records.add_after(version.record);
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

/// The versions up to a day, and those after it.
fn until_day<'v, 'a>(
    versions: &'v [Visible<'a>],
    day: usize,
) -> (&'v [Visible<'a>], &'v [Visible<'a>]) {
    versions.split_at(versions.partition_point(|version| version.day <= day))
}

/// The records of one day as seen from one evening, in the order of their times.
pub(crate) struct DayRecords<'a> {
    /// Meals and activities.
    events: Vec<&'a Record>,
    /// By metric type.
    readings: [Vec<&'a HealthMetric>; METRICS],
    /// Readings of nights of the day before: its evening may be the first part of the night.
    before: Vec<&'a HealthMetric>,
    /// Sleep sessions of the day after: the evening may be the first part of that night.
    sessions_after: Vec<&'a HealthMetric>,
}

const METRICS: usize = MetricType::ALL.len();

impl Default for DayRecords<'_> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            readings: std::array::from_fn(|_| Vec::new()),
            before: Vec::new(),
            sessions_after: Vec::new(),
        }
    }
}

impl<'a> DayRecords<'a> {
    fn clear(&mut self) {
        self.events.clear();
        self.readings.iter_mut().for_each(Vec::clear);
        self.before.clear();
        self.sessions_after.clear();
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
            // No feature is made of what was noted.
            Record::Tag(_) => {}
        }
    }

    /// Adds a record of the day before: its evening may be the first part of the night.
    pub(crate) fn add_before(&mut self, record: &'a Record) {
        if let Record::HealthMetric(reading) = record
            && reading.metric.is_of_the_night()
            && !reading.metric.not_measured(reading.value)
        {
            self.before.push(reading);
        }
    }

    /// Adds a record of the day after: the evening may be the first part of that night.
    pub(crate) fn add_after(&mut self, record: &'a Record) {
        if let Record::HealthMetric(reading) = record
            && reading.metric == MetricType::SleepDuration
            && !reading.metric.not_measured(reading.value)
        {
            self.sessions_after.push(reading);
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

    /// The readings of a metric: those of the day, and for the parts and scores of a night those of its
    /// first part on the evening before.
    pub(crate) fn readings(
        &self,
        metric: MetricType,
        sleep: &Sleep<'_>,
    ) -> Cow<'_, [&'a HealthMetric]> {
        let of_day = self.of_day(metric);
        if metric == MetricType::SleepDuration || !metric.is_of_the_night() {
            return Cow::Borrowed(of_day);
        }
        let is_of_night =
            |reading: &&HealthMetric| reading.metric == metric && sleep.began_with(reading);
        let mut before = self.before.iter().copied().filter(is_of_night);
        match before.next() {
            None => Cow::Borrowed(of_day),
            Some(first) => {
                let mut readings = vec![first];
                readings.extend(before);
                readings.extend(of_day);
                Cow::Owned(readings)
            }
        }
    }

    fn of_day(&self, metric: MetricType) -> &[&'a HealthMetric] {
        &self.readings[metric as usize]
    }

    /// The nights and naps of the day.
    pub(crate) fn sleep(&self) -> Sleep<'a> {
        let is_session = |reading: &&HealthMetric| reading.metric == MetricType::SleepDuration;
        let before = self.before.iter().copied().filter(is_session);
        let after = self.sessions_after.iter().copied();
        Sleep::new(self.of_day(MetricType::SleepDuration), before.chain(after))
    }

    /// The sources whose watch, ring or band was not worn on the day, each once: of what it measures they
    /// have numbers that say nothing, and no others. What another source has does not matter, nor does a
    /// meal, which is written down without a device, or what a scale or a glucose meter measured; a workout
    /// of the same source does. The types of our own summarise whatever part of the day was measured;
    /// beside the contract's they do not show that an amount was.
    pub(crate) fn not_worn(&self) -> NotWorn<'a> {
        let mut judged = Vec::new();
        let mut found = NotWorn(Vec::new());
        for reading in self.readings.iter().flatten() {
            let source = reading.provenance.source.as_str();
            if says_nothing(reading) && !judged.contains(&source) {
                judged.push(source);
                if self.is_not_worn(source) {
                    found.0.push(source);
                }
            }
        }
        found
    }

    fn is_not_worn(&self, source: &str) -> bool {
        let worn = || {
            let readings = self.readings.iter().flatten();
            readings.filter(|reading| {
                reading.metric.is_of_a_wearable() && reading.provenance.source == source
            })
        };
        let has_contract = worn().any(|reading| reading.metric.is_of_the_contract());
        let has_workout = self.events.iter().any(|record| {
            matches!(record, Record::Activity(_)) && record.provenance().source == source
        });
        !has_workout
            && worn()
                .filter(|reading| !has_contract || reading.metric.is_of_the_contract())
                .all(|reading| says_nothing(reading))
    }

    /// Whether no watch, ring or band was worn, of those that have any reading on the day.
    pub(crate) fn is_no_device_worn(&self, not_worn: &NotWorn<'_>) -> bool {
        let mut readings = self.readings.iter().flatten();
        !not_worn.0.is_empty()
            && readings.all(|reading| {
                !reading.metric.is_of_a_wearable() || not_worn.has(&reading.provenance.source)
            })
    }

    /// The readings of a metric that count: no amounts and zeros of a device that was not worn.
    pub(crate) fn counted_readings(
        &self,
        metric: MetricType,
        sleep: &Sleep<'_>,
        not_worn: &NotWorn<'_>,
    ) -> Cow<'_, [&'a HealthMetric]> {
        // A night without deep or dream sleep, of which nobody says how long it was, was not measured.
        let is_night_unmeasured = matches!(
            metric,
            MetricType::DeepSleepDuration | MetricType::RemSleepDuration
        ) && self.of_day(MetricType::SleepDuration).is_empty();
        let mut of_day = self.of_day(metric).iter();
        if is_night_unmeasured && of_day.all(|reading| says_nothing(reading)) {
            return Cow::Borrowed(&[]);
        }
        let mut readings = self.readings(metric, sleep);
        for source in &not_worn.0 {
            let is_of_it = |reading: &&HealthMetric| reading.provenance.source == *source;
            let says_something = |reading: &&HealthMetric| !says_nothing(reading);
            let has_some = readings.iter().any(is_of_it);
            let mut own = readings.iter().filter(|reading| is_of_it(reading));
            if has_some && (metric.is_amount() || !own.any(says_something)) {
                let of_others = readings.iter().copied();
                readings = Cow::Owned(of_others.filter(|reading| !is_of_it(reading)).collect());
            }
        }
        readings
    }

    /// Writes every field of the day; fields that nothing was recorded of stay as they are.
    fn reduce(&self, profile: &Profile, cells: &mut [f64]) {
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
        let not_worn = self.not_worn();
        for metric in MetricType::ALL.iter().copied() {
            let readings = self.counted_readings(metric, &sleep, &not_worn);
            if let Some(found) = daily_value(metric, &readings, &sleep, profile) {
                cells[of_metric(metric)] = found.value;
            }
        }
    }
}

/// Sources whose device was not worn on a day.
pub(crate) struct NotWorn<'a>(Vec<&'a str>);

impl NotWorn<'_> {
    fn has(&self, source: &str) -> bool {
        self.0.contains(&source)
    }
}

/// Whether a reading says nothing beside others that do not: 0 of whatever may be 0, but for times of
/// the clock, and a day spent sitting from midnight to midnight.
fn says_nothing(reading: &HealthMetric) -> bool {
    /// Minutes of a day.
    const WHOLE_DAY: f64 = 1_440.0;
    let is_clock = matches!(reading.metric, MetricType::Bedtime | MetricType::WakeTime);
    (reading.value == 0.0 && !is_clock)
        || (reading.metric == MetricType::SedentaryMinutes && reading.value >= WHOLE_DAY)
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
