//! The reference service's tables.

use crate::folder::{Folder, instant, options, read, read_bytes, read_with};
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, Intensity, Meal, MealType, MetricType, Record, UserId,
};
use vitalcast_import::{Format, ImportOptions, KnownAt, RejectReason as R, SkipReason};

const METRICS: &str = "id,userId,recordedAt,metricType,value,unit,source,createdAt\n";

fn metrics(rows: &str) -> crate::folder::Read {
    read_bytes("health_metrics.csv", format!("{METRICS}{rows}")).1
}

#[test]
fn a_reading_is_read_with_all_it_says() {
    let read = metrics(
        "c1,u1,2024-03-01T06:30:00.250Z,RESTING_HEART_RATE,57.5,bpm,apple_health,2024-03-01T07:00:00Z\n",
    );
    let Record::HealthMetric(reading) = read.only() else {
        panic!()
    };
    assert_eq!(
        (reading.metric, reading.value),
        (MetricType::RestingHeartRate, 57.5)
    );
    let provenance = &reading.provenance;
    assert_eq!(
        (&*provenance.source, &*provenance.source_id),
        ("apple_health", "c1")
    );
    assert_eq!(provenance.observed_at, instant("2024-03-01T06:30:00.250Z"));
    assert_eq!(provenance.known_at, instant("2024-03-01T07:00:00Z"));
    assert_eq!(provenance.day.to_string(), "2024-03-01");
    assert_eq!(read.people, [("u1".to_owned(), "UTC".to_owned())]);
}

/// A name on the wire as the tables write it.
fn in_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

#[test]
fn every_number_of_a_record_is_read_from_the_column_of_its_name() {
    const TIME: &str = "2024-03-01T12:15:00Z";
    for field in Meal::NUMBERS {
        let header = format!("id,userId,consumedAt,{}", in_camel_case(field.name));
        let table = format!("{header}\nm1,u1,{TIME},42\n");
        let Record::Meal(meal) = read_bytes("x.csv", table).1.only().clone() else {
            panic!("{}", field.name)
        };
        for other in Meal::NUMBERS {
            let expected = (other.name == field.name).then_some(42.0);
            assert_eq!(other.of(&meal), expected, "{} {}", field.name, other.name);
        }
    }
    for field in Activity::NUMBERS {
        let header = format!("id,userId,startedAt,activityType,{}", field.name);
        let table = format!("{header}\na1,u1,{TIME},RUNNING,42\n");
        let Record::Activity(activity) = read_bytes("x.csv", table).1.only().clone() else {
            panic!("{}", field.name)
        };
        for other in Activity::NUMBERS {
            let expected = (other.name == field.name).then_some(42.0);
            assert_eq!(
                other.of(&activity),
                expected,
                "{} {}",
                field.name,
                other.name
            );
        }
    }
}

#[test]
fn a_table_without_a_field_that_records_need_is_refused_with_its_name() {
    for fields in [Meal::FIELDS, Activity::FIELDS, HealthMetric::FIELDS] {
        let required: Vec<String> = fields
            .iter()
            .filter(|field| field.required)
            .map(|field| in_camel_case(field.name))
            .collect();
        // A table is told by its time; without that it is another.
        for missing in required.iter().skip(1) {
            let columns: Vec<&str> = std::iter::once("userId")
                .chain(required.iter().map(String::as_str))
                .filter(|name| name != missing)
                .collect();
            let options = ImportOptions {
                format: Some(Format::REFERENCE_TABLES),
                ..options()
            };
            let folder = Folder::new();
            let table = folder.write("x.csv", format!("{}\n", columns.join(",")));
            let refused = read_with(&table, &options).unwrap_err().to_string();
            assert!(refused.contains(missing.as_str()), "{missing}: {refused}");
        }
    }
}

#[test]
fn names_in_snake_case_and_any_order_give_the_same() {
    let camel = metrics("c1,u1,2024-03-01T06:30:00Z,STEPS,4000,count,watch,2024-03-01T07:00:00Z\n");
    let snake = read_bytes(
        "x.csv",
        "created_at,value,metric_type,source,extra,user_id,unit,recorded_at,id\n\
         2024-03-01T07:00:00Z,4000,steps,watch,!,u1,count,2024-03-01T06:30:00Z,c1\n",
    );
    assert_eq!(camel.records, snake.1.records);
    let json = read_bytes(
        "x.jsonl",
        r#"{"id":"c1","user_id":"u1","recordedAt":"2024-03-01T06:30:00Z","metricType":"STEPS","value":4000,"unit":"count","source":"watch","createdAt":"2024-03-01T07:00:00Z","more":[1]}"#,
    );
    assert_eq!(camel.records, json.1.records);
}

