"""The elementwise losses. Each class says which function of the C core it stands for; everything else they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closs import _checks, _core
from closs._arrays import evaluate_elementwise

Array = NDArray[Any]

__all__ = [
    "HingeLoss",
    "HuberLoss",
    "L1Loss",
    "L2Loss",
    "LogisticLoss",
    "PoissonNLLLoss",
    "SigmoidBCELoss",
    "SigmoidBinaryCrossEntropyLoss",
    "SquaredHingeLoss",
]


#: PoissonNLLLoss's epsilon, unless a call gives another.
_EPSILON = 1e-8


class ElementwiseLoss:
    """What all elementwise losses share: the calls, their arguments and their errors.

    The constructors' common arguments:

    weight : float or None
        One finite factor for value and gradient; None is 1.
    batch_axis : int
        The axis of pred along which samples are counted.
    reduction : str, keyword only
        What is made of the elements' losses l:

        - ``"sample_mean"``: their mean over all axes but batch_axis, shape (batch,);
        - ``"sample_sum"``: their sum over the same axes;
        - ``"none"``: l itself, the shape of pred;
        - ``"mean"``, ``"sum"``: of all elements, a Python float accumulated in double;
        - ``"weighted_mean"``: the sum of l over the sum of sample_weight, a Python float.

        A mean of nothing is NaN, a sum of nothing 0.

    pred may have any shape and memory layout; C-contiguous float32 and float64 arrays are never copied. float16 is
    computed in float32; ints, bools and lists become float64. A 0-d pred is one sample, its value is 0-d. label is cast
    to pred's type, and has pred's shape, up to axes of length one; what it holds is not checked: a label that the loss
    does not name, such as 2 for a hinge loss, is put into the formula. The results have pred's type.

    NaN in pred or label gives NaN in that element, and in the sums it enters; infinities give the limit. Values and
    gradients are within 2 ulp where no weight and no mean adds a rounding of its own, others and sums within 4 (3 and 5
    on x86-64 processors without FMA). A loss that overflows is infinite even if a small weight would bring it back.

    Errors: TypeError for the wrong kind of argument, ValueError for a wrong shape or value. Both come before the first
    write to an output.
    """

    weight: float | None
    batch_axis: int
    reduction: str
    _spec: _core.ElementwiseSpec
    _names = ("pred", "label")

    def _kernel(self) -> tuple[str, float | None]:
        """The name of the C function, and its parameter if it has one that the constructor decides."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        name, parameter = self._kernel()
        weight = 1.0 if self.weight is None else _checks.number("weight", self.weight)
        axis = _checks.axis("batch_axis", self.batch_axis)
        reduction = _checks.choice("reduction", self.reduction, _core.REDUCTIONS)
        object.__setattr__(self, "_spec", _core.ElementwiseSpec(name, parameter, weight, axis, reduction))

    def __call__(
        self, pred: ArrayLike, label: ArrayLike, sample_weight: ArrayLike | None = None, *, out: Array | None = None
    ) -> Any:
        """The value.

        Parameters
        ----------
        pred, label : array_like
            Predictions and true values.
        sample_weight : array_like, optional
            Factor of each element's loss; anything that broadcasts to pred's shape, such as (N, 1) for one a sample.
            Where it is 0 the element counts 0, even if its loss is not finite.
        out : ndarray, optional
            Where the value goes: pred's type, the value's shape (0-d float64 if that is a float).

        Returns
        -------
        ndarray or float
            As ``reduction`` says; ``out`` if it was given.
        """
        return self._evaluate(pred, label, sample_weight, out=out, want_grad=False)[0]

    def value_and_grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, Array]:
        """The value, and its gradient with respect to pred, in one pass.

        Parameters
        ----------
        pred, label, sample_weight, out
            As for a plain call.
        grad_out : ndarray, optional
            Where the gradient goes: pred's shape and type; may be pred itself.
        grad_output : array_like, optional
            The cotangent, exactly of the value's shape; ones by default.

        Returns
        -------
        (ndarray or float, ndarray)
            The value is that of a plain call, bit for bit.
        """
        return self._evaluate(pred, label, sample_weight, out=out, grad_out=grad_out, grad_output=grad_output)

    def grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> Array:
        """The gradient with respect to pred alone; arguments as for :meth:`value_and_grad`."""
        named = ("parameter", None)
        return self._evaluate(pred, label, sample_weight, named, None, grad_out, grad_output, False)[1]

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
        if sample_weight is None and parameter[1] is None and out is None and grad_output is None:
            result = _core.try_elementwise(self._spec, pred, label, grad_out, want_value, want_grad)
            if result is not None:
                return result
        return evaluate_elementwise(
            self._spec, self._names, pred, label, sample_weight, parameter,
            out, grad_out, grad_output, want_value, want_grad,
        )  # fmt: skip


