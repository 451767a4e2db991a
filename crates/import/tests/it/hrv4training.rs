//! HRV4Training's export.

use crate::folder::read_files;
use vitalcast_domain::MetricType as M;
use vitalcast_import::{RejectReason as R, SkipReason as S};

const TABLE: &str = "date, timestamp_measurement, HR, AVNN, SDNN, rMSSD, pNN50, LF, HF, HRV4T_Recovery_Points, sleep_quality, sleep_time, advice\n\
    2025-12-11 00:01:00 +0000, 2025-12-11 06:31:00 +0000, 51.2, 1172, 88.1, 74.5, 40, 1, 2, 8.6, 70, 7.5, go\n\
    2025-12-12 00:01:00 +0000, -, 0, -, -, 0, -, -, -, -, 60, 6, -\n\
    12th, -, 50, -, -, 60, -, -, -, -, 60, 6, -\n";

#[test]
fn the_date_is_the_day_in_any_zone_and_0_is_no_measurement() {
    for zone in ["UTC", "America/Los_Angeles", "Pacific/Auckland"] {
        let (report, read) = read_files(zone, &[("hrv.csv", TABLE)]);
        let day = "2025-12-11";
        read.check_days(M::HeartRateVariabilityRmssd, &[(day, 74.5)]);
        read.check_days(M::HeartRateVariabilitySdnn, &[(day, 88.1)]);
        read.check_days(M::RestingHeartRate, &[(day, 51.2)]);
        read.check_days(M::RecoveryScore, &[]);
        read.check_days(M::SleepDuration, &[]);
        assert_eq!(report.skipped[&S::Missing], 2);
        assert_eq!(read.faults(), [(4, R::BadTime)]);
    }
}

#[test]
fn of_an_orthostatic_test_the_part_lying_is_read() {
    let table = "date, timestamp_measurement, HR_lying, rMSSD_lying, HR_standing, rMSSD_standing\n\
                 2025-12-11 00:01:00 +0000, x, 50, 70, 68, 30\n";
    let (_, read) = read_files("UTC", &[("hrv.csv", table)]);
    read.check_days(M::HeartRateVariabilityRmssd, &[("2025-12-11", 70.0)]);
    read.check_days(M::RestingHeartRate, &[("2025-12-11", 50.0)]);
}
