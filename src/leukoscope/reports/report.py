"""One HTML file from one or several runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ReportError
from ..files import write_atomic
from .numbers import listed
from .sections import SECTIONS
from .study import Study, read_study
from .templating import render

__all__ = ["write_report"]


def write_report(runs: Sequence[Path], out: Path, *, comparison: bool = True) -> None:
    """Write the report of one or several finished runs.

    Parameters
    ----------
    runs
        Run folders, all of the same classes. The two editions of one experiment stand side by
        side with the gap on top; several models become a table.
    out
        The HTML file to write, atomically; its folder is made where it does not exist.
    comparison
        False shows the runs one after the other without comparing them.

    Raises
    ------
    ReportError
        No run, a run twice, a missing file, nothing tested, runs of different classes, or
        ``out`` is a folder.
    RunError
        A folder that is no run or is not finished.
    StorageError
        The file cannot be written.
    """
    out = Path(out)
    refuse_folder(out)
    write_atomic(out, html(read_study(runs, comparison=comparison)))


def refuse_folder(out: Path) -> None:
    """A report is a file; a folder of that name is an error that says so."""
    if out.is_dir():
        raise ReportError(f"{out}: is a folder. Name the file: {out / 'report.html'}")


def html(study: Study) -> str:
    """The whole page as text."""
    built = {name: section.build(study) for name, section in SECTIONS.items()}
    parts = [
        (name, SECTIONS[name].title, value) for name, value in built.items() if value is not None
    ]
    return render(
        "report.html",
        title=_title(study),
        parts=parts,
        present=frozenset(name for name, _, _ in parts),
        rendered=study.rendered,
        date=study.lead.run.environment.get("date", ""),
    )


def _title(study: Study) -> str:
    models = sorted({shown.run.experiment.model.name for shown in study.shown})
    names = sorted({shown.data_name for shown in study.shown})
    return f"{listed(models)} on {listed(names)}"
