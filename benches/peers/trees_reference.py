"""Writes fixtures/golden/trees.json: losses of LightGBM on five generated tables, and Shapley values of the shap package.

    python benches/peers/trees_reference.py > fixtures/golden/trees.json

The tables are not in the file: both sides make them from the same integers (`crates/models/tests/it/trees.rs`).
"""

import json

import lightgbm
import numpy as np
import shap

LEARN, CHECK = 4000, 4000
TABLES = [
    {"name": "smooth", "loss": "Squared", "depth": 4, "leaves": None, "trees": 80, "leaf_rows": 5, "l2": 1.0},
    {"name": "missing", "loss": "Squared", "depth": 8, "leaves": 15, "trees": 60, "leaf_rows": 20, "l2": 0.0},
    {"name": "outliers", "loss": {"Huber": {"delta": 0.7}}, "depth": 5, "leaves": None, "trees": 60, "leaf_rows": 10, "l2": 0.5},
    {"name": "median", "loss": "Absolute", "depth": 4, "leaves": None, "trees": 60, "leaf_rows": 20, "l2": 0.0},
    {"name": "upper", "loss": {"Quantile": {"level": 0.8}}, "depth": 6, "leaves": 12, "trees": 60, "leaf_rows": 20, "l2": 0.0},
]


