"""Markers, profiles, and the two parameters that nearly every test has: a row of registry.py and a float type."""

import numpy as np
from hypothesis import settings
from registry import DTYPES, ROWS

settings.register_profile("closs", deadline=None, derandomize=True, max_examples=30, report_multiple_bugs=False)
settings.load_profile("closs")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "exhaustive: over all float32, some fifteen minutes a row; run with -m exhaustive"
    )
    config.addinivalue_line("markers", "torch: against PyTorch, where it is installed; run alone with -m torch")
    config.addinivalue_line("markers", "peers: with Numba or scikit-learn, where they are installed (extra `embed`)")
    if not config.option.markexpr:
        config.option.markexpr = "not exhaustive"


def pytest_generate_tests(metafunc):
    if "row" in metafunc.fixturenames:
        metafunc.parametrize("row", ROWS, ids=lambda row: row.id)
    if "dtype" in metafunc.fixturenames:
        metafunc.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
