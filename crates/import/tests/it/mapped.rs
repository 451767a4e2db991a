//! A person's own table with a map of its columns, and the map that is suggested for it.

use crate::folder::{Folder, Read, mine, read_with};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_import::{ImportError, ImportOptions, ImportReport, RejectReason as R, suggest};

fn with_map(zone: &str, map: &str) -> ImportOptions {
    ImportOptions {
        map: Some(map.parse().unwrap()),
        ..mine(zone)
    }
}

fn read_mapped(zone: &str, map: &str, table: &str) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.write("werte.csv", table);
    read_with(&path, &with_map(zone, map)).unwrap()
}

const GERMAN: &str = "Meine Werte\n\
    Datum;Ruhepuls;HRV (ms);Schlaf;Schritte;Notiz\n\
    01.03.2025;52,5;61;7,25;9.214;gut\n\
    02.03.2025;53;-;6,5;11.046;\n\
    03.03.2025;;0;8:15;804;krank\n";

#[test]
fn a_german_table_with_decimal_commas_is_read_by_its_map() {
    let map = "date=Datum,rhr=Ruhepuls,hrv=HRV (ms),sleep=Schlaf:h,steps=Schritte";
    for zone in ["Europe/Berlin", "America/Los_Angeles"] {
        let (_, read) = read_mapped(zone, map, GERMAN);
        let [first, second, third] = ["2025-03-01", "2025-03-02", "2025-03-03"];
        read.check_days(M::RestingHeartRate, &[(first, 52.5), (second, 53.0)]);
        read.check_days(M::HeartRateVariabilityRmssd, &[(first, 61.0)]);
        read.check_days(
            M::SleepDuration,
            &[(first, 7.25), (second, 6.5), (third, 8.25)],
        );
        read.check_days(
            M::Steps,
            &[(first, 9_214.0), (second, 11_046.0), (third, 804.0)],
        );
        assert!(
            read.records
                .iter()
                .all(|(_, record)| record.provenance().source == "table")
        );
    }
    let folder = Folder::new();
    folder.write("sub/werte.csv", GERMAN);
    folder.write("sub/other.csv", "a,b\n1,2\n");
    let (report, read) = read_with(folder.path(), &with_map("UTC", map)).unwrap();
    assert_eq!((report.files, read.records.len()), (1, 9));
}

#[test]
fn the_map_of_a_german_table_is_suggested_and_nothing_is_read_without_it() {
    let folder = Folder::new();
    let path = folder.write("werte.csv", GERMAN);
    let map = suggest(&path).unwrap();
    assert_eq!(
        map.to_string(),
        "date=Datum,rhr=Ruhepuls:bpm,hrv=HRV (ms):ms,sleep=Schlaf:h,steps=Schritte:count"
    );
    let read = read_with(&path, &mine("UTC"));
    assert!(matches!(read, Err(ImportError::OwnTable { .. })));
}

