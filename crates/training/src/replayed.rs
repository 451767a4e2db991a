//! One person as a replay asks for it.

use crate::cohort::CohortPerson;
use std::ops::Range;
use vitalcast_evaluation::Replayed;
use vitalcast_models::{SeriesForecaster, SeriesModel};
use vitalcast_pooled::{Corrected, rounded};

/// Forecasts of one person that were computed beforehand, many at once.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    /// By lead, from 1, and origin.
    forecasts: Vec<Vec<Option<f64>>>,
}

impl Computed {
    /// Notes what was forecast of the day `lead - 1` days after `origin`.
    pub(crate) fn insert(&mut self, origin: usize, lead: usize, forecast: Option<f64>) {
        if self.forecasts.len() < lead {
            self.forecasts.resize(lead, Vec::new());
        }
        let of_lead = &mut self.forecasts[lead - 1];
        if of_lead.len() <= origin {
            of_lead.resize(origin + 1, None);
        }
        of_lead[origin] = forecast;
    }

    /// What a model of many people forecasts of some days of a person, `lead` days ahead.
    pub(crate) fn of_pooled(
        model: Corrected<'_>,
        person: &CohortPerson,
        targets: Range<usize>,
        lead: usize,
    ) -> Self {
        let mut found = Self::default();
        if !targets.is_empty() && targets.end >= lead {
            let first = (targets.start + 1).saturating_sub(lead);
            let origins = first..=targets.end - lead;
            model.replay(&person.days.person, origins, lead, |origin, forecast| {
                let value = forecast.map(|forecast| forecast.distribution.value());
                found.insert(origin, lead, value);
            });
        }
        found
    }
}

impl Replayed for Computed {
    fn forecast(&self, _: usize, origin: usize, lead: usize) -> Option<f64> {
        let of_lead = self.forecasts.get(lead.checked_sub(1)?)?;
        of_lead.get(origin).copied().flatten()
    }
}

/// A model of one series, which reads all earlier days of a person, beside a model of many people: where all
/// readings so far are whole numbers, so are the forecasts of both.
pub(crate) struct SeriesOfPerson<'a> {
    pub(crate) model: &'a SeriesModel,
    pub(crate) person: &'a CohortPerson,
}

impl Replayed for SeriesOfPerson<'_> {
    fn forecast(&self, _: usize, origin: usize, lead: usize) -> Option<f64> {
        let known = self.person.known(origin);
        let is_whole = |reading: &f64| reading.fract() == 0.0;
        let is_whole = known.iter().flatten().all(is_whole);
        let forecast = self.model.forecast(&known, lead)?;
        Some(rounded(is_whole, forecast))
    }
}
