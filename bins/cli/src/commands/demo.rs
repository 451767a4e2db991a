//! `vitalcast demo`: every step on data of real people that are included in the binary.

use crate::args::{DemoArgs, Global};
use crate::commands::{backtest, import, predict};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use anyhow::Context;
use chrono::{DateTime, Days, Utc};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;
use vitalcast::charts::{Alignment, Block, HtmlReport, Section, Table};
use vitalcast::{
    BacktestPeople, Engine, ImportSettings, ImportSummary, ModelArchitecture, PredictRequest,
    PredictResponse, PredictionMetric, ReplayAnswer, ReplayModel, ReplayRequest, TrainModelRequest,
    TrainModelResponse, UserId, replay_chart, replay_skill_chart, with_unit,
};

static T1D_UOM: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/t1d-uom");
static LIFESNAPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/lifesnaps");

/// Days drawn before a forecast.
const DRAWN_DAYS: usize = 45;

/// A forecast of the demo, with its training and backtest.
#[derive(Debug, Serialize)]
struct Story {
    training: TrainModelResponse,
    backtest: ReplayAnswer,
    forecast: PredictResponse,
}

/// The result of the demo, for programs.
#[derive(Debug, Serialize)]
struct DemoAnswer {
    data_dir: PathBuf,
    report: PathBuf,
    imports: Vec<ImportSummary>,
    stories: Vec<Story>,
    seconds: f64,
}

pub(crate) fn run(args: &DemoArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let started = Instant::now();
    let interrupt = Interrupt::install()?;
    let folder = fresh_folder(args.output.as_deref())?;
    let data_dir = folder.join("data");
    let engine = Engine::open(&data_dir)?;
    let now = global.now();

    let mut imports = Vec::new();
    for (name, files) in [("t1d-uom", &T1D_UOM), ("lifesnaps", &LIFESNAPS)] {
        let source = folder.join("exports").join(name);
        std::fs::create_dir_all(&source)
            .and_then(|()| files.extract(&source))
            .with_context(|| format!("unpacking the demo's data to {}", source.display()))?;
        let summary = engine.import(&[source], &ImportSettings::default(), now, &mut |_, _| {
            interrupt.check()
        })?;
        if !output.is_json() {
            output.heading(&format!("1. Import: {name}"))?;
            import::print(&summary, output)?;
            output.line("")?;
        }
        imports.push(summary);
    }

    let mut stories = Vec::new();
    for (user, metric) in choose(&engine)? {
        stories.push(story(&engine, &user, metric, now, &interrupt, output)?);
    }

    let report = folder.join("report.html");
    std::fs::write(&report, page(&engine, &imports, &stories, now)?.render()?)
        .with_context(|| format!("writing {}", report.display()))?;
    let answer = DemoAnswer {
        data_dir,
        report,
        imports,
        stories,
        seconds: started.elapsed().as_secs_f64(),
    };
    if output.is_json() {
        return output.json(&answer);
    }
    output.heading("3. How good it is: the last days, replayed")?;
    for story in &answer.stories {
        backtest::print(&story.backtest, output)?;
        output.line("")?;
    }
    output.line(format_args!(
        "Report with charts: {}",
        answer.report.display()
    ))?;
    output.line(format_args!("Done in {:.0} s.", answer.seconds))?;
    output.line("")?;
    output.heading("With your own data")?;
    for command in [
        "vitalcast import PATH                 # a folder or file of exports",
        "vitalcast users                       # people in the data",
        "vitalcast predict --user ID           # forecast for tomorrow, without training",
        "vitalcast backtest --user ID --metric rhr   # how good it is",
        "vitalcast train --user ID --metric rhr      # a model of your own",
    ] {
        output.line(format_args!("  {command}"))?;
    }
    Ok(())
}

