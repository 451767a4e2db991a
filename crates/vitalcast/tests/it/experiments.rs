//! Experiments of people on themselves, from the plan to the result.

use crate::real::day;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use tempfile::TempDir;
use vitalcast::{
    Condition, Engine, EngineError, ErrorKind, Experiment, ExperimentAnalysis, ExperimentPreview,
    ExperimentRequest, ExperimentState, ExperimentVerdict, ExperimentView, HealthMetric, Meal,
    MetricType, PredictionMetric, Profile, Provenance, Record, StopRule, UserId, experiment_chart,
    experiment_report,
};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;
const PAST: u64 = 100;

/// A data folder with one person, who has readings of the days before 1 March 2026.
struct Folder {
    engine: Engine,
    _dir: TempDir,
}

fn someone() -> UserId {
    UserId::new("someone").unwrap()
}

fn planned() -> DateTime<Utc> {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

/// The morning of a day, counted from the one of planning.
fn later(days: usize) -> DateTime<Utc> {
    planned() + TimeDelta::days(days as i64)
}

/// A number between −1 and 1 that differs from day to day, always the same.
fn noise(number: u64, seed: u64) -> f64 {
    let mut bits =
        (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.wrapping_mul(0xd1b5_4a32);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn reading(day: NaiveDate, value: f64) -> Record {
    let zone = Profile::default().zone;
    let at = zone.start_of_day(day) + TimeDelta::minutes(390);
    let provenance = Provenance::at("band", format!("rhr-{day}"), at, zone);
    Record::HealthMetric(HealthMetric::new(
        provenance,
        MetricType::RestingHeartRate,
        value,
    ))
}

fn meal(day: NaiveDate, hour: i64) -> Record {
    let zone = Profile::default().zone;
    let at = zone.start_of_day(day) + TimeDelta::hours(hour);
    Record::Meal(Meal {
        provenance: Provenance::at("diary", format!("{day}-{hour}"), at, zone),
        name: None,
        meal_type: None,
        energy_kcal: Some(500.0),
        protein_g: None,
        carbs_g: None,
        fat_g: None,
        fiber_g: None,
        sugar_g: None,
    })
}

impl Folder {
    fn new() -> Self {
        Self::with_past(|day| 60.0 + 2.0 * noise(day, 1))
    }

    fn with_past(value: impl Fn(u64) -> f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        let folder = Self { engine, _dir: dir };
        let first = day("2026-03-01") - Days::new(PAST);
        folder.write(
            (0..PAST)
                .map(|number| reading(first + Days::new(number), value(number)))
                .collect(),
            planned(),
        );
        folder
    }

    fn write(&self, records: Vec<Record>, now: DateTime<Utc>) {
        self.engine.write_records(&someone(), records, now).unwrap();
    }

    fn plan(&self, request: &ExperimentRequest) -> ExperimentPreview {
        self.try_plan(request).unwrap()
    }

    fn try_plan(&self, request: &ExperimentRequest) -> Result<ExperimentPreview, EngineError> {
        self.engine
            .plan_experiment(&someone(), request, false, planned())
    }

    /// The days of an experiment with an effect of condition A, written as they become known.
    fn live(&self, experiment: &Experiment, effect: f64, seed: u64) {
        let plan = &experiment.plan;
        let records: Vec<Record> = (0..plan.days())
            .map(|number| {
                let (condition, _) = plan.due(number).unwrap();
                let more = if condition == Condition::A {
                    effect
                } else {
                    0.0
                };
                let value = 60.0 + 2.0 * noise(number as u64, seed) + more;
                reading(plan.day(number + plan.outcome_lag_days), value)
            })
            .collect();
        self.write(records, later(plan.days() + 3));
    }

    fn view(&self, experiment: &Experiment, days: usize) -> ExperimentView {
        self.engine
            .experiment(&someone(), &experiment.experiment_id, later(days))
            .unwrap()
    }

    fn analysis(&self, experiment: &Experiment, days: usize) -> ExperimentAnalysis {
        self.engine
            .analyse_experiment(&someone(), &experiment.experiment_id, later(days))
            .unwrap()
    }
}

fn request() -> ExperimentRequest {
    ExperimentRequest {
        smallest_effect: Some(1.5),
        ..ExperimentRequest::new(
            "Does late food matter?",
            RHR,
            "no food after 20:00",
            "as usual",
        )
    }
}

fn code(result: Result<ExperimentPreview, EngineError>) -> (&'static str, ErrorKind) {
    let error = result.unwrap_err();
    (error.code(), error.kind())
}

#[test]
fn a_plan_says_how_sure_it_is_and_writes_nothing_when_rehearsed() {
    let folder = Folder::new();
    let rehearsed = folder
        .engine
        .plan_experiment(&someone(), &request(), true, planned())
        .unwrap();
    assert!(!rehearsed.is_stored && rehearsed.power >= 0.8);
    assert_eq!(rehearsed.days_needed, Some(rehearsed.days));
    assert!(rehearsed.detectable_effect.unwrap() <= 1.5);
    assert!(
        folder
            .engine
            .experiments(&someone(), planned())
            .unwrap()
            .experiments
            .is_empty()
    );
    let stored = folder.plan(&request());
    assert!(stored.is_stored);
    // What was rehearsed is what is planned, order of blocks included.
    assert_eq!(stored.experiment, rehearsed.experiment);
    assert_eq!(stored.experiment.experiment_id.as_str(), "rhr-20260302");
    assert_eq!(stored.experiment.plan.start, day("2026-03-02"));
    let list = folder.engine.experiments(&someone(), later(1)).unwrap();
    let list = list.experiments;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].state, ExperimentState::Running);
    assert!(list[0].today.is_some());
}

#[test]
fn more_pairs_find_less_and_watching_costs_some() {
    let folder = Folder::new();
    let preview = |request: ExperimentRequest| {
        let engine = &folder.engine;
        engine
            .plan_experiment(&someone(), &request, true, planned())
            .unwrap()
    };
    let of = |pairs| ExperimentRequest {
        pairs: Some(pairs),
        ..request()
    };
    let effects: Vec<f64> = [7, 12, 24]
        .into_iter()
        .map(|pairs| preview(of(pairs)).detectable_effect.unwrap())
        .collect();
    assert!(
        effects[0] > effects[1] && effects[1] > effects[2],
        "{effects:?}"
    );
    let watched = preview(ExperimentRequest {
        stop_rule: StopRule::ClearEffect,
        ..of(12)
    });
    assert!(watched.detectable_effect.unwrap() > effects[1]);
    let short = preview(of(5));
    assert_eq!((short.power, short.detectable_effect), (0.0, None));
    assert!(
        short.summary.contains("no difference can become clear"),
        "{}",
        short.summary
    );
}

#[test]
fn what_cannot_be_planned_is_refused_with_its_reason() {
    let folder = Folder::new();
    let small = ExperimentRequest {
        smallest_effect: Some(0.05),
        ..request()
    };
    assert_eq!(
        code(folder.try_plan(&small)),
        ("EFFECT_TOO_SMALL", ErrorKind::InvalidRequest)
    );
    let hrv = ExperimentRequest {
        metric: PredictionMetric::HeartRateVariabilityRmssd,
        ..request()
    };
    assert_eq!(
        code(folder.try_plan(&hrv)),
        ("NOT_ENOUGH_DATA", ErrorKind::NotEnoughData)
    );
    let past = ExperimentRequest {
        start: Some(day("2026-02-28")),
        ..request()
    };
    let error = folder.try_plan(&past).unwrap_err();
    assert!(matches!(error, EngineError::Request(_)) && error.to_string().contains("start"));
    let far = ExperimentRequest {
        start: Some(NaiveDate::MAX),
        ..request()
    };
    assert!(matches!(
        folder.try_plan(&far),
        Err(EngineError::Request(_))
    ));
    let flat = Folder::with_past(|_| 60.1);
    assert_eq!(
        code(flat.try_plan(&request())),
        ("NO_VARIANCE", ErrorKind::InvalidRequest)
    );
    let nobody = UserId::new("nobody").unwrap();
    let error = folder
        .engine
        .plan_experiment(&nobody, &request(), false, planned());
    assert_eq!(code(error), ("UNKNOWN_USER", ErrorKind::NotFound));
}

#[test]
fn experiments_with_days_in_common_need_to_be_wanted() {
    let folder = Folder::new();
    let first = folder.plan(&request()).experiment;
    assert_eq!(
        code(folder.try_plan(&request())),
        ("EXPERIMENT_OVERLAP", ErrorKind::Busy)
    );
    let wanted = ExperimentRequest {
        allow_overlap: true,
        ..request()
    };
    let second = folder.plan(&wanted).experiment;
    assert_eq!(second.experiment_id.as_str(), "rhr-20260302-2");
    let after = ExperimentRequest {
        start: Some(first.plan.last_day() + Days::new(1)),
        ..request()
    };
    folder.plan(&after);
    // A stopped one leaves its days.
    for one in [&first, &second] {
        let stopped = folder
            .engine
            .stop_experiment(&someone(), &one.experiment_id, later(5))
            .unwrap();
        assert_eq!(stopped.state, ExperimentState::Stopped);
        assert_eq!(stopped.days.len(), 4);
        let again = folder
            .engine
            .stop_experiment(&someone(), &one.experiment_id, later(6));
        assert_eq!(again.unwrap_err().code(), "EXPERIMENT_ENDED");
    }
    let instead = ExperimentRequest {
        start: Some(day("2026-03-06")),
        pairs: Some(2),
        ..request()
    };
    let engine = &folder.engine;
    let found = engine.plan_experiment(&someone(), &instead, false, later(5));
    assert!(found.unwrap().is_stored);
}

#[test]
fn an_effect_is_found_with_its_sign_and_size() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    folder.live(&experiment, -2.0, 7);
    let analysis = folder.analysis(&experiment, experiment.plan.days() + 3);
    assert_eq!(analysis.state, ExperimentState::Finished);
    assert_eq!(
        (analysis.code, analysis.verdict),
        (None, ExperimentVerdict::Better)
    );
    let test = analysis.final_test.unwrap();
    let (lower, upper) = (test.lower.unwrap(), test.upper.unwrap());
    assert!(test.is_clear && test.p_value < 0.05 && lower < -2.0 && -2.0 < upper && upper < 0.0);
    let belief = analysis.belief.unwrap();
    assert!(belief.probability_better > 0.95);
    assert!(belief.probability_better > belief.probability_much_better);
    let words = "bpm lower than after days of “as usual”";
    assert!(analysis.summary.contains(words), "{}", analysis.summary);
    // The other way round for a metric where more is better: here lower is better, so +2 is worse.
    let other = Folder::new();
    let experiment = other.plan(&request()).experiment;
    other.live(&experiment, 2.0, 7);
    let analysis = other.analysis(&experiment, experiment.plan.days() + 3);
    assert_eq!(analysis.verdict, ExperimentVerdict::Worse);
}

