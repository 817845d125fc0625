"""Structs and signatures of the C API, made from include/closs/closs.h by tools/make_api.py."""

from ctypes import Structure, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint64, c_void_p
from enum import IntEnum
from typing import Any

ABI_VERSION = 0


class closs_status(IntEnum):
    CLOSS_OK = 0
    CLOSS_NULL_POINTER = 1
    CLOSS_BAD_SIZE = 2
    CLOSS_BAD_BROADCAST = 3
    CLOSS_BAD_REDUCTION = 4
    CLOSS_BAD_PARAMETER = 5
    CLOSS_MISALIGNED = 6
    CLOSS_OVERLAP = 7
    CLOSS_UNKNOWN_LOSS = 8
    CLOSS_MISSING_OUTPUT = 9
    CLOSS_BAD_LABEL = 10
    CLOSS_NO_MEMORY = 11
    CLOSS_TOO_NEW = 12
    CLOSS_BAD_LENGTH = 13
    CLOSS_INFEASIBLE = 14


CLOSS_OK = closs_status.CLOSS_OK
CLOSS_NULL_POINTER = closs_status.CLOSS_NULL_POINTER
CLOSS_BAD_SIZE = closs_status.CLOSS_BAD_SIZE
CLOSS_BAD_BROADCAST = closs_status.CLOSS_BAD_BROADCAST
CLOSS_BAD_REDUCTION = closs_status.CLOSS_BAD_REDUCTION
CLOSS_BAD_PARAMETER = closs_status.CLOSS_BAD_PARAMETER
CLOSS_MISALIGNED = closs_status.CLOSS_MISALIGNED
CLOSS_OVERLAP = closs_status.CLOSS_OVERLAP
CLOSS_UNKNOWN_LOSS = closs_status.CLOSS_UNKNOWN_LOSS
CLOSS_MISSING_OUTPUT = closs_status.CLOSS_MISSING_OUTPUT
CLOSS_BAD_LABEL = closs_status.CLOSS_BAD_LABEL
CLOSS_NO_MEMORY = closs_status.CLOSS_NO_MEMORY
CLOSS_TOO_NEW = closs_status.CLOSS_TOO_NEW
CLOSS_BAD_LENGTH = closs_status.CLOSS_BAD_LENGTH
CLOSS_INFEASIBLE = closs_status.CLOSS_INFEASIBLE


class closs_api_entry(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("function", c_void_p),
    ]


class closs_api(Structure):
    _fields_ = [
        ("size", c_uint64),
        ("abi", c_int64),
        ("version", c_char_p),
        ("count", c_int64),
        ("entries", c_void_p),
    ]


class closs_reduction(IntEnum):
    CLOSS_SAMPLE_MEAN = 0
    CLOSS_SAMPLE_SUM = 1
    CLOSS_NONE = 2
    CLOSS_MEAN = 3
    CLOSS_SUM = 4
    CLOSS_WEIGHTED_MEAN = 5


CLOSS_SAMPLE_MEAN = closs_reduction.CLOSS_SAMPLE_MEAN
CLOSS_SAMPLE_SUM = closs_reduction.CLOSS_SAMPLE_SUM
CLOSS_NONE = closs_reduction.CLOSS_NONE
CLOSS_MEAN = closs_reduction.CLOSS_MEAN
CLOSS_SUM = closs_reduction.CLOSS_SUM
CLOSS_WEIGHTED_MEAN = closs_reduction.CLOSS_WEIGHTED_MEAN


class closs_broadcast_f32(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("repeat", c_int64),
        ("period", c_int64),
    ]


class closs_broadcast_f64(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("repeat", c_int64),
        ("period", c_int64),
    ]


