//! Tags: what a person noted beside the readings of a watch.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::ops::ControlFlow;
use vitalcast::{
    CorrelationRequest, Engine, FactorCategory, HealthMetric, HealthMetricTarget, ImportSettings,
    LagRequest, LagResolution, MetricType, Moment, PredictRequest, PredictionMetric, Profile,
    Provenance, Record, RecordFilter, RecordKind, Tag, Told, UserId, all_days, record_json,
};

const DAYS: u64 = 90;
const ALCOHOL: &str = "Have any alcoholic drinks?";

fn someone() -> UserId {
    "someone".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

fn day(index: u64) -> NaiveDate {
    let last: NaiveDate = "2026-06-30".parse().unwrap();
    last - Days::new(DAYS - 1 - index)
}

/// Numbers from 0 to 99 that look random and are the same every time.
fn chance(seed: u64, index: u64) -> u64 {
    let state = (seed << 32)
        .wrapping_add(index + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((state ^ (state >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) % 100
}

fn tag(index: u64, name: &str, applies: bool) -> Record {
    Record::Tag(Tag {
        provenance: Provenance::told(
            "journal",
            format!("{} {name}", day(index)),
            Told::at(Moment::Date(day(index))),
        ),
        name: name.to_owned(),
        applies,
        note: None,
    })
}

/// The resting heart rate is 4 bpm higher on the day after alcohol; a bed that is shared does nothing.
fn records() -> (Vec<Record>, Vec<Record>) {
    let zone = Profile::default().zone;
    let mut readings = Vec::new();
    let mut tags = Vec::new();
    let mut drank = false;
    for index in 0..DAYS {
        let raised = if drank { 4.0 } else { 0.0 };
        let value = 56.0 + raised + chance(1, index) as f64 / 50.0;
        let at = zone.start_of_day(day(index)) + TimeDelta::hours(7);
        readings.push(Record::HealthMetric(HealthMetric::new(
            Provenance::at("watch", day(index).to_string(), at, zone),
            MetricType::RestingHeartRate,
            value,
        )));
        drank = chance(2, index) < 12;
        tags.push(tag(index, ALCOHOL, drank));
        tags.push(tag(index, "Shared your bed?", chance(3, index) < 40));
    }
    (readings, tags)
}

fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    (folder, engine)
}

#[test]
fn the_day_after_a_tag_is_told_in_words_and_numbers() {
    let (_folder, engine) = engine();
    let (readings, tags) = records();
    engine.write_records(&someone(), readings, now()).unwrap();
    engine.write_records(&someone(), tags, now()).unwrap();
    let request = CorrelationRequest {
        lookback_days: 80,
        ..CorrelationRequest::new(someone(), HealthMetricTarget::RestingHeartRate)
    };
    let answer = engine.correlate(&request, now()).unwrap();
    let found = answer.strongest_positive.as_ref().unwrap();
    assert_eq!(found.feature_name, format!("tag:{ALCOHOL}"));
    assert_eq!(found.feature_category, FactorCategory::Tag);
    assert_eq!(
        (found.feature_low, found.feature_high),
        (Some(0.0), Some(1.0))
    );
    // Yes on 12 days in 100: between the percentiles of other features there would be no difference.
    let (lower, upper) = (found.effect_lower.unwrap(), found.effect_upper.unwrap());
    assert!(lower < 4.0 && 4.0 < upper && lower > 2.0, "{lower} {upper}");
    let begin =
        format!("With the tag “{ALCOHOL}”, resting heart rate is higher the day after: by ");
    assert!(answer.summary.starts_with(&begin), "{}", answer.summary);
    assert!(
        answer
            .correlations
            .iter()
            .all(|one| !one.feature_name.contains("bed")),
        "{}",
        answer.summary
    );

    let lags = |feature: &str, resolution| {
        let request = LagRequest {
            lookback_days: 80,
            resolution,
            ..LagRequest::new(
                someone(),
                HealthMetricTarget::RestingHeartRate,
                feature.to_owned(),
            )
        };
        engine.lag_analysis(&request, now()).unwrap()
    };
    // The name in any case.
    let answer = lags("tag:have any ALCOHOLIC drinks?", LagResolution::Day);
    assert_eq!(answer.optimal_lag_hours, Some(24));
    let begin = format!("With the tag “{ALCOHOL}”, resting heart rate is higher on the day after");
    assert!(
        answer.interpretation.starts_with(&begin),
        "{}",
        answer.interpretation
    );
    for (feature, resolution, code) in [
        ("tag:coffee", LagResolution::Day, "UNKNOWN_FEATURE"),
        ("tag:Shared your bed?", LagResolution::Hour, "NO_TIMES"),
    ] {
        assert_eq!(lags(feature, resolution).code.as_deref(), Some(code));
    }
}

#[test]
fn tags_change_no_forecast_and_no_last_day() {
    let (_folder, engine) = engine();
    let (readings, tags) = records();
    // Readings end a week before the tags do.
    let readings = readings[..DAYS as usize - 7].to_vec();
    engine.write_records(&someone(), readings, now()).unwrap();
    let forecast = || {
        let target = day(DAYS - 5);
        let request = PredictRequest::new(someone(), PredictionMetric::RestingHeartRate, target);
        let answer = engine.predict(&request, now()).unwrap();
        serde_json::to_value(&answer.prediction).unwrap()
    };
    let before = (forecast(), engine.user(&someone()).unwrap().unwrap());
    engine.write_records(&someone(), tags, now()).unwrap();
    let after = (forecast(), engine.user(&someone()).unwrap().unwrap());
    assert_eq!(before.0, after.0);
    assert_eq!(before.1.last_day, after.1.last_day);
    assert_eq!(before.1.days, after.1.days);
    assert_eq!((before.1.tags, after.1.tags), (0, 2 * DAYS));
    let coverage = engine.coverage(&someone(), None, now()).unwrap();
    // What is said of a whole day is known when it is over, and today is not.
    assert_eq!(coverage.tags.unwrap().days as u64, DAYS - 1);
    assert!(
        coverage
            .chart()
            .unwrap()
            .svg(vitalcast::charts::PictureSize::default())
            .is_ok()
    );
    let view = engine.day(&someone(), day(DAYS - 2), None, now()).unwrap();
    let names: Vec<&str> = view.tags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(names, [ALCOHOL, "Shared your bed?"]);
}

#[test]
fn mirroring_one_table_deleted_the_tags_of_another() {
    let (folder, engine) = engine();
    let table = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let coffee = table("coffee.csv", "Day,Coffee\n2026-03-01,yes\n2026-03-02,no\n");
    let alcohol = table(
        "alcohol.csv",
        "Date,Alcohol\n2026-03-01,yes\n2026-03-02,no\n2026-03-03,no\n",
    );
    let import = |path: &std::path::Path, map: &str, mirror: bool| {
        let settings = ImportSettings {
            map: Some(map.parse().unwrap()),
            mirror,
            ..ImportSettings::default()
        };
        let mut go_on = |_, _| ControlFlow::Continue(());
        engine
            .import(&[path], &settings, now(), &mut go_on)
            .unwrap()
    };
    import(&coffee, "date=Day,tag=Coffee", false);
    import(&alcohol, "date=Date,tag=Alcohol", false);
    std::fs::write(&alcohol, "Date,Alcohol\n2026-03-01,yes\n2026-03-03,no\n").unwrap();
    import(&alcohol, "date=Date,tag=Alcohol", true);
    let user = engine.users().unwrap().remove(0).user_id;
    let filter = RecordFilter::all(RecordKind::Tag, all_days());
    let (left, _) = engine.records(&user, &filter, None, 10).unwrap();
    let names: Vec<String> = left
        .iter()
        .map(|tag| record_json(tag)["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["Alcohol", "Coffee", "Coffee", "Alcohol"]);
}

#[test]
fn an_answer_is_corrected_exported_and_read_back() {
    let (folder, engine) = engine();
    let yes = tag(3, ALCOHOL, true);
    let no = tag(3, ALCOHOL, false);
    engine.write_records(&someone(), vec![yes], now()).unwrap();
    let later = now() + TimeDelta::hours(1);
    let report = engine.write_records(&someone(), vec![no], later).unwrap();
    assert_eq!((report.added, report.corrected), (0, 1));
    let filter = RecordFilter::all(RecordKind::Tag, all_days());
    let read = |engine: &Engine| {
        let (records, _) = engine.records(&someone(), &filter, None, 10).unwrap();
        records.iter().map(record_json).collect::<Vec<_>>()
    };
    let held = read(&engine);
    assert_eq!(held[0]["applies"], serde_json::json!(false));
    let path = folder.path().join("export.zip");
    let file = std::fs::File::create(&path).unwrap();
    engine.export_user(&someone(), later, file).unwrap();
    let (_other_folder, other) = self::engine();
    let settings = ImportSettings::default();
    let mut go_on = |_, _| ControlFlow::Continue(());
    other.import(&[path], &settings, later, &mut go_on).unwrap();
    assert_eq!(read(&other), held);
}
