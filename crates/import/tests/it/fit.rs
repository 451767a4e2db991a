//! FIT files, made byte by byte.

use crate::folder::{Folder, Read, mine, read_with};
use proptest::prelude::*;
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{ImportReport, RejectReason as R};

/// Seconds from 1970 to the beginning of FIT's time.
const EPOCH: i64 = 631_065_600;

/// Base types: number and length.
const ENUM: (u8, u8) = (0x00, 1);
const U8: (u8, u8) = (0x02, 1);
const I16: (u8, u8) = (0x83, 2);
const U16: (u8, u8) = (0x84, 2);
const U32: (u8, u8) = (0x86, 4);

/// Seconds of FIT's time.
fn at(text: &str) -> u32 {
    let time: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
    u32::try_from(time.timestamp() - EPOCH).unwrap()
}

/// A message with its definition before it.
fn message(number: u16, fields: &[(u8, (u8, u8), u32)]) -> Vec<u8> {
    let mut bytes = vec![0x40, 0, 0];
    bytes.extend(number.to_le_bytes());
    bytes.push(fields.len() as u8);
    for (field, (base, size), _) in fields {
        bytes.extend([*field, *size, *base]);
    }
    bytes.push(0);
    for (_, (_, size), value) in fields {
        bytes.extend(&value.to_le_bytes()[..usize::from(*size)]);
    }
    bytes
}

fn file(messages: &[Vec<u8>]) -> Vec<u8> {
    let data = messages.concat();
    let mut bytes = vec![12, 0x20, 0, 0];
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(b".FIT");
    bytes.extend(data);
    bytes.extend([0, 0]);
    bytes
}

fn read_fit(zone: &str, files: &[Vec<u8>]) -> (ImportReport, Read) {
    let folder = Folder::new();
    for (number, bytes) in files.iter().enumerate() {
        folder.write(&format!("{number}.fit"), bytes);
    }
    read_with(folder.path(), &mine(zone)).unwrap()
}

fn garmin() -> Vec<u8> {
    message(0, &[(0, ENUM, 32), (1, U16, 1)])
}

/// A file of a watch with a day's steps.
pub(crate) fn small_file() -> Vec<u8> {
    file(&[
        garmin(),
        info("2024-03-01T06:00:00Z", "2024-03-01T07:00:00Z"),
        monitoring("2024-03-01T12:00:00Z", 6, 4_000, 120),
        monitoring("2024-03-01T20:00:00Z", 1, 900, 80),
    ])
}

/// `monitoring_info` at an instant, with the time of the person's clock.
fn info(utc: &str, clock: &str) -> Vec<u8> {
    message(103, &[(253, U32, at(utc)), (0, U32, at(clock))])
}

fn monitoring(utc: &str, kind: u32, steps: u32, energy: u32) -> Vec<u8> {
    message(
        55,
        &[
            (253, U32, at(utc)),
            (5, ENUM, kind),
            (3, U32, steps),
            (19, U16, energy),
        ],
    )
}

#[test]
fn running_totals_of_all_files_of_a_day_are_added_up_by_type() {
    let morning = file(&[
        garmin(),
        info("2025-03-04T23:00:00Z", "2025-03-05T00:00:00Z"),
        // Midnight in Berlin: the totals of the day before.
        monitoring("2025-03-04T23:00:00Z", 6, 9_000, 300),
        monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80),
        monitoring("2025-03-05T09:00:00Z", 1, 3_000, 250),
    ]);
    let evening = file(&[
        garmin(),
        info("2025-03-05T11:00:00Z", "2025-03-05T12:00:00Z"),
        monitoring("2025-03-05T20:00:00Z", 6, 5_500, 200),
        // Cycles of a bicycle are no steps.
        monitoring("2025-03-05T21:00:00Z", 2, 4_000, 100),
    ]);
    for zone in ["Europe/Berlin", "America/New_York"] {
        let (_, read) = read_fit(zone, &[evening.clone(), morning.clone()]);
        let days = ["2025-03-04", "2025-03-05"];
        read.check_days(M::Steps, &[(days[0], 9_000.0), (days[1], 8_500.0)]);
        read.check_days(M::ActiveCalories, &[(days[0], 300.0), (days[1], 550.0)]);
    }
}

#[test]
fn short_times_of_monitoring_roll_over() {
    let start = at("2025-03-05T08:00:00Z");
    let first = message(55, &[(253, U32, start), (5, ENUM, 6), (3, U32, 100)]);
    // Beats at times of which only the last 16 bits are written.
    let beats: Vec<Vec<u8>> = (1..=40)
        .map(|step: u32| {
            let time = start + step * 3_000;
            message(55, &[(26, U16, time & 0xffff), (27, U8, 60 + step % 2)])
        })
        .collect();
    let (_, read) = read_fit("UTC", &[file(&[vec![garmin(), first], beats].concat())]);
    let days: Vec<String> = read
        .series(M::AverageHeartRate)
        .into_iter()
        .map(|day| day.0)
        .collect();
    // 120,000 seconds from eight in the morning end on the next day.
    assert_eq!(days, ["2025-03-05", "2025-03-06"]);
}