#[test]
fn meals_and_activities_are_read() {
    let folder = Folder::new();
    folder.write(
        "meals.csv",
        "id,userId,name,mealType,calories,protein,carbs,fat,fiber,sugar,consumedAt\n\
         m1,u1,\"Soup, \"\"hot\"\"\",Lunch,350.5,12,40,10.25,,5,2024-03-01T12:15:00Z\n",
    );
    folder.write(
        "activities.csv",
        "id,userId,activityType,startedAt,endedAt,duration,intensity,caloriesBurned,averageHeartRate\n\
         a1,u1,running,2024-03-01T18:00:00Z,2024-03-01T18:45:30Z,,HIGH,430,151\n\
         a2,u1,YOGA,2024-03-02T18:00:00Z,,30,,,\n",
    );
    let (report, read) = read(folder.path());
    assert_eq!(
        (report.formats[0].format, report.files, report.rows_read),
        (Format::REFERENCE_TABLES, 2, 3)
    );
    let mut found = (0, 0);
    for (_, record) in &read.records {
        match record {
            Record::Meal(meal) => {
                found.0 += 1;
                assert_eq!(meal.name.as_deref(), Some("Soup, \"hot\""));
                assert_eq!(meal.meal_type, Some(MealType::Lunch));
                assert_eq!(
                    (meal.energy_kcal, meal.fiber_g, meal.sugar_g),
                    (Some(350.5), None, Some(5.0))
                );
                assert!(meal.time_known());
            }
            Record::Activity(run) if run.activity_type == ActivityType::Running => {
                found.1 += 1;
                assert_eq!(run.duration_minutes, Some(45.5));
                assert_eq!(run.intensity, Some(Intensity::High));
                assert_eq!(run.average_heart_rate, Some(151.0));
            }
            Record::Activity(yoga) => {
                found.1 += 1;
                assert_eq!((yoga.duration_minutes, yoga.intensity), (Some(30.0), None));
            }
            Record::HealthMetric(_) | Record::Tag(_) => panic!(),
        }
    }
    assert_eq!(found, (1, 2));
}

#[test]
fn units_are_converted_and_foreign_ones_refused() {
    let read = metrics(
        "1,u,2024-03-01T06:00:00Z,SLEEP_DURATION,450,minutes,w,\n\
         2,u,2024-03-02T06:00:00Z,SLEEP_DURATION,7.5,hours,w,\n\
         3,u,2024-03-03T06:00:00Z,SLEEP_DURATION,7.5,,w,\n\
         4,u,2024-03-04T06:00:00Z,SLEEP_DURATION,7.5,kg,w,\n\
         5,u,2024-03-05T06:00:00Z,SLEEP_DURATION,7.5,parsec,w,\n",
    );
    let hours: Vec<f64> = read
        .series(MetricType::SleepDuration)
        .iter()
        .map(|(_, v)| *v)
        .collect();
    assert_eq!(hours, [7.5, 7.5, 7.5]);
    assert_eq!(read.faults(), [(5, R::WrongUnit), (6, R::WrongUnit)]);
}

#[test]
fn a_night_below_two_hours_is_kept_and_flagged() {
    let read = metrics(
        "1,u,2024-03-01T06:00:00Z,SLEEP_DURATION,1.99,hours,w,\n\
         2,u,2024-03-02T06:00:00Z,SLEEP_DURATION,2,hours,w,\n",
    );
    let partial: Vec<bool> = read
        .records
        .iter()
        .map(|(_, record)| matches!(record, Record::HealthMetric(reading) if reading.is_partial()))
        .collect();
    assert_eq!(partial, [true, false]);
}

