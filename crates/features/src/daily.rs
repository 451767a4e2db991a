//! The daily table: every field of every view of every day.

use crate::field::{FIELDS, Reduction, contribute, reduction};
use crate::knowledge::{Calendar, Views, Visible, visible};
use chrono::NaiveDate;
use vitalcast_domain::{AsOf, History};

/// The days of one person: `NaN` inside stands for missing and never leaves this crate.
pub(crate) struct DailyTable {
    views: Views,
    /// `[view, field]`, row-major.
    values: Vec<f64>,
}

impl DailyTable {
    /// A field of a day as seen from an evening; `None` before the table begins, and where nothing
    /// was known.
    pub(crate) fn value(&self, field: usize, day: usize, evening: usize) -> Option<f64> {
        let value = self.values[self.views.seen(day, evening) * FIELDS + field];
        (!value.is_nan()).then_some(value)
    }
}

/// The daily table of one person.
pub(crate) fn daily_table(
    history: &History,
    first_day: NaiveDate,
    days: usize,
    as_of: AsOf,
) -> DailyTable {
    let calendar = Calendar::new(history, first_day, days);
    let versions: Vec<Visible<'_>> = visible(history, &calendar, as_of);
    let views = Views::new(days, &versions);
    let mut cells = Cells::new(views.count());
    for version in &versions {
        for view in views.of(version) {
            contribute(version.record, &mut |field, value| {
                cells.add(view, field, value);
            });
        }
    }
    DailyTable {
        views,
        values: cells.reduced(),
    }
}

/// The cells of a table in the making, `[view, field]`. Records come in their canonical order, so a
/// sum is always added up in the same order.
struct Cells {
    reductions: [Reduction; FIELDS],
    values: Vec<f64>,
    /// How many values each cell has taken.
    counts: Vec<u32>,
}

impl Cells {
    fn new(views: usize) -> Self {
        Self {
            reductions: std::array::from_fn(reduction),
            values: vec![f64::NAN; views * FIELDS],
            counts: vec![0; views * FIELDS],
        }
    }

    fn add(&mut self, view: usize, field: usize, value: f64) {
        let cell = view * FIELDS + field;
        let (held, count) = (&mut self.values[cell], &mut self.counts[cell]);
        *held = match self.reductions[field] {
            _ if *count == 0 => value,
            Reduction::Sum => *held + value,
            // Step by step, so that the mean of equal readings is that reading to the last bit.
            Reduction::Mean => *held + (value - *held) / f64::from(*count + 1),
            Reduction::Smallest => held.min(value),
            Reduction::Largest => held.max(value),
            Reduction::Latest => value,
        };
        *count += 1;
    }

    /// One value a cell; `NaN` where there was none.
    fn reduced(self) -> Vec<f64> {
        self.values
    }
}
