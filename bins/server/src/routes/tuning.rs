//! Searches for settings of a training.

use super::predictions::{accepted, random};
use super::{LARGEST_SEED, METRIC, USER_ID};
use crate::access::{Caller, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::shape::{Kind, default, deserialised, required, shaped};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use vitalcast::{
    FieldError, JobId, JobInfo, ModelArchitecture, PredictionMetric, Scope, Search, TuningRequest,
    UserId,
};

/// The architectures with settings to search; a test compares them.
const TUNABLE: &[&str] = &["lstm", "lstm_attention", "multi_task", "xgboost", "linear"];
const SEARCHES: &[&str] = &["tpe", "random"];

/// A search for settings, and the time it may take.
#[derive(Debug)]
pub(super) struct TuneBody {
    user_id: UserId,
    request: TuningRequest,
    seconds: u32,
}

impl OfUser for TuneBody {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    TuneBody,
    "TuneRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        default(
            "architecture",
            Kind::Word(TUNABLE),
            "\"xgboost\"",
            "The model whose settings are searched"
        ),
        default("trials", Kind::Int(1, 1_000), "50", "Settings to try"),
        default(
            "seconds",
            Kind::Int(1, 3_600),
            "300",
            "After this time nothing new is tried, and what was found is compared with the defaults"
        ),
        default(
            "search",
            Kind::Word(SEARCHES),
            "\"tpe\"",
            "How settings are proposed: from those that were good, or at random"
        ),
        default(
            "test_fraction",
            Kind::Float(0.1, 0.5),
            "0.3",
            "Share of the person's observed days, the last ones, that no trial sees"
        ),
        default(
            "min_days",
            Kind::Int(20, 10_000),
            "60",
            "Observed days that the person has at least"
        ),
        default("seed", Kind::Int(0, LARGEST_SEED), "42", "Random seed"),
    ],
    build_tune
);

fn build_tune(fields: Map<String, Value>) -> Result<TuneBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        metric: PredictionMetric,
        architecture: ModelArchitecture,
        trials: usize,
        seconds: u32,
        search: Search,
        test_fraction: f64,
        min_days: usize,
        seed: u64,
    }
    let fields: Fields = deserialised(fields)?;
    Ok(TuneBody {
        user_id: fields.user_id,
        request: TuningRequest {
            trials: fields.trials,
            search: fields.search,
            test_fraction: fields.test_fraction,
            min_days: fields.min_days,
            seed: fields.seed,
            ..TuningRequest::new(fields.metric, fields.architecture)
        },
        seconds: fields.seconds,
    })
}

/// Search settings of a model.
///
/// Responds with a job, whose progress counts trials. Its result has every trial, how much each setting
/// mattered, and the best settings against the defaults on days that no trial has seen. No model is trained
/// or registered. If the same search is queued or running already, the request joins that job; a search
/// that was interrupted goes on from the trials that are recorded.
#[utoipa::path(post, operation_id = "tune", path = "/api/predictions/tune", tag = "predictions", request_body = TuneBody,
    responses(
        (status = 202, description = "Poll the job", body = JobInfo,
            headers(("Location" = String, description = "URL of the job"))),
    ),
    security(("key" = ["train"])))]
pub(super) async fn tune(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<TuneBody>,
) -> Result<Response, ApiError> {
    let TuneBody {
        user_id,
        request,
        seconds,
    } = caller.open(body, Scope::Train)?;
    let id = JobId::from_random(random()?);
    let job = app.with_jobs(move |jobs| jobs.tune(&user_id, &request, seconds, id));
    Ok(accepted(job.await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast::Setting;

    #[test]
    fn every_architecture_with_settings_can_be_searched() {
        let with_settings = ModelArchitecture::ALL
            .iter()
            .filter(|architecture| !Setting::of(**architecture).is_empty())
            .map(|architecture| architecture.as_str());
        assert_eq!(
            with_settings.collect::<std::collections::BTreeSet<_>>(),
            TUNABLE.iter().copied().collect()
        );
        for word in SEARCHES {
            serde_json::from_value::<Search>(Value::from(*word)).unwrap();
        }
    }
}