#[test]
fn every_wrong_row_is_told_with_its_line_and_the_rest_is_read() {
    let read = metrics(
        "1,u,2024-03-01T06:00:00Z,STEPS,100,,w,\n\
         2,u,2024-03-01T06:00:00Z,HEARTBEATS,100,,w,\n\
         3,u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,900,,w,\n\
         4,u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,NaN,,w,\n\
         5,u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,inf,,w,\n\
         6,u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,sixty,,w,\n\
         7,u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,,,w,\n\
         8,u,yesterday,RESTING_HEART_RATE,60,,w,\n\
         9,u,,RESTING_HEART_RATE,60,,w,\n\
         10,u,2033-03-01T06:00:00Z,RESTING_HEART_RATE,60,,w,\n\
         11,u,1970-01-01T00:00:00Z,RESTING_HEART_RATE,60,,w,\n\
         12,../u,2024-03-01T06:00:00Z,RESTING_HEART_RATE,60,,w,\n\
         13,,2024-03-01T06:00:00Z,RESTING_HEART_RATE,60,,w,\n\
         14,u,2024-03-01T06:00:00Z\n\
         15,u,2024-03-01T06:00:00Z,STEPS,200,,w,\n",
    );
    assert_eq!(read.records.len(), 2);
    let reasons = [
        R::UnknownWord,
        R::OutOfRange,
        R::NotFinite,
        R::BadNumber,
        R::BadTime,
        R::Empty,
        R::Future,
        R::TooOld,
        R::BadUser,
        R::Empty,
        R::WrongLength,
    ];
    // Lines 5 and 8, `NaN` and an empty cell, say "not measured".
    let lines = [3, 4, 6, 7, 9, 10, 11, 12, 13, 14, 15];
    let expected: Vec<(u64, R)> = lines.into_iter().zip(reasons).collect();
    assert_eq!(read.faults(), expected);
    for reject in &read.rejects {
        assert!(
            !reject.message.contains("900"),
            "no value in: {}",
            reject.message
        );
    }
}

#[test]
fn an_activity_that_ends_before_it_begins_is_refused() {
    let read = read_bytes(
        "activities.csv",
        "id,userId,activityType,startedAt,endedAt\n\
         1,u,RUNNING,2024-03-01T18:00:00Z,2024-03-01T17:00:00Z\n\
         2,u,FLYING,2024-03-01T18:00:00Z,2024-03-01T19:00:00Z\n",
    )
    .1;
    assert_eq!(read.faults(), [(2, R::Reversed)]);
    assert!(
        matches!(read.only(), Record::Activity(flight) if flight.activity_type == ActivityType::Other)
    );
}

#[test]
fn byte_order_mark_blank_lines_crlf_and_quoted_line_breaks_are_no_trouble() {
    let (report, read) = read_bytes(
        "meals.csv",
        "\u{feff}\"id\",userId,name,consumedAt,calories\r\n\
         m1,u,\"two\r\nlines\",2024-03-01T12:00:00Z,100\r\n\
         \r\n\
         m2,u, soup ,2024-03-01T18:00:00Z,x\r\n",
    );
    assert_eq!(report.rows_read, 2);
    assert_eq!(
        read.faults(),
        [(5, R::BadNumber)],
        "lines are those of the file"
    );
    assert_eq!(read.only().provenance().source_id, "m1");
}

#[test]
fn lines_are_counted_as_editors_count_them() {
    for (end, last) in [("\n", ""), ("\n", "\n"), ("\r\n", ""), ("\r\n", "\r\n")] {
        let rows = [
            "id,userId,recordedAt,metricType,value",
            "1,u,2024-03-01T06:00:00Z,STEPS,x",
            "",
            "",
            "2,u,2024-03-01T06:00:00Z,STEPS,\"y\"",
            "3,u,\"20\n24\n\",STEPS,1",
            "4,u,2024-03-01T06:00:00Z,STEPS,z",
        ];
        let text = rows.join(end) + last;
        let lines: Vec<u64> = read_bytes("x.csv", text)
            .1
            .rejects
            .iter()
            .map(|r| r.line)
            .collect();
        assert_eq!(lines, [2, 5, 6, 9], "{end:?} {last:?}");
    }
}

#[test]
fn half_a_line_at_the_end_is_told() {
    let read = metrics("1,u,2024-03-01T06:00:00Z,STEPS,100,,w,\n2,u,2024-03-02T06:0");
    assert_eq!(
        (read.records.len(), read.faults()),
        (1, vec![(3, R::WrongLength)])
    );
    let read = metrics("1,u,2024-03-01T06:00:00Z,STEPS,100,,w,");
    assert_eq!(read.records.len(), 1, "a last line without an end is whole");
}

