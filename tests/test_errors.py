"""Bad input: the right error, a message that names argument, expected and got, and no output touched."""

import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate

import closs

SHAPE = (4, 3)
SENTINEL = -123.25


def arguments(row):
    """A valid call's arguments, outputs filled with a sentinel."""
    pred = row.pred(np.linspace(0.1, 0.9, 12, dtype=np.float32).reshape(SHAPE))
    return {
        "pred": pred,
        "label": row.labels_like(pred),
        "sample_weight": np.ones(SHAPE, np.float32),
        "grad_output": np.ones(4, np.float32),
        "out": np.full(4, SENTINEL, np.float32),
        "grad_out": np.full(SHAPE, SENTINEL, np.float32),
    }


def fail(row, given: dict, error: type, argument: str, method: str = "value_and_grad", **options) -> None:
    """The call raises, names the argument, and leaves every array as it was."""
    call = given | row.call
    if row.cls is closs.PoissonNLLLoss:
        call["target"] = call.pop("label")
        argument = argument.replace("label", "target")
    before = {k: v.tobytes() for k, v in call.items() if isinstance(v, np.ndarray)}
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        getattr(row.make(**options), method)(**call)
    assert before == {k: call[k].tobytes() for k in before}, "an array was written to"


def float32s(*shape) -> np.ndarray:
    return np.full(shape, SENTINEL, np.float32)


def read_only(*shape) -> np.ndarray:
    array = float32s(*shape)
    array.flags.writeable = False
    return array


# what is replaced in a valid call: a value, or a function of the valid arguments
BAD_SHAPES = {
    "pred longer": ("label", {"pred": np.ones((5, 3), np.float32), "sample_weight": None}),
    "label shorter": ("label", {"label": np.ones((3, 3), np.float32)}),
    "label that a reshape would fit": ("label", {"label": np.ones((3, 4), np.float32)}),
    "label that is flat": ("label", {"label": np.ones(12, np.float32)}),
    "label that would broadcast": ("label", {"label": np.ones((1, 3), np.float32)}),
    "label that is 0-d": ("label", {"label": np.float32(1)}),
    "label that is empty": ("label", {"label": np.ones((0, 3), np.float32)}),
    "sample_weight of samples without axis": ("sample_weight", {"sample_weight": np.ones(4)}),
    "sample_weight of wrong length": ("sample_weight", {"sample_weight": np.ones((5, 1))}),
    "sample_weight with more axes": ("sample_weight", {"sample_weight": np.ones((1, 4, 3))}),
    "sample_weight that pred would broadcast to": ("sample_weight", {"sample_weight": np.ones((2, 4, 3))}),
    "sample_weight that is empty": ("sample_weight", {"sample_weight": np.ones((0, 3))}),
    "grad_output of wrong length": ("grad_output", {"grad_output": np.ones(3)}),
    "grad_output of pred's shape": ("grad_output", {"grad_output": np.ones(SHAPE)}),
    "grad_output with an axis too many": ("grad_output", {"grad_output": np.ones((4, 1))}),
    "grad_output that is a scalar": ("grad_output", {"grad_output": 1.0}),
    "out of wrong length": ("out", {"out": float32s(3)}),
    "out of pred's shape": ("out", {"out": float32s(*SHAPE)}),
    "out with an axis too many": ("out", {"out": float32s(4, 1)}),
    "out that is read-only": ("out", {"out": read_only(4)}),
    "grad_out of wrong shape": ("grad_out", {"grad_out": float32s(3, 4)}),
    "grad_out that is flat": ("grad_out", {"grad_out": float32s(12)}),
    "grad_out that is read-only": ("grad_out", {"grad_out": read_only(*SHAPE)}),
    "out is in pred": ("out", lambda a: {"out": a["pred"].ravel()[:4]}),
    "out is in label": ("out", lambda a: {"out": a["label"][:, 1]}),
    "out is in sample_weight": ("out", lambda a: {"out": a["sample_weight"][:, 0]}),
    "out is grad_output": ("out", lambda a: {"out": a["grad_output"]}),
    "grad_out is label": ("grad_out", lambda a: {"grad_out": a["label"]}),
    "grad_out is sample_weight": ("grad_out", lambda a: {"grad_out": a["sample_weight"]}),
    "grad_out is pred reversed": ("grad_out", lambda a: {"grad_out": a["pred"][::-1]}),
    "grad_out is pred of other shape": ("grad_out", lambda a: {"grad_out": a["pred"].reshape(3, 4)}),
}  # fmt: skip

