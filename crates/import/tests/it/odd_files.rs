//! Files that were read wrong once, of several vendors.

use crate::folder::{Folder, mine, read_files, read_with};
use vitalcast_domain::{MetricType as M, ReadingKind as K};
use vitalcast_import::SkipReason as S;

#[test]
fn a_table_of_whoop_whose_names_of_times_are_not_known_is_read_by_their_order() {
    let text = "Beginn,Ende,Zone,Erholungswert\u{a0}%,Ruheherzfrequenz (Schla\u{308}ge pro \
                Minute),Herzfrequenzvariabilität (ms),Belastung,Einschlafen,Beginn des Aufwachens\n\
                2024-10-26 23:10:00,2024-10-27 23:00:00,UTC+02:00,61,55,48,9.1,2024-10-26 23:10:00,2024-10-27 \
                06:30:00\n";
    let (report, read) = read_files("UTC", &[("physiologische_zyklen.csv", text)]);
    read.check_days(M::RecoveryScore, &[("2024-10-27", 61.0)]);
    read.check_days(M::RestingHeartRate, &[("2024-10-27", 55.0)]);
    read.check_days(M::HeartRateVariabilityRmssd, &[("2024-10-27", 48.0)]);
    assert!(report.notes[0].contains("day strain"), "{:?}", report.notes);
}

#[test]
fn trends_of_oura_in_a_newer_wording_are_recognised() {
    let text = "date;Sleep Score;Total Sleep Duration;Lowest Resting Heart Rate;Average HRV;Readiness Score\n\
                2024-05-02;80;27000;48;62;75\n";
    let (_, read) = read_files("UTC", &[("trends.csv", text)]);
    read.check_days(M::SleepDuration, &[("2024-05-02", 7.5)]);
    read.check_days(M::RestingHeartRate, &[("2024-05-02", 48.0)]);
    read.check_days(M::RecoveryScore, &[("2024-05-02", 75.0)]);
}

#[test]
fn an_activity_file_of_polar_with_null_parts_is_not_lost() {
    let text = r#"{"date": "2024-05-02", "summary": {"stepCount": 8123, "calories": 2300}, "samples": null,
        "physicalInformation": null, "exportVersion": "1.9"}"#;
    let (_, read) = read_files("UTC", &[("activity-2024-05-02-x.json", text)]);
    read.check_days(M::Steps, &[("2024-05-02", 8_123.0)]);
    let text = r#"{"date": "2024-05-02", "summary": null, "samples": {"steps": [{"value": 500}, {"value": 20}]}}"#;
    let (_, read) = read_files("UTC", &[("activity-2024-05-02-x.json", text)]);
    read.check_days(M::Steps, &[("2024-05-02", 520.0)]);
}

#[test]
fn treatments_of_nightscout_with_date_alone_are_meals() {
    let text = r#"[{"eventType": "Meal Bolus", "date": 1714651200000, "utcOffset": 120, "carbs": 40,
        "identifier": "a"}, {"eventType": "Meal Bolus", "date": 1714651500, "carbs": 40, "identifier": "b"}]"#;
    let (_, read) = read_files("UTC", &[("treatments.json", text)]);
    assert_eq!(read.meals().len(), 1, "two programs write the same meal");
    assert_eq!(
        read.meals()[0].provenance.told.at.to_string(),
        "2024-05-02T14:00:00+02:00"
    );
}

#[test]
fn a_meal_that_stands_twice_in_a_diary_of_whole_meals_counts_once() {
    let row = "2024-05-02,Lunch,600,20,1,1,60,5,5,30\n";
    let text = format!(
        "Date,Meal,Calories,Fat (g),Polyunsaturated Fat,Monounsaturated Fat,Carbohydrates (g),Fiber,Sugar,Protein \
         (g)\n{row}{row}"
    );
    let (report, read) = read_files("UTC", &[("Nutrition-Summary.csv", &text)]);
    assert_eq!(read.meals()[0].energy_kcal, Some(600.0));
    assert_eq!(report.skipped[&S::Repeated], 1);
}

#[test]
fn a_meal_of_tidepool_is_of_the_day_of_the_device() {
    let text = r#"[{"type": "food", "time": "2024-05-02T22:30:00Z", "deviceTime": "2024-05-03T00:30:00",
        "timezoneOffset": 60, "uploadId": "u", "id": "f", "nutrition": {"carbohydrate": {"net": 20, "units": "grams"}}}]"#;
    let (_, read) = read_files("UTC", &[("tidepool.json", text)]);
    assert_eq!(read.meals()[0].provenance.day.to_string(), "2024-05-03");
}

