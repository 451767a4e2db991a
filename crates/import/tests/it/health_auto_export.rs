//! JSON and CSV of Health Auto Export.

use crate::folder::{Folder, Read, day, instant, mine, read_files, read_with};
use std::path::Path;
use vitalcast_domain::{ActivityType, MetricType as M, ReadingKind};
use vitalcast_import::{ImportReport, RejectReason as R, SkipReason};

fn metric(name: &str, units: &str, points: &str) -> String {
    format!("{{\"data\": [{points}], \"units\": \"{units}\", \"name\": \"{name}\"}}")
}

fn body(metrics: &[String], rest: &str) -> String {
    format!(
        "{{\"data\": {{\"metrics\": [{}]{rest}}}}}",
        metrics.join(",")
    )
}

fn read(metrics: &[String]) -> (ImportReport, Read) {
    read_files(
        "Europe/Berlin",
        &[("HealthAutoExport-2025.json", body(metrics, ""))],
    )
}

fn point(date: &str, value: f64, source: &str) -> String {
    format!("{{\"date\": \"{date}\", \"qty\": {value}, \"source\": \"{source}\"}}")
}

#[test]
fn units_are_read_beside_each_metric_and_days_are_those_written() {
    let (report, read) = read(&[
        metric(
            "active_energy",
            "kJ",
            &[
                point("2025-05-28 23:59:00 -0700", 418.4, "Watch|Phone"),
                point("2025-05-29 12:08:00\u{202f}AM -0700", 836.8, "Watch"),
                point("2025-05-29 11:00:00 PM -0700", 418.4, "Phone"),
            ]
            .join(","),
        ),
        metric(
            "basal_energy_burned",
            "kcal",
            &point("2025-05-29 01:00:00 -0700", 1500.0, "a|b"),
        ),
        metric(
            "weight_body_mass",
            "lb",
            &point("2025-05-29 07:00:00 -0700", 150.0, "Scale"),
        ),
        metric(
            "resting_heart_rate",
            "bpm",
            &point("2025-05-29 07:00:00 -0700", 52.0, "Apple Watch"),
        ),
        metric(
            "heart_rate_variability",
            "ms",
            &point("2025-05-29 03:00:12 -0700", 44.5, "Anna’s Apple\u{a0}Watch"),
        ),
        metric(
            "blood_oxygen_saturation",
            "%",
            &point("2025-05-29 03:00:12 -0700", 97.0, "x"),
        ),
        metric(
            "walking_asymmetry_percentage",
            "%",
            &point("2025-05-29 03:00:12 -0700", 1.0, "x"),
        ),
    ]);
    assert_eq!(report.formats[0].format.as_str(), "health-auto-export");
    // 100 kcal on the first day; 200 and 100 on the next, by whatever device: the app put them together.
    let active = [day("2025-05-28", 100.0), day("2025-05-29", 300.0)];
    assert_eq!(read.series(M::ActiveCalories), active);
    assert_eq!(read.series(M::TotalCalories), [day("2025-05-29", 1800.0)]);
    assert_eq!(read.series(M::RestingHeartRate), [day("2025-05-29", 52.0)]);
    let hrv = [(
        "health-auto-export/Apple Watch",
        "2025-05-29".to_owned(),
        44.5,
    )];
    assert_eq!(read.by_source(M::HeartRateVariabilitySdnn), hrv);
    assert_eq!(read.series(M::OxygenSaturation), [day("2025-05-29", 97.0)]);
    assert_eq!(report.skipped[&SkipReason::NotRead], 1);
    assert!(read.rejects.is_empty());
}

#[test]
fn samples_of_phone_and_watch_are_not_added_up() {
    let (_, read) = read(&[metric(
        "step_count",
        "steps",
        &[
            point("2025-05-29 08:00:03 +0200", 100.0, "iPhone"),
            point("2025-05-29 09:10:07 +0200", 50.0, "iPhone"),
            point("2025-05-29 08:00:11 +0200", 120.0, "Apple Watch"),
        ]
        .join(","),
    )]);
    let date = || "2025-05-29".to_owned();
    assert_eq!(
        read.by_source(M::Steps),
        [
            ("health-auto-export/Apple Watch", date(), 120.0),
            ("health-auto-export/iPhone", date(), 150.0),
        ]
    );
}

