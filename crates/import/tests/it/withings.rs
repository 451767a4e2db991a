//! Withings' account export.

use crate::folder::{Folder, options, profile_in, read, read_bytes, read_with};
use vitalcast_domain::MetricType as M;
use vitalcast_import::{RejectReason as R, SkipReason as S};

const SLEEP: &str = "from,to,light (s),deep (s),rem (s),awake (s),wake up,Duration to sleep (s),Duration to wake up \
                     (s),Snoring (s),Snoring episodes,Average heart rate,Heart rate (min),Heart rate (max),Night \
                     events\n";
const NIGHT: &str = "2024-05-01T23:30:00+02:00,2024-05-02T07:00:00+02:00,14400,4800,6000,1800,2,600,300,0,0,54,46,\
                     80,\n";
const WAKING: &str = "2024-05-02T05:00:00Z";

#[test]
fn a_night_is_in_seconds_and_of_the_day_of_waking() {
    let (report, read) = read_bytes("sleep.csv", format!("{SLEEP}{NIGHT}"));
    assert_eq!(report.formats[0].format.as_str(), "withings");
    for (metric, value) in [
        (M::SleepDuration, 7.0),
        (M::DeepSleepDuration, 80.0 / 60.0),
        (M::RemSleepDuration, 100.0 / 60.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.5),
        (M::SleepingHeartRate, 54.0),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.0),
    ] {
        read.check(metric, "2024-05-02", value, WAKING);
    }
}

#[test]
fn no_rem_and_no_pulse_were_not_measured_and_an_empty_night_is_none() {
    let old = NIGHT
        .replace(",6000,", ",0,")
        .replace(",54,46,80,", ",0,0,0,");
    let empty = "2024-05-02T23:30:00+02:00,2024-05-03T07:00:00+02:00,0,0,0,,,,,,,,,,\n";
    let (report, read) = read_bytes("sleep.csv", format!("{SLEEP}{old}{empty}"));
    let expected = 19_200.0 / 3_600.0;
    read.check(M::SleepDuration, "2024-05-02", expected, WAKING);
    assert!(read.series(M::RemSleepDuration).is_empty());
    assert!(read.series(M::SleepingHeartRate).is_empty());
    assert_eq!(report.skipped[&S::Missing], 2);
}

#[test]
fn names_follow_the_language_of_the_account() {
    for names in [
        "von,bis,leicht (s),tief (s),rem (s),wach (s),Aufwachen",
        "de,a,ligero (s),profundo (s),rem (s),despierto (s),despertar",
        "от,до,x,y,z,u,v",
    ] {
        let header = SLEEP.replacen(
            "from,to,light (s),deep (s),rem (s),awake (s),wake up",
            names,
            1,
        );
        let (_, read) = read_bytes("schlaf.csv", format!("{header}{NIGHT}"));
        assert_eq!(
            read.series(M::SleepDuration),
            [("2024-05-02".to_owned(), 7.0)],
            "{names}"
        );
        assert_eq!(
            read.series(M::AwakeDuration),
            [("2024-05-02".to_owned(), 0.5)],
            "{names}"
        );
    }
}

#[test]
fn energy_of_a_day_is_earned_and_passive() {
    let folder = Folder::new();
    folder.write(
        "aggregates_steps.csv",
        "date,value\n2024-05-02,9876\n2024-05-03,0\n",
    );
    folder.write("aggregates_distance.csv", "date,value\n2024-05-02,7000.5\n");
    folder.write(
        "aggregates_calories_earned.csv",
        "date,value\n2024-05-02,510.5\n2024-05-03,0\n2024-05-04,100\n",
    );
    folder.write(
        "aggregates_calories_passive.csv",
        "date,value\n2024-05-02,1700\n2024-05-03,1700\n",
    );
    let (report, read) = read(folder.path());
    read.check(
        M::TotalCalories,
        "2024-05-02",
        2_210.5,
        "2024-05-03T00:00:00Z",
    );
    assert_eq!(read.series(M::ActiveCalories).len(), 3);
    assert_eq!(read.series(M::Steps)[0], ("2024-05-02".to_owned(), 9_876.0));
    assert_eq!(report.skipped[&S::OtherFile], 1);
}

