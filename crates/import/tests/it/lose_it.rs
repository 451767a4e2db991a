//! Lose It!'s export.

use crate::folder::read_files;
use vitalcast_domain::{MealType, MetricType as M};
use vitalcast_import::SkipReason as S;

const FOODS: &str = "Date,Name,Icon,Meal,Quantity,Units,Calories,Deleted,Fat (g),Protein (g),Carbohydrates (g),Saturated Fat (g),Sugars (g),Fiber (g),Cholesterol (mg),Sodium (mg)\n\
    03/04/2025,Oatmeal,Oatmeal,Breakfast,1,Cup,150,0,3,5,27,0.5,1,4,0,0\n\
    03/04/2025,Apple,Apple,Breakfast,1,Each,95,0,0.3,0.5,25,n/a,19,4.4,0,2\n\
    03/04/2025,Cake,Cake,Snacks,1,Slice,400,1,20,5,50,10,30,1,60,300\n\
    03/04/2025,Garmin Adjustment,Garmin,Exercise,300,Calories,-300,0,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a\n";

#[test]
fn foods_become_meals_without_deleted_ones_and_exercise() {
    let (report, read) = read_files("UTC", &[("food-logs.csv", FOODS)]);
    let meals = read.meals();
    assert_eq!(meals.len(), 1);
    assert_eq!(meals[0].meal_type, Some(MealType::Breakfast));
    assert_eq!(
        (meals[0].energy_kcal, meals[0].carbs_g),
        (Some(245.0), Some(52.0))
    );
    assert_eq!(
        meals[0].provenance.day.to_string(),
        "2025-03-04",
        "the month comes first"
    );
    assert_eq!(
        (
            report.skipped[&S::NotRead],
            report.skipped[&S::NothingEaten]
        ),
        (1, 1)
    );
}

#[test]
fn values_of_days_are_known_by_the_names_of_their_files() {
    let table = |value: &str| {
        format!("Date,Value,Secondary Value,Last Updated\n03/04/2025,{value},,03/05/2025\n")
    };
    let (report, read) = read_files(
        "UTC",
        &[
            ("steps.csv", &table("8123")),
            ("sleep-hours.csv", &table("7.5")),
            ("body-fat.csv", &table("21")),
            ("waist.csv", &table("80")),
        ],
    );
    read.check_days(M::Steps, &[("2025-03-04", 8_123.0)]);
    read.check_days(M::SleepDuration, &[("2025-03-04", 7.5)]);
    read.check_days(M::BodyFatPercentage, &[("2025-03-04", 21.0)]);
    assert_eq!((report.files, report.unread.len()), (3, 1));
}
