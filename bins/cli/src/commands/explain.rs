//! `vitalcast explain`.

use crate::args::{ExplainArgs, Global};
use crate::commands::correlate::{terminal_options, typeset, write_page};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use vitalcast::charts::{
    AttentionChart, Block, HtmlReport, ImportanceChart, PictureSize, Section, WaterfallChart,
};
use vitalcast::{
    ExplainRequest, ExplainResponse, ExplanationComputation, GlobalImportanceRequest,
    GlobalImportanceResponse, ModelId, attention_chart, day_importance_chart, dependence_charts,
    global_importance_chart, importance_chart, waterfall_chart, with_unit,
};

pub(crate) fn run(args: &ExplainArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    if let Some(model) = &args.model {
        return explain_model(model, args, global, output);
    }
    let engine = global.engine()?;
    let now = global.now();
    let (Some(user), Some(metric)) = (args.user.clone(), args.metric) else {
        bail!(UsageError(
            "name a person with --user and a metric with --metric, or a model with --model"
                .to_owned()
        ));
    };
    let target_date = match args.date {
        Some(date) => date,
        None => engine.next_day(&user, now)?,
    };
    let default = ExplainRequest::new(user, metric, target_date);
    let request = ExplainRequest {
        method: args.method,
        top_k: args.top.map_or(default.top_k, |top| top as usize),
        model_version: args.model_version.clone(),
        architecture: args.architecture,
        grouping: args.by,
        tree_background: args.trees,
        evaluations: args.samples.map_or(default.evaluations, |n| n as usize),
        seed: args.seed,
        check: args.check,
        ..default
    };
    let answer = engine.explain(&request, now)?;
    if let Some(path) = &args.chart {
        match main_picture(&answer) {
            Some(picture) => picture.save(path, output)?,
            None => bail!(UsageError(format!("nothing to draw: {}", answer.summary))),
        }
    }
    if let Some(path) = &args.report {
        write_page(path, &report(&answer), output)?;
    }
    if output.is_json() {
        return output.json(&answer);
    }
    print(&answer, output)
}

fn explain_model(
    model: &ModelId,
    args: &ExplainArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let default = GlobalImportanceRequest::new(model.clone());
    let request = GlobalImportanceRequest {
        method: args.method,
        top_k: args.top.map_or(default.top_k, |top| top as usize),
        evaluations: args.samples.map_or(default.evaluations, |n| n as usize),
        seed: args.seed,
        ..default
    };
    let answer = engine.global_importance(&request, global.now())?;
    let picture = global_importance_chart(&answer).map(Picture::Importance);
    if let Some(path) = &args.chart {
        match &picture {
            Some(picture) => picture.save(path, output)?,
            None => bail!(UsageError(format!("nothing to draw: {}", answer.summary))),
        }
    }
    if let Some(path) = &args.report {
        write_page(path, &report_of_model(&answer, picture.clone()), output)?;
    }
    if output.is_json() {
        return output.json(&answer);
    }
    output.heading(&heading_of_model(&answer))?;
    if let Some(picture) = picture {
        picture.show(output)?;
    }
    output.table(&COLUMNS_OF_MODEL, &rows_of_model(&answer), &[1, 2, 3])?;
    output.line(shares(&answer))?;
    output.line(&answer.summary)?;
    output.line(&answer.association)
}

/// A picture of an explanation.
#[derive(Clone)]
enum Picture {
    Waterfall(WaterfallChart),
    Importance(ImportanceChart),
    Attention(AttentionChart),
}

impl Picture {
    fn show(&self, output: &mut Output) -> anyhow::Result<()> {
        let options = terminal_options();
        let text = match self {
            Self::Waterfall(chart) => chart.terminal(options)?,
            Self::Importance(chart) => chart.terminal(options)?,
            Self::Attention(chart) => chart.terminal(options)?,
        };
        output.line(text)
    }

    fn save(&self, path: &std::path::Path, output: &mut Output) -> anyhow::Result<()> {
        let size = PictureSize {
            height: match self {
                Self::Waterfall(chart) => chart.natural_height(),
                Self::Importance(chart) => chart.natural_height(),
                Self::Attention(_) => PictureSize::default().height,
            },
            ..PictureSize::default()
        };
        match self {
            Self::Waterfall(chart) => {
                draw_with(path, output, || chart.svg(size), || chart.png(size))
            }
            Self::Importance(chart) => {
                draw_with(path, output, || chart.svg(size), || chart.png(size))
            }
            Self::Attention(chart) => {
                draw_with(path, output, || chart.svg(size), || chart.png(size))
            }
        }
    }

    fn block(self) -> Block {
        match self {
            Self::Waterfall(chart) => Block::Waterfall(chart),
            Self::Importance(chart) => Block::Importance(chart),
            Self::Attention(chart) => Block::Attention(chart),
        }
    }
}

