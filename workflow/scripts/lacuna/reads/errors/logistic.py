"""Logistic regression with a normal prior, by Newton's method."""

import numpy as np
from numpy.typing import NDArray

_STEPS = 100
_FARTHEST_STEP = 0.5  # of a coefficient: further ones may lead where no gradient is left
_CONVERGED = 1e-8
_MOST_ODDS = 30.0  # log odds beyond which exp loses all digits


def logistic(
    values: NDArray[np.float64],
    right: NDArray[np.float64],
    weights: NDArray[np.float64],
    usual: NDArray[np.float64],
    precision: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The most probable coefficients (features,) of log odds.

    values (n, features), right (n,) 0 or 1, weights (n,); usual, precision (features,): of the
    normal distributions that the coefficients are drawn from.
    """
    found = usual.copy()
    for _ in range(_STEPS):
        odds = np.clip(values @ found, -_MOST_ODDS, _MOST_ODDS)
        chance = 1 / (1 + np.exp(-odds))
        slope = values.T @ (weights * (right - chance)) - precision * (found - usual)
        curvature = (values * (weights * chance * (1 - chance))[:, None]).T @ values
        step = np.linalg.solve(curvature + np.diag(precision), slope)
        largest = float(np.abs(step).max())
        found = found + step * min(1.0, _FARTHEST_STEP / max(largest, _CONVERGED))
        if largest < _CONVERGED:
            break
    return found
