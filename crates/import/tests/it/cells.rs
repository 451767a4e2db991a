//! Cells as people have them: each test is named after what went wrong.

use crate::folder::{Folder, Read, day, instant, options, read_bytes, read_with};
use crate::tables::{DIARY, HEADER, meals, values};
use vitalcast_domain::{ActivityType, Intensity, MealType, MetricType as M, Record};
use vitalcast_import::{ImportOptions, RejectReason as R, SkipReason as S};

const WORKOUTS: &str =
    "userId,startedAt,endedAt,activityType,intensity,duration,caloriesBurned,averageHeartRate\n";

fn minutes(read: &Read) -> Vec<Option<f64>> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Activity(workout) => Some(workout.duration_minutes),
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        })
        .collect()
}

#[test]
fn words_for_not_measured_are_no_faults() {
    use std::fmt::Write as _;
    let words = [
        "NA",
        "N/A",
        "n/a",
        "NaN",
        "nan",
        "null",
        "none",
        "-",
        "--",
        "–",
        ".",
        "",
        "?",
        "<NA>",
        "\\N",
        "#DIV/0!",
        "missing",
        "not measured",
        "no data",
        "9999",
        "-999",
    ];
    let mut table = HEADER.to_owned();
    for (day, word) in words.iter().enumerate() {
        writeln!(
            table,
            "u,2025-03-{:02}T07:00:00Z,RESTING_HEART_RATE,{word},bpm",
            day + 1
        )
        .unwrap();
    }
    let (report, read) = read_bytes("x.csv", table);
    assert_eq!(report.skipped[&S::Missing], words.len() as u64);
    assert!(read.rejects.is_empty() && read.records.is_empty());
}

#[test]
fn a_watch_that_was_not_worn_measured_no_zeros() {
    let metrics = [
        "HEART_RATE_VARIABILITY_SDNN",
        "RESTING_HEART_RATE",
        "RECOVERY_SCORE",
        "SLEEP_SCORE",
        "SLEEP_DURATION",
        "TOTAL_CALORIES",
    ];
    let rows = metrics
        .map(|metric| format!("flo,2025-03-02T07:00:00Z,{metric},0,\n"))
        .concat();
    let (report, read) = read_bytes(
        "x.csv",
        format!(
            "{HEADER}{rows}flo,2025-03-02T21:00:00Z,STEPS,0,count\n\
        flo,2025-03-02T07:00:00Z,RESTING_HEART_RATE,255,bpm\nflo,2025-03-02T07:00:00Z,SLEEP_DURATION,65535,min\n\
        flo,2025-03-02T07:00:00Z,SLEEP_DURATION,255,min\nflo,2025-03-02T07:00:00Z,OXYGEN_SATURATION,-1,%\n\
        flo,2025-03-02T07:00:00Z,HEART_RATE_VARIABILITY_RMSSD,255,ms\n"
        ),
    );
    assert_eq!(report.skipped[&S::Missing], 9);
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    assert_eq!(values(&read, M::Steps), [0.0]);
    assert_eq!(
        values(&read, M::SleepDuration),
        [4.25],
        "255 minutes are a night"
    );
    assert_eq!(
        values(&read, M::HeartRateVariabilityRmssd),
        [255.0],
        "a fault of a sensor, told apart later"
    );
}

#[test]
fn distances_of_workouts_have_units_and_minutes_stay_minutes() {
    let distance = |header: &str, cell: &str| {
        let table = format!(
            "userId,activityType,startedAt,duration,{header}\n\
             abe,RUNNING,2025-03-01T07:00:00Z,45m,{cell}\n"
        );
        let read = read_bytes("x.csv", table).1;
        assert!(read.rejects.is_empty(), "{header} {cell}");
        let runs = read.workouts();
        assert_eq!(runs[0].duration_minutes, Some(45.0), "{header} {cell}");
        runs[0].distance_m
    };
    for (header, cell) in [
        ("distance", "5200"),
        ("distance", "5200 m"),
        ("distance", "5.2 km"),
        ("distance", "\"5,2 km\""),
        ("distanceKm", "5.2"),
        ("Distance (km)", "5.2"),
        ("distance_m", "5200"),
    ] {
        assert_eq!(distance(header, cell), Some(5_200.0), "{header} {cell}");
    }
    assert_eq!(distance("distance", "3 miles"), Some(3.0 * 1_609.344));
    assert_eq!(distance("Distance [mi]", "3"), Some(3.0 * 1_609.344));
    // A night of minutes is no length.
    let table = format!("{HEADER}abe,2025-03-01T07:00:00Z,SLEEP_DURATION,450m,\n");
    let read = read_bytes("x.csv", table).1;
    assert_eq!(read.series(M::SleepDuration), [day("2025-03-01", 7.5)]);
}

