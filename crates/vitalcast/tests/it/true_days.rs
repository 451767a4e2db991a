//! What a person's day was, however their devices tell it. Each test is named after what went wrong.

use chrono::{DateTime, NaiveDate, Utc};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast::{
    DayOfPerson, Deletion, Engine, FeatureQuery, ImportSettings, ImportSummary, MetricType,
    RecordFilter, RecordKind, UserId, ZoneFrom, all_days,
};

const NOW: &str = "2026-11-29T12:00:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

struct Home {
    engine: Engine,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            engine: Engine::open(&folder.path().join("data")).unwrap(),
            folder,
        }
    }

    fn import_path(&self, path: &Path, settings: &ImportSettings, now: &str) -> ImportSummary {
        let mut go_on = |_, _| ControlFlow::Continue(());
        self.engine
            .import(&[path], settings, instant(now), &mut go_on)
            .unwrap()
    }

    fn import_with(&self, text: &str, settings: &ImportSettings, now: &str) -> ImportSummary {
        let path = self.folder.path().join("table.csv");
        std::fs::File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        self.import_path(&path, settings, now)
    }

    fn import(&self, text: &str) -> ImportSummary {
        self.import_with(text, &ImportSettings::default(), NOW)
    }

    fn import_in(&self, text: &str, zone: &str) -> ImportSummary {
        let settings = ImportSettings {
            zone: Some(zone.parse().unwrap()),
            ..ImportSettings::default()
        };
        self.import_with(text, &settings, NOW)
    }

    fn day(&self, user: &str, of: &str) -> DayOfPerson {
        let user = UserId::new(user).unwrap();
        self.engine.day(&user, day(of), None, instant(NOW)).unwrap()
    }

    fn value(&self, user: &str, of: &str, metric: MetricType) -> Option<f64> {
        let day = self.day(user, of);
        let found = day.values.iter().find(|found| found.metric_type == metric);
        found.and_then(|found| found.value)
    }

    fn feature(&self, user: &str, of: &str, name: &str) -> Option<f64> {
        let query = FeatureQuery {
            user: UserId::new(user).unwrap(),
            last_day: Some(day(of)),
            days: 1,
            as_of: None,
            inputs_only: false,
            as_known_each_evening: false,
        };
        let matrix = self.engine.features(&query, instant(NOW)).unwrap();
        matrix
            .last_row()
            .find(|(feature, _)| feature.name == name)
            .unwrap()
            .1
    }

    fn records(&self, user: &str) -> u64 {
        let summary = self.engine.user(&UserId::new(user).unwrap()).unwrap();
        let summary = summary.unwrap();
        summary.meals + summary.activities + summary.health_metrics
    }
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap_or_else(|| panic!("nothing, expected {expected}"));
    assert!(
        (found - expected).abs() < 0.005,
        "{found}, expected {expected}"
    );
}

#[test]
fn phone_and_watch_are_not_added_up() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source,sourceId\n\
         ada,2026-06-08,STEPS,8100,count,wrist-watch,w-0608\n\
         ada,2026-06-08,STEPS,7600,count,pocket-phone,p-0608\n\
         ada,2026-06-09,STEPS,8300,count,wrist-watch,w-0609\n\
         ada,2026-06-09,STEPS,7900,count,pocket-phone,p-0609\n\
         ada,2026-06-08,ACTIVE_CALORIES,410,kcal,wrist-watch,e-w-0608\n\
         ada,2026-06-08,ACTIVE_CALORIES,385,kcal,pocket-phone,e-p-0608\n\
         ada,2026-06-09,ACTIVE_CALORIES,430,kcal,wrist-watch,e-w-0609\n\
         ada,2026-06-09,ACTIVE_CALORIES,395,kcal,pocket-phone,e-p-0609\n",
    );
    close(
        home.feature("ada", "2026-06-09", "activity_steps_daily"),
        8300.0,
    );
    close(
        home.feature("ada", "2026-06-09", "activity_steps_7d_avg"),
        8200.0,
    );
    close(
        home.feature("ada", "2026-06-09", "activity_calories_burned_7d_avg"),
        420.0,
    );
    let shown = home.day("ada", "2026-06-09");
    assert_eq!(shown.values[0].source.as_deref(), Some("wrist-watch"));
    assert_eq!(shown.values[0].by_source.len(), 2);
    // The preferred source counts, though it has less.
    let user = UserId::new("ada").unwrap();
    let mut profile = home.engine.profile(&user).unwrap();
    profile
        .preferred_sources
        .insert(MetricType::Steps, vec!["pocket-phone".to_owned()]);
    home.engine.set_profile(&user, &profile).unwrap();
    close(home.value("ada", "2026-06-09", MetricType::Steps), 7900.0);
    // A preference for a source that has nothing changes nothing.
    profile
        .preferred_sources
        .insert(MetricType::Steps, vec!["ring".to_owned()]);
    home.engine.set_profile(&user, &profile).unwrap();
    close(home.value("ada", "2026-06-09", MetricType::Steps), 8300.0);
}

