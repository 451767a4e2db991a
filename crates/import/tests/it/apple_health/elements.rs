//! Workouts, meals, copies of records, and files that are damaged.

use super::{day, quantity, read, sleep, xml};
use crate::folder::{Folder, Read, mine, read_with};
use vitalcast_domain::{ActivityType, MealType, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason};

#[test]
fn workouts_have_totals_of_older_and_newer_exports() {
    let (_, read) = read(
        " <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"1800\" \
         durationUnit=\"s\" totalDistance=\"3\" totalDistanceUnit=\"mi\" totalEnergyBurned=\"1255.2\" \
         totalEnergyBurnedUnit=\"kJ\" sourceName=\"Strava\" startDate=\"2025-05-01 18:00:00 +0200\" \
         endDate=\"2025-05-01 18:31:00 +0200\">\n</Workout>\n\
         <Workout workoutActivityType=\"HKWorkoutActivityTypeFunctionalStrengthTraining\" \
         duration=\"45\" durationUnit=\"min\" sourceName=\"Apple Watch\" \
         startDate=\"2025-05-03 01:30:00 +0200\" endDate=\"2025-05-03 02:15:00 +0200\">\n\
         <MetadataEntry key=\"HKTimeZone\" value=\"America/New_York\"/>\n\
         <WorkoutActivity uuid=\"x\"><WorkoutStatistics type=\"HKQuantityTypeIdentifierHeartRate\" \
         average=\"99\" maximum=\"199\" unit=\"count/min\"/></WorkoutActivity>\n\
         <WorkoutStatistics type=\"HKQuantityTypeIdentifierActiveEnergyBurned\" sum=\"210\" unit=\"kcal\"/>\n\
         <WorkoutStatistics type=\"HKQuantityTypeIdentifierHeartRate\" average=\"112.5\" \
         minimum=\"80\" maximum=\"151\" unit=\"count/min\"/>\n\
         <WorkoutStatistics type=\"HKQuantityTypeIdentifierDistanceWalkingRunning\" sum=\"0.4\" unit=\"km\"/>\n\
         <WorkoutStatistics type=\"HKQuantityTypeIdentifierStepCount\" sum=\"520\" unit=\"count\"/>\n\
         <WorkoutRoute sourceName=\"x\"><FileReference path=\"/workout-routes/a.gpx\"/></WorkoutRoute>\n\
         </Workout>\n\
         <Workout workoutActivityType=\"HKWorkoutActivityTypeYoga\" sourceName=\"Yoga\"/>\n",
    );
    let [run, strength] = read.workouts()[..] else {
        panic!("{:?}", read.records);
    };
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(run.duration_minutes, Some(30.0));
    assert_eq!(run.energy_kcal, Some(300.0));
    assert!((run.distance_m.unwrap() - 4828.032).abs() < 1e-9);
    assert_eq!(run.provenance.source, "apple-health/Strava");
    assert_eq!(strength.activity_type, ActivityType::WeightTraining);
    assert_eq!(strength.energy_kcal, Some(210.0));
    assert_eq!(strength.average_heart_rate, Some(112.5));
    assert_eq!(strength.max_heart_rate, Some(151.0));
    assert_eq!(
        (strength.distance_m, strength.steps),
        (Some(400.0), Some(520.0))
    );
    // 23:30 UTC is the evening in New York.
    assert_eq!(strength.provenance.day.to_string(), "2025-05-02");
    assert_eq!(
        strength.provenance.source_id,
        "workout-functionalstrengthtraining-2025-05-02T23:30:00+00:00-2025-05-03T00:15:00+00:00"
    );
    assert_eq!(read.faults(), [(3, R::BadTime)]);
}