/// The picture that says most: how the forecast comes about, else what its parts are, else where the network
/// looks.
fn main_picture(answer: &ExplainResponse) -> Option<Picture> {
    let importance = || importance_chart(answer).map(Picture::Importance);
    let attention = || attention_chart(answer).map(Picture::Attention);
    waterfall_chart(answer)
        .map(Picture::Waterfall)
        .or_else(importance)
        .or_else(attention)
}

/// How sure the amounts are, in a sentence.
fn how_sure(answer: &ExplainResponse) -> String {
    let exact = "The amounts are exact";
    match answer.computation {
        ExplanationComputation::ExactSum => format!("{exact}: the model is a sum."),
        ExplanationComputation::AumannShapley => {
            format!("{exact}: the model is a sum in its own scale.")
        }
        ExplanationComputation::TreePathDependent => format!(
            "{exact} Shapley values of trees, path-dependent: what is not known is as in the \
             training days that came the same way."
        ),
        ExplanationComputation::TreeInterventional => format!(
            "{exact} Shapley values of trees, interventional: what is not known is as on the days \
             that the model reads."
        ),
        ExplanationComputation::ShapleyEnumeration => format!(
            "{exact} Shapley values against {} earlier days.",
            answer.background_days
        ),
        ExplanationComputation::ShapleySampling => format!(
            "Shapley values by sampling: {} forecasts against {} earlier days; ± is two standard \
             errors.",
            answer.evaluations, answer.background_days
        ),
        ExplanationComputation::LocalLinear => match answer.local_fit {
            Some(fit) => format!(
                "A linear model of {} forecasts around this one; its local R² is {fit:.2}.",
                answer.evaluations
            ),
            None => "The forecast does not change nearby.".to_owned(),
        },
        ExplanationComputation::Exchange => format!(
            "Each feature alone had the values of {} earlier days; ± is two standard errors of the \
             mean.",
            answer.background_days
        ),
        ExplanationComputation::AttentionWeights => "The weights are the network's own.".to_owned(),
    }
}

const COLUMNS: [&str; 5] = ["feature", "value", "amount", "±", "size"];

fn rows(answer: &ExplainResponse) -> Vec<Vec<String>> {
    answer
        .feature_importances
        .iter()
        .filter(|one| one.importance_score != 0.0)
        .map(|one| {
            let value = one.feature_value.map_or_else(
                || "–".to_owned(),
                |value| {
                    format!("{value:.1} {}", one.feature_unit)
                        .trim_end()
                        .to_owned()
                },
            );
            let error = match one.standard_error {
                Some(0.0) | None => "–".to_owned(),
                Some(error) => format!("{:.2}", 2.0 * error),
            };
            vec![
                one.label.clone(),
                value,
                format!("{:+.2} {}", one.contribution, answer.metric.unit_label()),
                error,
                one.impact_magnitude.to_string(),
            ]
        })
        .collect()
}

fn print(answer: &ExplainResponse, output: &mut Output) -> anyhow::Result<()> {
    let metric = answer.metric;
    output.heading(&format!(
        "{} on {}: {}",
        metric.title(),
        answer.target_date,
        with_unit(metric, answer.predicted_value)
    ))?;
    output.line(&answer.summary)?;
    if let Some(picture) = main_picture(answer) {
        picture.show(output)?;
    }
    let rows = rows(answer);
    if !rows.is_empty() {
        output.table(&COLUMNS, &rows, &[1, 2, 3])?;
    }
    output.line(how_sure(answer))?;
    if let Some(check) = &answer.check {
        output.line(format_args!(
            "Integrated gradients differ most for {}: by {}.",
            check.feature_name,
            with_unit(metric, check.largest_gap)
        ))?;
    }
    for member in &answer.members {
        output.line(format_args!(
            "{}: {} (share {:.0} %)",
            member.name,
            with_unit(metric, member.forecast),
            100.0 * member.share
        ))?;
    }
    if let Some(chart) = day_importance_chart(answer) {
        Picture::Importance(chart).show(output)?;
    }
    if !answer.by_feature_and_days.is_empty() {
        let rows: Vec<Vec<String>> = rows_by_days(answer);
        output.table(&COLUMNS_BY_DAYS, &rows, &[2])?;
    }
    if let (Some(chart), true) = (attention_chart(answer), !rows.is_empty()) {
        Picture::Attention(chart).show(output)?;
    }
    output.line(&answer.association)
}

const COLUMNS_BY_DAYS: [&str; 3] = ["feature", "days", "amount"];

fn rows_by_days(answer: &ExplainResponse) -> Vec<Vec<String>> {
    let listed = answer.feature_importances.len().max(10);
    answer
        .by_feature_and_days
        .iter()
        .take(listed)
        .map(|one| {
            vec![
                one.feature_name.clone(),
                one.days.clone(),
                format!("{:+.2} {}", one.contribution, answer.metric.unit_label()),
            ]
        })
        .collect()
}