@dataclass(frozen=True)
class L1Loss(ElementwiseLoss):
    """Absolute error: ``weight |label - pred|``, derivative 0 where they are equal.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's ``L1Loss``.

    Examples
    --------
    >>> import closs
    >>> value, grad = closs.L1Loss().value_and_grad([[1.0, 2.0]], [[0.0, 4.0]])
    >>> value, grad
    (array([1.5]), array([[ 0.5, -0.5]]))
    """

    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "l1", None


@dataclass(frozen=True)
class L2Loss(ElementwiseLoss):
    """Half the squared error: ``weight / 2 (label - pred)^2``.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's ``L2Loss``.

    Examples
    --------
    >>> import closs
    >>> value, grad = closs.L2Loss(reduction="sum").value_and_grad([[1.0, 2.0]], [[0.0, 4.0]])
    >>> value, grad
    (2.5, array([[ 1., -2.]]))
    """

    weight: float | None = 1.0
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "l2", None


@dataclass(frozen=True)
class HuberLoss(ElementwiseLoss):
    """Smooth L1: with ``r = pred - label``, ``r^2 / (2 rho)`` where ``|r| <= rho``, ``|r| - rho / 2`` elsewhere.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's ``HuberLoss``; torch's
    ``huber_loss`` is rho times this. The value is infinite where ``pred - label`` overflows, even if ``rho / 2`` would
    bring it back.

    Parameters
    ----------
    rho : float
        Where the quadratic becomes linear; above 0 and finite.

    Examples
    --------
    >>> import closs
    >>> closs.HuberLoss(rho=2).value_and_grad([[1.0, 5.0]], [[0.0, 0.0]])
    (array([2.125]), array([[0.25, 0.5 ]]))
    """

    rho: float = 1
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "huber", _checks.positive("rho", self.rho)


@dataclass(frozen=True)
class SigmoidBinaryCrossEntropyLoss(ElementwiseLoss):
    """Binary cross-entropy of logits, or of probabilities.

    For logits x and labels z in [0, 1]: ``max(x, 0) - x z + log1p(exp(-|x|))``, with the positive term times
    pos_weight. With ``from_sigmoid`` pred is already a probability p:
    ``-(pos_weight z log(p + 1e-12) + (1 - z) log(1 - p + 1e-12))``. A term whose factor is 0 counts exactly 0, so
    ``pred = inf, label = 1`` costs 0.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's class of this name, alias
    ``SigmoidBCELoss``.

    Parameters
    ----------
    from_sigmoid : bool
        Whether pred went through the logistic function already.

    Notes
    -----
    The calls take one argument more, after sample_weight:

    pos_weight : array_like, optional
        The factor of the positive term: finite numbers, not below 0, of any shape that broadcasts to pred's, such as
        (C,) for one a column. 1 by default.

    Examples
    --------
    >>> import closs
    >>> closs.SigmoidBCELoss().value_and_grad([[0.0, 0.0]], [[1.0, 0.0]], pos_weight=[3.0, 1.0])
    (array([1.38629436]), array([[-0.75,  0.25]]))
    """

    from_sigmoid: bool = False
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "bce" if _checks.flag("from_sigmoid", self.from_sigmoid) else "sigmoid_bce", None

    def __call__(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        pos_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
    ) -> Any:
        """The value; see :meth:`ElementwiseLoss.__call__`, and pos_weight above."""
        return self._evaluate(pred, label, sample_weight, ("pos_weight", pos_weight), out=out, want_grad=False)[0]

    def value_and_grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        pos_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, Array]:
        """The value and the gradient; see :meth:`ElementwiseLoss.value_and_grad`, and pos_weight above."""
        return self._evaluate(pred, label, sample_weight, ("pos_weight", pos_weight), out, grad_out, grad_output)

    def grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        pos_weight: ArrayLike | None = None,
        *,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> Array:
        """The gradient; see :meth:`ElementwiseLoss.grad`, and pos_weight above."""
        named = ("pos_weight", pos_weight)
        return self._evaluate(pred, label, sample_weight, named, None, grad_out, grad_output, False)[1]


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


@dataclass(frozen=True)
class HingeLoss(ElementwiseLoss):
    """Hinge loss of support vector machines: ``max(0, margin - pred label)``, labels -1 or 1.

    The derivative is 0 where the margin is met. Common arguments, shapes, types and errors: see
    :class:`ElementwiseLoss`. As Gluon's ``HingeLoss``.

    Parameters
    ----------
    margin : float
        Finite.

    Examples
    --------
    >>> import closs
    >>> closs.HingeLoss().value_and_grad([[0.5, 2.0]], [[-1.0, 1.0]])
    (array([0.75]), array([[0.5, 0. ]]))
    """

    margin: float = 1
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "hinge", _checks.number("margin", self.margin)