def unit(number, row, column):
    """A number from 0 to below 1 with 24 bits, for table, row and column (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        state = np.uint64(number) * np.uint64(1_000_003) + row.astype(np.uint64) * np.uint64(64) + np.uint64(column)
        state = (state + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(40)).astype(np.float64) / 2.0**24


def table(number, first, count):
    """Six columns (the third in twelve steps, the sixth noise alone; from table 1 on a seventh of the values missing), targets, weights."""
    row = np.arange(first, first + count)
    known = np.stack([unit(number, row, column) for column in range(6)], axis=1)
    known[:, 2] = np.floor(known[:, 2] * 12) / 12
    missing = np.stack([unit(number, row, 8 + column) < 1 / 7 for column in range(6)], axis=1)
    missing &= number >= 1
    a, b, c, d, e = (np.where(missing[:, column], 0.3, known[:, column]) for column in range(5))
    noise = unit(number, row, 20) + unit(number, row, 21) - 1
    noise *= np.where(unit(number, row, 22) < 0.05, 8.0, 1.0)
    targets = 60 + 4 * a * b + 3 * (c - 0.5) ** 2 - 2 * d * d * d + np.where(e > 0.6, 1.0, 0.0) + noise
    weights = 0.25 + unit(number, row, 23) if number == 1 else None
    values = np.where(missing, np.nan, known).astype(np.float32)
    return values, targets, weights


def parameters(settings):
    loss = settings["loss"]
    objective = {"Squared": "regression", "Absolute": "regression_l1"}.get(loss) if isinstance(loss, str) else None
    alpha = {}
    if isinstance(loss, dict):
        (kind, detail), = loss.items()
        objective = kind.lower()
        alpha = {"alpha": next(iter(detail.values()))}
    return {
        "objective": objective,
        **alpha,
        "max_depth": settings["depth"],
        "num_leaves": settings["leaves"] or 2 ** settings["depth"],
        "learning_rate": 0.1,
        "min_data_in_leaf": settings["leaf_rows"],
        "min_sum_hessian_in_leaf": 0.0,
        "lambda_l2": settings["l2"],
        "max_bin": 255,
        "min_data_in_bin": 3,
        "num_threads": 1,
        "deterministic": True,
        "verbose": -1,
    }


def mean_loss(loss, forecast, target, weights):
    error = forecast - target
    if loss == "Squared":
        each = 0.5 * error**2
    elif loss == "Absolute":
        each = np.abs(error)
    elif "Huber" in loss:
        delta = loss["Huber"]["delta"]
        each = np.where(np.abs(error) <= delta, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))
    else:
        level = loss["Quantile"]["level"]
        each = np.maximum(-level * error, (1 - level) * error)
    return float(np.average(each, weights=weights))


def losses(number, settings):
    values, targets, weights = table(number, 0, LEARN)
    data = lightgbm.Dataset(values, targets, weight=weights)
    model = lightgbm.train(parameters(settings), data, settings["trees"])
    other, truth, other_weights = table(number, LEARN, CHECK)
    return {
        **settings,
        "learned": mean_loss(settings["loss"], model.predict(values), targets, weights),
        "checked": mean_loss(settings["loss"], model.predict(other), truth, other_weights),
        "first_target": float(targets[0]),
    }


def forest():
    """A LightGBM model in the form of our trees, and in the form the shap package reads."""
    values, targets, _ = table(1, 0, 600)
    settings = {"loss": "Squared", "depth": 5, "leaves": 12, "leaf_rows": 5, "l2": 0.0}
    booster = lightgbm.train({**parameters(settings), "boost_from_average": False}, lightgbm.Dataset(values, targets), 8)
    roots, nodes, trees = [], [], []
    for info in booster.dump_model()["tree_info"]:
        roots.append(len(nodes))
        ahead = [(info["tree_structure"], len(nodes))]
        nodes.append(None)
        while ahead:
            node, place = ahead.pop()
            if "leaf_value" in node:
                cover = int(np.float32(node["leaf_count"]).view(np.uint32))
                value = float(np.float32(node["leaf_value"]))
                nodes[place] = {"column": cover, "value": value, "left": 0, "right": 0, "missing": 0}
                continue
            left, right = len(nodes), len(nodes) + 1
            nodes += [None, None]
            # The smallest f32 above the threshold: LightGBM's rule is "at most", ours "below".
            below = np.float32(node["threshold"])
            if float(below) <= node["threshold"]:
                below = np.nextafter(below, np.float32(np.inf))
            nodes[place] = {
                "column": node["split_feature"],
                "value": float(below),
                "left": left,
                "right": right,
                "missing": left if node["default_left"] else right,
            }
            ahead += [(node["left_child"], left), (node["right_child"], right)]
    for index, first in enumerate(roots):
        own = nodes[first : roots[index + 1] if index + 1 < len(roots) else len(nodes)]
        leaf = [node["left"] == 0 for node in own]
        cover = [float(np.uint32(node["column"]).view(np.float32)) if is_leaf else 0.0 for node, is_leaf in zip(own, leaf)]
        for place in range(len(own) - 1, -1, -1):
            if not leaf[place]:
                cover[place] = cover[own[place]["left"] - first] + cover[own[place]["right"] - first]
        child = lambda side: np.array([-1 if is_leaf else node[side] - first for node, is_leaf in zip(own, leaf)])
        threshold = [0.0 if is_leaf else float(np.nextafter(np.float32(node["value"]), np.float32(-np.inf))) for node, is_leaf in zip(own, leaf)]
        trees.append(
            {
                "children_left": child("left"),
                "children_right": child("right"),
                "children_default": child("missing"),
                "features": np.array([0 if is_leaf else node["column"] for node, is_leaf in zip(own, leaf)]),
                "thresholds": np.array(threshold),
                "values": np.array([[node["value"] if is_leaf else 0.0] for node, is_leaf in zip(own, leaf)]),
                "node_sample_weight": np.array(cover),
            }
        )
    return {"columns": 6, "base": 0.0, "roots": roots, "nodes": nodes}, trees


def explanations():
    ours, trees = forest()
    rows, _, _ = table(1, 10_000, 20)
    background, _, _ = table(1, 20_000, 30)
    model = {"trees": trees, "input_dtype": np.float32, "internal_dtype": np.float64}
    along = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    against = shap.TreeExplainer(model, background, feature_perturbation="interventional")
    cells = lambda table: [[None if np.isnan(value) else float(value) for value in row] for row in table]
    return {
        "forest": ours,
        "rows": cells(rows),
        "background": cells(background),
        "path_dependent": {
            "base": float(np.ravel(along.expected_value)[0]),
            "values": along.shap_values(rows, check_additivity=False).tolist(),
        },
        "interventional": {
            "base": float(np.ravel(against.expected_value)[0]),
            "values": against.shap_values(rows, check_additivity=False).tolist(),
        },
    }


print(
    json.dumps(
        {
            "lightgbm": lightgbm.__version__,
            "shap": shap.__version__,
            "learn": LEARN,
            "check": CHECK,
            "tables": [losses(number, settings) for number, settings in enumerate(TABLES)],
            "explanations": explanations(),
        },
        indent=1,
    )
)