#[test]
fn a_night_in_two_parts_is_one_night() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source,sourceId\n\
         cy,2026-08-20T02:10:00Z,SLEEP_DURATION,187,min,watch,n1a\n\
         cy,2026-08-20T06:55:00Z,SLEEP_DURATION,241,min,watch,n1b\n\
         cy,2026-08-20T02:10:00Z,DEEP_SLEEP_DURATION,60,min,watch,d1a\n\
         cy,2026-08-20T06:55:00Z,DEEP_SLEEP_DURATION,25,min,watch,d1b\n\
         cy,2026-08-21T06:40:00Z,SLEEP_DURATION,420,min,watch,n2\n",
    );
    close(
        home.feature("cy", "2026-08-20", "health_sleep_duration_last"),
        7.133,
    );
    close(
        home.feature("cy", "2026-08-21", "health_sleep_duration_7d_avg"),
        7.067,
    );
    close(
        home.value("cy", "2026-08-20", MetricType::DeepSleepDuration),
        85.0 / 60.0,
    );
}

#[test]
fn a_night_in_twelve_pieces_over_midnight_is_a_night() {
    let home = Home::new();
    let mut rows = String::from("userId,recordedAt,metricType,value,unit,source,sourceId\n");
    for piece in 0..12 {
        // 35 minutes asleep in each of twelve pieces of 40 minutes, from 22:00 on.
        let woken = instant("2026-08-19T22:35:00Z") + chrono::TimeDelta::minutes(40 * piece);
        let woken = woken.format("%Y-%m-%dT%H:%M:%SZ");
        rows += &format!("cy,{woken},SLEEP_DURATION,35,min,watch,p{piece}\n");
    }
    home.import(&rows);
    close(
        home.value("cy", "2026-08-20", MetricType::SleepDuration),
        7.0,
    );
    let shown = home.day("cy", "2026-08-20");
    assert_eq!(shown.sleeps.len(), 1);
    assert!(!shown.sleeps[0].is_nap);
}

#[test]
fn a_nap_is_neither_the_night_nor_gives_it_its_score() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source,sourceId\n\
         eli,2026-05-04T06:30:00Z,SLEEP_DURATION,392,min,ring,n\n\
         eli,2026-05-04T06:30:00Z,SLEEP_SCORE,82,score,ring,ns\n\
         eli,2026-05-04T06:30:00Z,SLEEP_EFFICIENCY,91,%,ring,ne\n\
         eli,2026-05-04T14:50:00Z,SLEEP_DURATION,48,min,ring,p\n\
         eli,2026-05-04T14:50:00Z,SLEEP_SCORE,34,score,ring,ps\n\
         eli,2026-05-04T14:50:00Z,SLEEP_EFFICIENCY,62,%,ring,pe\n",
    );
    close(
        home.feature("eli", "2026-05-04", "health_sleep_duration_last"),
        6.533,
    );
    close(
        home.feature("eli", "2026-05-04", "health_sleep_quality_last"),
        82.0,
    );
    close(
        home.value("eli", "2026-05-04", MetricType::SleepEfficiency),
        91.0,
    );
    let naps: Vec<bool> = home
        .day("eli", "2026-05-04")
        .sleeps
        .iter()
        .map(|sleep| sleep.is_nap)
        .collect();
    assert_eq!(naps, [false, true]);
}

