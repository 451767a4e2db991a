//! Samsung Health: the folder of personal data.

use crate::folder::{Folder, Read, day, instant, mine, read_with};
use vitalcast_domain::{ActivityType, MealType, MetricType as M, ReadingKind, Record};
use vitalcast_import::{ImportReport, SkipReason};

/// A table with its first line; every line ends with a comma.
fn table(kind: &str, header: &str, rows: &[&str]) -> String {
    let mut text = format!("com.samsung.shealth.{kind},6029,8\n{header}\n");
    for row in rows {
        text += row;
        text += ",\n";
    }
    text
}

fn export(zone: &str, files: &[(&str, String)]) -> (ImportReport, Read) {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(&format!("samsunghealth_me_20241203/{name}"), text);
    }
    let (report, read) = read_with(folder.path(), &mine(zone)).unwrap();
    assert_eq!(report.formats[0].format.as_str(), "samsung-health");
    (report, read)
}

const SLEEP: &str = "com.samsung.health.sleep.datauuid,com.samsung.health.sleep.start_time,\
    com.samsung.health.sleep.end_time,com.samsung.health.sleep.time_offset,sleep_duration,sleep_score,efficiency,\
    combined_id";

#[test]
fn times_are_in_utc_and_the_offset_is_added() {
    let sleep = table(
        "sleep",
        SLEEP,
        &[
            "a,2024-12-01 22:30:00.000,2024-12-02 06:30:00.000,UTC+0100,480,81,92,",
            // The phone has the same night, and the goal of the next one has no duration.
            "b,2024-12-01 22:00:00.000,2024-12-02 06:45:00.000,UTC+0100,525,,,",
            "c,2024-12-02 22:00:00.000,2024-12-03 06:00:00.000,UTC+0100,,,,",
        ],
    );
    let stages = table(
        "sleep_stage",
        "start_time,sleep_id,end_time,stage,time_offset,datauuid",
        &[
            "2024-12-01 22:30:00.000,a,2024-12-02 00:00:00.000,40002,UTC+0100,1",
            "2024-12-02 00:00:00.000,a,2024-12-02 01:00:00.000,40003,UTC+0100,2",
            "2024-12-02 01:00:00.000,a,2024-12-02 01:30:00.000,40001,UTC+0100,3",
            "2024-12-02 01:30:00.000,a,2024-12-02 06:30:00.000,40004,UTC+0100,4",
        ],
    );
    let rates = table(
        "tracker.heart_rate",
        "com.samsung.health.heart_rate.start_time,com.samsung.health.heart_rate.time_offset,\
         com.samsung.health.heart_rate.heart_rate,com.samsung.health.heart_rate.datauuid",
        &[
            "2024-12-01 21:00:00.000,UTC+0100,40,1",
            "2024-12-01 23:00:00.000,UTC+0100,58,2",
            "2024-12-02 02:00:00.000,UTC+0100,52,3",
            "2024-12-02 05:00:00.000,UTC+0100,55,4",
            "2024-12-02 05:30:00.000,UTC+0100,2147483647,5",
        ],
    );
    let (report, read) = export(
        "America/New_York",
        &[
            ("com.samsung.shealth.sleep.20241203.csv", sleep),
            ("com.samsung.health.sleep_stage.20241203.csv", stages),
            ("com.samsung.shealth.tracker.heart_rate.20241203.csv", rates),
        ],
    );
    assert_eq!(report.rejected.len(), 0, "{:?}", read.rejects);
    let on = "2024-12-02";
    for (metric, value) in [
        (M::SleepDuration, 7.5),
        (M::DeepSleepDuration, 1.0),
        (M::RemSleepDuration, 5.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 8.0),
        (M::SleepScore, 81.0),
        (M::SleepEfficiency, 92.0),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.5),
        (M::RestingHeartRate, 52.0),
    ] {
        assert_eq!(read.series(metric), [day(on, value)], "{metric}");
    }
    assert_eq!(
        report.skipped[&SkipReason::Repeated],
        1,
        "the phone's night"
    );
    assert_eq!(
        report.skipped[&SkipReason::Missing],
        2,
        "a goal and a sentinel"
    );
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("lowest heart rate"))
    );
}

