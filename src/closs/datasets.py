"""The data that the tour runs on (source, licence and columns: data/README.md)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEATURES = ("lncoins", "idp", "lpi", "fmde", "hlthg", "hlthf", "hlthp")


@dataclass(frozen=True)
class Digits:
    """Handwritten digits of 8 x 8 pixels.

    Attributes
    ----------
    images : ndarray of shape (digits, 64)
        Pixels from 0 to 1, row by row.
    labels : ndarray of shape (digits,)
        0 to 9, int64.
    """

    images: NDArray[np.float64]
    labels: NDArray[np.int64]


def load_digits() -> Digits:
    """Read the digits that the package ships.

    Examples
    --------
    >>> from closs.datasets import load_digits
    >>> load_digits().images.shape
    (1797, 64)
    """
    with files("closs.data").joinpath("digits.csv").open() as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    return Digits(images=table[:, :-1] / 16, labels=table[:, -1].astype(np.int64))


@dataclass(frozen=True)
class HealthInsurance:
    """People of the RAND Health Insurance Experiment.

    Attributes
    ----------
    features : ndarray of shape (people, 8)
        Standardised columns ``FEATURES``, and a last column of ones.
    disease : ndarray of shape (people,)
        Index of chronic diseases, standardised: for regression.
    limited : ndarray of shape (people,)
        1 for a physical limitation, else 0: for classification.
    visits : ndarray of shape (people,)
        Visits to a doctor: counts.
    """

    features: NDArray[np.float64]
    disease: NDArray[np.float64]
    limited: NDArray[np.float64]
    visits: NDArray[np.float64]


def load_health_insurance() -> HealthInsurance:
    """Read the table that the package ships.

    Examples
    --------
    >>> from closs.datasets import load_health_insurance
    >>> load_health_insurance().features.shape
    (1914, 8)
    """
    with files("closs.data").joinpath("health_insurance.csv").open() as file:
        names = file.readline().strip().split(",")
        table = np.loadtxt(file, delimiter=",")
    columns: dict[str, Any] = dict(zip(names, np.ascontiguousarray(table.T), strict=True))

    def standardised(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))

    features = standardised(np.stack([columns[name] for name in FEATURES], axis=1))
    return HealthInsurance(
        features=np.hstack([features, np.ones((len(features), 1))]),
        disease=standardised(columns["disea"]),
        limited=columns["physlm"],
        visits=columns["mdvis"],
    )
