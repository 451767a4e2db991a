"""Shows a table of all people in Python.

    vitalcast features --all --output cohort.parquet
    python examples/cohort.py cohort.parquet

It needs pyarrow. In polars the same file is a lazy frame:

    import polars as pl
    people = pl.scan_parquet("cohort.parquet")
    people.group_by("user_id").agg(pl.col("actual_resting_heart_rate").mean()).collect()
"""

import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

METRIC = "actual_resting_heart_rate"

path = sys.argv[1]
table = pq.read_table(path) if path.endswith(".parquet") else feather.read_table(path)

# One row per person and day; what a column is stands in its metadata.
assert table.schema.field("user_id").type == pa.string()
assert table.schema.field("date").type == pa.date32()
assert table.schema.field("as_known_at").type == pa.timestamp("us", tz="UTC")
numbers = table.column_names[3:]
assert all(table.schema.field(name).type == pa.float64() for name in numbers)
assert all(b"meaning" in table.schema.field(name).metadata for name in table.column_names)

people = pc.count_distinct(table["user_id"]).as_py()
print(f"{table.num_rows} days of {people} people, {len(numbers)} columns of numbers")
known = table.num_rows - table[METRIC].null_count
unit = table.schema.field(METRIC).metadata[b"unit"].decode()
print(f"{known} of them with {METRIC} in {unit}")

# The mean of each person; a day without a value does not count.
means = table.group_by("user_id").aggregate([(METRIC, "mean"), (METRIC, "count")])
for row in means.sort_by("user_id").slice(0, 5).to_pylist():
    mean = row[f"{METRIC}_mean"]
    shown = "–" if mean is None else f"{mean:.1f} {unit}"
    print(f"{row['user_id']}: {shown} on {row[f'{METRIC}_count']} days")
