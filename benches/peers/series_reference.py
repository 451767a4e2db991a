"""Writes fixtures/series/statsmodels.json: what statsmodels makes of three seeded series.

    python benches/peers/series_reference.py > fixtures/series/statsmodels.json
"""

import json
import warnings

import numpy as np
import statsmodels
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel

warnings.simplefilter("ignore")
HORIZON = 7


def series():
    random = np.random.default_rng(11)
    day = np.arange(140)
    week = np.array([2.0, -1.0, 0.5, -2.5, 0.0, 1.5, -0.5])
    yield "weekly", 60 + week[day % 7] + random.normal(0, 0.8, day.size)
    yield "trending", 40 + 0.15 * day[:80] + random.normal(0, 1.0, 80)
    yield "walking", 55 + np.cumsum(random.normal(0, 0.6, 120)) + random.normal(0, 0.4, 120)


def exponential_smoothing(values, trend, damped, seasonal):
    model = ETSModel(
        values,
        error="add",
        trend="add" if trend else None,
        damped_trend=damped,
        seasonal="add" if seasonal else None,
        seasonal_periods=7 if seasonal else None,
    )
    fit = model.fit(disp=False, maxiter=5000)
    named = dict(zip(model.param_names, fit.params))
    return {
        "trend": trend,
        "damped": damped,
        "seasonal": seasonal,
        "alpha": named["smoothing_level"],
        "beta": named.get("smoothing_trend"),
        "gamma": named.get("smoothing_seasonal"),
        "damping": named.get("damping_trend", 1.0),
        "squared_error": float(np.sum(fit.resid**2)),
        "forecast": [float(value) for value in fit.forecast(HORIZON)],
    }


def theta(values):
    fit = ThetaModel(values, period=7, method="additive").fit()
    return {
        "alpha": float(fit.params["alpha"]),
        "seasonal": bool(fit.model._has_seasonality),
        "forecast": [float(value) for value in fit.forecast(HORIZON)],
    }


def main():
    entries = []
    for name, values in series():
        values = np.round(values, 4)
        forms = [
            exponential_smoothing(values, trend, damped, seasonal)
            for trend, damped in [(False, False), (True, False), (True, True)]
            for seasonal in ([False, True] if name == "weekly" else [False])
        ]
        entries.append(
            {"name": name, "values": values.tolist(), "ets": forms, "theta": theta(values)}
        )
    print(json.dumps({"statsmodels": statsmodels.__version__, "series": entries}, indent=1))


main()
