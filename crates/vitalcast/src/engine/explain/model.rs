//! Which features matter in a model, on its recent days.

use super::{ForecastGame, trees};
use crate::engine::Engine;
use crate::engine::predict::Served;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use vitalcast_domain::{
    ASSOCIATION, AsOf, ExplainedFeature, ExplanationGrouping, FeatureCategory,
    GlobalImportanceRequest, GlobalImportanceResponse, ImportanceMethod, ModelId, PredictionMetric,
    TreeBackground, UserId,
};
use vitalcast_features::PersonData;
use vitalcast_inference::{
    DayLayout, FittedModel, ForecastQuery, ForecastSum, WindowGame, explaining, learned_nothing,
    window_game, without_training,
};
use vitalcast_insight::{
    Effort, Exchange, FeatureOverDays, PermutationImportance, exchanged, global_importances,
    local_linear, permutation_importance, shapley,
};

/// Most days of one person that are explained.
const MOST_DAYS: usize = 20;
/// Most days of each of several people.
const DAYS_OF_EACH: usize = 5;
/// Most people.
const MOST_PEOPLE: usize = 100;
/// Shuffles of each feature.
const REPEATS: usize = 10;

/// Days of one person that are explained.
struct PersonToExplain {
    user: UserId,
    /// No later day than this is explained; the last day with data without one.
    until: Option<NaiveDate>,
    most: usize,
}

/// The contributions of one day.
type OfDay = Vec<(ExplainedFeature, f64)>;

