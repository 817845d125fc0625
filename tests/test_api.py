"""What users see: names, docstrings, reprs, configuration; and that losses.def, header, classes and tests agree."""

import copy
import doctest
import importlib
import importlib.util
import inspect
import itertools
import pickle
import pkgutil
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers import ROOT
from registry import FIRST_ROWS, ROWS
from row_oracles import CASES, Geometry

import closs

PUBLIC = [getattr(closs, name) for name in closs.__all__]
CLASSES = sorted({thing for thing in PUBLIC if inspect.isclass(thing)}, key=lambda cls: cls.__name__)
MODULES = ["closs", *(m.name for m in pkgutil.walk_packages(closs.__path__, "closs.") if m.name != "closs.__main__")]


def doc_parts(thing) -> str:
    return inspect.getdoc(thing) or ""


@pytest.mark.parametrize("thing", PUBLIC, ids=closs.__all__)
def test_public_names_are_documented(thing):
    doc = doc_parts(thing)
    assert doc.split("\n\n")[0].endswith(".")
    if thing not in (closs.show_config, closs.set_num_threads):
        assert ">>>" in doc, "the docstring has no example"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_argument_is_documented(cls):
    """In the class's own docstring, or in that of its base if it refers to it."""
    everything, base = doc_parts(cls), cls.__mro__[1]
    if f":class:`{base.__name__}`" in everything:
        everything += doc_parts(base)
    for name in inspect.signature(cls).parameters:
        assert re.search(rf"^ *{name} : ", everything, re.MULTILINE), name


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_doctests_are_found():
    """Each class has one that runs."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [importlib.import_module(name) for name in MODULES if name.startswith("closs.losses.")]
    tested = {test.name.split(".")[-1] for module in modules for test in finder.find(module) if test.examples}
    assert {cls.__name__ for cls in CLASSES} <= tested


def test_exported_names():
    assert closs.__all__ == sorted(closs.__all__)
    assert closs.SigmoidBCELoss is closs.SigmoidBinaryCrossEntropyLoss


def test_objects(row):
    """They show how to make them again, are equal to their copies, can be pickled, and do not change."""
    loss = row.make(weight=0.5, reduction="sum")
    again = [eval(repr(loss), vars(closs)), copy.copy(loss), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    for other in again:
        assert other == loss
        assert hash(other) == hash(loss)
        assert other([0.5], [1.0], **row.call) == loss([0.5], [1.0], **row.call)
    assert loss != row.make(weight=0.25, reduction="sum")
    with pytest.raises(AttributeError):
        loss.weight = 2.0


@pytest.mark.parametrize(
    "loss",
    [
        closs.SoftmaxCELoss(1, class_weight=[1, 2], ignore_index=1, label_smoothing=0.1),
        closs.KLDivLoss(from_logits=False, axis=1),
        closs.TripletLoss(2),
        closs.CosineEmbeddingLoss(margin=0.1),
        closs.SDMLLoss(0.2),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_objects_of_row_losses(loss):
    for other in (eval(repr(loss), vars(closs)), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert other == loss and hash(other) == hash(loss)
    with pytest.raises(AttributeError):
        loss.weight = 2.0


@pytest.mark.parametrize(
    "cls, arguments",
    {  # Gluon's, in its order, with its defaults
        "L1Loss": {"weight": None, "batch_axis": 0},
        "L2Loss": {"weight": 1.0, "batch_axis": 0},
        "HuberLoss": {"rho": 1, "weight": None, "batch_axis": 0},
        "SigmoidBinaryCrossEntropyLoss": {"from_sigmoid": False, "weight": None, "batch_axis": 0},
        "HingeLoss": {"margin": 1, "weight": None, "batch_axis": 0},
        "SquaredHingeLoss": {"margin": 1, "weight": None, "batch_axis": 0},
        "LogisticLoss": {"weight": None, "batch_axis": 0, "label_format": "signed"},
        "PoissonNLLLoss": {"weight": None, "from_logits": True, "batch_axis": 0, "compute_full": False},
        "KLDivLoss": {"from_logits": True, "axis": -1, "weight": None, "batch_axis": 0},
        "SoftmaxCrossEntropyLoss": {
            "axis": -1,
            "sparse_label": True,
            "from_logits": False,
            "weight": None,
            "batch_axis": 0,
        },
        "TripletLoss": {"margin": 1, "weight": None, "batch_axis": 0},
        "CosineEmbeddingLoss": {"weight": None, "batch_axis": 0, "margin": 0},
        "SDMLLoss": {"smoothing_parameter": 0.3, "weight": 1.0, "batch_axis": 0},
        "CTCLoss": {"layout": "NTC", "label_layout": "NT", "weight": None},
    }.items(),
)
def test_signatures(cls, arguments):
    parameters = inspect.signature(getattr(closs, cls)).parameters
    positional = {k: p.default for k, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
    keyword_only = {k: p.default for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert list(positional.items()) == list(arguments.items())
    own = {  # closs's
        "SoftmaxCrossEntropyLoss": {"class_weight": None, "ignore_index": None, "label_smoothing": 0.0, "z_loss": 0.0},
        "CTCLoss": {"blank": "last", "infeasible": "inf", "input": "logits"},
    }.get(cls, {})
    assert keyword_only == {"reduction": "sample_mean"} | own


#: What the calls take beside sample_weight: positional arguments before and after it, an option.
CALLS = {
    closs.SigmoidBCELoss: ("pred label", "pos_weight", None),
    closs.PoissonNLLLoss: ("pred target", "epsilon", None),
    closs.SoftmaxCELoss: ("pred label", "", "return_lse"),
    closs.TripletLoss: ("pred positive negative", "", None),
    closs.CosineEmbeddingLoss: ("input1 input2 label", "", None),
    closs.SDMLLoss: ("x1 x2", "", None),
    closs.CTCLoss: ("pred label pred_lengths label_lengths", "", "return_feasible"),
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("method, options", [
    ("__call__", {"out"}),
    ("value_and_grad", {"out", "grad_out", "grad_output"}),
    ("grad", {"grad_out", "grad_output"}),
])  # fmt: skip
def test_signatures_of_calls(cls, method, options):
    before, after, option = CALLS.get(cls, ("pred label", "", None))
    parameters = inspect.signature(getattr(cls, method)).parameters
    positional = [k for k, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["self", *before.split(), "sample_weight", *after.split()]
    assert {k for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY} == options | ({option} - {None})


# ---- Configuration ---------------------------------------------------------------------------------------------------


def test_config():
    config = closs.config()
    assert set(config) == {"version", "isa", "isas", "openmp", "threads", "cuda_built", "cuda_device"}
    assert config["version"] == closs.__version__ == version("closs")
    assert config["isas"][0] == "baseline"
    assert config["isa"] in config["isas"]
    assert set(config["isas"]) <= {"baseline", "avx2", "avx512"}
    assert config["threads"] == closs.get_num_threads()
    assert isinstance(config["openmp"], bool)
    assert isinstance(config["cuda_built"], bool)
    assert config["cuda_device"] is None or config["cuda_built"]


def test_show_config(capsys):
    closs.show_config()
    shown = capsys.readouterr().out
    for word in (
        closs.__version__,
        closs.config()["isa"],
        "OpenMP",
        "CUDA",
        f"threads:         {closs.get_num_threads()}",
    ):
        assert word in shown


def test_files_that_users_need():
    package = Path(closs.__file__).parent
    assert (package / "py.typed").is_file()
    assert (package / "_bindings" / "closs.pxd").is_file()
    assert (Path(closs.get_include()) / "closs" / "closs.h").is_file()


def test_version_is_the_header_s():
    header = (ROOT / "include" / "closs" / "closs.h").read_text()
    assert f'#define CLOSS_VERSION_STRING "{version("closs")}"' in header


# ---- Every row of losses.def has its other places --------------------------------------------------------------------

DEFINITIONS = re.findall(
    r"^([A-Z]+)(?:_([A-Z]+))?\((\w+)(?:, (\w+))?",
    (ROOT / "src" / "closs" / "core" / "losses.def").read_text(),
    re.MULTILINE,
)
KERNELS = {name for _, _, name, _ in DEFINITIONS}


def kernel_of(loss) -> str:
    """The row that a loss object runs; CTC has none, being a family of one."""
    if isinstance(loss, closs.CTCLoss):
        return "ctc"
    fused = isinstance(loss, closs.KLDivLoss) and not loss.from_logits
    return (loss._softmax_spec if fused else loss._spec).name


def test_losses_def_is_what_the_tables_test():
    """registry.py has the elementwise losses, row_oracles.py those over rows, and a divergence without softmax."""
    of_elements = {name for family, _, name, _ in DEFINITIONS if family == "ELEMENTWISE"}
    assert {family for family, *_ in DEFINITIONS} == {"ELEMENTWISE", "SOFTMAX", "VECTORS", "PAIRWISE"}
    assert of_elements == set(FIRST_ROWS)
    assert {kernel_of(case.make(Geometry((3, 4)))) for case in CASES} == KERNELS - of_elements | {"kl_div"}


def test_every_class_is_tested():
    """In one of the tables, or, CTC, in test files of its own."""
    assert {row.cls for row in ROWS} | {case.cls for case in CASES} | {closs.CTCLoss} == set(CLASSES)


def test_rows_run_their_kernel(row):
    """A row of the registry makes a loss that computes what it says that it tests."""
    assert kernel_of(row.make()) == row.kernel


@pytest.mark.parametrize("family, kind, name, parameter", DEFINITIONS)
def test_prototypes(family, kind, name, parameter):
    header = " ".join((ROOT / "include" / "closs" / "closs.h").read_text().split())
    for suffix, real in (("f32", "float"), ("f64", "double")):
        last = {
            ("ELEMENTWISE", "PLAIN"): "",
            ("ELEMENTWISE", "UNIFORM"): f", {real} {parameter}",
            ("ELEMENTWISE", "VARYING"): f", const closs_broadcast_{suffix} *{parameter}",
            ("SOFTMAX", ""): "",
            ("VECTORS", ""): ", double margin",
            ("PAIRWISE", ""): ", double smoothing",
        }[family, kind]
        prototype = f"closs_status closs_{name}_{suffix}(const closs_{family.lower()}_{suffix} *args{last});"
        assert f"CLOSS_EXPORT {prototype}" in header


@pytest.mark.parametrize("name", FIRST_ROWS)
def test_formulas(name):
    """A row that is WHOLE has a function of its name; one in HALVES a beginning and an end."""
    core = ROOT / "src" / "closs" / "core"
    (steps,) = re.findall(rf"^ELEMENTWISE_\w+\({name}, .*, (\w+)\)$", (core / "losses.def").read_text(), re.MULTILINE)
    parts = {"WHOLE": {name: "closs_point"}, "HALVES": {f"{name}_begin": "halfway_t", f"{name}_end": "closs_point"}}
    formulas = (core / "formulas" / "elementwise.h").read_text()
    for function, result in parts[steps].items():
        definition = rf"^CLOSS_INLINE NAME\({result}\) NAME\({function}\)\("
        assert len(re.findall(definition, formulas, re.MULTILINE)) == 1


def benchmarks():
    """The classes of asv_bench/benchmarks."""
    for path in sorted((ROOT / "asv_bench" / "benchmarks").glob("[!_]*.py")):
        spec = importlib.util.spec_from_file_location(f"benchmarks_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from (c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == spec.name)


def test_benchmarks():
    """They run, at the smallest size and with each word that they have as a parameter; together they have every row of
    losses.def, and every class."""
    kernels, classes = set(), set()
    for cls in benchmarks():
        axes = cls.params if isinstance(cls.params[0], list) else [cls.params]
        assert len(axes) == len(cls.param_names), cls
        for values in itertools.product(*([v for v in axis if isinstance(v, str)] or axis[:1] for axis in axes)):
            benchmark = cls()
            benchmark.setup(*values)
            for name in dir(cls):
                if name.startswith(("time_", "peakmem_")):
                    getattr(benchmark, name)(*values)
            losses = [x for x in vars(benchmark).values() if type(x) in CLASSES]
            kernels |= {kernel_of(loss) for loss in losses}
            classes |= {type(loss) for loss in losses}
    assert KERNELS <= kernels
    assert classes == set(CLASSES)