#[test]
fn before_the_end_only_intervals_for_every_look_are_told() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    folder.live(&experiment, -4.0, 7);
    let days = experiment.plan.days();
    let mut pairs = 0;
    for passed in 0..days + 2 {
        let analysis = folder.analysis(&experiment, passed);
        assert_eq!(
            analysis.code.map(vitalcast_domain::NoResult::as_str),
            Some("BEFORE_THE_END")
        );
        assert!(analysis.final_test.is_none() && analysis.belief.is_none());
        assert!(analysis.as_treated.is_none());
        assert_eq!(analysis.verdict, ExperimentVerdict::Undecided);
        assert!(analysis.pairs_over >= pairs);
        pairs = analysis.pairs_over;
        // The value of a day that is not over does not count.
        assert_eq!(pairs, passed.saturating_sub(2) / 6, "{passed}");
        assert_eq!(analysis.always_valid.is_some(), pairs > 0);
    }
    assert!(folder.analysis(&experiment, days + 2).final_test.is_some());
}

#[test]
fn one_that_may_stop_when_it_is_clear_is_decided_by_every_look() {
    let folder = Folder::new();
    let watched = ExperimentRequest {
        stop_rule: StopRule::ClearEffect,
        pairs: Some(20),
        ..request()
    };
    let experiment = folder.plan(&watched).experiment;
    folder.live(&experiment, -5.0, 7);
    let stops: Vec<usize> = (0..experiment.plan.days())
        .filter(|passed| folder.analysis(&experiment, *passed).may_stop)
        .collect();
    let first = *stops.first().unwrap();
    assert!(first < experiment.plan.days(), "{first}");
    let now = folder.analysis(&experiment, first);
    assert_eq!(now.verdict, ExperimentVerdict::Better);
    let id = &experiment.experiment_id;
    let stopped = folder
        .engine
        .stop_experiment(&someone(), id, later(first))
        .unwrap();
    assert_eq!(stopped.analysis.verdict, ExperimentVerdict::Better);
    assert!(stopped.analysis.final_test.is_none() && stopped.analysis.belief.is_some());
    assert_eq!(stopped.analysis.always_valid, now.always_valid);
}

