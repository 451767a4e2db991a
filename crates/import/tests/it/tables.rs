//! Tables as people have them: each test is named after what went wrong.

use crate::folder::{Folder, Read, options, read, read_bytes, read_with};
use vitalcast_domain::{MetricType as M, Record};
use vitalcast_import::{ImportReport, RejectReason as R, SkipReason as S};

pub(crate) const HEADER: &str = "userId,recordedAt,metricType,value,unit\n";
pub(crate) const DIARY: &str = "userId,consumedAt,name,mealType,calories,protein,carbs,fat\n";
pub(crate) fn values(read: &Read, metric: M) -> Vec<f64> {
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

pub(crate) fn meals(read: &Read) -> Vec<(String, Option<f64>)> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Meal(meal) => Some((meal.name.clone().unwrap_or_default(), meal.energy_kcal)),
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
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
             jan,2025-02-03T22:00:00Z,RESTING_HEART_RATE,57.123,bpm\n\
             jan,2025-02-04T22:00:00Z,STEPS,9.2,count\n"
        ),
    );
    assert_eq!(read.faults(), [(2, R::BadNumber), (5, R::BadNumber)]);
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
fn the_names_of_the_columns_again_in_the_middle_are_no_row() {
    let table = RATES.join("\n") + "\n";
    let report = check_rates("x.csv", table.repeat(2), &[57.0, 58.0]);
    assert_eq!((report.rows_read, report.skipped[&S::Repeated]), (4, 2));
    assert!(report.rejected.is_empty());
}

#[test]
fn rows_that_end_otherwise_than_the_first_line_are_rows() {
    let ends = ["\n", "\r", "\r\n", "\r\r\n"];
    for first in ends {
        for second in ends {
            for third in ends.into_iter().chain([""]) {
                let table = [RATES[0], first, RATES[1], second, RATES[2], third].concat();
                let report = check_rates("x.csv", table, &[57.0, 58.0]);
                assert_eq!(report.rows_read, 2, "{first:?} {second:?} {third:?}");
            }
        }
    }
    // Lines are counted, however they end; a line that is too long is one.
    let long = "x".repeat(2 << 20);
    let table = format!("{}\n{long}\r\n\r{}\ru,x,STEPS,1,\n", RATES[0], RATES[1]);
    let read = read_bytes("x.csv", table).1;
    assert_eq!(read.faults(), [(2, R::WrongLength), (5, R::BadTime)]);
    assert_eq!(values(&read, M::RestingHeartRate), [57.0]);
}

#[test]
fn columns_that_are_not_read_are_named() {
    let table =
        "userId,consumedAt,name,calories,mood,Vitamin C\nu,2025-03-01T12:00:00Z,soup,300,7,60\n";
    let json =
        "{\"userId\":\"u\",\"consumedAt\":\"2025-03-01T12:00:00Z\",\"calories\":300,\"mood\":7}\n";
    for (name, text, names) in [
        ("m.csv", table, "mood, Vitamin C"),
        ("m.json", json, "mood"),
    ] {
        let notes = read_bytes(name, text).0.notes;
        assert_eq!(
            notes,
            [format!("{name}: columns that are not read: {names}")]
        );
    }
}

#[test]
fn energy_and_nutrients_are_read_in_the_unit_that_their_column_names() {
    for (column, number, expected) in [
        ("Energy (kJ)", "1255.2", 300.0),
        ("energy_kcal", "300", 300.0),
        ("caloriesKj", "1255.2", 300.0),
        ("kilojoules", "1255.2", 300.0),
    ] {
        let table = format!(
            "userId,consumedAt,name,{column},protein_g,Carbohydrates [g]\n\
             u,2025-03-01T12:00:00Z,soup,{number},12,40\n"
        );
        let (report, read) = read_bytes("m.csv", table);
        let Record::Meal(meal) = read.only() else {
            panic!()
        };
        let energy = meal.energy_kcal.unwrap();
        assert!((energy - expected).abs() < 1e-9, "{column}: {energy}");
        assert_eq!((meal.protein_g, meal.carbs_g), (Some(12.0), Some(40.0)));
        assert!(report.notes.is_empty(), "{:?}", report.notes);
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
fn a_folder_of_tables_of_all_kinds_is_read_together() {
    let folder = Folder::new();
    folder.write("a.tsv", RATES.join("\n").replace(',', "\t"));
    folder.write("b.json", format!("[{}]", OBJECTS.join(",")));
    folder.write("settings.json", "{\"theme\":\"dark\"}");
    folder.write("notes.txt", "hello");
    let (report, read) = read(folder.path());
    assert_eq!((report.files, read.records.len()), (2, 4));
}