#[test]
fn units_as_vendors_write_them_are_read() {
    let table = format!(
        "{HEADER}\
        abe,2025-03-01T21:00:00Z,ACTIVE_CALORIES,1255.2,kJ\n\
        abe,2025-03-02T21:00:00Z,ACTIVE_CALORIES,1255.2,kilojoule\n\
        abe,2025-03-03T21:00:00Z,ACTIVE_CALORIES,300,kilocalorie\n\
        abe,2025-03-04T21:00:00Z,ACTIVE_CALORIES,300 kcal,\n\
        abe,2025-03-05T21:00:00Z,ACTIVE_CALORIES,300000,small calories\n\
        abe,2025-03-01T07:00:00Z,RESTING_HEART_RATE,57,beats/minute\n\
        abe,2025-03-02T07:00:00Z,RESTING_HEART_RATE,59,1/min\n\
        abe,2025-03-03T07:00:00Z,RESTING_HEART_RATE,0.95,count/s\n\
        abe,2025-03-01T07:00:00Z,SLEEP_DURATION,7:12,h\n\
        abe,2025-03-02T07:00:00Z,SLEEP_DURATION,7h 12m,\n\
        abe,2025-03-03T07:00:00Z,SLEEP_DURATION,PT7H12M,h\n\
        abe,2025-03-04T07:00:00Z,SLEEP_DURATION,7:12:00,min\n\
        abe,2025-03-05T07:00:00Z,SLEEP_DURATION,432,\n\
        abe,2025-03-06T07:00:00Z,SLEEP_DURATION,7:12,min\n\
        abe,2025-03-07T07:00:00Z,SLEEP_DURATION,7:12,hh:mm\n\
        abe,2025-03-08T07:00:00Z,SLEEP_DURATION,7h12,\n\
        abe,2025-03-09T07:00:00Z,SLEEP_DURATION,\"7,2\",Stunden\n\
        abe,2025-03-01T08:00:00Z,BLOOD_GLUCOSE,5.5,mmol<180.1558800000541>/L\n\
        abe,2025-03-01T07:00:00Z,OXYGEN_SATURATION,0.97,fraction\n\
        abe,2025-03-02T07:00:00Z,OXYGEN_SATURATION,0.97,%\n\
        abe,2025-03-03T07:00:00Z,OXYGEN_SATURATION,97 %,\n\
        abe,2025-03-01T07:00:00Z,SKIN_TEMPERATURE,-0.3,degC\n"
    );
    let read = read_bytes("x.csv", table).1;
    for (metric, expected) in [
        (M::ActiveCalories, &[300.0; 4][..]),
        (M::RestingHeartRate, &[57.0, 59.0, 57.0]),
        (M::SleepDuration, &[7.2; 7]),
        (M::BloodGlucose, &[99.0858]),
        (M::OxygenSaturation, &[97.0, 97.0]),
        (M::SkinTemperature, &[]),
    ] {
        let found = values(&read, metric);
        let near = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(near),
            "{metric}: {found:?}"
        );
    }
    let faults: Vec<R> = read.rejects.iter().map(|reject| reject.reason).collect();
    assert_eq!(
        faults,
        [
            R::WrongUnit,
            R::OutOfRange,
            R::BadNumber,
            R::OutOfRange,
            R::OutOfRange
        ]
    );
}

#[test]
fn clocks_of_twelve_hours_with_narrow_spaces_are_read() {
    let table = "{\"userId\":\"kim\",\"recordedAt\":\"2025-02-02 6:30:00\u{202f}am +0100\",\"metricType\":\"RESTING_HEART_RATE\",\"value\":57}\n\
                 {\"userId\":\"kim\",\"recordedAt\":\"2025-02-03 6:45:00\u{202f}pm +0100\",\"metricType\":\"RESTING_HEART_RATE\",\"value\":59}\n";
    let read = read_bytes("x.jsonl", table).1;
    let times: Vec<_> = read
        .records
        .iter()
        .map(|(_, record)| record.provenance().observed_at)
        .collect();
    assert_eq!(
        times,
        [
            instant("2025-02-02T05:30:00Z"),
            instant("2025-02-03T17:45:00Z")
        ]
    );
}

