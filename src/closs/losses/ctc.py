"""Connectionist temporal classification: the loss, and decoding by the best path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike, NDArray

from closs._ctc import checked_spec, evaluate_ctc, greedy_decode

Array = NDArray[Any]


@dataclass(frozen=True)
class CTCLoss:
    """Connectionist temporal classification: ``-log p(label | pred)`` where the alignment of the two is unknown.

    A path gives each frame a class; it spells the labels that remain when repetitions are merged and blanks removed. p
    is the sum over all paths that spell label, of the product over the frames of ``softmax(pred)[class]`` (A. Graves et
    al., Connectionist Temporal Classification, ICML 2006). One value a sample; the gradient is with respect to pred,
    the softmax included.

    As Gluon's class of this name, but exact in float32 too, for any number of frames and any scale of pred that does
    not meet the cap below: the value within 1e-6 (float64: 1e-12), or within 2e-16 a frame where that is more; the
    gradient within 1e-5 of its largest element (float64: 1e-12), or within 1e-15. With logits the value is never
    negative; with log-probabilities it is where they add up to more than 1, but 0 if by no more than their rounding
    (2^-22 a frame in float32, 2^-51 in float64).

    Parameters
    ----------
    layout : {"NTC", "TNC"}
        Axes of pred: samples, frames, classes. Either is read in place.
    label_layout : {"NT", "TN"}
        Axes of label: samples, labels.
    weight : float or None
        One finite factor for value and gradient; None is 1.
    reduction : str, keyword only
        ``"sample_mean"``, ``"sample_sum"`` and ``"none"`` give the samples' values, shape (N,); ``"mean"``, ``"sum"``
        and ``"weighted_mean"`` (divided by the sum of sample_weight) a Python float.
    blank : {"last", "first"} or int, keyword only
        The class that is no label: Gluon's is the last, torch's the first.
    infeasible : {"inf", "zero", "raise"}, keyword only
        What a sample gives whose labels no path spells, because there are too few frames (one a label, and one more
        between equal neighbours), or because every path has a class at -inf: a value of inf, or of 0, with a gradient
        of exactly 0; or ValueError.
    input : {"logits", "log_probs"}, keyword only
        Whether pred goes through a softmax. The gradient is with respect to what was passed, in both cases: of
        log-probabilities it is minus the expected number of times that a class is visited in a frame.

    Notes
    -----
    pred has three axes, of float16 (computed in float32), float32, float64, integers or bools (computed in float64).
    The results have its type. label holds class numbers: integers of any width, or floats, all of which must be whole
    numbers, those after a row's end too. It has two axes, where a row ends at its first -1, or after as many labels as
    label_lengths says; or it is one vector of all samples' labels after each other, with label_lengths. An empty label
    is the all-blank path. Frames from pred_lengths on are not looked at and have gradient 0. Without frames an empty
    label has value 0.

    NaN or inf in a sample's frames gives NaN for that sample and no other (of log-probabilities only the classes in use
    count), and so does a frame whose logits are all -inf; a sample with too few frames is infeasible whatever they
    hold. -inf is probability 0. A finite score never makes a sample infeasible: more than 2^40 log(2) = 7.6e11 under
    the largest of its frame (of log-probabilities: of the classes in use) it counts as just so far under it; with more
    than 2^21 frames, more than 2^61 log(2) / T. A weight of 0 removes a sample, whatever its value; but
    ``infeasible="raise"`` asks all of them.

    Errors: TypeError for the wrong kind of argument; ValueError for a wrong shape, a length that is negative or beyond
    its array, and a label that is no class or the blank, with its position. All come before anything is written.

    Examples
    --------
    >>> import closs
    >>> import numpy as np
    >>> pred = np.zeros((1, 3, 2))  # three frames, a class and the blank, all equally likely
    >>> value, grad = closs.CTCLoss().value_and_grad(pred, [[0]])
    >>> np.exp(-value)  # 6 of the 8 paths have one run of class 0
    array([0.75])
    >>> grad
    array([[[ 0.        ,  0.        ],
            [-0.16666667,  0.16666667],
            [ 0.        ,  0.        ]]])
    """

    layout: str = "NTC"
    label_layout: str = "NT"
    weight: float | None = None
    reduction: str = field(default="sample_mean", kw_only=True)
    blank: str | int = field(default="last", kw_only=True)
    infeasible: str = field(default="inf", kw_only=True)
    input: str = field(default="logits", kw_only=True)

    def __post_init__(self) -> None:
        spec = checked_spec(
            self.layout, self.label_layout, self.weight, self.reduction, self.blank, self.infeasible, self.input
        )
        object.__setattr__(self, "_spec", spec)

    def __call__(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        pred_lengths: ArrayLike | None = None,
        label_lengths: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        return_feasible: bool = False,
    ) -> Any:
        """The value, or (value, feasible).

        Parameters
        ----------
        pred : array_like of shape (N, T, C), or (T, N, C)
            Scores.
        label : array_like of shape (N, L), or (L, N), or (sum of label_lengths,)
            Class numbers.
        pred_lengths : array_like of shape (N,), optional
            Frames of each sample, from 0 to T; T by default.
        label_lengths : array_like of shape (N,), optional
            Labels of each sample.
        sample_weight : array_like of shape (N,), optional
            Factor of each sample's loss; axes of length one may follow.
        out : ndarray, optional
            Where the value goes: pred's type, shape (N,) (0-d float64 if it is a float).
        return_feasible : bool, optional
            Whether a mask of shape (N,), True for samples that some path spells, is a last result.

        Returns
        -------
        ndarray or float, or a tuple of that and the mask
        """
        value, _, feasible = self._evaluate(
            pred, label, pred_lengths, label_lengths, sample_weight, out, None, None, True, False
        )
        return (value, feasible) if return_feasible else value

    def value_and_grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        pred_lengths: ArrayLike | None = None,
        label_lengths: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        out: Array | None = None,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
        return_feasible: bool = False,
    ) -> tuple[Any, ...]:
        """(value, gradient) or (value, gradient, feasible).

        Parameters
        ----------
        pred, label, pred_lengths, label_lengths, sample_weight, out, return_feasible
            As for a plain call.
        grad_out : ndarray, optional
            Where the gradient goes: pred's shape and type; may be pred itself.
        grad_output : array_like, optional
            The cotangent, exactly of the value's shape; ones by default.

        Returns
        -------
        tuple
            The value is that of a plain call, bit for bit.
        """
        results = self._evaluate(
            pred, label, pred_lengths, label_lengths, sample_weight, out, grad_out, grad_output, True, True
        )
        return results if return_feasible else results[:2]

    def grad(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        pred_lengths: ArrayLike | None = None,
        label_lengths: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        grad_out: Array | None = None,
        grad_output: ArrayLike | None = None,
        return_feasible: bool = False,
    ) -> Any:
        """The gradient, or (gradient, feasible); arguments as for :meth:`value_and_grad`."""
        results = self._evaluate(
            pred, label, pred_lengths, label_lengths, sample_weight, None, grad_out, grad_output, False, True
        )
        return results[1:] if return_feasible else results[1]

    def _evaluate(
        self,
        pred: ArrayLike,
        label: ArrayLike,
        pred_lengths: ArrayLike | None,
        label_lengths: ArrayLike | None,
        sample_weight: ArrayLike | None,
        out: Array | None,
        grad_out: Array | None,
        grad_output: ArrayLike | None,
        want_value: bool,
        want_grad: bool,
    ) -> tuple[Any, Any, Array]:
        return evaluate_ctc(
            self._spec, pred, label, pred_lengths, label_lengths, sample_weight,  # type: ignore[attr-defined]
            out, grad_out, grad_output, want_value, want_grad,
        )  # fmt: skip


def ctc_greedy_decode(
    pred: ArrayLike,
    pred_lengths: ArrayLike | None = None,
    layout: str = "NTC",
    blank: str | int = "last",
    input: str = "logits",
) -> tuple[list[Array], Array]:
    """Labels spelled by the best path: the likeliest class of each frame, repetitions merged, blanks removed.

    Parameters
    ----------
    pred : array_like of shape (N, T, C), or (T, N, C)
        Scores; types as for :class:`CTCLoss`.
    pred_lengths : array_like of shape (N,), optional
        Frames of each sample; T by default.
    layout, blank, input
        As for :class:`CTCLoss`. Of equal classes the first one counts.

    Returns
    -------
    labels : list of N int64 arrays
    scores : ndarray of shape (N,)
        The logarithm of the path's probability, 0 without frames, NaN where a frame has NaN or inf, or logits that are
        all -inf. (That of the labels may be larger: other paths can spell them too.)

    Examples
    --------
    >>> import closs
    >>> labels, scores = closs.ctc_greedy_decode([[[9.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 0.0, 9.0], [0.0, 9.0, 0.0]]])
    >>> labels
    [array([0, 1])]
    """
    return greedy_decode(pred, pred_lengths, layout, blank, input)
