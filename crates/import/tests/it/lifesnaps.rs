//! LifeSnaps' daily table.

use crate::folder::{instant, read, read_bytes};
use std::path::Path;
use vitalcast_domain::{ActivityType, MetricType as M, Record};
use vitalcast_import::{Format, RejectReason as R, SkipReason};

const HEADER: &str = ",id,date,resting_hr,rmssd,minutesAsleep,sleep_efficiency,stress_score,steps,calories,bpm,\
                      sedentary_minutes,moderately_active_minutes,very_active_minutes,activityType,spo2\n";

fn table(rows: &str) -> (vitalcast_import::ImportReport, crate::folder::Read) {
    read_bytes("daily.csv", format!("{HEADER}{rows}"))
}

#[test]
fn a_day_gives_its_readings() {
    let (report, read) = table(
        "0,621e2e8e67b776a24055b564,2021-05-24,62.08,89.6,445,93,78,8833,2351.59,71.7,713,24,33,\"['Walk', 'Run']\",\n",
    );
    assert_eq!(report.formats[0].format, Format::LIFESNAPS);
    for (metric, value) in [
        (M::RestingHeartRate, 62.08),
        (M::HeartRateVariabilityRmssd, 89.6),
        (M::SleepDuration, 445.0 / 60.0),
        (M::SleepEfficiency, 93.0),
        (M::RecoveryScore, 78.0),
        (M::Steps, 8_833.0),
        (M::TotalCalories, 2_351.59),
        (M::ExerciseMinutes, 57.0),
    ] {
        assert_eq!(
            read.series(metric),
            [("2021-05-24".to_owned(), value)],
            "{metric}"
        );
    }
    assert!(
        read.series(M::OxygenSaturation).is_empty(),
        "an empty cell is nothing"
    );
    let workouts: Vec<ActivityType> = read
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Activity(workout) => {
                assert_eq!(workout.duration_minutes, None);
                Some(workout.activity_type)
            }
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        })
        .collect();
    assert_eq!(workouts, [ActivityType::Walking, ActivityType::Running]);
}

#[test]
fn the_night_is_known_at_noon_and_the_day_when_it_is_over() {
    let (_, read) = table("0,u,2021-05-24,62,89.6,445,93,78,8833,2351,71,713,24,33,,\n");
    let known = |wanted: M| {
        let found = read.records.iter().find_map(|(_, record)| match record {
            Record::HealthMetric(reading) if reading.metric == wanted => {
                Some(reading.provenance.known_at)
            }
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => {
                None
            }
        });
        found.unwrap()
    };
    // Athens is three hours ahead of UTC in May.
    let (noon, evening) = (
        instant("2021-05-24T09:00:00Z"),
        instant("2021-05-24T21:00:00Z"),
    );
    for metric in [
        M::SleepDuration,
        M::HeartRateVariabilityRmssd,
        M::RecoveryScore,
    ] {
        assert_eq!(known(metric), noon, "{metric}");
    }
    for metric in [M::RestingHeartRate, M::Steps, M::TotalCalories] {
        assert_eq!(known(metric), evening, "{metric}");
    }
    assert_eq!(read.people, [("u".to_owned(), "Europe/Athens".to_owned())]);
}

#[test]
fn a_zero_means_not_measured() {
    let (report, read) = table("0,u,2021-05-24,0,0.0,0,0,0,0,2351,71,713,24,33,,0\n");
    for metric in [
        M::RestingHeartRate,
        M::HeartRateVariabilityRmssd,
        M::SleepDuration,
        M::RecoveryScore,
        M::Steps,
    ] {
        assert!(read.series(metric).is_empty(), "{metric}");
    }
    assert_eq!(report.skipped[&SkipReason::Missing], 7);
    assert_eq!(
        read.series(M::TotalCalories).len(),
        1,
        "it was worn: there is a heart rate"
    );
}

#[test]
fn a_watch_on_the_table_measures_no_movement() {
    let (report, read) = table("0,u,2021-05-24,61,,,,,,1650,,1440,0,0,,\n");
    assert!(
        read.series(M::TotalCalories).is_empty(),
        "the basal rate of a table"
    );
    assert!(read.series(M::ExerciseMinutes).is_empty());
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
    // Energy and three kinds of minutes.
    assert_eq!(report.skipped[&SkipReason::NotWorn], 4);
}

