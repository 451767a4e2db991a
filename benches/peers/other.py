"""Rows of `benches/src/rows.rs` by LightGBM, XGBoost, shap, statsforecast, SciPy with statsmodels, and onnxruntime: same
sizes, random data.

Prints one JSON object (see `measured.py`).
"""

import measured
import numpy as np

TREES, RATE, BINS = 100, 0.1, 255
# Rows, columns, depth and fewest rows of a leaf, as in `Forest` of `benches/src/rows.rs`.
SMALL = (365, 20, 4, 1)
LARGE = (1_000_000, 40, 6, 20)
# Rows made at a time, so that making the table does not take more memory than the table.
CHUNK = 10_000


def table(rows, columns):
    random = np.random.default_rng(9)
    values = np.empty((rows, columns), dtype=np.float32)
    for first in range(0, rows, CHUNK):
        part = values[first : first + CHUNK]
        part[:] = random.uniform(-1, 1, part.shape)
        part[random.random(part.shape) < 0.1] = np.nan
    targets = 60 + 3 * np.nan_to_num(values[:, 0]) * np.nan_to_num(values[:, 1])
    return values, targets + random.uniform(-0.5, 0.5, rows)


def boosted(peer, threads, depth, leaf_rows):
    if peer == "lightgbm":
        import lightgbm

        return lightgbm.LGBMRegressor(
            n_estimators=TREES,
            max_depth=depth,
            num_leaves=2**depth,
            learning_rate=RATE,
            min_child_samples=leaf_rows,
            max_bin=BINS,
            n_jobs=threads,
            verbose=-1,
        )
    import xgboost

    # Each row weighs 1 in the squared error, so that the smallest weight of a leaf counts its rows.
    return xgboost.XGBRegressor(
        n_estimators=TREES,
        max_depth=depth,
        learning_rate=RATE,
        min_child_weight=leaf_rows,
        max_bin=BINS,
        n_jobs=threads,
        tree_method="hist",
    )


def trees_fit(size):
    def row(peer, threads):
        rows, columns, depth, leaf_rows = size
        values, targets = table(rows, columns)
        return lambda: boosted(peer, threads, depth, leaf_rows).fit(values, targets)

    return row


def trees_predict(peer, threads):
    model = trees_fit(SMALL)(peer, threads)()
    values, _ = table(256, SMALL[1])
    return lambda: model.predict(values)


def shap_trees(count):
    """Path-dependent Shapley values of XGBoost's trees; making the explainer is not timed, here as there."""

    def row(peer, threads):
        import shap

        model = trees_fit(SMALL)("xgboost", threads)()
        explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        values, _ = table(count, SMALL[1])
        return lambda: explainer.shap_values(values)

    return row


def counterfactual(peer, threads):
    """Four counterfactuals of XGBoost's trees by random search: a forecast that is higher by 1.5."""
    import contextlib
    import io

    import dice_ml
    import pandas

    model = boosted("xgboost", threads, SMALL[2], SMALL[3])
    values, targets = table(SMALL[0], SMALL[1])
    names = [f"x{column}" for column in range(SMALL[1])]
    learned = pandas.DataFrame(np.nan_to_num(values), columns=names)
    model.fit(learned, targets)
    data = dice_ml.Data(
        dataframe=learned.assign(target=targets), continuous_features=names, outcome_name="target"
    )
    dice = dice_ml.Dice(
        data, dice_ml.Model(model=model, backend="sklearn", model_type="regressor"), method="random"
    )
    query = pandas.DataFrame(np.zeros((1, SMALL[1]), dtype=np.float32), columns=names)
    query.loc[0, ["x0", "x1"]] = 0.5, -0.5
    base = float(model.predict(query)[0])

    def work():
        # It writes a progress bar.
        with contextlib.redirect_stderr(io.StringIO()):
            dice.generate_counterfactuals(
                query, total_CFs=4, desired_range=[base + 1.5, base + 4.0], random_seed=7
            )

    return work


def randomisation(peer, threads):
    """20 differences of pairs, each with either sign: 10,000 draws."""
    from scipy import stats

    random = np.random.default_rng(2)
    differences = 0.5 + random.uniform(-2, 2, 20)
    zeros = np.zeros_like(differences)

    def mean_difference(one, other, axis):
        return np.mean(one - other, axis=axis)

    def work():
        stats.permutation_test(
            (differences, zeros),
            mean_difference,
            permutation_type="samples",
            vectorized=True,
            n_resamples=10_000,
            rng=random,
        )

    return work


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
    "trees_fit": trees_fit(SMALL),
    "trees_fit_large": trees_fit(LARGE),
    "trees_predict": trees_predict,
    "ets": ets,
    "correlations": correlations,
    "shap_trees": shap_trees(1),
    "shap_trees_256": shap_trees(256),
    "counterfactual": counterfactual,
    "randomisation": randomisation,
    "infer_1": infer(1),
    "infer_256": infer(256),
}

if __name__ == "__main__":
    arguments = measured.arguments(ROWS)
    beside = {"scipy": ["scipy", "statsmodels"], "shap": ["shap", "xgboost"], "dice-ml": ["dice-ml", "xgboost"]}
    packages = beside.get(arguments.peer, [arguments.peer])
    run = ROWS[arguments.row](arguments.peer, arguments.threads)
    measured.answer(arguments.row, run, packages)
