"""Rows of `benches/src/networks.rs` by LightGBM, XGBoost, statsforecast, SciPy with statsmodels, and onnxruntime: same sizes, random data.

Prints one JSON object: {"row": ..., "peer": ..., "seconds": [...], "peak_mb": ...}, each number of seconds one run.
"""

import argparse
import json
import resource
import time

import numpy as np

TREES, DEPTH, RATE = 100, 4, 0.1


def table(rows):
    random = np.random.default_rng(9)
    values = random.uniform(-1, 1, (rows, 20)).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    known = np.nan_to_num(values)
    return values, 60 + 3 * known[:, 0] * known[:, 1] + random.uniform(-0.5, 0.5, rows)


def boosted(peer, threads):
    if peer == "lightgbm":
        import lightgbm

        return lightgbm.LGBMRegressor(
            n_estimators=TREES,
            max_depth=DEPTH,
            num_leaves=2**DEPTH,
            learning_rate=RATE,
            min_child_samples=1,
            n_jobs=threads,
            verbose=-1,
        )
    import xgboost

    return xgboost.XGBRegressor(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=RATE, n_jobs=threads, tree_method="hist"
    )


def trees_fit(peer, threads):
    values, targets = table(365)
    return lambda: boosted(peer, threads).fit(values, targets)


def trees_predict(peer, threads):
    model = trees_fit(peer, threads)()
    values, _ = table(1000)
    return lambda: model.predict(values)


def correlations(peer, threads):
    """64 features of 180 days: SciPy's three coefficients, statsmodels' Granger tests of three lags."""
    import contextlib
    import io

    from scipy import stats
    from statsmodels.tsa.stattools import grangercausalitytests

    random = np.random.default_rng(5)
    series = np.zeros((65, 184))
    for day in range(1, 184):
        series[:, day] = 0.5 * series[:, day - 1] + random.uniform(-1, 1, 65)
    target, features = series[0], series[1:]

    def work():
        p_values = []
        for feature in features:
            x, y = feature[3:-1], target[4:]
            p_values.append(stats.pearsonr(x, y).pvalue)
            p_values.append(stats.spearmanr(x, y).pvalue)
            p_values.append(stats.kendalltau(x, y).pvalue)
            with contextlib.redirect_stdout(io.StringIO()):
                tests = grangercausalitytests(np.column_stack([target, feature]), maxlag=3)
            p_values.append(min(test[0]["ssr_ftest"][1] for test in tests.values()))
        stats.false_discovery_control(p_values)

    return work


def ets(peer, threads):
    from statsforecast.models import AutoETS

    random = np.random.default_rng(3)
    week = np.array([2.0, -1.0, 0.5, -2.5, 0.0, 1.5, -0.5])
    values = 60 + week[np.arange(120) % 7] + random.uniform(-1, 1, 120)
    # As here: additive errors, no or an additive trend, damped or not, no or an additive season.
    return lambda: AutoETS(season_length=7, model="AZZ").forecast(values, h=7)


def infer(count):
    def row(peer, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(arguments.model, options)
        windows = np.random.default_rng(1).uniform(-1.5, 1.5, (count, 30, 51)).astype(np.float32)
        return lambda: session.run(None, {"windows": windows})

    return row


ROWS = {
    "trees_fit": trees_fit,
    "trees_predict": trees_predict,
    "ets": ets,
    "correlations": correlations,
    "infer_1": infer(1),
    "infer_256": infer(256),
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--row", required=True, choices=ROWS)
parser.add_argument("--peer", required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--model", help="the ONNX file, for onnxruntime")
arguments = parser.parse_args()
run = ROWS[arguments.row](arguments.peer, arguments.threads)
for _ in range(5):
    run()
seconds = []
for _ in range(200 if arguments.row == "infer_1" else 30):
    begun = time.perf_counter()
    run()
    seconds.append(time.perf_counter() - begun)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({**vars(arguments), "seconds": seconds, "peak_mb": peak}))
