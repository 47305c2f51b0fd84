"""Run folders made through the records API, so that reports are tested before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukoscope.datasets import DatasetCard, Manifest, manifest_from_rows, write_manifest
from leukoscope.evaluation import evaluate
from leukoscope.files import write_json
from leukoscope.records.experiment import Experiment, write_experiment
from leukoscope.records.findings import Finding, write_findings
from leukoscope.records.predictions import predictions_from_table, write_predictions
from leukoscope.records.run import DataSummary, describe_environment, write_data_summary
from leukoscope.records.split import Fold, Split, write_split
from leukoscope.reports import write_report
from leukoscope.reports.sections import editions, model, results

Maker = Callable[..., Path]
FINDINGS = (
    Finding(
        check="identical-pixels",
        severity="warning",
        summary="2 pairs of images have identical pixels under different subjects.",
        evidence={
            "pairs": 2,
            "groups": [["blast/000.png", "blast/004.png"], ["normal/001.png", "normal/005.png"]],
        },
        images=("blast/000.png", "blast/004.png", "normal/001.png", "normal/005.png"),
        mend="Group duplicates before splitting: leukoscope split --group-duplicates.",
    ),
    Finding(check="sample-size", severity="note", summary="28 subjects were found."),
)


def card_of(classes: Sequence[str], **changes: Any) -> DatasetCard:
    """A card for the given classes; the first is blast, the second normal."""
    meanings = dict.fromkeys(classes, "")
    meanings[classes[0]] = "blast"
    meanings[classes[1]] = "normal"
    values: dict[str, Any] = {
        "name": "made-up",
        "title": "Made-up cells",
        "classes": meanings,
        "positive": classes[0],
        "normal_means": "healthy donors’ lymphoid cells",
        "licence": "CC BY 4.0",
        "citation": "Nobody A. Cells that never were. 2026",
        "url": "https://example.org/cells",
        "subject_is": "a patient or donor",
        "image_size": (48, 48),
        "notes": ("Slide and label coincide on two slides.",),
    }
    return DatasetCard(**(values | changes))


def manifest_of(
    folder: Path, card: DatasetCard, *, subjects: int, cells: int, source: str
) -> Manifest:
    """A manifest whose image files exist in ``folder``: small squares of one colour."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(subjects):
        label = list(card.classes)[number % len(card.classes)]
        subject = f"{card.name}:{number:02d}" if source == "published" else ""
        for cell in range(cells):
            image = f"{label}/{number:02d}_{cell:02d}.png"
            colour = rng.integers(80, 220, size=3, dtype=np.uint8)
            path = folder / image
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((48, 48, 3), colour, dtype=np.uint8)).save(path)
            rows.append(
                {
                    "image": image,
                    "label": label,
                    "subject": subject,
                    "group": "" if source == "none" else subject or f"run-{number:02d}",
                    "group_source": "" if source == "none" else source,
                }
            )
    return manifest_from_rows(rows, card, folder)


def units_of(manifest: Manifest) -> list[str]:
    """What a leak-free split does not cut: the group, or the row where none is known."""
    return [g or key for g, key in zip(manifest.column("group"), manifest.keys, strict=True)]


def folds_of(manifest: Manifest, folds: int, unit: str, rng: np.random.Generator) -> list[Fold]:
    """Whole groups, or (unit ``image``) single images, dealt out to the folds in turn."""
    keys = np.array(manifest.keys, dtype=object)
    if unit == "group":
        names = {name: place for place, name in enumerate(dict.fromkeys(units_of(manifest)))}
        # Sorted by row key, subjects of one class follow each other: deal them out in turn.
        home = np.array([names[unit] % folds for unit in units_of(manifest)])
    else:
        home = rng.permutation(np.arange(len(keys)) % folds)
    return [
        Fold(
            name=f"fold-{k}",
            train=tuple(keys[(home != k) & (home != (k + 1) % folds)]),
            validation=tuple(keys[home == (k + 1) % folds]),
            test=tuple(keys[home == k]),
        )
        for k in range(folds)
    ]