#[test]
fn only_steps_of_all_devices_count_and_a_day_is_a_label() {
    let trend = |rows: &[&str]| {
        table(
            "step_daily_trend",
            "deviceuuid,count,source_type,day_time,datauuid",
            rows,
        )
    };
    let (_, read) = export(
        "America/Los_Angeles",
        &[
            (
                "com.samsung.shealth.step_daily_trend.20241203.csv",
                trend(&[
                    "x,8000,-2,2024-12-01 00:00:00.000,1",
                    "y,5000,0,2024-12-01 00:00:00.000,2",
                    // 2024-12-02 as milliseconds.
                    "x,9000,-2,1733097600000,3",
                ]),
            ),
            (
                "com.samsung.shealth.step_daily_trend.20241101.csv",
                trend(&["x,1,-2,2024-12-01 00:00:00.000,1"]),
            ),
            (
                "com.samsung.shealth.tracker.pedometer_day_summary.20241203.csv",
                table(
                    "tracker.pedometer_day_summary",
                    "step_count,day_time,deviceuuid",
                    &[
                        "99999,2024-12-01 00:00:00.000,x",
                        "100,2024-11-30 00:00:00.000,x",
                        "400,2024-11-30 00:00:00.000,y",
                    ],
                ),
            ),
            (
                "com.samsung.shealth.calories_burned.details.20241203.csv",
                table(
                    "calories_burned.details",
                    "com.samsung.shealth.calories_burned.rest_calorie,com.samsung.shealth.calories_burned.active_calorie,\
                     com.samsung.shealth.calories_burned.day_time",
                    &["1500.5,400,2024-12-01 00:00:00.000"],
                ),
            ),
        ],
    );
    assert_eq!(
        read.series(M::Steps),
        [
            day("2024-11-30", 400.0),
            day("2024-12-01", 8_000.0),
            day("2024-12-02", 9_000.0)
        ]
    );
    assert_eq!(read.series(M::TotalCalories), [day("2024-12-01", 1_900.5)]);
    assert_eq!(read.series(M::ActiveCalories), [day("2024-12-01", 400.0)]);
}

#[test]
fn both_kinds_of_variability_are_kept_apart() {
    let start = instant("2024-12-01T23:30:00Z").timestamp_millis();
    let text = format!(
        r#"[{{"start_time": {start}, "end_time": {}, "sdnn": 60.0, "rmssd": 40.0}},
        {{"start_time": {}, "end_time": {}, "sdnn": 70.0, "rmssd": 50.0}}]"#,
        start + 600_000,
        start + 600_000,
        start + 1_200_000
    );
    let (_, read) = export(
        "UTC",
        &[("jsons/com.samsung.health.hrv/a/abc.binning_data.json", text)],
    );
    assert_eq!(
        read.series(M::HeartRateVariabilitySdnn),
        [day("2024-12-02", 65.0)]
    );
    assert_eq!(
        read.series(M::HeartRateVariabilityRmssd),
        [day("2024-12-02", 45.0)]
    );
}