BAD_KINDS = {
    "pred complex": ("pred", {"pred": np.ones(SHAPE, complex)}),
    "pred of objects": ("pred", {"pred": np.ones(SHAPE, object)}),
    "pred of strings": ("pred", {"pred": np.full(SHAPE, "1.0")}),
    "pred of dates": ("pred", {"pred": np.zeros(SHAPE, "M8[s]")}),
    "pred with fields": ("pred", {"pred": np.zeros(SHAPE, [("x", "f4")])}),
    "pred ragged": ("pred", {"pred": [[1.0], [1.0, 2.0]]}),
    "pred missing": ("pred", {"pred": None}),
    "label complex": ("label", {"label": np.ones(SHAPE, complex)}),
    "label of objects": ("label", {"label": np.ones(SHAPE, object)}),
    "label of strings": ("label", {"label": np.full(SHAPE, "1.0")}),
    "label missing": ("label", {"label": None}),
    "sample_weight complex": ("sample_weight", {"sample_weight": np.ones(SHAPE, complex)}),
    "sample_weight of objects": ("sample_weight", {"sample_weight": np.ones(SHAPE, object)}),
    "sample_weight a string": ("sample_weight", {"sample_weight": "balanced"}),
    "grad_output complex": ("grad_output", {"grad_output": np.ones(4, complex)}),
    "out of other type": ("out", {"out": np.full(4, SENTINEL)}),
    "out of other byte order": ("out", {"out": np.full(4, SENTINEL, np.dtype(np.float32).newbyteorder())}),
    "out a list": ("out", {"out": [0.0] * 4}),
    "grad_out of other type": ("grad_out", {"grad_out": np.full(SHAPE, SENTINEL)}),
    "grad_out of integers": ("grad_out", {"grad_out": np.full(SHAPE, 7, np.int32)}),
    "grad_out a list": ("grad_out", {"grad_out": [[0.0] * 3] * 4}),
}


def test_the_call_is_valid_but_for_what_is_replaced(row):
    given = list(arguments(row).values())
    value, grad = row.make().value_and_grad(
        *given[:3], **row.call, grad_output=given[3], out=given[4], grad_out=given[5]
    )
    assert value is given[4]
    assert grad is given[5]
    assert not (value == SENTINEL).any()
    assert not (grad == SENTINEL).any()


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_bad_shapes_and_memory(row, case):
    argument, change = BAD_SHAPES[case]
    given = arguments(row)
    fail(row, given | (change(given) if callable(change) else change), ValueError, argument)


@pytest.mark.parametrize("case", BAD_KINDS)
def test_bad_kinds(row, case):
    argument, change = BAD_KINDS[case]
    fail(row, arguments(row) | change, TypeError, argument)


@pytest.mark.skipif(np.dtype(np.longdouble) == np.float64, reason="long double is double on this platform")
def test_longdouble_pred(row):
    fail(row, arguments(row) | {"pred": np.ones(SHAPE, np.longdouble)}, TypeError, "pred")


def test_the_call_without_weights_checks_too(row):
    """It has a path of its own, which must not be less strict."""
    plain = {k: v for k, v in arguments(row).items() if k in ("pred", "label", "grad_out")}
    fail(row, plain | {"label": np.ones((3, 4), np.float32)}, ValueError, "label")
    fail(row, plain | {"grad_out": plain["label"]}, ValueError, "grad_out")
    fail(row, plain | {"grad_out": read_only(*SHAPE)}, ValueError, "grad_out")
    fail(row, plain | {"grad_out": np.full(SHAPE, SENTINEL)}, TypeError, "grad_out")


@pytest.mark.parametrize("method", ["__call__", "value_and_grad", "grad"])
def test_every_method_checks(row, method):
    takes = {"__call__": ["out"], "grad": ["grad_out", "grad_output"]}.get(method, ["out", "grad_out", "grad_output"])
    given = {k: v for k, v in arguments(row).items() if k in ["pred", "label", "sample_weight", *takes]}
    fail(row, given | {"label": np.ones((3, 4), np.float32)}, ValueError, "label", method)
    for output in set(takes) & {"out", "grad_out"}:
        fail(row, given | {output: float32s(7)}, ValueError, output, method)