#[test]
fn a_workout_has_its_offset_and_its_scales() {
    let workout = file(&[
        garmin(),
        message(
            18,
            &[
                (253, U32, at("2025-03-05T23:45:00Z")),
                (2, U32, at("2025-03-05T23:00:00Z")),
                (5, ENUM, 1),
                (7, U32, 2_700_000),
                (8, U32, 2_580_000),
                (9, U32, 801_250),
                (11, U16, 512),
                (16, U8, 151),
                (17, U8, 255),
            ],
        ),
        message(18, &[(2, U32, at("2025-03-05T23:44:00Z")), (5, ENUM, 3)]),
        message(
            34,
            &[
                (253, U32, at("2025-03-05T23:45:00Z")),
                (5, U32, at("2025-03-06T09:45:00Z")),
            ],
        ),
    ]);
    let (_, read) = read_fit("UTC", &[workout]);
    let runs = read.workouts();
    assert_eq!(runs.len(), 1, "a transition is no workout");
    let run = runs[0];
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(run.provenance.day.to_string(), "2025-03-06");
    assert_eq!(run.provenance.source, "fit/garmin");
    assert_eq!(
        (run.duration_minutes, run.distance_m),
        (Some(43.0), Some(8_012.5))
    );
    assert_eq!(
        (run.energy_kcal, run.average_heart_rate, run.max_heart_rate),
        (Some(512.0), Some(151.0), None)
    );
    assert_eq!(read.source_ids(), ["session-2025-03-05T23:00:00+00:00-1"]);
}

#[test]
fn nights_hrv_and_samples_are_read_with_their_scales_and_gaps() {
    let level = |time: &str, level: u32| message(275, &[(253, U32, at(time)), (0, ENUM, level)]);
    let night = file(&[
        garmin(),
        level("2025-03-04T22:00:00Z", 2),
        level("2025-03-05T00:00:00Z", 3),
        level("2025-03-05T01:30:00Z", 4),
        level("2025-03-05T03:00:00Z", 1),
        level("2025-03-05T03:30:00Z", 2),
        message(21, &[(253, U32, at("2025-03-05T05:30:00Z")), (0, ENUM, 74)]),
        message(346, &[(6, U8, 81)]),
        message(
            370,
            &[
                (253, U32, at("2025-03-05T05:30:00Z")),
                (1, U16, 61 * 128 + 64),
            ],
        ),
        message(
            370,
            &[(253, U32, at("2025-03-06T05:30:00Z")), (1, U16, 65_535)],
        ),
        message(
            211,
            &[
                (253, U32, at("2025-03-05T06:00:00Z")),
                (0, U8, 55),
                (1, U8, 53),
            ],
        ),
        message(
            211,
            &[
                (253, U32, at("2025-03-05T20:00:00Z")),
                (0, U8, 55),
                (1, U8, 52),
            ],
        ),
        message(269, &[(253, U32, at("2025-03-05T03:00:00Z")), (0, U8, 96)]),
        message(269, &[(253, U32, at("2025-03-05T04:00:00Z")), (0, U8, 94)]),
        message(
            297,
            &[(253, U32, at("2025-03-05T03:00:00Z")), (0, I16, 1_450)],
        ),
        message(227, &[(1, U32, at("2025-03-05T10:00:00Z")), (0, I16, 30)]),
        message(
            227,
            &[(1, U32, at("2025-03-05T10:03:00Z")), (0, I16, 0xfffe)],
        ),
    ]);
    let (_, read) = read_fit("UTC", &[night]);
    let day = "2025-03-05";
    // 22:00 to 05:30 without half an hour awake.
    read.check_days(M::SleepDuration, &[(day, 7.0)]);
    read.check_days(M::DeepSleepDuration, &[(day, 1.5)]);
    read.check_days(M::RemSleepDuration, &[(day, 1.5)]);
    read.check_days(M::AwakeDuration, &[(day, 0.5)]);
    read.check_days(M::SleepScore, &[(day, 81.0)]);
    read.check_days(M::HeartRateVariabilityRmssd, &[(day, 61.5)]);
    read.check_days(M::RestingHeartRate, &[(day, 52.0)]);
    read.check_days(M::OxygenSaturation, &[(day, 95.0)]);
    read.check_days(M::RespiratoryRate, &[(day, 14.5)]);
    read.check_days(M::StressLevel, &[(day, 30.0)]);
}

#[test]
fn a_nap_is_a_sleep_of_its_own_unless_it_is_deleted() {
    let nap = |deleted: u32| {
        message(
            412,
            &[
                (0, U32, at("2025-03-05T13:00:00Z")),
                (2, U32, at("2025-03-05T13:45:00Z")),
                (5, ENUM, deleted),
            ],
        )
    };
    read_fit("UTC", &[file(&[garmin(), nap(0)])])
        .1
        .check_days(M::SleepDuration, &[("2025-03-05", 0.75)]);
    let (_, read) = read_fit("UTC", &[file(&[garmin(), nap(1)])]);
    assert!(read.records.is_empty());
}

