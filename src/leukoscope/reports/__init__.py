"""Reports: one self-contained HTML that opens offline, years later, and reads like a paper.

>>> from leukoscope.reports import write_report
>>> write_report([Path("runs/first")], Path("first.html"))    # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["save_figures", "summary", "write_check_report", "write_report"]

if TYPE_CHECKING:
    from .check import write_check_report
    from .report import write_report
    from .saving import save_figures
    from .terminal import summary

MODULES = {
    "write_report": "report",
    "write_check_report": "check",
    "save_figures": "saving",
    "summary": "terminal",
}


def __getattr__(name: str) -> Any:
    """Load a report's machinery (templates, tables, figures) when one is written."""
    if name in MODULES:
        from importlib import import_module

        return getattr(import_module(f".{MODULES[name]}", __name__), name)
    raise AttributeError(f"module 'leukoscope.reports' has no attribute {name!r}")
