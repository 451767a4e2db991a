//! `vitalcast users`.

use crate::args::{Global, UsersArgs};
use crate::output::Output;

pub(crate) fn run(_args: &UsersArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let users = global.engine()?.users()?;
    if output.is_json() {
        return output.json(&users);
    }
    if users.is_empty() {
        output.note("There are no people in this data folder yet. Import an export with: vitalcast import PATH");
        return Ok(());
    }
    let day =
        |day: Option<chrono::NaiveDate>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            vec![
                user.user_id.to_string(),
                day(user.first_day),
                day(user.last_day),
                user.days.to_string(),
                user.meals.to_string(),
                user.activities.to_string(),
                user.health_metrics.to_string(),
                user.tags.to_string(),
            ]
        })
        .collect();
    output.table(
        &[
            "user",
            "first day",
            "last day",
            "days",
            "meals",
            "activities",
            "readings",
            "tags",
        ],
        &rows,
        &[3, 4, 5, 6, 7],
    )
}