#[test]
fn an_umlaut_of_a_spreadsheet_costs_no_row() {
    let mut bytes = b"id,userId,name,consumedAt,calories\n".to_vec();
    bytes.extend(b"m1,u,\"cr\xe8me, 5 \x80\",2024-03-01T12:00:00Z,100\n");
    bytes.extend("m2,u,crème,2024-03-01T18:00:00Z,100\n".bytes());
    // No letter of Windows-1252.
    bytes.extend(b"m3,u,\x81,2024-03-01T19:00:00Z,100\n");
    let (report, read) = read_bytes("meals.csv", bytes);
    assert_eq!(read.faults(), [(4, R::NotUtf8)]);
    let names: Vec<_> = read
        .meals()
        .iter()
        .map(|meal| meal.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["crème, 5 €", "crème"]);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("1 rows are not UTF-8"))
    );
}

#[test]
fn json_lines_tell_their_line_too() {
    let (report, read) = read_bytes(
        "records.jsonl",
        "{\"userId\":\"u\",\"recordedAt\":\"2024-03-01T06:00:00Z\",\"metricType\":\"STEPS\",\"value\":10}\n\
         \n\
         {\"userId\":\"u\",\"recordedAt\n\
         [1,2]\n\
         {\"userId\":\"u\",\"consumedAt\":\"2024-03-01T06:00:00Z\",\"calories\":\"250\",\"name\":null}\n\
         {\"userId\":\"u\",\"activityType\":\"RUNNING\",\"startedAt\":\"2024-03-01T06:00:00Z\",\"duration\":30}\n",
    );
    assert_eq!(report.rows_read, 5);
    assert_eq!(read.faults(), [(3, R::NotJson), (4, R::NotJson)]);
    assert_eq!(read.records.len(), 3);
}

#[test]
fn whose_a_table_without_a_user_column_is_can_be_told() {
    let folder = Folder::new();
    let path = folder.write(
        "health_metrics.csv",
        "recordedAt,metricType,value\n2024-03-01T06:00:00Z,STEPS,10\n",
    );
    let error = read_with(&path, &options()).unwrap_err().to_string();
    assert!(
        error.contains("userId") && error.contains("recordedAt"),
        "{error}"
    );
    let told = ImportOptions {
        user: Some(UserId::new("me").unwrap()),
        ..options()
    };
    let read = read_with(&path, &told).unwrap().1;
    assert_eq!(read.records[0].0, "me");
}

#[test]
fn one_person_of_many_can_be_picked() {
    let folder = Folder::new();
    let path = folder.write(
        "x.csv",
        format!(
            "{METRICS}1,a,2024-03-01T06:00:00Z,STEPS,100,,w,\n2,b,2024-03-01T06:00:00Z,STEPS,200,,w,\n"
        ),
    );
    let picked = ImportOptions {
        user: Some(UserId::new("b").unwrap()),
        ..options()
    };
    let (report, read) = read_with(&path, &picked).unwrap();
    assert_eq!(read.people, [("b".to_owned(), "UTC".to_owned())]);
    assert_eq!(report.skipped[&SkipReason::OtherUser], 1);
}

#[test]
fn local_days_are_those_of_the_zone_given() {
    let folder = Folder::new();
    let path = folder.write(
        "x.csv",
        format!("{METRICS}1,a,2024-03-01T23:30:00Z,STEPS,100,,w,\n"),
    );
    for (zone, day) in [("UTC", "2024-03-01"), ("Europe/Berlin", "2024-03-02")] {
        let zoned = ImportOptions {
            zone: Some(zone.parse().unwrap()),
            ..options()
        };
        let read = read_with(&path, &zoned).unwrap().1;
        assert_eq!(read.only().provenance().day.to_string(), day, "{zone}");
    }
}

#[test]
fn a_day_without_a_time_is_that_day_in_every_zone_and_known_when_it_is_over() {
    let folder = Folder::new();
    let path = folder.write("x.csv", format!("{METRICS}1,a,2024-03-01,STEPS,100,,w,\n"));
    for zone in ["UTC", "America/Los_Angeles", "Pacific/Auckland"] {
        let zone: vitalcast_domain::Zone = zone.parse().unwrap();
        let zoned = ImportOptions {
            zone: Some(zone),
            ..options()
        };
        let read = read_with(&path, &zoned).unwrap().1;
        let provenance = read.only().provenance();
        assert_eq!(provenance.day.to_string(), "2024-03-01");
        assert_eq!(provenance.known_at, zone.evening_of(provenance.day));
    }
}