/// A new or empty folder, so that the demo does not overwrite data.
fn fresh_folder(wanted: Option<&Path>) -> anyhow::Result<PathBuf> {
    let is_free = |path: &Path| {
        std::fs::read_dir(path).map_or(!path.exists(), |mut entries| entries.next().is_none())
    };
    let folder = match wanted {
        Some(folder) if is_free(folder) => folder.to_owned(),
        Some(folder) => anyhow::bail!(crate::exit::UsageError(format!(
            "{} is not empty: expected a new or empty folder",
            folder.display()
        ))),
        None => std::iter::once("vitalcast-demo".to_owned())
            .chain((2..1_000).map(|number| format!("vitalcast-demo-{number}")))
            .map(PathBuf::from)
            .find(|folder| is_free(folder))
            .context("no free name for the demo's folder")?,
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

/// Resting heart rate of the person with meals; for HRV and sleep the person with most such days.
fn choose(engine: &Engine) -> anyhow::Result<Vec<(UserId, PredictionMetric)>> {
    let users = engine.users()?;
    let most = |metric: PredictionMetric, with_meals: bool| {
        users
            .iter()
            .filter(|user| (user.meals > 0) == with_meals)
            .max_by_key(|user| user.metric_days(metric))
            .map(|user| (user.user_id.clone(), metric))
    };
    Ok([
        most(PredictionMetric::RestingHeartRate, true),
        most(PredictionMetric::SleepDuration, false),
        most(PredictionMetric::HeartRateVariabilityRmssd, false),
    ]
    .into_iter()
    .flatten()
    .collect())
}

fn story(
    engine: &Engine,
    user: &UserId,
    metric: PredictionMetric,
    now: DateTime<Utc>,
    interrupt: &Interrupt,
    output: &mut Output,
) -> anyhow::Result<Story> {
    let request = TrainModelRequest {
        architecture: ModelArchitecture::Lstm,
        ..TrainModelRequest::new(user.clone(), metric)
    };
    let bar = progress::steps(output, "");
    bar.set_prefix(format!("{} of {user}: training ", metric.title()));
    let training = engine.train(&request, now, now, &mut |epoch| {
        bar.set_length(epoch.epochs as u64);
        bar.set_position(epoch.epoch as u64);
        interrupt.check()
    })?;
    bar.set_prefix(format!("{} of {user}: replaying ", metric.title()));
    let people = BacktestPeople {
        users: vec![user.clone()],
        fit_users: Vec::new(),
    };
    let replay = ReplayRequest {
        models: vec![
            ReplayModel::Auto,
            ReplayModel::Of(ModelArchitecture::Naive),
            ReplayModel::Of(ModelArchitecture::MovingAverage),
            ReplayModel::Of(ModelArchitecture::Lstm),
        ],
        ..ReplayRequest::new(metric)
    };
    let backtest = engine.backtest(&people, &replay, now, &mut |part| {
        bar.set_message(part.to_owned());
        interrupt.check()
    })?;
    bar.finish_and_clear();
    // Forecasts of the last week first, to compare them with the measured values.
    let tomorrow = training.last_day + Days::new(1);
    let mut forecast = None;
    for back in (0..=7).rev() {
        let request = PredictRequest::new(user.clone(), metric, tomorrow - Days::new(back));
        match engine.predict(&request, now) {
            Ok(answer) => forecast = Some(answer),
            Err(error) if back > 0 && error.is_too_little_data() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let forecast = forecast.context("the last day of the loop is always forecast")?;
    if !output.is_json() {
        output.heading(&format!("2. {} of person {user}", metric.title()))?;
        crate::commands::train::print(&training, output)?;
        output.line("")?;
        predict::print(&forecast, engine, now, output)?;
        output.line("")?;
    }
    Ok(Story {
        training,
        backtest,
        forecast,
    })
}

/// The HTML report, which opens without a network.
fn page(
    engine: &Engine,
    imports: &[ImportSummary],
    stories: &[Story],
    now: DateTime<Utc>,
) -> anyhow::Result<HtmlReport> {
    let mut report = HtmlReport::new(
        "Forecasts for tomorrow",
        "A demonstration with data of real people: T1D-UOM (Alsuhaymi et al. 2025) and LifeSnaps \
         (Yfantidou et al. 2022), both CC BY 4.0",
    );
    for story in stories {
        let prediction = &story.forecast.prediction;
        let metric = prediction.metric;
        let view = engine.history(
            &story.forecast.user_id,
            metric,
            Some(prediction.target_date),
            DRAWN_DAYS,
            None,
            now,
        )?;
        let mut section = Section::new(format!(
            "{} on {}: {}",
            metric.title(),
            prediction.target_date,
            with_unit(metric, prediction.predicted_value)
        ))
        .with_paragraph(story.forecast.interpretation.clone());
        if let Some(recommendation) = &story.forecast.recommendation {
            section = section.with(Block::Note(recommendation.clone()));
        }
        section = section
            .with(Block::History(view.chart(Some(prediction))))
            .with_paragraph(
                "The last days, replayed: each forecast uses only data known on the evening before, and \
                 models that have learned nothing from these days.",
            );
        let replayed = &story.backtest;
        if let Some(chart) = replay_chart(
            replayed,
            &story.forecast.user_id,
            ReplayModel::Auto.name(),
            1,
        ) {
            section = section.with(Block::History(chart));
        }
        if let Some(chart) = replay_skill_chart(replayed) {
            section = section.with(Block::Skill(chart));
        }
        report = report.with(section);
    }
    Ok(report.with(imported(imports)))
}

fn imported(imports: &[ImportSummary]) -> Section {
    let text = |name: &str| (name.to_owned(), Alignment::Text);
    let number = |name: &str| (name.to_owned(), Alignment::Number);
    let rows = imports
        .iter()
        .map(|summary| {
            let titles: Vec<&str> = summary.formats.iter().map(|found| found.title).collect();
            vec![
                Some(titles.join(", ")),
                Some(summary.people.len().to_string()),
                Some(summary.rows_read.to_string()),
                Some(summary.added.to_string()),
                Some(summary.rejected.values().sum::<u64>().to_string()),
            ]
        })
        .collect();
    Section::new("Sources of the data").with(Block::Table(Table {
        caption: "Imported data".to_owned(),
        columns: vec![
            text("export"),
            number("people"),
            number("rows read"),
            number("records imported"),
            number("rows rejected"),
        ],
        rows,
    }))
}
