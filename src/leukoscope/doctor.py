"""What works on this machine, and what an extra would add."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from .errors import ExperimentError, StorageError
from .files import cache_folder, write_atomic
from .schema import Record

__all__ = ["EXTRAS", "Fact", "describe", "examine"]

LITTLE_SPACE_GB = 5.0
"""Pixels of ten thousand images at 224 px take 1.5 GB; a run beside them little."""

EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "train": (
        ("torch", "torchvision", "timm", "safetensors", "h5py"),
        "training networks; pretrained backbones; reading PCam's HDF5",
    ),
    "parquet": (("pyarrow",), "manifests as Parquet"),
    "download": (("kagglehub",), "data get: sets that lie on Kaggle"),
    "bench": (("keras", "tensorflow"), "bench: peers to measure against"),
    "slides": (("tifffile", "imagecodecs", "openslide"), "whole slides, which nothing reads yet"),
    "serve": (("fastapi", "uvicorn", "sqlalchemy"), "the page and the API, which are to come"),
    "pdf": (("weasyprint",), "reports as PDF, which nothing writes yet"),
    "cluster": (("ray",), "reproduce --engine ray: trainings on a cluster"),
}
"""Extra → (modules that it brings, what it is for)."""

BASE = ("numpy", "Pillow", "opencv-python-headless", "scikit-learn", "pandas", "matplotlib")


class Fact(Record):
    """One line of the examination."""

    subject: str
    state: Literal["works", "absent", "broken"]
    found: str
    advice: str = ""


def examine() -> list[Fact]:
    """Look at the interpreter, the packages, the processor, the cache and the disk."""
    return [_python(), *_packages(), *_extras(), *_devices(), *_backbones(), _cache(), _space()]


def _python() -> Fact:
    version = ".".join(str(part) for part in sys.version_info[:3])
    state: Literal["works", "broken"] = "works" if sys.version_info >= (3, 11) else "broken"
    return Fact(subject="Python", state=state, found=version, advice="3.11 or newer is needed.")


def _packages() -> list[Fact]:
    facts = []
    for name in BASE:
        try:
            facts.append(Fact(subject=name, state="works", found=metadata.version(name)))
        except metadata.PackageNotFoundError:
            facts.append(
                Fact(
                    subject=name,
                    state="broken",
                    found="not installed",
                    advice="Install again: pip install --force-reinstall leukoscope",
                )
            )
    return facts


def _extras() -> list[Fact]:
    facts = []
    for extra, (modules, purpose) in EXTRAS.items():
        absent = [module for module in modules if find_spec(module) is None]
        facts.append(
            Fact(
                subject=f"extra {extra}",
                state="absent" if absent else "works",
                found=f"without {', '.join(absent)}" if absent else purpose,
                advice=f"For {purpose}: pip install 'leukoscope[{extra}]'" if absent else "",
            )
        )
    return facts


def _devices() -> list[Fact]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = [Fact(subject="processor", state="works", found=f"{cores} cores")]
    if find_spec("torch") is not None:
        from .training.device import describe_devices

        facts += [
            Fact(subject=subject, state="works" if there else "absent", found=found)
            for subject, there, found in describe_devices()
        ]
    return facts


def _backbones() -> list[Fact]:
    """Whether timm imports: its torchvision may not match the installed torch."""
    if any(find_spec(module) is None for module in ("torch", "torchvision", "timm")):
        return []
    from .models.timm_import import import_timm

    try:
        found = f"timm {import_timm().__version__}"
    except ExperimentError as error:
        return [Fact(subject="backbones", state="broken", found=str(error))]
    return [Fact(subject="backbones", state="works", found=found)]


def _cache() -> Fact:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            write_atomic(Path(place) / "probe", "written by leukoscope doctor")
    except (OSError, StorageError) as error:
        return Fact(
            subject="cache",
            state="broken",
            found=f"{folder} cannot be written: {error}",
            advice="Set LEUKOSCOPE_CACHE to a folder that can.",
        )
    return Fact(subject="cache", state="works", found=str(folder))


def _space() -> Fact:
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    little = free < LITTLE_SPACE_GB
    return Fact(
        subject="disk",
        state="broken" if little else "works",
        found=f"{free:.0f} GB free for the cache",
        advice="Free some space, or set LEUKOSCOPE_CACHE to another disk." if little else "",
    )


def describe(facts: Sequence[Fact]) -> str:
    """The examination as lines of text."""
    width = max(len(fact.subject) for fact in facts)
    lines = []
    for fact in facts:
        lines.append(f"{fact.state:<7} {fact.subject:<{width}}  {fact.found}")
        if fact.state != "works" and fact.advice:
            lines.append(f"{'':<7} {'':<{width}}  {fact.advice}")
    broken = sum(fact.state == "broken" for fact in facts)
    lines.append(f"{broken} faults" if broken else "all that is needed works")
    lines.append("next: leukoscope demo")
    return "\n".join(lines)