impl Engine {
    /// Which features matter in a model: over the last test days of the person it was trained on, at most
    /// twenty; for a model of many people over the last days of people of this folder, in the order of
    /// their ids.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`]; [`EngineError::Request`], also for attention, which weighs days and
    /// not features; [`EngineError::Inference`] without a day that can be explained.
    pub fn global_importance(
        &self,
        request: &GlobalImportanceRequest,
        now: DateTime<Utc>,
    ) -> Result<GlobalImportanceResponse, EngineError> {
        request.validate()?;
        let served = self.served_by_id(&request.model_id)?;
        let manifest = served.manifest();
        let owner = served.owner();
        let people = match &owner {
            Some(user) => vec![PersonToExplain {
                user: user.clone(),
                until: Some(manifest.last_day),
                most: manifest.windows.test.clamp(1, MOST_DAYS),
            }],
            None => self.people_to_explain()?,
        };
        let mut explained = Explained::default();
        let mut failure = None;
        for person in &people {
            match self.explain_days(&served, person, request, now) {
                Ok(found) if found.days.is_empty() => {}
                Ok(found) => explained.add(found),
                Err(EngineError::Inference(error)) if error.is_too_little_data() => {
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let (0, Some(error)) = (explained.people, failure) {
            return Err(error.into());
        }
        Ok(Self::global_answer(
            request,
            &served,
            explained,
            owner.is_some(),
        ))
    }

    fn global_answer(
        request: &GlobalImportanceRequest,
        served: &Served,
        explained: Explained,
        is_of_one: bool,
    ) -> GlobalImportanceResponse {
        let manifest = served.manifest();
        let nothing = manifest
            .deviation
            .as_ref()
            .filter(|deviation| deviation.share == 0.0)
            .map(|deviation| learned_nothing(&deviation.base));
        let days = explained.days;
        let people = explained.people;
        let (first_day, last_day) = (explained.first_day, explained.last_day);
        let features = explained.features();
        let ranked = global_importances(
            manifest.metric,
            request.method,
            &features,
            (request.top_k, request.seed),
            nothing.as_deref(),
        );
        let share = |category: FeatureCategory| {
            let all = FeatureCategory::ALL.iter().zip(&ranked.shares);
            let found = all.filter(|(of, _)| **of == category);
            found.fold(0.0, |sum, (_, share)| sum + share)
        };
        GlobalImportanceResponse {
            model_id: request.model_id.clone(),
            metric: manifest.metric,
            method: request.method,
            nutrition_importance: share(FeatureCategory::Nutrition),
            activity_importance: share(FeatureCategory::Activity),
            health_importance: share(FeatureCategory::Health),
            temporal_importance: share(FeatureCategory::Temporal),
            interaction_importance: share(FeatureCategory::Interaction),
            feature_importances: ranked.listed,
            summary: ranked.summary,
            days,
            people,
            first_day: first_day.filter(|_| is_of_one),
            last_day: last_day.filter(|_| is_of_one),
            on_test_days: is_of_one,
            association: ASSOCIATION.to_owned(),
        }
    }

    /// A model by its id: a registered one, or what forecasts without a training.
    fn served_by_id(&self, id: &ModelId) -> Result<Served, EngineError> {
        for &metric in PredictionMetric::ALL {
            let served = Served::OfRelease(without_training(metric)?);
            if served.id()? == *id {
                return Ok(served);
            }
        }
        let registered = self.registered(id)?;
        let ready = self.ready_model(&registered)?;
        Ok(Served::Registered(registered, ready))
    }

    fn people_to_explain(&self) -> Result<Vec<PersonToExplain>, EngineError> {
        let users = self.users()?;
        Ok(users
            .into_iter()
            .take(MOST_PEOPLE)
            .map(|user| PersonToExplain {
                user: user.user_id,
                until: None,
                most: DAYS_OF_EACH,
            })
            .collect())
    }

    fn explain_days(
        &self,
        served: &Served,
        of: &PersonToExplain,
        request: &GlobalImportanceRequest,
        now: DateTime<Utc>,
    ) -> Result<DaysOfPerson, EngineError> {
        let user = &of.user;
        let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let kept = self.days_of(user, generation, NaiveDate::MIN, now)?;
        let person = PersonData::from(&kept.days);
        let model = served.model();
        let measured = measured_days(model, person, of, now)?;
        let queries: Vec<ForecastQuery> = measured
            .iter()
            .map(|(day, _)| {
                Ok(ForecastQuery::new(
                    *day,
                    now,
                    served.id()?,
                    served.version(),
                ))
            })
            .collect::<Result<_, EngineError>>()?;
        let found = match request.method {
            ImportanceMethod::Permutation => permuted(model, person, &queries, &measured, request)?,
            ImportanceMethod::Shap | ImportanceMethod::Lime | ImportanceMethod::Attention => {
                each_day(model, person, &queries, request)?
            }
        };
        Ok(found)
    }
}

/// The last days with a reading that models read, up to a day.
fn measured_days(
    model: &FittedModel,
    person: PersonData<'_>,
    of: &PersonToExplain,
    now: AsOf,
) -> Result<Vec<(NaiveDate, f64)>, EngineError> {
    /// Days that are looked through for days with a reading.
    const SEARCHED: u64 = 90;
    let today = person.profile().day_of(now);
    let Some((first, last)) = person.span() else {
        return Ok(Vec::new());
    };
    let until = of.until.unwrap_or(last).min(today - Days::new(1));
    let from = first.max(until - Days::new(SEARCHED));
    if from > until {
        return Ok(Vec::new());
    }
    let layout = DayLayout::new(person, model.metric, from, until, model.lookback, now)?;
    let rows = layout.matrix().rows();
    let values = layout.known(0..rows, rows);
    // Unusual readings count as test days, too, but no forecast is compared with them.
    let mut found: Vec<(NaiveDate, f64)> = (0..rows)
        .rev()
        .filter(|row| values[*row].is_some() || layout.is_unusual(*row))
        .take(of.most)
        .filter_map(|row| Some((layout.day(row), values[row]?)))
        .collect();
    found.reverse();
    Ok(found)
}

/// A feature's permutation importance, and what it adds and is on each day.
struct PermutedFeature {
    feature: ExplainedFeature,
    importance: PermutationImportance,
    days: Vec<(f64, Option<f64>)>,
}

/// The explained days of one person.
#[derive(Default)]
struct DaysOfPerson {
    days: Vec<NaiveDate>,
    /// Of each day; empty for permutation importance.
    contributions: Vec<OfDay>,
    /// Of each feature.
    permuted: Vec<PermutedFeature>,
}

/// Contributions day by day, each of the forecast that was made on the evening before.
fn each_day(
    model: &FittedModel,
    person: PersonData<'_>,
    queries: &[ForecastQuery],
    request: &GlobalImportanceRequest,
) -> Result<DaysOfPerson, EngineError> {
    let mut found = DaysOfPerson::default();
    let mut failure = None;
    for (place, query) in queries.iter().enumerate() {
        let effort = Effort {
            evaluations: request.evaluations,
            seed: request.seed.wrapping_add(place as u64),
        };
        match of_one_day(model, person, query, request.method, effort) {
            Ok(parts) => {
                found.days.push(query.target_date);
                found.contributions.push(parts);
            }
            Err(EngineError::Inference(error)) if error.is_too_little_data() => {
                failure.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match failure {
        Some(error) if found.days.is_empty() => Err(error.into()),
        _ => Ok(found),
    }
}

fn of_one_day(
    model: &FittedModel,
    person: PersonData<'_>,
    query: &ForecastQuery,
    method: ImportanceMethod,
    effort: Effort,
) -> Result<OfDay, EngineError> {
    let forecast = explaining(model, person, query, trees(TreeBackground::PathDependent))?;
    let windows;
    let game = match &forecast.sum {
        // The terms of a sum are its Shapley values, its linear model and what an exchange changes.
        Some(sum) => return Ok(sum.parts.clone()),
        None => {
            windows = window_game(model, person, query, ExplanationGrouping::Feature)?;
            ForecastGame::Windows(&windows)
        }
    };
    let differs = game.differs();
    let ask = |mixes: &[vitalcast_insight::Mix]| game.forecasts(mixes);
    let amounts: Vec<f64> = match method {
        ImportanceMethod::Shap | ImportanceMethod::Attention => shapley(&differs, effort, ask)?
            .map(|found| found.values.iter().map(|value| value.amount).collect())
            .unwrap_or_default(),
        ImportanceMethod::Lime => local_linear(&differs, effort, ask)?
            .map(|found| found.amounts)
            .unwrap_or_default(),
        ImportanceMethod::Permutation => exchanged(&differs, ask)?
            .map(|(_, found)| found.iter().map(|one| one.amount).collect())
            .unwrap_or_default(),
    };
    Ok(game.features().into_iter().zip(amounts).collect())
}

/// Permutation importance on days with a reading.
fn permuted(
    model: &FittedModel,
    person: PersonData<'_>,
    queries: &[ForecastQuery],
    measured: &[(NaiveDate, f64)],
    request: &GlobalImportanceRequest,
) -> Result<DaysOfPerson, EngineError> {
    let value_of = |day: NaiveDate| {
        let found = measured.iter().find(|(of, _)| *of == day);
        found.map_or(f64::NAN, |(_, value)| *value)
    };
    if model.is_network() {
        let games = WindowGame::of_days(model, person, queries)?;
        let Some((_, first)) = games.first() else {
            return Ok(DaysOfPerson::default());
        };
        let features: Vec<ExplainedFeature> = ForecastGame::Windows(first).features();
        let observed: Vec<f64> = games.iter().map(|(day, _)| value_of(*day)).collect();
        let ask = |asked: &[Exchange]| forecast_exchanged(&games, features.len(), asked);
        let rises = permutation_importance(&observed, features.len(), REPEATS, request.seed, ask)?;
        let values = |player: usize| {
            let of = |(_, game): &(NaiveDate, WindowGame<'_>)| {
                let feature = game.players()[player].feature.as_ref();
                (0.0, feature.and_then(|feature| feature.value))
            };
            games.iter().map(of).collect::<Vec<_>>()
        };
        let permuted = features
            .into_iter()
            .zip(rises)
            .enumerate()
            .map(|(player, (feature, importance))| PermutedFeature {
                feature,
                importance,
                days: values(player),
            })
            .collect();
        return Ok(DaysOfPerson {
            days: games.iter().map(|(day, _)| *day).collect(),
            contributions: Vec::new(),
            permuted,
        });
    }
    let mut days = Vec::new();
    let mut sums: Vec<ForecastSum> = Vec::new();
    for query in queries {
        match explaining(model, person, query, trees(TreeBackground::PathDependent)) {
            Ok(forecast) => {
                days.push(query.target_date);
                sums.extend(forecast.sum);
            }
            Err(error) if error.is_too_little_data() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut features: Vec<ExplainedFeature> = Vec::new();
    for (feature, _) in sums.iter().flat_map(|sum| &sum.parts) {
        if features.iter().all(|other| other.name != feature.name) {
            features.push(feature.clone());
        }
    }
    let part = |day: usize, player: usize| {
        let parts = &sums[day].parts;
        let found = parts
            .iter()
            .find(|(of, _)| of.name == features[player].name);
        found.map_or((0.0, None), |(of, amount)| (*amount, of.value))
    };
    let whole = |day: usize| {
        let parts = &sums[day].parts;
        sums[day].base + parts.iter().map(|(_, amount)| amount).sum::<f64>()
    };
    let observed: Vec<f64> = days.iter().map(|day| value_of(*day)).collect();
    let ask = |asked: &[Exchange]| {
        let of = |exchange: &Exchange| {
            let moved = exchange.player.map_or(0.0, |player| {
                part(exchange.from, player).0 - part(exchange.day, player).0
            });
            whole(exchange.day) + moved
        };
        Ok::<_, EngineError>(asked.iter().map(of).collect())
    };
    let rises = permutation_importance(&observed, features.len(), REPEATS, request.seed, ask)?;
    let permuted = features
        .iter()
        .cloned()
        .zip(rises)
        .enumerate()
        .map(|(player, (feature, importance))| PermutedFeature {
            feature,
            importance,
            days: (0..days.len()).map(|day| part(day, player)).collect(),
        })
        .collect();
    Ok(DaysOfPerson {
        days,
        contributions: Vec::new(),
        permuted,
    })
}

/// Forecasts of days on which a feature has the values of other days.
fn forecast_exchanged(
    games: &[(NaiveDate, WindowGame<'_>)],
    players: usize,
    asked: &[Exchange],
) -> Result<Vec<f64>, EngineError> {
    let mut answers = vec![0.0; asked.len()];
    for (day, (_, game)) in games.iter().enumerate() {
        let places: Vec<usize> = (0..asked.len())
            .filter(|place| asked[*place].day == day)
            .collect();
        if places.is_empty() {
            continue;
        }
        let masks: Vec<Vec<bool>> = places
            .iter()
            .map(|place| {
                let mut present = vec![true; players];
                if let Some(player) = asked[*place].player {
                    present[player] = false;
                }
                present
            })
            .collect();
        let mixes = masks
            .iter()
            .zip(&places)
            .map(|(mask, place)| (&mask[..], asked[*place].from));
        for (place, answer) in places.iter().zip(game.forecasts(mixes)?) {
            answers[*place] = answer;
        }
    }
    Ok(answers)
}

/// The explained days of all people.
#[derive(Default)]
struct Explained {
    people: usize,
    days: usize,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    contributions: Vec<OfDay>,
    permuted: BTreeMap<String, Permuted>,
    /// Names in the order in which they came.
    order: Vec<ExplainedFeature>,
}

/// Permutation importances of a feature, one for each person.
#[derive(Default)]
struct Permuted {
    rises: Vec<PermutationImportance>,
    days: Vec<(f64, Option<f64>)>,
}

impl Explained {
    fn add(&mut self, found: DaysOfPerson) {
        self.people += 1;
        self.days += found.days.len();
        let first = found.days.first().copied();
        self.first_day = [self.first_day, first].into_iter().flatten().min();
        let last = found.days.last().copied();
        self.last_day = [self.last_day, last].into_iter().flatten().max();
        let of_days = found.contributions.iter().flatten().map(|(of, _)| of);
        for feature in of_days.chain(found.permuted.iter().map(|of| &of.feature)) {
            if self.order.iter().all(|other| other.name != feature.name) {
                self.order.push(feature.clone());
            }
        }
        self.contributions.extend(found.contributions);
        for permuted in found.permuted {
            let of = self.permuted.entry(permuted.feature.name).or_default();
            of.rises.push(permuted.importance);
            of.days.extend(permuted.days);
        }
    }

    /// Each feature over all days; a day on which it adds nothing counts as 0.
    fn features(&self) -> Vec<FeatureOverDays> {
        let of = |feature: &ExplainedFeature| {
            if let Some(permuted) = self.permuted.get(&feature.name) {
                let count = permuted.rises.len().max(1) as f64;
                let mean = |pick: fn(&PermutationImportance) -> f64| {
                    permuted.rises.iter().map(pick).sum::<f64>() / count
                };
                let interval = match permuted.rises.as_slice() {
                    [one] => one.interval,
                    _ => None,
                };
                return FeatureOverDays {
                    feature: feature.clone(),
                    days: permuted.days.clone(),
                    rise: Some(PermutationImportance {
                        rise: mean(|of| of.rise),
                        spread: mean(|of| of.spread),
                        interval,
                    }),
                };
            }
            let days = self.contributions.iter().map(|day| {
                let found = day.iter().find(|(of, _)| of.name == feature.name);
                found.map_or((0.0, None), |(of, amount)| (*amount, of.value))
            });
            FeatureOverDays {
                feature: feature.clone(),
                days: days.collect(),
                rise: None,
            }
        };
        self.order.iter().map(of).collect()
    }
}
