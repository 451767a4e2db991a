//! Explanations of forecasts and models.

use crate::{Client, ClientError};
use vitalcast_domain::{
    ExplainRequest, ExplainResponse, GlobalImportanceRequest, GlobalImportanceResponse,
};

impl Client {
    /// Explains a forecast.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `NO_MODEL`, `NOT_ENOUGH_DATA`, `NO_ATTENTION` or `NOT_BY_DAY`.
    pub async fn explain(&self, request: &ExplainRequest) -> Result<ExplainResponse, ClientError> {
        self.post(&["api", "interpretability", "explain"], request)
            .await
    }

    /// Explains a model: which features matter on its last days.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_MODEL` or `NOT_ENOUGH_DATA`.
    pub async fn global_importance(
        &self,
        request: &GlobalImportanceRequest,
    ) -> Result<GlobalImportanceResponse, ClientError> {
        self.post(&["api", "interpretability", "global-importance"], request)
            .await
    }
}