#[test]
fn foods_of_a_correlation_count_once_wherever_they_stand() {
    let at = "2025-05-01 12:30:00 +0200";
    let food = |word: &str, value: &str, unit: &str, name: &str| {
        format!(
            "<Record type=\"HKQuantityTypeIdentifierDietary{word}\" sourceName=\"MyFitnessPal\" \
             unit=\"{unit}\" creationDate=\"{at}\" startDate=\"{at}\" endDate=\"{at}\" \
             value=\"{value}\"><MetadataEntry key=\"HKFoodType\" value=\"{name}\"/></Record>\n"
        )
    };
    let within = [
        food("EnergyConsumed", "155", "kcal", "Egg"),
        food("Protein", "12.5", "g", "Egg"),
        food("Sodium", "120", "mg", "Egg"),
    ]
    .concat();
    let outside = [
        within.clone(),
        // A second egg that is in no correlation, and bread.
        food("EnergyConsumed", "155", "kcal", "Egg"),
        food("EnergyConsumed", "418.4", "kJ", "Bread &amp; butter"),
        food("Carbohydrates", "20", "g", "Bread &amp; butter"),
        food("FatTotal", "5000", "mg", "Bread &amp; butter"),
        food("Fiber", "2", "g", "Bread &amp; butter"),
        food("Sugar", "1", "g", "Bread &amp; butter"),
    ]
    .concat();
    let correlation = format!(
        "<Correlation type=\"HKCorrelationTypeIdentifierFood\" sourceName=\"MyFitnessPal\" \
         startDate=\"{at}\" endDate=\"{at}\"><MetadataEntry key=\"HKFoodMeal\" value=\"Lunch\"/>{within}\
         </Correlation>"
    );
    for text in [
        format!("{outside}{correlation}"),
        format!("{correlation}{outside}"),
    ] {
        let (report, read) = read(&text);
        let [meal] = read.meals()[..] else {
            panic!("{:?}", read.records);
        };
        assert_eq!(meal.energy_kcal, Some(410.0));
        assert_eq!(meal.protein_g, Some(12.5));
        assert_eq!(meal.carbs_g, Some(20.0));
        assert_eq!(
            (meal.fat_g, meal.fiber_g, meal.sugar_g),
            (Some(5.0), Some(2.0), Some(1.0))
        );
        assert_eq!(meal.name.as_deref(), Some("Bread & butter, Egg"));
        assert_eq!(meal.meal_type, Some(MealType::Lunch));
        assert_eq!(meal.provenance.day.to_string(), "2025-05-01");
        assert_eq!(report.skipped[&SkipReason::NotRead], 2);
    }
    // The same without a copy outside.
    let (_, read) = read(&correlation);
    assert_eq!(read.meals()[0].energy_kcal, Some(155.0));
}

#[test]
fn a_blood_pressure_and_its_copy_are_one() {
    let at = "2025-05-01 07:00:00 +0200";
    let both = quantity("BloodPressureSystolic", "121", "mmHg", "Omron", at)
        + &quantity("BloodPressureDiastolic", "79", "mmHg", "Omron", at);
    let text = format!(
        "{both}<Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" sourceName=\"Omron\" \
         startDate=\"{at}\" endDate=\"{at}\">{both}</Correlation>"
    );
    let (report, read) = read(&text);
    assert_eq!(
        read.series(M::BloodPressureSystolic),
        [day("2025-05-01", 121.0)]
    );
    assert_eq!(
        read.series(M::BloodPressureDiastolic),
        [day("2025-05-01", 79.0)]
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 2);
}

#[test]
fn unknown_elements_are_counted_and_skipped() {
    let (report, read) = read(
        &[
            quantity(
                "AppleWalkingSteadiness",
                "0.9",
                "%",
                "iPhone",
                "2025-05-01 07:00:00 +0200",
            ),
            " <StateOfMind kind=\"daily\"><Label value=\"calm\"/></StateOfMind>\n".to_owned(),
            " <ClinicalRecord type=\"x\" resourceFilePath=\"/a.json\"/>\n".to_owned(),
        ]
        .concat(),
    );
    assert!(read.records.is_empty() && read.rejects.is_empty());
    assert_eq!(
        (report.rows_read, report.skipped[&SkipReason::NotRead]),
        (3, 3)
    );
}

#[test]
fn what_comes_before_damage_is_kept() {
    let steps = quantity(
        "StepCount",
        "10",
        "count",
        "iPhone",
        "2025-05-01 09:00:00 +0200",
    );
    let long = format!("<Record type=\"{}\"/>", "x".repeat(1 << 21));
    let deep = "<a>".repeat(300);
    for (damage, what) in [
        (long.as_str(), "longer than 1 MiB"),
        (deep.as_str(), "too many elements within each other"),
        ("<Record type=\"HKQ", "ends in the middle"),
        ("<Correlation type=\"x\">", "ends in the middle"),
    ] {
        let folder = Folder::new();
        let text = xml(&format!("{steps}{damage}"));
        let text = text.trim_end().trim_end_matches("</HealthData>");
        let path = folder.write("export.xml", text);
        let (report, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
        assert_eq!(read.series(M::Steps), [day("2025-05-01", 10.0)], "{what}");
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.contains(what) || note.contains("not XML")),
            "{what}: {:?}",
            report.notes
        );
    }
    // An element that is not text costs itself.
    let mut bytes = xml(&format!("{steps}{}{steps}", "<Record type=\"\u{1}\"/>")).into_bytes();
    let place = bytes.iter().position(|byte| *byte == 1).unwrap();
    bytes[place] = 0xff;
    let folder = Folder::new();
    let path = folder.write("export.xml", bytes);
    let (_, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
    assert_eq!(read.series(M::Steps), [day("2025-05-01", 20.0)]);
    assert_eq!(read.faults(), [(2, R::NotUtf8)]);
}

