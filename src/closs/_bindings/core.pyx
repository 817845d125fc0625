# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The C core, for the Python API. One extension module, a file a family: the core is linked once, and has one state."""

cimport numpy as cnp
from libc.float cimport FLT_MAX
from libc.string cimport memcmp, memset

from closs._bindings.closs cimport *

cnp.import_array()

include "library.pxi"
include "arrays.pxi"
include "elementwise.pxi"
include "softmax.pxi"
include "vectors.pxi"
include "ctc.pxi"
include "embedding.pxi"
include "views.pxi"
