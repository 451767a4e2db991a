//! Tables as people have them: each test is named after what went wrong.

use crate::folder::{Folder, Read, instant, options, read, read_bytes, read_with};
use vitalcast_domain::{ActivityType, Intensity, MealType, MetricType as M, Record};
use vitalcast_import::{ImportReport, RejectReason as R, SkipReason as S};

const HEADER: &str = "userId,recordedAt,metricType,value,unit\n";
const DIARY: &str = "userId,consumedAt,name,mealType,calories,protein,carbs,fat\n";
const WORKOUTS: &str =
    "userId,startedAt,endedAt,activityType,intensity,duration,caloriesBurned,averageHeartRate\n";

fn values(read: &Read, metric: M) -> Vec<f64> {
    read.series(metric)
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}

/// Readings of resting heart rate in a file of this content.
#[track_caller]
fn check_rates(name: &str, bytes: impl AsRef<[u8]>, expected: &[f64]) -> ImportReport {
    let (report, read) = read_bytes(name, bytes);
    assert_eq!(
        values(&read, M::RestingHeartRate),
        expected,
        "{:?}",
        read.rejects
    );
    report
}

fn meals(read: &Read) -> Vec<(String, Option<f64>)> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Meal(meal) => Some((meal.name.clone().unwrap_or_default(), meal.energy_kcal)),
            Record::Activity(_) | Record::HealthMetric(_) => None,
        })
        .collect()
}

fn minutes(read: &Read) -> Vec<Option<f64>> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Activity(workout) => Some(workout.duration_minutes),
            Record::Meal(_) | Record::HealthMetric(_) => None,
        })
        .collect()
}

const RATES: [&str; 3] = [
    "userId,recordedAt,metricType,value,unit",
    "una,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57,bpm",
    "una,2025-02-03T06:30:00Z,RESTING_HEART_RATE,58,bpm",
];

#[test]
fn lines_that_end_with_a_carriage_return_only_are_lines() {
    for end in ["\r", "\n", "\r\n", "\r\r\n"] {
        check_rates("x.csv", RATES.join(end), &[57.0, 58.0]);
        check_rates("x.csv", RATES.join(end) + end, &[57.0, 58.0]);
    }
    let bad = [
        "userId,recordedAt,metricType,value",
        "u,x,STEPS,1",
        "",
        "u,y,STEPS,1",
    ];
    let read = read_bytes("x.csv", bad.join("\r")).1;
    assert_eq!(read.faults(), [(2, R::BadTime), (4, R::BadTime)]);
}

#[test]
fn semicolons_tabs_and_bars_separate_cells_too_and_decimal_commas_are_decimals() {
    for delimiter in [";", "\t", "|"] {
        let rows = [
            "userId,recordedAt,metricType,value,unit",
            "han,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57.5,bpm",
            "han,2025-02-03T06:30:00Z,RESTING_HEART_RATE,58.25,bpm",
        ];
        let table = rows.map(|row| row.replace(',', delimiter).replace('.', ","));
        check_rates("x.csv", table.join("\n"), &[57.5, 58.25]);
    }
    // Between commas a decimal comma stands in quotes.
    let quoted = format!("{HEADER}han,2025-02-02T06:30:00Z,RESTING_HEART_RATE,\"57,5\",bpm\n");
    check_rates("x.csv", quoted, &[57.5]);
    // The names and the rows may be separated by different marks.
    let mixed = format!("{HEADER}han;2025-02-02T06:30:00Z;RESTING_HEART_RATE;57,5;bpm\n");
    check_rates("x.csv", mixed, &[57.5]);
}

#[test]
fn steps_that_a_spreadsheet_grouped_with_dots_are_thousands() {
    let rows = "jan,2025-02-02T22:00:00Z,STEPS,9.214,count\n\
                jan,2025-02-03T22:00:00Z,STEPS,804,count\n\
                jan,2025-02-02T22:00:00Z,TOTAL_CALORIES,2.341,kcal\n\
                jan,2025-02-03T22:00:00Z,TOTAL_CALORIES,2.507,kcal\n";
    let (report, read) = read_bytes("x.csv", format!("{HEADER}{rows}"));
    assert_eq!(values(&read, M::Steps), [9_214.0, 804.0]);
    assert_eq!(values(&read, M::TotalCalories), [2_341.0, 2_507.0]);
    assert!(
        report.notes[0].contains("STEPS, TOTAL_CALORIES"),
        "{:?}",
        report.notes
    );
    let (_, read) = read_bytes(
        "x.csv",
        format!(
            "{}{}",
            HEADER.replace(',', ";"),
            rows.replace(',', ";").replace('.', ",")
        ),
    );
    assert_eq!(values(&read, M::Steps), [9_214.0, 804.0], "with commas");
}