#[test]
fn a_session_that_grows_with_each_sync_replaces_itself() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,endedAt,metricType,value,unit,source,sourceId\n\
         cy,2026-08-19T23:00:00Z,2026-08-20T03:00:00Z,SLEEP_DURATION,3.8,h,watch,a\n\
         cy,2026-08-19T23:00:00Z,2026-08-20T05:00:00Z,SLEEP_DURATION,5.6,h,watch,b\n\
         cy,2026-08-19T23:00:00Z,2026-08-20T07:00:00Z,SLEEP_DURATION,7.4,h,watch,c\n",
    );
    close(
        home.value("cy", "2026-08-20", MetricType::SleepDuration),
        7.4,
    );
}

#[test]
fn a_zone_that_is_set_right_moves_days_without_doubles() {
    let home = Home::new();
    let table = "userId,recordedAt,metricType,value,unit,source\n\
                 quin,2026-06-08,STEPS,8000,count,watch\n\
                 quin,2026-06-09,STEPS,6000,count,watch\n\
                 quin,2026-06-08,ACTIVE_CALORIES,400,kcal,watch\n\
                 quin,2026-06-09,ACTIVE_CALORIES,300,kcal,watch\n";
    home.import(table);
    let again = home.import_in(table, "America/New_York");
    assert_eq!((again.added, again.already_there), (0, 4));
    assert_eq!(home.records("quin"), 4);
    close(
        home.feature("quin", "2026-06-09", "activity_steps_7d_avg"),
        7000.0,
    );
    let user = UserId::new("quin").unwrap();
    let profile = home.engine.profile(&user).unwrap();
    assert_eq!(profile.zone.name(), "America/New_York");
    assert!(
        again
            .notes
            .iter()
            .any(|note| note.contains("America/New_York")),
        "{:?}",
        again.notes
    );
}

#[test]
fn readings_dated_by_the_wrong_zone_move_and_move_back() {
    let home = Home::new();
    let noted = home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         quin,2026-06-09T02:30:00Z,RESTING_HEART_RATE,58,bpm,watch\n\
         quin,2026-06-09T12:00:00Z,RESTING_HEART_RATE,60,bpm,watch\n",
    );
    assert!(
        noted.notes.iter().any(|note| note.contains("2 in UTC")),
        "{:?}",
        noted.notes
    );
    let user = UserId::new("quin").unwrap();
    let before = home.engine.load(&user).unwrap();
    close(
        home.value("quin", "2026-06-09", MetricType::RestingHeartRate),
        59.0,
    );
    let original = before.profile.clone();
    let mut profile = original.clone();
    profile.zone = "America/New_York".parse().unwrap();
    assert_eq!(home.engine.set_profile(&user, &profile).unwrap(), 1);
    close(
        home.value("quin", "2026-06-08", MetricType::RestingHeartRate),
        58.0,
    );
    close(
        home.value("quin", "2026-06-09", MetricType::RestingHeartRate),
        60.0,
    );
    // The person was in New York from the 9th on only.
    profile.zone = original.zone;
    profile.moves = vec![ZoneFrom {
        from: day("2026-06-09"),
        zone: "America/New_York".parse().unwrap(),
    }];
    home.engine.set_profile(&user, &profile).unwrap();
    assert_eq!(
        home.value("quin", "2026-06-09", MetricType::RestingHeartRate),
        Some(60.0)
    );
    home.engine.set_profile(&user, &original).unwrap();
    assert_eq!(home.engine.load(&user).unwrap(), before);
}

#[test]
fn meals_follow_the_offset_they_were_written_with() {
    let home = Home::new();
    home.import(
        "userId,consumedAt,name,mealType,calories,carbs\n\
         nan,2026-06-08T12:30:00-04:00,sandwich,lunch,500,60\n\
         nan,2026-06-08T22:30:00-04:00,pasta,dinner,800,90\n\
         nan,2026-06-09T12:30:00-04:00,salad,lunch,400,30\n\
         nan,2026-06-09T22:15:00-04:00,curry,dinner,900,100\n",
    );
    let at = |of, name| home.feature("nan", of, name);
    close(at("2026-06-08", "nutrition_calories_daily"), 1300.0);
    close(at("2026-06-08", "nutrition_last_meal_time"), 22.5);
    close(at("2026-06-08", "nutrition_late_night_calories"), 800.0);
    close(at("2026-06-09", "nutrition_calories_daily"), 1300.0);
    close(at("2026-06-09", "nutrition_last_meal_time"), 22.25);
    close(at("2026-06-09", "nutrition_late_night_calories"), 900.0);
    assert_eq!(at("2026-06-10", "nutrition_calories_daily"), None);
}

