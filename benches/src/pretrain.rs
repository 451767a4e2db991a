//! Fits the models of many people that are part of the release, from public data sets.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast_domain::{History, PredictionMetric, Profile, Record, UserId};
use vitalcast_import::{ImportOptions, Reject, Sink, SinkError, import};
use vitalcast_training::fit_pooled;

use crate::Outcome;

/// Data sets: folder, citation, licence, device, and what is peculiar about the people.
const DATA_SETS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "lifesnaps",
        "LifeSnaps, Yfantidou et al. 2022, doi:10.5281/zenodo.7229547",
        "CC BY 4.0",
        "Fitbit Sense, 2021 and 2022",
        "adults of several European countries",
    ),
    (
        "t1d-uom",
        "T1D-UOM, Alsuhaymi et al. 2025, doi:10.5281/zenodo.15169263",
        "CC BY 4.0",
        "Garmin watches, 2023 and 2024",
        "adults with type 1 diabetes in the United Kingdom",
    ),
];

/// People in memory, with their records placed on their days.
#[derive(Default)]
struct People(BTreeMap<UserId, History>);

impl Sink for People {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        let history = self
            .0
            .entry(user.clone())
            .or_insert_with(|| History::new(user.clone(), profile.clone()));
        history.profile = profile.clone();
        Ok(profile.clone())
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        if let Some(history) = self.0.get_mut(user) {
            let profile = history.profile.clone();
            for mut record in records {
                record.place(&profile);
                history.records.push(record);
            }
        }
        Ok(())
    }

    fn reject(&mut self, _: &Reject) -> Result<(), SinkError> {
        Ok(())
    }

    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// `data` holds `lifesnaps` and `t1d-uom` as their authors publish them; one file for each metric is
/// written to `folder`. The same data give the same bytes.
pub(crate) fn run(data: &Path, folder: &Path) -> Outcome {
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut people = People::default();
    let mut sources = Vec::new();
    for (name, citation, licence, device, who) in DATA_SETS {
        let before = people.0.len();
        let options = ImportOptions::at(now);
        import(&[data.join(name)], &options, &mut people)?;
        sources.push(json!({
            "data": citation,
            "licence": licence,
            "devices": device,
            "people": people.0.len() - before,
            "who": who,
        }));
    }
    let histories: Vec<&History> = people.0.values().collect();
    let mut output = std::io::stdout();
    for metric in PredictionMetric::ALL {
        let card = card(*metric, &sources);
        let Ok(trained) = fit_pooled(&histories, *metric, now, card) else {
            writeln!(output, "{metric}: too few people, no model")?;
            continue;
        };
        let bytes = trained.artifact.to_bytes()?;
        let path = folder.join(format!("{metric}.vcm"));
        std::fs::write(&path, &bytes)?;
        let manifest = trained.artifact.manifest();
        writeln!(
            output,
            "{metric}: {} bytes, MAE {:.3} {} on people not seen in fitting, skill {:+.1} % against {}",
            bytes.len(),
            manifest.metrics.mae,
            metric.unit_label(),
            100.0 * manifest.skill.unwrap_or(0.0),
            manifest.baseline_name.as_deref().unwrap_or("none"),
        )?;
    }
    Ok(())
}

fn card(metric: PredictionMetric, sources: &[Value]) -> Value {
    let recovery = "the recovery score of these data is Fitbit's stress management score: other vendors' \
                    scores mean something else";
    let general = "few people, most of them between 20 and 45 years old, healthy or with type 1 diabetes; \
                   other devices smooth in other ways; not for children, pregnancy or illness";
    json!({
        "kind": "one linear model of many people's days",
        "sources": sources,
        "errors": "on people that a fit had not seen, in five parts",
        "limits": match metric {
            PredictionMetric::RecoveryScore => vec![general, recovery],
            PredictionMetric::RestingHeartRate
            | PredictionMetric::HeartRateVariabilitySdnn
            | PredictionMetric::HeartRateVariabilityRmssd
            | PredictionMetric::SleepDuration => vec![general],
        },
    })
}