#[test]
fn steps_that_may_be_grouped_or_not_are_refused_with_the_reason() {
    let (_, read) = read_bytes(
        "x.csv",
        format!(
            "{HEADER}jan,2025-02-02T22:00:00Z,STEPS,9.214,count\n\
             jan,2025-02-03T22:00:00Z,STEPS,9214,count\n\
             jan,2025-02-03T22:00:00Z,RESTING_HEART_RATE,57.123,bpm\n"
        ),
    );
    assert_eq!(read.faults(), [(2, R::BadNumber)]);
    assert!(read.rejects[0].message.contains("group thousands"));
    assert_eq!(values(&read, M::Steps), [9_214.0]);
    assert_eq!(values(&read, M::RestingHeartRate), [57.123]);
}

#[test]
fn small_samples_of_energy_are_no_thousands() {
    use std::fmt::Write as _;
    let mut table = HEADER.to_owned();
    for minute in 10..40 {
        writeln!(
            table,
            "jan,2025-02-02T22:{minute}:00Z,ACTIVE_CALORIES,1.2{minute},kcal"
        )
        .unwrap();
    }
    let (report, read) = read_bytes("x.csv", table);
    assert_eq!(values(&read, M::ActiveCalories)[0], 1.21);
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

#[test]
fn numbers_with_both_separators_are_read_as_they_say() {
    let (_, read) = read_bytes(
        "x.csv",
        format!(
            "{HEADER}jan,2025-02-02T22:00:00Z,TOTAL_CALORIES,\"2,341.5\",kcal\n\
             jan,2025-02-03T22:00:00Z,TOTAL_CALORIES,\"2.507,5\",kcal\n\
             jan,2025-02-04T22:00:00Z,TOTAL_CALORIES,2 608,kcal\n"
        ),
    );
    assert_eq!(values(&read, M::TotalCalories), [2_341.5, 2_507.5, 2_608.0]);
}

#[test]
fn a_quote_that_is_never_closed_costs_its_row_only() {
    let quoted = "u,2025-03-02T12:00:00Z,\"Oats, with berries\",breakfast,500,,,\n";
    for open in [
        "u,2025-03-01T12:00:00Z,\"soup,lunch,100,,,\n",
        "u,2025-03-01T12:00:00Z,soup,lunch,100,,,\"\n",
        "\"u,2025-03-01T12:00:00Z,soup,lunch,100,,,\n",
    ] {
        let table =
            format!("{DIARY}{quoted}{open}{quoted}u,2025-03-04T12:00:00Z,stew,dinner,x,2,,\n");
        let read = read_bytes("meals.csv", table.replacen("03-02", "03-01", 1)).1;
        assert_eq!(
            read.faults(),
            [(3, R::OpenQuote), (5, R::BadNumber)],
            "{open}"
        );
        assert_eq!(read.records.len(), 3, "{open}");
    }
    // Also if no other quote follows, however long the file is.
    let rows = "u,2025-03-02T12:00:00Z,tea,snack,5,,,\n".repeat(20_000);
    let table = format!("{DIARY}u,2025-03-01T12:00:00Z,\"soup,lunch,100,,,\n{rows}");
    let (report, read) = read_bytes("meals.csv", table);
    assert_eq!(read.faults(), [(2, R::OpenQuote)]);
    assert_eq!(report.skipped[&S::Repeated], 19_999);
}

#[test]
fn a_line_break_within_quotes_is_part_of_its_cell() {
    let table =
        format!("{DIARY}u,2025-03-01T12:00:00Z,\"soup\n\"\"hot\"\"\n, and bread\",lunch,100,,,\n");
    let read = read_bytes("meals.csv", table).1;
    assert_eq!(
        meals(&read),
        [("soup\n\"hot\"\n, and bread".to_owned(), Some(100.0))]
    );
}

#[test]
fn a_comma_after_the_last_cell_says_nothing() {
    let table = format!(
        "{HEADER}yve,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57,bpm,\n\
                         yve,2025-02-03T06:30:00Z,RESTING_HEART_RATE,58,bpm,,\n\
                         yve,2025-02-04T06:30:00Z,RESTING_HEART_RATE,59,bpm,x\n"
    );
    let read = read_bytes("x.csv", table).1;
    assert_eq!(values(&read, M::RestingHeartRate), [57.0, 58.0]);
    assert_eq!(read.faults(), [(4, R::WrongLength)]);
}

#[test]
fn cells_that_a_spreadsheet_left_out_at_the_end_are_empty() {
    let table = format!(
        "{HEADER}yve,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57\n\
                         yve,2025-02-03T06:30:00Z,RESTING_HEART_RATE\n,,,,\n\
                         yve,2025-02-04T06:30:00Z,RESTING_HEART_RATE,5"
    );
    let read = read_bytes("x.csv", table).1;
    assert_eq!(values(&read, M::RestingHeartRate), [57.0]);
    assert_eq!(
        read.faults(),
        [(3, R::WrongLength), (5, R::WrongLength)],
        "half a line is no row"
    );
}

#[test]
fn lines_before_the_names_of_the_columns_are_passed_over() {
    for lines in [
        "shealth.export,20,count\n",
        "# made by hand\n\n",
        "sep=,\n",
        "My export\n\n2025\n",
    ] {
        let table = format!("{lines}{}\nyve,x,STEPS,1,\n", RATES.join("\n"));
        let read = read_bytes("x.csv", table).1;
        assert_eq!(values(&read, M::RestingHeartRate), [57.0, 58.0], "{lines}");
        let line = 4 + lines.matches('\n').count() as u64;
        assert_eq!(read.faults(), [(line, R::BadTime)], "{lines}");
    }
}

#[test]
fn utf_16_is_decoded() {
    let text = format!("\u{feff}{}", RATES.join("\r\n"));
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        check_rates("x.csv", &bytes, &[57.0, 58.0]);
        check_rates("x.csv", &bytes[2..], &[57.0, 58.0]);
    }
}

