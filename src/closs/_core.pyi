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
def version() -> str: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def has_openmp() -> bool: ...
def get_num_threads() -> int: ...
def get_threads_setting() -> int: ...
def set_num_threads(threads: int) -> None: ...

CTC_INPUTS: tuple[str, ...]
CTC_INFEASIBLE: tuple[str, ...]

class BadCTC(ValueError): ...

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