#[test]
fn without_an_effect_a_futile_experiment_may_end_after_half_of_it() {
    let folder = Folder::new();
    let request = ExperimentRequest {
        stop_rule: StopRule::Futility,
        pairs: Some(10),
        ..request()
    };
    let experiment = folder.plan(&request).experiment;
    let plan = &experiment.plan;
    // Both conditions the same to the digit, but for the days.
    let records = (0..plan.days())
        .map(|number| {
            reading(
                plan.day(number + 1),
                60.0 + noise(number as u64 % 3, 3) / 50.0,
            )
        })
        .collect();
    folder.write(records, later(plan.days()));
    let may_stop: Vec<bool> = (0..plan.days())
        .map(|passed| folder.analysis(&experiment, passed).may_stop)
        .collect();
    assert!(may_stop[..2 + plan.days() / 2].iter().all(|may| !may));
    assert!(may_stop[3 + plan.days() / 2..].iter().any(|may| *may));
}

#[test]
fn what_was_seen_before_and_on_washout_days_changes_nothing() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    folder.live(&experiment, -1.0, 5);
    let plan = &experiment.plan;
    let end = plan.days() + 3;
    let before = folder.analysis(&experiment, end);
    let mut changed: Vec<Record> = (0..PAST)
        .map(|back| reading(day("2026-03-01") - Days::new(back), 90.0))
        .collect();
    // The value of the first day itself belongs to the evening before it.
    changed.push(reading(plan.start, 95.0));
    for number in 0..plan.days() {
        if plan.due(number).unwrap().1 {
            changed.push(reading(plan.day(number + 1), 40.0 + (number % 50) as f64));
        }
    }
    changed.push(reading(plan.last_outcome_day() + Days::new(1), 99.0));
    folder.write(changed, later(end));
    assert_eq!(folder.analysis(&experiment, end), before);
}