#[test]
fn entities_of_a_document_type_are_not_expanded() {
    let folder = Folder::new();
    let text = "<!DOCTYPE HealthData [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">\n]>\
                <HealthData><Record type=\"HKQuantityTypeIdentifierStepCount\" sourceName=\"&b;\" \
                unit=\"count\" startDate=\"2025-05-01 09:00:00 +0200\" value=\"1\"/></HealthData>";
    let path = folder.write("export.xml", text);
    let (_, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
    assert_eq!(read.only().provenance().source, "apple-health/&b;");
}

#[test]
fn a_second_and_a_longer_export_have_the_same_ids() {
    let elements = [
        quantity(
            "StepCount",
            "10",
            "count",
            "iPhone",
            "2025-05-01 09:00:00 +0200",
        ),
        quantity(
            "HeartRateVariabilitySDNN",
            "42",
            "ms",
            "Apple Watch",
            "2025-05-01 03:00:00 +0200",
        ),
        sleep(
            "AsleepCore",
            "Apple Watch",
            "2025-05-01 00:00:00 +0200",
            "2025-05-01 06:00:00 +0200",
            Some("Europe/Berlin"),
        ),
    ]
    .concat();
    // Exported later, in winter, with one more day.
    let later = elements
        .replace("09:00:00 +0200", "08:00:00 +0100")
        .replace("03:00:00 +0200", "02:00:00 +0100")
        + &quantity(
            "StepCount",
            "99",
            "count",
            "iPhone",
            "2025-05-02 09:00:00 +0200",
        );
    let ids = |read: &Read| -> Vec<String> {
        let mut ids: Vec<String> = read
            .records
            .iter()
            .map(|(_, record)| {
                let provenance = record.provenance();
                format!("{} {}", provenance.source, provenance.source_id)
            })
            .collect();
        ids.sort();
        ids
    };
    let (first, second) = (read(&elements).1, read(&later).1);
    let again = read(&elements).1;
    assert_eq!(first, again);
    let (first, second) = (ids(&first), ids(&second));
    assert!(
        first.iter().all(|id| second.contains(id)),
        "{first:?} {second:?}"
    );
    assert_eq!(second.len(), first.len() + 1);
}

#[test]
fn one_broken_element_does_not_lose_the_rest() {
    let on = |day: u32| {
        let at = format!("2025-05-{day:02} 09:00:00 +0200");
        quantity("StepCount", "10", "count", "iPhone", &at)
    };
    let long = format!("<Record type=\"{}\"/>\n", "x".repeat(1 << 21));
    let deep = "<a>".repeat(300);
    // A quote that is never closed turns all that follows inside out.
    let quote = on(9).replace("unit=\"count\"", "unit=\"count");
    for damage in [long.as_str(), deep.as_str(), quote.as_str()] {
        let folder = Folder::new();
        let path = folder.write(
            "export.xml",
            xml(&format!("{}{damage}{}{}", on(1), on(2), on(3))),
        );
        let (report, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
        assert_eq!(
            read.series(M::Steps),
            [
                day("2025-05-01", 10.0),
                day("2025-05-02", 10.0),
                day("2025-05-03", 10.0)
            ],
            "{:?} {:?}",
            report.notes,
            &damage[..20]
        );
        assert_eq!(read.rejects.len(), 1, "{:?}", read.rejects);
    }
}

#[test]
fn a_document_type_without_its_end_is_passed_over() {
    let steps = quantity(
        "StepCount",
        "10",
        "count",
        "iPhone",
        "2025-05-01 09:00:00 +0200",
    );
    let text = xml(&steps).replace("]>\n", "]\n>\n");
    let folder = Folder::new();
    let path = folder.write("apple_health_export/Export.xml", text);
    let (_, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
    assert_eq!(read.series(M::Steps), [day("2025-05-01", 10.0)]);
}

#[test]
fn an_older_export_does_not_replace_a_newer_one() {
    let steps = |value: &str| {
        quantity(
            "StepCount",
            value,
            "count",
            "iPhone",
            "2025-10-25 09:00:00 +0200",
        )
    };
    let folder = Folder::new();
    let newer =
        xml(&steps("9000")).replace("2025-10-25 10:00:00 +0200", "2026-01-01 01:00:00 +0200");
    folder.write("export 2/export.xml", newer);
    folder.write("export/export.xml", xml(&steps("400")));
    let (_, read) = read_with(folder.path(), &mine("Europe/Berlin")).unwrap();
    let last = read.readings(M::Steps).last().unwrap();
    assert_eq!(last.value, 9_000.0);
}
