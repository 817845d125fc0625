"""How many threads there are, many Python threads at once, and children of fork()."""

import os
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
from helpers import TESTS, assert_same_bits, moderate, run_python

import closs

OPENMP = closs.config()["openmp"]
needs_openmp = pytest.mark.skipif(not OPENMP, reason="closs was built without OpenMP: it always uses one thread")
PRINT_THREADS = "import closs; print(closs.get_num_threads())"


@pytest.fixture
def default_threads():
    """The setting of this process, restored afterwards."""
    with closs.num_threads(closs.get_num_threads()):
        yield closs.get_num_threads()


# ---- How many --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 1000, np.int64(5)])
def test_set_and_get(default_threads, threads):
    closs.set_num_threads(threads)
    assert closs.get_num_threads() == (threads if OPENMP else 1)
    assert closs.config()["threads"] == closs.get_num_threads()


def test_context_manager_restores(default_threads):
    with closs.num_threads(3):
        with closs.num_threads(5):
            assert closs.get_num_threads() == (5 if OPENMP else 1)
        assert closs.get_num_threads() == (3 if OPENMP else 1)
        with pytest.raises(RuntimeError, match=r"^stop$"), closs.num_threads(7):
            raise RuntimeError("stop")
        assert closs.get_num_threads() == (3 if OPENMP else 1)
    assert closs.get_num_threads() == default_threads


@needs_openmp
def test_back_to_the_default(default_threads):
    """It follows OpenMP again, as threadpoolctl does, where a number would be fixed."""
    program = """
import closs
for threads in (5, None, 7):
    closs.set_num_threads(threads)
    print(closs.get_num_threads())
    with closs.num_threads(None):
        print(closs.get_num_threads())
"""
    assert run_python("-c", program, CLOSS_NUM_THREADS="3").split() == ["5", "3", "3", "3", "7", "3"]


SHOW = "import closs; closs.show_config()"


@needs_openmp
@pytest.mark.parametrize("variable, wrong, right", [
    ("CLOSS_NUM_THREADS", ["two", "0", "3.5"], ["3", "+3", " 03"]),
    ("CLOSS_ISA", ["avx3", "AVX2"], ["baseline"]),
])  # fmt: skip
def test_environment_that_is_not_understood_is_shown(variable, wrong, right):
    for text in wrong:
        assert f"; {variable}={text!r} has no effect\n" in run_python("-c", SHOW, **{variable: text})
    for text in right:
        assert "has no effect" not in run_python("-c", SHOW, **{variable: text})
    assert "has no effect" not in run_python("-c", SHOW, **{variable: ""})
    call_comes_first = SHOW.replace("; ", "; closs.set_num_threads(2); ")
    assert "has no effect" not in run_python("-c", call_comes_first, CLOSS_NUM_THREADS="3")


@needs_openmp
@pytest.mark.parametrize("threads", ["1", "3", "17"])
def test_environment(threads):
    assert run_python("-c", PRINT_THREADS, CLOSS_NUM_THREADS=threads).strip() == threads


@pytest.mark.parametrize("nonsense", ["0", "-2", "two", "", "3.5", "99999999999999999999"])
def test_environment_that_says_nothing(nonsense):
    assert run_python("-c", PRINT_THREADS, CLOSS_NUM_THREADS=nonsense) == run_python("-c", PRINT_THREADS)


@needs_openmp
def test_environment_is_followed_in_order():
    """OMP_NUM_THREADS limits the default, CLOSS_NUM_THREADS comes before it, a call before both."""
    assert run_python("-c", PRINT_THREADS, OMP_NUM_THREADS="1").strip() == "1"
    assert run_python("-c", PRINT_THREADS, OMP_NUM_THREADS="1", CLOSS_NUM_THREADS="3").strip() == "3"
    set_5 = "import closs; closs.set_num_threads(5); print(closs.get_num_threads())"
    assert run_python("-c", set_5, OMP_NUM_THREADS="1", CLOSS_NUM_THREADS="3").strip() == "5"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform has no os.sched_setaffinity")
def test_affinity():
    pinned = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); " + PRINT_THREADS
    assert run_python("-c", pinned).strip() == "1"


@needs_openmp
@pytest.mark.skipif(not find_spec("threadpoolctl"), reason="threadpoolctl is not installed")
def test_threadpoolctl():
    program = """
import closs, threadpoolctl
assert any(pool["user_api"] == "openmp" for pool in threadpoolctl.threadpool_info()), threadpoolctl.threadpool_info()
before = closs.get_num_threads()
with threadpoolctl.threadpool_limits(1, "openmp"):
    print(closs.get_num_threads())
assert closs.get_num_threads() == before
"""
    assert run_python("-c", program, OMP_NUM_THREADS="2").strip() == "1"


# ---- Many Python threads at once -------------------------------------------------------------------------------------


def test_many_python_threads(row):
    """Small and large calls of one object, all at the same time."""
    loss = row.make(reduction="sample_sum")
    inputs = [row.pred(moderate((5, 7 + 9000 * k), np.float32, seed=k)) for k in range(6)]
    expected = [loss.value_and_grad(x, row.labels_like(x), **row.call) for x in inputs]
    start = threading.Barrier(6)

    def work(k):
        start.wait()
        x = inputs[k]
        return [loss.value_and_grad(x, row.labels_like(x), **row.call) for _ in range(5)]

    with closs.num_threads(2), ThreadPoolExecutor(6) as pool:
        for results, wanted in zip(pool.map(work, range(6)), expected, strict=True):
            for result in results:
                for a, b in zip(result, wanted, strict=True):
                    assert_same_bits(a, b, row.id)


def test_the_number_of_threads_changes_under_calls(default_threads):
    x = moderate(300_000, np.float32)
    loss = closs.L2Loss(reduction="sum")
    expected = loss(x, x[::-1].copy())
    done = threading.Event()

    def change():
        while not done.is_set():
            for threads in (1, 2, 5):
                closs.set_num_threads(threads)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        assert {loss(x, x[::-1].copy()) for _ in range(50)} == {expected}
    finally:
        done.set()
        changer.join()


# ---- Fork ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no os.fork")
@pytest.mark.skipif(sys.platform == "darwin", reason="system libraries of macOS are not safe after fork")
@pytest.mark.parametrize("parent", ["idle", "used", "used_elsewhere"])
@pytest.mark.parametrize("scenario", ["child", "many_children", "grandchild", "fork_in_thread", "multiprocessing"])
def test_fork(scenario, parent):
    """The program kills its children and fails if one hangs; the time limit here is the second net."""
    run_python(str(TESTS / "fork_program.py"), scenario, parent, timeout=180, CLOSS_NUM_THREADS="3")


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter always has a GIL")
def test_importing_closs_leaves_the_gil_off():
    assert run_python("-c", "import sys, closs; print(sys._is_gil_enabled())").split() == ["False"]
