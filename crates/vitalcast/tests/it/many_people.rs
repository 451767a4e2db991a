//! Models of many people of a data folder: who they learn from, when they are served, and to whom.

use crate::real::RHR;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::ops::ControlFlow;
use std::sync::Arc;
use vitalcast::{
    Engine, EngineError, ErrorKind, HealthMetric, JobState, MetricType, ModelArchitecture,
    PooledFit, PooledFits, PredictRequest, Profile, Provenance, Record, TrainModelRequest,
    TrainPooledRequest, TrainPooledResponse, UserId, Zone,
};

const DAYS: u64 = 80;

fn first_day() -> NaiveDate {
    "2025-03-01".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2025-05-20T12:00:00Z".parse().unwrap()
}

fn user(number: u64) -> UserId {
    UserId::new(format!("person-{number}")).unwrap()
}

/// People whose resting heart rate swings from day to day, as nobody's of the release's data does.
fn swinging(engine: &Engine, people: std::ops::Range<u64>) {
    for number in people {
        let mut state = number;
        let mut deviation = 0.0;
        let records = (0..DAYS)
            .map(|back| {
                // Numerical Recipes' linear congruential generator: any noise will do.
                state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
                let noise = 4.0 * (state as f64 / f64::from(u32::MAX)) - 2.0;
                deviation = -0.8 * deviation + noise;
                let day = first_day() + Days::new(back);
                Record::HealthMetric(HealthMetric::new(
                    Provenance::of_day("watch", day.to_string(), day, Zone::UTC),
                    MetricType::RestingHeartRate,
                    55.0 + number as f64 + deviation,
                ))
            })
            .collect();
        engine.write_records(&user(number), records, now()).unwrap();
    }
}

fn folder() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    (folder, engine)
}

fn request() -> TrainPooledRequest {
    TrainPooledRequest {
        metric: RHR,
        users: Vec::new(),
        include_unasked: true,
    }
}

fn fit(engine: &Engine, request: &TrainPooledRequest) -> Result<TrainPooledResponse, EngineError> {
    let go_on = &mut |_, _| ControlFlow::Continue(());
    engine.train_pooled(request, now(), now(), go_on)
}

/// The id of the model that forecasts tomorrow, and the forecast.
fn tomorrow(engine: &Engine, number: u64) -> (String, f64) {
    let target = first_day() + Days::new(DAYS);
    let answer = engine
        .predict(&PredictRequest::new(user(number), RHR, target), now())
        .unwrap()
        .prediction;
    (answer.model_id.to_string(), answer.predicted_value)
}

#[test]
fn a_folders_model_is_served_once_it_is_better_and_no_longer_than_it_is_there() {
    let (_folder, engine) = folder();
    swinging(&engine, 0..10);
    let before = tomorrow(&engine, 3);
    assert!(before.0.starts_with("population_"), "{}", before.0);
    let fitted = fit(&engine, &request()).unwrap();
    assert!(fitted.is_active);
    assert_eq!((fitted.people, fitted.days), (10, 10 * DAYS as usize));
    assert!(
        fitted.mae < fitted.rival_mae.unwrap() && fitted.p.unwrap() < 0.05,
        "{fitted:?}"
    );
    // What was cached for each person does not stand in its way.
    let after = tomorrow(&engine, 3);
    assert_eq!(after.0, fitted.model_id.to_string());
    assert_ne!(after.1, before.1);
    let manifest = engine.model_manifest(&fitted.model_id).unwrap();
    assert_eq!(manifest.config["people"], 10);
    let text = serde_json::to_string(&manifest).unwrap();
    assert!(!text.contains("person-"), "{text}");
    // The next one has to be better than it, not than the release's.
    let again = fit(&engine, &request()).unwrap();
    assert!(
        !again.is_active && again.model_version == "v1.0.1",
        "{again:?}"
    );
    assert_eq!(tomorrow(&engine, 3).0, fitted.model_id.to_string());
    engine.delete_model(&again.model_id).unwrap();
    engine.delete_model(&fitted.model_id).unwrap();
    assert_eq!(tomorrow(&engine, 3), before);
}

#[test]
fn a_damaged_model_of_the_folder_stops_nobody_and_is_replaced_by_the_next_fit() {
    let (folder, engine) = folder();
    swinging(&engine, 0..10);
    let of_release = tomorrow(&engine, 3);
    let fitted = fit(&engine, &request()).unwrap();
    assert!(fitted.is_active);
    drop(engine);
    let files = std::fs::read_dir(folder.path().join("models")).unwrap();
    let file = files
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "vcm"))
        .unwrap();
    let whole = std::fs::read(&file).unwrap();
    for damage in [&whole[..whole.len() / 2], b"", b"not a model"] {
        std::fs::write(&file, damage).unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        assert_eq!(tomorrow(&engine, 3), of_release);
    }
    std::fs::remove_file(&file).unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    assert_eq!(tomorrow(&engine, 3), of_release);
    let own = TrainModelRequest {
        architecture: ModelArchitecture::Ridge,
        ..TrainModelRequest::new(user(2), RHR)
    };
    let go_on = &mut |_: &vitalcast::EpochReport| ControlFlow::Continue(());
    engine.train(&own, now(), now(), go_on).unwrap();
    let again = fit(&engine, &request()).unwrap();
    assert!(again.is_active);
    assert_eq!(tomorrow(&engine, 3).0, again.model_id.to_string());
}

