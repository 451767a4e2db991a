//! Writes networks and trees as ONNX files, and beside them what they must say: `cases.json`.
//!
//! ```sh
//! cargo run -p vitalcast-models --example write_onnx -- FOLDER
//! ```

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use vitalcast_models::{
    BoostedTrees, ColumnScaling, Head, LinearConfig, LstmConfig, Network, NetworkConfig, ReadOut,
    Scaling, SeriesForecaster, SeriesMethod, SeriesModel, Table, TreeOptions, Windows,
};

const WINDOWS: usize = 5;
const DAYS: usize = 9;
const COLUMNS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write to")?);
    std::fs::create_dir_all(&folder)?;
    let lstm = |bidirectional, read_out, head, outputs| {
        NetworkConfig::Lstm(LstmConfig {
            bidirectional,
            read_out,
            head,
            outputs,
            ..LstmConfig::new(2 * COLUMNS, 12, 2)
        })
    };
    let networks = [
        ("single", lstm(false, ReadOut::LastDay, Head::Joint, 1)),
        ("last_day", lstm(true, ReadOut::LastDay, Head::Joint, 1)),
        ("attention", lstm(false, ReadOut::Attention, Head::Joint, 1)),
        (
            "attention_both",
            lstm(true, ReadOut::Attention, Head::PerOutput, 2),
        ),
        (
            "multi_task",
            lstm(false, ReadOut::LastDay, Head::PerOutput, 3),
        ),
        (
            "linear",
            NetworkConfig::Linear(LinearConfig {
                input_width: 2 * COLUMNS,
                outputs: 2,
            }),
        ),
    ];
    let mut cases = Vec::new();
    for (name, config) in networks {
        cases.extend(network_cases(&folder, name, &config)?);
    }
    for base in SeriesModel::simple() {
        cases.push(deviation_case(&folder, base)?);
    }
    cases.push(trees_case(&folder)?);
    for lead in [1, 3] {
        cases.push(series_case(&folder, lead)?);
    }
    let text = serde_json::to_string(&cases)?;
    std::fs::write(folder.join("cases.json"), text)?;
    Ok(())
}

/// One file that reads the data itself, some of it missing, and one that reads what the network reads.
fn network_cases(
    folder: &Path,
    name: &str,
    config: &NetworkConfig,
) -> Result<[Value; 2], Box<dyn Error>> {
    let network = Network::new(config, 21)?;
    let column = |mean, scale, is_read| ColumnScaling {
        mean,
        scale,
        is_read,
    };
    let scaling = Scaling {
        inputs: vec![
            column(60.0, 4.0, true),
            column(0.0, 1.0, false),
            column(-2.0, 0.5, true),
            column(9_000.0, 3_000.0, true),
        ],
        farthest: 8.0,
        outputs: (0..config.outputs())
            .map(|output| column(60.0 + output as f64, 4.0, true))
            .collect(),
        base: None,
    };
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut data: Vec<Option<f32>> = Vec::new();
    let mut read = Vec::new();
    for _ in 0..WINDOWS * DAYS {
        let mut mask = [0.0; COLUMNS];
        for (column, mask) in scaling.inputs.iter().zip(&mut mask) {
            let scaled = random.random_range(-2.0_f64..2.0);
            let value = random
                .random_bool(0.8)
                .then_some((column.mean + column.scale * scaled) as f32);
            data.push(value);
            let seen = value.filter(|_| column.is_read);
            read.push(seen.map_or(0.0, |value| {
                ((f64::from(value) - column.mean) / column.scale) as f32
            }));
            *mask = if seen.is_some() { 1.0 } else { 0.0 };
        }
        read.extend(mask);
    }
    let windows = Windows::new(WINDOWS, DAYS, 2 * COLUMNS, read.clone())?;
    let said = network.explain(&windows)?;
    let in_units: Vec<f64> = said
        .values
        .chunks(config.outputs())
        .flat_map(|row| row.iter().zip(&scaling.outputs))
        .map(|(value, column)| f64::from(*value) * column.scale + column.mean)
        .collect();
    let (plain, scaled) = (format!("{name}.onnx"), format!("{name}_scaled.onnx"));
    std::fs::write(folder.join(&plain), network.to_onnx(None)?)?;
    std::fs::write(folder.join(&scaled), network.to_onnx(Some(&scaling))?)?;
    Ok([
        json!({
            "file": plain,
            "input": read,
            "shape": [WINDOWS, DAYS, 2 * COLUMNS],
            "forecast": said.values,
            "attention": said.attention,
            "unit": 1.0,
        }),
        json!({
            "file": scaled,
            "input": data,
            "shape": [WINDOWS, DAYS, COLUMNS],
            "forecast": in_units,
            "attention": said.attention,
            "unit": 4.0,
        }),
    ])
}

