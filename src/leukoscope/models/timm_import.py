"""The one place that imports timm.

timm imports torchvision, whose compiled half registers the operators ``nms`` and ``qnms`` with
torch when its version and build match the installed torch. Beside another build (the common
case: a torchvision with CUDA next to a torch for the CPU) that half does not load, and the
Python half stops with *operator torchvision::nms does not exist*, because it declares the shapes
of operators that nobody has defined. Classification needs neither operator, so their schemas are
enough: declared here only when the import has failed with that error, and kept alive for as long
as the process. With a matching pair nothing is done.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import ExperimentError, MissingExtraError

if TYPE_CHECKING:
    import torch

__all__ = ["import_timm"]

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""As torchvision's C++ sources define them (csrc/ops/nms.cpp)."""

_declared: list[torch.library.Library] = []
"""A library takes its operators with it when it is collected."""


def import_timm() -> ModuleType:
    """Import timm, mending a torchvision that does not match its torch.

    Raises
    ------
    MissingExtraError
        When torch, torchvision or timm is not installed.
    ExperimentError
        When torchvision fails in another way.
    """
    try:
        return _import()
    except RuntimeError as reason:
        if "torchvision::nms does not exist" not in str(reason):
            raise ExperimentError(
                f"torchvision cannot be imported beside this torch ({reason}). "
                "Install the pair that belongs together: https://pytorch.org/get-started"
            ) from reason
    _forget_half_imported()
    _declare_operators()
    return _import()


def _import() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as reason:
        if (reason.name or "").partition(".")[0] not in ("timm", "torch", "torchvision"):
            raise
        raise MissingExtraError("A pretrained backbone", "train") from reason


def _forget_half_imported() -> None:
    """A module that failed midway must run again; its parts would be found as they are."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("timm", "torchvision")]:
        del sys.modules[name]


def _declare_operators() -> None:
    import torch

    if not _declared:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for schema in SCHEMAS:
            library.define(schema)  # type: ignore[no-untyped-call]
        _declared.append(library)
