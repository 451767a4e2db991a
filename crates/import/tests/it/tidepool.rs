//! Tidepool's export.

use crate::folder::{read_files, read_fixture};
use vitalcast_domain::{ActivityType, Intensity, MealType};
use vitalcast_import::{RejectReason as R, SkipReason as S};

#[test]
fn the_examples_of_the_documentation_are_read() {
    let (report, read) = read_fixture("tidepool");
    let played = read.workouts();
    assert_eq!(played.len(), 1);
    assert_eq!(played[0].activity_type, ActivityType::Other);
    assert_eq!(
        (played[0].duration_minutes, played[0].intensity),
        (Some(80.0), Some(Intensity::High))
    );
    assert_eq!(
        played[0].provenance.told.at.to_string(),
        "2018-05-14T18:17:08.453+10:00"
    );
    assert_eq!(
        report.skipped[&S::NothingEaten],
        1,
        "cookies without nutrition"
    );
}

#[test]
fn food_and_calculator_of_one_meal_are_one_meal_of_the_local_day() {
    let text = r#"[
      {"type":"food","id":"f1","deviceId":"d","time":"2025-03-05T14:30:00Z","deviceTime":"2025-03-06T00:30:00","timezoneOffset":600,
       "meal":"dinner","name":"pasta","nutrition":{"carbohydrate":{"net":80,"units":"grams"},"protein":{"total":20,"units":"grams"},
       "fat":{"total":10,"units":"grams"},"energy":{"value":2092,"units":"kilojoules"}}},
      {"type":"wizard","id":"w1","deviceId":"d","time":"2025-03-05T14:35:00Z","deviceTime":"2025-03-06T00:35:00","timezoneOffset":600,"carbInput":80},
      {"type":"wizard","id":"w2","deviceId":"d","time":"2025-03-06T02:00:00Z","timezoneOffset":600,"carbInput":30},
      {"type":"wizard","id":"w3","deviceId":"d","time":"2025-03-06T03:00:00Z","timezoneOffset":600,"carbInput":3,"carbUnits":"exchanges"},
      {"type":"smbg","id":"s1","deviceId":"d","time":"2025-03-06T03:00:00Z","value":5.5}
    ]"#;
    let (report, read) = read_files("America/New_York", &[("tidepool.json", text)]);
    let meals = read.meals();
    assert_eq!(meals.len(), 2);
    assert_eq!(meals[0].meal_type, Some(MealType::Dinner));
    assert_eq!(
        (meals[0].carbs_g, meals[0].energy_kcal.map(f64::round)),
        (Some(80.0), Some(500.0))
    );
    assert_eq!(meals[1].carbs_g, Some(30.0));
    assert!(
        meals
            .iter()
            .all(|meal| meal.provenance.day.to_string() == "2025-03-06")
    );
    assert_eq!(read.faults(), [(7, R::WrongUnit)]);
    assert_eq!(
        (report.skipped[&S::Repeated], report.skipped[&S::NotRead]),
        (1, 1)
    );
}
