"""What the scripts of `cargo xtask bench-peers` share: their arguments, their clock and their answer.

An answer is one JSON object: {"row": ..., "seconds": [...], "peak_mb": ..., "version": ..., "isa": ...}. Each number of
seconds is one run; the version and the instruction set are those of the peer, as far as it tells them.
"""

import argparse
import importlib.metadata
import json
import resource
import sqlite3
import sys
import time

# Runs before the first that counts, and runs that count: as in `Row::runs` of `benches/src/rows.rs`.
RUNS = {
    "train_default": (1, 3),
    "train_365_days": (0, 1),
    "train_100_people": (0, 1),
    "trees_fit_large": (0, 1),
    "infer_1": (50, 200),
    "import_apple": (0, 3),
    "import_takeout": (0, 3),
    "import_health_connect": (0, 3),
}
OTHERS = (5, 30)
# Seconds after which no further run begins, neither before the first that counts nor after it: `PATIENCE` there.
PATIENCE = 10


def arguments(rows):
    """The command line of a script that knows these rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--row", required=True, choices=rows)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--model", help="the ONNX file, for onnxruntime")
    parser.add_argument("--exports", help="the folder of the exports that are read")
    return parser.parse_args()


def timed(run, most):
    seconds = []
    while len(seconds) < most and sum(seconds) < PATIENCE:
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return seconds


def version_of(package):
    # It has the version of its C library, not one of its own.
    return sqlite3.sqlite_version if package == "sqlite3" else importlib.metadata.version(package)


def answer(row, run, packages, isa=None):
    """Runs a row as often as ours runs, and prints the answer. The first package is the peer."""
    warm, runs = RUNS.get(row, OTHERS)
    timed(run, warm)
    seconds = timed(run, runs)
    # Linux counts in kibibytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    first, *rest = packages
    version = [version_of(first)]
    version += [f"{name} {version_of(name)}" for name in rest]
    facts = {"row": row, "seconds": seconds, "peak_mb": peak, "version": ", ".join(version), "isa": isa}
    print(json.dumps(facts))
