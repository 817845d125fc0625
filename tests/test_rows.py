"""What every loss over rows promises: values and gradients against wide numbers, in each reduction and geometry; one
set of bits for every way to ask for it."""

import json
import math
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import REDUCTIONS, TESTS, assert_same_bits, moderate, run_python
from hypothesis import given
from hypothesis import strategies as st
from oracle import FLOAT64, LONGDOUBLE_IS_WIDE, MPMATH, Expected, assert_within, has_fma, wide_numbers
from row_oracles import (
    BY_ID,
    CASES,
    ULPS_OF_ROW,
    Case,
    ClassElements,
    ClassRows,
    Geometry,
    LastRows,
    SampleRows,
    reduced,
    results,
)

import closs

NAN, INF = math.nan, math.inf
TOTALS = ("mean", "sum", "weighted_mean")
LARGE = [
    Geometry((3000, 40)),
    Geometry((3, 700, 50), {"axis": 1}),
    Geometry((50, 3000), {"axis": 0, "batch_axis": 1}),
]
LARGE_PAIRS = Geometry((150, 90))


def pytest_generate_tests(metafunc):
    """Cases, and cases with each of their geometries."""
    if "geometry" in metafunc.fixturenames:
        pairs = [(case, g) for case in CASES for g in case.family.geometries]
        metafunc.parametrize("case, geometry", pairs, ids=lambda x: x.id if isinstance(x, Case) else str(x))
    elif "case" in metafunc.fixturenames and not any("case" in m.args for m in metafunc.definition.iter_markers()):
        metafunc.parametrize("case", CASES, ids=lambda case: case.id)


def large(case: Case) -> list[Geometry]:
    """Sizes above which several threads work, cut along each axis."""
    if case.cls is closs.SDMLLoss:
        return [LARGE_PAIRS]
    if case.family in (ClassRows, ClassElements):
        return LARGE
    return [Geometry(g.shape) for g in LARGE]


def weights_like(shape, dtype):
    """Positive ones, and zeros."""
    w = np.asarray(np.abs(moderate(shape, dtype, seed=8)) + dtype(0.1))
    w[(np.arange(w.size) % 5 == 2).reshape(shape)] = 0
    return w


def assert_same_results(a, b, what: str = "") -> None:
    for k, (one, other) in enumerate(zip(results(a), results(b), strict=True)):
        assert_same_bits(one, other, f"{what} {'gradient' if k else 'value'} {k}")


def check(case, g, arguments, n, reductions=REDUCTIONS, weight=None, weights=None, with_cotangent=False, bound=None):
    """Every reduction against the oracle; weights have the shape of the unreduced value, up to broadcasting."""
    __tracebackhide__ = True
    dtype = arguments[0].dtype.type
    truth = case.truth(g, arguments, n)
    wide_weights = 1
    if weights is not None:
        wide_weights = case.rows_of_value(n.lift(np.broadcast_to(weights, case.family.unreduced(g))), g)
    for reduction in reductions:
        loss = case.make(g, dtype, reduction=reduction, **({} if weight is None else {"weight": weight}))
        cotangent, wide_cotangent = None, 1
        if with_cotangent:
            shape = np.shape(loss(*arguments))
            cotangent = moderate(shape, dtype, seed=9)
            wide_cotangent = n.lift(case.rows_of_value(cotangent, g) if reduction == "none" else cotangent)
        value, *grads = results(loss.value_and_grad(*arguments, weights, grad_output=cotangent))
        expected, factors = reduced(
            truth, reduction, case.batch(g), 1 if weight is None else n.lift(weight), wide_weights, wide_cotangent
        )
        value = np.asarray(value, dtype)  # a float has the accuracy of the rows' type, although it is a double
        if reduction == "none":
            value = case.rows_of_value(value, g)
        value, expected = np.atleast_1d(value), Expected(*map(np.atleast_1d, (expected.exact, expected.magnitude)))
        ulps = bound or (ULPS_OF_ROW + (reduction != "none"))
        assert value.shape == expected.exact.shape, reduction
        undefined = np.asarray([v != v for v in expected.exact.flat]).reshape(value.shape)  # noqa: PLR0124
        assert np.isnan(value[undefined]).all()
        if not undefined.any():
            assert_within(ulps, value, expected, n, f"{case.id} {reduction} value")
        with np.errstate(all="ignore"):
            slopes = truth.gradients(factors)
        for name, grad, slope in zip(case.names, grads, slopes, strict=True):
            assert (grad.shape, grad.dtype) == (g.shape, dtype)
            assert_within(ulps, case.family.rows(grad, g), slope, n, f"{case.id} {reduction} gradient of {name}")