#[test]
fn on_a_worn_day_no_minutes_are_a_value_and_no_heart_rate_is_none() {
    let header = ",id,date,resting_hr,rmssd,nremhr,bpm,sedentary_minutes,lightly_active_minutes,\
                  moderately_active_minutes,very_active_minutes,minutes_in_default_zone_3,minutesAwake,\
                  stress_score,sleep_points_percentage\n";
    let (report, read) = read_bytes(
        "daily.csv",
        format!(
            "{header}0,u,2021-05-24,61,,0.0,71.5,1440,0,0,0,0.0,0.0,0,0.0\n\
             1,u,2021-05-25,61,,55.5,,1440,0,0,0,0.0,,78,0.7\n"
        ),
    );
    for metric in [
        M::LightActivityMinutes,
        M::ModerateActivityMinutes,
        M::VigorousActivityMinutes,
        M::ExerciseMinutes,
        M::HeartRateZone3Minutes,
        M::AwakeDuration,
    ] {
        assert_eq!(
            read.series(metric),
            [("2021-05-24".to_owned(), 0.0)],
            "{metric}"
        );
    }
    assert_eq!(
        read.series(M::SleepingHeartRate),
        [("2021-05-25".to_owned(), 55.5)]
    );
    assert_eq!(
        read.series(M::RecoverySleepPart),
        [("2021-05-25".to_owned(), 70.0)]
    );
    assert_eq!(report.skipped[&SkipReason::Missing], 3);
    // The second day was not worn: five kinds of minutes.
    assert_eq!(report.skipped[&SkipReason::NotWorn], 5);
}

#[test]
fn a_short_night_is_kept_and_flagged() {
    let (_, read) = table("0,u,2021-05-24,,,119,,,,,,,,,,\n1,u,2021-05-25,,,120,,,,,,,,,,\n");
    let partial: Vec<bool> = read
        .records
        .iter()
        .map(|(_, record)| matches!(record, Record::HealthMetric(night) if night.is_partial()))
        .collect();
    assert_eq!(partial, [true, false]);
}

#[test]
fn one_bad_cell_spoils_no_other() {
    let (_, read) = table("0,u,2021-05-24,6000,89.6,abc,93,78,8833,2351,71,713,24,33,,\n");
    let mut faults = read.faults();
    faults.sort_by_key(|fault| fault.1);
    assert_eq!(faults, [(2, R::BadNumber), (2, R::OutOfRange)]);
    assert_eq!(read.series(M::HeartRateVariabilityRmssd).len(), 1);
    assert_eq!(read.series(M::Steps).len(), 1);
}

#[test]
fn of_a_day_twice_the_later_value_counts_and_days_that_cannot_be_are_refused() {
    let (report, read) = table(
        "0,u,2021-05-24,61,,,,,,,,,,,,\n\
         1,u,2021-05-24,62,,,,,,,,,,,,\n\
         2,v,2021-05-24,63,,,,,,,,,,,,\n\
         7,u,2021-05-24,62,,,,,,,,,,,,\n\
         3,u,2033-01-01,61,,,,,,,,,,,,\n\
         4,u,24/05/2021,61,,,,,,,,,,,,\n\
         5,u/../v,2021-05-24,61,,,,,,,,,,,,\n",
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("1 values contradict")),
        "{:?}",
        report.notes
    );
    let expected = [
        ("2021-05-24".to_owned(), 61.0),
        ("2021-05-24".to_owned(), 62.0),
        ("2021-05-24".to_owned(), 63.0),
    ];
    assert_eq!(read.series(M::RestingHeartRate), expected);
    assert_eq!(
        read.faults(),
        [(6, R::Future), (7, R::BadTime), (8, R::BadUser)]
    );
}

#[test]
fn the_published_slice_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/lifesnaps");
    let (report, read) = read(&path);
    assert_eq!((report.people, report.rows_read), (4, 486));
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    // Once more gives the same, record for record.
    assert_eq!(crate::folder::read(&path).1, read);
}