@dataclass(frozen=True)
class SquaredHingeLoss(ElementwiseLoss):
    """Squared hinge loss: ``max(0, margin - pred label)^2``, labels -1 or 1.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's ``SquaredHingeLoss``.

    Parameters
    ----------
    margin : float
        Finite.

    Examples
    --------
    >>> import closs
    >>> closs.SquaredHingeLoss().value_and_grad([[0.5, 2.0]], [[-1.0, 1.0]])
    (array([1.125]), array([[1.5, 0. ]]))
    """

    margin: float = 1
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        return "squared_hinge", _checks.number("margin", self.margin)


@dataclass(frozen=True)
class LogisticLoss(ElementwiseLoss):
    """Logistic loss: ``log(1 + exp(-pred label))``, computed so that nothing overflows.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon's ``LogisticLoss`` for labels
    that are one of the two.

    Parameters
    ----------
    label_format : {"signed", "binary"}
        Labels are -1 or 1, or 0 or 1.

    Examples
    --------
    >>> import closs
    >>> closs.LogisticLoss(label_format="binary").value_and_grad([[0.0]], [[1.0]])
    (array([0.69314718]), array([[-0.5]]))
    """

    weight: float | None = None
    batch_axis: int = 0
    label_format: str = "signed"
    reduction: str = field(default="sample_mean", kw_only=True)

    def _kernel(self) -> tuple[str, float | None]:
        signed = _checks.choice("label_format", self.label_format, ("signed", "binary")) == "signed"
        return "logistic" if signed else "logistic_binary", None


@dataclass(frozen=True)
class PoissonNLLLoss(ElementwiseLoss):
    """Negative log-likelihood of counts under a Poisson distribution.

    ``exp(pred) - target pred`` where pred is the logarithm of the rate, ``pred - target log(pred + epsilon)`` where it
    is the rate. A target of 0 counts the rate alone.

    Common arguments, shapes, types and errors: see :class:`ElementwiseLoss`. As Gluon 2.0's class; 1.9.1 returned the
    mean over everything, which is ``reduction="mean"`` here.

    Parameters
    ----------
    from_logits : bool
        Whether pred is the logarithm of the rate.
    compute_full : bool
        Add Stirling's approximation of log(target!), ``target log(target) - target + log(2 pi target) / 2``, where
        target > 1.

    Notes
    -----
    The calls take one argument more, after sample_weight:

    epsilon : float
        Finite and not below 0, 1e-8 by default; used if pred is the rate.

    Examples
    --------
    >>> import closs
    >>> closs.PoissonNLLLoss().value_and_grad([[0.0, 0.0]], [[1.0, 3.0]])
    (array([1.]), array([[ 0., -1.]]))
    """

    weight: float | None = None
    from_logits: bool = True
    batch_axis: int = 0
    compute_full: bool = False
    reduction: str = field(default="sample_mean", kw_only=True)

    _names = ("pred", "target")

    def _kernel(self) -> tuple[str, float | None]:
        logits = _checks.flag("from_logits", self.from_logits)
        name, epsilon = ("poisson_nll", None) if logits else ("poisson_rate_nll", _EPSILON)
        return name + "_full" * _checks.flag("compute_full", self.compute_full), epsilon

    def _epsilon(self, epsilon: float) -> tuple[str, ArrayLike | None]:
        """As a parameter of the call, where it matters and is not the spec's own."""
        if epsilon is _EPSILON:  # the check costs 1 us
            return "epsilon", None
        checked = _checks.nonnegative("epsilon", epsilon)
        return "epsilon", None if self.from_logits else np.float64(checked)

    def __call__(
        self,
        pred: ArrayLike,
        target: ArrayLike,
        sample_weight: ArrayLike | None = None,
        epsilon: float = _EPSILON,
        *,
        out: Array | None = None,
    ) -> Any:
        """The value; see :meth:`ElementwiseLoss.__call__`, and epsilon above."""
        return self._evaluate(pred, target, sample_weight, self._epsilon(epsilon), out=out, want_grad=False)[0]

    def value_and_grad(
        self,
        pred: ArrayLike,
        target: ArrayLike,
        sample_weight: ArrayLike | None = None,
        epsilon: float = _EPSILON,
        *,
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, Array]:
        """The value and the gradient; see :meth:`ElementwiseLoss.value_and_grad`, and epsilon above."""
        return self._evaluate(pred, target, sample_weight, self._epsilon(epsilon), out, grad_out, grad_output)

    def grad(
        self,
        pred: ArrayLike,
        target: ArrayLike,
        sample_weight: ArrayLike | None = None,
        epsilon: float = _EPSILON,
        *,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
    ) -> Array:
        """The gradient; see :meth:`ElementwiseLoss.grad`, and epsilon above."""
        named = self._epsilon(epsilon)
        return self._evaluate(pred, target, sample_weight, named, None, grad_out, grad_output, False)[1]
