"""Writes fixtures/golden/experiments.json: what SciPy makes of seeded differences of pairs of blocks.

    python benches/peers/experiment_reference.py > fixtures/golden/experiments.json

The p value is that of `scipy.stats.permutation_test` with all exchanges within pairs. The interval holds
the effects that the same test, one-sided at 2.5 % each way, does not refute, found by halving.
"""

import json

import numpy as np
import scipy
from scipy.stats import permutation_test


def test(differences, alternative):
    found = permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative=alternative,
    )
    return float(found.pvalue)


def end(differences, alternative):
    """Where a one-sided test stops to refute, from far outside towards the mean."""
    mean, size = float(np.mean(differences)), float(np.ptp(differences)) + 1.0
    outside = mean - size if alternative == "greater" else mean + size
    if test(differences - outside, alternative) > 0.025:
        return None
    inside = mean
    for _ in range(50):
        middle = 0.5 * (outside + inside)
        if test(differences - middle, alternative) <= 0.025:
            outside = middle
        else:
            inside = middle
    return 0.5 * (outside + inside)


def main():
    random = np.random.default_rng(17)
    cases = []
    for pairs, effect in [(4, 1.0), (6, 3.0), (7, 0.0), (8, 1.5), (10, 0.7), (12, -0.8)]:
        differences = np.round(random.normal(effect, 1.5, pairs), 3)
        cases.append(
            {
                "differences": differences.tolist(),
                "p_value": test(differences, "two-sided"),
                "lower": end(differences, "greater"),
                "upper": end(differences, "less"),
            }
        )
    # Differences of equal size: ties.
    tied = np.array([1.0, -1.0, 2.0, 2.0, 1.0, 1.0, -2.0, 1.0])
    cases.append(
        {
            "differences": tied.tolist(),
            "p_value": test(tied, "two-sided"),
            "lower": end(tied, "greater"),
            "upper": end(tied, "less"),
        }
    )
    print(json.dumps({"scipy": scipy.__version__, "experiments": cases}, indent=1))


main()
