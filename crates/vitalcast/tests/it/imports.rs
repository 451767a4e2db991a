//! Imports of exports: whose they are, rehearsals, and what there is afterwards.

use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast::{
    DataCoverage, Engine, ExplainRequest, ImportSettings, ImportSummary, MetricType,
    PredictRequest, PredictionMetric, Profile, UserId,
};

const NOW: &str = "2024-03-20T12:00:00Z";
/// Two mornings of a WHOOP export, newest first.
const CYCLES: &str = "\
Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Resting heart rate (bpm),Heart rate variability (ms),Day Strain,Energy burned (cal),Sleep onset,Wake onset,Asleep duration (min)
2024-03-12 23:10:00,,UTC+01:00,61,52,71,,,2024-03-12 23:10:00,2024-03-13 06:40:00,431
2024-03-11 22:50:00,2024-03-12 23:10:00,UTC+01:00,48,54,63,11.2,2400,2024-03-11 22:50:00,2024-03-12 06:30:00,440
";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

struct Home {
    engine: Engine,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("data")).unwrap();
        Self { engine, folder }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, path: &Path, settings: &ImportSettings) -> ImportSummary {
        let mut go_on = |_, _| ControlFlow::Continue(());
        self.engine
            .import(&[path], settings, now(), &mut go_on)
            .unwrap()
    }

    fn coverage(&self, user: &str) -> DataCoverage {
        let user = UserId::new(user).unwrap();
        self.engine.coverage(&user, None, now()).unwrap()
    }
}

fn days_of(coverage: &DataCoverage, metric: MetricType) -> usize {
    let found = coverage.metrics.iter().find(|days| days.metric == metric);
    found.map_or(0, |days| days.days)
}

#[test]
fn an_export_without_a_name_belongs_to_the_only_person_or_to_a_new_one() {
    let home = Home::new();
    let path = home.write("cycles.csv", CYCLES);
    let summary = home.import(&path, &ImportSettings::default());
    assert_eq!(summary.people, [UserId::new("me").unwrap()]);
    assert!(summary.notes.iter().any(|note| note.contains("--user")));
    // Values that are put together from several rows are values.
    let of_nothing = |note: &String| note.contains("could be used");
    assert!(!summary.notes.iter().any(of_nothing), "{:?}", summary.notes);
    assert_eq!(
        days_of(&home.coverage("me"), MetricType::RestingHeartRate),
        2
    );
    // With two people nobody can guess.
    let other = ImportSettings {
        user: Some(UserId::new("una").unwrap()),
        ..ImportSettings::default()
    };
    home.import(&path, &other);
    let mut go_on = |_, _| ControlFlow::Continue(());
    let error = home
        .engine
        .import(&[&path], &ImportSettings::default(), now(), &mut go_on)
        .unwrap_err();
    assert!(format!("{error:?}").contains("WithoutUser"), "{error:?}");
}

#[test]
fn a_rehearsal_counts_like_an_import_and_writes_nothing() {
    let home = Home::new();
    let path = home.write("cycles.csv", CYCLES);
    let rehearsal = ImportSettings {
        dry_run: true,
        ..ImportSettings::default()
    };
    let tried = home.import(&path, &rehearsal);
    assert!(tried.dry_run && tried.added > 0);
    assert!(home.engine.users().unwrap().is_empty());
    let done = home.import(&path, &ImportSettings::default());
    let counts = |summary: &ImportSummary| (summary.records, summary.added, summary.corrected);
    assert_eq!(counts(&tried), counts(&done));
    // A newer export: one value was corrected, one morning is new.
    let newer = CYCLES.replace("UTC+01:00,48,54,63", "UTC+01:00,48,55,63");
    let path = home.write("newer.csv", &newer);
    let tried = home.import(&path, &rehearsal);
    assert_eq!((tried.added, tried.corrected), (0, 1));
    assert_eq!(
        home.import(&path, &ImportSettings::default()).corrected,
        tried.corrected
    );
    assert_eq!(home.import(&path, &ImportSettings::default()).corrected, 0);
}

#[test]
fn what_is_missing_for_a_forecast_is_said_in_days() {
    let home = Home::new();
    let path = home.write("cycles.csv", CYCLES);
    let summary = home.import(&path, &ImportSettings::default());
    let coverage = summary.coverage.unwrap();
    assert_eq!(coverage, home.coverage("me"));
    for ready in &coverage.forecasts {
        assert!(!ready.is_ready);
        let expected = match ready.metric {
            PredictionMetric::HeartRateVariabilitySdnn => 0,
            PredictionMetric::RestingHeartRate
            | PredictionMetric::HeartRateVariabilityRmssd
            | PredictionMetric::SleepDuration
            | PredictionMetric::RecoveryScore => 2,
        };
        assert_eq!(
            (ready.days, ready.needed),
            (expected, 7),
            "{}",
            ready.metric
        );
    }
    let json = serde_json::to_value(&coverage).unwrap();
    let first = &json["metrics"][0];
    assert_eq!(first["metric"], "RESTING_HEART_RATE");
    assert_eq!(
        (&first["days"], &first["first"], &first["last"]),
        (&2.into(), &"2024-03-12".into(), &"2024-03-13".into())
    );
    assert!(coverage.chart().is_some());
}

