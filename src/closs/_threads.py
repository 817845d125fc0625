"""How many threads a call may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from closs import _core
from closs._checks import integer


def get_num_threads() -> int:
    """Threads that one call may use.

    By default the CPUs that the process may use: its affinity, the quota of its cgroup, OMP_NUM_THREADS; or what the
    environment variable CLOSS_NUM_THREADS says. Results never depend on it.

    Examples
    --------
    >>> import closs
    >>> closs.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def set_num_threads(threads: int | None) -> None:
    """Let one call use that many threads, in the whole process.

    Parameters
    ----------
    threads : int or None
        At least 1; None for the default, as :func:`get_num_threads` has it. Without OpenMP every call stays serial.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or below 1.

    Examples
    --------
    >>> import closs
    >>> closs.set_num_threads(2)
    >>> closs.set_num_threads(None)
    """
    if threads is None:
        return _core.set_num_threads(0)
    count = integer("threads", threads)
    if not 1 <= count < 2**31:
        raise ValueError(f"threads: expected at least 1 (and fewer than 2**31), got {count}")
    _core.set_num_threads(count)


@contextmanager
def num_threads(threads: int | None) -> Iterator[None]:
    """Use that many threads (None: the default) inside a ``with`` block, in the whole process.

    The setting before it holds again afterwards.

    Examples
    --------
    >>> import closs
    >>> with closs.num_threads(1):
    ...     loss = closs.L2Loss()([1.0, 2.0], [1.0, 0.0])
    >>> loss
    array([0., 2.])
    """
    before = _core.get_threads_setting()
    set_num_threads(threads)
    try:
        yield
    finally:
        _core.set_num_threads(before)
