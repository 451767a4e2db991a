//! What statsmodels makes of three series: `fixtures/series/statsmodels.json`, written by
//! `benches/peers/series_reference.py`.

use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    series: Vec<Series>,
}

#[derive(Deserialize)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
    pub(super) ets: Vec<Form>,
    pub(super) theta: Theta,
}

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    pub(super) trend: bool,
    pub(super) damped: bool,
    pub(super) seasonal: bool,
    pub(super) alpha: f64,
    pub(super) beta: Option<f64>,
    pub(super) gamma: Option<f64>,
    pub(super) damping: f64,
    pub(super) squared_error: f64,
    pub(super) forecast: Vec<f64>,
}

#[derive(Deserialize)]
pub(super) struct Theta {
    pub(super) alpha: f64,
    pub(super) seasonal: bool,
    pub(super) forecast: Vec<f64>,
}

pub(super) fn series() -> Vec<Series> {
    let text = include_str!("../../../../fixtures/series/statsmodels.json");
    let file: File = serde_json::from_str(text).unwrap();
    assert_eq!(file.series.len(), 3);
    file.series
}
