//! Elite HRV's export.

use crate::folder::{Folder, mine, read_files, read_with};
use vitalcast_domain::MetricType as M;

const HEADER: &str = "Member,Type,Position,Breathing Pattern,Date Time Start,Date Time End,Duration,HRV,Morning Readiness,Balance,HRV CV,HR,lnRmssd,Rmssd,Nn50,Pnn50,Sdnn\n";

#[test]
fn only_measurements_of_the_morning_are_a_series_and_scores_are_no_hrv() {
    let rows = "una,readiness,Sitting,,2025-03-05 06:40:00,2025-03-05 06:42:30,150,62,8,,,54.5,4.03,56.3,30,20,70.1\n\
                una,open,Sitting,,2025-03-05 15:40:00,2025-03-05 15:42:30,150,50,,,,80,3,20.1,3,2,30\n\
                una,readiness,Sitting,,2025-03-06 23:50:00,2025-03-06 23:52:30,150,62,8,,,54,4.03,50,30,20,60\n";
    let (report, read) = read_files("Asia/Tokyo", &[("e.csv", &format!("{HEADER}{rows}"))]);
    let days = ["2025-03-05", "2025-03-06"];
    read.check_days(
        M::HeartRateVariabilityRmssd,
        &[(days[0], 56.3), (days[1], 50.0)],
    );
    read.check_days(
        M::HeartRateVariabilitySdnn,
        &[(days[0], 70.1), (days[1], 60.0)],
    );
    read.check_days(M::RestingHeartRate, &[(days[0], 54.5), (days[1], 54.0)]);
    read.check_days(M::RecoveryScore, &[]);
    assert!(report.notes[0].starts_with("1 measurements of other kinds"));
}

#[test]
fn slashed_dates_are_read_in_the_order_that_the_column_shows() {
    let rows = "una,,,,3/5/2025 6:40 AM,,,,,,,54,4,56,,,\n\
                una,,,,3/15/2025 6:40 AM,,,,,,,55,4,57,,,\n";
    let (_, read) = read_files("UTC", &[("e.csv", &format!("{HEADER}{rows}"))]);
    read.check_days(
        M::RestingHeartRate,
        &[("2025-03-05", 54.0), ("2025-03-15", 55.0)],
    );
}

#[test]
fn a_table_of_two_members_is_refused() {
    let rows = "una,,,,2025-03-05 06:40:00,,,,,,,54,4,56,,,\nben,,,,2025-03-05 06:40:00,,,,,,,55,4,57,,,\n";
    let folder = Folder::new();
    let path = folder.write("e.csv", format!("{HEADER}{rows}"));
    let error = read_with(&path, &mine("UTC")).unwrap_err();
    assert!(error.to_string().contains("several members"), "{error}");
}
