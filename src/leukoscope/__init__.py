"""leukoscope: cells, splits that do not leak, and figures one can defend. Research use only.

The verbs of the command line as functions:

>>> import leukoscope as lk
>>> manifest = lk.read_dataset("cells/")                      # doctest: +SKIP
>>> findings = lk.check(manifest)                             # doctest: +SKIP
>>> run = lk.train(manifest, "runs/first", model="cnn-3")     # doctest: +SKIP
>>> lk.report([run.folder], "first.html")                     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = [
    "check",
    "compare",
    "evaluate",
    "read_dataset",
    "render",
    "report",
    "reproduce",
    "split",
    "train",
    "validate",
]

if TYPE_CHECKING:
    from .api import (
        check,
        compare,
        evaluate,
        read_dataset,
        render,
        report,
        reproduce,
        split,
        train,
        validate,
    )


def __getattr__(name: str) -> Any:
    """Load the verbs when one is asked for: ``import leukoscope`` itself costs nothing."""
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module 'leukoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