/// A network of two outputs, the first of which is added to a simple baseline of the last column. The last
/// window shows nothing of that column.
fn deviation_case(folder: &Path, base: SeriesModel) -> Result<Value, Box<dyn Error>> {
    const LONG: usize = 17;
    let config = NetworkConfig::Lstm(LstmConfig {
        head: Head::PerOutput,
        outputs: 2,
        ..LstmConfig::new(4, 8, 1)
    });
    let network = Network::new(&config, 22)?;
    let column = |mean, scale| ColumnScaling {
        mean,
        scale,
        is_read: true,
    };
    let inputs = vec![column(9.0, 2.0), column(60.0, 4.0)];
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut data: Vec<Option<f32>> = Vec::new();
    let mut read = Vec::new();
    for place in 0..WINDOWS * LONG {
        let is_empty = place >= (WINDOWS - 1) * LONG;
        let day: Vec<Option<f32>> = inputs
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let value = column.mean + column.scale * random.random_range(-2.0_f64..2.0);
                let is_seen = random.random_bool(0.5) && !(is_empty && index == 1);
                is_seen.then_some(value as f32)
            })
            .collect();
        read.extend(day.iter().zip(&inputs).map(|(value, column)| {
            value.map_or(0.0, |value| {
                ((f64::from(value) - column.mean) / column.scale) as f32
            })
        }));
        read.extend(day.iter().map(|value| f32::from(u8::from(value.is_some()))));
        data.extend(day);
    }
    let said = network.predict(&Windows::new(WINDOWS, LONG, 4, read)?)?;
    let outputs = vec![column(0.0, 3.0), column(7.0, 1.0)];
    let own: Vec<Option<f64>> = data
        .iter()
        .skip(1)
        .step_by(2)
        .map(|value| value.map(f64::from))
        .collect();
    let forecasts: Vec<Option<f64>> = said
        .chunks(2)
        .zip(own.chunks(LONG))
        .flat_map(|(said, days)| {
            let usual = base.forecast(days, 1);
            [
                usual.map(|usual| usual + 3.0 * f64::from(said[0])),
                Some(7.0 + f64::from(said[1])),
            ]
        })
        .collect();
    let file = format!("deviation_from_{}.onnx", base.name());
    let scaling = Scaling {
        inputs,
        farthest: 8.0,
        outputs,
        base: Some(base),
    };
    std::fs::write(folder.join(&file), network.to_onnx(Some(&scaling))?)?;
    Ok(json!({
        "file": file,
        "input": data,
        "shape": [WINDOWS, LONG, 2],
        "forecast": forecasts,
        "attention": null,
        "unit": 4.0,
    }))
}

fn trees_case(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let rows = 200;
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let values: Vec<Option<f32>> = (0..rows * COLUMNS)
        .map(|_| {
            random
                .random_bool(0.85)
                .then(|| random.random_range(-2.0..2.0))
        })
        .collect();
    let targets: Vec<f64> = values
        .chunks(COLUMNS)
        .map(|row| 60.0 + f64::from(row[0].unwrap_or(3.0)) * f64::from(row[1].unwrap_or(1.0)))
        .collect();
    let with_nan = values.iter().map(|value| value.unwrap_or(f32::NAN));
    let table = Table::new(rows, COLUMNS, with_nan.collect())?;
    let trees = BoostedTrees::fit(&table, &targets, &TreeOptions::default())?;
    std::fs::write(folder.join("trees.onnx"), trees.to_onnx())?;
    Ok(json!({
        "file": "trees.onnx",
        "input": values,
        "shape": [rows, COLUMNS],
        "forecast": trees.predict(&table)?,
        "attention": null,
        "unit": 4.0,
    }))
}

/// Boosted trees on the lags of a series, of which some days are missing.
fn series_case(folder: &Path, lead: usize) -> Result<Value, Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let series: Vec<Option<f64>> = (0..300)
        .map(|day| {
            let value = 60.0 + f64::from(day % 7) + random.random_range(-1.0..1.0);
            // As the file reads it.
            random.random_bool(0.8).then_some(f64::from(value as f32))
        })
        .collect();
    let SeriesModel::Trees(trees) = SeriesMethod::trees().fit(&series)? else {
        return Err("trees are what was fitted".into());
    };
    let file = format!("trees_on_lags_{lead}.onnx");
    let bytes = trees.to_onnx(lead).ok_or("a lead that was fitted")?;
    std::fs::write(folder.join(&file), bytes)?;
    let histories: Vec<&[Option<f64>]> = series.windows(28).collect();
    let forecasts: Option<Vec<f64>> = histories
        .iter()
        .map(|history| trees.forecast(history, lead))
        .collect();
    Ok(json!({
        "file": file,
        "input": histories.concat(),
        "shape": [histories.len(), 28],
        "forecast": forecasts,
        "attention": null,
        "unit": 4.0,
    }))
}