def test_outputs_that_overlap_each_other(row):
    given, memory = arguments(row), float32s(16)
    fail(row, given | {"out": memory[:4], "grad_out": memory[3:15].reshape(SHAPE)}, ValueError, "grad_out")


def test_grad_out_that_overlaps_pred_but_is_not_pred(row):
    memory = float32s(13)
    memory[:12] = arguments(row)["pred"].ravel()
    given = arguments(row) | {"pred": memory[:12].reshape(SHAPE), "grad_out": memory[1:].reshape(SHAPE)}
    fail(row, given, ValueError, "grad_out")
    square = arguments(row)["pred"][:3].copy()
    fail(row, {"pred": square, "label": row.labels_like(square), "grad_out": square.T}, ValueError, "grad_out")


@pytest.mark.parametrize("reduction", ["mean", "sum", "weighted_mean"])
def test_outputs_of_whole_reductions(row, reduction):
    given = {k: v for k, v in arguments(row).items() if k in ("pred", "label", "grad_out")}
    fail(row, given | {"out": np.full(4, SENTINEL)}, ValueError, "out", reduction=reduction)
    fail(row, given | {"out": np.array(SENTINEL, np.float32)}, TypeError, "out", reduction=reduction)
    fail(row, given | {"grad_output": np.ones(1)}, ValueError, "grad_output", reduction=reduction)


@pytest.mark.parametrize("batch_axis", [2, -3, 2**31 - 1, 2**40, -(2**70)])
def test_batch_axis_out_of_range(row, batch_axis):
    fail(row, arguments(row), ValueError, "batch_axis", batch_axis=batch_axis)


def test_batch_axis_of_0d_pred(row):
    fail(row, {"pred": np.float32(0.5), "label": np.float32(1)}, ValueError, "batch_axis", batch_axis=1)


