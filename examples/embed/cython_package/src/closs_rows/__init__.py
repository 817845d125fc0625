"""closs from Cython: rows of ragged lengths in parallel."""

from closs_rows._rows import huber_of_rows, library_threads, softplus_sum

__all__ = ["huber_of_rows", "library_threads", "softplus_sum"]
