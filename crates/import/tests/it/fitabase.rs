//! Fitabase: tables of studies, with several people.

use crate::folder::{Folder, Read, day, read};
use std::path::Path;
use vitalcast_domain::{MetricType as M, Record};
use vitalcast_import::{ImportReport, SkipReason};

const ACTIVITY: &str = "Id,ActivityDate,TotalSteps,VeryActiveMinutes,FairlyActiveMinutes,LightlyActiveMinutes,\
    SedentaryMinutes,Calories\n";

fn study(files: &[(&str, String)]) -> (ImportReport, Read) {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let (report, read) = read(folder.path());
    assert_eq!(report.formats[0].format.as_str(), "fitabase");
    (report, read)
}

#[test]
fn every_id_is_a_person_and_months_come_first() {
    let (report, read) = study(&[(
        "dailyActivity_merged.csv",
        format!(
            "{ACTIVITY}1503960366,4/2/2016,13162,25,13,328,728,1985\n8877689391,4/2/2016,0,0,0,0,1440,1237\n\
             8877689391,4/3/2016,500,1,2,30,1300,1837\n1503960366,4/3/2016,0,0,0,100,700,1985\n"
        ),
    )]);
    let people: Vec<&str> = read
        .people
        .iter()
        .map(|(person, _)| person.as_str())
        .collect();
    assert_eq!(people, ["1503960366", "8877689391"]);
    assert_eq!(
        read.series(M::Steps),
        [day("2016-04-02", 13_162.0), day("2016-04-03", 500.0)]
    );
    assert_eq!(
        read.series(M::ExerciseMinutes),
        [
            day("2016-04-02", 38.0),
            day("2016-04-03", 0.0),
            day("2016-04-03", 3.0)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::NotWorn], 1);
    assert_eq!(report.skipped[&SkipReason::Missing], 1, "no steps");
}

#[test]
fn of_a_day_in_two_exports_the_fuller_row_counts() {
    let rows = |rows: &str| format!("{ACTIVITY}{rows}");
    let (report, read) = study(&[
        (
            "a/dailyActivity_merged.csv",
            rows("1,4/11/2016,9000,1,1,1,1437,1900\n1,4/12/2016,700,0,0,20,400,800\n"),
        ),
        (
            "b/dailyActivity_merged.csv",
            rows("1,4/12/2016,8163,0,0,146,1294,1432\n1,4/13/2016,7,0,0,1,5,90\n"),
        ),
    ]);
    assert_eq!(
        read.series(M::Steps),
        [
            day("2016-04-11", 9_000.0),
            day("2016-04-12", 8_163.0),
            day("2016-04-13", 7.0)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let kinds: Vec<String> = read
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::HealthMetric(reading) if reading.metric == M::Steps => {
                Some(format!("{:?}", reading.kind()))
            }
            Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => {
                None
            }
        })
        .collect();
    assert_eq!(
        kinds,
        ["DayTotal", "DayTotal", "RunningTotal"],
        "the last day was cut short"
    );
}

#[test]
fn a_repeated_night_counts_once_and_is_known_in_the_morning() {
    let row = "8378563200,4/25/2016 12:00:00 AM,1,388,402\n";
    let (report, read) = study(&[
        (
            "sleepDay_merged.csv",
            format!("Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed\n{row}{row}"),
        ),
        (
            "weightLogInfo_merged.csv",
            "Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId\n\
             8378563200,4/25/2016 11:59:59 PM,52.6,115.9,22,22.6,True,1\n8378563200,4/26/2016 11:59:59 PM,52.6,115.9,,22.6,True,2\n"
                .to_owned(),
        ),
    ]);
    assert_eq!(
        read.series(M::SleepDuration),
        [day("2016-04-25", 388.0 / 60.0)]
    );
    assert_eq!(read.series(M::TimeInBed), [day("2016-04-25", 6.7)]);
    assert_eq!(read.series(M::BodyFatPercentage), [day("2016-04-25", 22.0)]);
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let night = &read.records[0].1;
    assert_eq!(
        night.provenance().known_at.to_string(),
        "2016-04-25 12:00:00 UTC"
    );
}

#[test]
fn the_published_rows_of_a_person_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fitabase");
    let (report, read) = read(&root);
    assert_eq!(report.rejected.len(), 0);
    assert_eq!(read.people.len(), 1);
    // Days with steps, nights without the one that comes twice.
    assert_eq!(read.series(M::Steps).len(), 31);
    assert_eq!(read.series(M::SleepDuration).len(), 31);
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let last = read.series(M::Steps).pop().unwrap();
    assert_eq!(last.0, "2016-05-12");
}
