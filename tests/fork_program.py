"""Forks, and fails unless every child gets the parent's bits in time: python fork_program.py SCENARIO PARENT.

A program of its own, since a hang or a fork in the middle of pytest would be everybody's. Its calls are large enough
for several threads.
"""

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np

import closs

SECONDS = 30
warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)  # that is what is tested

PRED = np.random.RandomState(1).standard_normal(1 << 20).astype(np.float32)
LABEL = (PRED > 0.5).astype(np.float32)


def result() -> str:
    value, grad = closs.SigmoidBCELoss(reduction="mean").value_and_grad(PRED, LABEL)
    return hashlib.sha256(grad.tobytes() + np.float64(value).tobytes()).hexdigest()


def start_child(work) -> int:
    """A child that runs work and exits with 0 if that returns true."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return pid


def ended_well(pid: int) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    print(f"child {pid} did not end within {SECONDS} s", file=sys.stderr)
    return False


def child(expected: str) -> bool:
    return ended_well(start_child(lambda: result() == expected)) and result() == expected


def many_children(expected: str) -> bool:
    """The parent uses its threads again between forks, and while children run."""
    pids = []
    for _ in range(10):
        pids.append(start_child(lambda: result() == expected))
        if result() != expected:
            return False
    return all([ended_well(pid) for pid in pids])


def grandchild(expected: str) -> bool:
    def first_generation():
        return result() == expected and child(expected)

    return ended_well(start_child(first_generation)) and ended_well(start_child(lambda: child(expected)))


def fork_in_thread(expected: str) -> bool:
    """A thread forks while the main thread computes."""
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.extend(child(expected) for _ in range(5)))
    thread.start()
    while thread.is_alive():
        if result() != expected:
            return False
    return outcomes == [True] * 5


def multiprocessing_pool(expected: str) -> bool:
    with multiprocessing.get_context("fork").Pool(3) as pool:
        return pool.map_async(_result_of, range(12), chunksize=1).get(SECONDS) == [expected] * 12


def _result_of(_) -> str:
    return result()


SCENARIOS = {
    "child": child,
    "many_children": many_children,
    "grandchild": grandchild,
    "fork_in_thread": fork_in_thread,
    "multiprocessing": multiprocessing_pool,
}

#: What the parent does before it forks: nothing with threads, a call, or a call in a thread that has ended.
PARENTS = {
    "idle": lambda: None,
    "used": result,
    "used_elsewhere": lambda: (thread := threading.Thread(target=result), thread.start(), thread.join()),
}

if __name__ == "__main__":
    with closs.num_threads(1):
        serial = result()
    PARENTS[sys.argv[2]]()
    sys.exit(0 if SCENARIOS[sys.argv[1]](serial) else f"{sys.argv[1]}: a child hung, failed, or got other bits")