#[test]
fn a_damaged_file_gives_what_stands_before_the_damage() {
    let mut bytes = file(&[
        garmin(),
        monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80),
        monitoring("2025-03-05T09:00:00Z", 6, 3_000, 90),
    ]);
    bytes.truncate(bytes.len() - 8);
    let (_, read) = read_fit("UTC", &[bytes]);
    read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
    assert_eq!(read.faults(), [(0, R::WrongLength)]);
}

#[test]
fn a_compressed_file_is_read() {
    use std::io::Write;
    let bytes = file(&[garmin(), monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80)]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes).unwrap();
    let packed = packed.finish().unwrap();
    let (_, read) = read_fit("UTC", std::slice::from_ref(&packed));
    read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
    // Of a damaged one, nothing is recognised or the rest is told.
    for length in [2, 12, packed.len() / 2] {
        let folder = Folder::new();
        folder.write("1.fit", &bytes);
        folder.write("2.fit.gz", &packed[..length]);
        let (_, read) = read_with(folder.path(), &mine("UTC")).unwrap();
        read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
    }
}

#[test]
fn a_field_of_an_impossible_length_does_not_cost_the_message() {
    // Two bytes cannot be a number of four; neither can there be a field of no bytes.
    let odd = message(
        55,
        &[
            (253, U32, at("2025-03-05T08:00:00Z")),
            (7, (0x86, 2), 5),
            (8, (0x84, 0), 0),
            (9, (0x1e, 1), 0),
            (5, ENUM, 6),
            (3, U32, 2_000),
        ],
    );
    let (_, read) = read_fit("UTC", &[file(&[garmin(), odd])]);
    read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
    assert!(read.rejects.is_empty());
}

#[test]
fn times_in_fields_of_eight_bytes_that_no_clock_shows_are_no_times() {
    /// A message whose field has eight bytes with a sign, behind its time if it has one.
    fn wide(number: u16, time: Option<u32>, field: u8, value: i64) -> Vec<u8> {
        let mut bytes = vec![0x40, 0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.push(1 + u8::from(time.is_some()));
        if time.is_some() {
            bytes.extend([253, 4, 0x86]);
        }
        bytes.extend([field, 8, 0x8e, 0]);
        bytes.extend(time.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(value.to_le_bytes());
        bytes
    }
    let day = at("2025-03-05T08:00:00Z");
    for value in [i64::MAX - 1, i64::MIN, -1] {
        let messages = [
            garmin(),
            monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80),
            // The start of a workout, the last bits of a time, a time.
            wide(18, Some(day), 2, value),
            wide(55, None, 26, value),
            wide(55, None, 253, value),
        ];
        let (_, read) = read_fit("UTC", &[file(&messages)]);
        read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
        assert!(read.workouts().is_empty(), "{value}");
    }
}

#[test]
fn a_file_of_a_device_that_lost_its_power_is_read() {
    let mut bytes = file(&[garmin(), monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80)]);
    bytes[4..8].fill(0);
    bytes.truncate(bytes.len() - 2);
    let (_, read) = read_fit("UTC", &[bytes]);
    read.check_days(M::Steps, &[("2025-03-05", 2_000.0)]);
}

#[test]
fn fields_of_developers_and_the_other_order_of_bytes_are_read() {
    let time = at("2025-03-05T08:00:00Z");
    let mut bytes = vec![0x60, 0, 1, 0, 55, 3, 253, 4, 0x86, 5, 1, 0, 3, 4, 0x86];
    // A field of a developer without any description.
    bytes.extend([1, 0, 3, 0]);
    bytes.push(0);
    bytes.extend(time.to_be_bytes());
    bytes.push(1);
    bytes.extend(4_000_u32.to_be_bytes());
    bytes.extend([9, 9, 9]);
    let (_, read) = read_fit("UTC", &[file(&[garmin(), bytes])]);
    read.check_days(M::Steps, &[("2025-03-05", 4_000.0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_behind_a_header_are_an_answer(
        header in prop::sample::select(vec![0_u8, 1, 12, 13, 14, 200, 255]),
        size in prop::sample::select(vec![0_u32, 1, 40, 300, u32::MAX]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        good in any::<bool>(),
    ) {
        let mut text = vec![header, 0x20, 0, 0];
        text.extend(size.to_le_bytes());
        text.extend(b".FIT");
        if good {
            text.extend(garmin());
            text.extend(monitoring("2025-03-05T08:00:00Z", 6, 2_000, 80));
        }
        text.extend(bytes);
        let (_, read) = read_fit("UTC", &[text]);
        for (_, record) in &read.records {
            record.validate().unwrap();
        }
    }
}