#[test]
fn workouts_meals_and_the_weight_are_read() {
    let files = [
        (
            "com.samsung.shealth.exercise.20241203.csv",
            table(
                "exercise",
                "com.samsung.health.exercise.start_time,com.samsung.health.exercise.end_time,\
                 com.samsung.health.exercise.time_offset,com.samsung.health.exercise.exercise_type,\
                 com.samsung.health.exercise.duration,com.samsung.health.exercise.calorie,\
                 com.samsung.health.exercise.distance,com.samsung.health.exercise.mean_heart_rate,\
                 com.samsung.health.exercise.max_heart_rate,com.samsung.health.exercise.datauuid",
                &[
                    "2024-12-01 23:30:00.000,2024-12-02 00:10:00.000,UTC+0100,1002,2400000,300,6000,150,3.4028235e38,e1",
                ],
            ),
        ),
        (
            "com.samsung.health.nutrition.20241203.csv",
            table(
                "nutrition",
                "start_time,time_offset,meal_type,title,calorie,protein,carbohydrate,total_fat,dietary_fiber,sugar,datauuid",
                &["2024-12-02 07:00:00.000,UTC+0100,100001,Porridge,350,12,60,7,8,9,n1"],
            ),
        ),
        (
            "com.samsung.health.food_intake.20241203.csv",
            table(
                "food_intake",
                "start_time,time_offset,meal_type,name,calorie,datauuid",
                &[
                    "2024-12-02 07:00:00.000,UTC+0100,100001,Oats,350,f1",
                    "2024-12-01 19:00:00.000,UTC+0100,100003,Soup,220,f2",
                ],
            ),
        ),
        (
            "com.samsung.health.weight.20241203.csv",
            table(
                "weight",
                "start_time,time_offset,weight,body_fat,datauuid",
                &[
                    "2024-12-01 06:00:00.000,UTC+0100,71.5,20.5,w1",
                    "2226-12-01 06:00:00.000,UTC+0100,1,20,w2",
                ],
            ),
        ),
    ];
    let (report, read) = export("UTC", &files);
    let run = &read.workouts()[0];
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(
        (run.duration_minutes, run.max_heart_rate),
        (Some(40.0), None)
    );
    assert_eq!(run.provenance.day.to_string(), "2024-12-02");
    let mut meals: Vec<(Option<MealType>, Option<f64>)> = Vec::new();
    for (_, record) in &read.records {
        if let Record::Meal(meal) = record {
            meals.push((meal.meal_type, meal.energy_kcal));
        }
    }
    assert_eq!(
        meals,
        [
            (Some(MealType::Breakfast), Some(350.0)),
            (Some(MealType::Dinner), Some(220.0))
        ]
    );
    assert_eq!(read.series(M::BodyFatPercentage), [day("2024-12-01", 20.5)]);
    assert_eq!(
        report.rejected.values().sum::<u64>(),
        1,
        "a weight of the year 2226"
    );
    assert_eq!(read.ids(), export("Asia/Seoul", &files).1.ids());
}

#[test]
fn a_renamed_table_is_known_by_its_first_line() {
    let steps = table(
        "step_daily_trend",
        "day_time,source_type,count",
        &[
            "2024-12-01 00:00:00.000,-2,5000",
            "2024-12-02 00:00:00.000,-2,700",
        ],
    );
    let folder = Folder::new();
    folder.write("data/steps (1).csv", format!("\u{feff}{steps}"));
    let (report, read) = read_with(folder.path(), &mine("Europe/Berlin")).unwrap();
    assert_eq!(report.formats[0].format.as_str(), "samsung-health");
    assert_eq!(
        read.series(M::Steps),
        [day("2024-12-01", 5_000.0), day("2024-12-02", 700.0)]
    );
    // The last day was not over when the export was made.
    let kinds: Vec<_> = read
        .readings(M::Steps)
        .map(|reading| reading.kind)
        .collect();
    assert_eq!(
        kinds,
        [Some(ReadingKind::DayTotal), Some(ReadingKind::RunningTotal)]
    );
}

#[test]
fn stages_without_their_session_are_a_night() {
    let stages = table(
        "sleep_stage",
        "start_time,sleep_id,end_time,stage,time_offset,datauuid",
        &[
            "2024-12-01 22:30:00.000,a,2024-12-02 00:00:00.000,40002,UTC+0100,1",
            "2024-12-02 00:00:00.000,a,2024-12-02 05:30:00.000,40003,UTC+0100,2",
        ],
    );
    let (_, read) = export(
        "Europe/Berlin",
        &[("com.samsung.health.sleep_stage.20241203.csv", stages)],
    );
    assert_eq!(read.series(M::SleepDuration), [day("2024-12-02", 7.0)]);
}