# ---- Against the oracle ----------------------------------------------------------------------------------------------


def test_mpmath(case, geometry, dtype):
    check(case, geometry, case.arguments(geometry, dtype), MPMATH, ["none"])


def wide_or_skip(dtype):
    if dtype == np.float64 and not LONGDOUBLE_IS_WIDE:
        pytest.skip("long double is no wider than double on this platform")
    return wide_numbers(dtype)


def test_reductions(case, geometry, dtype):
    n, arguments = wide_or_skip(dtype), case.arguments(geometry, dtype)
    weights = weights_like(case.family.unreduced(geometry), dtype)
    check(case, geometry, arguments, n)
    check(case, geometry, arguments, n, weights=weights)
    check(case, geometry, arguments, n, weight=-0.75, weights=weights, with_cotangent=True)


@pytest.mark.parametrize("scale", [1e-3, 10], ids=["nearly equal", "far apart"])
def test_scales(case, geometry, dtype, scale):
    check(case, geometry, case.arguments(geometry, dtype, 3, scale), wide_or_skip(dtype), ["none", "mean"])


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 100, 257, 1000, 4099])
def test_lengths(case, dtype, length):
    """Of rows: each body and tail of the loops."""
    g = Geometry((5, length))
    check(case, g, case.arguments(g, dtype, 5, 2), wide_or_skip(dtype), ["none", "weighted_mean"])


def test_large(case, dtype):
    """Cut into tasks."""
    for g in large(case):
        bound = 16 if case.cls is closs.SDMLLoss and dtype == np.float64 else None  # distances are rounded to double
        check(
            case, g, case.arguments(g, dtype, 5, 2), wide_or_skip(dtype), ["none", "sample_mean", "mean"], bound=bound
        )