#[test]
fn times_at_the_edges_of_the_clock_and_the_calendar_are_read_or_refused() {
    let row = |time: &str| format!("mo,{time},RESTING_HEART_RATE,50,bpm\n");
    let times = [
        "2024-02-28T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2023-02-29T07:05:00Z",
        "03/14/2024 07:05",
        "2024-03-15 7:05",
        "2024-03-16T07:05:00.123456789+05:30",
        "1710572700",
        "1710659100000",
        "04/03/2024 07:05",
    ];
    let (report, read) = read_bytes("x.csv", format!("{HEADER}{}", times.map(row).concat()));
    let found: Vec<String> = read
        .records
        .iter()
        .map(|(_, record)| record.provenance().observed_at.to_rfc3339())
        .collect();
    assert_eq!(
        found,
        [
            "2024-02-29T00:00:00+00:00",
            "2017-01-01T00:00:00+00:00",
            "2024-03-14T07:05:00+00:00",
            "2024-03-15T07:05:00+00:00",
            "2024-03-16T01:35:00.123456+00:00",
            "2024-03-16T07:05:00+00:00",
            "2024-03-17T07:05:00+00:00",
            "2024-04-03T07:05:00+00:00"
        ]
    );
    assert_eq!(read.faults(), [(4, R::BadTime)]);
    assert!(
        report.notes[0].contains("the month first"),
        "{:?}",
        report.notes
    );
    let read = read_bytes("x.csv", format!("{HEADER}{}", row("03/04/2024 07:05"))).1;
    assert_eq!(read.faults(), [(2, R::BadTime)]);
    assert!(
        read.rejects[0].message.contains("day or the month"),
        "{}",
        read.rejects[0].message
    );
}

#[test]
fn energy_in_kilojoules_is_energy() {
    let header = DIARY.replace("calories", "energyKj");
    let read = read_bytes(
        "meals.csv",
        format!("{header}gil,2025-04-06T07:20:00Z,oats,breakfast,1464,12,55,7\n"),
    )
    .1;
    assert!((meals(&read)[0].1.unwrap() - 1464.0 / 4.184).abs() < 1e-9);
    let both = DIARY.replace("fat", "kilojoules");
    let read = read_bytes("meals.csv", format!("{both}gil,2025-04-06T07:20:00Z,oats,breakfast,350 kcal,12,55,99\n\
        gil,2025-04-06T12:20:00Z,rice,lunch,418.4 kJ,12,55,\ngil,2025-04-06T19:20:00Z,soup,dinner,,12,55,836.8\n")).1;
    let energies: Vec<f64> = meals(&read)
        .into_iter()
        .map(|(_, energy)| energy.unwrap().round())
        .collect();
    assert_eq!(energies, [350.0, 100.0, 200.0], "calories come first");
}

#[test]
fn durations_in_seconds_are_told_by_start_and_end() {
    let workout = |duration: &str| {
        format!("xia,2025-09-07T17:00:00Z,2025-09-07T17:45:00Z,RUNNING,,{duration},,\n")
    };
    for (duration, expected) in [
        ("2700", 45.0),
        ("2700000", 45.0),
        ("0.75", 45.0),
        ("45", 45.0),
        ("44.5", 44.5),
        ("30", 30.0),
        ("2400", 40.0),
        ("45 min", 45.0),
        ("0:45", 45.0),
        ("45:00", 45.0),
        ("00:45:00", 45.0),
        ("PT45M", 45.0),
        ("", 45.0),
    ] {
        let read = read_bytes("a.csv", format!("{WORKOUTS}{}", workout(duration))).1;
        assert_eq!(minutes(&read), [Some(expected)], "{duration}");
    }
    let read = read_bytes("a.csv", format!("{WORKOUTS}{}", workout("600"))).1;
    assert_eq!(minutes(&read), [Some(10.0)], "with breaks");
    let read = read_bytes("a.csv", format!("{WORKOUTS}{}", workout("100"))).1;
    assert_eq!(read.faults(), [(2, R::Contradiction)]);
    assert_eq!(minutes(&read), [None], "the row is kept");
    // A column says its unit, too.
    for (column, duration) in [
        ("durationSeconds", "2700"),
        ("duration_h", "0.75"),
        ("Duration (min)", "45"),
    ] {
        let table = format!(
            "userId,startedAt,activityType,{column}\nxia,2025-09-07T17:00:00Z,RUNNING,{duration}\n"
        );
        assert_eq!(
            minutes(&read_bytes("a.csv", table).1),
            [Some(45.0)],
            "{column}"
        );
    }
    // The other rows say what the unit is.
    let open = "xia,2025-09-08T17:00:00Z,,RUNNING,,1800,,\n";
    let (report, read) = read_bytes("a.csv", format!("{WORKOUTS}{}{open}", workout("2700")));
    assert_eq!(minutes(&read), [Some(45.0), Some(30.0)]);
    assert!(report.notes[0].contains("in seconds"), "{:?}", report.notes);
}

