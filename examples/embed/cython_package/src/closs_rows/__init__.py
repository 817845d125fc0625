"""closs from Cython: rows of ragged lengths in parallel."""

# First: it loads libcloss, which the extension then finds by its soname. A path fixed at build time would be wrong, for
# pip builds beside a temporary copy of closs.
import closs  # noqa: F401
from closs_rows._rows import cross_entropy, huber_of_rows, library_threads, softplus_sum

__all__ = ["cross_entropy", "huber_of_rows", "library_threads", "softplus_sum"]