#[test]
fn times_without_an_offset_are_those_of_the_persons_clock() {
    let home = Home::new();
    home.import_in(
        "userId,consumedAt,name,mealType,calories,carbs\n\
         pia,2026-06-08 12:30:00,sandwich,lunch,500,60\n\
         pia,2026-06-08 22:30:00,pasta,dinner,800,90\n\
         pia,2026-06-09 01:10:00,crisps,snack,200,20\n",
        "America/New_York",
    );
    let at = |of, name| home.feature("pia", of, name);
    close(at("2026-06-08", "nutrition_calories_daily"), 1300.0);
    close(at("2026-06-08", "nutrition_first_meal_time"), 12.5);
    close(at("2026-06-08", "nutrition_last_meal_time"), 22.5);
    close(at("2026-06-08", "nutrition_late_night_calories"), 800.0);
    close(at("2026-06-09", "nutrition_calories_daily"), 200.0);
    close(at("2026-06-09", "nutrition_first_meal_time"), 1.167);
}

#[test]
fn a_night_belongs_to_the_day_of_waking_whatever_dates_it() {
    let home = Home::new();
    home.import_in(
        "userId,recordedAt,endedAt,day,metricType,value,unit,source\n\
         ike,2026-05-10T22:55:00+02:00,2026-05-11T06:35:00+02:00,2026-05-11,SLEEP_DURATION,7.4,hours,watch\n\
         ike,2026-05-12T00:30:00+02:00,2026-05-12T07:00:00+02:00,2026-05-12,SLEEP_DURATION,6.2,hours,watch\n\
         ike,2026-05-12T23:10:00+02:00,2026-05-13T06:30:00+02:00,2026-05-12,SLEEP_DURATION,7.0,hours,watch\n",
        "Europe/Berlin",
    );
    for (of, hours) in [
        ("2026-05-11", 7.4),
        ("2026-05-12", 6.2),
        ("2026-05-13", 7.0),
    ] {
        close(home.feature("ike", of, "health_sleep_duration_last"), hours);
    }
}

#[test]
fn an_older_export_never_replaces_a_newer_one() {
    let home = Home::new();
    let header = "id,userId,recordedAt,metricType,value,unit,source,createdAt,updatedAt\n";
    home.import(&format!(
        "{header}r1x,ray,2026-01-09T07:00:00Z,RESTING_HEART_RATE,55,bpm,watch,2026-01-09T07:05:00Z,2026-01-12T09:00:00Z\n"
    ));
    let older = home.import(&format!(
        "{header}r1x,ray,2026-01-09T07:00:00Z,RESTING_HEART_RATE,71,bpm,watch,2026-01-09T07:05:00Z,2026-01-09T07:05:00Z\n"
    ));
    assert_eq!((older.corrected, older.outdated), (0, 1));
    close(
        home.value("ray", "2026-01-09", MetricType::RestingHeartRate),
        55.0,
    );
}