#[test]
fn a_model_of_ones_own_is_compared_with_the_folders() {
    let (_folder, engine) = folder();
    swinging(&engine, 0..10);
    let own = TrainModelRequest {
        architecture: ModelArchitecture::Ridge,
        ..TrainModelRequest::new(user(2), RHR)
    };
    let train = |request: &TrainModelRequest| {
        let go_on = &mut |_: &vitalcast::EpochReport| ControlFlow::Continue(());
        engine.train(request, now(), now(), go_on).unwrap()
    };
    let against_release = train(&own).population_mae.unwrap();
    let fitted = fit(&engine, &request()).unwrap();
    assert!(fitted.is_active);
    // The same request again: what it is compared with has changed, so it is trained again.
    let against_folder = train(&own).population_mae.unwrap();
    assert!(
        against_folder < against_release,
        "{against_folder} {against_release}"
    );
}

#[test]
fn who_refused_or_was_erased_teaches_nobody() {
    let (_folder, engine) = folder();
    swinging(&engine, 0..9);
    engine
        .set_profile(
            &user(4),
            &Profile {
                allows_pooling: Some(false),
                ..Profile::default()
            },
        )
        .unwrap();
    let fitted = fit(&engine, &request()).unwrap();
    assert_eq!((fitted.people, fitted.people_without_consent), (8, 1));
    // Named or not, a refusal counts.
    let named = TrainPooledRequest {
        users: (0..7).map(user).collect(),
        ..request()
    };
    assert_eq!(fit(&engine, &named).unwrap().people, 6);
    let alone = engine.lock_folder().unwrap();
    engine.erase_user(&user(0), &alone).unwrap();
    assert_eq!(fit(&engine, &request()).unwrap().people, 7);
    // Where consent is needed, nobody who was not asked takes part.
    let asked_only = TrainPooledRequest {
        include_unasked: false,
        ..request()
    };
    let error = fit(&engine, &asked_only).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEnoughData, "{error}");
}

#[test]
fn too_few_people_an_unknown_one_and_a_stop_are_told() {
    let (_folder, engine) = folder();
    let error = fit(&engine, &request()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEnoughData, "{error}");
    for (people, found) in [(0..2, "found 2"), (2..5, "found 5")] {
        swinging(&engine, people);
        let error = fit(&engine, &request()).unwrap_err().to_string();
        assert!(
            error.contains("at least 6 people") && error.contains(found),
            "{error}"
        );
    }
    let stranger = TrainPooledRequest {
        users: vec![user(0), user(99)],
        ..request()
    };
    assert_eq!(
        fit(&engine, &stranger).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let stopped = engine.train_pooled(&request(), now(), now(), &mut |_, _| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(engine.models_of_many_people().unwrap().is_empty());
}

/// Fits beside a service on a data folder, and how the one of a metric ended.
struct Beside {
    engine: Arc<Engine>,
    fits: PooledFits,
}

impl Beside {
    fn new(engine: &Arc<Engine>) -> Self {
        let engine = Arc::clone(engine);
        let fits = PooledFits::new(Arc::clone(&engine), Arc::new(now), 1);
        Self { engine, fits }
    }

    fn note(&self) -> std::path::PathBuf {
        self.engine
            .folder()
            .join("fits")
            .join("RESTING_HEART_RATE.json")
    }

    fn ended(&self) -> Option<PooledFit> {
        loop {
            let fit = self.fits.all().pop()?;
            if fit.state.is_final() {
                return Some(fit);
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_fit_that_was_cut_is_started_again_until_it_was_cut_three_times() {
    let (_folder, engine) = folder();
    swinging(&engine, 1..8);
    let engine = Arc::new(engine);
    let first = Beside::new(&engine);
    assert!(first.ended().is_none());
    // The service stops.
    first.fits.stop();
    first.fits.start(request()).unwrap();
    let cut = first.ended().unwrap();
    assert_eq!((cut.state, cut.attempts), (JobState::Cancelled, 1));
    let noted = std::fs::read(first.note()).unwrap();
    // The next process goes on.
    let second = Beside::new(&engine);
    let fitted = second.ended().unwrap();
    assert_eq!((fitted.state, fitted.attempts), (JobState::Succeeded, 2));
    assert_eq!(fitted.result.unwrap().people, 7);
    assert!(!second.note().exists());
    assert!(Beside::new(&engine).ended().is_none());
    // A fit during which the process died each time.
    let noted = String::from_utf8(noted).unwrap();
    let thrice = noted.replace("\"attempts\":1", "\"attempts\":3");
    assert_ne!(noted, thrice);
    std::fs::write(second.note(), thrice).unwrap();
    let failed = Beside::new(&engine).ended().unwrap();
    assert_eq!(failed.state, JobState::Failed);
    let error = failed.error.unwrap();
    assert_eq!(error.code, "GAVE_UP");
    assert!(
        error.detail.contains("interrupted 3 times"),
        "{}",
        error.detail
    );
    assert!(!second.note().exists());
}

#[test]
fn the_note_of_a_fit_that_names_a_person_goes_with_the_person() {
    let (_folder, engine) = folder();
    swinging(&engine, 1..3);
    let engine = Arc::new(engine);
    let beside = Beside::new(&engine);
    beside.fits.stop();
    let named = TrainPooledRequest {
        users: vec![user(1)],
        ..request()
    };
    beside.fits.start(named).unwrap();
    beside.ended();
    let lock = engine.lock_folder().unwrap();
    engine.erase_user(&user(2), &lock).unwrap();
    assert!(beside.note().exists());
    engine.erase_user(&user(1), &lock).unwrap();
    assert!(!beside.note().exists());
}
