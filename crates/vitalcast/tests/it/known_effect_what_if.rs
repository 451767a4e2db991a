//! What-ifs of people made by chance, of whom it is known what raises their resting heart rate.

use crate::late_eater::{EFFECT, Learned, RHR, learned, now, someone};
use chrono::Days;
use vitalcast::{
    CounterfactualRequest, FeatureChange, ModelArchitecture, WhatIfRequest, WhatIfScenario,
};

const LATE: &str = "nutrition_late_night_carbs";

impl Learned {
    /// The mean difference that late food makes on the last days: added where there was none, left out where
    /// there was some.
    fn difference(&self) -> f64 {
        let days = self.evenings.iter().rev().take(12);
        let mut sum = 0.0;
        for (day, was_late) in days {
            let (grams, sign) = if *was_late { (0.0, -1.0) } else { (90.0, 1.0) };
            let request = WhatIfRequest {
                architecture: Some(ModelArchitecture::Lstm),
                ..WhatIfRequest::new(
                    someone(),
                    RHR,
                    *day + Days::new(1),
                    vec![WhatIfScenario {
                        scenario_name: "late".to_owned(),
                        changes: vec![FeatureChange {
                            feature_name: LATE.to_owned(),
                            current_value: None,
                            new_value: grams,
                            change_description: String::new(),
                        }],
                        added: Vec::new(),
                    }],
                )
            };
            let answer = self.engine.what_if(&request, now()).unwrap();
            sum += sign * answer.scenarios[0].change_from_baseline / 12.0;
        }
        sum
    }
}

#[test]
fn what_is_known_to_raise_it_raises_it_and_leaving_it_out_is_the_answer() {
    let learned = learned(EFFECT);
    let found = learned.difference();
    // A network is believed only as far as what it says held on validation days, less three standard errors,
    // so it finds less than there is.
    assert!(found > 0.4 * EFFECT && found < 1.25 * EFFECT, "{found}");
    // Of a late evening, the answer to a lower heart rate is to leave the food out, or to eat it earlier.
    let mut late = learned
        .evenings
        .iter()
        .rev()
        .filter(|(_, was_late)| *was_late);
    let (day, _) = late.next().unwrap();
    let request = CounterfactualRequest {
        architecture: Some(ModelArchitecture::Lstm),
        ..CounterfactualRequest::new(someone(), RHR, *day + Days::new(1))
    };
    let answer = learned.engine.counterfactual(&request, now()).unwrap();
    let best = &answer.counterfactual;
    assert!(best.achieved_prediction < answer.current_prediction);
    let evening = [
        LATE,
        "nutrition_late_night_calories",
        "nutrition_last_meal_time",
    ];
    let names: Vec<&str> = best
        .changes
        .iter()
        .map(|of| of.feature_name.as_str())
        .collect();
    assert!(names.iter().any(|name| evening.contains(name)), "{names:?}");
    // What it achieves is what the same what-if gives.
    let changes = best.changes.iter().map(|of| FeatureChange {
        feature_name: of.feature_name.clone(),
        current_value: of.current_value,
        new_value: of.suggested_value,
        change_description: of.change_description.clone(),
    });
    let scenario = WhatIfScenario {
        scenario_name: "answer".to_owned(),
        changes: changes.collect(),
        added: Vec::new(),
    };
    let request = WhatIfRequest {
        architecture: Some(ModelArchitecture::Lstm),
        ..WhatIfRequest::new(someone(), RHR, *day + Days::new(1), vec![scenario])
    };
    let same = learned.engine.what_if(&request, now()).unwrap();
    let value = same.scenarios[0].predicted_value;
    assert_eq!(value.to_bits(), best.achieved_prediction.to_bits());
}

#[test]
fn without_an_effect_a_what_if_finds_none() {
    let found = learned(0.0).difference();
    assert!(found.abs() < 0.3, "{found}");
}