#[test]
fn a_replay_does_not_see_what_was_changed_two_weeks_later() {
    let home = Home::new();
    home.import(
        "id,userId,recordedAt,metricType,value,unit,source,createdAt,updatedAt\n\
         sx1,sal,2026-01-05T07:00:00Z,RESTING_HEART_RATE,60,bpm,watch,2026-01-05T07:05:00Z,2026-01-05T07:05:00Z\n\
         sx2,sal,2026-01-06T07:00:00Z,RESTING_HEART_RATE,54,bpm,watch,2026-01-06T07:05:00Z,2026-01-20T10:00:00Z\n\
         sx3,sal,2026-01-07T07:00:00Z,RESTING_HEART_RATE,61,bpm,watch,2026-01-07T07:05:00Z,2026-01-07T07:05:00Z\n",
    );
    let query = FeatureQuery {
        user: UserId::new("sal").unwrap(),
        last_day: Some(day("2026-01-07")),
        as_of: Some(instant("2026-01-08T00:00:00Z")),
        days: 1,
        inputs_only: false,
        as_known_each_evening: false,
    };
    let matrix = home.engine.features(&query, instant(NOW)).unwrap();
    let at = |name: &str| {
        matrix
            .last_row()
            .find(|(feature, _)| feature.name == name)
            .unwrap()
            .1
    };
    assert_eq!(at("health_rhr_yesterday"), None);
    close(at("health_rhr_7d_avg"), 60.5);
}

#[test]
fn an_export_reads_back_exactly_into_the_same_and_into_a_fresh_folder() {
    let home = Home::new();
    home.import_in(
        "userId,recordedAt,metricType,value,unit,source\n\
         uma,2026-06-08,STEPS,8000,count,watch\n\
         uma,2026-06-09,STEPS,6000,count,watch\n\
         uma,2026-06-09T07:00:00-04:00,SLEEP_DURATION,7.5,hours,watch\n",
        "America/New_York",
    );
    home.import(
        "userId,consumedAt,name,mealType,calories,carbs\n\
         uma,2026-06-08T22:30:00-04:00,pasta,dinner,800,90\n\
         uma,2026-06-09,soup,lunch,300,20\n",
    );
    // A correction, so that there is a record of two versions.
    home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         uma,2026-06-08,STEPS,8050,count,watch\n",
    );
    let user = UserId::new("uma").unwrap();
    let before = home.engine.load(&user).unwrap();
    assert_eq!(before.records.len(), 6);
    let zip = home.folder.path().join("uma.zip");
    home.engine
        .export_user_to(&user, instant(NOW), &zip)
        .unwrap();
    let same = home.import_path(&zip, &ImportSettings::default(), NOW);
    assert_eq!(
        (same.added, same.corrected, same.already_there),
        (0, 0, 6),
        "{same:?}"
    );
    assert_eq!(home.engine.load(&user).unwrap(), before);
    let fresh = Home::new();
    fresh.import_path(&zip, &ImportSettings::default(), NOW);
    let after = fresh.engine.load(&user).unwrap();
    assert_eq!(after.profile, before.profile);
    assert_eq!(after.records.len(), before.records.len());
    for (new, old) in after.records.iter().zip(&before.records) {
        assert!(new.says_the_same(old));
        assert_eq!(new.provenance().day, old.provenance().day);
        assert_eq!(new.provenance().known_at, old.provenance().known_at);
    }
    close(
        fresh.feature("uma", "2026-06-08", "nutrition_calories_daily"),
        800.0,
    );
    close(
        fresh.feature("uma", "2026-06-09", "nutrition_calories_daily"),
        300.0,
    );
}

#[test]
fn steps_of_zero_with_nothing_else_are_not_measured() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         flo,2026-03-02T21:00:00Z,STEPS,0,count,watch\n\
         flo,2026-03-02T07:00:00Z,RECOVERY_SCORE,0,score,watch\n\
         flo,2026-03-03T21:00:00Z,STEPS,9000,count,watch\n\
         flo,2026-03-03T07:00:00Z,RECOVERY_SCORE,64,score,watch\n\
         flo,2026-03-04T07:00:00Z,RESTING_HEART_RATE,58,bpm,watch\n\
         flo,2026-03-04T21:00:00Z,STEPS,0,count,watch\n",
    );
    close(
        home.feature("flo", "2026-03-03", "activity_steps_7d_avg"),
        9000.0,
    );
    close(
        home.feature("flo", "2026-03-03", "health_recovery_score_7d_avg"),
        64.0,
    );
    assert!(home.day("flo", "2026-03-02").is_not_worn);
    // In bed all day, with the watch on.
    close(home.value("flo", "2026-03-04", MetricType::Steps), 0.0);
}

