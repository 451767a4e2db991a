"""Forecasts of past days by statsforecast and LightGBM, for `cargo xtask bench-accuracy`.

    python benches/peers/accuracy.py PLAN OUTPUT

PLAN is JSON: the table of `vitalcast features --all`, and for each series its column and the folds of people. A fold
names the people whose last days are scored, with the first scored day of each, and the people who are only learned
from. OUTPUT is CSV: series, user_id, target_date, model, forecast.

All models know the same: of scored people the days before the scored ones, and on the evening before a scored day
every earlier day. They are fitted once, before the scored days. The models of one series then follow the readings day by
day with fixed parameters. They read the observed days one after another, without gaps. LightGBM also learns from all days
of the other people.
"""

import csv
import json
import math
import sys
import warnings

import lightgbm
import numpy as np
import pyarrow.parquet
from statsforecast.models import AutoETS, AutoTheta, SimpleExponentialSmoothingOptimized

warnings.simplefilter("ignore")

# Days back that LightGBM sees of the metric itself.
LAGS = [1, 2, 3, 4, 5, 6, 7, 14]
# Readings that its averages are made of.
SPANS = [3, 7, 28]


class Person:
    """The days of one person, without gaps: the features of a day, and the values of the metrics."""

    def __init__(self, days, columns):
        self.days = days.astype("datetime64[D]")
        self.columns = columns
        self.place = {str(day): place for place, day in enumerate(self.days)}

    def observed(self, column):
        """The places of the days with a reading."""
        return np.flatnonzero(~np.isnan(self.columns[column]))


def people_of(path):
    table = pyarrow.parquet.read_table(path)
    users = np.array(table["user_id"].to_pylist())
    days = table["date"].to_numpy()
    names = [name for name in table.schema.names if name not in ("user_id", "date", "as_known_at")]
    columns = {name: table[name].to_numpy().astype(float) for name in names}
    people = {}
    for user in np.unique(users):
        at = np.flatnonzero(users == user)
        at = at[np.argsort(days[at])]
        person = Person(days[at], {name: columns[name][at] for name in names})
        assert np.all(np.diff(person.days).astype(int) == 1), "the table has every day of a person"
        people[user] = person
    return people


def exponential_smoothing(values, before):
    """Simple exponential smoothing, its rate chosen by statsforecast on the first `before` values."""
    model = SimpleExponentialSmoothingOptimized().fit(values[:before])
    rate = float(model.model_["alpha"])
    level = float(model.predict(h=1)["mean"][0])
    for value in values[before:]:
        yield level
        level = rate * value + (1 - rate) * level


def followed(model, values, before):
    """A model fitted on the first `before` values, which then follows the others."""
    model.fit(values[:before])
    for count in range(before, len(values)):
        yield float(model.forward(y=values[:count], h=1)["mean"][0])


SINGLE = {
    "SES": exponential_smoothing,
    # Without a trend: one that is fitted once runs away in the weeks after. With it, the errors on LifeSnaps' resting
    # heart rate, RMSSD and stress score are 15 % larger. A weekly season leaves four series as they are and makes sleep
    # worse (1.070 and 1.118 h).
    "AutoETS": lambda values, before: followed(AutoETS(season_length=1, model="ZNN"), values, before),
    "AutoTheta": lambda values, before: followed(AutoTheta(season_length=1), values, before),
}


def single_series(person, column, first_day):
    """(day, model, forecast) of the models of one series."""
    places = person.observed(column)
    values = person.columns[column][places]
    before = int(np.searchsorted(person.days[places], np.datetime64(first_day)))
    for name, forecasts in SINGLE.items():
        for place, forecast in zip(places[before:], forecasts(values, before)):
            yield str(person.days[place]), name, forecast


def rows_of(person, column):
    """What LightGBM knows on the evening before each observed day, the level it starts from, and the value.

    The value is learned as its distance from the mean of the last 28 readings, because trees cannot follow the level of a
    person they have not seen.
    """
    values = person.columns[column]
    places, inputs, levels = [], [], []
    readings = []
    last = None
    for place, value in enumerate(values):
        if readings and not math.isnan(value):
            level = float(np.mean(readings[-28:]))
            row = [person.columns[name][place - 1] for name in person.columns]
            row += [values[place - lag] - level if place >= lag else math.nan for lag in LAGS]
            row += [readings[-1] - level]
            row += [float(np.mean(readings[-span:])) - level for span in SPANS]
            row += [float(np.mean(readings)) - level, float(np.median(readings[-28:])) - level]
            row += [float(np.std(readings[-28:])), level, place - last, len(readings)]
            row += [(person.days[place].astype(int) + 3) % 7]
            places.append(place)
            inputs.append(row)
            levels.append(level)
        if not math.isnan(value):
            readings.append(value)
            last = place
    return np.array(places, int), np.array(inputs), np.array(levels)


def trees(people, column, scored, learned):
    """(user, day, forecast) of trees that have learned from many people."""
    rows = {user: rows_of(people[user], column) for user in [*scored, *learned]}
    inputs, targets = [], []
    for user, (places, table, levels) in rows.items():
        if not len(places):
            continue
        keep = np.full(len(places), True)
        if user in scored:
            keep = people[user].days[places] < np.datetime64(scored[user])
        inputs.append(table[keep])
        targets.append((people[user].columns[column][places] - levels)[keep])
    model = lightgbm.LGBMRegressor(
        objective="l1",
        n_estimators=300,
        learning_rate=0.03,
        num_leaves=15,
        min_child_samples=20,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.5,
        reg_lambda=1.0,
        random_state=7,
        deterministic=True,
        n_jobs=1,
        verbose=-1,
    )
    model.fit(np.vstack(inputs), np.concatenate(targets))
    for user, first_day in scored.items():
        places, table, levels = rows[user]
        keep = people[user].days[places] >= np.datetime64(first_day)
        if keep.any():
            forecasts = levels[keep] + model.predict(table[keep])
            for place, forecast in zip(places[keep], forecasts):
                yield user, str(people[user].days[place]), float(forecast)


def main():
    plan_path, output_path = sys.argv[1:]
    with open(plan_path) as file:
        plan = json.load(file)
    people = people_of(plan["table"])
    with open(output_path, "w", newline="") as file:
        output = csv.writer(file, lineterminator="\n")
        output.writerow(["series", "user_id", "target_date", "model", "forecast"])
        for series in plan["series"]:
            name, column = series["name"], series["column"]
            for fold in series["folds"]:
                scored = fold["scored"]
                for user, first_day in scored.items():
                    for day, model, forecast in single_series(people[user], column, first_day):
                        output.writerow([name, user, day, model, forecast])
                for user, day, forecast in trees(people, column, scored, fold["learned"]):
                    output.writerow([name, user, day, "LightGBM", forecast])


main()
