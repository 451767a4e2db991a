//! The smallest inputs there are, and sizes that would not fit into memory.

use vitalcast_models::{
    ColumnScaling, Head, LinearConfig, LstmConfig, ModelError, Network, NetworkConfig, ReadOut,
    Scaling, SeriesMethod, SeriesModel, Windows,
};

fn networks() -> Vec<NetworkConfig> {
    let mut all = vec![NetworkConfig::Linear(LinearConfig {
        input_width: 3,
        outputs: 2,
    })];
    for read_out in [ReadOut::LastDay, ReadOut::Attention] {
        for head in [Head::Joint, Head::PerOutput] {
            for bidirectional in [false, true] {
                all.push(NetworkConfig::Lstm(LstmConfig {
                    bidirectional,
                    outputs: 2,
                    read_out,
                    head,
                    ..LstmConfig::new(3, 7, 2)
                }));
            }
        }
    }
    all
}

#[test]
fn one_window_of_one_day_is_enough_for_every_network() {
    let window = Windows::new(1, 1, 3, vec![0.5, -1.0, 2.0]).unwrap();
    for config in networks() {
        let network = Network::new(&config, 1).unwrap();
        let said = network.explain(&window).unwrap();
        assert_eq!(said.values.len(), 2, "{config:?}");
        assert!(
            said.values.iter().all(|value| value.is_finite()),
            "{config:?}"
        );
        // One day has all the weight.
        assert!(
            said.attention.is_none_or(|weights| weights == [1.0]),
            "{config:?}"
        );
    }
}

#[test]
fn windows_and_scalings_of_another_width_are_refused() {
    let wide = Windows::new(1, 2, 4, vec![0.0; 8]).unwrap();
    for config in networks() {
        let network = Network::new(&config, 1).unwrap();
        let width = ModelError::Width {
            expected: 3,
            found: 4,
        };
        assert_eq!(network.predict(&wide).unwrap_err(), width);
        let none = Scaling {
            inputs: Vec::new(),
            farthest: 8.0,
            outputs: Vec::new(),
            base: None,
        };
        let error = network.to_onnx(Some(&none)).unwrap_err();
        assert!(
            matches!(error, ModelError::Width { found: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn one_output_is_scaled_alone_and_at_zero_says_zero() {
    let windows = Windows::new(2, 2, 3, (0..12).map(|at| at as f32 / 6.0).collect()).unwrap();
    for config in networks() {
        let network = Network::new(&config, 5).unwrap();
        let before = network.predict(&windows).unwrap();
        let halved = network.with_output_scaled(1, 0.5, 3.0).unwrap();
        let after = halved.predict(&windows).unwrap();
        for (before, after) in before.chunks(2).zip(after.chunks(2)) {
            assert_eq!(before[0], after[0], "{config:?}");
            assert!(
                (0.5 * before[1] + 3.0 - after[1]).abs() < 1e-6,
                "{config:?}"
            );
        }
        let silent = network.with_output_scaled(0, 0.0, 0.0).unwrap();
        let said = silent.predict(&windows).unwrap();
        for (before, after) in before.chunks(2).zip(said.chunks(2)) {
            assert_eq!(after, [0.0, before[1]], "{config:?}");
        }
        assert!(matches!(
            network.with_output_scaled(2, 0.0, 0.0),
            Err(ModelError::OutOfBounds {
                field: "output",
                ..
            })
        ));
    }
}

#[test]
fn only_a_simple_baseline_is_written_into_a_graph() {
    let config = NetworkConfig::Linear(LinearConfig {
        input_width: 2,
        outputs: 1,
    });
    let network = Network::new(&config, 1).unwrap();
    let days: Vec<Option<f64>> = (0..40).map(|day| Some(f64::from(day % 7))).collect();
    let as_it_is = ColumnScaling {
        mean: 0.0,
        scale: 1.0,
        is_read: true,
    };
    let scaling = |base| Scaling {
        inputs: vec![as_it_is],
        farthest: 8.0,
        outputs: vec![as_it_is],
        base: Some(base),
    };
    for base in SeriesModel::simple() {
        assert!(network.to_onnx(Some(&scaling(base))).is_ok());
    }
    let theta = SeriesMethod::Theta.fit(&days).unwrap();
    let error = network.to_onnx(Some(&scaling(theta))).unwrap_err();
    assert!(matches!(error, ModelError::NoGraph(_)), "{error}");
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    let plain = LstmConfig::new(3, 8, 1);
    for (field, config) in [
        (
            "input_width",
            LstmConfig {
                input_width: usize::MAX,
                ..plain.clone()
            },
        ),
        (
            "hidden_width",
            LstmConfig {
                hidden_width: usize::MAX,
                ..plain.clone()
            },
        ),
        (
            "layers",
            LstmConfig {
                layers: usize::MAX,
                ..plain.clone()
            },
        ),
        (
            "outputs",
            LstmConfig {
                outputs: usize::MAX,
                ..plain.clone()
            },
        ),
        (
            "layers",
            LstmConfig {
                layers: 0,
                ..plain.clone()
            },
        ),
        (
            "outputs",
            LstmConfig {
                outputs: 0,
                ..plain.clone()
            },
        ),
        (
            "dropout",
            LstmConfig {
                dropout: 1.0,
                ..plain
            },
        ),
    ] {
        let error = Network::new(&NetworkConfig::Lstm(config), 1).unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
    }
}
