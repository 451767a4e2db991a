//! What a model read from a file must be before it forecasts.

use crate::design::{Design, Transform};
use crate::error::PooledError;
use crate::learn::Regression;
use crate::model::{LONGEST_HORIZON, PooledModel};
use crate::own::Population;
use crate::person::width;

impl PooledModel {
    /// Checks what was read from a file: how many numbers there are, and what they are.
    ///
    /// # Errors
    ///
    /// [`PooledError::Unusable`].
    pub fn validate(&self) -> Result<(), PooledError> {
        let unusable = |what| Err(PooledError::Unusable(what));
        let design = &self.design;
        check_design(design)?;
        for regression in &self.learned.regressions {
            check_regression(design, regression)?;
        }
        let regressions = self.learned.regressions.len();
        for source in self.learned.sources.iter().chain([&self.learned.any]) {
            check_population(&source.population)?;
            if source.regression >= regressions {
                return unusable("a source has no coefficients");
            }
        }
        let names: Vec<&str> = self.sources().collect();
        if !names.is_sorted_by(|left, right| left < right) {
            return unusable("its sources are out of order or not all different");
        }
        let calibrated = self.calibrations.len() == regressions
            && self
                .calibrations
                .iter()
                .all(|leads| leads.len() == design.horizon);
        if !calibrated {
            return unusable("it lacks calibrations");
        }
        Ok(())
    }
}

fn check_design(design: &Design) -> Result<(), PooledError> {
    let unusable = |what| Err(PooledError::Unusable(what));
    if !(1..=LONGEST_HORIZON).contains(&design.horizon) {
        return unusable("its horizon is outside the bounds");
    }
    if !design.has_penalties() {
        return unusable("a penalty is not finite and above 0");
    }
    let is_transform = |transform| match transform {
        Transform::Identity => true,
        Transform::Log { plus } => f64::is_finite(plus) && plus >= 0.0,
    };
    let of_others = design
        .covariates
        .iter()
        .map(|covariate| covariate.transform);
    if !std::iter::once(design.transform)
        .chain(of_others)
        .all(is_transform)
    {
        return unusable("the constant of a logarithm is not finite or below 0");
    }
    let mut names: Vec<&str> = design
        .covariates
        .iter()
        .map(|of| of.name.as_str())
        .collect();
    names.sort_unstable();
    if names.iter().any(|name| name.is_empty()) || names.windows(2).any(|pair| pair[0] == pair[1]) {
        return unusable("a covariate has no name, or that of another");
    }
    Ok(())
}

fn check_regression(design: &Design, regression: &Regression) -> Result<(), PooledError> {
    let width = width(design);
    let fits = regression.means.len() == width
        && regression.spreads.len() == width
        && regression.leads.len() == design.horizon
        && regression
            .leads
            .iter()
            .all(|lead| lead.coefficients.len() == width);
    if !fits {
        return Err(PooledError::Unusable(
            "its coefficients do not match what it reads",
        ));
    }
    let leads = regression.leads.iter();
    let is_finite = leads
        .flat_map(|lead| lead.coefficients.iter().chain([&lead.intercept]))
        .chain(&regression.means)
        .all(|number| number.is_finite());
    let are_spreads = regression
        .spreads
        .iter()
        .all(|spread| spread.is_finite() && *spread > 0.0);
    if !(is_finite && are_spreads) {
        return Err(PooledError::Unusable(
            "a coefficient, mean or spread is no such number",
        ));
    }
    Ok(())
}

