"""The C API from Python: addresses for Numba, cffi or any other caller, typed functions and structs for ctypes.

The addresses are those of the table that the capsule ``closs._core.C_API`` holds; ``closs.h`` describes it for C.
Structs are `ctypes.Structure` classes named as in the header; ``numpy.dtype(closs.capi.closs_elementwise_f32)`` is the
same for NumPy. Every pointer is a ``c_void_p``: it takes ``array.ctypes.data``, ``ctypes.byref(...)`` or None. Whoever
passes an address keeps the array alive for the length of the call.

Examples
--------
>>> import ctypes, numpy as np
>>> from closs import capi
>>> pred, label, grad = np.array([0.5, 3.0]), np.zeros(2), np.empty(2)
>>> total = ctypes.c_double()
>>> args = capi.closs_elementwise_f64(
...     batch=1, inner=2, pred=pred.ctypes.data, label=label.ctypes.data, grad=grad.ctypes.data,
...     reduction=capi.CLOSS_SUM, total=ctypes.addressof(total))
>>> capi.check(capi.function("closs_huber_f64")(ctypes.byref(args), 1.0))
>>> total.value, grad.tolist()
(2.625, [0.5, 1.0])
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from closs import _c_types, _core
from closs._c_types import *  # noqa: F403


@cache
def addresses() -> dict[str, int]:
    """The address of every C function by its name."""
    return _core.function_addresses()


@cache
def function(name: str) -> Callable[..., Any]:
    """A C function as ctypes calls it, typed by the header. Numba compiles calls of it into an ``@njit`` function."""
    result, arguments = _c_types.SIGNATURES[name]
    return ctypes.CFUNCTYPE(result, *arguments)(addresses()[name])


def check(status: int) -> None:
    """Raise ValueError for any status but CLOSS_OK."""
    if status:
        raise ValueError(f"closs: {function('closs_status_string')(status).decode()}")
