"""The figures of a report as files of their own, for a paper or a talk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..figures import save
from .drawings import Drawn, editions, learning_curves, result_figures
from .sections.editions import metrics_of
from .study import read_study

__all__ = ["save_figures"]


def save_figures(runs: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Save every figure of the runs as SVG and PNG; returns the files.

    Parameters
    ----------
    runs
        Run folders, as for ``write_report``.
    folder
        Gets one folder a run, with ``roc.svg``, ``roc.png``, …, and for two editions of one
        experiment a folder ``PUBLISHED-LEAKFREE`` with their figure.

    Raises
    ------
    ReportError, RunError
        As ``write_report``.
    StorageError
        A file cannot be written.
    """
    study = read_study(runs)
    files: list[Path] = []

    def keep(drawn: Drawn, name: str) -> None:
        files.extend(save(drawn.drawing, folder / name))

    for shown in study.shown:
        for drawn in (learning_curves(shown), *result_figures(shown)):
            if drawn is not None:
                keep(drawn, shown.anchor)
    for pair in study.pairs:
        drawn = editions(pair, metrics_of(study, pair))
        keep(drawn, f"{pair.published.anchor}-{pair.leak_free.anchor}")
    return tuple(files)
