//! Charts and pages of experiments.

use super::words;
use crate::engine::history::chart_unit;
use vitalcast_charts::{
    Alignment, Block, ExperimentChart, ExperimentDay as ChartDay, HtmlReport, Section, Table,
};
use vitalcast_domain::{Condition, ExperimentDifference, ExperimentView, PredictionMetric};

/// The timeline of an experiment. Values stand on the day of what was done, not on the day after it.
pub fn experiment_chart(view: &ExperimentView) -> Option<ExperimentChart> {
    let experiment = &view.experiment;
    let plan = &experiment.plan;
    let mean = |condition: usize| {
        let mean = view.analysis.conditions.get(condition)?;
        mean.mean
            .zip(mean.lower.zip(mean.upper))
            .map(|(mean, (lower, upper))| (mean, lower, upper))
    };
    (!view.days.is_empty()).then(|| ExperimentChart {
        title: plan.question.clone(),
        subtitle: format!(
            "{}{}, {}, {} to {}",
            plan.metric.title(),
            match plan.outcome_lag_days {
                0 => String::new(),
                1 => " the day after".to_owned(),
                days => format!(" {days} days later"),
            },
            experiment.user_id,
            plan.start,
            experiment.last_day(),
        ),
        unit: chart_unit(plan.metric),
        condition_labels: [plan.condition_a.clone(), plan.condition_b.clone()],
        days: view
            .days
            .iter()
            .map(|day| ChartDay {
                day: day.day,
                condition: Some(match day.condition {
                    Condition::A => 0,
                    Condition::B => 1,
                }),
                is_washout: day.is_washout,
                adhered: day.followed(),
                value: day.value,
            })
            .collect(),
        means: [mean(0), mean(1)],
        today: view.today.as_ref().map(|day| day.day),
    })
}

/// A page about an experiment: what was seen, the timeline, the days.
pub fn experiment_report(view: &ExperimentView) -> HtmlReport {
    let experiment = &view.experiment;
    let plan = &experiment.plan;
    let metric = plan.metric;
    let mut seen = Section::new("What was seen").with(Block::Note(view.analysis.summary.clone()));
    if let Some(chart) = experiment_chart(view) {
        seen = seen.with(Block::Experiment(chart));
    }
    seen = seen.with(Block::Table(results(view)));
    if let Some(treated) = &view.analysis.as_treated {
        seen = seen.with_paragraph(format!("By what was really done: {}", treated.note));
    }
    let before = &experiment.baseline;
    let planned = Section::new("The plan")
        .with_paragraph(format!(
            "“{}” (A) against “{}” (B), in {} pairs of two blocks of {}, the order within each pair random \
             (seed {}), {}. It was planned on {} to find a difference of {} with a probability of {}.",
            plan.condition_a,
            plan.condition_b,
            plan.pairs(),
            words::counted(plan.block_days, "day"),
            plan.seed,
            words::washout(plan.washout_days),
            experiment.planned_at.date_naive(),
            words::amount(metric, plan.smallest_effect),
            words::percent(plan.power)
        ))
        .with_paragraph(format!(
            "Before it was planned, {} to {}: {} days with a value, mean {}, standard deviation {}. These \
             days enter no result.",
            before.first_day,
            before.last_day,
            before.days,
            words::amount(metric, before.mean),
            words::amount(metric, before.standard_deviation)
        ));
    HtmlReport::new(
        plan.question.clone(),
        format!(
            "Experiment {} of {}",
            experiment.experiment_id, experiment.user_id
        ),
    )
    .with(seen.with_paragraph(view.analysis.note.clone()))
    .with(planned)
    .with(Section::new("The days").with(Block::Table(days(view))))
}

fn results(view: &ExperimentView) -> Table {
    let metric = view.experiment.plan.metric;
    let row = |of: &ExperimentDifference| {
        vec![
            Some(of.name.to_owned()),
            Some(words::amount(metric, of.effect)),
            of.interval.map(|ends| interval(metric, ends)),
            of.p_value.map(|value| format!("{value:.3}")),
        ]
    };
    let differences = view.analysis.differences();
    Table {
        caption: "Difference, A less B".to_owned(),
        columns: [
            ("", Alignment::Text),
            ("difference", Alignment::Number),
            ("95 % interval", Alignment::Number),
            ("p", Alignment::Number),
        ]
        .map(|(name, alignment)| (name.to_owned(), alignment))
        .to_vec(),
        rows: differences.iter().map(row).collect(),
    }
}

fn interval(metric: PredictionMetric, (lower, upper): (f64, f64)) -> String {
    format!(
        "{} to {}",
        words::number(metric, lower),
        words::number(metric, upper)
    )
}

fn days(view: &ExperimentView) -> Table {
    let metric = view.experiment.plan.metric;
    Table {
        caption: "What was due, what was done, and the value that shows it".to_owned(),
        columns: [
            ("day", Alignment::Text),
            ("due", Alignment::Text),
            ("counted", Alignment::Text),
            ("done", Alignment::Text),
            ("value", Alignment::Number),
            ("remark", Alignment::Text),
        ]
        .map(|(name, alignment)| (name.to_owned(), alignment))
        .to_vec(),
        rows: view
            .days
            .iter()
            .map(|day| {
                vec![
                    Some(day.day.to_string()),
                    Some(day.label.clone()),
                    Some(if day.is_washout { "no" } else { "yes" }.to_owned()),
                    day.followed()
                        .map(|followed| if followed { "yes" } else { "no" }.to_owned()),
                    day.value.map(|value| words::amount(metric, value)),
                    day.note.clone(),
                ]
            })
            .collect(),
    }
}
