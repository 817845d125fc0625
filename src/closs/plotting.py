"""Drawings of losses and their gradients. Needs matplotlib (`pip install closs[tour]`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from closs.gallery import ALL, Exhibit, RowExhibit

VALUE_COLOUR, GRADIENT_COLOUR = "#1f5fa8", "#c7512e"


def draw(axes: Any, item: Exhibit | RowExhibit) -> None:
    """One loss and its gradient, pred from -5 to 5, on matplotlib axes."""
    pred = np.linspace(-5, 5, 2001)
    value, grad = item.curve(pred)
    axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.axvline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.plot(pred, value, color=VALUE_COLOUR, label="loss")
    axes.plot(pred, grad, color=GRADIENT_COLOUR, linestyle="--", label="gradient")
    axes.set_title(item.title.replace(", ", "\n", 1), fontsize=9)
    axes.set_xlim(-5, 5)
    axes.set_ylim(max(-6.0, float(grad.min()) - 0.5), min(8.0, float(value.max()) + 0.5))
    axes.spines[["top", "right"]].set_visible(False)


def plot_losses(path: str | Path, items: Sequence[Exhibit | RowExhibit] = ALL) -> Path:
    """Draw the losses side by side into an image file.

    Parameters
    ----------
    path : str or Path
        Where the image goes; its ending decides the format.
    items : sequence of Exhibit
        Which losses; all by default.

    Returns
    -------
    Path
        The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(4, len(items))
    rows = -(-len(items) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes, item in zip(panels.flat, items, strict=False):
        draw(axes, item)
    for axes in panels.flat[len(items) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("pred")
    panels[0, 0].legend(frameon=False)
    target = Path(path)
    figure.savefig(target, dpi=130)
    return target
