"""What Python's limited API would cost a call: the same core.c compiled for it and not, timed in turn.

`python tools/limited_api.py` after `make test` or an editable install, with a C compiler named cc. Prints the best and
median time of a call of 32 elements and of softmax cross-entropy of 4 x 8 either way, and the median of the ratios of
neighbouring rounds. ARCHITECTURE.md draws the conclusion.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

PACKAGE = Path(__file__).resolve().parents[1] / "src/closs"
WAYS = {"version": [], "limited": ["-DPy_LIMITED_API=0x030b0000", "-DCYTHON_LIMITED_API=1"]}
ROUNDS = 21

CALLS = """
import timeit, numpy as np, closs
x, g = np.linspace(-2, 2, 32, dtype=np.float32), np.empty(32, np.float32)
rows, labels, h = np.linspace(-2, 2, 32, dtype=np.float32).reshape(4, 8), np.arange(4), np.empty((4, 8), np.float32)
l2, softmax = closs.L2Loss(reduction="mean"), closs.SoftmaxCrossEntropyLoss(reduction="mean")
for call in (lambda: l2.value_and_grad(x, x, grad_out=g), lambda: softmax.value_and_grad(rows, labels, grad_out=h)):
    print(min(timeit.repeat(call, number=20_000, repeat=15)) / 20_000 * 1e9)
"""


def build(folder: Path, flags: list[str]) -> None:
    """A copy of the package with its extension module compiled with these flags."""
    shutil.copytree(PACKAGE, folder / "closs", ignore=shutil.ignore_patterns("_core.*.so", "core", "_bindings"))
    include = [
        f"-I{path}" for path in (PACKAGE.parents[1] / "include", sysconfig.get_path("include"), np.get_include())
    ]
    module = folder / "closs" / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"
    library = [f"-L{folder / 'closs/lib'}", "-lcloss", "-Wl,-rpath,$ORIGIN/lib"]
    command = ["cc", "-shared", "-fPIC", "-O3", "-w", "-DNDEBUG", *flags, *include, str(PACKAGE / "_bindings/core.c")]
    subprocess.run([*command, "-o", str(module), *library], check=True)


def times(folder: Path) -> list[float]:
    """Nanoseconds of each call, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(folder), "CLOSS_NUM_THREADS": "1"}
    answer = subprocess.run([sys.executable, "-c", CALLS], env=environment, capture_output=True, text=True, check=True)
    return [float(line) for line in answer.stdout.split()]


with tempfile.TemporaryDirectory() as temporary:
    folders = {way: Path(temporary) / way for way in WAYS}
    for way, flags in WAYS.items():
        build(folders[way], flags)
    rounds = [{way: times(folder) for way, folder in folders.items()} for _ in range(ROUNDS)]
for k, call in enumerate(("L2, 32 elements", "softmax cross-entropy, 4 x 8")):
    of = {way: [r[way][k] for r in rounds] for way in WAYS}
    shown = ", ".join(f"{way} {min(t):.0f} best {median(t):.0f} median" for way, t in of.items())
    ratio = median(b / a for a, b in zip(of["version"], of["limited"], strict=True))
    print(f"{call}: {shown} ns; limited / version {ratio:.3f}")
