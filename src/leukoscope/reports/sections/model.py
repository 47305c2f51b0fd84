"""What was trained and how: in words, as a table of settings, and as learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...records.experiment import Experiment, experiment_sha256
from ..drawings import Drawn, learning_curves
from ..study import Shown, Study, flat
from ..words import setting_words, training_words, value_words

__all__ = ["FoldRow", "ModelSection", "RunModel", "SettingRow", "build"]


@dataclass(frozen=True)
class SettingRow:
    """One key of the experiment and its value in each run."""

    key: str
    values: tuple[str, ...]
    differs: bool


@dataclass(frozen=True)
class FoldRow:
    """How the training of one fold went."""

    fold: str
    epochs: int
    best_epoch: int | None
    """The epoch with the smallest validation loss, counted as ``history.csv`` does."""
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class RunModel:
    """One run's training."""

    name: str
    anchor: str
    words: tuple[str, ...]
    seed: int
    experiment_sha256: str
    folds: tuple[FoldRow, ...]
    curves: Drawn | None
    environment: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ModelSection:
    """All runs' trainings, and their settings in one table."""

    runs: tuple[RunModel, ...]
    names: tuple[str, ...]
    settings: tuple[SettingRow, ...]


def build(study: Study) -> ModelSection:
    """Sentences, settings, folds and environment of every run."""
    return ModelSection(
        runs=tuple(_run(shown) for shown in study.shown),
        names=tuple(shown.name for shown in study.shown),
        settings=_settings(study),
    )


def _run(shown: Shown) -> RunModel:
    environment = shown.run.environment
    versions = environment.get("versions") or {}
    return RunModel(
        name=shown.name,
        anchor=shown.anchor,
        words=training_words(shown.run.experiment),
        seed=shown.run.experiment.seed,
        experiment_sha256=experiment_sha256(shown.run.experiment),
        folds=tuple(_fold(name, history) for name, history in shown.histories),
        curves=learning_curves(shown),
        environment=tuple(
            (key.replace("_", " "), value_words(value))
            for key, value in environment.items()
            if key not in ("schema", "versions")
        ),
        versions=tuple((str(name), str(version)) for name, version in versions.items()),
    )


def _fold(name: str, history: Any) -> FoldRow:
    losses = history.get("validation_loss")
    if losses is None or losses.isna().all():
        return FoldRow(name, len(history), None, None, None)
    best = history.loc[losses.idxmin()]
    accuracy = best.get("validation_accuracy")
    return FoldRow(
        fold=name,
        epochs=len(history),
        best_epoch=int(best["epoch"]) if "epoch" in history else None,
        validation_loss=float(best["validation_loss"]),
        validation_accuracy=None if accuracy is None else float(accuracy),
    )


def _settings(study: Study) -> tuple[SettingRow, ...]:
    """Every key of the experiments; augmentation that does nothing is left out."""
    default = flat(Experiment().model_dump(mode="json", by_alias=True))
    rows = []
    for key in dict.fromkeys(key for shown in study.shown for key in shown.settings):
        values = [shown.settings.get(key) for shown in study.shown]
        idle = key.startswith(("augment.", "expand.augmentation.")) and all(
            value == default.get(key) for value in values
        )
        if key == "schema" or idle:
            continue
        texts = tuple(setting_words(key, value) for value in values)
        rows.append(SettingRow(key, texts, differs=len(set(texts)) > 1))
    return tuple(rows)