#[test]
fn a_meal_does_not_show_that_the_watch_was_worn() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         flo,2026-03-02T21:00:00Z,STEPS,0,count,watch\n\
         flo,2026-03-03T21:00:00Z,STEPS,9000,count,watch\n",
    );
    home.import("userId,consumedAt,name,calories\nflo,2026-03-02T08:00:00Z,porridge,400\n");
    let unworn = home.day("flo", "2026-03-02");
    assert_eq!((unworn.is_not_worn, unworn.meals), (true, 1));
    let steps = home.feature("flo", "2026-03-03", "activity_steps_7d_avg");
    close(steps, 9000.0);
}

#[test]
fn a_deleted_record_can_be_restored_and_does_not_come_back_by_itself() {
    let home = Home::new();
    let table = "userId,recordedAt,metricType,value,unit,source\n\
                 ann,2026-06-08,STEPS,8000,count,watch\n\
                 ann,2026-06-09,STEPS,6000,count,watch\n";
    home.import(table);
    let user = UserId::new("ann").unwrap();
    let filter = RecordFilter {
        metric: Some(MetricType::Steps),
        ..RecordFilter::all(
            RecordKind::HealthMetric,
            day("2026-06-08")..=day("2026-06-08"),
        )
    };
    let restorable = Deletion::Restorable { at: instant(NOW) };
    let deleted = home.engine.delete_records(&user, &filter, restorable);
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(home.value("ann", "2026-06-08", MetricType::Steps), None);
    let again = home.import(table);
    assert_eq!((again.deleted_before, again.already_there), (1, 1));
    assert_eq!(home.value("ann", "2026-06-08", MetricType::Steps), None);
    assert_eq!(home.engine.restore_records(&user, &filter).unwrap(), 1);
    close(home.value("ann", "2026-06-08", MetricType::Steps), 8000.0);
}

#[test]
fn a_complete_export_can_be_mirrored() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         ann,2026-06-08,STEPS,8000,count,watch\n\
         ann,2026-06-09,STEPS,6000,count,watch\n\
         ann,2026-06-09,STEPS,5000,count,phone\n\
         ann,2026-06-10,STEPS,7000,count,watch\n",
    );
    let settings = ImportSettings {
        mirror: true,
        ..ImportSettings::default()
    };
    let mirrored = home.import_with(
        "userId,recordedAt,metricType,value,unit,source\n\
         ann,2026-06-08,STEPS,8000,count,watch\n\
         ann,2026-06-10,STEPS,7000,count,watch\n",
        &settings,
        NOW,
    );
    assert_eq!(mirrored.deleted, 1);
    // The other source is untouched.
    close(home.value("ann", "2026-06-09", MetricType::Steps), 5000.0);
    let user = UserId::new("ann").unwrap();
    let deleted = RecordFilter {
        deleted: true,
        ..RecordFilter::all(RecordKind::HealthMetric, all_days())
    };
    let (gone, _) = home.engine.records(&user, &deleted, None, 10).unwrap();
    assert_eq!(gone.len(), 1);
}

#[test]
fn a_running_total_that_falls_and_samples_that_overlap_count_once() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,endedAt,metricType,value,unit,source,kind\n\
         ben,2026-06-08T09:00:00Z,,STEPS,3000,count,watch,running_total\n\
         ben,2026-06-08T15:00:00Z,,STEPS,7500,count,watch,running_total\n\
         ben,2026-06-08T21:00:00Z,,STEPS,7400,count,watch,running_total\n\
         ben,2026-06-09T08:00:00Z,2026-06-09T09:00:00Z,STEPS,1000,count,watch,\n\
         ben,2026-06-09T08:30:00Z,2026-06-09T09:00:00Z,STEPS,600,count,watch,\n\
         ben,2026-06-09T17:00:00Z,2026-06-09T18:00:00Z,STEPS,2500,count,watch,\n",
    );
    close(home.value("ben", "2026-06-08", MetricType::Steps), 7500.0);
    close(home.value("ben", "2026-06-09", MetricType::Steps), 3500.0);
}