#[test]
fn the_persons_word_counts_before_the_records_and_both_are_kept() {
    let folder = Folder::new();
    let measured = ExperimentRequest {
        measure: Some("no_food_after=20:00".parse().unwrap()),
        ..request()
    };
    let experiment = folder.plan(&measured).experiment;
    let plan = &experiment.plan;
    // Late meals on the days of B, as planned, but also on the second day of A.
    let of_a: Vec<usize> = (0..plan.days())
        .filter(|number| plan.due(*number).unwrap().0 == Condition::A)
        .collect();
    let mut meals = Vec::new();
    for number in 0..plan.days() {
        let is_late = !of_a.contains(&number) || number == of_a[1];
        meals.push(meal(plan.day(number), 12));
        if is_late {
            meals.push(meal(plan.day(number), 21));
        }
    }
    folder.write(meals, later(plan.days()));
    folder.live(&experiment, -2.0, 7);
    let end = plan.days() + 3;
    let view = folder.view(&experiment, end);
    let broken = &view.days[of_a[1]];
    assert_eq!(
        (broken.read, broken.done),
        (Some(Condition::B), Some(Condition::B))
    );
    assert_eq!(broken.followed(), Some(false));
    assert_eq!(view.days[of_a[0]].followed(), Some(true));
    let of_b = view.days.iter().find(|day| day.condition == Condition::B);
    assert_eq!(of_b.unwrap().followed(), Some(true));
    assert_eq!(view.analysis.conditions[0].not_followed_days, 1);
    assert_eq!(view.analysis.conditions[1].not_followed_days, 0);
    assert!(view.analysis.as_treated.is_some());
    let by_plan = view.analysis.final_test;
    let said = folder
        .engine
        .record_adherence(
            &someone(),
            &experiment.experiment_id,
            plan.day(of_a[1]),
            true,
            Some("only tea".to_owned()),
            later(end),
        )
        .unwrap();
    let day = &said.days[of_a[1]];
    assert_eq!((day.said, day.read), (Some(true), Some(Condition::B)));
    assert_eq!(
        (day.done, day.note.as_deref()),
        (Some(Condition::A), Some("only tea"))
    );
    assert_eq!(said.analysis.conditions[0].not_followed_days, 0);
    // What was done changes nothing in the comparison of what was due.
    assert_eq!(said.analysis.final_test, by_plan);
}

