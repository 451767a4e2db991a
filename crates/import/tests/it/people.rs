//! Folders of several people, each with an export that does not say whose it is.

use crate::folder::{Folder, Read, mine, options, read_with};
use vitalcast_domain::{MetricType as M, UserId};
use vitalcast_import::{ImportOptions, ImportReport, SkipReason};

/// A study in which each person has a folder, with files as it publishes them: the first and the second
/// person have resting heart rates of the same days, and one night each.
fn study() -> Folder {
    let folder = Folder::new();
    for (person, first, second) in [("p01", "53.74", "54.25"), ("p02", "61.125", "0.0")] {
        let date = if second == "0.0" {
            "null"
        } else {
            "\"11/02/19\""
        };
        folder.write(
            &format!("{person}/fitbit/resting_heart_rate.json"),
            format!(
                "[{{\"dateTime\": \"2019-11-01 00:00:00\", \"value\": {{\"date\": \"11/01/19\", \
                 \"value\": {first}, \"error\": 6.8}}}}, {{\"dateTime\": \"2019-11-02 00:00:00\", \
                 \"value\": {{\"date\": {date}, \"value\": {second}, \"error\": 0.0}}}}]"
            ),
        );
        let log = if person == "p01" {
            24_507_544_960_u64
        } else {
            24_507_600_001
        };
        folder.write(
            &format!("{person}/fitbit/sleep.json"),
            format!(
                "[{{\"logId\": {log}, \"dateOfSleep\": \"2019-11-02\", \
                 \"startTime\": \"2019-11-01T23:08:30.000\", \"endTime\": \"2019-11-02T07:19:30.000\", \
                 \"duration\": 29460000, \"minutesToFallAsleep\": 0, \"minutesAsleep\": 420, \
                 \"minutesAwake\": 71, \"minutesAfterWakeup\": 0, \"timeInBed\": 491, \"efficiency\": 94, \
                 \"type\": \"classic\", \"infoCode\": 0, \"mainSleep\": true, \"levels\": {{\"summary\": \
                 {{\"restless\": {{\"count\": 9, \"minutes\": 60}}, \"awake\": {{\"count\": 1, \
                 \"minutes\": 11}}, \"asleep\": {{\"count\": 0, \"minutes\": 420}}}}}}}}]"
            ),
        );
        folder.write(
            &format!("{person}/fitbit/heart_rate.json"),
            "[{\"dateTime\": \"2019-11-01 10:00:05\", \"value\": {\"bpm\": 70, \"confidence\": 2}}]",
        );
        // What is not read, and what other readers must not take for their own.
        for (name, text) in [
            (
                "fitbit/distance.json",
                "[{\"dateTime\": \"2019-11-01 00:00:00\", \"value\": \"0\"}]",
            ),
            (
                "pmsys/wellness.csv",
                "effective_time_frame,fatigue,mood,readiness,sleep_duration_h,sleep_quality,soreness,\
                 soreness_area,stress\n2019-11-01T08:31:41.751Z,2,3,5,6,2,2,[],3\n",
            ),
            (
                "pmsys/srpe.csv",
                "end_date_time,activity_names,perceived_exertion,duration_min\n\
                 2019-11-01T14:09:36.000Z,\"['individual', 'running']\",6,60\n",
            ),
            (
                "googledocs/reporting.csv",
                "date,timestamp,meals,weight,glasses_of_fluid,alcohol_consumed\n\
                 01/11/2019,01/11/2019 21:08:10,\"Breakfast, Lunch\",100,6,No\n",
            ),
        ] {
            folder.write(&format!("{person}/{name}"), text);
        }
    }
    folder
}

fn of(read: &Read, person: &str) -> Read {
    let records = read.records.iter().filter(|(user, _)| user == person);
    Read {
        records: records.cloned().collect(),
        ..Read::default()
    }
}

fn imported(folder: &Folder, options: &ImportOptions) -> (ImportReport, Read) {
    read_with(folder.path(), options).unwrap()
}

#[test]
fn a_folder_of_several_people_does_not_become_one_person() {
    let (report, read) = imported(&study(), &mine("Europe/Oslo"));
    let people: Vec<&str> = read.people.iter().map(|(user, _)| user.as_str()).collect();
    assert_eq!(people, ["p01", "p02"]);
    assert_eq!((report.people, report.owner), (2, None));
    let on = |day: &str, value: f64| (day.to_owned(), value);
    let (first, second) = (of(&read, "p01"), of(&read, "p02"));
    assert_eq!(
        first.series(M::RestingHeartRate),
        [on("2019-11-01", 53.74), on("2019-11-02", 54.25)]
    );
    assert_eq!(
        second.series(M::RestingHeartRate),
        [on("2019-11-01", 61.125)]
    );
    for person in [first, second] {
        assert_eq!(person.series(M::SleepDuration), [on("2019-11-02", 7.0)]);
        assert_eq!(person.series(M::AverageHeartRate), [on("2019-11-01", 70.0)]);
    }
    // What is read is Fitbit's alone.
    let formats: Vec<&str> = report
        .formats
        .iter()
        .map(|found| found.format.as_str())
        .collect();
    assert_eq!(formats, ["fitbit"]);
    assert_eq!(report.rejected.len(), 0, "{:?}", read.rejects);
    let unread: u64 = report.unread.values().map(|files| files.files).sum();
    assert_eq!((report.files, unread), (6, 8));
}

#[test]
fn one_of_several_people_can_be_chosen() {
    let chosen = |user: &str| ImportOptions {
        user: Some(UserId::new(user).unwrap()),
        ..options()
    };
    let (report, read) = imported(&study(), &chosen("p02"));
    assert!(read.records.iter().all(|(user, _)| user == "p02"));
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
    assert_eq!(report.skipped[&SkipReason::OtherUser], 1);
    // Nobody's records become those of somebody else.
    let (report, read) = imported(&study(), &chosen("alice"));
    assert_eq!((read.records.len(), report.files), (0, 0));
    assert!(report.notes.iter().any(|note| note.contains("p01, p02")));
}

#[test]
fn the_folder_of_one_person_is_that_of_the_owner() {
    let folder = study();
    let (_, read) = read_with(&folder.path().join("p01"), &mine("Europe/Oslo")).unwrap();
    assert!(read.records.iter().all(|(user, _)| user == "me"));
    assert_eq!(read.series(M::RestingHeartRate).len(), 2);
}
