"""``experiment.toml``: there and back, its hash, settings, and what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from leukoscope.datasets.card import DatasetCard, write_card
from leukoscope.errors import ExperimentError
from leukoscope.images.steps import Median
from leukoscope.records.experiment import (
    Experiment,
    Model,
    experiment_sha256,
    read_experiment,
    weights_moved,
    with_settings,
    write_experiment,
)

TEXT = """
name = "varol"
edition = "as-published"
[data]
manifest = "cnmc.csv"
leave_out = ["Pro"]
[split]
kind = "image"
test = 0.15
[preprocess]
size = 48
steps = [{name = "median", size = 5}, {name = "clahe"}]
[expand]
factor = 8
before_split = true
augmentation = {rotation = 30, flip_horizontal = 0.5}
[training]
epoch = "best-test"
"""


def read(tmp_path: Path, text: str) -> Experiment:
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    return read_experiment(tmp_path / "e.toml")


def test_what_is_not_said_is_resolved_and_written(tmp_path: Path) -> None:
    experiment = read(tmp_path, TEXT)
    assert experiment.preprocess.steps[0] == Median(size=5)
    assert experiment.training.batch_size == 32
    write_experiment(experiment, tmp_path / "resolved.toml")
    assert read_experiment(tmp_path / "resolved.toml") == experiment
    table = tomllib.loads((tmp_path / "resolved.toml").read_text(encoding="utf-8"))
    assert table["schema"] == 1
    assert table["training"]["batch_size"] == 32
    assert table["expand"]["augmentation"]["rotation"] == 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; an experiment was expected"),
        ("schema = 2", r"newer leukoscope \(experiment schema 2"),
        ("[trainig]\nepochs = 3", r"unknown key 'trainig'\. Did you mean 'training'\?"),
        ("[training]\nepoch_s = 3", r"unknown key 'training\.epoch_s'\. Did you mean 'epochs'"),
        ("[optimiser]\nname = 'Adam'", r"key 'optimiser\.name' is 'Adam'\. Did you mean 'adam'\?"),
        (
            "[[preprocess.steps]]\nname = 'medain'",
            r"key 'preprocess\.steps\.0\.name' is 'medain'\. Did you mean 'median'\?",
        ),
        (
            "[[preprocess.steps]]\nname = 'median'\nsiz = 3",
            r"unknown key 'preprocess\.steps\.0\.siz'\. Did you mean 'size'\?",
        ),
        (
            "[expand.augmentation]\nrotaton = 3",
            r"unknown key 'expand\.augmentation\.rotaton'\. Did you mean 'rotation'\?",
        ),
        (
            "[split]\nkind = 'holdout'\ntest = 0.6\nvalidation = 0.5",
            r"\[split\]: test and validation together leave nothing to train on",
        ),
        ("[expand]\nbefore_split = true", r"e\.toml: expand\.before_split leaks; it needs edition"),
        ("[training]\nepoch = 'best-test'", "'best-test' needs edition = 'as-published'"),
        ("[split]\nkind = 'image'", "split.kind = 'image' cuts groups; it needs 'as-published'"),
        ("[training]\nepochs = 0", r"'training\.epochs' is 0: expected a number greater"),
        ("[optimiser]\nlearning_rate = inf", "is inf: expected a finite number"),
        ("[model]\ntrainable = 'last-0'", "'last-0' is none of 'all', 'head', 'gradual' and"),
        ("[model]\nweights = ''", "give 'none', 'hub', 'hub:TAG' or the path"),
        ("[model]\nhidden = [256, 0]", r"'model\.hidden\.1' is 0"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        read(tmp_path, text)


def test_a_data_card_is_recognised(tmp_path: Path) -> None:
    write_card(DatasetCard(name="allidb2", licence="ask"), tmp_path / "e.toml")
    with pytest.raises(
        ExperimentError, match=r"e\.toml: this is a data set card, .*e\.csv -o RUN$"
    ):
        read_experiment(tmp_path / "e.toml")
    assert read(tmp_path, "schema = 1\nname = 'mine'").name == "mine"


def test_settings_change_a_copy() -> None:
    first = Experiment()
    changed = with_settings(
        first,
        {"training.epochs": 3, "model.name": "cnn-1", "preprocess.steps": [{"name": "clahe"}]},
    )
    assert (changed.training.epochs, changed.model.name) == (3, "cnn-1")
    assert changed.preprocess.steps[0].name == "clahe"
    assert first == Experiment()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training.epocs": 3}, r"--set: unknown key 'training\.epocs'\. Did you mean 'epochs'"),
        (
            {"trainin.epochs": 3},
            r"unknown key 'trainin\.epochs'\. Did you mean 'training\.ep",
        ),
        (
            {"training.learning_rate": 0.1},
            r"--set: unknown key 'training\.learning_rate'\. Did you mean 'optimiser\.lear",
        ),
        ({"model.size": 32}, r"unknown key 'model\.size'\. Did you mean 'preprocess\.size'\?"),
        ({"epochs": 3}, r"unknown key 'epochs'\. Did you mean 'training\.epochs'\?"),
        ({"training.epochs.x": 3}, r"'training\.epochs\.x': 'epochs' is a value, not a table"),
        ({"preprocess.steps.0": 3}, r"'steps' is a list: set it as a whole, not a table"),
        ({"training": 3}, r"--set: key 'training' is 3: expected a table"),
        ({"training.epochs": "many"}, r"'training\.epochs' is 'many': expected a whole number"),
        ({"training.epoch": "best-test"}, "needs edition = 'as-published'"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        with_settings(Experiment(), settings)


def test_the_hash_is_of_what_changes_the_result() -> None:
    base = experiment_sha256(Experiment())
    for same in ({"name": "other"}, {"data.manifest": "x.csv"}, {"split.file": "s.json"}):
        assert experiment_sha256(with_settings(Experiment(), same)) == base
    for other in ({"seed": 1}, {"preprocess.size": 48}, {"augment.rotation": 5.0}):
        assert experiment_sha256(with_settings(Experiment(), other)) != base


def test_a_hybrid_has_a_head_of_256_where_nothing_is_said(tmp_path: Path) -> None:
    hybrid = {"model.name": "hybrid:vgg16+vgg19"}
    experiment = with_settings(Experiment(), hybrid)
    assert experiment.model.hidden == (256,)
    write_experiment(experiment, tmp_path / "resolved.toml")
    assert read_experiment(tmp_path / "resolved.toml") == experiment
    # The default goes with the name; what was asked for stays.
    assert with_settings(experiment, {"model.name": "vgg16"}).model.hidden == ()
    assert with_settings(Experiment(), hybrid | {"model.hidden": []}).model.hidden == ()
    asked = with_settings(Experiment(), {"model.hidden": [64]})
    assert with_settings(asked, hybrid).model.hidden == (64,)


@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        ("vgg16", "a+b/w.safetensors", "in/a+b/w.safetensors"),
        ("hybrid:vgg16+vgg19", "a.safetensors+b.safetensors", "in/a.safetensors+in/b.safetensors"),
        ("hybrid:vgg16+vgg19+svm", "hub:tv_in1k + run:r", "hub:tv_in1k+run:in/r"),
        ("hybrid:vgg16+vgg19", "none", "none"),
    ],
)
def test_where_weights_lie_is_told_again_for_each_network(
    name: str, weights: str, expected: str
) -> None:
    model = Model(name=name, weights=weights)
    assert weights_moved(model, lambda place: f"in/{place}") == expected


def test_two_files_lie_anywhere_but_are_two() -> None:
    def of(weights: str) -> str:
        asked = {"model.name": "hybrid:vgg16+vgg19", "model.weights": weights}
        return experiment_sha256(with_settings(Experiment(), asked))

    assert of("a/x+b/y") == of("c/x+d/y")
    assert len({of("a+b"), of("none+b"), of("a+none"), of("hub+b"), of("run:a+b")}) == 5
