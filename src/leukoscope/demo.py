"""The main job on embedded data: drawn cells, both editions, one report, two minutes."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import api
from .datasets.card import RENDERED_DATA
from .errors import LeukoscopeError
from .evaluation.comparison import gap
from .files import canonical_json, sha256_bytes, write_atomic
from .progress import Progress
from .records.findings import write_findings
from .records.run import Run, read_run
from .schema import Record

__all__ = ["DemoOutcome", "run_demo"]

SUBJECTS = 24
IMAGES = 960
SIZE_PX = 128
SETTINGS = {
    "model.name": "cnn-1",
    "preprocess.size": 32,
    "training.epochs": 7,
    "training.precision": "auto",
    "split.kind": "kfold",
    "split.folds": 2,
    "expand.factor": 2,
    "expand.augmentation": {"flip_horizontal": 0.5, "quarter_turns": 1.0},
}
"""Few folds and epochs: the demo shows the way, not the best figure."""
EDITIONS: dict[str, dict[str, object]] = {
    "leak-free": {"edition": "leak-free"},
    "as-published": {
        "edition": "as-published",
        "training.epoch": "best-test",
        "expand.before_split": True,
    },
}
"""As published: turned copies are made, then single images are divided (varol2024 §2.3), and the
epoch is the one that is best on the test part."""


class DemoOutcome(Record):
    """What the demo found and where it lies."""

    auroc: dict[str, float]
    """Edition → AUROC by image."""
    leak: float
    """As published minus leak-free."""
    interval: tuple[float, float] | None
    """Of the leak, 95 %; None where there are too few groups for one."""
    groups: int
    findings: int
    folder: str
    report: str

    def sentence(self) -> str:
        """The last lines that the demo prints."""
        together = "subjects on both sides, copies, and the epoch chosen on the test part together"
        known, meaning = "no interval", "too few groups to say more"
        if self.interval is not None:
            low, high = self.interval
            known = f"95 % interval {low:+.3f} to {high:+.3f}"
            meaning = "too few subjects to tell it from none" if low <= 0 else together
        return (
            f"{RENDERED_DATA}\n"
            f"as published {self.auroc['as-published']:.3f} AUROC, leak-free "
            f"{self.auroc['leak-free']:.3f} AUROC\n"
            f"the leak is {self.leak:+.3f} ({known}; {self.groups} groups): {meaning}\n"
            f"report: {self.report}\n"
            "research use only"
        )


def run_demo(out: Path, *, seed: int = 0, progress: Progress) -> DemoOutcome:
    """Draw, check, train both editions, evaluate and report; everything lies in ``out``.

    Goes on where it was stopped. Raises LeukoscopeError when ``out`` is no demo, or a demo of
    another seed or of other settings.
    """
    _claim(out, seed)
    cells = out / "cells"
    if not (cells / "manifest.csv").exists():
        shutil.rmtree(cells, ignore_errors=True)
        progress.say(f"1 of 4: drawing {IMAGES} cells of {SUBJECTS} subjects")
        api.render(
            "rendered-cnmc",
            cells,
            seed=seed,
            subjects=SUBJECTS,
            images=IMAGES,
            size=SIZE_PX,
            progress=progress,
        )
    manifest = api.read_dataset(cells / "manifest.csv", progress=progress)
    progress.say("2 of 4: checking the data")
    findings = api.check(manifest, progress=progress)
    write_findings(findings, out / "findings.json")
    runs: dict[str, Run] = {}
    for edition, changes in EDITIONS.items():
        folder = out / edition
        progress.say(f"3 of 4: training {edition}")
        runs[edition] = (
            read_run(folder)
            if folder.exists()
            else api.train(
                manifest,
                folder,
                settings={"name": edition, "seed": seed, **SETTINGS, **changes},
                progress=progress,
            )
        )
    progress.say("4 of 4: writing the report")
    report = api.report([run.folder for run in runs.values()], out / "report.html")
    auroc = {
        edition: float(run.metrics["levels"]["image"]["auroc"]["value"])
        for edition, run in runs.items()
    }
    tested = {edition: run.predictions.part("test") for edition, run in runs.items()}
    difference = gap(tested["as-published"], tested["leak-free"], metrics=["auroc"])
    leak = difference["metrics"]["auroc"]
    return DemoOutcome(
        auroc=auroc,
        leak=leak["difference"],
        interval=None if leak["low"] is None else (leak["low"], leak["high"]),
        groups=difference["groups"],
        findings=len(findings),
        folder=str(out),
        report=str(report),
    )


def _claim(out: Path, seed: int) -> None:
    """Mark the folder as this demo's, or refuse one that is something else."""
    settings = [SUBJECTS, IMAGES, SIZE_PX, SETTINGS, EDITIONS]
    digest = sha256_bytes(canonical_json(settings).encode("utf-8"))[:12]
    mine = (
        "Made by: leukoscope demo. Rendered data, research use only.\n"
        f"seed {seed}, settings {digest}\n"
    )
    marker = out / "demo.txt"
    if not out.exists():
        write_atomic(marker, mine)
    elif not marker.exists():
        raise LeukoscopeError(f"{out}: exists and is no demo. Choose another folder with -o.")
    elif marker.read_text(encoding="utf-8") != mine:
        raise LeukoscopeError(
            f"{out}: holds a demo of another seed or of other settings (this one: seed {seed}, "
            f"settings {digest}; that one: see {marker}). Choose another folder with -o, or remove "
            "this one first."
        )
