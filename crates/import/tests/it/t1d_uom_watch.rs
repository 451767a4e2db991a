//! What the watch of T1D-UOM measured every five minutes, and minutes of activity.

use crate::folder::{Folder, Read, day, instant, read};
use crate::t1d_uom::{NIGHTS, RATES, one};
use std::fmt::Write;
use std::path::Path;
use vitalcast_domain::{HealthMetric, MetricType as M, Record};
use vitalcast_import::RejectReason as R;

const EPOCHS: &str =
    "activity_ts,activity_type,active_Kcal,step_count,active_time_s,start_time_s,met,intensity\n";

/// Heart rate and stress level of the 288 rows of person 2306 on 2023-10-25 at UTC+1, from midnight on
/// (T1D-UOM, CC BY 4.0).
const OF_A_DAY: &str = "\
    92,-1 94,19 96,-1 88,19 79,21 91,-2 61,28 84,-1 82,14 88,16 96,-1 85,-1 79,17 76,18 76,-1 \
    74,-1 71,16 76,17 71,20 68,20 71,-1 69,17 68,18 72,-1 75,-1 69,-1 68,-1 69,-1 75,-1 93,43 \
    83,-1 73,39 76,44 94,19 91,-1 67,-1 66,17 64,-1 66,19 70,-1 66,19 67,-1 68,-1 70,-1 66,23 \
    86,20 71,18 73,19 70,16 79,17 77,17 68,-1 76,-1 80,-1 73,34 69,18 77,-1 67,18 70,-1 69,18 \
    68,17 69,-1 77,-1 85,-1 84,-1 70,-1 71,-1 66,-1 68,-1 63,-1 61,-1 70,-1 69,72 72,-2 74,81 \
    70,68 79,-2 74,36 66,44 71,-2 65,-2 62,-2 62,-2 61,-2 68,-2 68,-2 66,-2 62,-2 66,-2 71,-1 \
    71,-1 68,-1 84,-1 89,-1 68,-1 65,-1 64,-1 66,84 73,-1 59,-1 64,25 62,-1 64,-1 60,38 78,-1 \
    79,-1 81,-2 80,22 84,-2 82,3 85,1 84,7 79,-2 72,61 71,-1 75,15 77,-2 78,69 75,5 73,2 75,14 \
    76,-1 77,-1 74,34 80,-2 75,-2 77,-1 78,-2 69,39 66,65 63,-2 63,-2 63,-2 0,21 64,46 65,-1 \
    65,-2 66,-2 66,-2 68,-2 70,50 67,42 69,-1 70,39 85,50 79,50 70,50 77,50 86,50 93,50 82,50 \
    85,50 87,50 81,50 71,50 68,50 70,50 71,50 78,50 100,50 97,50 97,50 93,50 99,50 97,50 \
    105,50 107,50 111,50 109,50 106,50 113,50 111,50 103,50 106,50 105,50 108,50 105,50 104,50 \
    74,50 87,50 89,50 87,50 87,50 71,50 84,50 74,50 74,50 74,50 69,50 68,50 69,50 69,50 69,50 \
    0,50 97,50 91,50 76,50 73,50 69,50 70,50 70,50 72,50 70,50 71,50 70,50 69,50 71,50 72,50 \
    73,50 71,50 72,50 76,50 71,50 89,50 96,50 67,50 71,50 88,50 84,50 71,50 58,50 58,50 60,50 \
    62,50 89,50 93,50 91,50 89,50 87,50 72,50 76,50 65,50 66,50 85,50 86,50 86,50 79,50 57,50 \
    62,50 57,50 57,50 64,50 68,50 69,50 76,50 73,50 98,50 73,50 84,50 78,50 77,50 82,50 92,50 \
    76,50 77,50 80,50 93,-2 76,-2 81,-1 80,39 83,21 89,19 90,19 92,18 93,18 83,14 87,5 77,7 \
    75,9 80,12 66,11 71,12 74,15 85,20 94,19 105,20 97,18 86,19 82,18 88,18 82,19 78,18 77,19 \
    73,12 67,23 69,5 77,1 74,4";

/// Rows of five minutes, as the file writes them, from a time in UTC on.
fn rows<'a>(from: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let mut at = instant(from);
    cells.fold(String::new(), |mut rows, cell| {
        let (rate, stress) = cell.split_once(',').unwrap();
        let moment = at.format("%d/%m/%Y %H:%M");
        writeln!(rows, "{moment},0,{rate},0,{stress},0,0").unwrap();
        at += chrono::TimeDelta::minutes(5);
        rows
    })
}

/// The series of the rows of a person in the United Kingdom.
fn watch<'a>(from: &str, cells: impl Iterator<Item = &'a str>) -> Read {
    let rows = rows(from, cells);
    one("Sleep Data/UoMsleep2399.csv", RATES, &rows).1
}

/// So many equal rows.
fn equal(count: usize, cell: &str) -> impl Iterator<Item = &str> {
    std::iter::repeat_n(cell, count)
}

