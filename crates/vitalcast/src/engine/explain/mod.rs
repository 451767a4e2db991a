//! Why a forecast is what it is.

mod game;
mod model;

use super::Engine;
use super::cache::{Sort, holds_until};
use super::predict::{Served, is_gated};
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use game::ForecastGame;
use vitalcast_domain::{
    ASSOCIATION, AttentionOfDay, AttentionWeights, DayImportance, DependencePoint, ExplainRequest,
    ExplainResponse, ExplainedFeature, ExplanationComputation, ExplanationGrouping,
    FeatureDaysImportance, FeatureDependence, GradientCheck, ImportanceMethod, MemberForecast,
    ModelArchitecture, PredictRequest, TreeBackground,
};
use vitalcast_evaluation::mean;
use vitalcast_features::PersonData;
use vitalcast_inference::{
    Explaining, ForecastQuery, ForecastSum, InferenceError, WindowGame, day_to_day_spread,
    explaining, learned_nothing, window_game,
};
use vitalcast_insight::{
    Effort, ExplainedForecast, ExplainedPart, ShapleyValue, exchanged, expected_gradients,
    importances, local_linear, shapley,
};
use vitalcast_models::TreeGame;
use vitalcast_store::Generation;

/// Places on the line from each earlier day to the forecast, for integrated gradients.
const PLACES: usize = 2;
/// Features whose dependence is shown.
const DEPENDENCES: usize = 3;
/// Days that are named as the most important ones.
const NAMED_DAYS: usize = 3;

impl Engine {
    /// Explains one forecast: the value that [`Engine::predict`] gives for the same request, from the same
    /// data and model. The same request with unchanged data and models is answered from the cache.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::predict`]; [`EngineError::NoAttention`] for attention weights of another model,
    /// [`EngineError::NotByDay`] for days of a model that reads whole histories.
    pub fn explain(
        &self,
        request: &ExplainRequest,
        now: DateTime<Utc>,
    ) -> Result<ExplainResponse, EngineError> {
        request.validate()?;
        let user = &request.user_id;
        let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let compute = || {
            let served = self.served(&forecast_request(request), generation)?;
            self.with_all_days(request, generation, now, |person| {
                let answer = explain(person, request, now, &served)?;
                Ok((answer, holds_until(person, now)))
            })
        };
        let (response, cached) =
            self.kept_or(Sort::Forecast, &key(request), generation, now, compute)?;
        // Erased while this was computed: then nothing of it may stay.
        if !cached && self.generation(user)?.is_none() {
            self.forget_person(user);
        }
        Ok(response)
    }

