//! The models of many people that are part of the release.

use vitalcast_artifact::{decode_state, encode_state};
use vitalcast_domain::{ModelArchitecture, PredictionMetric};
use vitalcast_inference::{ModelState, population};

#[test]
fn every_model_of_the_release_can_be_read_and_has_a_card() {
    let mut bytes = 0;
    for &metric in PredictionMetric::ALL {
        let Some(release) = population(metric).unwrap() else {
            assert_eq!(metric, PredictionMetric::HeartRateVariabilitySdnn);
            continue;
        };
        let manifest = &release.manifest;
        assert_eq!((manifest.metric, release.model.metric), (metric, metric));
        assert_eq!(manifest.architecture, ModelArchitecture::Pooled);
        assert!(manifest.skill.unwrap() > 0.0, "{metric}");
        let pooled = release.model.as_pooled().unwrap();
        assert!(pooled.people() >= 15, "{metric}");
        let card = manifest.config.to_string();
        for needed in ["CC BY 4.0", "LifeSnaps", "T1D-UOM", "limits", "devices"] {
            assert!(card.contains(needed), "{metric}: {needed}");
        }
        // The bytes of the state say the same after a round trip, and begin with the kind's number.
        let state = encode_state(&release.model.state()).unwrap();
        assert!(state.starts_with(&3_u32.to_le_bytes()));
        let again: ModelState = decode_state(&state).unwrap();
        assert_eq!(again, release.model.state());
        bytes += state.len();
    }
    assert!(bytes < 1_000_000, "{bytes}");
}