#[test]
fn a_day_of_mi_fitness_begins_at_midnight_of_the_person() {
    // Summer time in Auckland is 13 hours ahead: 11:00 in UTC.
    let text = "Uid,Sid,Tag,Key,Time,Value,UpdateTime\n\
                1,2,daily_report,steps,1704798000,\"{\"\"steps\"\":8000}\",1704890000\n";
    let (_, read) = read_files(
        "Pacific/Auckland",
        &[("x_aggregated_fitness_data.csv", text)],
    );
    read.check_days(M::Steps, &[("2024-01-10", 8_000.0)]);
}

#[test]
fn a_comment_of_several_lines_does_not_hide_how_long_sleep_was() {
    let text = "Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust,Geo,\"22:05\"\n\
                \"1714596000000\",\"Europe/Berlin\",\"01. 05. 2024 22:40\",\"\",\"\",\"8.0\",\"0.0\",\"#alcohol\n\
                two \"\"lines\"\"\",\"1\",\"-1\",\"-1.0\",\"-1\",\"0.5\",\"-60\",\"\",\"0.1\"\n\
                ,,,,,,,,,,,,,,,0.2\n";
    let (_, read) = read_files("UTC", &[("sleep-export.csv", text)]);
    read.check_days(M::SleepDuration, &[("2024-05-02", 7.0)]);
    read.check_days(M::DeepSleepDuration, &[("2024-05-02", 3.5)]);
}

fn observation(id: &str, status: &str, value: f64) -> String {
    format!(
        r#"{{"resourceType": "Bundle", "entry": [{{"resource": {{"resourceType": "Observation", {id} "status":
        "{status}", "code": {{"coding": [{{"system": "http://loinc.org", "code": "40443-4"}}]}}, "effectiveDateTime":
        "2024-05-02T07:00:00+02:00", "valueQuantity": {{"value": {value}, "unit": "bpm", "code": "beats"}}}}}}]}}"#
    )
}

#[test]
fn a_corrected_observation_counts_on_whatever_page_it_is() {
    for id in [r#""id": "a","#, ""] {
        let (corrected, before) = (
            observation(id, "corrected", 52.0),
            observation(id, "final", 90.0),
        );
        let files = [
            ("page1.json", corrected.as_str()),
            ("page2.json", before.as_str()),
        ];
        let (_, read) = read_files("UTC", &files);
        // The unit's code is none of UCUM, its word is known.
        read.check_days(M::RestingHeartRate, &[("2024-05-02", 52.0)]);
    }
}

#[test]
fn an_observation_that_was_withdrawn_does_not_come_back_with_its_first_version() {
    let id = r#""id": "a","#;
    let (first, second) = (
        observation(id, "final", 90.0),
        observation(id, "entered-in-error", 90.0),
    );
    for files in [
        [("1.json", first.as_str()), ("2.json", second.as_str())],
        [("1.json", second.as_str()), ("2.json", first.as_str())],
    ] {
        let (report, read) = read_files("UTC", &files);
        assert!(read.records.is_empty());
        assert_eq!(report.skipped[&S::NotRead], 2);
    }
}

#[test]
fn rmssd_of_withings_is_of_the_day_of_its_own_zone() {
    let text = "start,duration,value\n\
                2024-05-01T23:30:00-07:00,\"[60,60]\",\"[40,50]\"\n\
                2024-05-02T00:30:00-07:00,\"[60]\",\"[60]\"\n";
    let (_, read) = read_files("UTC", &[("raw_hr_HR RMS SD.csv", text)]);
    read.check_days(
        M::HeartRateVariabilityRmssd,
        &[("2024-05-01", 45.0), ("2024-05-02", 60.0)],
    );
}

#[test]
fn a_glass_of_water_does_not_hide_the_summary_of_the_day() {
    let servings = "Day,Group,Food Name,Amount,Energy (kcal),Protein (g)\n2025-03-07,Uncategorized,Water,250 g,0,0\n";
    let summary = "Date,Energy (kcal),Completed\n2025-03-07,2100,true\n";
    let files = [("servings.csv", servings), ("dailysummary.csv", summary)];
    let (_, read) = read_files("UTC", &files);
    assert_eq!(read.meals().len(), 1);
    assert_eq!(read.meals()[0].energy_kcal, Some(2_100.0));
    // Whoever adds up meals can tell the sum of a day from its foods.
    assert_eq!(read.meals()[0].provenance.source, "cronometer/day");
}

