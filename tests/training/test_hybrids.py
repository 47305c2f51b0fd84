"""Hybrids in training: two files of weights, cached vectors, a stop, and the model read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError
from leukoscope.images.decode import decode
from leukoscope.images.pipeline import apply
from leukoscope.models.timm_import import import_timm
from leukoscope.records.experiment import Experiment, read_experiment
from leukoscope.training import folding, loop, predict_run, train
from leukoscope.training.predicting import load_model

Make = Callable[..., Experiment]
PAIR = ("mobilenetv3_small_050", "mobilenetv3_small_075")
NORMS = (([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), ([0.5] * 3, [0.5] * 3))
"""Mean and standard deviation that each wants."""
HYBRID = {
    "model__name": "hybrid:" + "+".join(PAIR),
    "model__hidden": [8],
    "preprocess__size": 32,
    "training__epochs": 3,
    "training__epoch": "last",
}


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Two files that nobody published, the second with a normalisation of its own."""
    paths = []
    for seed, name in enumerate(PAIR):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"{name}.test.safetensors")
        norm = ("imagenet mean/std", "x/127.5-1")[seed]
        network = import_timm().create_model(name)
        safetensors.torch.save_file(
            network.state_dict(), paths[-1], {"norm": norm, "datasets": f"set-{seed}"}
        )
    return "+".join(map(str, paths))


