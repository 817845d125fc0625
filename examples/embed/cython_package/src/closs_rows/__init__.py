"""closs from Cython: rows of ragged lengths in parallel."""

from closs_rows._rows import cross_entropy, huber_of_rows, library_threads, softplus_sum

__all__ = ["cross_entropy", "huber_of_rows", "library_threads", "softplus_sum"]