fn check_population(population: &Population) -> Result<(), PooledError> {
    let Population {
        base: _,
        variance,
        within,
        mean,
        prior_readings,
    } = population;
    let is_positive = |number: &f64| number.is_finite() && *number > 0.0;
    // People of whom each is as the population are worth no prior reading.
    let are_numbers = is_positive(variance)
        && within.is_finite()
        && *within >= 0.0
        && mean.is_finite()
        && prior_readings.is_finite()
        && *prior_readings >= 0.0;
    if !are_numbers {
        return Err(PooledError::Unusable(
            "what people have in common is no such number",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Covariate;
    use crate::learn::Learner;
    use crate::person::Person;
    use vitalcast_windows::KnownSeries;

    fn model() -> PooledModel {
        let people: Vec<Person> = (0..12_usize)
            .map(|number| {
                let value = |day: usize| Some(((day * 7 + number * 3) % 11) as f64 + 50.0);
                let series = KnownSeries::from((0..30).map(value).collect::<Vec<_>>());
                Person {
                    first_weekday: 0,
                    source: if number < 6 { "a" } else { "b" }.to_owned(),
                    covariates: vec![Some(series.clone()); 2],
                    series,
                }
            })
            .collect();
        let learners: Vec<Learner<'_>> = people
            .iter()
            .map(|person| Learner {
                person,
                targets: 0..30,
            })
            .collect();
        let covariate = |name: &str| Covariate {
            name: name.to_owned(),
            transform: Transform::Log { plus: 1.0 },
            penalty: 300.0,
        };
        let design = Design {
            transform: Transform::Identity,
            own_penalty: 100.0,
            covariates: vec![covariate("c"), covariate("d")],
            horizon: 2,
            without: None,
        };
        PooledModel::fit(&design, &learners, false).unwrap()
    }

    #[test]
    fn tampered_models_are_refused() {
        let whole = model();
        assert_eq!(whole.validate(), Ok(()));
        let tampers: Vec<fn(&mut PooledModel)> = vec![
            |model| model.design.horizon = 0,
            |model| model.design.horizon = 29,
            |model| model.design.horizon = 3,
            |model| model.design.own_penalty = 0.0,
            |model| model.design.covariates[1].penalty = f64::NAN,
            |model| model.design.covariates[1].name.clear(),
            |model| model.design.covariates[1].name = "c".to_owned(),
            |model| model.design.covariates[0].transform = Transform::Log { plus: -1.0 },
            |model| {
                model.design.transform = Transform::Log {
                    plus: f64::INFINITY,
                }
            },
            |model| model.design.covariates.truncate(1),
            |model| model.learned.regressions[0].means.truncate(3),
            |model| model.learned.regressions[0].means[2] = f64::NAN,
            |model| model.learned.regressions[1].spreads[2] = 0.0,
            |model| model.learned.regressions[1].spreads[2] = f64::INFINITY,
            |model| model.learned.regressions[1].spreads[2] = -1.0,
            |model| model.learned.regressions[1].leads[1].intercept = f64::INFINITY,
            |model| model.learned.regressions[1].leads[1].coefficients[0] = f64::NAN,
            |model| model.learned.regressions[1].leads.truncate(1),
            |model| model.learned.regressions.clear(),
            |model| model.learned.sources[0].regression = 9,
            |model| model.learned.any.regression = 9,
            |model| model.learned.any.population.variance = 0.0,
            |model| model.learned.sources[1].population.mean = f64::NAN,
            |model| model.learned.sources[1].population.prior_readings = -1.0,
            |model| model.learned.sources[1].population.variance = f64::INFINITY,
            |model| model.learned.sources[1].name = "a".to_owned(),
            |model| model.calibrations.truncate(1),
            |model| model.calibrations[0].truncate(1),
        ];
        for (number, tamper) in tampers.into_iter().enumerate() {
            let mut model = whole.clone();
            tamper(&mut model);
            let found = model.validate();
            assert!(
                matches!(found, Err(PooledError::Unusable(_))),
                "tamper {number}"
            );
        }
    }

    #[test]
    fn a_calibration_without_an_error_is_not_read() {
        let text = serde_json::to_string(&model()).unwrap();
        let (before, rest) = text.split_once("\"intervals\":{\"error\":").unwrap();
        let (_, after) = rest.split_once(',').unwrap();
        for error in ["0.0", "-1.0", "1e999", "null"] {
            let text = format!("{before}\"intervals\":{{\"error\":{error},{after}");
            assert!(
                serde_json::from_str::<PooledModel>(&text).is_err(),
                "{error}"
            );
        }
    }
}