#[test]
fn durations_without_an_end_that_would_be_days_long_are_seconds_or_refused() {
    const HEAD: &str = "userId,startedAt,activityType,duration\n";
    let table = |durations: &[&str]| {
        let row = |(day, duration): (usize, &&str)| {
            format!("xia,2025-09-{:02}T17:00:00Z,RUNNING,{duration}\n", day + 1)
        };
        HEAD.to_owned() + &durations.iter().enumerate().map(row).collect::<String>()
    };
    let (report, read) = read_bytes("a.csv", table(&["2700", "1800", "3600"]));
    assert_eq!(minutes(&read), [Some(45.0), Some(30.0), Some(60.0)]);
    assert!(report.notes[0].contains("in seconds"), "{:?}", report.notes);
    let read = read_bytes("a.csv", table(&["2700000", "1800000"])).1;
    assert_eq!(minutes(&read), [Some(45.0), Some(30.0)]);
    // One that is out of line among minutes.
    let read = read_bytes("a.csv", table(&["45", "30", "2700"])).1;
    assert_eq!(minutes(&read), [Some(45.0), Some(30.0), None]);
    assert_eq!(read.faults(), [(4, R::Contradiction)]);
    // A long day in the mountains is in minutes.
    let read = read_bytes("a.csv", table(&["600", "540"])).1;
    assert_eq!(minutes(&read), [Some(600.0), Some(540.0)]);
}

#[test]
fn a_duration_that_contradicts_start_and_end_is_refused_in_a_column_of_minutes() {
    let (_, read) = read_bytes(
        "activities.csv",
        "userId,startedAt,endedAt,activityType,duration\n\
         u,2025-09-08T07:00:00Z,2025-09-08T07:45:00Z,Running,45\n\
         u,2025-09-09T18:00:00Z,2025-09-09T18:30:00Z,Yoga,300\n",
    );
    // 300 seconds would be five minutes of thirty: but the column is in minutes.
    assert_eq!(minutes(&read), [Some(45.0), None]);
    assert_eq!(read.faults(), [(3, R::Contradiction)]);
}

#[test]
fn a_workout_while_clocks_are_put_forward_is_not_an_hour_longer() {
    let table = format!("{WORKOUTS}pia,2025-03-29 23:40,2025-03-30 03:10,HIKING,,,,\n");
    let options = ImportOptions {
        zone: Some("Europe/Berlin".parse().unwrap()),
        ..options()
    };
    let folder = Folder::new();
    let path = folder.write("a.csv", table);
    let read = read_with(&path, &options).unwrap().1;
    assert_eq!(minutes(&read), [Some(150.0)]);
}