fn the_only(read: &Read, metric: M) -> &HealthMetric {
    let mut found = read.records.iter().filter_map(|(_, record)| match record {
        Record::HealthMetric(reading) if reading.metric == metric => Some(reading),
        Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
    });
    let only = found.next().unwrap();
    assert!(found.next().is_none(), "{metric}");
    only
}

#[test]
fn a_published_day_of_five_minutes_has_its_means() {
    let read = watch("2023-10-24T23:00:00Z", OF_A_DAY.split(' '));
    // Sums and counts of the rows, taken from the published file by another program.
    for (metric, value, known) in [
        (
            M::AverageHeartRate,
            22_042.0 / 286.0,
            "2023-10-25T23:00:00Z",
        ),
        // The half hour from 19:45 on.
        (M::LowestHeartRate, 365.0 / 6.0, "2023-10-25T23:00:00Z"),
        (M::StressLevel, 7_730.0 / 200.0, "2023-10-25T23:00:00Z"),
        (
            M::EveningStressLevel,
            1_252.0 / 45.0,
            "2023-10-25T23:00:00Z",
        ),
        // 72 rows until 06:00 on the local clock.
        (M::SleepingHeartRate, 5_400.0 / 72.0, "2023-10-25T05:00:00Z"),
    ] {
        let reading = the_only(&read, metric);
        assert_eq!(reading.provenance.day.to_string(), "2023-10-25", "{metric}");
        assert!((reading.value - value).abs() < 1e-12, "{metric}");
        assert_eq!(reading.provenance.known_at, instant(known), "{metric}");
    }
}

#[test]
fn zeros_are_no_heart_rates_and_levels_below_1_no_stress() {
    let cells = || ["0,0", "60,-1", "0,30", "62,-2", "64,20"].into_iter();
    let read = watch("2023-12-04T00:00:00Z", cells().cycle().take(5 * 48));
    assert_eq!(read.series(M::AverageHeartRate), [day("2023-12-04", 62.0)]);
    assert_eq!(read.series(M::StressLevel), [day("2023-12-04", 25.0)]);
    // Never six rows one after the other.
    assert!(read.series(M::LowestHeartRate).is_empty());
}

#[test]
fn too_few_rows_make_no_value() {
    // In the afternoon, in winter.
    let rates = |count| {
        let read = watch("2023-12-04T12:00:00Z", equal(count, "60,-1"));
        [M::AverageHeartRate, M::LowestHeartRate].map(|metric| read.series(metric).len())
    };
    assert_eq!((rates(71), rates(72)), ([0, 0], [1, 1]));
    let asleep = |count| {
        let read = watch("2023-12-04T05:00:00Z", equal(count, "60,-1"));
        read.series(M::SleepingHeartRate).len()
    };
    assert_eq!((asleep(11), asleep(12)), (0, 1));
    let stress = |count| {
        let read = watch("2023-12-04T12:00:00Z", equal(count, "0,20"));
        read.series(M::StressLevel).len()
    };
    assert_eq!((stress(35), stress(36)), (0, 1));
    let evening = |count| {
        let read = watch("2023-12-04T20:00:00Z", equal(count, "0,20"));
        read.series(M::EveningStressLevel).len()
    };
    assert_eq!((evening(5), evening(6)), (0, 1));
}

#[test]
fn the_same_five_minutes_twice_count_once_and_a_gap_ends_a_half_hour() {
    let mut text = rows("2023-12-04T08:00:00Z", equal(72, "60,-1"));
    text += &rows("2023-12-04T08:00:00Z", equal(72, "90,-1"));
    // Half an hour of 50, five minutes apart and five minutes later than they should be.
    text += &rows("2023-12-04T15:00:00Z", equal(3, "50,-1"));
    text += &rows("2023-12-04T15:20:00Z", equal(3, "50,-1"));
    let (_, read) = one("Sleep Data/UoMsleep2399.csv", RATES, &text);
    assert_eq!(read.series(M::LowestHeartRate), [day("2023-12-04", 60.0)]);
    assert_eq!(
        read.series(M::AverageHeartRate),
        [day("2023-12-04", (72.0 * 60.0 + 6.0 * 50.0) / 78.0)]
    );
}

#[test]
fn a_rate_that_cannot_be_is_refused_without_its_value() {
    let (report, read) = one(
        "Sleep Data/UoMsleep2399.csv",
        RATES,
        "04/12/2023 08:00,0,731,0,-1,0,0\n04/12/2023 08:05,0,255,0,-1,0,0\n\
         04/12/2023 08:10,0,60,0,101,0,0\nsoon,0,60,0,-1,0,0\nsoon,0,0,0,-1,0,0\n",
    );
    assert_eq!(
        read.faults(),
        [(2, R::OutOfRange), (4, R::OutOfRange), (5, R::BadTime)]
    );
    assert!(!read.rejects[0].message.contains("731"));
    assert_eq!(report.records, 0);
}