#[test]
fn only_days_of_the_experiment_that_have_come_can_be_recorded() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    let record = |of: &str, note: Option<&str>| {
        folder.engine.record_adherence(
            &someone(),
            &experiment.experiment_id,
            day(of),
            true,
            note.map(str::to_owned),
            later(3),
        )
    };
    assert!(record("2026-03-04", Some("fine")).is_ok());
    for (wrong, code) in [
        ("2026-03-01", "DAY_OUTSIDE_EXPERIMENT"),
        ("2026-03-05", "DAY_NOT_YET"),
        ("2027-03-05", "DAY_OUTSIDE_EXPERIMENT"),
    ] {
        let error = record(wrong, None).unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            (code, ErrorKind::InvalidRequest)
        );
        assert!(error.to_string().contains(wrong), "{error}");
    }
    assert!(record("2026-03-03", Some("two\nlines")).is_err());
    assert!(record("2026-03-03", Some(&"x".repeat(301))).is_err());
    let due = folder.engine.due_today(&someone(), later(3)).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].1.day, due[0].1.said),
        (day("2026-03-04"), Some(true))
    );
}

#[test]
fn days_without_values_are_told_and_give_no_numbers() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    let plan = &experiment.plan;
    let end = plan.days() + 3;
    let word = |analysis: &ExperimentAnalysis| analysis.code.unwrap().as_str();
    assert_eq!(word(&folder.analysis(&experiment, end)), "TOO_FEW_PAIRS");
    // Values on the days of A only.
    let of_a = (0..plan.days()).filter(|number| plan.due(*number).unwrap().0 == Condition::A);
    let records = of_a.map(|number| reading(plan.day(number + 1), 60.0 + noise(number as u64, 2)));
    folder.write(records.collect(), later(end));
    let analysis = folder.analysis(&experiment, end);
    assert_eq!(word(&analysis), "ONE_CONDITION_MISSING");
    assert!(analysis.final_test.is_none() && analysis.always_valid.is_none());
    assert!(analysis.summary.contains("as usual") || analysis.summary.contains("no food"));
    let text = serde_json::to_string(&analysis).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let flat = Folder::new();
    let experiment = flat.plan(&request()).experiment;
    let plan = &experiment.plan;
    let same = (0..=plan.days()).map(|number| reading(plan.day(number), 60.1));
    flat.write(same.collect(), later(end));
    let analysis = flat.analysis(&experiment, end);
    assert_eq!(word(&analysis), "NO_VARIANCE");
    assert_eq!(analysis.verdict, ExperimentVerdict::NoClearDifference);
}

#[test]
fn an_experiment_is_exported_erased_and_changes_no_forecast() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    let id = &experiment.experiment_id;
    let export = folder
        .engine
        .export_user(&someone(), later(1), std::io::Cursor::new(Vec::new()))
        .unwrap();
    let mut zip = zip::ZipArchive::new(export).unwrap();
    let file = zip.by_name("experiments.json").unwrap();
    let exported: Vec<Experiment> = serde_json::from_reader(file).unwrap();
    assert_eq!(exported, std::slice::from_ref(&experiment));
    folder.engine.delete_experiment(&someone(), id).unwrap();
    let gone = folder.engine.delete_experiment(&someone(), id).unwrap_err();
    assert_eq!(gone.code(), "UNKNOWN_EXPERIMENT");
    folder.plan(&request());
    let alone = folder.engine.lock_folder().unwrap();
    folder.engine.erase_user(&someone(), &alone).unwrap();
    assert!(folder.engine.experiments(&someone(), planned()).is_err());
    folder.write(vec![reading(day("2026-02-20"), 60.0)], planned());
    assert!(
        folder
            .engine
            .experiments(&someone(), planned())
            .unwrap()
            .experiments
            .is_empty()
    );
}

#[test]
fn an_experiment_that_was_stopped_on_its_first_day_has_a_page_without_a_picture() {
    let folder = Folder::new();
    let experiment = folder.plan(&request()).experiment;
    let stopped = folder
        .engine
        .stop_experiment(&someone(), &experiment.experiment_id, later(0))
        .unwrap();
    assert!(stopped.days.is_empty(), "{:?}", stopped.days);
    assert_eq!(experiment_chart(&stopped), None);
    let page = experiment_report(&stopped).render().unwrap();
    assert!(page.contains("Does late food matter?"));
}