class closs_elementwise_f32(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("batch", c_int64),
        ("inner", c_int64),
        ("pred", c_void_p),
        ("label", c_void_p),
        ("sample_weight", closs_broadcast_f32),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_elementwise_f64(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("batch", c_int64),
        ("inner", c_int64),
        ("pred", c_void_p),
        ("label", c_void_p),
        ("sample_weight", closs_broadcast_f64),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_bad_label(Structure):
    _fields_ = [
        ("position", c_int64),
        ("label", c_int64),
    ]


class closs_softmax_f32(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("classes", c_int64),
        ("inner", c_int64),
        ("batch", c_int64),
        ("sample_inner", c_int64),
        ("pred", c_void_p),
        ("label", c_void_p),
        ("label_dense", c_void_p),
        ("sample_weight", closs_broadcast_f32),
        ("element_weight", c_void_p),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("log_probabilities", c_int),
        ("class_weight", c_void_p),
        ("ignore_index", c_void_p),
        ("label_smoothing", c_double),
        ("z_loss", c_double),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p),
        ("lse", c_void_p),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_softmax_f64(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("classes", c_int64),
        ("inner", c_int64),
        ("batch", c_int64),
        ("sample_inner", c_int64),
        ("pred", c_void_p),
        ("label", c_void_p),
        ("label_dense", c_void_p),
        ("sample_weight", closs_broadcast_f64),
        ("element_weight", c_void_p),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("log_probabilities", c_int),
        ("class_weight", c_void_p),
        ("ignore_index", c_void_p),
        ("label_smoothing", c_double),
        ("z_loss", c_double),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p),
        ("lse", c_void_p),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_vectors_f32(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("rows", c_int64),
        ("inner", c_int64),
        ("batch", c_int64),
        ("sample_inner", c_int64),
        ("input", c_void_p * 3),
        ("label", c_void_p),
        ("sample_weight", closs_broadcast_f32),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p * 3),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_vectors_f64(Structure):
    _fields_ = [
        ("outer", c_int64),
        ("rows", c_int64),
        ("inner", c_int64),
        ("batch", c_int64),
        ("sample_inner", c_int64),
        ("input", c_void_p * 3),
        ("label", c_void_p),
        ("sample_weight", closs_broadcast_f64),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p * 3),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_pairwise_f32(Structure):
    _fields_ = [
        ("rows", c_int64),
        ("inner", c_int64),
        ("input", c_void_p * 2),
        ("sample_weight", closs_broadcast_f32),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p * 2),
        ("workspace", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_pairwise_f64(Structure):
    _fields_ = [
        ("rows", c_int64),
        ("inner", c_int64),
        ("input", c_void_p * 2),
        ("sample_weight", closs_broadcast_f64),
        ("weight", c_void_p),
        ("grad_output", c_void_p),
        ("reduction", c_int),
        ("value", c_void_p),
        ("total", c_void_p),
        ("grad", c_void_p * 2),
        ("workspace", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_ctc_input(IntEnum):
    CLOSS_CTC_LOGITS = 0
    CLOSS_CTC_LOG_PROBS = 1


CLOSS_CTC_LOGITS = closs_ctc_input.CLOSS_CTC_LOGITS
CLOSS_CTC_LOG_PROBS = closs_ctc_input.CLOSS_CTC_LOG_PROBS


class closs_ctc_infeasible(IntEnum):
    CLOSS_CTC_INF = 0
    CLOSS_CTC_ZERO = 1
    CLOSS_CTC_RAISE = 2


CLOSS_CTC_INF = closs_ctc_infeasible.CLOSS_CTC_INF
CLOSS_CTC_ZERO = closs_ctc_infeasible.CLOSS_CTC_ZERO
CLOSS_CTC_RAISE = closs_ctc_infeasible.CLOSS_CTC_RAISE


class closs_ctc_bad(Structure):
    _fields_ = [
        ("sample", c_int64),
        ("position", c_int64),
        ("value", c_int64),
    ]


class closs_ctc_args_f32(Structure):
    _fields_ = [
        ("batch", c_int64),
        ("time", c_int64),
        ("classes", c_int64),
        ("batch_stride", c_int64),
        ("time_stride", c_int64),
        ("pred", c_void_p),
        ("pred_lengths", c_void_p),
        ("blank", c_int64),
        ("input", c_int),
        ("infeasible", c_int),
        ("label", c_void_p),
        ("label_width", c_int64),
        ("label_batch_stride", c_int64),
        ("label_stride", c_int64),
        ("label_size", c_int64),
        ("label_offsets", c_void_p),
        ("label_lengths", c_void_p),
        ("scale", c_void_p),
        ("value", c_void_p),
        ("grad", c_void_p),
        ("grad_batch_stride", c_int64),
        ("grad_time_stride", c_int64),
        ("feasible", c_void_p),
        ("workspace", c_void_p),
        ("workspace_size", c_size_t),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_ctc_args_f64(Structure):
    _fields_ = [
        ("batch", c_int64),
        ("time", c_int64),
        ("classes", c_int64),
        ("batch_stride", c_int64),
        ("time_stride", c_int64),
        ("pred", c_void_p),
        ("pred_lengths", c_void_p),
        ("blank", c_int64),
        ("input", c_int),
        ("infeasible", c_int),
        ("label", c_void_p),
        ("label_width", c_int64),
        ("label_batch_stride", c_int64),
        ("label_stride", c_int64),
        ("label_size", c_int64),
        ("label_offsets", c_void_p),
        ("label_lengths", c_void_p),
        ("scale", c_void_p),
        ("value", c_void_p),
        ("grad", c_void_p),
        ("grad_batch_stride", c_int64),
        ("grad_time_stride", c_int64),
        ("feasible", c_void_p),
        ("workspace", c_void_p),
        ("workspace_size", c_size_t),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_ctc_greedy_args_f32(Structure):
    _fields_ = [
        ("batch", c_int64),
        ("time", c_int64),
        ("classes", c_int64),
        ("batch_stride", c_int64),
        ("time_stride", c_int64),
        ("pred", c_void_p),
        ("pred_lengths", c_void_p),
        ("blank", c_int64),
        ("input", c_int),
        ("label", c_void_p),
        ("label_lengths", c_void_p),
        ("score", c_void_p),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


class closs_ctc_greedy_args_f64(Structure):
    _fields_ = [
        ("batch", c_int64),
        ("time", c_int64),
        ("classes", c_int64),
        ("batch_stride", c_int64),
        ("time_stride", c_int64),
        ("pred", c_void_p),
        ("pred_lengths", c_void_p),
        ("blank", c_int64),
        ("input", c_int),
        ("label", c_void_p),
        ("label_lengths", c_void_p),
        ("score", c_void_p),
        ("bad", c_void_p),
        ("reserved", c_int64 * 4),
    ]


# Result and arguments of each function.
SIGNATURES: dict[str, tuple[type[Any] | None, list[type[Any]]]] = {
    "closs_status_string": (c_char_p, [c_int]),
    "closs_version": (c_char_p, []),
    "closs_isa": (c_char_p, []),
    "closs_isa_available": (c_char_p, [c_int]),
    "closs_has_openmp": (c_int, []),
    "closs_get_num_threads": (c_int, []),
    "closs_get_threads_setting": (c_int, []),
    "closs_set_num_threads": (c_int, [c_int]),
    "closs_get_api": (c_void_p, []),
    "closs_find_function": (c_void_p, [c_char_p]),
    "closs_l1_f32": (c_int, [c_void_p]),
    "closs_l1_f64": (c_int, [c_void_p]),
    "closs_l2_f32": (c_int, [c_void_p]),
    "closs_l2_f64": (c_int, [c_void_p]),
    "closs_huber_f32": (c_int, [c_void_p, c_float]),
    "closs_huber_f64": (c_int, [c_void_p, c_double]),
    "closs_sigmoid_bce_f32": (c_int, [c_void_p, c_void_p]),
    "closs_sigmoid_bce_f64": (c_int, [c_void_p, c_void_p]),
    "closs_bce_f32": (c_int, [c_void_p, c_void_p]),
    "closs_bce_f64": (c_int, [c_void_p, c_void_p]),
    "closs_hinge_f32": (c_int, [c_void_p, c_float]),
    "closs_hinge_f64": (c_int, [c_void_p, c_double]),
    "closs_squared_hinge_f32": (c_int, [c_void_p, c_float]),
    "closs_squared_hinge_f64": (c_int, [c_void_p, c_double]),
    "closs_logistic_f32": (c_int, [c_void_p]),
    "closs_logistic_f64": (c_int, [c_void_p]),
    "closs_logistic_binary_f32": (c_int, [c_void_p]),
    "closs_logistic_binary_f64": (c_int, [c_void_p]),
    "closs_poisson_nll_f32": (c_int, [c_void_p]),
    "closs_poisson_nll_f64": (c_int, [c_void_p]),
    "closs_poisson_nll_full_f32": (c_int, [c_void_p]),
    "closs_poisson_nll_full_f64": (c_int, [c_void_p]),
    "closs_poisson_rate_nll_f32": (c_int, [c_void_p, c_float]),
    "closs_poisson_rate_nll_f64": (c_int, [c_void_p, c_double]),
    "closs_poisson_rate_nll_full_f32": (c_int, [c_void_p, c_float]),
    "closs_poisson_rate_nll_full_f64": (c_int, [c_void_p, c_double]),
    "closs_kl_div_f32": (c_int, [c_void_p]),
    "closs_kl_div_f64": (c_int, [c_void_p]),
    "closs_elementwise_find": (c_int, [c_char_p]),
    "closs_elementwise_name": (c_char_p, [c_int]),
    "closs_elementwise_parameter": (c_char_p, [c_int]),
    "closs_elementwise_run_f32": (c_int, [c_int, c_void_p, c_void_p]),
    "closs_elementwise_run_f64": (c_int, [c_int, c_void_p, c_void_p]),
    "closs_softmax_ce_f32": (c_int, [c_void_p]),
    "closs_softmax_ce_f64": (c_int, [c_void_p]),
    "closs_softmax_ce_dense_f32": (c_int, [c_void_p]),
    "closs_softmax_ce_dense_f64": (c_int, [c_void_p]),
    "closs_kl_div_softmax_f32": (c_int, [c_void_p]),
    "closs_kl_div_softmax_f64": (c_int, [c_void_p]),
    "closs_triplet_f32": (c_int, [c_void_p, c_double]),
    "closs_triplet_f64": (c_int, [c_void_p, c_double]),
    "closs_cosine_embedding_f32": (c_int, [c_void_p, c_double]),
    "closs_cosine_embedding_f64": (c_int, [c_void_p, c_double]),
    "closs_pairwise_workspace_f32": (c_size_t, [c_int64, c_int]),
    "closs_pairwise_workspace_f64": (c_size_t, [c_int64, c_int]),
    "closs_sdml_f32": (c_int, [c_void_p, c_double]),
    "closs_sdml_f64": (c_int, [c_void_p, c_double]),
    "closs_ctc_f32": (c_int, [c_void_p]),
    "closs_ctc_f64": (c_int, [c_void_p]),
    "closs_ctc_workspace_size_f32": (c_size_t, [c_void_p]),
    "closs_ctc_workspace_size_f64": (c_size_t, [c_void_p]),
    "closs_ctc_greedy_f32": (c_int, [c_void_p]),
    "closs_ctc_greedy_f64": (c_int, [c_void_p]),
}