#[test]
fn a_score_that_changes_its_vendor_says_so() {
    let home = Home::new();
    home.import(
        &home.write("cycles.csv", CYCLES),
        &ImportSettings::default(),
    );
    let table = "userId,recordedAt,metricType,value,source\n\
                 me,2024-03-14T07:00:00Z,RECOVERY_SCORE,80,oura\n\
                 me,2024-03-14T07:00:00Z,RESTING_HEART_RATE,51,oura\n";
    home.import(&home.write("oura.csv", table), &ImportSettings::default());
    let notes = home.coverage("me").notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].contains("whoop from 2024-03-12, oura from 2024-03-14"),
        "{}",
        notes[0]
    );
}

#[test]
fn a_first_export_names_the_zone_of_a_person_of_whom_nothing_is_known() {
    let home = Home::new();
    let user = UserId::new("una").unwrap();
    // As the service makes a person before their first import.
    home.engine.set_profile(&user, &Profile::default()).unwrap();
    let settings = ImportSettings {
        user: Some(user.clone()),
        assumed_zone: Some("Europe/Athens".parse().unwrap()),
        ..ImportSettings::default()
    };
    let path = home.write("cycles.csv", CYCLES);
    home.import(&path, &settings);
    let zone = |home: &Home| home.engine.profile(&user).unwrap().zone.to_string();
    assert_eq!(zone(&home), "Europe/Athens");
    // A later export does not move anybody.
    let moved = ImportSettings {
        assumed_zone: Some("Asia/Tokyo".parse().unwrap()),
        ..settings
    };
    home.import(&path, &moved);
    assert_eq!(zone(&home), "Europe/Athens");
}

#[test]
fn the_sum_of_a_day_does_not_count_beside_its_foods_whichever_comes_first() {
    let summary = "Date,Energy (kcal),Protein (g),Carbs (g),Fat (g),Completed\n\
                   2024-03-12,2100,90,250,80,true\n2024-03-13,1900,80,220,75,true\n";
    let servings = "Day,Group,Food Name,Amount,Energy (kcal),Protein (g),Carbs (g),Fat (g)\n\
                    2024-03-12,Breakfast,Oats,80 g,300,10,54,5\n\
                    2024-03-12,Dinner,Stew,400 g,700,40,60,30\n";
    for order in [[summary, servings], [servings, summary]] {
        let home = Home::new();
        for (number, text) in order.iter().enumerate() {
            let path = home.write(&format!("{number}.csv"), text);
            home.import(&path, &ImportSettings::default());
        }
        let user = UserId::new("me").unwrap();
        let meals = |day: &str| {
            let day = day.parse().unwrap();
            home.engine.day(&user, day, None, now()).unwrap().meals
        };
        assert_eq!((meals("2024-03-12"), meals("2024-03-13")), (2, 1));
    }
}

#[test]
fn a_night_too_short_to_count_was_shown_as_one_that_does() {
    let home = Home::new();
    let path = home.write(
        "nights.csv",
        "userId,recordedAt,endedAt,metricType,value,unit,source,sourceId\n\
         eli,2024-03-04T02:00:00Z,2024-03-04T03:30:00Z,SLEEP_DURATION,79,min,ring,a\n\
         eli,2024-03-05T02:00:00Z,2024-03-05T08:00:00Z,SLEEP_DURATION,350,min,ring,b\n\
         eli,2024-03-05T14:00:00Z,2024-03-05T15:00:00Z,SLEEP_DURATION,50,min,ring,c\n",
    );
    home.import(&path, &ImportSettings::default());
    assert_eq!(days_of(&home.coverage("eli"), MetricType::SleepDuration), 1);
    let short = |day: &str| -> Vec<bool> {
        let user = UserId::new("eli").unwrap();
        let day = home
            .engine
            .day(&user, day.parse().unwrap(), None, now())
            .unwrap();
        day.sleeps.iter().map(|sleep| sleep.is_incomplete).collect()
    };
    assert_eq!(short("2024-03-04"), [true]);
    // A nap is no night, however short.
    assert_eq!(short("2024-03-05"), [false, false]);
}

#[test]
fn a_person_with_sdnn_only_was_told_to_train() {
    let home = Home::new();
    let mut table = "userId,recordedAt,metricType,value,unit,source".to_owned();
    for day in 1..=9 {
        table += &format!("\neli,2024-03-0{day},HEART_RATE_VARIABILITY_SDNN,4{day},ms,watch");
    }
    let path = home.write("sdnn.csv", &table);
    home.import(&path, &ImportSettings::default());
    let sdnn = PredictionMetric::HeartRateVariabilitySdnn;
    for found in home.coverage("eli").forecasts {
        assert_eq!(found.is_ready, found.metric == sdnn, "{}", found.metric);
    }
    let user = UserId::new("eli").unwrap();
    assert_eq!(home.engine.forecast_metrics(&user).unwrap(), [sdnn]);
    // No model of many people knows it: a simple forecast answers, and every use of it says the same.
    let target = "2024-03-10".parse().unwrap();
    let request = PredictRequest::new(user.clone(), sdnn, target);
    let answer = home.engine.predict(&request, now()).unwrap();
    assert_eq!(
        answer.prediction.model_id.as_str(),
        format!("simple_{sdnn}")
    );
    let choice = answer.prediction.choice.unwrap();
    assert_eq!(choice.served, "exponential_smoothing");
    assert!(answer.interpretation.contains(&choice.reason));
    // Eight errors support no 95 %.
    assert!(answer.prediction.interval_level < 0.95);
    let explained = home
        .engine
        .explain(&ExplainRequest::new(user, sdnn, target), now())
        .unwrap();
    assert_eq!(explained.predicted_value, answer.prediction.predicted_value);
}
