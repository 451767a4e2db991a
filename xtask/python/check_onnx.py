"""Runs the ONNX files of a folder in onnxruntime and compares them with what they must say.

    python check_onnx.py FOLDER

`cases.json` in the folder lists the files; a null in an input or a forecast is a missing value. A forecast may differ by
1e-5 of its unit (the scale of what is forecast), a weight of attention by 1e-6.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

folder = Path(sys.argv[1])
failed = False
for case in json.loads((folder / "cases.json").read_text()):
    session = onnxruntime.InferenceSession(folder / case["file"])
    numbers = [np.nan if value is None else value for value in case["input"]]
    values = np.array(numbers, dtype=np.float32).reshape(case["shape"])
    found = dict(
        zip(
            [output.name for output in session.get_outputs()],
            session.run(None, {session.get_inputs()[0].name: values}),
        )
    )
    worst = {}
    for name, tolerance in [("forecast", 1e-5 * case["unit"]), ("attention", 1e-6)]:
        if case[name] is None:
            continue
        expected = np.array(case[name], dtype=np.float64)
        values = found[name].flatten()
        difference = np.where(np.isnan(expected) & np.isnan(values), 0, np.abs(values - expected))
        worst[name] = float(difference.max())
        failed |= not worst[name] <= tolerance
    words = ", ".join(f"{name} within {error:.1e}" for name, error in worst.items())
    print(f"{case['file']}: {words}")
sys.exit(1 if failed else 0)
