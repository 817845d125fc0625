"""The losses over classes: cross-entropy and divergence of a softmax."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closs import _checks, _core
from closs._arrays import real_array
from closs._softmax import evaluate_softmax
from closs.losses.elementwise import ElementwiseLoss

Array = NDArray[Any]


@dataclass(frozen=True)
class SoftmaxCrossEntropyLoss:
    """Cross-entropy of the softmax of logits against a class, or a distribution over the classes.

    For a row x of logits over C classes, ``lse = log(sum(exp(x)))`` and ``nll[c] = lse - x[c]``:

    - class y: ``(1 - s) w[y] nll[y] + s / C sum_c w[c] nll[c] + z lse^2``;
    - distribution y: ``sum_c w[c] ((1 - s) y[c] + s / C) nll[c] + z lse^2``,

    with w class_weight, s label_smoothing, z z_loss: torch's conventions. The loss of logits is never negative, if no
    element of a distribution is, and keeps its digits down to 1e-38 for a row that is sure of its class. A logit of
    -inf has probability 0.

    Common arguments, types and errors: see :class:`ElementwiseLoss`, with rows in the place of elements. As Gluon's
    class of this name, alias ``SoftmaxCELoss``.

    Parameters
    ----------
    axis : int
        The class axis of pred; any, without a copy.
    sparse_label : bool
        Whether label holds class numbers (integers of any width, bools, floats that are whole numbers), with pred's
        shape without the class axis, or with that axis at length one. Else it holds distributions, pred's shape.
    from_logits : bool
        Whether pred is log-probabilities already; then ``nll[c] = -x[c]``. There is no logsumexp: a z_loss other than 0
        raises ValueError, and so does ``return_lse=True`` in a call.
    weight : float or None
        One finite factor for value and gradient; None is 1.
    batch_axis : int
        The axis of pred along which samples are counted; not the class axis. A pred of one axis is one row, and has a
        0-d value.
    reduction : str, keyword only
        As for the elementwise losses; ``"none"`` has pred's shape without the class axis. ``"weighted_mean"`` divides
        by the sum of the weights that were applied: sample_weight times ``class_weight[label]``, of a distribution
        sample_weight alone. That is torch's ``"mean"``.
    class_weight : array_like of shape (C,), optional, keyword only
        One finite factor a class that is not negative.
    ignore_index : int, optional, keyword only
        Rows with this label have value 0 and gradient 0, and count in no mean. If all rows of a batch have it, sums and
        sample means are 0, means over the batch are NaN, and the gradient is 0.
    label_smoothing : float, keyword only
        The share of the uniform distribution in the target, in [0, 1].
    z_loss : float, keyword only
        Factor of the squared logsumexp (not weighted by class); not below 0, and 0 with from_logits.

    Notes
    -----
    sample_weight has one factor a row: it broadcasts against pred's shape without the class axis, or, having as many
    axes as pred, with the class axis at length one. ``return_lse=True`` in a call adds the rows' logsumexp as a last
    result. ``grad_out=pred`` writes the gradient over the logits. A row with NaN or inf, or nothing but -inf, gives NaN
    for that row and no other (but the logsumexp is inf with inf, and -inf with nothing else); with from_logits, where
    rows need not be scanned, NaN counts for classes that have a target. A row without target, whose weights of classes
    or whose whole distribution is 0, has value 0 and gradient 0 whatever its logits are, if z_loss is 0. A label out of
    range raises ValueError before anything is written.

    A row's value and each element of its gradient are within 4 ulp of their largest term; what weights or a
    z_loss multiply, sums and means within 6. (One ulp more on x86-64 processors that have no FMA.)

    Examples
    --------
    >>> import closs
    >>> closs.SoftmaxCELoss().value_and_grad([[0.0, 0.0], [2.0, 0.0]], [1, 0])
    (array([0.69314718, 0.12692801]), array([[ 0.5       , -0.5       ],
           [-0.11920292,  0.11920292]]))
    """

    axis: int = -1
    sparse_label: bool = True
    from_logits: bool = False
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)
    class_weight: ArrayLike | None = field(default=None, kw_only=True)
    ignore_index: int | None = field(default=None, kw_only=True)
    label_smoothing: float = field(default=0.0, kw_only=True)
    z_loss: float = field(default=0.0, kw_only=True)

    _spec: ClassVar[_core.SoftmaxSpec]  # of each object, set once
    _class_weight: ClassVar[Array | None]
    _is_plain: ClassVar[bool]

    def __post_init__(self) -> None:
        _checks.flag("sparse_label", self.sparse_label)
        _checks.flag("from_logits", self.from_logits)
        smoothing = _checks.nonnegative("label_smoothing", self.label_smoothing)
        if smoothing > 1:
            raise ValueError(f"label_smoothing: expected a number from 0 to 1, got {smoothing}")
        z_loss = _checks.nonnegative("z_loss", self.z_loss)
        if self.from_logits and z_loss != 0:
            raise ValueError(f"z_loss: expected 0 with from_logits, whose pred is normalised, got {z_loss}")
        if self.ignore_index is not None:
            if not -(2**63) <= _checks.integer("ignore_index", self.ignore_index) < 2**63:
                raise ValueError(f"ignore_index: expected a number of 64 bits, got {self.ignore_index}")
            if not self.sparse_label:
                raise ValueError(f"ignore_index: expected None with sparse_label=False, got {self.ignore_index}")
        if self.class_weight is not None:  # a tuple: the object stays hashable, and the caller's array is copied
            weights = real_array("class_weight", self.class_weight)
            if weights.ndim != 1:
                raise ValueError(f"class_weight: expected one axis, got shape {weights.shape}")
            if not (np.isfinite(weights) & (weights >= 0)).all():
                raise ValueError(f"class_weight: expected finite numbers that are not negative, got {weights}")
            object.__setattr__(self, "class_weight", tuple(weights.tolist()))
        spec = _core.SoftmaxSpec(
            "softmax_ce" if self.sparse_label else "softmax_ce_dense",
            _checks.axis("axis", self.axis), _checks.axis("batch_axis", self.batch_axis),
            1.0 if self.weight is None else _checks.number("weight", self.weight),
            _checks.choice("reduction", self.reduction, _core.REDUCTIONS),
            self.from_logits, self.ignore_index, smoothing, z_loss,
        )  # fmt: skip
        object.__setattr__(self, "_spec", spec)
        given = None if self.class_weight is None else np.array(self.class_weight, np.float64)
        object.__setattr__(self, "_class_weight", given)
        object.__setattr__(self, "_is_plain", given is None)  # nothing that the direct way does not take

    def __call__(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        return_lse: bool = False,
    ) -> Any:
        """The value, or (value, logsumexp of the rows); see the class and :meth:`ElementwiseLoss.__call__`."""
        value, _, lse = self._evaluate(pred, label, sample_weight, out, None, None, True, False, return_lse)
        return (value, lse) if return_lse else value

    def value_and_grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
        return_lse: bool = False,
    ) -> tuple[Any, ...]:
        """(value, gradient) or (value, gradient, logsumexp); see :meth:`ElementwiseLoss.value_and_grad`."""
        results = self._evaluate(pred, label, sample_weight, out, grad_out, grad_output, True, True, return_lse)
        return results if return_lse else results[:2]

    def grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
        return_lse: bool = False,
    ) -> Any:
        """The gradient, or (gradient, logsumexp); see :meth:`ElementwiseLoss.grad`."""
        results = self._evaluate(pred, label, sample_weight, None, grad_out, grad_output, False, True, return_lse)
        return results[1:] if return_lse else results[1]

    def _evaluate(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None,
        out: Array | None,
        grad_out: Array | None,
        grad_output: ArrayLike | None,
        want_value: bool,
        want_grad: bool,
        want_lse: bool,
    ) -> tuple[Any, Any, Any]:
        if self._is_plain and sample_weight is None and out is None and grad_output is None and not want_lse:
            result = _core.try_softmax(self._spec, pred, label, grad_out, want_value, want_grad)
            if result is not None:
                return *result, None
        if want_lse and self.from_logits:
            raise ValueError("return_lse: expected False with from_logits, whose pred is normalised, got True")
        return evaluate_softmax(
            self._spec, pred, label, sample_weight, self._class_weight,
            out, grad_out, grad_output, want_value, want_grad, want_lse,
        )  # fmt: skip


SoftmaxCELoss = SoftmaxCrossEntropyLoss


@dataclass(frozen=True)
class KLDivLoss(ElementwiseLoss):
    """Kullback-Leibler divergence of a distribution from a predicted one: ``label (log(label) - log_pred)``.

    One value an element, 0 where label is 0, also where pred is -inf. Common arguments, shapes, types and errors: see
    :class:`ElementwiseLoss`. As Gluon 2.0's ``KLDivLoss``: ``"sample_mean"`` is the mean over a sample's elements;
    ``"sample_sum"`` is the divergence itself, and what MXNet 1.9.1 gave.

    Parameters
    ----------
    from_logits : bool
        Whether pred is log-probabilities; else they are its softmax's along axis, taken in the same pass.
    axis : int
        The class axis of pred; matters with ``from_logits=False`` only, and is not batch_axis then.

    Notes
    -----
    A pred of one axis with ``from_logits=True`` has an element a sample, as for the elementwise losses, and a value of
    shape (n,); with ``from_logits=False`` it is one row, and has a 0-d value.

    With ``from_logits=False`` value and gradient are within 4 ulp of their largest term, as for
    :class:`SoftmaxCrossEntropyLoss`.

    Examples
    --------
    >>> import closs
    >>> closs.KLDivLoss(from_logits=False, reduction="sample_sum").value_and_grad([[0.0, 0.0]], [[0.25, 0.75]])
    (array([0.13081204]), array([[ 0.25, -0.25]]))
    """

    from_logits: bool = True
    axis: int = -1
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    _softmax_spec: ClassVar[_core.SoftmaxSpec]  # of each object, set once

    def _kernel(self) -> tuple[str, float | None]:
        _checks.flag("from_logits", self.from_logits)
        return "kl_div", None

    def __post_init__(self) -> None:
        super().__post_init__()
        spec = _core.SoftmaxSpec(
            "kl_div_softmax", _checks.axis("axis", self.axis), self.batch_axis,
            1.0 if self.weight is None else float(self.weight), self.reduction,
        )  # fmt: skip
        object.__setattr__(self, "_softmax_spec", spec)

    def _evaluate(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None,
        parameter: tuple[str, ArrayLike | None] = ("parameter", None),
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
        want_value: bool = True,
        want_grad: bool = True,
    ) -> tuple[Any, Array]:
        if self.from_logits:
            return super()._evaluate(
                pred, label, sample_weight, parameter, out, grad_out, grad_output, want_value, want_grad
            )
        if sample_weight is None and out is None and grad_output is None:
            result = _core.try_softmax(self._softmax_spec, pred, label, grad_out, want_value, want_grad)
            if result is not None:
                return result
        return evaluate_softmax(
            self._softmax_spec, pred, label, sample_weight, None,
            out, grad_out, grad_output, want_value, want_grad, False,
        )[:2]  # fmt: skip
