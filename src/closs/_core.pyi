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

C_API: object

def function_addresses() -> dict[str, int]: ...