def predictions_of(
    manifest: Manifest, folds: Sequence[Fold], skill: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Test predictions of every fold: a subject's cells share half of their noise."""
    classes = list(manifest.card.classes)
    place = {key: number for number, key in enumerate(manifest.keys)}
    tints = {unit: rng.normal(size=len(classes)) for unit in dict.fromkeys(units_of(manifest))}
    rows = []
    for number, fold in enumerate(folds):
        for key in fold.test:
            row = place[key]
            label = manifest.column("label")[row]
            group = manifest.column("group")[row]
            score = 0.7 * tints[group or key] + 0.7 * rng.normal(size=len(classes))
            score[classes.index(label)] += skill
            p = np.exp(score) / np.exp(score).sum()
            rows.append(
                {
                    "row": key,
                    "image": manifest.table["image"].iloc[row],
                    "subject": manifest.column("subject")[row],
                    "group": group,
                    "dataset": manifest.card.name,
                    "part": "test",
                    "fold": number,
                    "repeat": 0,
                    "label": label,
                    "predicted": classes[int(p.argmax())],
                    **{f"p_{name}": value for name, value in zip(classes, p, strict=True)},
                }
            )
    return pd.DataFrame(rows)


def history_of(rng: np.random.Generator, epochs: int = 6) -> pd.DataFrame:
    """A learning curve that falls and, on validation, rises again at its end."""
    epoch = np.arange(1, epochs + 1)
    loss = 0.7 * np.exp(-0.3 * epoch) + 0.1
    return pd.DataFrame(
        {
            "epoch": epoch,
            "learning_rate": 1e-3,
            "loss": loss,
            "accuracy": 1 - loss / 2,
            "validation_loss": loss + 0.05 + 0.02 * np.abs(epoch - 4) + rng.uniform(0, 0.001),
            "validation_accuracy": 0.95 - loss / 2,
        }
    )


def maker(root: Path) -> Maker:
    """``maker(folder)(name, …)`` writes a finished run folder and returns it."""

    def make(
        name: str = "run",
        *,
        classes: Sequence[str] = ("blast", "normal"),
        edition: str = "leak-free",
        groups: str = "published",
        subjects: int = 28,
        cells: int = 6,
        folds: int = 4,
        skill: float = 1.2,
        seed: int = 0,
        findings: Sequence[Finding] = FINDINGS,
        histories: bool = True,
        keep_manifest: bool = True,
        card: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Path:
        rng = np.random.default_rng(seed + 7)
        folder = root / name
        (data := root / "data").mkdir(exist_ok=True)
        made = card_of(classes, groups_inferred=groups != "published", **(card or {}))
        manifest = manifest_of(data, made, subjects=subjects, cells=cells, source=groups)
        path = data / f"{name}.csv"
        if keep_manifest:
            write_manifest(manifest, path)
        unit = "group" if edition == "leak-free" else "image"
        split = Split(
            kind="kfold" if edition == "leak-free" else "image",
            edition=edition,
            unit=unit,
            groups=groups,
            seed=seed,
            manifest_sha256=manifest.sha256,
            folds=tuple(folds_of(manifest, folds, unit, rng)),
        )
        experiment = Experiment.model_validate(
            {
                "name": name,
                "edition": edition,
                "seed": seed,
                "data": {"manifest": f"../data/{name}.csv"},
                "split": {"kind": split.kind, "folds": folds},
                **(settings or {}),
            }
        )
        folder.mkdir()
        write_experiment(experiment, folder / "experiment.toml")
        write_split(split, folder / "split.json")
        write_findings(findings, folder / "findings.json")
        write_data_summary(summary_of(manifest, groups), folder / "data.json")
        table = predictions_of(manifest, split.folds, skill, rng)
        write_predictions(table, folder / "predictions.csv")
        positive = classes[0] if len(classes) == 2 else None
        predictions = predictions_from_table(table, positive=positive)
        metrics = evaluate(predictions, resamples=200, groups=groups)
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "environment.json", describe_environment(["train", "experiment.toml"]))
        for number in range(folds if histories else 0):
            (folder / f"fold-{number}").mkdir()
            history_of(rng).to_csv(folder / f"fold-{number}" / "history.csv", index=False)
        return folder

    return make


def summary_of(manifest: Manifest, groups: str) -> DataSummary:
    """What training would write of the data: two rows were left out, one image is broken."""
    table = manifest.table
    card = manifest.card.model_dump(mode="json", by_alias=True, exclude={"root"})
    return DataSummary(
        card=card,
        manifest_sha256=manifest.sha256,
        rows=len(table) + 3,
        used=len(table),
        excluded={"unreadable": 1, "no label": 2},
        failures=("blast/broken.png: the file is empty",),
        classes={str(k): int(v) for k, v in table["label"].value_counts().sort_index().items()},
        subjects=len(set(table["subject"]) - {""}),
        groups={str(label): int(rows["group"].nunique()) for label, rows in table.groupby("label")},
        groups_total=int(table["group"].nunique()),
        groups_inferred=groups != "published",
        rendered=manifest.card.rendered,
    )


VOID = frozenset(
    ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr")
)


INLINE = frozenset(("a", "code", "span", "strong", "time"))


class Page(HTMLParser):
    """A report, parsed: elements, fields, headings; nesting is verified while reading."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.open: list[tuple[str, dict[str, str]]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.fields: dict[str, list[str]] = {}
        self.words: dict[str, list[str]] = {}
        self._inside: list[tuple[str, list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        assert len(named) == len(attrs), f"an attribute twice in {self.get_starttag_text()}"
        self.elements.append((tag, named))
        if tag in VOID:
            return
        self.open.append((tag, named))
        self._inside.append((named.get("data-field", ""), []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened, _ = self.open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        field, pieces = self._inside.pop()
        text = " ".join("".join(pieces).split())
        if field:
            self.fields.setdefault(field, []).append(text)
        self.words.setdefault(tag, []).append(text)
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for _, pieces in self._inside:
            pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of one name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def parse() -> Callable[[Path], Page]:
    """``parse(file)`` reads a report and fails on wrong nesting."""
    return lambda path: Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def make_run(tmp_path: Path) -> Maker:
    """Runs in the test's own folder."""
    return maker(tmp_path)


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves figures out, which take most of a report's time, where a test is not about them."""
    monkeypatch.setattr(results, "result_figures", lambda shown: ())
    monkeypatch.setattr(model, "learning_curves", lambda shown: None)
    monkeypatch.setattr(editions, "editions", lambda pair, metrics: None)


@dataclass(frozen=True)
class Made:
    """A report that several tests look at."""

    runs: tuple[Path, ...]
    out: Path
    page: Page


@pytest.fixture(scope="session")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The report of a single run."""
    root = tmp_path_factory.mktemp("one")
    return made((maker(root)(),), root / "report.html")


@pytest.fixture(scope="session")
def two_editions(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The report of both editions of one experiment."""
    root = tmp_path_factory.mktemp("two")
    make = maker(root)
    runs = (
        make("published", edition="as-published", skill=2.0),
        make("leak-free", skill=1.0),
    )
    return made(runs, root / "report.html")


def made(runs: tuple[Path, ...], out: Path) -> Made:
    """Write and parse a report."""
    write_report(runs, out)
    return Made(runs, out, Page(out.read_text(encoding="utf-8")))