#[test]
fn json_without_quotes_in_the_last_cell_does_not_cost_the_night() {
    let text = "\u{feff}date,deepSleepTime,shallowSleepTime,wakeTime,start,stop,REMTime,naps\n\
                2023-02-18,80,240,10,2023-02-17 22:00:00+0000,2023-02-18 05:50:00+0000,100,\
                [{\"start\":\"2023-02-18 13:00\",\"end\":\"2023-02-18 13:30\"}]\n";
    let (_, read) = read_files("UTC", &[("SLEEP_1.csv", text)]);
    read.check_days(M::SleepDuration, &[("2023-02-18", 7.0)]);
    assert!(read.rejects.is_empty());
}

#[test]
fn a_column_of_sdnn_is_not_suggested_as_rmssd() {
    let folder = Folder::new();
    let path = folder.write(
        "own.csv",
        "Datum,HRV (SDNN)\n2024-05-01,48\n2024-05-02,52\n",
    );
    let map = vitalcast_import::suggest(&path).unwrap().to_string();
    assert!(map.contains("sdnn=") && !map.contains("hrv="), "{map}");
}

#[test]
fn the_total_of_today_is_a_total_so_far() {
    let text = "id,restingHR,hrv,sleepSecs,steps\n2025-12-31,50,60,27000,9000\n2026-01-01,51,61,27000,1200\n";
    let folder = Folder::new();
    let path = folder.write("wellness.csv", text);
    let (_, read) = read_with(&path, &mine("UTC")).unwrap();
    let kinds: Vec<_> = read
        .readings(M::Steps)
        .map(|reading| reading.kind)
        .collect();
    assert_eq!(kinds, [Some(K::DayTotal), Some(K::RunningTotal)]);
}

#[test]
fn a_second_sleep_in_the_morning_does_not_replace_the_recovery_of_the_night() {
    let header = "Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Resting heart rate (bpm),Heart rate \
                  variability (ms),Sleep onset,Wake onset,Asleep duration (min)\n";
    let again = "2025-03-28 09:00:00,2025-03-28 23:00:00,UTC+01:00,40,60,30,2025-03-28 09:00:00,2025-03-28 \
                 11:00:00,100\n";
    let night = "2025-03-27 23:00:00,2025-03-28 09:00:00,UTC+01:00,71,52,81,2025-03-27 23:00:00,2025-03-28 \
                 06:00:00,400\n";
    for rows in [[again, night], [night, again]] {
        let text = format!("{header}{}", rows.concat());
        let (_, read) = read_files("UTC", &[("physiological_cycles.csv", &text)]);
        read.check_days(M::RecoveryScore, &[("2025-03-28", 71.0)]);
        read.check_days(M::RestingHeartRate, &[("2025-03-28", 52.0)]);
    }
}

#[test]
fn grouped_thousands_of_a_diary_are_thousands() {
    let text = "Date,Name,Icon,Meal,Quantity,Units,Calories,Deleted,Fat (g),Protein (g),Carbohydrates (g)\n\
                03/04/2025,Pizza,Pizza,Dinner,1,Each,\"1,160\",0,\"40,5\",50,120\n";
    let (_, read) = read_files("UTC", &[("food-logs.csv", text)]);
    assert_eq!(read.meals()[0].energy_kcal, Some(1_160.0));
    assert_eq!(read.meals()[0].fat_g, Some(40.5));
    let steps = "Date,Value,Secondary Value,Last Updated\n03/04/2025,\"8,123\",,03/05/2025\n";
    let (_, read) = read_files("UTC", &[("steps.csv", steps)]);
    read.check_days(M::Steps, &[("2025-03-04", 8_123.0)]);
}

#[test]
fn the_empty_value_of_fit_is_no_variability_of_garmin() {
    let text = r#"[{"calendarDate": "2025-03-31", "lastNightAvg": 511.99, "weeklyAvg": 511}]"#;
    let (report, read) = read_files("UTC", &[("hrv.json", text)]);
    assert!(read.rejects.is_empty() && read.records.is_empty());
    assert_eq!(report.skipped[&S::Missing], 1);
}
