"""What was trained and how: in words, as a table of settings, and as learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...records.experiment import Experiment, experiment_sha256
from ..drawings import Drawn, learning_curves
from ..numbers import listed, number, operations
from ..study import Shown, Study, flat
from ..words import given_split_words, setting_words, training_words, value_words

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
    kept: int | None
    """The epoch whose weights were kept, as the fold's ``model.json`` says; counted from 1."""
    best: int | None
    """The epoch with the smallest validation loss."""
    smallest: float | None
    """That loss."""


@dataclass(frozen=True)
class RunModel:
    """One run's training."""

    name: str
    words: tuple[str, ...]
    seed: int
    experiment_sha256: str
    folds: tuple[FoldRow, ...]
    curves: Drawn | None
    network: tuple[tuple[str, str], ...]
    """Facts of the network as it was trained: parameters, precision."""
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
        words=_words(shown),
        seed=shown.run.experiment.seed,
        experiment_sha256=experiment_sha256(shown.run.experiment),
        folds=tuple(_fold(shown, name, history) for name, history in shown.histories),
        curves=learning_curves(shown),
        network=_network(shown),
        environment=tuple(
            (key.replace("_", " "), value_words(value))
            for key, value in environment.items()
            if key not in ("schema", "versions")
        ),
        versions=tuple((str(name), str(version)) for name, version in versions.items()),
    )


def _words(shown: Shown) -> tuple[str, ...]:
    models = list(shown.fold_models.values())
    head = next((str(model["head"]) for model in models if model.get("head")), "")
    trained = not head or any(model.get("epochs") for model in models)
    if len(models) > 1 and head:
        head += f" (in {shown.fold_names[0]})"
    return training_words(shown.run.experiment, head=head, trained=trained)


def _fold(shown: Shown, name: str, history: Any) -> FoldRow:
    kept = shown.fold_models.get(name, {}).get("epoch")
    losses = history.get("validation_loss")
    if losses is None or losses.isna().all():
        return FoldRow(name, len(history), kept, None, None)
    best = history.loc[losses.idxmin()]
    return FoldRow(
        fold=name,
        epochs=len(history),
        kept=kept,
        best=int(best["epoch"]) if "epoch" in history else None,
        smallest=float(best["validation_loss"]),
    )


def _network(shown: Shown) -> tuple[tuple[str, str], ...]:
    """What the folds' ``model.json`` say of the network; the same in all, or a range."""
    facts = []
    for key, heading in (
        ("parameters", "Parameters"),
        ("operations", "Operations, one image"),
        ("vector_length", "Vector length"),
        ("precision", "Computed in"),
    ):
        values = {model[key] for model in shown.fold_models.values() if model.get(key)}
        if values:
            shown_as = operations if key == "operations" else number
            texts = [shown_as(v) if isinstance(v, int) else str(v) for v in sorted(values)]
            facts.append((heading, listed(texts)))
    begun = {
        _pretraining_words(model["pretraining"])
        for model in shown.fold_models.values()
        if model.get("pretraining")
    }
    if begun:
        facts.append(("Began with", listed(sorted(begun))))
    return tuple(facts)


def _pretraining_words(facts: Mapping[str, Any]) -> str:
    """Where weights came from, and every set they have seen: none of these is unseen data."""
    seen = ", ".join(facts.get("datasets") or ()) or "sets that nobody names"
    return f"{facts['source']} (SHA-256 {facts['sha256'][:12]}), trained on {seen}"


def _settings(study: Study) -> tuple[SettingRow, ...]:
    """Every key of the experiments; augmentation that does nothing is left out."""
    default = flat(Experiment().model_dump(mode="json", by_alias=True))
    givens = [
        given_split_words(shown.run.split) if shown.split_given else {} for shown in study.shown
    ]
    rows = []
    for key in dict.fromkeys(key for shown in study.shown for key in shown.settings):
        values = [shown.settings.get(key) for shown in study.shown]
        idle = key.startswith(("augment.", "expand.augmentation.")) and all(
            value == default.get(key) for value in values
        )
        if key == "schema" or idle:
            continue
        texts = tuple(
            given.get(key) or setting_words(key, value)
            for given, value in zip(givens, values, strict=True)
        )
        rows.append(SettingRow(key, texts, differs=len(set(texts)) > 1))
    return tuple(rows)
