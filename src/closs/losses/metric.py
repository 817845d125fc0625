"""The losses of metric learning: they compare vectors, and have a gradient for each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike, NDArray

from closs import _checks, _core
from closs._vectors import Grads, evaluate_vectors

Array = NDArray[Any]


class MetricLoss:
    """What these losses share: a gradient for each input, and a value a row instead of one an element.

    sample_weight broadcasts against the unreduced loss; with as many axes as the inputs it has those of a row too, of
    length one. ``grad_out`` is a tuple with an array, or None, for each input; an array may be the input itself. The
    gradients come as a tuple in the order of the inputs, each in the shape of its input and the type of the first one.
    All else but accuracy is as for the :class:`ElementwiseLoss`.
    """

    weight: float | None
    batch_axis: int
    reduction: str
    _spec: _core.VectorsSpec

    def _make_spec(self, name: str, parameter: float) -> None:
        spec = _core.VectorsSpec(
            name, parameter, _checks.axis("batch_axis", self.batch_axis),
            1.0 if self.weight is None else _checks.number("weight", self.weight),
            _checks.choice("reduction", self.reduction, _core.REDUCTIONS),
        )  # fmt: skip
        object.__setattr__(self, "_spec", spec)


@dataclass(frozen=True)
class TripletLoss(MetricLoss):
    """Triplet loss: ``max(0, sum (positive - pred)^2 - sum (negative - pred)^2 + margin)``, one value a sample.

    The sums go over all axes but batch_axis; ``"sample_mean"``, ``"sample_sum"`` and ``"none"`` are the same. Where the
    margin is met all gradients are 0. Squares of float64 overflow from 1e154 on, those of float32 do not; a gradient
    overflows where its factor times a difference of two inputs does. As Gluon's ``TripletLoss``; see
    :class:`MetricLoss`.

    Parameters
    ----------
    margin : float
        How much nearer the positive one has to be; finite.
    weight : float or None
        One finite factor for value and gradients; None is 1.
    batch_axis : int
        The axis along which samples are counted; 0-d inputs are one sample, and have a 0-d value.
    reduction : str, keyword only
        As for the elementwise losses.

    Notes
    -----
    Value and gradients are within 4 ulp of their largest term; the terms of a value are the two sums and the margin.
    What weights multiply, sums and means are within 6.

    Examples
    --------
    >>> import closs
    >>> value, (of_pred, of_positive, of_negative) = closs.TripletLoss().value_and_grad([[0.0]], [[1.0]], [[0.5]])
    >>> value, of_pred, of_positive, of_negative
    (array([1.75]), array([[-1.]]), array([[2.]]), array([[-1.]]))
    """

    margin: float = 1
    weight: float | None = None
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def __post_init__(self) -> None:
        self._make_spec("triplet", _checks.number("margin", self.margin))

    def __call__(
        self,
        pred: ArrayLike,
        positive: ArrayLike,
        negative: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
    ) -> Any:
        """The value; see :meth:`ElementwiseLoss.__call__`."""
        inputs = {"pred": pred, "positive": positive, "negative": negative}
        return evaluate_vectors(self._spec, inputs, None, sample_weight, out, None, None, True, False)[0]

    def value_and_grad(
        self,
        pred: ArrayLike,
        positive: ArrayLike,
        negative: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, tuple[Array, Array, Array]]:
        """The value, and the gradients of pred, positive and negative; see :meth:`ElementwiseLoss.value_and_grad`."""
        inputs = {"pred": pred, "positive": positive, "negative": negative}
        return evaluate_vectors(self._spec, inputs, None, sample_weight, out, grad_out, grad_output, True, True)

    def grad(
        self,
        pred: ArrayLike,
        positive: ArrayLike,
        negative: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Array, Array, Array]:
        """The gradients of pred, positive and negative alone."""
        inputs = {"pred": pred, "positive": positive, "negative": negative}
        result = evaluate_vectors(self._spec, inputs, None, sample_weight, None, grad_out, grad_output, False, True)
        gradients: tuple[Array, Array, Array] = result[1]
        return gradients


@dataclass(frozen=True)
class CosineEmbeddingLoss(MetricLoss):
    """Cosine embedding loss of vectors along the last axis: ``1 - cos`` for label 1, ``clip(cos - margin, 0, 1 -
    margin)`` for label -1, with ``cos = a.b / max(|a| |b|, 1e-12)``.

    The gradients are 0 at zero vectors and where the margin is met. Squares of float64 overflow from 1e154 on (NaN) and
    underflow below about 1e-154 (digits are lost, gradients overflow, and from 1e-162 on the vector counts as zero);
    those of float32 do neither. As Gluon 2.0's ``CosineEmbeddingLoss`` (1.9.1 gives shape (N, 1)); torch's has no upper
    bound. See :class:`MetricLoss`.

    Parameters
    ----------
    weight : float or None
        One finite factor for value and gradients; None is 1.
    batch_axis : int
        The axis along which samples are counted; not the last one. Inputs of one axis are one row, and have a 0-d
        value.
    margin : float
        The cosine up to which vectors with label -1 cost nothing; finite.
    reduction : str, keyword only
        As for the elementwise losses, with rows in the place of elements.

    Notes
    -----
    label has the shape of the inputs without their last axis, or with that axis at length one. Any label but 1 and -1
    raises ValueError.

    Value and gradients are within 4 ulp of their largest term; the term of a cosine is that of the vectors' absolute
    values. What weights multiply, sums and means are within 6.

    Examples
    --------
    >>> import closs
    >>> closs.CosineEmbeddingLoss().value_and_grad([[1.0, 0.0]], [[0.0, 2.0]], [1])
    (array([1.]), (array([[ 0., -1.]]), array([[-0.5,  0. ]])))
    """

    weight: float | None = None
    batch_axis: int = 0
    margin: float = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def __post_init__(self) -> None:
        self._make_spec("cosine_embedding", _checks.number("margin", self.margin))

    def __call__(
        self,
        input1: ArrayLike,
        input2: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
    ) -> Any:
        """The value; see :meth:`ElementwiseLoss.__call__`."""
        inputs = {"input1": input1, "input2": input2}
        return evaluate_vectors(self._spec, inputs, label, sample_weight, out, None, None, True, False)[0]

    def value_and_grad(
        self,
        input1: ArrayLike,
        input2: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, tuple[Array, Array]]:
        """The value, and the gradients of input1 and input2; see :meth:`ElementwiseLoss.value_and_grad`."""
        inputs = {"input1": input1, "input2": input2}
        return evaluate_vectors(self._spec, inputs, label, sample_weight, out, grad_out, grad_output, True, True)

    def grad(
        self,
        input1: ArrayLike,
        input2: ArrayLike,
        label: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Array, Array]:
        """The gradients of input1 and input2 alone."""
        inputs = {"input1": input1, "input2": input2}
        result = evaluate_vectors(self._spec, inputs, label, sample_weight, None, grad_out, grad_output, False, True)
        gradients: tuple[Array, Array] = result[1]
        return gradients


@dataclass(frozen=True)
class SDMLLoss(MetricLoss):
    """Smoothed deep metric learning: row i of x1 belongs with row i of x2, and with no other row of the batch.

    With ``p_i`` the softmax over j of ``-|x1[i] - x2[j]|^2`` and the target ``q_i``: 1 - smoothing at i and
    smoothing / (N - 1) elsewhere, the value of row i is the divergence ``sum_j q_ij log(q_ij / p_ij)``. A batch of one
    costs 0. As Gluon's ``SDMLLoss``, in the scale of MXNet 1.9.1, but the weight is applied. See :class:`MetricLoss`.

    Parameters
    ----------
    smoothing_parameter : float
        The share of the target that goes to the other rows, in [0, 1].
    weight : float or None
        One finite factor for value and gradients; None is 1.
    batch_axis : int
        The axis along which samples are counted; all others make up a vector. 0-d inputs are a batch of one, and have a
        0-d value.
    reduction : str, keyword only
        As for the elementwise losses; ``"sample_mean"``, ``"sample_sum"`` and ``"none"`` are the same.

    Notes
    -----
    No (N, N, D) array is made: working memory is 8 N^2 bytes with a gradient, 64 rows of 8 N bytes without, for both
    float types. All inputs are read to the end, so that a gradient over its own input is computed in an array of its
    own, and copied. Where samples do not lie along the first axis, inputs and gradients are copied, too.

    Distances and their softmax are computed in double for both types. Value and gradients are within 4 ulp of their
    largest term in float32, within 8 in float64, where the differences of vectors are rounded, and the distances: half
    an ulp of a distance d, which changes its probability by d / 2 ulp, is not counted. What weights multiply, sums and
    means are within 2 more.

    References
    ----------
    D. Bonadiman, A. Kumar, A. Mittal, "Large Scale Question Paraphrase Retrieval with Smoothed Deep Metric Learning",
    2019.

    Examples
    --------
    >>> import closs
    >>> closs.SDMLLoss()([[0.0], [2.0]], [[0.0], [2.0]]).round(4)
    array([0.6073, 0.6073])
    """

    smoothing_parameter: float = 0.3
    weight: float | None = 1.0
    batch_axis: int = 0
    reduction: str = field(default="sample_mean", kw_only=True)

    def __post_init__(self) -> None:
        smoothing = _checks.nonnegative("smoothing_parameter", self.smoothing_parameter)
        if smoothing > 1:
            raise ValueError(f"smoothing_parameter: expected a number from 0 to 1, got {smoothing}")
        self._make_spec("sdml", smoothing)

    def __call__(
        self, x1: ArrayLike, x2: ArrayLike, sample_weight: ArrayLike | None = None, *, out: Array | None = None
    ) -> Any:
        """The value; see :meth:`ElementwiseLoss.__call__`."""
        inputs = {"x1": x1, "x2": x2}
        return evaluate_vectors(self._spec, inputs, None, sample_weight, out, None, None, True, False)[0]

    def value_and_grad(
        self,
        x1: ArrayLike,
        x2: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Any, tuple[Array, Array]]:
        """The value, and the gradients of x1 and x2; see :meth:`ElementwiseLoss.value_and_grad`."""
        inputs = {"x1": x1, "x2": x2}
        return evaluate_vectors(self._spec, inputs, None, sample_weight, out, grad_out, grad_output, True, True)

    def grad(
        self,
        x1: ArrayLike,
        x2: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Grads = None,
        grad_output: ArrayLike | None = None,
    ) -> tuple[Array, Array]:
        """The gradients of x1 and x2 alone."""
        inputs = {"x1": x1, "x2": x2}
        result = evaluate_vectors(self._spec, inputs, None, sample_weight, None, grad_out, grad_output, False, True)
        gradients: tuple[Array, Array] = result[1]
        return gradients