fn report(answer: &ExplainResponse) -> HtmlReport {
    let metric = answer.metric;
    let mut why = Section::new("Why this forecast").with(Block::Note(answer.summary.clone()));
    if let Some(picture) = main_picture(answer) {
        why = why.with(picture.block());
    }
    let rows = rows(answer);
    if !rows.is_empty() {
        why = why.with(Block::Table(typeset(
            "What each feature adds".to_owned(),
            &COLUMNS,
            1,
            rows,
        )));
    }
    why = why.with_paragraph(how_sure(answer));
    let mut page = HtmlReport::new(
        format!("{} of {}", metric.title(), answer.user_id),
        format!(
            "{}: {}",
            answer.target_date,
            with_unit(metric, answer.predicted_value)
        ),
    )
    .with(why);
    if let (Some(_), Some(chart)) = (waterfall_chart(answer), importance_chart(answer)) {
        page = page.with(Section::new("How sure the amounts are").with(Block::Importance(chart)));
    }
    let dependence = dependence_charts(answer);
    if !dependence.is_empty() {
        let heading = Section::new("The same forecast with other values of your own");
        page = page.with(dependence.into_iter().fold(heading, |section, chart| {
            section.with(Block::Dependence(chart))
        }));
    }
    if let Some(chart) = day_importance_chart(answer) {
        page = page.with(Section::new("Which days").with(Block::Importance(chart)));
    }
    if !answer.by_feature_and_days.is_empty() {
        page = page.with(
            Section::new("Which features on which days").with(Block::Table(typeset(
                "Largest first".to_owned(),
                &COLUMNS_BY_DAYS,
                2,
                rows_by_days(answer),
            ))),
        );
    }
    if let Some(chart) = attention_chart(answer) {
        page = page.with(
            Section::new("Where the network looks")
                .with(Block::Attention(chart))
                .with_paragraph("A weight says where the network looks, not what it finds there."),
        );
    }
    if !answer.members.is_empty() {
        let rows = answer.members.iter().map(|member| {
            vec![
                member.name.clone(),
                format!("{:.0} %", 100.0 * member.share),
                with_unit(metric, member.forecast),
            ]
        });
        page = page.with(
            Section::new("Members of the average").with(Block::Table(typeset(
                "Each forecasts alone, and counts by its share".to_owned(),
                &["model", "share", "forecast"],
                1,
                rows.collect::<Vec<_>>(),
            ))),
        );
    }
    page.with(Section::new("How to read this").with_paragraph(answer.association.clone()))
}

const COLUMNS_OF_MODEL: [&str; 5] = ["feature", "mean", "95 % interval", "spread", "direction"];

fn rows_of_model(answer: &GlobalImportanceResponse) -> Vec<Vec<String>> {
    let unit = answer.metric.unit_label();
    answer
        .feature_importances
        .iter()
        .filter(|one| one.mean_importance != 0.0)
        .map(|one| {
            let interval = match (one.interval_lower, one.interval_upper) {
                (Some(lower), Some(upper)) => format!("{lower:.2} to {upper:.2}"),
                _ => "–".to_owned(),
            };
            vec![
                one.label.clone(),
                format!("{:.2} {unit}", one.mean_importance),
                interval,
                format!("{:.2}", one.std_importance),
                one.impact_direction.to_string(),
            ]
        })
        .collect()
}

fn heading_of_model(answer: &GlobalImportanceResponse) -> String {
    let days = match (answer.first_day, answer.last_day) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => format!("{} people", answer.people),
    };
    format!(
        "{} model {}, {days}",
        answer.metric.title(),
        answer.model_id
    )
}

fn shares(answer: &GlobalImportanceResponse) -> String {
    let of = |name: &str, share: f64| format!("{name} {:.0} %", 100.0 * share);
    format!(
        "Shares: {}, {}, {}, {}, {}.",
        of("health", answer.health_importance),
        of("activity", answer.activity_importance),
        of("nutrition", answer.nutrition_importance),
        of("calendar", answer.temporal_importance),
        of("products and ratios", answer.interaction_importance),
    )
}

fn report_of_model(answer: &GlobalImportanceResponse, picture: Option<Picture>) -> HtmlReport {
    let mut section = Section::new("What matters").with(Block::Note(answer.summary.clone()));
    if let Some(picture) = picture {
        section = section.with(picture.block());
    }
    section = section
        .with(Block::Table(typeset(
            "Mean size over the days".to_owned(),
            &COLUMNS_OF_MODEL,
            1,
            rows_of_model(answer),
        )))
        .with_paragraph(shares(answer))
        .with_paragraph(answer.association.clone());
    HtmlReport::new(heading_of_model(answer), String::new()).with(section)
}