    /// Computes from all of a person's days, or from the records where the days do not hold.
    fn with_all_days<T>(
        &self,
        request: &ExplainRequest,
        generation: Generation,
        now: DateTime<Utc>,
        compute: impl Fn(PersonData<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let user = &request.user_id;
        let of_days = self
            .days_of(user, generation, NaiveDate::MIN, now)
            .and_then(|kept| compute((&kept.days).into()));
        match of_days {
            Err(EngineError::Inference(InferenceError::Features(_))) => {
                let history = self.load(user)?;
                compute((&history).into())
            }
            outcome => outcome,
        }
    }
}

/// The forecast that is explained.
fn forecast_request(request: &ExplainRequest) -> PredictRequest {
    PredictRequest {
        model_version: request.model_version.clone(),
        architecture: request.architecture,
        ..PredictRequest::new(request.user_id.clone(), request.metric, request.target_date)
    }
}

/// `prediction:{user}:explain:…`: forgotten with a person's forecasts.
fn key(request: &ExplainRequest) -> String {
    format!(
        "prediction:{}:explain:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}",
        request.user_id,
        request.metric,
        request.target_date,
        request.method,
        request.top_k,
        request.model_version.as_deref().unwrap_or(""),
        request.architecture.map_or("", |of| of.as_str()),
        request.grouping,
        request.tree_background,
        request.evaluations,
        request.seed,
        request.check,
    )
}

/// How boosted trees are taken apart.
fn trees(background: TreeBackground) -> TreeGame {
    match background {
        TreeBackground::PathDependent => TreeGame::PathDependent,
        TreeBackground::Interventional => TreeGame::Interventional,
    }
}

/// The parts of a forecast, however they were found.
struct Found {
    base: f64,
    base_meaning: String,
    parts: Vec<ExplainedPart>,
    computation: ExplanationComputation,
    is_exact: bool,
    evaluations: usize,
    background_days: usize,
    local_fit: Option<f64>,
}

fn explain(
    person: PersonData<'_>,
    request: &ExplainRequest,
    now: DateTime<Utc>,
    served: &Served,
) -> Result<ExplainResponse, EngineError> {
    let (model, manifest) = (served.model(), served.manifest());
    let architecture = manifest.architecture;
    let wants_attention = request.method == ImportanceMethod::Attention;
    if wants_attention && architecture != ModelArchitecture::LstmAttention {
        return Err(EngineError::NoAttention(architecture));
    }
    if request.grouping != ExplanationGrouping::Feature && !model.reads_windows() {
        return Err(EngineError::NotByDay(architecture));
    }
    let query = ForecastQuery {
        is_gated: is_gated(&forecast_request(request)),
        ..ForecastQuery::new(request.target_date, now, served.id()?, served.version())
    };
    let game_of = |grouping| window_game(model, person, &query, grouping);
    let forecast = explaining(model, person, &query, trees(request.tree_background))?;
    let effort = Effort {
        evaluations: request.evaluations,
        seed: request.seed,
    };
    let features = match &forecast.sum {
        None => Some(game_of(ExplanationGrouping::Feature)?),
        Some(_) => None,
    };
    let attention = match &features {
        Some(game) => game
            .attention()?
            .map(|weights| attention_of(&weights, request.target_date)),
        None => None,
    };
    let found = match (request.method, &forecast.sum, &features) {
        (ImportanceMethod::Shap, Some(sum), _) => of_sum(sum),
        (ImportanceMethod::Shap, None, Some(game)) => by_shapley(game, effort)?,
        (ImportanceMethod::Attention, _, Some(game)) => by_attention(game)?,
        (method, sum, game) => {
            let game = match (sum, game) {
                (Some(sum), _) => ForecastGame::Sum(sum),
                (None, Some(game)) => ForecastGame::Windows(game),
                (None, None) => unreachable!("a model that is no sum has a game"),
            };
            match method {
                ImportanceMethod::Lime => by_lime(&game, effort)?,
                ImportanceMethod::Permutation
                | ImportanceMethod::Shap
                | ImportanceMethod::Attention => by_exchange(&game, forecast.value)?,
            }
        }
    };
    let is_checked = request.check && request.method == ImportanceMethod::Shap;
    let check = match features.as_ref().filter(|_| is_checked) {
        Some(game) => Some(check(game, &found.parts)?),
        None => None,
    };
    let mut response = answer(request, served, &forecast, found, attention)?;
    if let Some(amounts) = check {
        response.check = gap(&amounts, &response);
    }
    if let (Some(game), ImportanceMethod::Shap) = (&features, request.method) {
        response.dependence = dependence(game, &response)?;
    }
    match request.grouping {
        ExplanationGrouping::Feature => {}
        ExplanationGrouping::Day => {
            let game = game_of(ExplanationGrouping::Day)?;
            let (values, asked) = values_of(&game, effort)?;
            response.evaluations += asked;
            response.by_day = by_day(&game, &values, request.target_date);
        }
        ExplanationGrouping::Both => {
            let game = game_of(ExplanationGrouping::Both)?;
            let (values, asked) = values_of(&game, effort)?;
            response.evaluations += asked;
            response.by_feature_and_days = by_feature_and_days(&game, &values);
        }
    }
    Ok(response)
}

/// The terms of a sum.
fn of_sum(sum: &ForecastSum) -> Found {
    Found {
        base: sum.base,
        base_meaning: sum.base_meaning.clone(),
        parts: sum
            .parts
            .iter()
            .map(|(feature, amount)| ExplainedPart::new(feature.clone(), *amount, Some(0.0)))
            .collect(),
        computation: sum.computation,
        is_exact: true,
        evaluations: 1,
        background_days: 0,
        local_fit: None,
    }
}

/// What the forecasts of earlier days are called.
fn of_earlier_days(days: usize) -> String {
    format!("the mean of what the model forecast from each of the {days} days before")
}

fn by_shapley(game: &WindowGame<'_>, effort: Effort) -> Result<Found, EngineError> {
    let found = shapley(&game.differs(), effort, |mixes| {
        game.forecasts(mixes.iter().map(|mix| (&mix.present[..], mix.background)))
    })?;
    let found = found.ok_or_else(no_background)?;
    let parts = game
        .players()
        .iter()
        .zip(&found.values)
        .filter_map(|(player, value)| {
            let feature = player.feature.clone()?;
            Some(ExplainedPart::new(
                feature,
                value.amount,
                Some(value.standard_error),
            ))
        })
        .collect();
    Ok(Found {
        base: found.base,
        base_meaning: of_earlier_days(game.backgrounds()),
        parts,
        computation: if found.is_exact {
            ExplanationComputation::ShapleyEnumeration
        } else {
            ExplanationComputation::ShapleySampling
        },
        is_exact: found.is_exact,
        evaluations: found.evaluations,
        background_days: game.backgrounds(),
        local_fit: None,
    })
}

fn no_background() -> EngineError {
    EngineError::Damaged("a game without players".to_owned())
}

/// Attention weighs days, not features: only the base is computed.
fn by_attention(game: &WindowGame<'_>) -> Result<Found, EngineError> {
    let nobody = vec![false; game.players().len()];
    let backgrounds = 0..game.backgrounds();
    let others = game.forecasts(backgrounds.map(|background| (&nobody[..], background)))?;
    Ok(Found {
        base: mean(others.iter().copied()).unwrap_or_default(),
        base_meaning: of_earlier_days(game.backgrounds()),
        parts: Vec::new(),
        computation: ExplanationComputation::AttentionWeights,
        is_exact: true,
        evaluations: others.len() + 1,
        background_days: game.backgrounds(),
        local_fit: None,
    })
}

fn by_lime(game: &ForecastGame<'_>, effort: Effort) -> Result<Found, EngineError> {
    let found = local_linear(&game.differs(), effort, |mixes| game.forecasts(mixes))?;
    let found = found.ok_or_else(no_background)?;
    let parts = game
        .features()
        .into_iter()
        .zip(found.amounts)
        .map(|(feature, amount)| ExplainedPart::new(feature, amount, None))
        .collect();
    Ok(Found {
        base: found.base,
        base_meaning: "what the linear model says where nothing keeps its own value".to_owned(),
        parts,
        computation: ExplanationComputation::LocalLinear,
        is_exact: false,
        evaluations: found.evaluations,
        background_days: game.backgrounds(),
        local_fit: found.fit,
    })
}

fn by_exchange(game: &ForecastGame<'_>, value: f64) -> Result<Found, EngineError> {
    let differs = game.differs();
    let found = exchanged(&differs, |mixes| game.forecasts(mixes))?;
    let (_, found) = found.ok_or_else(no_background)?;
    let evaluations = differs.iter().flatten().filter(|differs| **differs).count() + 1;
    let parts = game
        .features()
        .into_iter()
        .zip(found)
        .map(|(feature, exchanged)| ExplainedPart {
            size: exchanged.size,
            ..ExplainedPart::new(feature, exchanged.amount, Some(exchanged.standard_error))
        })
        .collect();
    Ok(Found {
        base: value,
        base_meaning: "the forecast itself, from which one feature at a time is exchanged"
            .to_owned(),
        parts,
        computation: ExplanationComputation::Exchange,
        is_exact: true,
        evaluations,
        background_days: game.backgrounds(),
        local_fit: None,
    })
}

/// Integrated gradients of all features, in their order.
fn check(
    game: &WindowGame<'_>,
    parts: &[ExplainedPart],
) -> Result<Vec<(String, f64)>, EngineError> {
    let mut amounts = expected_gradients(&game.differs(), PLACES, |steps| {
        let steps = steps
            .iter()
            .map(|step| (step.background, step.at, step.player, step.by));
        game.along(steps).map(Option::unwrap_or_default)
    })?;
    // A base reads the own history alone.
    if let Some(own) = amounts.get_mut(game.own_history()) {
        *own += game.base_change();
    }
    Ok(parts
        .iter()
        .zip(amounts)
        .map(|(part, amount)| (part.feature.name.clone(), amount))
        .collect())
}

/// The forecast with the values that its most important features had on earlier days.
fn dependence(
    game: &WindowGame<'_>,
    response: &ExplainResponse,
) -> Result<Vec<FeatureDependence>, EngineError> {
    let players = game.players();
    let named = |name: &str| {
        let is_it = |feature: &ExplainedFeature| feature.name == name;
        players
            .iter()
            .position(|player| player.feature.as_ref().is_some_and(is_it))
    };
    let nobody = vec![false; players.len()];
    let whole = (0..game.backgrounds()).map(|background| (&nobody[..], background));
    let of_days = game.forecasts(whole)?;
    let mut found = Vec::new();
    for one in &response.feature_importances {
        let Some(feature) = named(&one.feature_name) else {
            continue;
        };
        if found.len() == DEPENDENCES || one.contribution == 0.0 || feature == game.own_history() {
            continue;
        }
        let mut others = vec![true; players.len()];
        others[feature] = false;
        let exchanged = (0..game.backgrounds()).map(|background| (&others[..], background));
        let exchanged = game.forecasts(exchanged)?;
        let mut points: Vec<DependencePoint> = game
            .earlier_values(feature)
            .into_iter()
            .zip(exchanged.into_iter().zip(&of_days))
            .filter_map(|(value, (forecast, of_day))| {
                Some(DependencePoint {
                    feature_value: value?,
                    forecast,
                    forecast_of_day: *of_day,
                })
            })
            .collect();
        points.sort_by(|left, right| left.feature_value.total_cmp(&right.feature_value));
        let varies = points
            .windows(2)
            .any(|pair| pair[0].feature_value < pair[1].feature_value);
        if varies {
            found.push(FeatureDependence {
                feature_name: one.feature_name.clone(),
                points,
            });
        }
    }
    Ok(found)
}

/// How far integrated gradients lie from the listed contributions.
fn gap(amounts: &[(String, f64)], response: &ExplainResponse) -> Option<GradientCheck> {
    let of = |name: &str| {
        let found = amounts.iter().find(|(other, _)| other == name);
        found.map_or(0.0, |(_, amount)| *amount)
    };
    let listed = || response.feature_importances.iter();
    let widest = listed().max_by(|left, right| {
        let gap = |one: &vitalcast_domain::FeatureImportance| {
            (of(&one.feature_name) - one.contribution).abs()
        };
        gap(left).total_cmp(&gap(right))
    })?;
    Some(GradientCheck {
        largest_gap: (of(&widest.feature_name) - widest.contribution).abs(),
        feature_name: widest.feature_name.clone(),
        integrated_gradients: listed().map(|one| of(&one.feature_name)).collect(),
    })
}

fn answer(
    request: &ExplainRequest,
    served: &Served,
    forecast: &Explaining,
    found: Found,
    attention: Option<AttentionWeights>,
) -> Result<ExplainResponse, EngineError> {
    let manifest = served.manifest();
    let deviation = manifest.deviation.as_ref();
    let nothing = deviation.filter(|deviation| deviation.share == 0.0);
    let explained = ExplainedForecast {
        metric: request.metric,
        method: request.method,
        value: forecast.value,
        base: found.base,
        base_meaning: &found.base_meaning,
        average: mean(forecast.days.iter().flatten().copied()),
        spread: day_to_day_spread(&forecast.days),
        local_fit: found.local_fit,
        learned_nothing: nothing.map(|deviation| learned_nothing(&deviation.base)),
    };
    let ranked = importances(&explained, found.parts, request.top_k);
    let mut summary = ranked.summary;
    if request.method == ImportanceMethod::Attention
        && let Some(weights) = &attention
    {
        summary.push_str(&attention_words(weights));
    }
    let [nutrition, activity, health] = ranked.top;
    Ok(ExplainResponse {
        user_id: request.user_id.clone(),
        metric: request.metric,
        target_date: request.target_date,
        method: request.method,
        predicted_value: forecast.value,
        baseline_value: found.base,
        feature_importances: ranked.listed,
        summary,
        top_nutrition_features: nutrition,
        top_activity_features: activity,
        top_health_features: health,
        baseline_meaning: found.base_meaning,
        other_contributions: ranked.others,
        computation: found.computation,
        exact: found.is_exact,
        evaluations: found.evaluations,
        background_days: found.background_days,
        model_id: served.id()?,
        model_version: served.version(),
        architecture: manifest.architecture,
        as_of: forecast.as_of,
        learned_share: deviation.map(|deviation| deviation.share),
        grouping: request.grouping,
        by_day: Vec::new(),
        by_feature_and_days: Vec::new(),
        members: members(forecast.sum.as_ref()),
        attention,
        local_fit: found.local_fit,
        dependence: Vec::new(),
        check: None,
        association: ASSOCIATION.to_owned(),
    })
}

fn members(sum: Option<&ForecastSum>) -> Vec<MemberForecast> {
    let members = sum.map(|sum| sum.members.as_slice()).unwrap_or_default();
    members
        .iter()
        .map(|member| MemberForecast {
            name: member.name.to_owned(),
            share: member.share,
            forecast: member.forecast,
        })
        .collect()
}

/// Shapley values of a game, and how many forecasts they took.
fn values_of(
    game: &WindowGame<'_>,
    effort: Effort,
) -> Result<(Vec<ShapleyValue>, usize), EngineError> {
    let found = shapley(&game.differs(), effort, |mixes| {
        game.forecasts(mixes.iter().map(|mix| (&mix.present[..], mix.background)))
    })?;
    let found = found.ok_or_else(no_background)?;
    Ok((found.values, found.evaluations))
}

fn day_before(target: NaiveDate, offset: usize) -> NaiveDate {
    target - chrono::Days::new(offset as u64)
}

fn by_day(game: &WindowGame<'_>, values: &[ShapleyValue], target: NaiveDate) -> Vec<DayImportance> {
    let days = game.players().iter().zip(values);
    days.map(|(player, value)| DayImportance {
        day_offset: *player.days.start(),
        day_date: day_before(target, *player.days.start()),
        contribution: value.amount,
        standard_error: Some(value.standard_error),
    })
    .collect()
}

fn by_feature_and_days(
    game: &WindowGame<'_>,
    values: &[ShapleyValue],
) -> Vec<FeatureDaysImportance> {
    let name =
        |feature: &Option<ExplainedFeature>| feature.as_ref().map(|feature| feature.name.clone());
    let mut all: Vec<FeatureDaysImportance> = game
        .players()
        .iter()
        .zip(values)
        .filter(|(_, value)| value.amount != 0.0)
        .filter_map(|(player, value)| {
            Some(FeatureDaysImportance {
                feature_name: name(&player.feature)?,
                days: match *player.days.start() {
                    1 => "last day",
                    2 => "days 2 to 7",
                    _ => "earlier",
                }
                .to_owned(),
                contribution: value.amount,
                standard_error: Some(value.standard_error),
            })
        })
        .collect();
    all.sort_by(|left, right| right.contribution.abs().total_cmp(&left.contribution.abs()));
    all
}

fn attention_of(weights: &[f64], target: NaiveDate) -> AttentionWeights {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // The later of equal days first.
    order.sort_by(|left, right| {
        let by_weight = weights[*right].total_cmp(&weights[*left]);
        by_weight.then(right.cmp(left))
    });
    let offset = |place: usize| weights.len() - place;
    let mut days: Vec<AttentionOfDay> = weights
        .iter()
        .enumerate()
        .map(|(place, weight)| AttentionOfDay {
            day_offset: offset(place),
            day_date: day_before(target, offset(place)),
            attention_score: *weight,
            importance_rank: 0,
        })
        .collect();
    for (rank, place) in order.iter().enumerate() {
        days[*place].importance_rank = rank + 1;
    }
    AttentionWeights {
        most_important_days: order
            .iter()
            .take(NAMED_DAYS)
            .map(|place| days[*place].day_date)
            .collect(),
        days,
    }
}

fn attention_words(weights: &AttentionWeights) -> String {
    let named: Vec<String> = weights
        .most_important_days
        .iter()
        .filter_map(|day| {
            let of = weights.days.iter().find(|of| of.day_date == *day)?;
            let share = 100.0 * of.attention_score;
            Some(format!("{} ({share:.0} %)", day.format("%-d %B")))
        })
        .collect();
    format!(
        " The network weighs these days most: {}; equal weights would be {:.0} % each. A weight says where \
         it looks, not what it finds there.",
        named.join(", "),
        100.0 / weights.days.len().max(1) as f64
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_ranked_by_their_weights() {
        let target = "2026-11-24".parse().unwrap();
        let weights = attention_of(&[0.1, 0.4, 0.1, 0.4], target);
        let ranks: Vec<usize> = weights.days.iter().map(|day| day.importance_rank).collect();
        assert_eq!(ranks, [4, 2, 3, 1]);
        let offsets: Vec<usize> = weights.days.iter().map(|day| day.day_offset).collect();
        assert_eq!(offsets, [4, 3, 2, 1]);
        let first: NaiveDate = "2026-11-23".parse().unwrap();
        assert_eq!(weights.most_important_days[0], first);
        let words = attention_words(&weights);
        assert!(
            words.contains("23 November (40 %), 21 November (40 %)"),
            "{words}"
        );
    }
}
