"""Types of the extension module (see _bindings/)."""

from typing import Any

REDUCTIONS: tuple[str, ...]

class ElementwiseSpec:
    name: str
    batch_axis: int
    has_total: bool
    is_unreduced: bool
    def __init__(self, name: str, parameter: float | None, weight: float, batch_axis: int, reduction: str) -> None: ...

def run_elementwise(
    spec: ElementwiseSpec,
    shape: tuple[int, int, int],
    pred: Any,
    label: Any,
    sample_weight: Any,
    weight_steps: tuple[int, int],
    parameter: Any,
    parameter_steps: tuple[int, int],
    grad_output: Any,
    value: Any,
    grad: Any,
) -> float: ...
def try_elementwise(
    spec: ElementwiseSpec, pred: Any, label: Any, grad_out: Any, want_value: bool, want_grad: bool
) -> tuple[Any, Any] | None: ...

class BadLabel(ValueError): ...

class SoftmaxSpec:
    name: str
    axis: int
    batch_axis: int
    log_probabilities: bool
    has_ignore_index: bool
    is_sparse: bool
    is_divergence: bool
    has_total: bool
    is_unreduced: bool
    def __init__(
        self,
        name: str,
        axis: int,
        batch_axis: int,
        weight: float,
        reduction: str,
        log_probabilities: bool = False,
        ignore_index: int | None = None,
        label_smoothing: float = 0,
        z_loss: float = 0,
    ) -> None: ...

def run_softmax(
    spec: SoftmaxSpec,
    shape: tuple[int, ...],
    pred: Any,
    label: Any,
    label_dense: Any,
    sample_weight: Any,
    weight_steps: tuple[int, int],
    element_weight: Any,
    class_weight: Any,
    grad_output: Any,
    value: Any,
    grad: Any,
    lse: Any,
) -> float: ...
def try_softmax(
    spec: SoftmaxSpec, pred: Any, label: Any, grad_out: Any, want_value: bool, want_grad: bool
) -> tuple[Any, Any] | None: ...

class VectorsSpec:
    name: str
    batch_axis: int
    is_labelled: bool
    is_pairwise: bool
    has_total: bool
    is_unreduced: bool
    def __init__(self, name: str, parameter: float, batch_axis: int, weight: float, reduction: str) -> None: ...

def run_vectors(
    spec: VectorsSpec,
    shape: tuple[int, ...],
    first: Any,
    second: Any,
    third: Any,
    label: Any,
    sample_weight: Any,
    weight_steps: tuple[int, int],
    grad_output: Any,
    value: Any,
    grad_first: Any,
    grad_second: Any,
    grad_third: Any,
) -> float: ...
def run_pairwise(
    spec: VectorsSpec,
    rows: int,
    inner: int,
    first: Any,
    second: Any,
    sample_weight: Any,
    weight_steps: tuple[int, int],
    grad_output: Any,
    value: Any,
    grad_first: Any,
    grad_second: Any,
) -> float: ...
def try_vectors(
    spec: VectorsSpec, inputs: tuple[Any, ...], label: Any, grad_out: Any, want_value: bool, want_grad: bool
) -> tuple[Any, Any] | None: ...
def version() -> str: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def has_openmp() -> bool: ...
def get_num_threads() -> int: ...
def get_threads_setting() -> int: ...
def set_num_threads(threads: int) -> None: ...

C_API: object

def function_addresses() -> dict[str, int]: ...

CTC_INPUTS: tuple[str, ...]
CTC_INFEASIBLE: tuple[str, ...]

class BadCTC(ValueError): ...

class CTCSpec:
    layout: str
    label_layout: str
    weight: float
    reduction: str
    blank: str | int
    infeasible: str
    input: str
    has_total: bool
    def __init__(
        self,
        layout: str,
        label_layout: str,
        weight: float,
        reduction: str,
        blank: str | int,
        infeasible: str,
        input: str,
    ) -> None: ...
    def divisor(self, batch: int) -> float: ...

def class_of_blank(blank: str | int, classes: int) -> int: ...
def try_ctc(
    spec: CTCSpec, pred: Any, label: Any, pred_lengths: Any, label_lengths: Any, grad_out: Any, want_grad: bool
) -> tuple[Any, Any, Any] | None: ...
def run_ctc(
    pred: Any,
    sizes: tuple[int, int, int],
    strides: tuple[int, int],
    pred_lengths: Any,
    blank: int,
    input: str,
    infeasible: str,
    label: Any,
    label_steps: tuple[int, int, int],
    label_offsets: Any,
    label_lengths: Any,
    scale: Any,
    value: Any,
    grad: Any,
    grad_strides: tuple[int, int],
    feasible: Any,
) -> None: ...
def run_ctc_greedy(
    pred: Any,
    sizes: tuple[int, int, int],
    strides: tuple[int, int],
    pred_lengths: Any,
    blank: int,
    input: str,
    label: Any,
    label_lengths: Any,
    score: Any,
) -> None: ...