#[test]
fn hours_that_come_again_in_another_file_replace_those_before() {
    let hours = |first: f64, second: f64, third: f64| {
        body(
            &[metric(
                "step_count",
                "count",
                &[
                    point("2025-05-29 08:00:00 +0200", first, "a|b"),
                    point("2025-05-29 09:00:00 +0200", second, "a"),
                    point("2025-05-29 10:00:00 +0200", third, "b"),
                ]
                .join(","),
            )],
            "",
        )
    };
    let (_, read) = read_files(
        "Europe/Berlin",
        &[
            ("HealthAutoExport-a.json", hours(100.0, 20.0, 0.0)),
            ("HealthAutoExport-b.json", hours(100.0, 70.0, 30.0)),
        ],
    );
    assert_eq!(read.series(M::Steps), [day("2025-05-29", 200.0)]);
}

#[test]
fn heart_rates_have_three_values() {
    let rate = |minute: u32, value: u32| {
        format!(
            "{{\"date\": \"2025-05-29 00:{minute:02}:00 +0200\", \"Min\": 1, \"Avg\": {value}, \"Max\": 300}}"
        )
    };
    let points = [rate(0, 50), rate(10, 52), rate(20, 54), rate(40, 80)].join(",");
    let (_, read) = read(&[metric("heart_rate", "count/min", &points)]);
    // Half hours of 52 and 80.
    assert_eq!(read.series(M::AverageHeartRate), [day("2025-05-29", 66.0)]);
    assert_eq!(read.series(M::LowestHeartRate), [day("2025-05-29", 52.0)]);
}

#[test]
fn a_value_at_midnight_is_that_of_the_day() {
    let (_, read) = read(&[metric(
        "heart_rate_variability",
        "ms",
        &point("2025-05-29 00:00:00 +0200", 44.0, "a|b"),
    )]);
    let provenance = read.only().provenance();
    assert_eq!(provenance.day.to_string(), "2025-05-29");
    assert_eq!(provenance.known_at, instant("2025-05-29T22:00:00Z"));
    assert_eq!(
        provenance.source_id,
        "heart_rate_variability_sdnn-2025-05-29"
    );
}

#[test]
fn sleep_has_three_shapes() {
    let night = |fields: &str| metric("sleep_analysis", "hr", &format!("{{{fields}}}"));
    let times = "\"sleepStart\": \"2025-05-28 23:00:00 +0200\", \"sleepEnd\": \"2025-05-29 07:00:00 +0200\"";
    for (fields, asleep) in [
        // Older: all of it. Newer: what has no stage, often 0.
        ("\"asleep\": 6.5, \"inBed\": 7".to_owned(), 6.5),
        (
            "\"asleep\": 0, \"core\": 4, \"deep\": 1, \"rem\": 1.5, \"awake\": 0.25".to_owned(),
            6.5,
        ),
        (
            "\"asleep\": 0.5, \"core\": 4, \"deep\": 1, \"rem\": 1.5".to_owned(),
            7.0,
        ),
        (
            "\"totalSleep\": 6.75, \"asleep\": 0, \"core\": 4, \"deep\": 1, \"rem\": 1.5"
                .to_owned(),
            6.75,
        ),
        (
            "\"asleep\": 6, \"core\": 0, \"deep\": 0, \"rem\": 0".to_owned(),
            6.0,
        ),
    ] {
        let (_, read) = read(&[night(&format!(
            "\"date\": \"2025-05-28 23:30:00 +0200\", {fields}, {times}"
        ))]);
        assert_eq!(
            read.series(M::SleepDuration),
            [day("2025-05-29", asleep)],
            "{fields}"
        );
        assert_eq!(read.series(M::WakeTime), [day("2025-05-29", 7.0)]);
    }
    // More sleep than night.
    let (_, contradicted) = read(&[night(&format!("\"asleep\": 8.5, {times}"))]);
    assert_eq!(contradicted.faults(), [(1, R::Contradiction)]);
    let stage = |word: &str, start: &str, end: &str| {
        format!(
            "{{\"startDate\": \"2025-05-{start}:00 +0200\", \"endDate\": \"2025-05-{end}:00 +0200\", \
             \"qty\": 1, \"value\": \"{word}\", \"source\": \"Apple Watch\", \"date\": null}}"
        )
    };
    let stages = [
        stage("In Bed", "28 22:30", "29 07:30"),
        stage("Core", "28 23:00", "29 02:00"),
        stage("Awake", "29 02:00", "29 02:30"),
        stage("Deep", "29 02:30", "29 04:00"),
        stage("REM", "29 04:00", "29 07:00"),
    ];
    let (_, read) = read(&[metric("sleep_analysis", "hr", &stages.join(","))]);
    assert_eq!(read.series(M::SleepDuration), [day("2025-05-29", 7.5)]);
    assert_eq!(read.series(M::RemSleepDuration), [day("2025-05-29", 3.0)]);
    assert_eq!(read.series(M::Bedtime), [day("2025-05-29", -1.0)]);
}

