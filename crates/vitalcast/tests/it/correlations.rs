//! What goes with what, from records to answers: generated people whose truth is known.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::f64::consts::TAU;
use vitalcast::{
    CorrelationMethod, CorrelationRequest, CorrelationResponse, Engine, HealthMetric,
    HealthMetricTarget, LagRequest, LagResolution, LagResponse, Meal, MetricType, Pairing, Profile,
    Provenance, Record, UserId, Zone, catalogue,
};

const RHR: HealthMetricTarget = HealthMetricTarget::RestingHeartRate;
const LATE: &str = "nutrition_late_night_carbs";
const DAYS: u64 = 130;

fn last_day() -> NaiveDate {
    "2026-06-30".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

fn someone() -> UserId {
    UserId::new("someone").unwrap()
}

/// Numbers between 0 and 1 that look random and are the same every time.
fn chance(seed: u64, index: u64) -> f64 {
    let mut state = (seed << 32)
        .wrapping_add(index)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((state ^ (state >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(seed: u64, index: u64) -> f64 {
    let radius = (-2.0 * (1.0 - chance(seed, 2 * index)).ln()).sqrt();
    radius * (TAU * chance(seed, 2 * index + 1)).cos()
}

fn meal(day: NaiveDate, hour: i64, carbs: f64, zone: Zone) -> Record {
    let at = zone.start_of_day(day) + TimeDelta::minutes(hour * 60 + 30);
    Record::Meal(Meal {
        provenance: Provenance::at("diary", format!("{day}-{hour}"), at, zone),
        name: None,
        meal_type: None,
        energy_kcal: Some(300.0 + 4.0 * carbs),
        protein_g: Some(20.0),
        carbs_g: Some(carbs),
        fat_g: Some(10.0),
        fiber_g: None,
        sugar_g: None,
    })
}

fn reading(day: NaiveDate, metric: MetricType, value: f64, zone: Zone) -> Record {
    let at = zone.start_of_day(day) + TimeDelta::hours(7);
    Record::HealthMetric(HealthMetric::new(
        Provenance::at("watch", format!("{day}"), at, zone),
        metric,
        value,
    ))
}

/// About every third day ends with 60 g of late carbohydrate, and the resting heart rate of the day
/// after is so much higher. It drifts besides, as heart rates do.
fn records(seed: u64, effect: f64) -> Vec<Record> {
    let zone = Profile::default().zone;
    let mut records = Vec::new();
    let mut drift = 0.0;
    let mut was_late = false;
    for index in 0..DAYS {
        let day = last_day() - Days::new(DAYS - 1 - index);
        drift = 0.5 * drift + 0.9 * normal(seed, index);
        let raised = if was_late { effect } else { 0.0 };
        let value = 58.0 + drift + raised;
        records.push(reading(day, MetricType::RestingHeartRate, value, zone));
        let asleep = 7.5 + 0.5 * normal(seed + 1_000, index);
        records.push(reading(day, MetricType::SleepDuration, asleep, zone));
        let lunch = 60.0 + 15.0 * normal(seed + 2_000, index);
        records.push(meal(day, 12, lunch.max(5.0), zone));
        was_late = chance(seed + 3_000, index) < 0.35;
        if was_late {
            records.push(meal(day, 21, 60.0, zone));
        }
    }
    records
}

struct Data {
    engine: Engine,
    _folder: tempfile::TempDir,
}

impl Data {
    fn new(records: Vec<Record>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        if !records.is_empty() {
            engine.write_records(&someone(), records, now()).unwrap();
        }
        Self {
            engine,
            _folder: folder,
        }
    }

    fn correlate(&self, request: &CorrelationRequest) -> CorrelationResponse {
        self.engine.correlate(request, now()).unwrap()
    }
}

fn request() -> CorrelationRequest {
    CorrelationRequest {
        lookback_days: 90,
        ..CorrelationRequest::new(someone(), RHR)
    }
}

fn lag_request(feature: &str) -> LagRequest {
    LagRequest {
        lookback_days: 90,
        max_lag_hours: 168,
        ..LagRequest::new(someone(), RHR, feature.to_owned())
    }
}

#[test]
fn a_true_effect_is_told_with_its_sign_size_and_lag() {
    let data = Data::new(records(1, 2.0));
    let answer = data.correlate(&request());
    let late = answer
        .correlations
        .iter()
        .find(|one| one.feature_name == LATE && one.method == CorrelationMethod::Pearson)
        .unwrap();
    assert!(late.is_significant && late.correlation > 0.3, "{late:?}");
    assert!(late.p_value >= late.autocorrelation_p_value);
    assert!(late.autocorrelation_p_value >= late.raw_p_value);
    assert!((late.effect.unwrap() - 2.0).abs() < 0.8, "{late:?}");
    assert!(late.effect_lower < late.effect && late.effect < late.effect_upper);
    assert_eq!(
        (late.feature_low, late.feature_high),
        (Some(0.0), Some(60.0))
    );
    assert!(late.partial_correlation.unwrap() > 0.3, "{late:?}");
    let words = &answer.summary;
    assert!(
        words.contains("resting heart rate is higher the day after: by 2."),
        "{words}"
    );
    assert!(words.contains("does not show that one causes"), "{words}");
    assert!(answer.strongest_positive.unwrap().correlation > 0.3);
    let lags = data.engine.lag_analysis(&lag_request(LATE), now()).unwrap();
    assert_eq!(lags.optimal_lag_hours, Some(24), "{lags:?}");
    assert!(lags.delayed_effect && !lags.immediate_effect);
    assert_eq!(lags.effect_duration_hours, Some(24));
    let hours: Vec<u32> = lags.lag_results.iter().map(|lag| lag.lag_hours).collect();
    assert_eq!(hours, [0, 24, 48, 72, 96, 120, 144, 168]);
    assert!(lags.interpretation.contains("the day after (24 hours)"));
}

#[test]
fn without_an_effect_nothing_is_told() {
    let mut told = 0;
    for seed in 10..30 {
        let answer = Data::new(records(seed, 0.0)).correlate(&request());
        told += usize::from(answer.significant_correlations > 0);
        if answer.significant_correlations == 0 {
            assert!(answer.summary.starts_with("No correlation is significant"));
            assert!(answer.summary.contains("four of five cases"));
        }
        assert!(answer.detectable_correlation.unwrap() > 0.2);
    }
    assert!(told <= 2, "{told} of 20");
}

#[test]
fn what_is_made_of_the_target_never_stands_against_it() {
    let data = Data::new(records(2, 2.0));
    let everything = |target, pairing| CorrelationRequest {
        include_insignificant: true,
        top_k: 1_000,
        pairing,
        methods: CorrelationMethod::ALL.to_vec(),
        lookback_days: 90,
        ..CorrelationRequest::new(someone(), target)
    };
    for (target, prefix, metric) in [
        (RHR, "health_rhr_", MetricType::RestingHeartRate),
        (
            HealthMetricTarget::SleepDuration,
            "health_sleep_",
            MetricType::SleepDuration,
        ),
    ] {
        for pairing in [Pairing::NextDay, Pairing::SameDay] {
            let answer = data.correlate(&everything(target, pairing));
            assert!(answer.total_features_analyzed > 10);
            for one in &answer.correlations {
                assert!(
                    !one.feature_name.starts_with(prefix),
                    "{}",
                    one.feature_name
                );
                let feature = catalogue()
                    .iter()
                    .find(|feature| feature.name == one.feature_name)
                    .unwrap();
                assert!(!feature.is_made_of(metric));
            }
        }
    }
    let lags = data
        .engine
        .lag_analysis(&lag_request("health_rhr_7d_avg"), now())
        .unwrap();
    assert_eq!(lags.code.as_deref(), Some("FEATURE_IS_TARGET"));
    assert!(lags.lag_results.is_empty());
}

#[test]
fn hours_before_sleep_are_real_ones() {
    let data = Data::new(records(3, 2.5));
    let by_hour = LagRequest {
        resolution: LagResolution::Hour,
        max_lag_hours: 24,
        lag_step_hours: 3,
        ..lag_request(LATE)
    };
    let answer = data.engine.lag_analysis(&by_hour, now()).unwrap();
    // A meal at 21:30 and a night of about seven and a half hours that ends at 7:00: two hours.
    assert_eq!(answer.resolution, LagResolution::Hour);
    assert_eq!(answer.optimal_lag_hours, Some(0), "{answer:?}");
    assert!(answer.lag_results[0].correlation > 0.4);
    let of_the_day = LagRequest {
        resolution: LagResolution::Hour,
        ..lag_request("nutrition_protein_ratio")
    };
    let answer = data.engine.lag_analysis(&of_the_day, now()).unwrap();
    assert_eq!(answer.code.as_deref(), Some("NO_TIMES"));
}

#[test]
fn too_little_is_an_answer_that_says_so() {
    let nobody = Data::new(Vec::new());
    let answer = nobody.correlate(&request());
    assert_eq!(answer.code.as_deref(), Some("NO_DATA"));
    assert_eq!((answer.missing_days, answer.data_quality_score), (90, 0.0));
    let lags = nobody
        .engine
        .lag_analysis(&lag_request(LATE), now())
        .unwrap();
    assert_eq!(lags.code.as_deref(), Some("NO_DATA"));

    let zone = Profile::default().zone;
    let short: Vec<Record> = (0..5)
        .map(|back| {
            reading(
                last_day() - Days::new(back),
                MetricType::RestingHeartRate,
                60.0 + back as f64,
                zone,
            )
        })
        .collect();
    let answer = Data::new(short).correlate(&request());
    assert_eq!(answer.code.as_deref(), Some("NOT_ENOUGH_DATA"));
    assert!(answer.warning.unwrap().contains("at least 7"));

    let constant: Vec<Record> = (0..90)
        .map(|back| {
            reading(
                last_day() - Days::new(back),
                MetricType::RestingHeartRate,
                60.0,
                zone,
            )
        })
        .collect();
    let answer = Data::new(constant).correlate(&request());
    assert_eq!(answer.code.as_deref(), Some("CONSTANT_TARGET"));

    let data = Data::new(records(4, 2.0));
    let none = CorrelationRequest {
        methods: Vec::new(),
        ..request()
    };
    let answer = data.correlate(&none);
    assert_eq!(answer.code.as_deref(), Some("NO_METHODS"));
    assert!(answer.total_features_analyzed > 10 && answer.correlations.is_empty());
    let lags = data
        .engine
        .lag_analysis(&lag_request("nutrition_magic"), now())
        .unwrap();
    assert_eq!(lags.code.as_deref(), Some("UNKNOWN_FEATURE"));
    // Every meal has the same protein, and every day one of them.
    let same: Vec<Record> = records(4, 2.0)
        .into_iter()
        .filter(|record| !matches!(record, Record::Meal(meal) if meal.carbs_g == Some(60.0)))
        .collect();
    let constant = Data::new(same)
        .engine
        .lag_analysis(&lag_request("nutrition_protein_daily"), now())
        .unwrap();
    assert_eq!(constant.code.as_deref(), Some("CONSTANT_SERIES"));
    assert!(constant.lag_results.is_empty());
}

#[test]
fn what_a_score_is_made_of_may_come_before_it_but_not_beside_it() {
    let zone = Profile::default().zone;
    let mut all = records(8, 2.0);
    all.extend((0..DAYS).map(|index| {
        let day = last_day() - Days::new(DAYS - 1 - index);
        let score = 60.0 + 10.0 * normal(77, index);
        reading(day, MetricType::RecoveryScore, score, zone)
    }));
    let request = LagRequest {
        target_metric: HealthMetricTarget::RecoveryScore,
        ..lag_request("health_sleep_duration_last")
    };
    let answer = Data::new(all).engine.lag_analysis(&request, now()).unwrap();
    assert_eq!(answer.code, None);
    let hours: Vec<u32> = answer.lag_results.iter().map(|lag| lag.lag_hours).collect();
    assert_eq!(hours[..2], [24, 48]);
    assert!(!answer.immediate_effect);
    let text = &answer.interpretation;
    assert!(text.contains("Lag 0 is left out"), "{text}");
    assert!(text.contains("four of five cases"), "{text}");
}

#[test]
fn a_method_named_twice_counts_once_and_bounds_are_checked() {
    let data = Data::new(records(5, 2.0));
    let once = CorrelationRequest {
        methods: vec![CorrelationMethod::Pearson],
        ..request()
    };
    let twice = CorrelationRequest {
        methods: vec![CorrelationMethod::Pearson; 2],
        ..request()
    };
    assert_eq!(data.correlate(&once).tests, data.correlate(&twice).tests);
    for wrong in [
        CorrelationRequest {
            lookback_days: 13,
            ..request()
        },
        CorrelationRequest {
            min_correlation: f64::NAN,
            ..request()
        },
        CorrelationRequest {
            last_day: Some(NaiveDate::MIN),
            ..request()
        },
    ] {
        assert!(data.engine.correlate(&wrong, now()).is_err());
    }
}

#[test]
fn no_number_of_an_answer_is_nan() {
    let mut records = records(6, 2.0);
    // Gaps everywhere, and ties.
    let mut place = 0;
    records.retain(|_| {
        place += 1;
        place % 3 != 0
    });
    for record in &mut records {
        if let Record::HealthMetric(reading) = record {
            reading.value = reading.value.round();
        }
    }
    let data = Data::new(records);
    for pairing in [Pairing::NextDay, Pairing::SameDay] {
        for lookback_days in [14, 45, 180] {
            let asked = CorrelationRequest {
                include_insignificant: true,
                top_k: 1_000,
                methods: CorrelationMethod::ALL.to_vec(),
                pairing,
                lookback_days,
                ..request()
            };
            let answer = data.correlate(&asked);
            assert!(!answer.correlations.is_empty() || lookback_days == 14);
            // What is not a number becomes null on its way, and equals nothing, itself included.
            let json = serde_json::to_string(&answer).unwrap();
            let back: CorrelationResponse = serde_json::from_str(&json).unwrap();
            assert_eq!(answer, back);
            for one in &answer.correlations {
                assert!((0.0..=1.0).contains(&one.p_value) && one.correlation.abs() <= 1.0);
            }
        }
    }
    for resolution in [LagResolution::Day, LagResolution::Hour] {
        for &method in CorrelationMethod::ALL {
            let asked = LagRequest {
                resolution,
                method,
                lag_step_hours: 12,
                ..lag_request(LATE)
            };
            let answer = data.engine.lag_analysis(&asked, now()).unwrap();
            let json = serde_json::to_string(&answer).unwrap();
            let back: LagResponse = serde_json::from_str(&json).unwrap();
            assert_eq!(answer, back);
            assert!(!answer.lag_results.is_empty(), "{resolution} {method}");
        }
    }
}

#[test]
fn late_records_count_in_hindsight() {
    let mut records = records(7, 2.0);
    // The diary of every day was kept, but reached us a month later.
    for record in &mut records {
        if let Record::Meal(meal) = record {
            meal.provenance.known_at = now() - TimeDelta::hours(1);
        }
    }
    let answer = Data::new(records).correlate(&request());
    let names: Vec<&str> = answer
        .correlations
        .iter()
        .map(|one| one.feature_name.as_str())
        .collect();
    assert!(names.contains(&LATE), "{names:?}");
}
