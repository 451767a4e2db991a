//! `activities.csv` of Strava.

use crate::folder::{Folder, Read, instant, options, read_with};
use vitalcast_domain::ActivityType;
use vitalcast_import::{ImportOptions, ImportReport, RejectReason as R};

const HEADER: &str = "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed \
                      Time,Distance,Max Heart Rate,Relative Effort,Commute,Activity Gear,Filename,Elapsed \
                      Time,Moving Time,Distance,Max Speed,Max Heart Rate,Average Heart Rate,Calories\n";

fn read_in(zone: Option<&str>, text: &str) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.write("activities.csv", text);
    let options = ImportOptions {
        owner: Some("me".parse().unwrap()),
        assumed_zone: zone.map(|zone| zone.parse().unwrap()),
        ..options()
    };
    read_with(&path, &options).unwrap()
}

fn read(rows: &str) -> (ImportReport, Read) {
    read_in(Some("America/New_York"), &format!("{HEADER}{rows}"))
}

#[test]
fn the_exact_columns_are_read_and_the_date_is_utc() {
    let (report, read) = read(
        "123,\"May 1, 2025, 1:30:00 AM\",\"Evening, run\",Run,,1860,4.55,150,20,false,,a.fit.gz,1860.0,\
         1800.0,4550.5,4.2,151.0,138.4,310.0\n\
         124,\"May 2, 2025, 12:00:00 PM\",Swim,Swim,,2400,\"1,000\",,,false,,b.fit.gz,2400.0,,1000.0,,,,\n",
    );
    assert_eq!(report.formats[0].format.as_str(), "strava");
    let [run, swim] = read.workouts()[..] else {
        panic!("{:?}", read.rejects);
    };
    // The evening of the day before in New York.
    assert_eq!(run.provenance.day.to_string(), "2025-04-30");
    assert_eq!(run.provenance.observed_at, instant("2025-05-01T01:30:00Z"));
    assert_eq!(
        run.provenance.span.unwrap().end,
        instant("2025-05-01T02:01:00Z")
    );
    assert_eq!(
        (
            run.provenance.source.as_str(),
            run.provenance.source_id.as_str()
        ),
        ("strava", "activity-123")
    );
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(
        (run.duration_minutes, run.distance_m),
        (Some(30.0), Some(4550.5))
    );
    assert_eq!(
        (run.average_heart_rate, run.max_heart_rate),
        (Some(138.4), Some(151.0))
    );
    assert_eq!(run.energy_kcal, Some(310.0));
    assert_eq!(
        (swim.duration_minutes, swim.distance_m),
        (Some(40.0), Some(1000.0))
    );
    assert_eq!((swim.energy_kcal, swim.average_heart_rate), (None, None));
}

#[test]
fn a_german_export_is_read() {
    let (_, read) = read_in(
        Some("Europe/Berlin"),
        "Aktivitäts-ID,Datum der Aktivität,Name der Aktivität,Aktivitätsart,Verstrichene \
         Zeit,Distanz,Verstrichene Zeit,Bewegungszeit,Distanz,Kalorien\n\
         9,\"01.08.2025, 22:30:00\",Abends,Radfahrt,3600,\"20,1\",3600,3000,20100,500\n",
    );
    let [ride] = read.workouts()[..] else {
        panic!("{:?}", read.rejects);
    };
    assert_eq!(ride.provenance.day.to_string(), "2025-08-02");
    assert_eq!(ride.activity_type, ActivityType::Cycling);
    assert_eq!(
        (ride.duration_minutes, ride.distance_m),
        (Some(50.0), Some(20_100.0))
    );
}

#[test]
fn a_distance_without_a_unit_is_left_out() {
    let (report, read) = read_in(
        None,
        "Activity ID,Activity Date,Activity Type,Elapsed Time,Distance\n\
         1,\"Aug 1, 2025, 5:00:00 PM\",Ride,3600,20.1\n\
         2,yesterday,Ride,3600,20.1\n\
         3,\"Aug 1, 2033, 5:00:00 PM\",Ride,3600,20.1\n\
         4,\"Aug 2, 2025, 5:00:00 PM\",Kitesurf,x,20.1\n\
         5,\"Aug 2, 2025, 5:00:00 PM\",Kitesurf,60,20.1\n",
    );
    let [ride, kite] = read.workouts()[..] else {
        panic!("{:?}", read.rejects);
    };
    assert_eq!((ride.duration_minutes, ride.distance_m), (Some(60.0), None));
    assert_eq!(kite.activity_type, ActivityType::Other);
    assert_eq!(
        read.faults(),
        [(3, R::BadTime), (4, R::Future), (5, R::BadNumber)]
    );
    assert!(
        report.notes.iter().any(|note| note.contains("UTC")),
        "{:?}",
        report.notes
    );
}

#[test]
fn an_exact_distance_with_a_decimal_comma_is_read() {
    let (_, read) = read_in(
        Some("Europe/Berlin"),
        "Aktivitäts-ID,Datum der Aktivität,Aktivitätsart,Verstrichene Zeit,Distanz,Verstrichene Zeit,Distanz\n\
         9,\"01.08.2025, 10:30:00\",Lauf,600,\"0,95\",600,\"950,125\"\n",
    );
    let [run] = read.workouts()[..] else {
        panic!("{:?}", read.rejects);
    };
    assert_eq!(run.distance_m, Some(950.125));
}

#[test]
fn steps_and_energy_that_a_spreadsheet_grouped_are_thousands() {
    let header = HEADER.trim_end().replace(',', ";") + ";Total Steps\n";
    let row = "123;\"May 1, 2025, 1:30:00 AM\";Run;Run;;1.860;4,55;150;20;false;;;1.860;1.800;4550,5;4,2;151;\
               138,4;1.310;7.200\n";
    let (_, read) = read_in(None, &format!("{header}{row}"));
    let [run] = read.workouts()[..] else {
        panic!("{:?}", read.rejects);
    };
    assert_eq!(run.duration_minutes, Some(30.0));
    assert_eq!((run.energy_kcal, run.steps), (Some(1_310.0), Some(7_200.0)));
    assert_eq!(run.average_heart_rate, Some(138.4));
}
