"""closs beside NumPy, torch, JAX and scikit-learn: value and gradient of the mean loss.

    python asv_bench/peers/compare.py [--quick] [--sizes 32 1000000 16000000] [--losses L2 SoftmaxCE ...]
                                      [--peers torch ...] [--rounds 15] [--isa avx2 ...] [--dtype float64]

prints a Markdown table. Peers that are not installed are left out and named. Each contestant lives in a process of its
own (contestants.py) and they take turns, round after round: two OpenMP pools in one process disturb each other (both
spin), and torch with huge pages needs its own environment. Ratios are taken round by round and their median is printed,
so the machine's drift cancels. Before timing, every contestant's value and gradient are compared with closs's.

closs is timed with a given gradient array ("reused") and with a new one each call ("fresh"); a column "peer / setting"
is the peer's time over that of closs in this setting. torch and JAX make new arrays either way. glibc's default
allocator takes pages of 4 KB; NumPy asks for huge pages itself, for closs's fresh gradients too. "copy" is the share of
a two-thread 64 MB copy's bandwidth (bytes read + bytes written) at which closs, reused, moves its ideal bytes: pred and
label read once, gradients written once. It says nothing where the arrays fit a cache, and is left out there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from math import prod
from pathlib import Path
from statistics import median

import numpy as np
from contestants import CTC, LABELS, ROWS, THREADS, gradients

HERE = Path(__file__).resolve().parent
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
#: Shapes that the losses of rows are compared at: few classes, many, a vocabulary; vectors.
CLASSES, VECTORS = ["8192x10", "1024x1000", "256x50257"], ["65536x128"]
SHAPES = {"SoftmaxCE": CLASSES, "SoftmaxCE in place": CLASSES[2:], "KLDiv": CLASSES[1:2],
          "Triplet": VECTORS, "CosineEmbedding": VECTORS,
          "CTC": ["16x400x1000x80", "32x150x40x30", "1x400x1000x80", "1x150x40x30"],
          "CTC TNC": ["16x400x1000x80", "32x150x40x30"]}  # fmt: skip
#: How far peers may be from closs, by loss or by peer. torch's float32 gradient of CTC is off by up to 2e-2; NumPy in
#: place sums in float32.
TOLERANCE = dict.fromkeys(CTC, 5e-2) | {"NumPy in place": 1e-3}
EVERY = [*LABELS, *ROWS, *CTC]
OWN = {"closs reused": ("closs_reused", {}), "closs fresh": ("closs_fresh", {}), "copy": ("copy", {})}

#: peer -> contestant -> (implementation in contestants.py, its environment, the settings of closs it is divided by)
PEERS = {
    "NumPy": {"NumPy": ("numpy", {}, ["fresh"]), "NumPy in place": ("numpy_in_place", {}, ["reused"])},
    "torch": {"torch": ("torch", {}, ["reused"]), "torch, huge pages": ("torch", HUGE_PAGES, ["fresh"])},
    "JAX": {"JAX jit": ("jax", {}, ["reused", "fresh"])},
    "scikit-learn": {
        "scikit-learn": ("sklearn_reused", {}, ["reused"]),
        "scikit-learn, new": ("sklearn_fresh", {}, ["fresh"]),
    },
}


class Contestant:
    """A process that answers one JSON line for each it is sent."""

    def __init__(self, implementation: str, environment: dict[str, str]) -> None:
        inherited = {k: v for k, v in os.environ.items() if k not in ("GLIBC_TUNABLES", "CLOSS_ISA")}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "contestants.py"), implementation],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=inherited | environment,
        )  # fmt: skip
        line = self.process.stdout.readline()
        self.about = json.loads(line) if line else None  # None: it is not installed

    def ask(self, **question):
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(
    contestants: dict[str, Contestant], loss: str, shape: tuple[int, ...], dtype: str, rounds: int
) -> dict[str, list[float]]:
    """Seconds a call, a list of rounds for each contestant that has this loss."""
    question = {"do": "prepare", "loss": loss, "shape": shape, "dtype": dtype}
    answers = {name: c.ask(**question) for name, c in contestants.items()}
    answers = {name: answer for name, answer in answers.items() if answer}
    expected = answers["closs fresh"]
    for name, answer in answers.items():
        tolerance = max(TOLERANCE.get(loss, 1e-4), TOLERANCE.get(name, 0))
        for what in ("value", "slopes"):
            if name != "copy" and not np.allclose(answer[what], expected[what], rtol=tolerance, atol=tolerance / 10):
                raise ArithmeticError(f"{loss}, {shape}: {what} of {name}: {answer[what]}, closs: {expected[what]}")
    seconds = {name: [] for name in answers}
    for _ in range(rounds):
        for name in answers:
            seconds[name].append(contestants[name].ask(do="time")["seconds"])
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    return median(a / b for a, b in zip(above, below, strict=True))


def time_cell(seconds: list[float]) -> str:
    t = median(seconds)
    return f"{t * 1e3:.2f} ms" if t >= 1e-3 else f"{t * 1e6:.2f} us"


def ideal_bytes(loss: str, shape: tuple[int, ...], dtype: str) -> int:
    """Every input read once, every gradient written once."""
    inputs = {"SoftmaxCE": 1, "SoftmaxCE in place": 1, "Triplet": 3, "CTC": 1, "CTC TNC": 1}.get(loss, 2)
    shape = shape[:3] if loss in CTC else shape
    return (inputs + gradients(loss)) * prod(shape) * np.dtype(dtype).itemsize


def copy_cell(own: list[float], copy: list[float], size: int) -> str:
    return f"{size / 128e6 * ratio(copy, own):.2f}" if size >= 64_000_000 else ""


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="32 1000000 16000000 unless told")
    parser.add_argument("--losses", nargs="+", default=EVERY, choices=EVERY, metavar="LOSS")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS), metavar="PEER")
    parser.add_argument("--rounds", type=int, help="15 unless told")
    parser.add_argument("--isa", nargs="*", default=[], help="instruction sets to force on closs (CLOSS_ISA) as well")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--quick", action="store_true", help="sizes 32 and 1000000, 3 rounds")
    options = parser.parse_args()
    sizes = options.sizes or ([32, 1_000_000] if options.quick else [32, 1_000_000, 16_000_000])
    rounds = options.rounds or (3 if options.quick else 15)

    peers = {name: entry for peer in options.peers for name, entry in PEERS[peer].items()}
    forced = {f"closs {isa} reused": ("closs_reused", {"CLOSS_ISA": isa}) for isa in options.isa}
    wanted = OWN | forced | {name: entry[:2] for name, entry in peers.items()}
    started = {name: Contestant(*how) for name, how in wanted.items()}
    contestants = {name: c for name, c in started.items() if c.about}
    missing = [peer for peer in options.peers if not any(name in contestants for name in PEERS[peer])]
    if "closs reused" not in contestants:
        sys.exit(f"closs is not installed for {sys.executable}")

    print(f"`python {' '.join([Path(sys.argv[0]).as_posix(), *sys.argv[1:]])}`\n")
    print(f"{cpu_name()}, {THREADS} threads each, Python {platform.python_version()}, medians of {rounds} rounds.")
    print("Allocator: glibc's default; glibc.malloc.hugetlb=1 where huge pages are named.")
    about = {name: contestant.about for name, contestant in contestants.items()}
    print("; ".join(f"{name}: {text}" for name, text in about.items()) + ".")
    if missing:
        print(f"Not installed here: {', '.join(missing)}.")
    own = ["closs reused", "copy", *(title for name in forced for title in (name, "copy")), "closs fresh"]
    shown = [(name, setting) for name, entry in peers.items() if name in contestants for setting in entry[2]]
    print(f"\n| {options.dtype} | n | {' | '.join(own + [' / '.join(column) for column in shown])} |")
    print("|---" * (2 + len(own) + len(shown)) + "|")
    cases = [(loss, str(n)) for n in sizes for loss in options.losses if loss in LABELS]
    cases += [(loss, shape) for loss in options.losses if loss in SHAPES for shape in SHAPES[loss]]
    for loss, text in cases:
        shape = tuple(map(int, text.split("x")))
        size = ideal_bytes(loss, shape, options.dtype)
        seconds = measure(contestants, loss, shape, options.dtype, rounds)
        cells = [loss, text]
        for name in ("closs reused", *forced):
            cells += [time_cell(seconds[name]), copy_cell(seconds[name], seconds["copy"], size)]
        cells.append(time_cell(seconds["closs fresh"]))
        for name, setting in shown:
            cells.append(f"{ratio(seconds[name], seconds[f'closs {setting}']):.1f}x" if name in seconds else "")
        print(f"| {' | '.join(cells)} |", flush=True)
    for contestant in started.values():
        contestant.close()


if __name__ == "__main__":
    main()