const OBJECTS: [&str; 2] = [
    r#"{"userId":"wim","recordedAt":"2025-02-02T06:30:00Z","metricType":"RESTING_HEART_RATE","value":57}"#,
    r#"{"userId":"wim","recordedAt":"2025-02-03T06:30:00Z","metricType":"RESTING_HEART_RATE","value":58}"#,
];

#[test]
fn json_is_read_however_it_is_laid_out_and_named() {
    let [first, second] = OBJECTS;
    for text in [
        format!("{first}\n{second}\n"),
        format!("{first},\n{second},\n"),
        format!("[{first},\n {second}]\n"),
        format!("[{first},{second}]"),
        format!("\u{feff}[\n{first}\n,\n{second}\n]"),
        format!("{{\"data\":[{first},{second}]}}"),
        format!(
            "{{\"meta\":{{\"rows\":2,\"names\":[\"a\"]}},\n\"export\":{{\"data\":[\n{first},\n{second}]}}}}"
        ),
        format!(
            "{}\n{}",
            first.replace(',', ",\n  "),
            second.replace(',', ",\n  ")
        ),
        format!(
            "[{}]",
            [first, second]
                .join(",")
                .replace(',', " ,\n\t")
                .replace('{', "{\n")
        ),
    ] {
        for name in ["x.json", "x.jsonl", "x.csv", "upload"] {
            check_rates(name, &text, &[57.0, 58.0]);
        }
    }
}

#[test]
fn lists_of_different_records_in_one_object_are_all_read() {
    let text = format!(
        "{{\"health_metrics\":[{}],\"meals\":[{{\"userId\":\"wim\",\"consumedAt\":\"2025-02-02T12:00:00Z\",\
         \"calories\":300,\"foods\":[{{\"name\":\"x\"}}]}}]}}",
        OBJECTS.join(",")
    );
    let read = read_bytes("x.json", text).1;
    assert_eq!((read.records.len(), meals(&read).len()), (3, 1));
}

