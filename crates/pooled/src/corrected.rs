//! A pooled model with what corrects it.

use crate::model::{Contribution, PooledForecast, PooledModel, Replay};
use crate::own::{OWN, own_names};
use crate::person::{Person, State, walk, width};
use crate::rivals::{Gated, GatedForecast, Rival};
use crate::window::Correction;
use std::ops::RangeInclusive;

/// The name of what a correction contributes to a forecast.
pub const CORRECTION: &str = "correction";

/// A pooled model, alone or with a correction of its deviations. Its intervals are those of the model; they
/// follow the errors of the corrected forecasts.
#[derive(Debug, Clone, Copy)]
pub struct Corrected<'a> {
    /// The model.
    pub model: &'a PooledModel,
    /// What corrects it.
    pub correction: Option<&'a dyn Correction>,
}

impl<'a> From<&'a PooledModel> for Corrected<'a> {
    fn from(model: &'a PooledModel) -> Self {
        Self {
            model,
            correction: None,
        }
    }
}

impl Corrected<'_> {
    /// Replays a person: for each of some days, the forecast of the day `lead - 1` days later with what
    /// was known on the evening before. `None` for a forecast of a person with fewer than two readings.
    ///
    /// # Panics
    ///
    /// For days beyond the day after the person's last.
    pub fn replay(
        self,
        person: &Person,
        days: RangeInclusive<usize>,
        lead: usize,
        mut visit: impl FnMut(usize, Option<PooledForecast>),
    ) {
        let design = self.model.design();
        let lead = lead.clamp(1, design.horizon);
        let mut features = vec![0.0; width(design)];
        let Some(replay) = Replay::new(self, person, lead) else {
            for day in days {
                visit(day, None);
            }
            return;
        };
        walk(person, replay, days, |day, replay| {
            visit(day, replay.forecast(day, person, &mut features));
        });
    }

    /// Replays a person as [`Corrected::replay`] does; a simple forecast is served in place of the
    /// model's on the evenings on which it had erred less, beyond chance.
    ///
    /// # Panics
    ///
    /// For days beyond the day after the person's last.
    pub fn replay_with_rivals(
        self,
        person: &Person,
        rivals: &[&dyn Rival],
        days: RangeInclusive<usize>,
        lead: usize,
        mut visit: impl FnMut(usize, Option<GatedForecast>),
    ) {
        let design = self.model.design();
        let lead = lead.clamp(1, design.horizon);
        let Some(gated) = Gated::new(self, person, rivals, lead) else {
            for day in days {
                visit(day, None);
            }
            return;
        };
        let mut features = vec![0.0; width(design)];
        walk(person, gated, days, |day, gated| {
            visit(day, gated.forecast(day, person, &mut features));
        });
    }

    /// What the forecast of the day `lead - 1` days after `day` is made of, largest first, and the base
    /// that it starts from, in the scale of the model.
    pub fn explain(
        self,
        person: &Person,
        day: usize,
        lead: usize,
    ) -> Option<(f64, Vec<Contribution>)> {
        let model = self.model;
        let design = model.design();
        let lead = lead.clamp(1, design.horizon);
        let source = model.learned.source(&person.source);
        let regression = model.learned.regression(source);
        let mut found = None;
        let state = State::new(design, &source.population);
        walk(person, state, day..=day, |day, state| {
            found = (|| {
                let (base, spread) = state.location()?;
                let mut features = vec![0.0; width(design)];
                state.features(lead, person.weekday(day), &mut features)?;
                regression.standardise(&mut features);
                let of = &regression.leads[lead - 1];
                let names = own_names().into_iter().chain(
                    design
                        .covariates
                        .iter()
                        .flat_map(|covariate| [covariate.name.clone(), covariate.name.clone()]),
                );
                let mut parts = vec![Contribution {
                    name: "intercept".to_owned(),
                    amount: of.intercept * spread,
                }];
                for ((place, name), coefficient) in names.enumerate().zip(&of.coefficients) {
                    let amount = spread * coefficient * features[place];
                    match parts.last_mut() {
                        // The two features of a covariate are one to a reader.
                        Some(last) if place >= OWN && last.name == name => last.amount += amount,
                        _ => parts.push(Contribution { name, amount }),
                    }
                }
                let said = regression.deviation(lead, &features);
                let evening = day.saturating_sub(1);
                let corrected = self.deviation(state, person, (day, evening), lead, said)?;
                parts.push(Contribution {
                    name: CORRECTION.to_owned(),
                    amount: spread * (corrected - said),
                });
                parts.retain(|part| part.amount != 0.0);
                parts.sort_by(|left, right| right.amount.abs().total_cmp(&left.amount.abs()));
                Some((base, parts))
            })();
        });
        found
    }

    /// The deviation of a day, as the state before it and an evening tell, where the coefficients say
    /// `said`.
    pub(crate) fn deviation(
        self,
        state: &State<'_>,
        person: &Person,
        (origin, evening): (usize, usize),
        lead: usize,
        said: f64,
    ) -> Option<f64> {
        let Some(correction) = self.correction else {
            return Some(said);
        };
        let mut window = Vec::new();
        state.window(person, origin, evening, correction.days(), &mut window)?;
        correction.deviation(&window, lead, said)
    }
}