#[test]
fn five_minutes_belong_to_the_day_of_the_local_clock() {
    let folder = Folder::new();
    let night = "02/01/2024,28800,01/01/2024 15:00,28800,3600,3600,60,ENHANCED_FINAL\n";
    folder.write(
        "Sleep Data/UoM2303sleeptime.csv",
        format!("{NIGHTS}{night}"),
    );
    // Six hours until midnight at UTC+8, and six hours from then on.
    let mut text = rows("2024-01-01T10:00:00Z", equal(72, "80,40"));
    text += &rows("2024-01-01T16:00:00Z", equal(72, "60,20"));
    folder.write("Sleep Data/UoMsleep2303.csv", format!("{RATES}{text}"));
    let (_, read) = read(folder.path());
    let (first, second) = ("2024-01-01", "2024-01-02");
    assert_eq!(
        read.series(M::AverageHeartRate),
        [day(first, 80.0), day(second, 60.0)]
    );
    assert_eq!(read.series(M::EveningStressLevel), [day(first, 40.0)]);
    assert_eq!(read.series(M::SleepingHeartRate), [day(second, 60.0)]);
    let asleep = the_only(&read, M::SleepingHeartRate);
    // 06:00 at UTC+8.
    assert_eq!(asleep.provenance.known_at, instant("2024-01-01T22:00:00Z"));
    assert_eq!(read.series(M::Bedtime), [day(second, -1.0)]);
    assert_eq!(read.series(M::WakeTime), [day(second, 7.0 + 1.0 / 60.0)]);
}

#[test]
fn active_time_is_minutes_by_how_hard_it_was() {
    let (report, read) = one(
        "Activity Data/UoMActivity2399.csv",
        EPOCHS,
        "04/12/2023 12:00,WALKING,10,300,600,1,2.9,ACTIVE\n\
         04/12/2023 12:00,SEDENTARY,0,0,300,1,1,SEDENTARY\n\
         04/12/2023 12:15,WALKING,20,900,900,2,3,ACTIVE\n\
         04/12/2023 12:15,WALKING,20,900,900,2,3,ACTIVE\n\
         04/12/2023 12:30,RUNNING,90,2000,840,3,9.1,HIGHLY_ACTIVE\n\
         04/12/2023 12:30,GENERIC,1,0,60,3,1,SEDENTARY\n\
         05/12/2023 12:00,SEDENTARY,0,0,900,4,1,SEDENTARY\n\
         06/12/2023 12:00,SEDENTARY,7,0,900,5,1,SEDENTARY\n\
         07/12/2023 12:00,WALKING,7,9,-5,6,1,ACTIVE\n",
    );
    // Neither steps nor energy on the fifth: the watch was not worn.
    let (worn, still) = ("2023-12-04", "2023-12-06");
    for (metric, minutes) in [
        (M::LightActivityMinutes, [10.0, 0.0]),
        (M::ModerateActivityMinutes, [15.0, 0.0]),
        (M::VigorousActivityMinutes, [14.0, 0.0]),
        (M::SedentaryMinutes, [6.0, 15.0]),
    ] {
        assert_eq!(
            read.series(metric),
            [day(worn, minutes[0]), day(still, minutes[1])],
            "{metric}"
        );
    }
    assert!(read.series(M::ExerciseMinutes).is_empty());
    assert_eq!(read.series(M::Steps).len(), 3);
    assert_eq!(read.faults(), [(10, R::OutOfRange)]);
    assert_eq!(report.rejected.len(), 1);
}

#[test]
fn a_published_day_has_its_minutes_and_the_times_of_its_night() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/t1d-uom");
    let (_, read) = read(&path);
    for (metric, expected) in [
        // 79,380, 3,090, 3,015 and 915 seconds.
        (M::SedentaryMinutes, 1_323.0),
        (M::LightActivityMinutes, 51.5),
        (M::ModerateActivityMinutes, 50.25),
        (M::VigorousActivityMinutes, 15.25),
        // From 21:17 UTC, 27,300 s asleep and 240 s awake, on a clock two hours ahead.
        (M::AwakeDuration, 240.0 / 3_600.0),
        (M::TimeInBed, 7.65),
        (M::Bedtime, -(43.0 / 60.0)),
        (M::WakeTime, 6.0 + 56.0 / 60.0),
    ] {
        let series = read.series(metric);
        let of_the_day: Vec<f64> = series
            .iter()
            .filter(|(day, _)| day == "2023-10-25")
            .map(|(_, value)| *value)
            .collect();
        let [value] = of_the_day[..] else {
            panic!("{metric}: {} values", of_the_day.len());
        };
        assert!((value - expected).abs() < 1e-9, "{metric}");
    }
}

#[test]
fn a_night_in_two_versions_has_its_times_once() {
    let (_, read) = one(
        "Sleep Data/UoM2399.csv",
        NIGHTS,
        "19/10/2023,27360,18/10/2023 21:25,3600,4500,,240,ENHANCED_FINAL\n\
         19/10/2023,27360,18/10/2023 21:25,3600,4200,,240,ENHANCED_FINAL\n",
    );
    assert_eq!(read.series(M::DeepSleepDuration).len(), 2);
    for metric in [M::AwakeDuration, M::TimeInBed, M::Bedtime, M::WakeTime] {
        assert_eq!(read.series(metric).len(), 1, "{metric}");
    }
}
