"""The losses of rows, written again as plainly as wide numbers allow, sharing nothing with the code under test.

A formula takes arrays of wide numbers with rows along the last axis. It returns a Truth: the value of every row (or
element), and a function that gives the gradients of sum(factors * values), whatever the factors. ``reduced`` makes the
value and the factors of a reduction. ``CASES`` is the table that test_rows.py goes over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from helpers import moderate
from oracle import Expected, Numbers, has_fma

import closs

#: Units in the last place that a row's value, or an element of its gradient, may be off its largest term.
ULPS_OF_ROW = 4 if has_fma(closs.config()["isa"]) else 5


def times(coefficient, x):
    """A product in which a coefficient of 0 wins."""
    return np.where(coefficient == 0, 0, coefficient * np.where(coefficient == 0, 0, x))


def along_rows(terms: list) -> Expected:
    """The sum along the last axis of elements that are sums of terms; the magnitude is that of a sum, too."""
    elements = Expected.of_terms(terms)
    return Expected(elements.exact.sum(-1), elements.magnitude.sum(-1))


@dataclass(frozen=True)
class Truth:
    """Of rows (or elements)."""

    value: Expected
    gradients: Callable[[Any], list[Expected]]
    counted: Any = True  # which values enter a mean
    applied: Any = 1  # their weights in a weighted mean, beside sample_weight
    lse: Expected | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value.exact)


# ---- Formulas --------------------------------------------------------------------------------------------------------


def softmax_parts(x, n: Numbers):
    """Of each row that is not all -inf: the maximum, log(sum exp(x - maximum)), and the softmax."""
    top = x.max(-1, keepdims=True)
    e = n.exp(x - top)
    others = e.copy()
    np.put_along_axis(others, x.argmax(-1)[..., np.newaxis], 0 * top, -1)
    others = others.sum(-1, keepdims=True)
    return top, n.log1p(others), e / (1 + others)


def cross_entropy(inputs, label, n, *, sparse_label=True, from_logits=False, class_weight=None, ignore_index=None,
                  label_smoothing=0.0, z_loss=0.0):  # fmt: skip
    (x,) = inputs
    classes = x.shape[-1]
    w = n.lift(np.ones(classes) if class_weight is None else np.asarray(class_weight))
    smoothing, z = n.lift(label_smoothing), n.lift(z_loss)
    counted, applied = True, 1
    if sparse_label:
        counted = label != (math.inf if ignore_index is None else ignore_index)
        at = np.where(counted, label, 0).astype(int)
        one_hot = at[..., np.newaxis] == np.arange(classes)
        q = np.where(one_hot, (1 - smoothing) * w, 0 * w) + smoothing / classes * w
        applied = w[at]
    else:
        q = w * ((1 - smoothing) * n.lift(label) + smoothing / classes)
    if from_logits:
        value, lse = along_rows([times(q, -x)]), None

        def gradients(factors):
            slopes = -q * factors[..., np.newaxis]
            return [Expected(slopes, abs(slopes))]

    else:
        top, log_sum, p = softmax_parts(x, n)
        total = top + log_sum
        terms = along_rows([times(q, (top - x) + log_sum)])
        square = (z * total**2)[..., 0]
        rounded = (z * abs(total) * np.maximum(abs(top), log_sum))[..., 0]  # of terms of the logsumexp
        value = Expected(terms.exact + square, np.maximum.reduce([terms.exact + abs(square), terms.magnitude, rounded]))
        lse = Expected.of_terms([top[..., 0], log_sum[..., 0]])

        def gradients(factors):
            f = factors[..., np.newaxis]
            softmax_part = [factor * p * f for factor in (q.sum(-1, keepdims=True), 2 * z * top, 2 * z * log_sum)]
            return [Expected.of_terms([*softmax_part, -q * f])]

    return Truth(value, gradients, counted, applied, lse)


def divergence(inputs, label, n, *, from_logits=True):
    (x,) = inputs
    y = n.lift(label)
    own = times(y, n.log(np.where(y == 0, 1, y)))
    if from_logits:
        return Truth(Expected.of_terms([own, -times(y, x)]), lambda f: [Expected(-f * y, abs(f * y))])
    top, log_sum, p = softmax_parts(x, n)

    def gradients(factors):
        slopes = factors * y
        exact = slopes.sum(-1, keepdims=True) * p - slopes
        return [Expected(exact, np.maximum(abs(slopes).sum(-1, keepdims=True) * p, abs(slopes)))]

    return Truth(Expected.of_terms([own, times(y, top - x), times(y, log_sum)]), gradients)


def triplet(inputs, label, n, *, margin=1):
    pred, positive, negative = inputs
    near, far = ((other - pred) ** 2 for other in (positive, negative))
    value = Expected.of_terms([near.sum(-1), -far.sum(-1), n.lift(margin)])
    active = value.exact > 0

    def gradients(factors):
        f = np.where(active, factors, 0)[..., np.newaxis]
        slopes = [2 * f * (negative - positive), 2 * f * (positive - pred), 2 * f * (pred - negative)]
        return [Expected(slope, abs(slope)) for slope in slopes]

    return Truth(Expected(np.where(active, value.exact, 0), np.where(active, value.magnitude, 0)), gradients)


def cosine(inputs, label, n, *, margin=0):
    a, b = inputs
    same, margin, floor = np.reshape(label, (*a.shape[:-1], 1)) == 1, n.lift(margin), n.lift(1e-12)
    length_a, length_b = ((v**2).sum(-1, keepdims=True) ** n.lift(0.5) for v in inputs)
    product = length_a * length_b
    divisor = np.where(product < floor, floor, product)
    cos, size = ((u * v).sum(-1, keepdims=True) / divisor for u, v in ((a, b), (abs(a), abs(b))))
    inside = cos > margin
    value = np.where(same, 1 - cos, np.where(inside, cos - margin, 0))
    magnitude = np.maximum(np.where(same, 1, np.where(inside, abs(margin), 0)), np.where(same | inside, size, 0))
    sign = np.where(product == 0, 0, np.where(same, -1, np.where(inside, 1, 0)))

    def gradients(factors):
        f = factors[..., np.newaxis] * sign
        result = []
        for own, other, length in ((a, b, length_a), (b, a, length_b)):
            pull = other / divisor
            push = np.where(product < floor, 0, own / np.where(length == 0, 1, length) ** 2)
            result.append(Expected(f * (pull - cos * push), abs(f) * np.maximum(abs(pull), size * abs(push))))
        return result

    return Truth(Expected(value[..., 0], magnitude[..., 0]), gradients)


def sdml(inputs, label, n, *, smoothing_parameter=0.3, rounded=True):
    """Errors of double are measured as if distances were rounded once: half an ulp of a distance d moves exp(-d) by d/2
    ulp. Those of float32 are not: distances and their softmax are computed in double."""
    first, second = inputs
    rows = len(first)
    s = n.lift(smoothing_parameter)
    q = np.where(np.eye(rows, dtype=bool), 1 - s if rows > 1 else 1 + 0 * s, s / max(rows - 1, 1))
    difference = first[:, np.newaxis] - second
    distance = (difference**2).sum(-1)
    top, log_sum, p = softmax_parts(-distance, n)
    own = times(q, n.log(np.where(q == 0, 1, q)))
    excess = [times(q, distance), times(q, top + 0 * q)] if rounded else [times(q, distance + top)]
    terms = [own, *excess, times(q, log_sum)]

    def gradients(factors):
        f = factors[:, np.newaxis]
        weight = 2 * f * (q - p)
        moved = 1 + distance + (p * distance).sum(-1, keepdims=True) if rounded else 1
        size = 2 * abs(f) * np.maximum(q, p * moved)
        weight, size = weight[..., np.newaxis], size[..., np.newaxis]
        return [
            Expected((weight * difference).sum(1), (size * abs(difference)).sum(1)),
            Expected(-(weight * difference).sum(0), (size * abs(difference)).sum(0)),
        ]

    return Truth(along_rows(terms), gradients)


def reduced(truth: Truth, reduction, batch, weight=1, sample_weight=1, cotangent=1):
    """(value, factors of the gradients); batch is the axis of samples in the unreduced value."""
    shape = truth.shape
    counted = np.broadcast_to(truth.counted, shape)
    w = np.where(counted, sample_weight, 0)
    others = tuple(k for k in range(len(shape)) if k != batch)
    axes = {"none": (), "sample_sum": others, "sample_mean": others}.get(reduction, tuple(range(len(shape))))
    count = {
        "mean": lambda: counted.sum(),
        "sample_mean": lambda: counted.sum(axes, keepdims=True),
        "weighted_mean": lambda: np.sum(w * np.where(counted, truth.applied, 0)),
    }.get(reduction, lambda: 1)()
    scale = np.where(count == 0, 0, weight / np.where(count == 0, 1, count))
    exact, magnitude = (
        np.asarray(np.sum(times(w, of_value), axis=axes, keepdims=True) * factor)
        for of_value, factor in ((truth.value.exact, scale), (truth.value.magnitude, abs(scale)))
    )
    if reduction in ("mean", "weighted_mean"):
        exact = np.where(count == 0, math.nan, exact)
    factors = np.broadcast_to(w * scale * np.reshape(cotangent, exact.shape if np.ndim(cotangent) else ()), shape)
    left = [length for k, length in enumerate(shape) if k not in axes]
    return Expected(exact.reshape(left), np.asarray(abs(magnitude)).reshape(left)), factors


# ---- Geometry: where the rows are ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Geometry:
    shape: tuple[int, ...]
    options: dict[str, int] = field(default_factory=dict)  # axis and batch_axis

    def __str__(self) -> str:
        return "x".join(map(str, self.shape)) + "".join(f" {k}={v}" for k, v in self.options.items())

    def axis(self, name: str, default: int) -> int:
        axis = self.options.get(name, default)
        return axis % len(self.shape)


class ClassRows:
    """Rows along the class axis."""

    @staticmethod
    def rows(a, g: Geometry):
        return np.moveaxis(a, g.axis("axis", -1), -1)

    @staticmethod
    def unreduced(g: Geometry) -> tuple[int, ...]:
        axis = g.axis("axis", -1)
        return g.shape[:axis] + g.shape[axis + 1 :]

    @staticmethod
    def batch(g: Geometry) -> int:
        batch = g.axis("batch_axis", 0)
        return batch - (batch > g.axis("axis", -1))

    geometries = [
        Geometry((4, 5)),
        Geometry((5, 4), {"axis": 0, "batch_axis": 1}),
        Geometry((3, 4, 5), {"batch_axis": 1}),
        Geometry((3, 5, 4), {"axis": 1}),
        Geometry((5, 3, 4), {"axis": 0, "batch_axis": -1}),
        Geometry((2, 3, 4, 2), {"axis": 2, "batch_axis": 1}),
        Geometry((3, 1)),
        Geometry((1, 7)),
        Geometry((7,)),
    ]


class ClassElements(ClassRows):
    """The same, with a value for each element."""

    @staticmethod
    def unreduced(g: Geometry) -> tuple[int, ...]:
        return g.shape


class LastRows:
    """Rows along the last axis."""

    @staticmethod
    def rows(a, g: Geometry):
        return a

    @staticmethod
    def unreduced(g: Geometry) -> tuple[int, ...]:
        return g.shape[:-1]

    @staticmethod
    def batch(g: Geometry) -> int:
        return g.axis("batch_axis", 0)

    geometries = [
        Geometry((4, 5)),
        Geometry((3, 4, 5), {"batch_axis": 1}),
        Geometry((2, 3, 2, 4), {"batch_axis": -2}),
        Geometry((3, 1)),
        Geometry((1, 7)),
        Geometry((7,)),
    ]


class SampleRows:
    """A sample is a row."""

    @staticmethod
    def rows(a, g: Geometry):
        a = np.moveaxis(a, g.axis("batch_axis", 0), 0)
        return a.reshape(len(a), -1)

    @staticmethod
    def unreduced(g: Geometry) -> tuple[int, ...]:
        return (g.shape[g.axis("batch_axis", 0)],)

    @staticmethod
    def batch(g: Geometry) -> int:
        return 0

    geometries = [
        Geometry((4, 5)),
        Geometry((5, 4), {"batch_axis": 1}),
        Geometry((3, 4, 5), {"batch_axis": 1}),
        Geometry((2, 3, 4), {"batch_axis": -1}),
        Geometry((3, 1)),
        Geometry((1, 7)),
        Geometry((7,)),
    ]


# ---- Labels ----------------------------------------------------------------------------------------------------------


def class_weights(classes: int, dtype) -> list[float]:
    """One of them 0."""
    w = np.abs(moderate(classes, dtype, seed=31)) / 2 + dtype(0.25)
    w[2:3] = 0
    return w.tolist()


def class_numbers(rows_shape, classes: int, seed: int, ignore_index=None) -> np.ndarray:
    """Every third one is ignored, if any is to be."""
    label = np.asarray(np.random.RandomState(seed).randint(0, max(classes, 1), rows_shape))
    if label.size:
        label.flat[0] = 1 % classes  # one that has a weight
    if ignore_index is not None:
        label[(np.arange(label.size) % 3 == 1).reshape(label.shape)] = ignore_index
    return label


def distributions(shape, dtype, seed: int, axis: int) -> np.ndarray:
    """Along an axis, with zeros."""
    y = np.abs(moderate(shape, dtype, seed=seed))
    y[y < 0.7] = 0
    return np.asarray(y / np.maximum(y.sum(axis, keepdims=True), dtype(0.5)), dtype)


# ---- The table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A loss in one configuration."""

    id: str
    cls: type
    formula: Callable
    family: type
    names: tuple[str, ...]  # of the inputs that have gradients
    options: dict[str, Any] = field(default_factory=dict)  # of constructor and formula

    def options_for(self, g: Geometry, dtype) -> dict[str, Any]:
        options = dict(self.options)
        if options.get("class_weight"):
            options["class_weight"] = class_weights(g.shape[g.axis("axis", -1)], dtype)
        return options

    def make(self, g: Geometry, dtype=np.float64, **options) -> Any:
        return self.cls(**self.options_for(g, dtype), **g.options, **options)

    @property
    def is_sparse(self) -> bool:
        return self.formula is cross_entropy and self.options.get("sparse_label", True)

    def label(self, g: Geometry, dtype, seed: int = 1) -> list[np.ndarray]:
        """Nothing, or a list of one."""
        if self.formula is cosine:
            label = np.resize(dtype([1, -1, -1, 1, -1]), g.shape[:-1])
        elif self.is_sparse:
            classes = g.shape[g.axis("axis", -1)]
            label = class_numbers(self.family.unreduced(g), classes, seed, self.options.get("ignore_index"))
        elif self.family in (ClassRows, ClassElements):
            label = distributions(g.shape, dtype, seed + 50, g.axis("axis", -1))
        else:
            return []
        return [label]

    def arguments(self, g: Geometry, dtype, seed: int = 1, scale: float = 1) -> list[np.ndarray]:
        """Inputs, and the label if there is one."""
        scale = scale / 4 if self.formula is sdml else scale
        return [
            *(moderate(g.shape, dtype, seed=100 * k + seed) * dtype(scale) for k in range(len(self.names))),
            *self.label(g, dtype, seed),
        ]

    def truth(self, g: Geometry, arguments, n: Numbers) -> Truth:
        count = len(self.names)
        inputs = [self.family.rows(n.lift(a), g) for a in arguments[:count]]
        label = None if len(arguments) == count else np.asarray(arguments[count])
        if label is not None and label.shape == g.shape:
            label = self.family.rows(label, g)
        dtype = arguments[0].dtype.type
        rounded = {"rounded": dtype == np.float64} if self.formula is sdml else {}
        with np.errstate(all="ignore"):
            return self.formula(inputs, label, n, **self.options_for(g, dtype), **rounded)

    def batch(self, g: Geometry) -> int:
        """The axis of samples in an unreduced value; a single row that is normalised as a whole is one sample."""
        return -1 if len(g.shape) == 1 and self.id == "kl-softmax" else self.family.batch(g)

    def rows_of_value(self, value, g: Geometry):
        """An unreduced value, or what is shaped like it, with its axes as the formula has them."""
        return self.family.rows(value, g) if self.family is ClassElements else value


