"""closs beside NumPy, torch, JAX and scikit-learn: value and gradient of the mean loss, float32.

    python asv_bench/peers/compare.py [--sizes 32 1000000 16000000] [--losses L2 ...] [--peers torch ...] [--rounds 15]

prints a Markdown table. Peers that are not installed are left out and named. Each contestant lives in a process of its
own (contestants.py) and they take turns, round after round: two OpenMP pools in one process disturb each other (both
spin: up to 150 times slower regions), and torch with huge pages needs its own environment. Ratios are taken round by
round and their median is printed, so the machine's drift cancels. Every contestant's value is checked before timing.

closs is timed with a given gradient array ("reused") and with a new one each call ("fresh"). A peer that allocates its
outputs anew is compared with closs fresh, unless the column says otherwise. "copy" is the share of a two-thread 64 MB
copy's bandwidth (bytes read + bytes written) at which closs moves its ideal bytes: pred and label read once, the
gradient written once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
LOSSES = ["L1", "L2", "Huber", "SigmoidBCE", "Hinge", "SquaredHinge", "Logistic", "PoissonNLL"]
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

#: name -> (implementation in contestants.py, environment)
CONTESTANTS = {
    "closs reused": ("closs_reused", {}),
    "closs fresh": ("closs_fresh", {}),
    "copy": ("copy", {}),
    "NumPy": ("numpy", {}),
    "torch": ("torch", {}),
    "torch, huge pages": ("torch", HUGE_PAGES),
    "JAX jit": ("jax", {}),
    "scikit-learn": ("sklearn", {}),
}
#: Column title -> (peer, the closs it is divided by).
COLUMNS = {
    "NumPy / fresh": ("NumPy", "closs fresh"),
    "torch / reused": ("torch", "closs reused"),
    "torch, huge pages / fresh": ("torch, huge pages", "closs fresh"),
    "JAX / fresh": ("JAX jit", "closs fresh"),
    "scikit-learn / reused": ("scikit-learn", "closs reused"),
}


class Contestant:
    """A process that answers one JSON line for each it is sent."""

    def __init__(self, name: str, isa: str | None) -> None:
        implementation, environment = CONTESTANTS[name]
        environment = os.environ | environment | ({"CLOSS_ISA": isa} if isa else {})
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "contestants.py"), implementation],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.about = self.ask()

    def ask(self, **question):
        if question:
            print(json.dumps(question), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else None

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(contestants: dict[str, Contestant], loss: str, n: int, rounds: int) -> dict[str, list[float]]:
    """Seconds a call, a list of rounds for each contestant that has this loss."""
    values = {name: c.ask(do="prepare", loss=loss, n=n)["value"] for name, c in contestants.items()}
    expected = values["closs fresh"]
    for name, value in values.items():
        if value is not None and name != "copy" and abs(value - expected) > 1e-4 * abs(expected):
            raise ArithmeticError(f"{loss}, n = {n}: {name} gives {value}, closs {expected}")
    entered = [name for name, value in values.items() if value is not None]
    seconds = {name: [] for name in entered}
    for _ in range(rounds):
        for name in entered:
            seconds[name].append(contestants[name].ask(do="time")["seconds"])
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    return median(a / b for a, b in zip(above, below, strict=True))


def in_units(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.2f} us"


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 1_000_000, 16_000_000])
    parser.add_argument("--losses", nargs="+", default=LOSSES, choices=LOSSES)
    parser.add_argument("--peers", nargs="+", default=list(CONTESTANTS)[3:], choices=list(CONTESTANTS)[3:])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--isa", help="force this instruction set on closs (CLOSS_ISA)")
    options = parser.parse_args()

    names = ["closs reused", "closs fresh", "copy", *options.peers]
    started = {name: Contestant(name, options.isa) for name in names}
    missing = [name for name, c in started.items() if c.about is None]
    contestants = {name: c for name, c in started.items() if c.about is not None}
    columns = {title: pair for title, pair in COLUMNS.items() if pair[0] in contestants}

    print(f"`python {' '.join([Path(sys.argv[0]).as_posix(), *sys.argv[1:]])}`\n")
    print(
        f"{cpu_name()}, 2 threads each; " + "; ".join(f"{name}: {c.about['about']}" for name, c in contestants.items())
    )
    print(f"Medians of {options.rounds} rounds. Allocator: glibc's default, huge pages where named.")
    if missing:
        print(f"Not installed here: {', '.join(missing)}.")
    print(f"\n| loss | n | closs reused | closs fresh | copy | {' | '.join(columns)} |")
    print("|---" * (5 + len(columns)) + "|")
    for n in options.sizes:
        for loss in options.losses:
            seconds = measure(contestants, loss, n, options.rounds)
            moved = [12 * n / t for t in seconds["closs reused"]]
            copied = [2 * 64e6 / t for t in seconds["copy"]]
            cells = [
                f"{ratio(seconds[peer], seconds[own]):.1f}x" if peer in seconds else ""
                for peer, own in columns.values()
            ]
            print(
                f"| {loss} | {n} | {in_units(median(seconds['closs reused']))} | "
                f"{in_units(median(seconds['closs fresh']))} | {ratio(moved, copied):.2f} | {' | '.join(cells)} |",
                flush=True,
            )
    for contestant in started.values():
        contestant.close()


if __name__ == "__main__":
    main()