#[test]
fn words_of_vendors_for_sports_and_intensities_are_known() {
    let words = [
        ("1", "Weight Training,hard"),
        ("2", "HKWorkoutActivityTypeRunning,Light"),
        ("3", "Outdoor Run,peak"),
        ("4", "Quidditch,turbo"),
    ];
    let rows = words
        .map(|(day, words)| format!("u,2025-09-0{day}T17:00:00Z,,{words},30,0,0\n"))
        .concat();
    let (report, read) = read_bytes("a.csv", format!("{WORKOUTS}{rows}"));
    let found: Vec<_> = read
        .records
        .iter()
        .map(|(_, record)| match record {
            Record::Activity(workout) => {
                assert_eq!(
                    (workout.average_heart_rate, workout.energy_kcal),
                    (None, Some(0.0))
                );
                (workout.activity_type, workout.intensity)
            }
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => panic!(),
        })
        .collect();
    assert_eq!(
        found,
        [
            (ActivityType::WeightTraining, Some(Intensity::High)),
            (ActivityType::Running, Some(Intensity::Low)),
            (ActivityType::Running, Some(Intensity::Maximum)),
            (ActivityType::Other, None),
        ]
    );
    assert!(read.rejects.is_empty());
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    assert!(
        report.notes[0].contains("1 activities"),
        "{:?}",
        report.notes
    );
}

#[test]
fn meals_of_an_unknown_type_have_none() {
    let (report, read) = read_bytes(
        "meals.csv",
        format!(
            "{DIARY}u,2025-04-06T07:20:00Z,oats,Second breakfast,1,,,\n\
        u,2025-04-06T17:20:00Z,tea,Elevenses,1,,,\n"
        ),
    );
    let types: Vec<_> = read
        .records
        .iter()
        .map(|(_, record)| match record {
            Record::Meal(meal) => meal.meal_type,
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => panic!(),
        })
        .collect();
    assert_eq!(types, [Some(MealType::Breakfast), None]);
    assert!(report.notes[0].contains("1 meals"), "{:?}", report.notes);
}

#[test]
fn one_bad_cell_costs_one_cell() {
    let (report, read) = read_bytes(
        "meals.csv",
        format!("{DIARY}u,2025-04-06T07:20:00Z,oats,breakfast,abc,12,NA,99999\n"),
    );
    assert_eq!(read.faults(), [(2, R::BadNumber), (2, R::OutOfRange)]);
    assert_eq!(report.skipped[&S::Missing], 1);
    let Record::Meal(meal) = read.only() else {
        panic!()
    };
    assert_eq!(
        (meal.energy_kcal, meal.protein_g, meal.carbs_g, meal.fat_g),
        (None, Some(12.0), None, None)
    );
    let read = read_bytes(
        "a.csv",
        format!("{WORKOUTS}u,2025-09-01T17:00:00Z,soon,RUNNING,,30,x,900\n"),
    )
    .1;
    assert_eq!(
        read.faults(),
        [(2, R::BadTime), (2, R::BadNumber), (2, R::OutOfRange)]
    );
    assert_eq!(minutes(&read), [Some(30.0)]);
}

#[test]
fn row_numbers_are_no_ids() {
    let sheet = |month: u8, first: u8| {
        let rows = [0, 1, 2].map(|row| {
            let (id, day) = (row + first, row + 5);
            format!("{id},hal,2025-0{month}-0{day}T07:00:00Z,RESTING_HEART_RATE,5{row},bpm\n")
        });
        let rows = rows.concat();
        read_bytes("x.csv", format!("id,{HEADER}{rows}"))
    };
    let (report, january) = sheet(1, 1);
    let february = sheet(2, 0).1;
    let ids = |read: &Read| -> Vec<String> {
        read.records
            .iter()
            .map(|(_, r)| r.provenance().source_id.clone())
            .collect()
    };
    assert_eq!(ids(&january)[0], "2025-01-05T07:00:00+00:00");
    assert!(ids(&january).iter().all(|id| !ids(&february).contains(id)));
    assert!(
        report.notes[0].contains("row numbers"),
        "{:?}",
        report.notes
    );
    // Also a part of a sheet, and one in which rows were left out.
    assert_eq!(ids(&sheet(1, 100).1), ids(&january));
    let some = format!(
        "id,{HEADER}1,hal,2025-03-05T07:00:00Z,RESTING_HEART_RATE,58,bpm\n\
         3,hal,2025-03-06T07:00:00Z,RESTING_HEART_RATE,59,bpm\n\
         4,hal,2025-03-07T07:00:00Z,RESTING_HEART_RATE,60,bpm\n"
    );
    assert_eq!(
        ids(&read_bytes("x.csv", some).1)[1],
        "2025-03-06T07:00:00+00:00"
    );
    // Numbers of a database of many people are far apart.
    let far = format!(
        "id,{HEADER}4812,hal,2025-03-05T07:00:00Z,RESTING_HEART_RATE,58,bpm\n\
         4907,hal,2025-03-06T07:00:00Z,RESTING_HEART_RATE,59,bpm\n"
    );
    assert_eq!(ids(&read_bytes("x.csv", far).1), ["4812", "4907"]);
}