@pytest.mark.parametrize("from_sigmoid", [False, True])
@pytest.mark.parametrize(
    "kind, pos_weight, message",
    [
        ("f4", [1, math.nan, 2], r"pos_weight\[1\]: expected a number from 0 up that float32 can hold, got nan"),
        ("f8", [[1], [2], [3], [math.inf]], r"pos_weight\[3, 0\]: expected .+ float64 can hold, got inf"),
        ("f8", [1, -1e-300, -math.inf], r"pos_weight\[1\]: expected .+, got -1e-300"),
        ("f4", -2, r"pos_weight: expected .+, got -2"),
        ("f4", [1, 2, 1e39], r"pos_weight\[2\]: expected .+ float32 can hold, got 1e\+39"),
        ("f2", np.full(SHAPE, -1, np.int8), r"pos_weight\[0, 0\]: expected .+, got -1"),
    ],
)
def test_domain_of_pos_weight(from_sigmoid, kind, pos_weight, message):
    loss = closs.SigmoidBCELoss(from_sigmoid)
    pred, out, grad_out = np.full(SHAPE, 0.5, kind), np.full(4, SENTINEL, kind), np.full(SHAPE, SENTINEL, kind)
    with np.errstate(all="raise"), pytest.raises(ValueError, match=f"^{message}$"):
        loss.value_and_grad(pred, pred, None, pos_weight, out=out, grad_out=grad_out)
    assert (out == SENTINEL).all()
    assert (grad_out == SENTINEL).all()
    assert loss(pred, pred, None, np.zeros(3)).shape == (4,)
    assert loss(pred[:0], pred[:0], None, np.ones((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    "from_sigmoid, pos_weight, error",
    [(k, *case) for k in (False, True) for case in (
        (np.ones(4), ValueError), (np.ones(2), ValueError), (np.ones((4, 1, 1)), ValueError),
        (np.ones(3, complex), TypeError), ("balanced", TypeError), ([None], TypeError))],
)  # fmt: skip
def test_pos_weight(from_sigmoid, pos_weight, error):
    loss = closs.SigmoidBCELoss(from_sigmoid)
    pred, out, grad_out = np.full(SHAPE, 0.5, np.float32), float32s(4), float32s(*SHAPE)
    with pytest.raises(error, match=r"^pos_weight: expected .+, got .+"):
        loss.value_and_grad(pred, pred, None, pos_weight, out=out, grad_out=grad_out)
    assert (out == SENTINEL).all()
    assert (grad_out == SENTINEL).all()


def test_pos_weight_overlaps_grad_out():
    pred, weight = np.full(SHAPE, 0.5, np.float32), np.ones(SHAPE, np.float32)
    with pytest.raises(ValueError, match=r"^grad_out: expected .+, got .+ pos_weight"):
        closs.SigmoidBCELoss().value_and_grad(pred, pred, None, weight, grad_out=weight)
    assert (weight == 1).all()


@pytest.mark.parametrize("options", [{}, {"from_logits": False}])
@pytest.mark.parametrize(
    "epsilon, error",
    [(-1e-9, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError), (None, TypeError)],
)
def test_epsilon(options, epsilon, error):
    pred, out, grad_out = np.ones(SHAPE, np.float32), float32s(4), float32s(*SHAPE)
    with pytest.raises(error, match=r"^epsilon: expected .+, got .+"):
        closs.PoissonNLLLoss(**options).value_and_grad(pred, pred, None, epsilon, out=out, grad_out=grad_out)
    assert (out == SENTINEL).all()
    assert (grad_out == SENTINEL).all()


def test_epsilon_that_float32_cannot_hold():
    pred = np.ones(SHAPE)
    loss = closs.PoissonNLLLoss(from_logits=False)
    loss(pred, pred, None, 1e300)
    with pytest.raises(ValueError, match=r"^epsilon: expected .+ that float32 can hold, got 1e\+300$"):
        loss(pred.astype(np.float32), pred, None, 1e300)


NOT_FINITE = [(math.nan, ValueError), (math.inf, ValueError), (-math.inf, ValueError)]
NOT_NUMBERS = [("1", TypeError), (1j, TypeError), ([1.0], TypeError), (True, TypeError)]


@pytest.mark.parametrize(
    "cls, argument, value, error",
    [
        *((closs.HuberLoss, "rho", *bad) for bad in ((0, ValueError), (-1, ValueError), *NOT_FINITE, *NOT_NUMBERS)),
        *(
            (cls, "margin", *bad)
            for cls in (closs.HingeLoss, closs.SquaredHingeLoss)
            for bad in NOT_FINITE + NOT_NUMBERS
        ),
        (closs.LogisticLoss, "label_format", "ternary", ValueError),
        (closs.LogisticLoss, "label_format", None, TypeError),
    ],
)
def test_constructors(cls, argument, value, error):
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        cls(**{argument: value})


@pytest.mark.parametrize(
    "argument, value, error",
    [
        *(("weight", *bad) for bad in NOT_FINITE + NOT_NUMBERS),
        *(("batch_axis", value, TypeError) for value in (0.0, "0", None, True)),
        ("reduction", "average", ValueError),
        ("reduction", None, TypeError),
    ],
)
def test_every_constructor(row, argument, value, error):
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        row.make(**{argument: value})


@pytest.mark.parametrize(
    "make",
    [
        lambda value: closs.SigmoidBCELoss(value),
        lambda value: closs.PoissonNLLLoss(from_logits=value),
        lambda value: closs.PoissonNLLLoss(compute_full=value),
        lambda value: closs.KLDivLoss(value),
        lambda value: closs.SoftmaxCELoss(sparse_label=value),
        lambda value: closs.SoftmaxCELoss(from_logits=value),
    ],
)
def test_flags(make):
    """A weight in the place of a flag is not taken for True."""
    make(np.bool_(True))
    for value in (0.5, 1, "no", None):
        with pytest.raises(TypeError, match=r"^\w+: expected True or False, got "):
            make(value)


@pytest.mark.parametrize(
    "weight, written", [(1e39, r"1e\+39"), (-1e39, r"-1e\+39"), (1e-50, "1e-50"), (-7e-46, "-7e-46")]
)
def test_weight_that_float32_cannot_hold(row, weight, written):
    """Beyond its range, or 0 in it: times the infinite slope of an infinite prediction that was NaN."""
    loss = row.make(weight=weight)
    x = row.pred(np.ones((2, 3)))
    y = row.labels_like(x)
    loss.value_and_grad(x, y, **row.call)
    with pytest.raises(ValueError, match=rf"^weight: expected a number that float32 can hold, got {written}$"):
        loss.value_and_grad(x.astype(np.float32), y, **row.call)
    row.make(weight=1e-45).value_and_grad(x.astype(np.float32), y, **row.call)


def test_numbers_too_large_for_a_float(row):
    with pytest.raises(ValueError, match=r"^weight: expected a finite number, got inf$"):
        row.make(weight=10**400)


def test_masked_arrays(row):
    x = np.ma.MaskedArray(np.ones((2, 3)), mask=[[0, 1, 0], [0, 0, 0]])
    for arguments in ((x, np.ones((2, 3))), (np.ones((2, 3)), x)):
        with pytest.raises(TypeError, match="expected an array without a mask, got a masked one"):
            row.make()(*arguments, **row.call)


@pytest.mark.parametrize(
    "shape, strides",
    [((2, 3), (8, 0)), ((2, 3), (0, 8)), ((3, 2), (8, 8)), ((2, 3), (16, 8)), ((2, 3, 4), (64, 16, 8))],
)
def test_output_that_overlaps_itself(shape, strides):
    memory = np.full(32, SENTINEL)
    grad_out = np.lib.stride_tricks.as_strided(memory, shape, strides)
    with pytest.raises(ValueError, match="^grad_out: expected an array that does not overlap itself, got strides"):
        closs.L2Loss().grad(np.ones(shape), np.zeros(shape), grad_out=grad_out)
    assert (memory == SENTINEL).all()


@pytest.mark.parametrize(
    "view",
    [
        lambda m: m[::-1, ::-2],
        lambda m: m.T[1::2],
        lambda m: np.moveaxis(m[:30].reshape(5, 6, 6), 1, 2)[:, ::-1],
        lambda m: np.einsum("iji->ij", m[:6].reshape(3, 4, 3)),
        lambda m: np.lib.stride_tricks.as_strided(m, (1, 3), (0, 8)),
        lambda m: np.lib.stride_tricks.as_strided(m, (0, 3), (0, 0)),
    ],
)
def test_output_that_only_looks_like_it(view):
    """Slices, transposes, diagonals, and axes that are never walked along."""
    grad_out = view(np.full((40, 6), SENTINEL))
    x = moderate(grad_out.shape, np.float64)
    loss = closs.L2Loss(reduction="sum")
    assert_same_bits(loss.grad(x, np.zeros_like(x), grad_out=grad_out), x)


def test_masked_outputs():
    x = np.ones((2, 3))
    out, grad_out = np.ma.MaskedArray(np.zeros(2)), np.ma.MaskedArray(np.zeros((2, 3)))
    for outputs in ({"out": out}, {"grad_out": grad_out}):
        (name,) = outputs
        with pytest.raises(TypeError, match=f"^{name}: expected a NumPy array without a mask, got MaskedArray$"):
            closs.L2Loss().value_and_grad(x, x, **outputs)


def test_label_that_shares_memory_by_another_name(row):
    grad_out = np.ones((2, 3))
    with pytest.raises(ValueError, match="^grad_out: expected memory of its own, got an array that overlaps"):
        row.make().grad(row.pred(np.ones((2, 3))), memoryview(grad_out), **row.call, grad_out=grad_out)


class Lazy:
    """An array that is made when it is asked for, as a data frame's column or another library's tensor may be."""

    def __init__(self, array, error=None):
        self.array, self.error, self.asked = array, error, 0

    def __array__(self, dtype=None, copy=None):
        self.asked += 1
        if self.error:
            raise self.error
        return self.array


def test_arguments_are_converted_once(row):
    x = row.pred(np.linspace(0.1, 0.9, 6).reshape(2, 3))
    lazy = [Lazy(x), Lazy(row.labels_like(x)), Lazy(np.ones((2, 3)))]
    row.make().value_and_grad(*lazy, **row.call, out=np.zeros(2), grad_out=np.zeros((2, 3)))
    assert [argument.asked for argument in lazy] == [1, 1, 1]


def test_errors_of_an_argument_s_own_are_not_hidden():
    x, error = np.ones((2, 3)), ValueError("the file has been closed")
    with pytest.raises(ValueError, match="^the file has been closed$"):
        closs.L2Loss()(x, Lazy(x, error))
    with pytest.raises(TypeError, match="^label: expected an array of real numbers, got a ragged list$") as caught:
        closs.L2Loss()(x, [[1.0], [1.0, 2.0]])
    assert isinstance(caught.value.__cause__, ValueError)


class WrittenByC(np.ndarray):
    """NumPy need not copy what lies there already."""

    def __setitem__(self, key, value):
        raise AssertionError("copied onto itself")


def test_subclass_outputs_are_written_once(row):
    x = row.pred(np.linspace(0.1, 0.9, 6).reshape(2, 3))
    out, grad_out = np.zeros(2).view(WrittenByC), np.zeros((2, 3)).view(WrittenByC)
    value, grad = row.make().value_and_grad(x, row.labels_like(x), **row.call, out=out, grad_out=grad_out)
    assert value is out and grad is grad_out
    expected = row.make().value_and_grad(x, row.labels_like(x), **row.call)
    for a, b in zip((value, grad), expected, strict=True):
        assert_same_bits(np.asarray(a), b)


def test_in_place_whatever_the_stride_of_an_axis_of_length_one():
    pred = np.array([[1.0, 2.0, 4.0]])
    grad_out = np.lib.stride_tricks.as_strided(pred, (1, 3), (800, 8))
    assert closs.L2Loss().grad(pred, np.zeros((1, 3)), [[3.0]], grad_out=grad_out).tolist() == [[1.0, 2.0, 4.0]]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_are_arrays(row):
    x = row.pred(np.ones((2, 3)))
    y = row.labels_like(x)
    grad_out = np.matrix(np.zeros((2, 3)))
    assert row.make().grad(x, y, **row.call, grad_out=grad_out) is grad_out
    np.testing.assert_array_equal(np.asarray(grad_out), row.make().grad(x, y, **row.call))


@pytest.mark.parametrize("value", [1e-50, 1e50])
def test_parameters_that_float32_cannot_hold(value):
    """They are fine for float64; for float32 the message still says what is wrong."""
    pred = np.ones(SHAPE, np.float32)
    loss = closs.HuberLoss(rho=value)
    with pytest.raises(ValueError, match="rho"):
        loss(pred, pred)
    assert loss(pred.astype(float), pred.astype(float)).tolist() == [0.0] * 4


@pytest.mark.parametrize("threads, error", [
    (0, ValueError), (-1, ValueError), (2**31, ValueError), (2**70, ValueError),
    (1.0, TypeError), ("2", TypeError), (True, TypeError),
])  # fmt: skip
def test_threads(threads, error):
    before = closs.get_num_threads()
    with pytest.raises(error, match=r"^threads: expected .+, got .+"):
        closs.set_num_threads(threads)
    with pytest.raises(error, match=r"^threads: expected .+, got .+"), closs.num_threads(threads):
        pass
    assert closs.get_num_threads() == before


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floating_point_errors_of_the_caller(row, kind):
    """np.errstate(all="raise") is about the caller's own arithmetic: a call gives the bits that it gives without."""
    with np.errstate(invalid="ignore"):  # of infinity, the prediction of some rows is NaN
        x = row.pred(np.resize(np.array([0.5, 1e-4, 1e-7, 6e4, -3.0, np.inf, np.nan], kind), (4, 7)))
    y = np.resize([*row.labels_like(x)[0], 1e-50, 1e300], (4, 7))  # outside the range of float32, as a float64 may be
    w = np.resize([1e-50, 1e300, 1e-3], (4, 7))
    for reduction in REDUCTIONS:
        loss = row.make(reduction=reduction)
        expected = loss.value_and_grad(x, y, w, **row.call)
        outputs = {"out": np.zeros_like(expected[0]), "grad_out": np.zeros_like(expected[1])}
        with np.errstate(all="raise"):
            fresh = loss.value_and_grad(x, y, w, **row.call)
            given = loss.value_and_grad(x, y, w, **row.call, **outputs)
            alone = loss(x, y, w, **row.call), loss.grad(x, y, w, **row.call)
        for results in (fresh, given, alone):
            for a, b in zip(results, expected, strict=True):
                assert_same_bits(np.asarray(a), np.asarray(b), reduction)


def test_unknown_arguments(row):
    """Those that follow reduction are keyword-only, and there are no others."""
    with pytest.raises(TypeError):
        row.cls("sample_mean", 1, 2, 3, 4, 5, 6)
    with pytest.raises(TypeError):
        row.make(no_such_option=1)
