"""Hybrids in training: two files of weights, cached vectors, a stop, and the model read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import RunError
from leukoscope.images.decode import decode
from leukoscope.models.timm_import import import_timm
from leukoscope.records.experiment import Experiment, read_experiment
from leukoscope.training import folding, loop, predict_run, train
from leukoscope.training.predicting import load_model

Make = Callable[..., Experiment]
PAIR = ("mobilenetv3_small_050", "mobilenetv3_small_075")
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
