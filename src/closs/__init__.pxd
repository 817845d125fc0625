# `cimport closs`: the C API (closs.closs_huber_f32, to be linked with closs.get_library_dir()), and the losses
# of typed memoryviews (closs.huber_f32, nothing to link). docs/embedding.md has examples.
from closs._bindings.c_api cimport *
from closs._core cimport *