#[test]
fn masses_are_kilograms_or_pounds_and_become_per_cent_where_that_is_the_metric() {
    let rows = "2024-05-02 07:10:00,80,20,3.2,56.8,40,\n2024-05-03 07:10:00,79.5,,,,,\n";
    let folder = Folder::new();
    let path = folder.write(
        "weight.csv",
        format!(
            "Date,Weight (kg),Fat mass (kg),Bone mass (kg),Muscle mass (kg),Hydration (kg),Comments\n{rows}"
        ),
    );
    let (report, kilograms) = read(&path);
    let at = "2024-05-02T07:10:00Z";
    for (metric, value) in [
        (M::BodyFatPercentage, 25.0),
        (M::WaterPercentage, 50.0),
        (M::BoneMass, 3.2),
        (M::MuscleMass, 56.8),
    ] {
        kilograms.check(metric, "2024-05-02", value, at);
    }
    assert_eq!(report.skipped[&S::Missing], 1);
    let profile = profile_in(&path, &options());
    assert_eq!(profile.weight_kg, Some(79.5), "the newest weight");
    let (_, pounds) = read_bytes(
        "weight.csv",
        "Date,Weight (lb),Fat mass (lb),Bone mass (lb),Muscle mass (lb),Hydration (lb),Comments\n2024-05-02 \
         07:10:00,180,45,,100,,\n",
    );
    pounds.check(M::BodyFatPercentage, "2024-05-02", 25.0, at);
    pounds.check(M::MuscleMass, "2024-05-02", 45.359_237, at);
}

#[test]
fn lists_of_samples_become_values_of_days() {
    let folder = Folder::new();
    folder.write(
        "raw_tracker_hr.csv",
        "start,duration,value\n2024-05-02T10:00:00+02:00,\"[60,60,60]\",\"[60,70,80]\"\n\
         2024-05-02T11:00:00+02:00,\"[1200,1200]\",\"[90,50]\"\n",
    );
    folder.write(
        "raw_hr_HR RMS SD.csv",
        "start,duration,value\n2024-05-02T03:00:00+02:00,\"[60,60]\",\"[40,60]\"\n\
         2024-05-02T04:00:00+02:00,[60],[50]\n2024-05-03T04:00:00+02:00,[60],[0]\n\
         2024-05-03T05:00:00+02:00,[60],[x]\n",
    );
    folder.write(
        "raw_tracker_steps.csv",
        "start,duration,value\n2024-05-02T03:00:00+02:00,[60],[4]\n",
    );
    folder.write(
        "bp.csv",
        "Date,Heart rate,Systolic,Diastolic,Comments\n2024-05-02 08:00:00,60,121,79,\n",
    );
    let (report, read) = read(folder.path());
    let evening = "2024-05-03T00:00:00Z";
    // Half an hour with 60, 70, 80 and half an hour with 90 and 50.
    read.check(M::AverageHeartRate, "2024-05-02", 70.0, evening);
    read.check(M::LowestHeartRate, "2024-05-02", 70.0, evening);
    read.check(M::HeartRateVariabilityRmssd, "2024-05-02", 50.0, evening);
    read.check(
        M::BloodPressureSystolic,
        "2024-05-02",
        121.0,
        "2024-05-02T08:00:00Z",
    );
    assert_eq!(read.faults(), [(5, R::BadNumber)]);
    assert_eq!(report.skipped[&S::OtherFile], 1);
}

