//! Data points of Open mHealth and IEEE 1752.1.

use crate::folder::{read_files, read_fixture};
use vitalcast_domain::{ActivityType, Intensity, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason as S};

#[test]
fn the_documents_of_the_schemas_are_read() {
    let (report, read) = read_fixture("open-mhealth");
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    read.check_days(
        M::SleepDuration,
        &[
            ("2016-02-06", 7.5),
            ("2016-02-06", 8.5),
            ("2016-02-06", 7.75),
        ],
    );
    read.check_days(M::AwakeDuration, &[("2016-02-06", 0.5)]);
    read.check_days(M::RestingHeartRate, &[("2020-02-05", 67.5)]);
    read.check_days(M::Steps, &[("2016-02-05", 10_600.0)]);
    read.check_days(M::OxygenSaturation, &[("2013-02-05", 95.0)]);
    read.check_days(M::RespiratoryRate, &[]);
    let walks = read.workouts();
    assert_eq!(walks.len(), 2);
    assert!(
        walks
            .iter()
            .all(|walk| walk.activity_type == ActivityType::Walking)
    );
    assert_eq!(walks[0].provenance.source, "open-mhealth/RunKeeper");
    assert_eq!(walks[0].intensity, Some(Intensity::Moderate));
    // 1.5 and 3.1 miles.
    assert_eq!(walks[0].distance_m.map(f64::round), Some(2_414.0));
    assert_eq!(walks[1].distance_m.map(f64::round), Some(4_989.0));
    assert_eq!(
        (walks[1].duration_minutes, walks[1].energy_kcal),
        (Some(60.0), Some(160.0))
    );
    // A lowest heart rate, a lowest respiratory rate; energy without an activity.
    assert_eq!(report.skipped[&S::NotRead], 3);
}

fn point(id: &str, body: &str) -> String {
    format!(
        r#"{{"header":{{"uuid":"{id}","schema_id":{{"namespace":"ieee","name":"x","version":"1.0"}},"source_creation_date_time":"2025-03-30T08:00:00Z"}},"body":{body}}}"#
    )
}

#[test]
fn a_list_of_points_with_every_shape_of_time_is_read() {
    let text = [
        point("a", r#"{"total_sleep_time":{"value":6.5,"unit":"h"},"effective_time_frame":{"time_interval":{"start_date_time":"2025-03-29T23:30:00+01:00","end_date_time":"2025-03-30T07:00:00+02:00"}}}"#),
        point("b", r#"{"total_sleep_time":{"value":25200,"unit":"sec"},"effective_time_frame":{"time_interval":{"duration":{"value":8,"unit":"h"},"end_date_time":"2025-03-31T07:00:00+02:00"}}}"#),
        point("c", r#"{"heart_rate":{"value":55,"unit":"beats/min"},"temporal_relationship_to_physical_activity":"at rest","effective_time_frame":{"date_time":"2025-03-30T05:00:00Z"}}"#),
        point("d", r#"{"heart_rate":{"value":95,"unit":"beats/min"},"effective_time_frame":{"date_time":"2025-03-30T05:00:00Z"}}"#),
        point("e", r#"{"sleep_duration":{"value":9,"unit":"h"},"effective_time_frame":{"time_interval":{"start_date_time":"2025-04-01T23:00:00Z","end_date_time":"2025-04-02T06:00:00Z"}}}"#),
        point("f", r#"{"step_count":{"value":8000,"unit":"steps"},"effective_time_frame":{"time_interval":{"date":"2025-04-01","part_of_day":"morning"}}}"#),
        point("g", r#"{"step_count":{"value":8000,"unit":"steps"}}"#),
    ]
    .join(",\n");
    let (report, read) = read_files("Europe/Berlin", &[("points.json", &format!("[{text}]"))]);
    read.check_days(
        M::SleepDuration,
        &[("2025-03-30", 6.5), ("2025-03-31", 7.0)],
    );
    read.check_days(M::RestingHeartRate, &[("2025-03-30", 55.0)]);
    read.check_days(M::Steps, &[("2025-04-01", 8_000.0)]);
    // Clocks went forward in the first night: 23:30 to 7:00 on the clock.
    assert_eq!(read.readings(M::WakeTime).collect::<Vec<_>>()[0].value, 7.0);
    assert_eq!(read.faults(), [(5, R::Contradiction), (7, R::Empty)]);
    assert_eq!(report.skipped[&S::NotRead], 1);
    let again = read_files("UTC", &[("points.json", &format!("[{text}]"))]).1;
    let without_clock = |ids: Vec<String>| -> Vec<String> {
        ids.into_iter()
            .filter(|id| !id.starts_with("bedtime") && !id.starts_with("waking"))
            .collect()
    };
    assert_eq!(
        without_clock(read.source_ids()),
        without_clock(again.source_ids())
    );
}