#[test]
fn tables_in_other_languages_are_suggested_too() {
    for (table, expected) in [
        (
            "Fecha,Frecuencia cardíaca en reposo,Sueño (h)\n2025-03-01,55,7.5\n",
            "date=Fecha,rhr=Frecuencia cardíaca en reposo:bpm,sleep=Sueño (h):h",
        ),
        (
            "Date;Fréquence cardiaque au repos;Sommeil\n2025-03-01;55;450\n",
            "date=Date,rhr=Fréquence cardiaque au repos:bpm,sleep=Sommeil:min",
        ),
        (
            "Giorno,FC a riposo,Passi\n2025-03-01,55,8000\n",
            "date=Giorno,rhr=FC a riposo:bpm,steps=Passi:count",
        ),
        (
            "Data,Sono [horas]\n2025-03-01,7\n",
            "date=Data,sleep=Sono [horas]:h",
        ),
        (
            "Dag,Rusthartslag\n2025-03-01,55\n",
            "date=Dag,rhr=Rusthartslag:bpm",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.write("x.csv", table);
        assert_eq!(
            suggest(&path).map(|map| map.to_string()).as_deref(),
            Some(expected)
        );
    }
}

#[test]
fn a_table_without_dates_or_metrics_gets_no_suggestion() {
    for table in [
        "Datum,Umsatz\n01.03.2025,52\n",
        "Name,Ruhepuls\nAnna,52\n",
        "Datum,Ruhepuls\nx,52\n",
        "Datum,Ruhepuls\n01.03.2025,zufrieden\n",
        "Datum,Ruhepuls\n",
        "\u{0}\u{1}",
        "userId,recordedAt,metricType,value\nu,2024-03-01T06:00:00Z,STEPS,1\n",
    ] {
        let folder = Folder::new();
        let path = folder.write("x.csv", table);
        assert_eq!(suggest(&path), None, "{table}");
    }
    assert_eq!(suggest(Path::new("/no/such/file")), None);
}

#[test]
fn times_users_and_units_are_those_of_the_map() {
    let table = "when,at,who,pulse,slept,spo2\n\
                 03/13/2025,6:30 AM,una,52,27000,0.96\n\
                 03/14/2025,11:45 PM,ben,60,25200,0.97\n\
                 03/15/2025,noon,ben,60,,\n\
                 03/15/2025,7:00 AM,\"no/one\",60,,\n";
    let map = "date=when,time=at,user=who,rhr=pulse,sleep=slept:s,oxygen_saturation=spo2:fraction";
    let (_, read) = read_mapped("Europe/Berlin", map, table);
    let days = ["2025-03-13", "2025-03-14"];
    read.check_days(M::RestingHeartRate, &[(days[0], 52.0), (days[1], 60.0)]);
    read.check_days(M::OxygenSaturation, &[(days[0], 96.0), (days[1], 97.0)]);
    read.check_days(M::SleepDuration, &[(days[0], 7.5), (days[1], 7.0)]);
    assert_eq!(read.faults(), [(4, R::BadTime), (5, R::BadUser)]);
    let people: Vec<&str> = read.people.iter().map(|(user, _)| user.as_str()).collect();
    assert_eq!(people, ["una", "ben"]);
    let mut times = read.readings(M::RestingHeartRate).collect::<Vec<_>>();
    times.sort_by_key(|reading| reading.provenance.day);
    assert_eq!(
        times[0].provenance.told.at.to_string(),
        "2025-03-13T06:30:00"
    );
}

#[test]
fn midnight_in_every_row_is_no_time_and_minutes_are_told() {
    let table = "Tag,Schlaf\n2025-03-01 00:00:00,450\n2025-03-02 00:00:00,390\n";
    let (report, read) = read_mapped("UTC", "date=Tag,sleep=Schlaf", table);
    read.check_days(
        M::SleepDuration,
        &[("2025-03-01", 7.5), ("2025-03-02", 6.5)],
    );
    assert!(
        report.notes[0].contains("read in min"),
        "{:?}",
        report.notes
    );
    let again = read_mapped("Asia/Tokyo", "date=Tag,sleep=Schlaf:min", table).1;
    assert_eq!(read.source_ids(), again.source_ids());
}

#[test]
fn a_missing_column_is_named_and_a_wrong_map_says_what_was_expected() {
    let folder = Folder::new();
    let path = folder.write("x.csv", GERMAN);
    let error = read_with(&path, &with_map("UTC", "date=Datum,rhr=Puls")).unwrap_err();
    assert!(
        matches!(&error, ImportError::MissingColumn { column, .. } if column == "Puls"),
        "{error}"
    );
    let table = ImportOptions {
        format: Some("table".parse().unwrap()),
        ..mine("UTC")
    };
    let error = read_with(&path, &table).unwrap_err();
    assert!(error.to_string().contains("without a map"), "{error}");
}

#[test]
fn grouped_thousands_of_a_mapped_column_are_judged_in_its_own_unit() {
    let table = "Datum,Schlaf,Energie,HRV\n2025-03-01,25.200,31.380,45.125\n2025-03-02,24.300,9.795,47.250\n";
    let map = "date=Datum,sleep=Schlaf:s,total_calories=Energie:kJ,rmssd=HRV:ms";
    let (_, read) = read_mapped("UTC", map, table);
    let [first, second] = ["2025-03-01", "2025-03-02"];
    read.check_days(M::SleepDuration, &[(first, 7.0), (second, 6.75)]);
    read.check_days(
        M::TotalCalories,
        &[(first, 7_500.0), (second, 9_795.0 / 4.184)],
    );
    read.check_days(
        M::HeartRateVariabilityRmssd,
        &[(first, 45.125), (second, 47.25)],
    );
    // 9.200 that lost its zeros is no 9 steps.
    let steps = "Datum,Schritte\n2025-03-01,9.2\n2025-03-02,11.046\n2025-03-03,12.345\n";
    let (_, read) = read_mapped("UTC", "date=Datum,steps=Schritte", steps);
    assert_eq!(
        read.records.len(),
        0,
        "of which marks are meant, nothing says"
    );
    assert_eq!(read.faults().len(), 3);
}

const NOTED: &str = "Datum;Ruhepuls;Alkohol;Kaffee;Krank\n\
    01.03.2025;52;ja;2;x\n\
    02.03.2025;53;nein;0;\n\
    03.03.2025;51;;viel;\n";

#[test]
fn columns_of_yes_and_no_are_tags() {
    let map = "date=Datum,rhr=Ruhepuls,tag=Alkohol,tag=Kaffee,tag=Krank";
    let (_, read) = read_mapped("Europe/Berlin", map, NOTED);
    let said: Vec<(String, &str, bool, Option<&str>)> = read
        .tags()
        .into_iter()
        .map(|tag| {
            let day = tag.provenance.day.to_string();
            (day, tag.name.as_str(), tag.applies, tag.note.as_deref())
        })
        .collect();
    let [first, second, third] = ["2025-03-01", "2025-03-02", "2025-03-03"].map(str::to_owned);
    assert_eq!(
        said,
        [
            (first.clone(), "Alkohol", true, None),
            (first.clone(), "Kaffee", true, Some("2")),
            (first, "Krank", true, None),
            (second.clone(), "Alkohol", false, None),
            (second.clone(), "Kaffee", false, None),
            // Of a column of marks, an empty cell says no; of one of words, nothing.
            (second, "Krank", false, None),
            (third, "Krank", false, None),
        ]
    );
    assert_eq!(read.faults(), [(4, R::UnknownWord)]);
    assert!(!read.rejects[0].message.contains("viel"));
}

#[test]
fn words_for_yes_and_no_are_suggested_as_tags_and_numbers_are_not() {
    let folder = Folder::new();
    let path = folder.write("werte.csv", NOTED);
    let map = suggest(&path).unwrap();
    assert_eq!(
        map.to_string(),
        "date=Datum,rhr=Ruhepuls:bpm,tag=Alkohol,tag=Krank"
    );
    // A table of tags alone needs no metric.
    let (_, read) = read_mapped("UTC", "date=Datum,tag=Alkohol", NOTED);
    assert_eq!(read.records.len(), 2);
}

/// The days of a tag with their answers.
fn answers(read: &Read, name: &str) -> Vec<(String, bool)> {
    let tags = read.tags().into_iter().filter(|tag| tag.name == name);
    tags.map(|tag| (tag.provenance.day.to_string(), tag.applies))
        .collect()
}

#[test]
fn questions_that_begin_alike_overwrote_each_other() {
    let question = "What of these did you have on that day? ".repeat(6);
    let table = format!(
        "Date,{question}[Alcohol],{question}[Coffee]\n2025-03-01,yes,no\n2025-03-02,no,yes\n"
    );
    let map = format!("date=Date,tag={question}[Alcohol],tag={question}[Coffee]");
    let (_, read) = read_mapped("UTC", &map, &table);
    assert_eq!(read.records.len(), 4);
    let mut ids = read.source_ids();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn an_empty_row_of_the_same_day_took_a_yes_away() {
    let table = "Date,Meal,Alcohol,Sick\n2025-03-01,lunch,,no\n2025-03-01,dinner,x,yes\n2025-03-01,snack,,no\n\
                 2025-03-02,lunch,,no\n";
    let (_, read) = read_mapped("UTC", "date=Date,tag=alcohol,tag=Sick", table);
    let [first, second] = ["2025-03-01", "2025-03-02"].map(str::to_owned);
    let expected = [(first, true), (second, false)];
    // The name is that of the table, however the map writes it.
    assert_eq!(answers(&read, "Alcohol"), expected);
    assert_eq!(answers(&read, "Sick"), expected);
    assert_eq!(read.records.len(), 4);
}

#[test]
fn a_column_without_a_yes_says_nothing_by_being_empty() {
    let table = "Date,Alcohol,Sick\n2025-03-01,,\n2025-03-02,,no\n";
    let (_, read) = read_mapped("UTC", "date=Date,tag=Alcohol,tag=Sick", table);
    let expected = [("2025-03-02".to_owned(), false)];
    assert_eq!(answers(&read, "Sick"), expected);
    assert_eq!(read.records.len(), 1);
}

#[test]
fn a_spreadsheet_of_western_europe_has_umlauts_in_its_names_too() {
    let folder = Folder::new();
    let text = "Datum;Ruhepuls;Müde;Spät gegessen\n01.03.2025;52;WAHR;☑\n02.03.2025;53;FALSCH;\n";
    let bytes: Vec<u8> = text
        .replace('☑', "ja")
        .chars()
        .map(|letter| letter as u8)
        .collect();
    let path = folder.write("werte.csv", bytes);
    let map = suggest(&path).unwrap();
    assert_eq!(
        map.to_string(),
        "date=Datum,rhr=Ruhepuls:bpm,tag=Müde,tag=Spät gegessen"
    );
    let (_, read) = read_with(&path, &with_map("UTC", &map.to_string())).unwrap();
    let [first, second] = ["2025-03-01", "2025-03-02"].map(str::to_owned);
    let expected = [(first, true), (second, false)];
    assert_eq!(answers(&read, "Müde"), expected);
    assert_eq!(answers(&read, "Spät gegessen"), expected);
    let (_, marked) = read_mapped("UTC", &map.to_string(), text);
    assert_eq!(answers(&marked, "Spät gegessen"), expected);
}

#[test]
fn what_is_rejected_of_a_tag_does_not_say_its_name() {
    let table = "Date,HIV medicine\n2025-03-01,yes\n2025-03-02,perhaps\n";
    let (_, read) = read_mapped("UTC", "date=Date,tag=HIV medicine", table);
    assert_eq!(read.faults(), [(3, R::UnknownWord)]);
    assert_eq!(
        read.rejects[0].message,
        "column 2 is neither yes nor no, nor a number"
    );
}

/// An import wrote both readings each time: the first corrected the second, and the second the first.
#[test]
fn of_two_rows_of_one_day_both_readings_were_passed_on() {
    let table =
        "Date,Pulse,Sleep\n2025-03-01,55,7\n2025-03-02,60,8\n2025-03-01,57,\n2025-03-01,9000,6.5\n";
    let (report, read) = read_mapped("UTC", "date=Date,rhr=Pulse,sleep=Sleep:h", table);
    let [first, second] = ["2025-03-01", "2025-03-02"];
    assert_eq!(read.records.len(), 4);
    read.check_days(M::RestingHeartRate, &[(first, 57.0), (second, 60.0)]);
    read.check_days(M::SleepDuration, &[(first, 6.5), (second, 8.0)]);
    // A value that is refused replaces none.
    assert_eq!(read.faults(), [(5, R::OutOfRange)]);
    let note = "2 rows have the date and time of an earlier row: the last reading counts, and of tags a yes";
    assert_eq!(report.notes, [note]);
}

#[test]
fn of_two_columns_with_one_name_the_first_was_read_without_a_word() {
    let table = "Date,Pulse,pulse,Pulse\n2025-03-01,55,80,90\n";
    let (report, read) = read_mapped("UTC", "date=Date,rhr=Pulse", table);
    read.check_days(M::RestingHeartRate, &[("2025-03-01", 55.0)]);
    assert_eq!(
        report.notes,
        ["of the columns with one name, column 2 is read and not 4"]
    );
    // A name to the letter comes before one that is like it.
    let (report, read) = read_mapped("UTC", "date=Date,rhr=pulse", table);
    read.check_days(M::RestingHeartRate, &[("2025-03-01", 80.0)]);
    assert_eq!(report.notes, [""; 0]);
}
