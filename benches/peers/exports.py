"""Rows of `benches/src/rows.rs` that read exports, by what people take for that: healthkit-to-sqlite, apple-health-parser,
pandas and sqlite3. The files are those that `vitalcast-bench exports` writes.

Ours makes daily totals and heart rates of every source. So do pandas and sqlite3 here; healthkit-to-sqlite and
apple-health-parser only bring every record into a table.

Prints one JSON object (see `measured.py`).
"""

import pathlib
import tempfile
import zipfile

import measured

ZONE = "Europe/Berlin"
AMOUNTS = ["StepCount", "ActiveEnergyBurned", "BasalEnergyBurned"]


def healthkit_to_sqlite(exports):
    import sqlite_utils
    from healthkit_to_sqlite.utils import convert_xml_to_sqlite

    def work():
        with tempfile.TemporaryDirectory() as folder, open(exports / "export.xml") as file:
            convert_xml_to_sqlite(file, sqlite_utils.Database(pathlib.Path(folder) / "health.db"))

    return work


def apple_health_parser(exports):
    from apple_health_parser.utils.parser import Parser

    # It takes the zip file only. Packing it is not timed.
    folder = tempfile.TemporaryDirectory()
    packed = pathlib.Path(folder.name) / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(exports / "export.xml", "apple_health_export/export.xml")

    def work():
        parser = Parser(export_file=packed, output_dir=pathlib.Path(folder.name) / "out", overwrite=True)
        parser.get_flag_records(flag=parser.flags)

    return work


def half_hours(rates, keys, at):
    """Mean of each day and its lowest mean of half an hour."""
    slots = rates.groupby([*keys, at.dt.floor("30min")]).mean()
    slots.index.names = [*keys, "slot"]
    slots = slots.reset_index(name="rate")
    return slots.groupby([*keys, slots["slot"].dt.date])["rate"].agg(["mean", "min"])


def pandas_apple(exports):
    import pandas

    fields = ["type", "sourceName", "startDate", "value"]

    def work():
        table = pandas.read_xml(exports / "export.xml", iterparse={"Record": fields}, parser="lxml")
        at = pandas.to_datetime(table["startDate"], format="%Y-%m-%d %H:%M:%S %z", utc=True).dt.tz_convert(ZONE)
        table["type"] = table["type"].str.removeprefix("HKQuantityTypeIdentifier")
        amounts = table[table["type"].isin(AMOUNTS)]
        amounts.groupby(["type", "sourceName", at[amounts.index].dt.date])["value"].sum()
        rates = table[table["type"] == "HeartRate"].set_index("sourceName", append=True)["value"]
        rates = rates.reset_index("sourceName")
        half_hours(rates.set_index("sourceName", append=True)["value"], ["sourceName"], at[rates.index])
        resting = table[table["type"] == "RestingHeartRate"]
        resting.groupby(at[resting.index].dt.date)["value"].last()

    return work


def pandas_takeout(exports):
    import pandas

    def work():
        table = pandas.read_json(exports / "steps-2016-01-01.json", dtype=False)
        at = pandas.to_datetime(table["dateTime"], format="%m/%d/%y %H:%M:%S", utc=True).dt.tz_convert(ZONE)
        table["value"].astype(float).groupby(at.dt.date).sum()

    return work


STEPS = """SELECT app_info_id, (start_time / 1000 + start_zone_offset) / 86400 AS day, sum(count)
FROM steps_record_table GROUP BY app_info_id, day"""
RATES = """SELECT app_info_id, day, avg(rate), min(rate) FROM (
  SELECT app_info_id, (epoch_millis / 1000 + start_zone_offset) / 86400 AS day, epoch_millis / 1800000 AS slot,
    avg(beats_per_minute) AS rate
  FROM heart_rate_record_series_table JOIN heart_rate_record_table AS record ON record.row_id = parent_key
  GROUP BY app_info_id, day, slot
) GROUP BY app_info_id, day"""


def sqlite3_health_connect(exports):
    import sqlite3

    def work():
        database = sqlite3.connect(f"file:{exports / 'health_connect_export.db'}?immutable=1", uri=True)
        for query in (STEPS, RATES):
            database.execute(query).fetchall()
        database.close()

    return work


def pandas_health_connect(exports):
    import sqlite3

    import pandas

    def work():
        database = sqlite3.connect(f"file:{exports / 'health_connect_export.db'}?immutable=1", uri=True)
        steps = pandas.read_sql_query(
            "SELECT app_info_id, start_time, start_zone_offset, count FROM steps_record_table", database
        )
        day = (steps["start_time"] // 1000 + steps["start_zone_offset"]) // 86400
        steps.groupby(["app_info_id", day.rename("day")])["count"].sum()
        rates = pandas.read_sql_query(
            "SELECT parent_key, beats_per_minute, epoch_millis FROM heart_rate_record_series_table", database
        )
        records = pandas.read_sql_query(
            "SELECT row_id, app_info_id, start_zone_offset FROM heart_rate_record_table", database, index_col="row_id"
        )
        rates = rates.join(records, on="parent_key")
        day = (rates["epoch_millis"] // 1000 + rates["start_zone_offset"]) // 86400
        slot = rates["epoch_millis"] // 1_800_000
        slots = rates.groupby(["app_info_id", day.rename("day"), slot.rename("slot")])["beats_per_minute"].mean()
        slots.groupby(["app_info_id", "day"]).agg(["mean", "min"])
        database.close()

    return work


ROWS = {
    "import_apple": {
        "healthkit-to-sqlite": healthkit_to_sqlite,
        "apple-health-parser": apple_health_parser,
        "pandas": pandas_apple,
    },
    "import_takeout": {"pandas": pandas_takeout},
    "import_health_connect": {"sqlite3": sqlite3_health_connect, "pandas": pandas_health_connect},
}

if __name__ == "__main__":
    arguments = measured.arguments(ROWS)
    run = ROWS[arguments.row][arguments.peer](pathlib.Path(arguments.exports))
    measured.answer(arguments.row, run, [arguments.peer])
