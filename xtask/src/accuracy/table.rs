//! The table of accuracy: a column for each series, as text or JSON.

use serde_json::{Map, Value, json};

use super::scores::{self, Coverage, Difference, LEVELS};
use super::{DATA_SETS, OURS, Options, Series, peers};
use crate::printer::say;

/// The table as JSON; for each series also the days that were left out.
pub(super) fn as_value(all: &[Series], options: &Options, left_out: &[usize]) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .zip(left_out)
        .map(|(series, left_out)| series_value(series, options, *left_out))
        .collect();
    let levels: Vec<Value> = (0..LEVELS.len())
        .map(|place| {
            let mut level = level_value(place, together(all, place));
            // A width over several units means nothing.
            if let Some(facts) = level.as_object_mut() {
                facts.remove("mean_width");
            }
            level
        })
        .collect();
    json!({ "series": rows, "all_series": { "levels": levels } })
}

/// The coverage of a level over all series.
fn together(all: &[Series], place: usize) -> Coverage {
    all.iter()
        .map(|series| scores::coverage(&series.days, place))
        .fold(Coverage::default(), Coverage::with)
}

fn level_value(place: usize, coverage: Coverage) -> Value {
    json!({
        "nominal": f64::from(LEVELS[place]) / 100.0,
        "coverage": coverage.share(),
        "mean_width": coverage.mean_width(),
        "people_near": coverage.near_share(),
        "people_near_by_chance": coverage.near_share_by_chance(),
    })
}

fn series_value(series: &Series, options: &Options, left_out: usize) -> Value {
    let errors = |models: &[&str]| -> Map<String, Value> {
        let fact = |model: &&str| {
            let (error, days) = scores::mean_absolute_error(&series.days, model);
            ((*model).to_owned(), json!({ "mae": error, "days": days }))
        };
        models.iter().map(fact).collect()
    };
    let best = series.best_peer();
    let difference = scores::difference(&series.days, OURS, best);
    let levels: Vec<Value> = (0..LEVELS.len())
        .map(|place| level_value(place, scores::coverage(&series.days, place)))
        .collect();
    json!({
        "data_set": DATA_SETS[series.data_set].1,
        "metric": series.metric.1,
        "unit": series.metric.2,
        "people": series.people(),
        "days": series.days.len(),
        "days_left_out": left_out,
        "ours": errors(&options.ours()),
        "peers": errors(&peers().collect::<Vec<_>>()),
        "best_peer": best,
        "difference": difference.value,
        "difference_interval": [difference.lower, difference.upper],
        "levels": levels,
    })
}

/// Prints the table: a column for each series.
pub(super) fn print(all: &[Series], options: &Options) {
    let row = |name: &str, cell: &dyn Fn(&Series) -> String| {
        let mut line = format!("{name:<28}");
        for series in all {
            line.push_str(&format!(" {:>16}", cell(series)));
        }
        say(line.trim_end());
    };
    let error = |model: &'static str| {
        move |series: &Series| {
            let (error, days) = scores::mean_absolute_error(&series.days, model);
            if days == series.days.len() {
                format!("{error:.3}")
            } else {
                // Of fewer days, and therefore not comparable.
                format!("{error:.3} ({days})")
            }
        }
    };
    say(
        "Mean absolute error, one day ahead, on the last 40 % of each person's observed days; five folds of people.",
    );
    say("");
    row("", &|series| DATA_SETS[series.data_set].1.to_owned());
    row("", &|series| {
        format!("{}, {}", series.metric.0, series.metric.2)
    });
    row("people", &|series| series.people().to_string());
    row("days", &|series| series.days.len().to_string());
    say("here");
    for model in options.ours() {
        row(&format!("  {model}"), &error(model));
    }
    say("peers");
    for peer in peers() {
        row(&format!("  {peer}"), &error(peer));
    }
    let against = |series: &Series| -> Difference {
        scores::difference(&series.days, OURS, series.best_peer())
    };
    row("best peer", &|series| series.best_peer().to_owned());
    row(&format!("{OURS} − best peer"), &|series| {
        format!("{:+.3}", against(series).value)
    });
    row("  in per cent", &|series| {
        let peer = scores::mean_absolute_error(&series.days, series.best_peer()).0;
        format!("{:+.1}", 100.0 * against(series).value / peer)
    });
    row("  95 % interval", &|series| {
        let difference = against(series);
        format!("{:+.3} to {:+.3}", difference.lower, difference.upper)
    });
    for (title, cell) in COVERAGE_ROWS {
        say(title);
        for (place, level) in LEVELS.into_iter().enumerate() {
            row(&format!("  {level} %"), &|series| {
                cell(&scores::coverage(&series.days, place))
            });
        }
    }
    let of_all = (0..LEVELS.len()).map(|place| {
        let coverage = together(all, place);
        format!(
            "{} %: {:.1} % ({:.0} %; {:.0} %)",
            LEVELS[place],
            100.0 * coverage.share(),
            100.0 * coverage.near_share(),
            100.0 * coverage.near_share_by_chance()
        )
    });
    say("");
    say(&format!(
        "All series, intervals of {OURS}, share of days inside (and of people within 10 points; of so many, if every \
         interval held with exactly its probability): {}.",
        of_all.collect::<Vec<_>>().join(", ")
    ));
    say(
        "The best peer is chosen afterwards, on the scored days. The interval comes from resampling people 4,000 \
         times. All models are fitted once, before the scored days; models of one series follow each reading. AutoETS \
         has no trend: fitted once, one with a trend errs more. The settings of the pooled model behind auto were chosen \
         on these people: of others, expect errors about 1 % larger.",
    );
}

/// Titles of the last rows, and what they say of an interval.
type CoverageRow = (&'static str, fn(&Coverage) -> String);
const COVERAGE_ROWS: [CoverageRow; 4] = [
    ("days inside the interval, %", |coverage| {
        format!("{:.1}", 100.0 * coverage.share())
    }),
    ("mean width", |coverage| {
        format!("{:.2}", coverage.mean_width())
    }),
    ("people within 10 points, %", |coverage| {
        format!("{:.0}", 100.0 * coverage.near_share())
    }),
    ("  of perfect intervals", |coverage| {
        format!("{:.0}", 100.0 * coverage.near_share_by_chance())
    }),
];
