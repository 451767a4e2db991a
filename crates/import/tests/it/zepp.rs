//! Zepp's and Mi Fit's CSV files.

use crate::folder::{Folder, options, read, read_bytes, read_with};
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{ImportOptions, RejectReason as R, SkipReason as S};

const SLEEP: &str =
    "\u{feff}date,deepSleepTime,shallowSleepTime,wakeTime,start,stop,REMTime,naps\n";
const NIGHT: &str = "2023-02-18,80,240,30,2023-02-17 22:30:00+0000,2023-02-18 06:00:00+0000,100,\n";

fn berlin() -> ImportOptions {
    ImportOptions {
        zone: Some("Europe/Berlin".parse().unwrap()),
        ..options()
    }
}

#[test]
fn a_night_is_in_minutes_and_its_times_are_utc() {
    let folder = Folder::new();
    let placeholder = "2023-02-19,0,0,0,2023-02-19 00:00:00+0000,2023-02-19 00:00:00+0000,0,\n";
    let nap = "2023-02-20,80,240,30,2023-02-19 22:30:00+0000,2023-02-20 06:00:00+0000,100,\
               \"[{\"\"start\"\":1,\"\"stop\"\":2}]\"\n";
    let path = folder.write(
        "SLEEP/SLEEP_1.csv",
        format!("{SLEEP}{NIGHT}{placeholder}{nap}"),
    );
    let (report, read) = read_with(&path, &berlin()).unwrap();
    assert_eq!(report.formats[0].format.as_str(), "zepp");
    for (metric, value) in [
        (M::SleepDuration, 7.0),
        (M::DeepSleepDuration, 80.0 / 60.0),
        (M::RemSleepDuration, 100.0 / 60.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.5),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.0),
    ] {
        let first = &read.known(metric)[0];
        assert_eq!(
            (first.0.as_str(), first.1),
            ("2023-02-18", value),
            "{metric}"
        );
        assert_eq!(first.2, "2023-02-18T06:00:00+00:00", "{metric}");
    }
    assert_eq!(read.series(M::SleepDuration).len(), 2);
    assert_eq!(report.skipped[&S::Missing], 1);
}

#[test]
fn older_files_have_no_rem_and_the_spring_night_is_an_hour_shorter() {
    let old = "date,deepSleepTime,shallowSleepTime,wakeTime,start,stop\n2023-03-26,80,300,10,2023-03-25 \
               22:30:00+0000,2023-03-26 05:00:00+0000\n";
    let folder = Folder::new();
    let path = folder.write("SLEEP_1.csv", old);
    let (_, read) = read_with(&path, &berlin()).unwrap();
    assert_eq!(
        read.series(M::SleepDuration),
        [("2023-03-26".to_owned(), 380.0 / 60.0)]
    );
    assert!(read.series(M::RemSleepDuration).is_empty());
    // From 23:30 to 07:00 on the clock are six and a half hours.
    assert_eq!(read.series(M::TimeInBed)[0].1, 6.5);
    assert_eq!(
        (read.series(M::Bedtime)[0].1, read.series(M::WakeTime)[0].1),
        (-0.5, 7.0)
    );
    let tokyo = ImportOptions {
        zone: Some("Asia/Tokyo".parse().unwrap()),
        ..options()
    };
    assert_eq!(read_with(&path, &tokyo).unwrap().1.ids(), read.ids());
}

#[test]
fn days_of_zeros_were_not_worn_and_columns_are_found_by_name() {
    let folder = Folder::new();
    folder.write(
        "ACTIVITY/ACTIVITY_1.csv",
        "date,lastSyncTime,steps,distance,runDistance,calories\n2023-02-18,1676764800,9876,7000,0,410\n\
         2023-02-19,1676764800,0,0,0,0\n2023-02-20,1676764800,many,0,0,0\n",
    );
    let (report, first) = read(folder.path());
    let evening = "2023-02-19T00:00:00Z";
    first.check(M::Steps, "2023-02-18", 9_876.0, evening);
    first.check(M::ActiveCalories, "2023-02-18", 410.0, evening);
    assert!(first.series(M::TotalCalories).is_empty());
    assert_eq!(report.skipped[&S::NotWorn], 1);
    assert_eq!(first.faults(), [(4, R::BadNumber)]);
    assert_eq!(read(folder.path()).1, first);
}

#[test]
fn heart_rates_are_on_the_persons_clock() {
    let row = |minute| format!("2023-02-18,23:{minute:02},{}\n", 50 + minute % 2);
    let rows = (0..30).map(row).collect::<Vec<_>>().concat();
    let folder = Folder::new();
    let path = folder.write(
        "HEARTRATE_AUTO/HEARTRATE_AUTO_1.csv",
        format!("date,time,heartRate\n{rows}2023-02-18,12:00,90\n2023-02-18,noon,90\n"),
    );
    let (_, read) = read_with(&path, &berlin()).unwrap();
    let evening = "2023-02-18T23:00:00Z";
    read.check(M::AverageHeartRate, "2023-02-18", 70.25, evening);
    read.check(M::LowestHeartRate, "2023-02-18", 50.5, evening);
    assert_eq!(read.faults(), [(33, R::BadTime)]);
}

#[test]
fn in_workouts_minus_one_is_not_measured() {
    let (_, read) = read_bytes(
        "SPORT_1.csv",
        "type,startTime,sportTime(s),maxPace(/meter),minPace(/meter),distance(m),avgPace(/meter),calories(kcal)\n\
         1,2023-02-18 16:00:00+0000,2700,0.3,0.5,8400.5,0.4,520.0\n\
         16,2023-02-19 16:00:00+0000,1800,-1.0,-1.0,-1.0,-1.0,-1.0\n",
    );
    let workouts = read.workouts();
    let [run, other] = workouts.as_slice() else {
        panic!("{workouts:?} {:?}", read.rejects);
    };
    assert_eq!(
        (run.activity_type, run.duration_minutes),
        (ActivityType::Other, Some(45.0))
    );
    assert_eq!(
        (run.distance_m, run.energy_kcal),
        (Some(8_400.5), Some(520.0))
    );
    assert_eq!((other.distance_m, other.energy_kcal), (None, None));
}