#[test]
fn travel_and_the_clock_change_keep_each_nights_own_clock_and_ids() {
    let autumn =
        "2024-10-27T00:10:00+02:00,2024-10-27T07:40:00+01:00,20000,3000,7000,600,,600,,,,,,,\n";
    let away =
        "2024-11-02T00:30:00-05:00,2024-11-02T07:00:00-05:00,14400,3000,5000,1000,,,,,,,,,\n";
    let folder = Folder::new();
    let path = folder.write("sleep.csv", format!("{SLEEP}{autumn}{away}"));
    let (_, here) = read(&path);
    let days: Vec<String> = here
        .series(M::SleepDuration)
        .into_iter()
        .map(|night| night.0)
        .collect();
    assert_eq!(days, ["2024-10-27", "2024-11-02"]);
    // 00:10 to 07:40 is eight and a half hours in that night.
    assert_eq!(here.series(M::TimeInBed)[0].1, 8.5);
    assert_eq!(here.series(M::Bedtime)[1].1, 0.5);
    let elsewhere = vitalcast_import::ImportOptions {
        zone: Some("Asia/Tokyo".parse().unwrap()),
        ..options()
    };
    let (_, there) = read_with(&path, &elsewhere).unwrap();
    assert_eq!(
        (there.ids(), there.series(M::WakeTime)),
        (here.ids(), here.series(M::WakeTime))
    );
}

#[test]
fn body_and_pressure_follow_the_language_of_the_account_too() {
    let row = "2024-05-02 07:10:00,80,20,3.2,56.8,40,\n";
    for header in [
        "Date,Gewicht (kg),Fettmasse (kg),Knochenmasse (kg),Muskelmasse (kg),Wasseranteil (kg),Kommentare",
        "Date,\"Poids (kg)\",\"Gras (kg)\",\"Masse osseuse (kg)\",\"Masse musculaire (kg)\",\"Hydratation \
         (kg)\",Commentaires",
        // A language that nobody has written down: five masses in their order.
        "Fecha,Peso (kg),Masa a (kg),Masa b (kg),Masa c (kg),Agua (kg),Comentarios",
    ] {
        let (report, read) = read_bytes("weight.csv", format!("{header}\n{row}"));
        assert_eq!(report.formats[0].format.as_str(), "withings", "{header}");
        for (metric, value) in [
            (M::BodyFatPercentage, 25.0),
            (M::WaterPercentage, 50.0),
            (M::BoneMass, 3.2),
            (M::MuscleMass, 56.8),
        ] {
            read.check(metric, "2024-05-02", value, "2024-05-02T07:10:00Z");
        }
    }
    for header in [
        "Date,Herzfrequenz,Systole,Diastole,Kommentare",
        "Date,Fréquence cardiaque,Systolique,Diastolique,Commentaires",
        "Fecha,Frecuencia cardíaca,Sistólica,Diastólica,Comentarios",
    ] {
        let text = format!("{header}\n2024-05-02 08:00:00,60,121,79,\n");
        let (_, read) = read_bytes("bp.csv", text);
        let at = "2024-05-02T08:00:00Z";
        read.check(M::BloodPressureSystolic, "2024-05-02", 121.0, at);
        read.check(M::BloodPressureDiastolic, "2024-05-02", 79.0, at);
    }
}

#[test]
fn newer_tables_have_more_masses_and_each_is_found_by_its_name() {
    let (_, read) = read_bytes(
        "weight.csv",
        "Date,Weight (kg),Fat mass (kg),Fat free mass (kg),Fat Ratio (%),Bone mass (kg),Muscle mass (kg),\
         Hydration (kg),Comments,Category\n2024-05-02 07:10:00,80,20,60,25,3.2,56.8,40,,scale\n",
    );
    let at = "2024-05-02T07:10:00Z";
    read.check(M::BoneMass, "2024-05-02", 3.2, at);
    read.check(M::WaterPercentage, "2024-05-02", 50.0, at);
}

#[test]
fn what_a_person_typed_in_is_read() {
    let folder = Folder::new();
    folder.write(
        "manual_spo2.csv",
        "date,value\n2024-05-02 08:00:00,97\n2024-05-02 09:00:00,\n",
    );
    let height = "Datum,Grösse (m)\n2023-05-02 08:00:00,1.80\n2022-05-02 08:00:00,1.70\n";
    folder.write("height.csv", height);
    let (report, read) = read(folder.path());
    let at = "2024-05-02T08:00:00Z";
    read.check(M::OxygenSaturation, "2024-05-02", 97.0, at);
    assert_eq!(read.series(M::OxygenSaturation).len(), 1);
    assert!(report.unread.is_empty(), "{:?}", report.unread);
    let profile = profile_in(folder.path(), &options());
    assert_eq!(profile.height_cm, Some(180.0), "the newest height");
}