#[test]
fn the_last_rows_of_a_table_that_was_imported_whole_are_the_same_records() {
    let table = |rows: std::ops::RangeInclusive<u32>| {
        let row = |id| {
            format!(
                "{id},hal,2025-01-{id:02}T21:00:00Z,STEPS,{},count\n",
                5_000 + id
            )
        };
        let rows: String = rows.map(row).collect();
        let read = read_bytes("x.csv", format!("id,{HEADER}{rows}")).1;
        let ids = read
            .records
            .iter()
            .map(|(_, r)| r.provenance().source_id.clone());
        ids.collect::<Vec<_>>()
    };
    let (whole, last) = (table(1..=20), table(18..=20));
    assert_eq!(last, whole[17..]);
    assert_eq!(table(20..=20), whole[19..]);
}

#[test]
fn a_diary_pasted_twice_counts_once_and_the_order_of_foods_does_not_matter() {
    let food = |name: &str, calories: u32| {
        format!("tea,2025-07-06T12:30:00Z,{name},lunch,{calories},7,,\n")
    };
    let (bread, soup) = (food("bread", 220), food("soup", 180));
    let (report, read) = read_bytes("meals.csv", format!("{DIARY}{bread}{soup}{bread}{soup}"));
    assert_eq!(
        meals(&read),
        [
            ("bread".to_owned(), Some(220.0)),
            ("soup".to_owned(), Some(180.0))
        ]
    );
    assert_eq!(report.skipped[&S::Repeated], 2);
    let ids = |rows: String| -> Vec<(String, String)> {
        let mut ids: Vec<_> = read_bytes("meals.csv", format!("{DIARY}{rows}"))
            .1
            .records
            .iter()
            .map(|(_, record)| match record {
                Record::Meal(meal) => (
                    meal.name.clone().unwrap(),
                    meal.provenance.source_id.clone(),
                ),
                Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => panic!(),
            })
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(format!("{bread}{soup}")), ids(format!("{soup}{bread}")));
    let twice = ids(format!("{bread}{}", food("bread", 110)));
    assert_eq!(twice.len(), 2, "two different breads are two");
    assert!(twice[1].1.ends_with("bread#2"), "{twice:?}");
    let long = "x".repeat(300);
    assert_eq!(ids(food(&long, 1)).len(), 1, "a long name makes no long id");
}

const DAYS: &str = "id,date,resting_hr,rmssd,minutesAsleep,steps,bpm,sedentary_minutes\n";

#[test]
fn cells_of_a_daily_table_that_say_not_measured_are_counted_once() {
    let (report, read) = read_bytes(
        "daily.csv",
        format!(
            "{DAYS}\
        a,2021-06-01,61.2,NaN,410,7200,72,700\na,2021-06-02,NA,41.0,NA,3100,74,800\na,2021-06-03,61.9,40.1,420,-,71,650\n"
        ),
    );
    assert_eq!(report.skipped[&S::Missing], 4);
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    let read = read_bytes(
        "daily.csv",
        format!("{DAYS}a,2021-06-01,61.2,40,410,x,72,700\n"),
    )
    .1;
    assert_eq!(read.faults(), [(2, R::BadNumber)], "one cell is one fault");
}

#[test]
fn a_day_in_two_rows_that_complete_each_other_is_whole() {
    let (report, read) = read_bytes(
        "daily.csv",
        format!(
            "{DAYS}\
        a,2021-06-02,,0,0,3100,74,800\na,2021-06-02,62.4,38.5,432,,,\na,2021-06-02,62.4,38.5,432,,,\n"
        ),
    );
    for (metric, value) in [
        (M::RestingHeartRate, 62.4),
        (M::HeartRateVariabilityRmssd, 38.5),
        (M::SleepDuration, 7.2),
        (M::Steps, 3_100.0),
    ] {
        assert_eq!(values(&read, metric), [value], "{metric}");
    }
    assert_eq!(report.skipped[&S::Repeated], 1);
    assert_eq!(
        report.notes.len(),
        1,
        "only that of the zone: {:?}",
        report.notes
    );
}
