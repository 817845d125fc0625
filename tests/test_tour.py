"""The command line, the shipped data and the tour, as a user meets them."""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import closs
from closs.__main__ import main
from closs.datasets import load_digits, load_health_insurance
from closs.gallery import ALL, CLASSIFIERS, EXHIBITS, METRICS, exhibit
from closs.tour import Progress
from closs.tour_ctc import FRAMES, edits, learn_to_read, report

PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "closs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def test_data():
    data = load_health_insurance()
    assert data.features.shape == (1914, 8) and np.isfinite(data.features).all()
    assert np.allclose(data.features[:, :-1].mean(axis=0), 0) and (data.features[:, -1] == 1).all()
    assert set(data.limited) == {0, 1}
    assert (data.visits >= 0).all() and (data.visits == np.round(data.visits)).all() and data.visits.max() > 10


def test_digits():
    data = load_digits()
    assert data.images.shape == (1797, 64) and data.images.min() == 0 and data.images.max() == 1
    assert np.bincount(data.labels).min() > 170 and data.labels.max() == 9


def test_every_class_is_in_the_gallery():
    elsewhere = ("SigmoidBCELoss", "SoftmaxCELoss", "CTCLoss", "ctc_greedy_decode")
    assert {item.name for item in ALL} == {name for name in closs.losses.__all__ if name not in elsewhere}


def test_reading_lines_of_digits():
    told = []
    result = learn_to_read(load_digits(), 1200, told.append, steps=40)
    assert len(told) == 40 and result.after < result.before / 2
    text = report(result)
    assert "truth" in text and "CTC loss" in text and len(text.splitlines()) == 16
    assert (result.lines.lengths <= FRAMES).all() and set(result.lines.labels.ravel()) == set(range(10))
    assert [edits([1, 2, 3], b) for b in ([1, 2, 3], [1, 3], [], [2, 1, 3, 4], [4, 5, 6])] == [0, 1, 3, 3, 3]


class Terminal(io.StringIO):
    """What stands on the screen: a carriage return goes back, and what follows is written over the old line."""

    def isatty(self):
        return True

    def shown(self):
        lines = []
        for line in self.getvalue().split("\n"):
            cells = ""
            for part in line.split("\r"):
                cells = part + cells[len(part) :]
            lines.append(cells.rstrip())
        return lines


@pytest.mark.parametrize("steps", [None, 4])
def test_progress(monkeypatch, steps):
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    progress = Progress("L2Loss", steps)
    progress(12345.0)
    progress(1.0)
    (line,) = terminal.shown()
    assert "L2Loss" in line and "   2 evaluations" in line and line.endswith("value 1") and len(line) < 80
    assert ("[#####     ]" in line) == (steps == 4)
    for _ in range(3):  # more than were foreseen
        progress(1.0)
    progress.done("a picture\nof two lines")
    assert terminal.shown() == ["a picture", "of two lines", ""]


def test_progress_does_not_wrap(monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    Progress("L2Loss", 4)(1.0)
    assert terminal.shown() == ["  L2Loss"]


@pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
def test_curves_are_what_they_say(item):
    """The slope that is drawn is the derivative of the value that is drawn, away from kinks."""
    x = np.linspace(-4.9, 4.9, 50)
    step = 1e-5
    slope = (item.curve(x + step)[0] - item.curve(x - step)[0]) / (2 * step)
    np.testing.assert_allclose(item.curve(x)[1], slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("item", EXHIBITS, ids=lambda item: item.name)
def test_plain_numpy_agrees(item):
    rng = np.random.default_rng(0)
    pred, label = rng.normal(size=50), rng.integers(0, 2, 50) * (2.0 if item.signed else 1.0) - item.signed
    value, grad = item.cls(reduction="mean").value_and_grad(pred, label)
    plain_value, plain_grad = item.plain(pred, label)
    np.testing.assert_allclose(value, plain_value, rtol=1e-13)
    np.testing.assert_allclose(grad, plain_grad, rtol=1e-11, atol=1e-17)


def test_tour_end_to_end(tmp_path):
    figure = tmp_path / "figure.png"
    done = run("tour", "--output", str(figure), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = {m[1]: (float(m[2]), float(m[3])) for m in re.finditer(r"^(\w+Loss) +(\S+) +(\S+) ", done.stdout, re.M)}
    assert set(table) == {item.name for item in ALL}
    assert all(after < before for before, after in table.values()), table
    scores = re.findall(r"(?:accuracy|neighbour) (\S+) -> (\S+)", done.stdout)
    assert len(scores) == len(CLASSIFIERS) + len(METRICS)
    assert all(float(after) > max(0.8, float(before)) for before, after in scores), scores
    assert figure.read_bytes().startswith(PNG) and figure.stat().st_size > 20_000


def test_plot_one(tmp_path, capsys):
    target = tmp_path / "one.png"
    assert main(["plot", "huber", "-o", str(target)]) == 0
    assert target.read_bytes().startswith(PNG)
    assert main(["plot", "no such loss"]) == 1
    assert "expected one of" in capsys.readouterr().err
    with pytest.raises(ValueError, match="name: expected one of .* got 'x'"):
        exhibit("x")


def test_info_and_cflags():
    assert f"closs {closs.__version__}" in run("info").stdout
    include = run("--cflags").stdout.strip()
    assert include.startswith("-I") and (Path(include[2:]) / "closs" / "closs.h").is_file()
    assert "tour" in run().stdout


def test_without_optional_packages(tmp_path):
    """SciPy missing: a clear message, exit status 1."""
    (tmp_path / "scipy.py").write_text("raise ImportError\n")
    program = "import sys; sys.path.insert(0, '.'); from closs.__main__ import main; sys.exit(main(['tour']))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 1 and "pip install 'closs[tour]'" in done.stderr