#[test]
fn nutrients_of_one_time_are_a_meal_and_those_of_a_day_have_no_time() {
    let of = |date: &str| {
        vec![
            metric("dietary_energy", "kJ", &point(date, 2092.0, "Yazio")),
            metric("protein", "g", &point(date, 30.0, "Yazio")),
            metric("carbohydrates", "g", &point(date, 40.0, "Yazio")),
            metric("total_fat", "g", &point(date, 20.0, "Yazio")),
            metric("fiber", "mg", &point(date, 5000.0, "Yazio")),
        ]
    };
    for (date, has_time) in [
        ("2025-05-29 12:30:00 +0200", true),
        ("2025-05-29 00:00:00 +0200", false),
    ] {
        let (_, read) = read(&of(date));
        let [meal] = read.meals()[..] else {
            panic!("{:?}", read.records);
        };
        assert_eq!(
            (meal.energy_kcal, meal.protein_g),
            (Some(500.0), Some(30.0))
        );
        assert_eq!(
            (meal.carbs_g, meal.fat_g, meal.fiber_g),
            (Some(40.0), Some(20.0), Some(5.0))
        );
        assert_eq!(meal.time_known(), has_time);
        assert_eq!(meal.provenance.day.to_string(), "2025-05-29");
    }
}

#[test]
fn workouts_have_quantities_with_units() {
    let text = body(
        &[],
        ", \"workouts\": [{\"id\": \"A-1\", \"name\": \"Outdoor Run\", \"start\": \"2025-05-29 18:00:00 +0200\", \
         \"end\": \"2025-05-29 18:40:00 +0200\", \"duration\": 2100, \"activeEnergyBurned\": {\"qty\": 1255.2, \
         \"units\": \"kJ\"}, \"distance\": {\"qty\": 5, \"units\": \"km\"}, \"avgHeartRate\": {\"qty\": 140, \
         \"units\": \"bpm\"}, \"heartRate\": {\"max\": {\"qty\": 171, \"units\": \"bpm\"}}, \"route\": [{\"lat\": 1}]}, \
         {\"name\": \"Yoga\", \"start\": \"?\"}, 7]",
    );
    let (_, read) = read_files("Europe/Berlin", &[("workouts.json", text)]);
    let [run] = read.workouts()[..] else {
        panic!("{:?}", read.records);
    };
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(
        (run.duration_minutes, run.energy_kcal),
        (Some(35.0), Some(300.0))
    );
    assert_eq!(
        (run.average_heart_rate, run.max_heart_rate),
        (Some(140.0), Some(171.0))
    );
    assert_eq!(run.distance_m, Some(5000.0));
    assert_eq!(run.provenance.source_id, "workout-A-1");
    assert_eq!(read.faults(), [(2, R::BadTime), (3, R::NotJson)]);
}

