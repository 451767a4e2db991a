//! MyFitnessPal's export.

use crate::folder::{read_files, read_fixture};
use vitalcast_domain::MealType;
use vitalcast_import::RejectReason as R;

const OLD: &str = "Date,Meal,Energy,Fat,Saturated,Polyunsaturated,Monounsaturated,Trans,Cholesterol,Sodium,Potassium,Carbohydrates,Fiber,Sugars,Protein,Note\n";

#[test]
fn a_row_is_a_meal_of_a_day() {
    let (_, read) = read_fixture("myfitnesspal/nutrition-summary.csv");
    let meals = read.meals();
    let found: Vec<_> = meals
        .iter()
        .map(|meal| {
            (
                meal.meal_type.unwrap(),
                meal.energy_kcal.unwrap(),
                meal.protein_g.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (MealType::Breakfast, 214.5, 18.6),
            (MealType::Dinner, 285.0, 8.0),
            (MealType::Lunch, 750.0, 25.0)
        ]
    );
    assert!(meals.iter().all(|meal| !meal.time_known()));
    assert_eq!(meals[0].provenance.day.to_string(), "2025-03-06");
}

#[test]
fn slashed_dates_are_american_and_an_older_header_is_known() {
    let rows = "6/28/2011,Meal 1,400,10,1,1,1,0,0,0,0,50,5,10,27,\n\
                7/4/2011,Snacks,,,,,,,,,,,,,,\n\
                28/28/2011,Lunch,100,1,1,1,1,1,1,1,1,1,1,1,1,\n";
    let (_, read) = read_files("America/New_York", &[("a.csv", &format!("{OLD}{rows}"))]);
    let meals = read.meals();
    assert_eq!(meals.len(), 1);
    assert_eq!(meals[0].provenance.day.to_string(), "2011-06-28");
    assert_eq!(
        (meals[0].name.as_deref(), meals[0].meal_type),
        (Some("Meal 1"), None)
    );
    assert_eq!(read.faults(), [(4, R::BadTime)]);
}

#[test]
fn kilojoules_are_recognised_by_the_macronutrients() {
    // 50 g, 10 g and 27 g are 398 kcal.
    let rows = "2024-06-28,Lunch,1665,10,1,1,1,0,0,0,0,50,5,10,27,\n";
    let (report, read) = read_files("UTC", &[("a.csv", &format!("{OLD}{rows}"))]);
    assert!((read.meals()[0].energy_kcal.unwrap() - 397.944).abs() < 0.001);
    assert_eq!(report.notes.len(), 1);
}

#[test]
fn the_order_of_rows_does_not_change_ids() {
    let rows = [
        "2024-06-28,Lunch,398,10,1,1,1,0,0,0,0,50,5,10,27,\n",
        "2024-06-28,Dinner,500,10,1,1,1,0,0,0,0,50,5,10,27,\n",
    ];
    let read = |rows: String| {
        read_files("UTC", &[("a.csv", &format!("{OLD}{rows}"))])
            .1
            .source_ids()
    };
    assert_eq!(read(rows.concat()), read(rows[1].to_owned() + rows[0]));
    assert_eq!(
        read(rows.concat()),
        ["meal-2024-06-28-dinner", "meal-2024-06-28-lunch"]
    );
}
