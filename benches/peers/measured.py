"""What the scripts of `cargo xtask bench-peers` share: their arguments, their clock and their answer.

An answer is one JSON object: {"row": ..., "seconds": [...], "peak_mb": ..., "version": ..., "isa": ...}. Each number of
seconds is one run; the version and the instruction set are those of the peer, as far as it tells them.
"""

import argparse
import importlib.metadata
import json
import resource
import sys
import time

# Runs before the first that counts, and runs that count: as in `Row::runs` of `benches/src/rows.rs`.
RUNS = {
    "train_default": (1, 3),
    "train_365_days": (0, 1),
    "train_100_people": (0, 1),
    "trees_fit_large": (0, 1),
    "infer_1": (50, 200),
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
    return parser.parse_args()


def timed(run, most):
    seconds = []
    while len(seconds) < most and sum(seconds) < PATIENCE:
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return seconds


def answer(row, run, packages, isa=None):
    """Runs a row as often as ours runs, and prints the answer. The first package is the peer."""
    warm, runs = RUNS.get(row, OTHERS)
    timed(run, warm)
    seconds = timed(run, runs)
    # Linux counts in kibibytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    first, *rest = packages
    version = [importlib.metadata.version(first)]
    version += [f"{name} {importlib.metadata.version(name)}" for name in rest]
    facts = {"row": row, "seconds": seconds, "peak_mb": peak, "version": ", ".join(version), "isa": isa}
    print(json.dumps(facts))