#[test]
fn a_table_has_units_and_parts_in_its_names() {
    let (report, read) = read_files("Europe/Berlin", &[(
        "HealthAutoExport.csv",
        "Date/Time,Active Energy (kJ),Resting Energy (kcal),Heart Rate [Min] (count/min),Heart Rate [Max] \
         (count/min),Heart Rate [Avg] (count/min),Heart Rate Variability (ms),Resting Heart Rate \
         (count/min),Step Count (steps),Sleep Analysis [Total] (hr),Sleep Analysis [Asleep] (hr),Sleep \
         Analysis [Core] (hr),Sleep Analysis [Deep] (hr),Sleep Analysis [REM] (hr),Blood Pressure \
         [Systolic] (mmHg),Blood Pressure [Diastolic] (mmHg),Weight & Body Mass (kg)\n\
         2025-05-28 00:00:00,2092,1500,45,150,70,42.5,52,8000,7,0,4.5,1,1.5,120,80,70\n\
         2025-05-29 00:00:00,,,,,,,,9000,0,6,3.5,1,1.5,,,\n"
            .to_owned(),
    )]);
    assert_eq!(report.formats[0].format.as_str(), "health-auto-export");
    for (metric, value) in [
        (M::ActiveCalories, 500.0),
        (M::TotalCalories, 2000.0),
        (M::AverageHeartRate, 70.0),
        (M::HeartRateVariabilitySdnn, 42.5),
        (M::RestingHeartRate, 52.0),
        (M::BloodPressureSystolic, 120.0),
        (M::BloodPressureDiastolic, 80.0),
    ] {
        assert_eq!(read.series(metric), [day("2025-05-28", value)], "{metric}");
    }
    assert_eq!(read.series(M::LowestHeartRate), []);
    assert_eq!(
        read.series(M::Steps),
        [day("2025-05-28", 8000.0), day("2025-05-29", 9000.0)]
    );
    // A total of 0 is none: 3.5 + 1 + 1.5 + 6 without a stage.
    assert_eq!(
        read.series(M::SleepDuration),
        [day("2025-05-28", 7.0), day("2025-05-29", 12.0)]
    );
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
}

#[test]
fn hours_of_a_table_are_added_up_and_names_may_be_translated() {
    let (_, read) = read_files("Europe/Berlin", &[(
        "export.csv",
        "Date,Step Count (count),Variabilidad de Frecuencia Cardíaca (ms)\n2025-05-28 08:00:00,100,40\n\
         2025-05-28 09:00:00,50,\n2025-05-28 10:00:00,x,44\n"
            .to_owned(),
    )]);
    assert_eq!(read.series(M::Steps), [day("2025-05-28", 150.0)]);
    let hrv = [day("2025-05-28", 40.0), day("2025-05-28", 44.0)];
    assert_eq!(read.series(M::HeartRateVariabilitySdnn), hrv);
    assert_eq!(read.faults(), [(4, R::BadNumber)]);
}

#[test]
fn a_table_of_a_phone_in_spanish_is_not_that_of_another_program() {
    let (report, read) = read_files("Europe/Madrid", &[(
        "HealthAutoExport-2025-03-21-2025-03-22.csv",
        "Fecha/Hora,Conteo de Pasos (pasos),Energía Activa (kJ),Frecuencia Cardíaca [Prom] (count/min),\
         Frecuencia Cardiaca en Reposo (bpm),Variabilidad de Frecuencia Cardíaca (ms),Saturación de \
         Oxígeno en Sangre (%),Análisis del Sueño [Total] (hr),Análisis del Sueño [Profundo] (hr),Análisis \
         del Sueño [Sin Nombre] (hr)\n\
         2025-03-21 00:00:00,7035,2092,71,54,49.25,97.5,6.4,1.5,5\n\
         2025-03-22 00:00:00,9543,,,,,,,,5\n"
            .to_owned(),
    )]);
    assert_eq!(report.formats[0].format.as_str(), "health-auto-export");
    for (metric, value) in [
        (M::ActiveCalories, 500.0),
        (M::AverageHeartRate, 71.0),
        (M::RestingHeartRate, 54.0),
        (M::HeartRateVariabilitySdnn, 49.25),
        (M::OxygenSaturation, 97.5),
        // A part of the night that is not known is none of the night before either.
        (M::SleepDuration, 6.4),
        (M::DeepSleepDuration, 1.5),
    ] {
        assert_eq!(read.series(metric), [day("2025-03-21", value)], "{metric}");
    }
    assert_eq!(
        read.series(M::Steps),
        [day("2025-03-21", 7035.0), day("2025-03-22", 9543.0)]
    );
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
}