def _entropy(id: str, **options) -> Case:
    return Case(id, closs.SoftmaxCELoss, cross_entropy, ClassRows, ("pred",), options)


CASES = [
    _entropy("ce"),
    _entropy("ce-class_weight", class_weight=True),
    _entropy("ce-ignore", ignore_index=-100),
    _entropy("ce-ignore-class-0", ignore_index=0),
    _entropy("ce-smoothing", label_smoothing=0.1),
    _entropy("ce-uniform", label_smoothing=1.0),
    _entropy("ce-z", z_loss=0.25),
    _entropy("ce-z-smoothing", z_loss=0.5, label_smoothing=0.9),
    _entropy("ce-all", class_weight=True, ignore_index=255, label_smoothing=0.25, z_loss=1e-3),
    _entropy("ce-log", from_logits=True),
    _entropy("ce-log-all", from_logits=True, class_weight=True, ignore_index=-1, label_smoothing=0.25),
    _entropy("ce-dense", sparse_label=False),
    _entropy("ce-dense-all", sparse_label=False, class_weight=True, label_smoothing=0.25, z_loss=1e-3),
    _entropy("ce-dense-log", sparse_label=False, from_logits=True, class_weight=True),
    Case("kl", closs.KLDivLoss, divergence, ClassElements, ("pred",)),
    Case("kl-softmax", closs.KLDivLoss, divergence, ClassElements, ("pred",), {"from_logits": False}),
    Case("triplet", closs.TripletLoss, triplet, SampleRows, ("pred", "positive", "negative")),
    Case("triplet-5.5", closs.TripletLoss, triplet, SampleRows, ("pred", "positive", "negative"), {"margin": 5.5}),
    Case("cosine", closs.CosineEmbeddingLoss, cosine, LastRows, ("input1", "input2")),
    Case("cosine-0.25", closs.CosineEmbeddingLoss, cosine, LastRows, ("input1", "input2"), {"margin": 0.25}),
    Case("sdml", closs.SDMLLoss, sdml, SampleRows, ("x1", "x2")),
    Case("sdml-0", closs.SDMLLoss, sdml, SampleRows, ("x1", "x2"), {"smoothing_parameter": 0.0}),
]
BY_ID = {case.id: case for case in CASES}


def results(answer) -> list:
    """(value, gradient) or (value, (gradients)) as a flat list."""
    value, grads = answer
    return [value, *(grads if isinstance(grads, tuple) else [grads])]