#[test]
fn a_broken_object_costs_its_row_only_and_its_line_is_named() {
    let [first, second] = OBJECTS;
    for (broken, line) in [
        ("{\"userId\":\"wim\",\"value\":57", 2),
        ("{\"userId\":\"wim,\"value\":57},", 2),
        ("{\"userId\" \"wim\"},", 2),
        ("7,", 2),
    ] {
        let read = read_bytes("x.json", format!("[{first},\n{broken}\n{second}]")).1;
        assert_eq!(values(&read, M::RestingHeartRate), [57.0, 58.0], "{broken}");
        assert_eq!(read.faults(), [(line, R::NotJson)], "{broken}");
    }
    let read = read_bytes("x.json", format!("[{first},\n{{\"userId\":")).1;
    assert_eq!(read.faults(), [(2, R::NotJson)]);
}

#[test]
fn a_long_list_is_read_in_pieces() {
    let count = 20_000;
    let rows: Vec<String> = (0..count)
        .map(|row| OBJECTS[0].replace("57}", &format!("{}.5}}", 50 + row % 30)))
        .collect();
    let (report, read) = read_bytes("x.json", format!("[{}]", rows.join(",")));
    assert_eq!(report.rows_read, count);
    assert_eq!(read.records.len(), 30, "of one moment: each value once");
}

#[test]
fn no_health_value_stands_in_a_message() {
    let folder = Folder::new();
    for (name, text) in [
        (
            "a.csv",
            "wim,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57317\nwim,2025-02-03T06:30:00Z,RESTING_HEART_RATE,58\n",
        ),
        ("b.csv", "{\"userId\":\"wim\",\"value\":57317}\n"),
        ("c.json", "{\"value\":57317}"),
    ] {
        let path = folder.write(name, text);
        for format in [None, Some(vitalcast_import::Format::REFERENCE_TABLES)] {
            let options = vitalcast_import::ImportOptions {
                format,
                ..options()
            };
            match read_with(&path, &options) {
                Ok((_, read)) => read
                    .rejects
                    .iter()
                    .for_each(|r| assert!(!r.message.contains("57317"), "{r:?}")),
                Err(error) => assert!(!error.to_string().contains("57317"), "{error}"),
            }
        }
    }
    let shifted = format!(
        "{HEADER}57317,2025-02-02T06:30:00Z,STEPS,1,\n57317.5,2025-02-02T06:30:00Z,STEPS,1,\n\
                           u,2025-02-02T06:30:00Z,57317,1,\nu,2025-02-02T06:30:00Z,STEPS,1,57317\n\
                           u,57317,STEPS,1,\nu,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57317,\n\
                           u,2025-02-02T06:30:00Z,RESTING_HEART_RATE,57317x,\n"
    );
    let read = read_bytes("x.csv", shifted).1;
    assert_eq!(read.rejects.len(), 6);
    for reject in &read.rejects {
        assert!(!reject.message.contains("57317"), "{}", reject.message);
    }
}

#[test]
fn words_for_not_measured_are_no_faults() {
    use std::fmt::Write as _;
    let words = [
        "NA", "N/A", "n/a", "NaN", "nan", "null", "none", "-", "--", "–", ".", "",
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
        (M::SleepDuration, &[7.2; 4]),
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
    // The other rows say what the unit is.
    let open = "xia,2025-09-08T17:00:00Z,,RUNNING,,1800,,\n";
    let (report, read) = read_bytes("a.csv", format!("{WORKOUTS}{}{open}", workout("2700")));
    assert_eq!(minutes(&read), [Some(45.0), Some(30.0)]);
    assert!(report.notes[0].contains("in seconds"), "{:?}", report.notes);
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
            Record::Meal(_) | Record::HealthMetric(_) => panic!(),
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
            Record::Activity(_) | Record::HealthMetric(_) => panic!(),
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
        format!("{WORKOUTS}u,2025-09-01T17:00:00Z,soon,RUNNING,,30,x,999\n"),
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
    assert_eq!(
        ids(&sheet(1, 100).1),
        ["100", "101", "102"],
        "numbers of a database"
    );
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
                Record::Activity(_) | Record::HealthMetric(_) => panic!(),
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

#[test]
fn a_folder_of_tables_of_all_kinds_is_read_together() {
    let folder = Folder::new();
    folder.write("a.tsv", RATES.join("\n").replace(',', "\t"));
    folder.write("b.json", format!("[{}]", OBJECTS.join(",")));
    folder.write("settings.json", "{\"theme\":\"dark\"}");
    folder.write("notes.txt", "hello");
    let (report, read) = read(folder.path());
    assert_eq!((report.files, read.records.len()), (2, 4));
}
