//! Nightscout's treatments.

use crate::folder::read_files;
use vitalcast_import::{RejectReason as R, SkipReason as S};

const TREATMENTS: &str = r#"[
 {"_id":"a2","eventType":"Meal Bolus","created_at":"2025-03-05T23:05:00.000Z","carbs":45,"insulin":4,"utcOffset":0},
 {"_id":"a1","eventType":"Meal Bolus","created_at":"2025-03-05T23:00:00.000Z","carbs":45,"utcOffset":60,"enteredBy":"loop"},
 {"_id":"b","eventType":"Carb Correction","created_at":"2025-03-05T12:00:00Z","carbs":15},
 {"_id":"c","eventType":"Snack Bolus","created_at":"2025-03-05T15:00:00Z","carbs":20,"protein":5,"fat":"3.5"},
 {"_id":"d","eventType":"Snack Bolus","created_at":"2025-03-05T16:00:00Z","carbs":30,"isValid":false},
 {"_id":"e","eventType":"Temp Basal","created_at":"2025-03-05T16:00:00Z","carbs":null},
 {"identifier":"f","eventType":"Meal Bolus","created_at":"","date":1741251600000,"carbs":60},
 {"_id":"g","eventType":"Meal Bolus","created_at":"yesterday","carbs":60}
]"#;

#[test]
fn carbohydrates_are_meals_without_energy() {
    let (report, read) = read_files("Europe/Berlin", &[("treatments.json", TREATMENTS)]);
    let meals = read.meals();
    let found: Vec<_> = meals
        .iter()
        .map(|meal| {
            (
                meal.provenance.day.to_string(),
                meal.carbs_g,
                meal.fat_g,
                meal.energy_kcal,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("2025-03-05".to_owned(), Some(20.0), Some(3.5), None),
            // Midnight in Berlin; the second entry of the same grams is the same meal.
            ("2025-03-06".to_owned(), Some(45.0), None, None),
            ("2025-03-06".to_owned(), Some(60.0), None, None),
        ]
    );
    assert_eq!(read.source_ids(), ["a1", "c", "f"]);
    assert_eq!(read.faults(), [(9, R::BadTime)]);
    assert_eq!(
        (
            report.skipped[&S::Repeated],
            report.skipped[&S::NothingEaten]
        ),
        (1, 3)
    );
}

#[test]
fn ids_do_not_depend_on_zone_or_order() {
    let mut lines: Vec<&str> = TREATMENTS
        .lines()
        .filter(|line| line.starts_with(" {"))
        .collect();
    lines.reverse();
    let reversed = format!(
        "[{}]",
        lines.join("\n").replace("}\n", "},\n").replace(",,", ",")
    );
    let first = read_files("UTC", &[("t.json", TREATMENTS)]).1;
    let second = read_files("Asia/Tokyo", &[("t.json", &reversed)]).1;
    assert_eq!(first.source_ids(), second.source_ids());
}
