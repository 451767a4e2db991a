//! The days of a person, and how they are read evening by evening.

use crate::covariate::{CovariateHistory, OF_COVARIATE};
use crate::design::{Design, Part};
use crate::own::{GAP, OWN, OwnHistory, POPULATION_MEAN, Population, WEEK, WEEKDAY_MEAN};
use vitalcast_windows::KnownSeries;

/// The days of one person, each as known on any evening. Day 0 is the same day in all series.
#[derive(Debug, Clone)]
pub struct Person {
    /// Weekday of day 0, 0 for Monday.
    pub first_weekday: usize,
    /// What measured the series: people of one source have a scale in common.
    pub source: String,
    /// The series that is forecast.
    pub series: KnownSeries,
    /// The covariates, in the order of the design; `None` for a series that the person does not have.
    pub covariates: Vec<Option<KnownSeries>>,
}

impl Person {
    /// Number of days.
    pub fn days(&self) -> usize {
        self.series.days()
    }

    pub(crate) fn weekday(&self, day: usize) -> usize {
        (self.first_weekday + day) % WEEK
    }

    /// For each evening up to a last one, the earliest day that looks different from then on; empty when
    /// nothing is late.
    fn earliest_changes(&self, last: usize) -> Vec<Option<usize>> {
        let mut earliest = Vec::new();
        for later in self.all_series().flat_map(KnownSeries::later) {
            earliest.resize(last + 1, None);
            if let Some(day) = earliest.get_mut(later.from) {
                *day = Some(day.map_or(later.day, |day: usize| day.min(later.day)));
            }
        }
        earliest
    }

    fn all_series(&self) -> impl Iterator<Item = &KnownSeries> {
        std::iter::once(&self.series).chain(self.covariates.iter().flatten())
    }

    /// The days as known on an evening, up to a day (exclusive): nothing of them is late.
    #[must_use]
    pub fn as_known(&self, evening: usize, end: usize) -> Self {
        let known = |series: &KnownSeries| {
            let end = end.min(series.days());
            KnownSeries::from(series.known(0..end, evening).into_owned())
        };
        Self {
            first_weekday: self.first_weekday,
            source: self.source.clone(),
            series: known(&self.series),
            covariates: self
                .covariates
                .iter()
                .map(|series| series.as_ref().map(known))
                .collect(),
        }
    }
}

/// What follows the days of a person one by one, and can be copied to go back to an earlier day.
pub(crate) trait Follower: Clone {
    /// Adds a day, as known on some evening not before its own.
    fn push(&mut self, person: &Person, day: usize, evening: usize);
}

/// Days between two copies to go back to.
const COPY_EVERY: usize = 8;

/// Shows the follower to `visit` for each of some days (not beyond the day after the last): it has seen all
/// days before, as known on the evening before. Late values and corrections send it back to the day they
/// change.
pub(crate) fn walk<F: Follower>(
    person: &Person,
    start: F,
    days: std::ops::RangeInclusive<usize>,
    mut visit: impl FnMut(usize, &F),
) {
    let changes = person.earliest_changes(*days.end());
    let late = !changes.is_empty();
    let mut copies: Vec<F> = Vec::new();
    let mut current = start.clone();
    let mut seen = 0;
    for day in 0..=*days.end() {
        // On the evening of the day before, which is the last one that is known then.
        let evening = day.saturating_sub(1);
        if day > 0
            && let Some(changed) = changes.get(evening).copied().flatten()
            && changed < seen
        {
            let copy = changed / COPY_EVERY;
            copies.truncate(copy + 1);
            current = copies.last().cloned().unwrap_or_else(|| start.clone());
            seen = copies.len().saturating_sub(1) * COPY_EVERY;
        }
        while seen < day {
            if late && seen % COPY_EVERY == 0 && copies.len() == seen / COPY_EVERY {
                copies.push(current.clone());
            }
            current.push(person, seen, evening);
            seen += 1;
        }
        if days.contains(&day) {
            visit(day, &current);
        }
    }
}

/// A person's series and covariates up to some day.
#[derive(Debug, Clone)]
pub(crate) struct State<'a> {
    pub(crate) design: &'a Design,
    population: &'a Population,
    pub(crate) own: OwnHistory,
    pub(crate) covariates: Vec<CovariateHistory>,
}

impl<'a> State<'a> {
    pub(crate) fn new(design: &'a Design, population: &'a Population) -> Self {
        Self {
            design,
            population,
            own: OwnHistory::new(!design.lacks(Part::OwnSpread)),
            covariates: vec![CovariateHistory::default(); design.covariates.len()],
        }
    }

    /// Base and spread; `None` while there are too few readings.
    pub(crate) fn location(&self) -> Option<(f64, f64)> {
        let base = self.own.base(self.population.base)?;
        Some((base, self.own.spread(self.population)))
    }

    /// Writes the features of a target `lead` days ahead, where the next day is a `next`; `None` while there are too few readings.
    pub(crate) fn features(&self, lead: usize, next: usize, into: &mut [f64]) -> Option<()> {
        let (own, others) = into.split_at_mut(OWN);
        self.own.features(lead, next, self.population, own)?;
        for (covariate, place) in self
            .covariates
            .iter()
            .zip(others.chunks_exact_mut(OF_COVARIATE))
        {
            place.copy_from_slice(&covariate.features());
        }
        match self.design.without {
            Some(Part::OtherSeries) => others.fill(f64::NAN),
            Some(Part::Weekday) => {
                own[WEEKDAY_MEAN] = f64::NAN;
                own[OWN - WEEK..].fill(f64::NAN);
            }
            Some(Part::Gap) => own[GAP] = f64::NAN,
            Some(Part::PopulationMean) => own[POPULATION_MEAN] = f64::NAN,
            Some(
                Part::LastReading
                | Part::OwnSpread
                | Part::RobustLoss
                | Part::Shrinkage
                | Part::WholeNumbers,
            )
            | None => {}
        }
        Some(())
    }

    /// The mean deviation on the weekday of a target, in the person's spread.
    pub(crate) fn weekday_mean(&self, lead: usize, next: usize, spread: f64) -> f64 {
        if self.design.lacks(Part::Weekday) {
            return f64::NAN;
        }
        self.own.weekday_mean(next, lead) / spread
    }

    /// Whether forecasts are whole numbers, as all readings are.
    pub(crate) fn is_whole(&self) -> bool {
        self.own.is_whole() && !self.design.lacks(Part::WholeNumbers)
    }
}

/// Number of features of a design.
pub(crate) fn width(design: &Design) -> usize {
    OWN + OF_COVARIATE * design.covariates.len()
}

impl Follower for State<'_> {
    fn push(&mut self, person: &Person, day: usize, evening: usize) {
        let measured = person.series.value(day, evening);
        let value = measured.and_then(|value| self.design.transform.apply(value));
        self.own
            .push(value, measured, person.weekday(day), self.population);
        let known = person.covariates.iter().zip(&self.design.covariates);
        for (state, (series, covariate)) in self.covariates.iter_mut().zip(known) {
            if let Some(series) = series {
                state.push(series.value(day, evening), covariate.transform);
            }
        }
    }
}