WEIGHT_SHAPES = {  # of a loss with rows of shape (4, 3); "kept": the axis of the row is there, at length one
    "scalar": (), "last axis": (3,), "trailing": (1, 3), "leading": (4, 1), "all": (4, 3),
    "kept": (4, 3, 1), "kept, a sample": (4, 1, 1), "kept, last": (1, 3, 1), "kept, one": (1, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize("shape", WEIGHT_SHAPES.values(), ids=WEIGHT_SHAPES)
@pytest.mark.parametrize("case", [c for c in CASES if c.family in (ClassRows, LastRows)], ids=lambda c: c.id)
def test_weights_of_rows_broadcast(case, dtype, shape):
    """Against the axes of the unreduced value; with as many axes as pred, against pred's, rows at length one."""
    for options in ({}, {"batch_axis": 1}):
        g = Geometry((4, 3, 6), options)
        arguments = case.arguments(g, dtype)
        w = weights_like(shape, dtype)
        full = np.array(np.broadcast_to(w[..., 0] if w.ndim == 3 else w, (4, 3)))
        for reduction in REDUCTIONS:
            loss = case.make(g, dtype, reduction=reduction)
            assert_same_results(loss.value_and_grad(*arguments, w), loss.value_and_grad(*arguments, full), reduction)


@pytest.mark.parametrize("shape", [(), (6,), (4, 1, 1), (1, 3, 1), (4, 3, 1), (4, 3, 6), (3, 6), (4, 1, 6), (1, 1, 6)])
@pytest.mark.parametrize("axis, batch_axis", [(-1, 0), (1, 0), (0, 1)])
def test_weights_of_divergence_broadcast(dtype, shape, axis, batch_axis):
    """Against pred's shape, along the class axis too."""
    g = Geometry((4, 3, 6), {"axis": axis, "batch_axis": batch_axis})
    for case in (BY_ID["kl"], BY_ID["kl-softmax"]):
        check(case, g, case.arguments(g, dtype), wide_or_skip(dtype), weights=weights_like(shape, dtype))


@pytest.mark.parametrize("shape", [(3,), (3, 1), (), (1, 1)], ids=str)
@pytest.mark.parametrize("case", [c for c in CASES if len(c.names) > 1], ids=lambda c: c.id)
def test_weights_of_samples(case, dtype, shape):
    g = Geometry((3, 4))
    w = weights_like(shape, dtype)
    full = np.broadcast_to(w[..., 0] if w.ndim == 2 else w, (3,))
    arguments = case.arguments(g, dtype)
    loss = case.make(g)
    assert_same_results(loss.value_and_grad(*arguments, w), loss.value_and_grad(*arguments, full))


@pytest.mark.parametrize("shape", [(3,), (1, 3, 1), (), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("case", [c for c in CASES if c.family is SampleRows], ids=lambda c: c.id)
def test_weights_of_samples_along_another_axis(case, dtype, shape):
    """With as many axes as the inputs they lie along batch_axis."""
    g = Geometry((2, 3, 4), {"batch_axis": 1})
    w = weights_like(shape, dtype)
    arguments, loss = case.arguments(g, dtype), case.make(g)
    full = np.array(np.broadcast_to(w.reshape(-1), (3,)))
    assert_same_results(loss.value_and_grad(*arguments, w), loss.value_and_grad(*arguments, full))
    with pytest.raises(ValueError, match="^sample_weight: expected .+, got .+"):
        loss(*arguments, weights_like((3, 1, 1), dtype))


def test_finite_differences(case, geometry):
    """Of the value itself, with weights and a cotangent: no formula but the code's own."""
    arguments = case.arguments(geometry, np.float64)
    weights = np.abs(moderate(case.family.unreduced(geometry), np.float64, seed=8)) + 0.1
    step = 1e-5
    for reduction in REDUCTIONS:
        loss = case.make(geometry, reduction=reduction, weight=0.7)
        value = loss(*arguments, weights)
        if np.isnan(value).any():  # a mean of nothing
            continue
        cotangent = moderate(np.shape(value), np.float64, seed=9)
        grads = results(loss.value_and_grad(*arguments, weights, grad_output=cotangent))[1:]
        for k, grad in enumerate(grads):
            slopes = np.zeros(geometry.shape)
            for at in np.ndindex(geometry.shape):
                sides = []
                for sign in (1, -1):
                    moved = [a.copy() for a in arguments]
                    moved[k][at] += sign * step
                    sides.append(np.sum(cotangent * np.asarray(loss(*moved, weights))))
                slopes[at] = (sides[0] - sides[1]) / (2 * step)
            np.testing.assert_allclose(grad, slopes, rtol=1e-6, atol=2e-8, err_msg=f"{reduction} {case.names[k]}")


# ---- Results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_types_and_shapes(case, geometry, dtype, reduction):
    loss = case.make(geometry, dtype, reduction=reduction)
    answer = loss.value_and_grad(*case.arguments(geometry, dtype))
    assert len(answer) == 2
    assert isinstance(answer[1], tuple) == (len(case.names) > 1)
    value, *grads = results(answer)
    assert len(grads) == len(case.names)
    for grad in grads:
        expected = (np.ndarray, dtype, geometry.shape, True)
        assert (type(grad), grad.dtype, grad.shape, grad.flags.c_contiguous) == expected
    if reduction in TOTALS:
        assert type(value) is float
    else:
        of_rows = case.family in (ClassRows, LastRows) or case.id == "kl-softmax"
        samples = () if len(geometry.shape) == 1 and of_rows else (geometry.shape[geometry.axis("batch_axis", 0)],)
        assert (type(value), value.dtype) == (np.ndarray, dtype)
        assert value.shape == (case.family.unreduced(geometry) if reduction == "none" else samples)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_parts_of_a_call_agree(case, geometry, dtype, reduction):
    """Bit for bit, with weights and without."""
    arguments = case.arguments(geometry, dtype)
    loss = case.make(geometry, dtype, reduction=reduction)
    for w in (None, weights_like(case.family.unreduced(geometry), dtype)):
        answer = loss.value_and_grad(*arguments, w)
        assert_same_results((loss(*arguments, w), loss.grad(*arguments, w)), answer)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_neutral_arguments_change_no_bit(case, geometry, dtype, reduction):
    """The direct ways, which know of no weight, agree with the general one."""
    arguments = case.arguments(geometry, dtype)
    plain = case.make(geometry, dtype, reduction=reduction).value_and_grad(*arguments)
    ones = np.ones(np.shape(plain[0]), dtype)
    loss = case.make(geometry, dtype, reduction=reduction, weight=1.0)
    weights = np.ones(case.family.unreduced(geometry), dtype)
    if reduction == "weighted_mean" and case.options.get("class_weight"):
        weights = None
    assert_same_results(loss.value_and_grad(*arguments, weights, grad_output=ones), plain)


def test_outputs_are_used(case, geometry, dtype):
    arguments = case.arguments(geometry, dtype)
    for reduction in REDUCTIONS:
        loss = case.make(geometry, dtype, reduction=reduction)
        plain = results(loss.value_and_grad(*arguments))
        outputs = [np.full(np.shape(p), -7, float if np.ndim(p) == 0 and reduction in TOTALS else dtype) for p in plain]
        out, *grad_out = outputs
        given = grad_out[0] if len(grad_out) == 1 else tuple(grad_out)
        answer = results(loss.value_and_grad(*arguments, out=out, grad_out=given))
        assert answer[0] is out or reduction in TOTALS
        assert all(a is b for a, b in zip(answer[1:], grad_out, strict=True))
        for a, b in zip(outputs, plain, strict=True):
            assert_same_bits(a, np.asarray(b), reduction)


def test_some_outputs_are_given(dtype):
    """None stands for an output that closs makes."""
    for case in (BY_ID["triplet"], BY_ID["cosine"], BY_ID["sdml"]):
        g = Geometry((4, 5))
        arguments = case.arguments(g, dtype)
        plain = case.make(g).value_and_grad(*arguments)
        for k in range(len(case.names)):
            given = np.full(g.shape, -7, dtype)
            grad_out = tuple(given if j == k else None for j in range(len(case.names)))
            answer = case.make(g).value_and_grad(*arguments, grad_out=grad_out)
            assert answer[1][k] is given
            assert_same_results(answer, plain)


def test_given_outputs_are_all_that_is_written_to(case, dtype):
    """Beside them no array of an input's size is made, nor a part of one. (C's own working memory is not seen here.)"""
    g = Geometry((40, 5000))
    arguments = case.arguments(g, dtype)
    grads = tuple(np.empty(g.shape, dtype) for _ in case.names)
    outputs = {"out": np.empty(40, dtype), "grad_out": grads if len(grads) > 1 else grads[0]}
    loss = case.make(g, dtype)
    tracemalloc.start()
    try:
        loss.value_and_grad(*arguments, **outputs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < grads[0].nbytes / 16


def test_inputs_are_left_alone(case, geometry, dtype):
    arguments = case.arguments(geometry, dtype)
    before = [a.copy() for a in arguments]
    for a in arguments:
        a.flags.writeable = False
    case.make(geometry, dtype).value_and_grad(*arguments)
    for a, b in zip(arguments, before, strict=True):
        assert_same_bits(a, b)


def test_float16(case, geometry):
    """Computed in float32, then rounded."""
    arguments = case.arguments(geometry, np.float16)
    for reduction in ("sample_mean", "none", "mean"):
        loss = case.make(geometry, np.float16, reduction=reduction)
        value, *grads = results(loss.value_and_grad(*arguments))
        wide = [a.astype(np.float32) if a.dtype == np.float16 else a for a in arguments]
        wide_value, *wide_grads = results(loss.value_and_grad(*wide))
        assert_same_bits(value, wide_value if reduction == "mean" else wide_value.astype(np.float16))
        for a, b in zip(grads, wide_grads, strict=True):
            assert_same_bits(a, b.astype(np.float16))


def test_integers_and_lists_become_float64(case):
    g = Geometry((3, 4))
    arguments = [np.rint(a) if a.dtype == float else a for a in case.arguments(g, np.float64)]
    expected = case.make(g).value_and_grad(*arguments)
    assert_same_results(case.make(g).value_and_grad(*[a.tolist() for a in arguments]), expected)
    assert_same_results(case.make(g).value_and_grad(*[a.astype(np.int16) for a in arguments]), expected)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0, 2, 3)], ids=str)
@pytest.mark.filterwarnings("error")
def test_no_rows(case, dtype, shape):
    """A sum of nothing is 0, a mean of nothing NaN, and nobody is warned."""
    g = Geometry(shape)
    arguments = case.arguments(g, dtype)
    unreduced = case.family.unreduced(g)
    empty_sum = np.zeros(unreduced[:1], dtype)
    if 0 in unreduced:
        for reduction, nothing in (("sample_mean", np.nan), ("sample_sum", 0)):
            value, *grads = results(case.make(g, dtype, reduction=reduction).value_and_grad(*arguments))
            assert_same_bits(value, empty_sum + dtype(nothing))
            assert [grad.shape for grad in grads] == [shape] * len(case.names)
        assert case.make(g, dtype, reduction="none")(*arguments).shape == unreduced
        assert case.make(g, dtype, reduction="sum")(*arguments) == 0
        assert math.isnan(case.make(g, dtype, reduction="mean")(*arguments))
        assert math.isnan(case.make(g, dtype, reduction="weighted_mean")(*arguments))


# ---- Layouts ---------------------------------------------------------------------------------------------------------


def unaligned(x):
    memory = np.empty(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape) if x.size else x
    view[...] = x
    return view


def spread_out(x):
    memory = np.empty([3 * length for length in x.shape], x.dtype)
    view = memory[tuple(slice(1, None, 3) for _ in x.shape)]
    view[...] = x
    return view


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


OUTPUT_LAYOUTS = {
    "C": lambda x: x.copy(),
    "Fortran": np.asfortranarray,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "spread out": spread_out,
    "unaligned": unaligned,
}
LAYOUTS = OUTPUT_LAYOUTS | {"read-only": read_only, "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder())}


@given(data=st.data())
def test_memory_layouts(case, dtype, data):
    g = data.draw(st.sampled_from(case.family.geometries))
    reduction = data.draw(st.sampled_from(REDUCTIONS))
    arguments = case.arguments(g, dtype)
    w = weights_like(case.family.unreduced(g), dtype)
    loss = case.make(g, dtype, reduction=reduction)
    plain = results(loss.value_and_grad(*arguments, w))

    def drawn(a, layouts=LAYOUTS):
        return a if a.ndim == 0 else layouts[data.draw(st.sampled_from(list(layouts)))](a)

    given_arguments, given_w = [drawn(a) for a in arguments], drawn(w)
    answer = results(loss.value_and_grad(*given_arguments, given_w))
    outputs = [drawn(np.full(np.shape(p), 7, np.asarray(p).dtype), OUTPUT_LAYOUTS) for p in plain]
    out, *grad_out = outputs
    loss.value_and_grad(
        *given_arguments, given_w, out=out, grad_out=grad_out[0] if len(grad_out) == 1 else tuple(grad_out)
    )
    for a, b, c in zip(plain, answer, outputs, strict=True):
        assert_same_bits(b, a)
        assert_same_bits(c, np.asarray(a))


def test_broadcast_inputs(case, dtype):
    """Arrays with strides of 0, read-only as np.broadcast_to gives them."""
    g = Geometry((4, 5))
    arguments = [np.broadcast_to(a[:1], a.shape) for a in case.arguments(g, dtype)]
    expected = case.make(g, dtype).value_and_grad(*[a.copy() for a in arguments])
    assert_same_results(case.make(g, dtype).value_and_grad(*arguments), expected)


def test_axes_of_length_one(case, dtype):
    """Later inputs and labels may have more or fewer of them; gradients look like their inputs."""
    g = Geometry((3, 1, 4))
    arguments = case.arguments(g, dtype)
    expected = results(case.make(g, dtype).value_and_grad(*arguments))
    others = [a.reshape([length for length in a.shape if length > 1]) for a in arguments[1:]]
    answer = results(case.make(g, dtype).value_and_grad(arguments[0], *others))
    for a, b, given_one in zip(answer[1:], expected[1:], [arguments[0], *others], strict=False):
        assert_same_bits(a, b.reshape(given_one.shape))
    assert_same_bits(answer[0], expected[0])


@pytest.mark.parametrize("layout", OUTPUT_LAYOUTS)
def test_in_place(case, geometry, dtype, layout):
    """Each gradient over its own input; sdml reads to the end and writes then."""
    for reduction in ("none", "mean"):
        loss = case.make(geometry, dtype, reduction=reduction)
        count = len(case.names)
        expected = loss.value_and_grad(*case.arguments(geometry, dtype))
        for places in [range(count), *([k] for k in range(count))]:
            arguments = case.arguments(geometry, dtype)
            for k in places:
                arguments[k] = OUTPUT_LAYOUTS[layout](arguments[k])
            grad_out = tuple(arguments[k] if k in places else None for k in range(count))
            answer = loss.value_and_grad(*arguments, grad_out=grad_out if count > 1 else grad_out[0])
            assert_same_results(answer, expected, f"{reduction} {places}")
            assert all(results(answer)[1 + k] is arguments[k] for k in places)


def test_alignment(case, dtype):
    """Every offset of an array from a multiple of 64 bytes."""
    g = Geometry((3, 37))
    arguments = case.arguments(g, dtype)
    loss = case.make(g, dtype, reduction="none")
    expected = loss.value_and_grad(*arguments)
    memory = np.empty((8, 3 * 37 + 64), dtype)
    for offset in range(17):
        inputs, grads = [], []
        for k in range(len(case.names)):
            inputs.append(memory[k, offset * (k + 1) % 17 :][: 3 * 37].reshape(g.shape))
            grads.append(memory[k + 4, offset // 2 + k :][: 3 * 37].reshape(g.shape))
            inputs[k][...] = arguments[k]
        grad_out = tuple(grads) if len(grads) > 1 else grads[0]
        answer = loss.value_and_grad(*inputs, *arguments[len(inputs) :], grad_out=grad_out)
        assert_same_results(answer, expected, f"offset {offset}")


# ---- Determinism -----------------------------------------------------------------------------------------------------


def test_threads(case, dtype):
    for g in large(case):
        arguments = case.arguments(g, dtype)
        w = weights_like(case.family.unreduced(g), dtype)
        for reduction in REDUCTIONS:
            loss = case.make(g, dtype, reduction=reduction)
            with closs.num_threads(1):
                serial = loss.value_and_grad(*arguments), loss.value_and_grad(*arguments, w)
            for threads in (2, 3, 8):
                with closs.num_threads(threads):
                    assert_same_results(loss.value_and_grad(*arguments), serial[0], f"{reduction} {threads}")
            with closs.num_threads(3):
                assert_same_results(loss.value_and_grad(*arguments, w), serial[1], f"{reduction} weights")
                assert_same_results((loss(*arguments), loss.grad(*arguments)), serial[0], f"{reduction} parts")


def test_in_place_by_several_threads(case, dtype):
    for g in large(case):
        expected = case.make(g, dtype).value_and_grad(*case.arguments(g, dtype))
        arguments = case.arguments(g, dtype)
        inputs = tuple(arguments[: len(case.names)])
        with closs.num_threads(3):
            answer = case.make(g, dtype).value_and_grad(*arguments, grad_out=inputs if len(inputs) > 1 else inputs[0])
        assert_same_results(answer, expected, str(g))


@pytest.mark.parametrize("case", [c for c in CASES if c.cls is not closs.SDMLLoss], ids=lambda c: c.id)
@pytest.mark.parametrize("length", [3, 10, 33])
def test_rows_do_not_know_their_neighbours(case, dtype, length):
    """A row's bits depend neither on how many others there are nor on where it lies among them."""
    g = Geometry((70, length))
    arguments = case.arguments(g, dtype)
    loss = case.make(g, dtype, reduction="none")
    whole = results(loss.value_and_grad(*arguments))
    for count in [*range(1, 20), 33, 69]:
        for part in (slice(None, count), slice(-count, None), slice(31, 31 + count)):
            answer = loss.value_and_grad(*[a[part] for a in arguments])
            for a, b in zip(results(answer), whole, strict=True):
                assert_same_bits(a, b[part], f"{count} {part}")


def test_many_python_threads(case):
    geometries = [Geometry((3 + 40 * k, 17)) for k in range(6)]
    inputs = [case.arguments(g, np.float32) for g in geometries]
    loss = case.make(geometries[0], np.float32)
    expected = [loss.value_and_grad(*arguments) for arguments in inputs]
    start = threading.Barrier(6)

    def work(k):
        start.wait()
        return [loss.value_and_grad(*inputs[k]) for _ in range(5)]

    with closs.num_threads(2), ThreadPoolExecutor(6) as pool:
        for k, answers in enumerate(pool.map(work, range(6))):
            for answer in answers:
                assert_same_results(answer, expected[k])


ISAS = closs.config()["isas"]
FMA_ISAS = [isa for isa in ISAS if has_fma(isa)]


@pytest.fixture(scope="module")
def hashes():
    """Of each instruction set with FMA that this machine has."""
    return {isa: json.loads(run_python("row_hashes.py", CLOSS_ISA=isa)) for isa in FMA_ISAS}


@pytest.mark.skipif(len(FMA_ISAS) < 2, reason=f"of {ISAS} only {FMA_ISAS} have FMA: there are no two to compare")
def test_isas_with_fma_agree(hashes):
    differing = {k for isa in FMA_ISAS for k, digest in hashes[isa].items() if digest != hashes[FMA_ISAS[0]][k]}
    assert not differing


@pytest.mark.skipif(not FMA_ISAS, reason="this processor has no FMA")
def test_recorded_hashes(hashes):
    """Where results are meant to change: python tests/row_hashes.py > tests/data/row_hashes.json"""
    recorded = json.loads((TESTS / "data" / "row_hashes.json").read_text())
    assert len(recorded) == 2 * len(CASES)
    assert set(recorded) == set(hashes[FMA_ISAS[-1]])
    assert {k for k, digest in recorded.items() if digest != hashes[FMA_ISAS[-1]][k]} == set()


def test_accuracy_without_fma():
    """All instruction sets with FMA give the same bits; those without it have their own accuracy to prove."""
    here = closs.config()["isa"]
    others = [isa for isa in ISAS if (isa in FMA_ISAS) != (here in FMA_ISAS)]
    if not others:
        pytest.skip(f"all of {ISAS} give the same bits as {here}")
    selected = "test_mpmath or test_scales or test_lengths"
    run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "test_rows.py", "-k", selected,
               timeout=400, CLOSS_ISA=others[-1])  # fmt: skip


# ---- Weights of 0, and what is not finite ----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_weight_0_removes(case, dtype, bad):
    """A row, finite or not, from value and gradients, as if its loss were 0."""
    g = Geometry((6, 9))
    arguments = case.arguments(g, dtype)
    weights = np.array([1.5, 0, 1, 0.5, 0, 2], dtype)
    if case.family is ClassElements:
        weights = np.repeat(weights[:, np.newaxis], 9, axis=1)
    for reduction in REDUCTIONS:
        loss = case.make(g, dtype, reduction=reduction)
        harmless = loss.value_and_grad(*arguments, weights)
        spoiled = [a.copy() for a in arguments]
        places = [0] if case.cls is closs.SDMLLoss else range(len(case.names))  # each row meets all of x2
        for k in places:
            spoiled[k][1] = spoiled[k][4, 3] = bad
        value, *grads = results(loss.value_and_grad(*spoiled, weights))
        assert_same_bits(value, harmless[0], reduction)
        for grad, expected in zip(grads, results(harmless)[1:], strict=True):
            assert_same_bits(abs(grad), abs(expected), reduction)


@pytest.mark.parametrize("case", [c for c in CASES if c.cls is not closs.SDMLLoss], ids=lambda c: c.id)
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_what_is_spoiled_is_a_row(case, dtype, bad):
    """And no other."""
    g = Geometry((40, 19))
    arguments = case.arguments(g, dtype)
    loss = case.make(g, dtype, reduction="none")
    clean = results(loss.value_and_grad(*arguments))
    spoiled = [a.copy() for a in arguments]
    spoiled[0][17, 3] = bad
    others = np.arange(40) != 17
    got = results(loss.value_and_grad(*spoiled))
    for a, b in zip(got, clean, strict=True):
        assert_same_bits(a[others], b[others])
    log_probabilities = case.options.get("from_logits", case.id == "kl")
    if math.isnan(bad) and not log_probabilities and case.arguments(g, dtype)[-1][17].flat[0] != -100:
        assert np.isnan(got[0][17]).any()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_factors_of_0(case, dtype, reduction):
    """The global weight, and the cotangent."""
    g = Geometry((3, 7))
    arguments = case.arguments(g, dtype)
    for k in range(len(case.names)):
        arguments[k][:] = NAN
    value, *grads = results(case.make(g, dtype, reduction=reduction, weight=0.0).value_and_grad(*arguments))
    assert not np.any(value)
    assert not any(grad.any() for grad in grads)
    loss = case.make(g, dtype, reduction=reduction)
    grads = loss.grad(*arguments, grad_output=np.zeros(np.shape(value), dtype))
    assert not any(grad.any() for grad in (grads if isinstance(grads, tuple) else [grads]))


def test_all_weights_0(case, dtype):
    g = Geometry((3, 7))
    loss = case.make(g, dtype, reduction="weighted_mean")
    value, *grads = results(loss.value_and_grad(*case.arguments(g, dtype), np.zeros(case.family.unreduced(g))))
    assert math.isnan(value)
    assert not any(grad.any() for grad in grads)


# ---- The oracle ------------------------------------------------------------------------------------------------------


def test_the_oracle_is_right_about_gluon():
    """SDMLLoss's scale, by MXNet 1.9.1's own numbers."""
    from test_gluon import RECORDED

    for name in ("SDML-float32-10", "SDML-float32-11"):
        x1, x2, expected = (RECORDED[f"{name}/{k}"] for k in ("x1", "x2", "loss"))
        got = BY_ID["sdml"].truth(Geometry(x1.shape), [x1, x2], FLOAT64).value.exact
        np.testing.assert_allclose(got, expected, rtol=1e-4)