#[test]
fn a_published_day_has_its_heart_rates_minutes_night_and_score_parts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/lifesnaps");
    let (_, read) = read(&path);
    // Athens is two hours ahead of UTC in winter, which began on this day.
    let (noon, evening) = ("2021-10-31T10:00:00Z", "2021-10-31T22:00:00Z");
    for (metric, expected, known) in [
        (M::SleepingHeartRate, 74.716, noon),
        (M::AverageHeartRate, 94.721_607_165_070_28, evening),
        (M::LightActivityMinutes, 170.0, evening),
        (M::ModerateActivityMinutes, 0.0, evening),
        (M::VigorousActivityMinutes, 0.0, evening),
        (M::SedentaryMinutes, 537.0, evening),
        (M::HeartRateBelowZone1Minutes, 651.0, evening),
        (M::HeartRateZone1Minutes, 200.0, evening),
        (M::HeartRateZone2Minutes, 124.0, evening),
        (M::HeartRateZone3Minutes, 9.0, evening),
        // 8 minutes; 21,000,000 ms.
        (M::AwakeDuration, 8.0 / 60.0, noon),
        (M::TimeInBed, 5.0 + 50.0 / 60.0, noon),
        (M::RecoverySleepPart, 70.0, noon),
        (M::RecoveryExertionPart, 77.5, noon),
        (M::RecoveryResponsivenessPart, 220.0 / 3.0, noon),
    ] {
        let values: Vec<(&Record, f64)> = read
            .records
            .iter()
            .filter_map(|(user, record)| match record {
                Record::HealthMetric(reading)
                    if user == "621e2eaf67b776a2406b14ac"
                        && reading.metric == metric
                        && reading.provenance.day.to_string() == "2021-10-31" =>
                {
                    Some((record, reading.value))
                }
                Record::Meal(_)
                | Record::Activity(_)
                | Record::HealthMetric(_)
                | Record::Tag(_) => None,
            })
            .collect();
        let [(record, value)] = values[..] else {
            panic!("{metric}: {} values", values.len());
        };
        assert!((value - expected).abs() < 1e-9, "{metric}");
        assert_eq!(record.provenance().known_at, instant(known), "{metric}");
    }
}

#[test]
fn steps_of_a_daily_table_that_a_spreadsheet_grouped_are_thousands() {
    let rows = "0,u,2021-05-24,62,38,445,93,78,7.200,2.341,71,1.180,24,33,,\n\
                1,u,2021-05-25,60,41,430,91,80,11.046,2.507,70,713,20,30,,\n";
    let (report, read) = table(rows);
    assert_eq!(read.rejects, []);
    read.check_days(
        M::Steps,
        &[("2021-05-24", 7_200.0), ("2021-05-25", 11_046.0)],
    );
    read.check_days(
        M::TotalCalories,
        &[("2021-05-24", 2_341.0), ("2021-05-25", 2_507.0)],
    );
    read.check_days(
        M::SedentaryMinutes,
        &[("2021-05-24", 1_180.0), ("2021-05-25", 713.0)],
    );
    let note = "group thousands in steps, calories, sedentary_minutes";
    assert!(
        report.notes.iter().any(|text| text.contains(note)),
        "{:?}",
        report.notes
    );
    // Beside decimal commas a dot can only group, also where a number alone may be either.
    let german = "0;u;2021-05-24;62,5;38,25;445;93;78;7.200;2.341,5;71;713;24;33;;\n";
    let (_, read) = read_bytes("daily.csv", format!("{}{german}", HEADER.replace(',', ";")));
    assert_eq!(read.rejects, []);
    read.check_days(M::RestingHeartRate, &[("2021-05-24", 62.5)]);
    read.check_days(M::Steps, &[("2021-05-24", 7_200.0)]);
    read.check_days(M::TotalCalories, &[("2021-05-24", 2_341.5)]);
}

#[test]
fn steps_of_a_daily_table_that_may_be_grouped_or_not_are_refused_with_the_reason() {
    let (_, read) = table(
        "0,u,2021-05-24,62.08,89.603,445,93,78,9.214,2351.59,71,713,24,33,,\n\
         1,u,2021-05-25,60.5,91.25,430,91,80,9214,2507.1,70,700,20,30,,\n\
         2,u,2021-05-26,60.5,91.25,430,91,80,9.2,2507.1,70,700,20,30,,\n",
    );
    assert_eq!(read.faults(), [(2, R::BadNumber), (4, R::BadNumber)]);
    assert!(
        read.rejects[0]
            .message
            .starts_with("steps has a dot or comma")
    );
    read.check_days(M::Steps, &[("2021-05-25", 9_214.0)]);
    // What is a decimal number beyond doubt stays one.
    read.check_days(
        M::HeartRateVariabilityRmssd,
        &[
            ("2021-05-24", 89.603),
            ("2021-05-25", 91.25),
            ("2021-05-26", 91.25),
        ],
    );
}