def _answers(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.csv")


def test_a_hybrid_answers_as_it_was_trained(
    cells: Manifest, small: Make, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = small(**HYBRID, model__trainable="head", model__weights=weights)
    run = train(experiment, cells, tmp_path / "run")
    tests = _answers(run.folder)
    images = [decode(cells.folder / image).pixels for image in tests["image"]]
    found = predict_run(run.folder, 0, images)
    np.testing.assert_allclose(found[:, 1], tests["p_blast"], atol=1e-5)
    # Without the cache of vectors; passes of other lengths add up float32 in another order.
    monkeypatch.setattr(folding, "head_alone", lambda network, data, *_: (network, data))
    slow = train(experiment, cells, tmp_path / "slow")
    np.testing.assert_allclose(_answers(slow.folder)["p_blast"], tests["p_blast"], atol=1e-5)


@pytest.mark.parametrize(
    ("head", "peer"),
    [("logreg", LogisticRegression(max_iter=1000)), ("knn", KNeighborsClassifier())],
)
def test_stacked_vectors_of_both_fit_a_classical_head(
    cells: Manifest, small: Make, weights: str, tmp_path: Path, head: str, peer: Any
) -> None:
    settings = {
        "model__name": "hybrid:" + "+".join(PAIR) + f"+{head}",
        "model__trainable": "head",
        "model__weights": weights,
        "preprocess__size": 32,
    }
    run = train(small(**settings), cells, tmp_path / "run")
    record = json.loads((run.folder / "fold-0" / "model.json").read_text())
    assert record["epochs"] == 0
    assert not (run.folder / "fold-0" / "history.csv").exists()

    _, _, pipeline = load_model(run.folder / "fold-0")

    def stacked(keys: Sequence[str]) -> np.ndarray:
        """timm's own vectors of both networks, one behind the other."""
        resized = [apply(pipeline, decode(cells.folder / key).pixels) for key in keys]
        unit = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2) / 255
        found = []
        for name, path, (mean, std) in zip(PAIR, weights.split("+"), NORMS, strict=True):
            network = import_timm().create_model(name, num_classes=0).eval()
            network.load_state_dict(safetensors.torch.load_file(path), strict=False)
            mean, std = (torch.tensor(value).reshape(3, 1, 1) for value in (mean, std))
            with torch.inference_mode():
                features = network.forward_features((unit - mean) / std)
                found.append(network.forward_head(features, pre_logits=True))
        return torch.cat(found, dim=1).numpy()

    fold = run.split.folds[0]
    labels = dict(zip(cells.keys, cells.column("label"), strict=True))
    peer.fit(stacked(fold.train), [labels[key] for key in fold.train])
    table = run.predictions.part("test").table
    vectors = stacked(list(table["row"]))
    assert record["vector_length"] == vectors.shape[1]
    assert list(peer.classes_) == ["blast", "normal"]
    # Sums of float32 in another order, and the solver's own tolerance.
    np.testing.assert_allclose(peer.predict_proba(vectors)[:, 0], table["p_blast"], atol=2e-3)
    images = [decode(cells.folder / key).pixels for key in table["image"]]
    again = predict_run(run.folder, 0, images)
    np.testing.assert_allclose(again[:, 1], table["p_blast"], atol=1e-4)


def test_one_classical_head_has_no_two_probabilities(
    cells: Manifest, small: Make, weights: str, tmp_path: Path
) -> None:
    experiment = small(
        model__name="hybrid:" + "+".join(PAIR) + "+nb",
        model__fusion="probabilities",
        model__weights=weights,
        preprocess__size=32,
    )
    with pytest.raises(ExperimentError, match="no two probabilities to average"):
        train(experiment, cells, tmp_path / "run")


def test_a_run_names_the_weights_of_both(
    cells: Manifest, small: Make, weights: str, tmp_path: Path
) -> None:
    experiment = small(**HYBRID, model__trainable="head", model__weights=weights)
    run = train(experiment, cells, tmp_path / "run")
    record, network, pipeline = load_model(run.folder / "fold-0")
    paths = [Path(path) for path in weights.split("+")]
    assert record.pretraining is not None
    assert record.pretraining.datasets == ("set-0", "set-1")
    assert [one.source for one in record.pretraining.branches] == [f"file:{p.name}" for p in paths]
    assert record.model.weights == "+".join(path.name for path in paths)
    told = read_experiment(run.folder / "experiment.toml").model.weights.split("+")
    assert [(run.folder / one).resolve() for one in told] == paths
    # The frozen branches have the files' weights, and each its own normalisation.
    state = network.state_dict()
    assert pipeline.scale == "unit"
    for number, path in enumerate(paths):
        key = "conv_stem.weight"
        own = safetensors.torch.load_file(path)[key]
        assert torch.equal(state[f"backbone.network.{number}.network.{key}"], own)
    means = state["backbone.means"].flatten(1)
    torch.testing.assert_close(means, torch.tensor([[0.485, 0.456, 0.406], [0.5, 0.5, 0.5]]))
    text = (run.folder / "fold-0" / "model.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert all(path.name in text for path in paths)


@pytest.mark.parametrize("fusion", ["features", "probabilities"])
def test_a_stopped_hybrid_goes_on_with_the_same_bits(
    fusion: str,
    cells: Manifest,
    small: Make,
    weights: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = small(**HYBRID, model__fusion=fusion, model__weights=weights)
    whole = train(experiment, cells, tmp_path / "whole")
    epoch = loop.run_epoch

    def stopping(state, *arguments, **named):  # type: ignore[no-untyped-def]
        if state.epoch == 2:
            raise KeyboardInterrupt
        return epoch(state, *arguments, **named)

    monkeypatch.setattr(loop, "run_epoch", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(experiment, cells, tmp_path / "stopped")
    monkeypatch.setattr(loop, "run_epoch", epoch)
    stopped = train(experiment, cells, tmp_path / "stopped")
    one, other = (
        (run.folder / "fold-0" / "weights.safetensors").read_bytes() for run in (whole, stopped)
    )
    assert one == other
    # All of it was trained: both branches differ from their files.
    state = load_model(whole.folder / "fold-0")[1].state_dict()
    for number, path in enumerate(weights.split("+")):
        own = safetensors.torch.load_file(path)["conv_stem.weight"]
        assert not torch.equal(state[f"backbone.network.{number}.network.conv_stem.weight"], own)


def test_other_weights_of_one_branch_are_refused(
    cells: Manifest, small: Make, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = small(**HYBRID, model__trainable="head", model__weights=weights)

    def stopping(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folding, "train_network", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(experiment, cells, tmp_path / "run")
    second = weights.split("+")[1]
    network = import_timm().create_model(PAIR[1])
    safetensors.torch.save_file(network.state_dict(), second)
    with pytest.raises(RunError, match="begun with other weights"):
        train(experiment, cells, tmp_path / "run")
    told = json.loads((tmp_path / "run.partial" / "pretraining.json").read_text(encoding="utf-8"))
    assert len(told["branches"]) == 2