#[test]
fn a_bulk_load_does_not_make_everything_known_on_one_day() {
    let rows: Vec<String> = (1..=20)
        .map(|day| format!("r{day},u,2024-03-{day:02}T06:00:00Z,STEPS,100,,w,2024-06-01T00:00:00Z"))
        .collect();
    let rows = rows.join("\n");
    let folder = Folder::new();
    let path = folder.write("x.csv", format!("{METRICS}{rows}"));
    let known = |known_at| {
        let chosen = ImportOptions {
            known_at,
            ..options()
        };
        let (report, read) = read_with(&path, &chosen).unwrap();
        (report.notes.len(), read.records[0].1.provenance().known_at)
    };
    let (happened, loaded) = (
        instant("2024-03-01T06:00:00Z"),
        instant("2024-06-01T00:00:00Z"),
    );
    assert_eq!(known(KnownAt::Auto), (1, happened), "and a note says so");
    assert_eq!(known(KnownAt::Created), (0, loaded));
    assert_eq!(known(KnownAt::Observed), (0, happened));
}

#[test]
fn rows_without_an_id_get_one_that_the_same_row_gets_again() {
    let rows = ",u,2024-03-01T12:00:00Z,STEPS,100,,w,\n\
                ,u,2024-03-01T12:00:00Z,STEPS,100,,w,\n\
                ,u,2024-03-01T12:00:00Z,STEPS,250,,w,\n\
                ,u,2024-03-01T12:00:00Z,ACTIVE_CALORIES,100,,w,\n\
                ,u,2024-03-01T12:00:00Z,STEPS,100,,other watch,\n";
    let (report, first) = read_bytes("x.csv", format!("{METRICS}{rows}"));
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let ids: Vec<&str> = first
        .records
        .iter()
        .map(|(_, record)| record.provenance().source_id.as_str())
        .collect();
    let moment = "2024-03-01T12:00:00+00:00";
    assert_eq!(ids, [moment, &format!("{moment}#2"), moment, moment]);
    assert_eq!(metrics(rows).records, first.records);
}

#[test]
fn detection_looks_at_the_first_line_only() {
    let folder = Folder::new();
    let options = ImportOptions {
        user: Some("una".parse().unwrap()),
        ..options()
    };
    for (name, text, format) in [
        (
            "a.csv",
            "user_id,recorded_at,metric_type,value\n",
            Format::REFERENCE_TABLES,
        ),
        (
            "b.jsonl",
            "{\"userId\":\"a\",\"consumedAt\":\"\"}\n",
            Format::REFERENCE_TABLES,
        ),
        ("c.csv", ",id,date,resting_hr,rmssd\n", Format::LIFESNAPS),
        ("UoM1.csv", "\u{feff}meal_ts,carbs_g\n", Format::T1D_UOM),
    ] {
        let (report, _) = read_with(&folder.write(name, text), &options).unwrap();
        assert_eq!(report.formats[0].format, format, "{name}");
    }
}

#[test]
fn the_zone_that_is_assumed_of_new_people_is_not_always_utc() {
    let folder = Folder::new();
    let table = "userId,recordedAt,metricType,value\nu,2025-02-02T23:30:00Z,STEPS,7200\n";
    let path = folder.write("x.csv", table);
    let assuming = |zone: Option<&str>, assumed: &str| ImportOptions {
        zone: zone.map(|zone| zone.parse().unwrap()),
        assumed_zone: Some(assumed.parse().unwrap()),
        ..options()
    };
    let berlin = read_with(&path, &assuming(None, "Europe/Berlin"))
        .unwrap()
        .1;
    assert_eq!(
        berlin.people,
        [("u".to_owned(), "Europe/Berlin".to_owned())]
    );
    assert_eq!(
        berlin.series(MetricType::Steps),
        [("2025-02-03".to_owned(), 7_200.0)]
    );
    let named = read_with(&path, &assuming(Some("America/New_York"), "Europe/Berlin"));
    assert_eq!(named.unwrap().1.people[0].1, "America/New_York");
}
