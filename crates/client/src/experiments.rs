//! Experiments of people on themselves.

use crate::{Client, ClientError, accepted, read};
use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};
use vitalcast_domain::{
    ExperimentAnalysis, ExperimentDay, ExperimentId, ExperimentList, ExperimentPreview,
    ExperimentRequest, ExperimentView, UserId,
};

impl Client {
    /// Plans an experiment; with `dry_run` nothing is stored.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `NOT_ENOUGH_DATA`, `NO_VARIANCE`, `EFFECT_TOO_SMALL`,
    /// `EXPERIMENT_OVERLAP`, …
    pub async fn plan_experiment(
        &self,
        user: &UserId,
        request: &ExperimentRequest,
        dry_run: bool,
    ) -> Result<ExperimentPreview, ClientError> {
        let mut body = serde_json::to_value(request)?;
        body["dry_run"] = json!(dry_run);
        self.post(&["api", "users", user.as_str(), "experiments"], &body)
            .await
    }

    /// Lists the experiments of a person, in the order of their first days.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_USER`.
    pub async fn experiments(&self, user: &UserId) -> Result<ExperimentList, ClientError> {
        let path = ["api", "users", user.as_str(), "experiments"];
        read(self.call(Method::GET, &path)?).await
    }

    /// An experiment with its days, what is due today, and what was seen so far.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT`.
    pub async fn experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<ExperimentView, ClientError> {
        let path = ["api", "users", user.as_str(), "experiments", id.as_str()];
        read(self.call(Method::GET, &path)?).await
    }

    /// What an experiment has shown.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT`.
    pub async fn analyse_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<ExperimentAnalysis, ClientError> {
        let (user, id) = (user.as_str(), id.as_str());
        let path = ["api", "users", user, "experiments", id, "analysis"];
        read(self.call(Method::GET, &path)?).await
    }

    /// Records whether the person did what was due on a day.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT`, or 422 for a day that is not one of the
    /// experiment.
    pub async fn record_adherence(
        &self,
        user: &UserId,
        id: &ExperimentId,
        day: NaiveDate,
        followed: bool,
        note: Option<&str>,
    ) -> Result<ExperimentDay, ClientError> {
        let (user, id, day) = (user.as_str(), id.as_str(), day.to_string());
        let path = ["api", "users", user, "experiments", id, "days", &day];
        let body = json!({"followed": followed, "note": note});
        read(self.call(Method::PUT, &path)?.json(&body)).await
    }

    /// Stops an experiment; its days so far stay.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT` or `EXPERIMENT_ENDED`.
    pub async fn stop_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<ExperimentView, ClientError> {
        let (user, id) = (user.as_str(), id.as_str());
        let path = ["api", "users", user, "experiments", id, "stop"];
        read(self.call(Method::POST, &path)?).await
    }

    /// Deletes an experiment.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT`.
    pub async fn delete_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<(), ClientError> {
        let path = ["api", "users", user.as_str(), "experiments", id.as_str()];
        let _: Value = read(self.call(Method::DELETE, &path)?).await?;
        Ok(())
    }

    /// A page about an experiment, as HTML.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_EXPERIMENT`.
    pub async fn experiment_page(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<String, ClientError> {
        let (user, id) = (user.as_str(), id.as_str());
        let path = ["api", "users", user, "experiments", id, "page"];
        let response = accepted(self.call(Method::GET, &path)?.send().await?).await?;
        Ok(response.text().await?)
    }
}