#[test]
fn tables_of_others_are_not_taken() {
    let folder = Folder::new();
    for (name, header) in [
        (
            "weight.csv",
            "Date,Weight (kg),Fat mass (kg)\n2025-01-01,70,20\n",
        ),
        (
            "food.csv",
            "Date,Energy (kcal),Protein (g)\n2025-01-01,70,20\n",
        ),
        (
            "fit.csv",
            "Date,Move Minutes count,Calories (kcal),Distance (m)\n2025-01-01,70,20,1\n",
        ),
    ] {
        let path = folder.write(name, header);
        let read = read_with(&path, &mine("Europe/Berlin"));
        let is_own = read.is_ok_and(|(report, _)| {
            report
                .formats
                .iter()
                .any(|found| found.format.as_str() == "health-auto-export")
        });
        assert!(!is_own, "{name}");
    }
}

#[test]
fn what_comes_before_damage_is_kept() {
    let whole = body(
        &[metric(
            "step_count",
            "count",
            &point("2025-05-29 08:00:00 +0200", 5.0, "a"),
        )],
        "",
    );
    let text = whole.replace(
        "}]",
        "}, {\"date\": \"2025-05-29 09:00:00 +0200\", \"qty\": 6}, {\"da",
    );
    let (report, read) = read_files("Europe/Berlin", &[("a.json", text)]);
    // The name comes after the damage: nothing says what the points are.
    assert!(read.records.is_empty());
    assert!(
        report.notes.iter().any(|note| note.contains("not JSON")),
        "{:?}",
        report.notes
    );
    let text = "{\"data\": {\"metrics\": [{\"name\": \"step_count\", \"units\": \"count\", \"data\": [\
                {\"date\": \"2025-05-29 08:00:00 +0200\", \"qty\": 5}, {\"date\": \"2025-05-29 09:00:00 +0200\", \
                \"qty\": \"6\"}, {\"da";
    let (_, read) = read_files("Europe/Berlin", &[("a.json", text.to_owned())]);
    assert_eq!(read.series(M::Steps), [day("2025-05-29", 11.0)]);
}

#[test]
fn the_published_samples_are_read_and_give_the_same_ids_again() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/health-auto-export");
    let (report, read) = read_with(&samples, &mine("Europe/Berlin")).unwrap();
    assert_eq!(report.formats[0].files, 5);
    // 0.77 and 0.38 kJ.
    assert_eq!(read.series(M::ActiveCalories), [day("2024-03-11", 0.2749)]);
    // The first night is there as a sum and as a longer stage; 3.3 + 0.86 + 1.26 of the second.
    let nights = read.series(M::SleepDuration);
    let hours: Vec<(&str, f64)> = nights
        .iter()
        .map(|(day, hours)| (day.as_str(), (hours * 100.0).round() / 100.0))
        .collect();
    assert_eq!(hours, [("2024-03-09", 6.6), ("2024-03-10", 5.42)]);
    let [walk] = read.workouts()[..] else {
        panic!("{:?}", read.records);
    };
    assert_eq!(
        (walk.activity_type, walk.steps),
        (ActivityType::Walking, Some(908.0))
    );
    assert!((walk.energy_kcal.unwrap() - 54.066).abs() < 0.001);
    assert_eq!(read, read_with(&samples, &mine("Europe/Berlin")).unwrap().1);
}

#[test]
fn a_night_without_sleep_end_belongs_to_the_day_of_getting_up() {
    let (_, read) = crate::folder::read_bytes(
        "HealthAutoExport.json",
        r#"{"data": {"metrics": [{"name": "sleep_analysis", "units": "hr", "data": [
            {"date": "2025-05-01 23:10:00 +0200", "totalSleep": 7.5, "core": 4, "deep": 1.5, "rem": 2, "asleep": 0,
             "inBedEnd": "2025-05-02 07:00:00 +0200"}]}]}}"#,
    );
    assert_eq!(
        read.series(M::SleepDuration),
        [("2025-05-02".to_owned(), 7.5)],
        "{:?}",
        read.rejects
    );
}

#[test]
fn a_table_that_was_read_is_not_said_to_be_of_no_use() {
    let (report, read) = crate::folder::read_bytes(
        "HealthAutoExport.csv",
        "Date/Time,Resting Heart Rate (count/min),Step Count (count)\n2025-06-01 00:00:00,54,9000\n\
         2025-06-02 00:00:00,55,700\n",
    );
    assert_eq!(report.notes, Vec::<String>::new());
    assert_eq!(read.series(M::RestingHeartRate).len(), 2);
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
