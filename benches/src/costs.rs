//! The table of `crates/models/README.md`: what each model costs, in Markdown.

use std::hint::black_box;
use std::time::Instant;
use vitalcast_artifact::encode_state;
use vitalcast_models::{
    Head, LinearConfig, LstmConfig, Network, NetworkConfig, ReadOut, SeriesForecaster,
    SeriesMethod, Windows,
};

use crate::Outcome;

const DAYS: usize = 30;
const INPUTS: usize = 51;

/// Prints it.
#[expect(clippy::print_stdout, reason = "this is a command")]
pub(crate) fn run() -> Outcome {
    println!("| model | parameters | bytes | fit | one forecast |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let lstm = LstmConfig::new(INPUTS, 128, 2);
    let networks = [
        ("LSTM, 2 × 128", NetworkConfig::Lstm(lstm.clone())),
        (
            "the same, bidirectional",
            NetworkConfig::Lstm(LstmConfig {
                bidirectional: true,
                ..lstm.clone()
            }),
        ),
        (
            "the same with attention",
            NetworkConfig::Lstm(LstmConfig {
                read_out: ReadOut::Attention,
                ..lstm.clone()
            }),
        ),
        (
            "the same with five heads",
            NetworkConfig::Lstm(LstmConfig {
                head: Head::PerOutput,
                outputs: 5,
                ..lstm
            }),
        ),
        (
            "linear",
            NetworkConfig::Linear(LinearConfig {
                input_width: INPUTS,
                outputs: 1,
            }),
        ),
    ];
    let values = (0..DAYS * INPUTS).map(|place| ((place * 37) % 101) as f32 / 50.0 - 1.0);
    let window = Windows::new(1, DAYS, INPUTS, values.collect())?;
    for (name, config) in networks {
        let network = Network::new(&config, 1)?;
        let seconds = timed(|| {
            black_box(network.predict(&window)).ok();
        });
        let bytes = network.to_safetensors()?.len();
        let count = network.parameter_count();
        println!("| {name} | {count} | {bytes} | | {} |", words(seconds));
    }
    let week = [2.0, -1.0, 0.5, -2.5, 0.0, 1.5, -0.5];
    let history: Vec<Option<f64>> = (0..365)
        .map(|day| {
            let noise = ((day * 37) % 101) as f64 / 50.0 - 1.0;
            (day % 9 != 4).then(|| 60.0 + week[day % 7] + noise)
        })
        .collect();
    let month = &history[history.len() - DAYS..];
    for method in SeriesMethod::every() {
        let model = method.fit(&history)?;
        let fit = timed(|| {
            black_box(method.fit(&history)).ok();
        });
        let seconds = timed(|| {
            black_box(model.forecast(month, 1));
        });
        let bytes = encode_state(&model)?.len();
        println!(
            "| {} | {} | {bytes} | {} | {} |",
            model.name(),
            model.parameter_count(),
            words(fit),
            words(seconds)
        );
    }
    Ok(())
}

/// Median seconds of a run.
fn timed(run: impl Fn()) -> f64 {
    run();
    let mut seconds: Vec<f64> = (0..51)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn words(seconds: f64) -> String {
    if seconds >= 1e-3 {
        format!("{:.1} ms", 1e3 * seconds)
    } else {
        format!("{:.4} ms", 1e3 * seconds)
    }
}