#[test]
fn a_workout_of_watch_and_app_counts_once() {
    let home = Home::new();
    home.import(
        "userId,startedAt,endedAt,activityType,duration,source\n\
         ben,2026-06-08T17:00:00Z,2026-06-08T17:45:00Z,RUNNING,45,watch\n\
         ben,2026-06-08T17:02:00Z,2026-06-08T17:46:00Z,RUNNING,44,running-app\n\
         ben,2026-06-08T20:00:00Z,2026-06-08T20:20:00Z,YOGA,20,running-app\n",
    );
    close(
        home.feature("ben", "2026-06-08", "activity_active_minutes_daily"),
        65.0,
    );
    close(
        home.feature("ben", "2026-06-08", "activity_workout_count_daily"),
        2.0,
    );
    assert_eq!(home.day("ben", "2026-06-08").recorded_twice, 1);
}

#[test]
fn a_watch_and_a_cuff_are_not_averaged() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,unit,source\n\
         ben,2026-06-08T07:00:00Z,BLOOD_PRESSURE_SYSTOLIC,118,mmHg,cuff\n\
         ben,2026-06-08T07:10:00Z,BLOOD_PRESSURE_SYSTOLIC,120,mmHg,cuff\n\
         ben,2026-06-08T12:00:00Z,BLOOD_PRESSURE_SYSTOLIC,139,mmHg,watch\n",
    );
    close(
        home.value("ben", "2026-06-08", MetricType::BloodPressureSystolic),
        119.0,
    );
}

#[test]
fn a_day_can_begin_later_than_midnight_for_people_who_work_at_night() {
    let home = Home::new();
    home.import_in(
        "userId,consumedAt,name,calories\n\
         ben,2026-06-09T02:30:00+02:00,night lunch,700\n\
         ben,2026-06-08T22:00:00+02:00,supper,600\n",
        "Europe/Berlin",
    );
    close(
        home.feature("ben", "2026-06-08", "nutrition_calories_daily"),
        600.0,
    );
    let user = UserId::new("ben").unwrap();
    let mut profile = home.engine.profile(&user).unwrap();
    profile.day_begins_hour = 6;
    assert_eq!(home.engine.set_profile(&user, &profile).unwrap(), 1);
    close(
        home.feature("ben", "2026-06-08", "nutrition_calories_daily"),
        1300.0,
    );
}

#[test]
fn an_unusual_reading_is_shown_as_unusual() {
    let home = Home::new();
    let mut rows = String::from("userId,recordedAt,metricType,value,unit,source\n");
    for number in 1..=28 {
        let value = if number == 28 { 255 } else { 43 + number % 5 };
        rows += &format!(
            "tom,2026-09-{number:02}T06:30:00Z,HEART_RATE_VARIABILITY_RMSSD,{value},ms,band\n"
        );
    }
    home.import(&rows);
    let unusual = |of| home.day("tom", of).values[0].is_unusual;
    assert!(unusual("2026-09-28") && !unusual("2026-09-27"));
    close(
        home.value("tom", "2026-09-28", MetricType::HeartRateVariabilityRmssd),
        255.0,
    );
}

#[test]
fn a_preference_for_a_source_that_has_nothing_is_kept_and_told() {
    let home = Home::new();
    home.import(
        "userId,recordedAt,metricType,value,source\n\
         kim,2026-06-08,STEPS,4000,phone\n\
         kim,2026-06-08,STEPS,9000,watch\n",
    );
    let user = UserId::new("kim").unwrap();
    let mut profile = home.engine.profile(&user).unwrap();
    let order = vec!["phone".to_owned(), "ring".to_owned()];
    profile.preferred_sources = [(MetricType::Steps, order)].into();
    home.engine.set_profile(&user, &profile).unwrap();
    let coverage = home.engine.coverage(&user, None, instant(NOW)).unwrap();
    let told = "ring is preferred for STEPS, but has no readings of it (there are some of phone, \
                watch); the preference counts once it has";
    assert_eq!(coverage.notes, [told]);
    assert_eq!(home.engine.unused_preferences(&user).unwrap(), [told]);
    let of_day = home
        .engine
        .day(&user, day("2026-06-08"), None, instant(NOW))
        .unwrap();
    assert_eq!(of_day.values[0].source.as_deref(), Some("phone"));
    assert_eq!(home.engine.profile(&user).unwrap(), profile);
}
