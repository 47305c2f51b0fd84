"""Backbones in training: frozen parts, cached vectors, chained transfer, kill and resume."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from torch import nn

from leukoscope.api import model_of, open_data
from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ExperimentError, RunError, SplitError
from leukoscope.images.decode import decode
from leukoscope.images.pipeline import Pipeline
from leukoscope.models import build
from leukoscope.models.backbones import build_backbone
from leukoscope.models.pretrained import datasets_of_tag, published
from leukoscope.models.timm_import import import_timm
from leukoscope.models.weight_files import WeightFile
from leukoscope.records.experiment import Experiment, SplitPlan, read_experiment
from leukoscope.splits.splitting import make_split
from leukoscope.training import folding, loop, predict_run, train
from leukoscope.training.batches import normaliser_of
from leukoscope.training.chaining import refuse_tested_pretraining, weights_of_run
from leukoscope.training.features import compute_features, digest_of
from leukoscope.training.predicting import load_model

from .conftest import make_cells

Make = Callable[..., Experiment]
NAME = "mobilenetv3_small_050"
HEAD = {
    "model__name": NAME,
    "model__trainable": "head",
    "model__hidden": [8],
    "model__dropout": 0.2,
    "preprocess__size": 32,
    "preprocess__scale": "pretrained",
    "training__epochs": 3,
    "training__epoch": "last",
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file of weights that nobody published."""
    torch.manual_seed(5)
    path = tmp_path / f"{NAME}.test.safetensors"
    network = import_timm().create_model(NAME)
    safetensors.torch.save_file(network.state_dict(), path, {"datasets": "elsewhere"})
    return path


def table(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.csv")


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the whole network in every epoch, as without the cache."""
    monkeypatch.setattr(folding, "head_alone", lambda network, data, *_: (network, data))


def test_the_cache_gives_what_the_whole_network_gives(
    cells: Manifest, small: Make, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Views too: copies of training images are drawn beforehand."""
    expand = {"factor": 2, "augmentation": {"rotation": 90.0}}
    experiment = small(**HEAD, model__weights=str(weights), expand=expand)
    fast = train(experiment, cells, tmp_path / "fast")
    assert list(Path(tmp_path).glob("cache*")) == []
    slowly(monkeypatch)
    slow = train(experiment, cells, tmp_path / "slow")
    # Passes of other lengths add up float32 in another order.
    np.testing.assert_allclose(
        table(fast.folder)["p_blast"], table(slow.folder)["p_blast"], atol=1e-5
    )
    assert not (fast.folder / "fold-0" / "copies.npy").exists()
    assert load_model(fast.folder / "fold-0")[0].pretraining is not None


@pytest.mark.real
def test_the_cache_with_real_weights_and_cells(
    real_data: Path,
    real_weights: Path,
    small: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest, _ = open_data(real_data / "allidb2")
    few = manifest.with_table(manifest.table.iloc[::5])
    settings = {**HEAD, "model__name": "mobilenet_v2", "preprocess__size": 96}
    experiment = small(**settings, model__weights=str(real_weights))
    fast = train(experiment, few, tmp_path / "fast")
    slowly(monkeypatch)
    slow = train(experiment, few, tmp_path / "slow")
    # As above; vectors of 1280 values.
    np.testing.assert_allclose(
        table(fast.folder)["p_blast"], table(slow.folder)["p_blast"], atol=1e-5
    )


def test_a_run_answers_as_it_was_trained(
    cells: Manifest, small: Make, weights: Path, tmp_path: Path
) -> None:
    run = train(small(**HEAD, model__weights=str(weights)), cells, tmp_path / "run")
    tests = table(run.folder)
    images = [decode(cells.folder / image).pixels for image in tests["image"]]
    found = predict_run(run.folder, 0, images)
    np.testing.assert_allclose(found[:, 1], tests["p_blast"], atol=1e-5)
    record, network, pipeline = load_model(run.folder / "fold-0")
    assert record.pretraining is not None
    assert record.pretraining.source == f"file:{weights.name}"
    assert record.pretraining.datasets == ("elsewhere",)
    assert record.trained_on == ("test",)
    assert record.model.weights == weights.name
    assert (pipeline.scale, pipeline.std) == ("standard", record.pretraining.std)
    assert isinstance(network, nn.Module)
    # Where the file is found again is told from the run.
    told = read_experiment(run.folder / "experiment.toml").model.weights
    assert not Path(told).is_absolute()
    assert (run.folder / told).resolve() == weights


def test_a_vector_has_the_same_bits_whatever_it_is_computed_with(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    pixels[6] = pixels[0]
    backbone = build_backbone(NAME, 32, generator=torch.Generator().manual_seed(0))
    normaliser = normaliser_of(Pipeline(32), torch.device("cpu"))

    class Source:
        def batch(self, rows: object) -> np.ndarray:  # type: ignore[type-arg]
            return pixels[np.asarray(rows)]

    def compute(rows: list[int], folder: str) -> np.ndarray:  # type: ignore[type-arg]
        chosen = np.array(rows)
        found = compute_features(backbone, Source(), chosen, normaliser, folder=tmp_path / folder)
        return found.batch(chosen)

    whole = compute([0, 1, 2, 3, 4, 5, 6], "whole")
    compute([5, 2], "parts")
    parts = compute([0, 1, 2, 3, 4, 5, 6], "parts")
    assert (whole == parts).all()
    assert (whole[0] == whole[6]).all()
    with torch.inference_mode():
        direct = backbone(normaliser(normaliser.load(pixels))).numpy()
    np.testing.assert_allclose(whole, direct, atol=1e-5)
    # Identical images are kept once; damaged vectors are computed again.
    place = next((tmp_path / "parts").iterdir())
    assert (place / "vectors.f32").stat().st_size == 6 * 4 * whole.shape[1]
    with (place / "vectors.f32").open("r+b") as file:
        file.write(b"damage")
    assert (compute([0, 1, 2, 3, 4, 5, 6], "parts") == whole).all()


def test_vectors_of_two_lengths_do_not_overwrite_each_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    normaliser = normaliser_of(Pipeline(32), torch.device("cpu"))
    backbone = build_backbone(
        NAME, 32, pooling="flatten", generator=torch.Generator().manual_seed(0)
    )
    kept = []
    for size in (64, 32):  # the long ones first: short ones of later slots would lie within them
        pixels = rng.integers(0, 256, (6, size, size, 3), dtype=np.uint8)
        found = compute_features(
            backbone, _Arrays(pixels), np.arange(6), normaliser, folder=tmp_path
        )
        with torch.inference_mode():
            direct = backbone(normaliser(normaliser.load(pixels))).numpy()
        kept.append((found, direct))
    assert kept[0][1].shape[1] > kept[1][1].shape[1]
    for found, direct in kept:
        np.testing.assert_allclose(found.batch(np.arange(6)), direct, atol=1e-5)


class _Arrays:
    def __init__(self, pixels: np.ndarray) -> None:  # type: ignore[type-arg]
        self.pixels = pixels

    def batch(self, rows: object) -> np.ndarray:  # type: ignore[type-arg]
        chosen: np.ndarray = self.pixels[np.asarray(rows)]  # type: ignore[type-arg]
        return chosen


def test_what_makes_other_vectors_makes_another_folder() -> None:
    def backbone(seed: int, **arguments: str) -> nn.Module:
        return build_backbone(NAME, 32, generator=torch.Generator().manual_seed(seed), **arguments)

    cpu = torch.device("cpu")
    unit, symmetric = (normaliser_of(Pipeline(32, scale=s), cpu) for s in ("unit", "symmetric"))
    digests = [
        digest_of(backbone(0), unit),
        digest_of(backbone(1), unit),
        digest_of(backbone(0), symmetric),
        digest_of(backbone(0, pooling="flatten"), unit),
    ]
    assert len(set(digests)) == 4
    assert digest_of(backbone(0), unit) == digests[0]
    other = backbone(0)
    for module in other.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-2
    assert digest_of(other, unit) != digests[0]


class Stopped(Exception):
    """As a kill between two epochs."""


@pytest.mark.parametrize("trainable", ["head", "last-2", "gradual"])
def test_a_stop_changes_no_bit(
    cells: Manifest,
    small: Make,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trainable: str,
) -> None:
    changed = {"model__trainable": trainable, "model__weights": str(weights)}
    experiment = small(**{**HEAD, **changed, "training__epoch": "best-validation"})
    whole = train(experiment, cells, tmp_path / "whole")
    save = loop._save

    def stop(state: loop.TrainingState, folder: Path) -> None:
        save(state, folder)
        if state.epoch == 2:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_save", stop)
        with pytest.raises(Stopped):
            train(experiment, cells, tmp_path / "stopped")
    resumed = train(experiment, cells, tmp_path / "stopped")
    for name in ("weights.safetensors",):
        one, two = (run.folder / "fold-0" / name for run in (whole, resumed))
        assert one.read_bytes() == two.read_bytes()


def test_only_what_is_trained_changes(
    cells: Manifest, small: Make, weights: Path, tmp_path: Path
) -> None:
    before = safetensors.torch.load_file(weights)
    for trainable, moving in (("head", set()), ("last-1", {"blocks"})):
        settings = {**HEAD, "model__trainable": trainable, "model__weights": str(weights)}
        run = train(small(**settings), cells, tmp_path / trainable)
        after = safetensors.torch.load_file(run.folder / "fold-0" / "weights.safetensors")
        prefix = "backbone.network."
        changed = {
            key.removeprefix(prefix).split(".")[0]
            for key, value in after.items()
            if key.startswith(prefix) and not torch.equal(value, before[key.removeprefix(prefix)])
        }
        assert changed <= moving | {"conv_head"}
        assert bool(changed) == bool(moving)


def test_other_weights_cannot_go_on(
    cells: Manifest, small: Make, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = small(**HEAD, model__weights=str(weights))

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_save", stop)
        with pytest.raises(Stopped):
            train(experiment, cells, tmp_path / "run")
    network = import_timm().create_model(NAME)
    safetensors.torch.save_file(network.state_dict(), weights)
    with pytest.raises(RunError, match="was begun with other weights"):
        train(experiment, cells, tmp_path / "run")


def test_chained_transfer(small: Make, tmp_path: Path, weights: Path) -> None:
    first = make_cells(tmp_path / "a", card={"name": "stage"}, seed=1)
    second = make_cells(tmp_path / "b", card={"name": "target"}, seed=2)
    settings = {**HEAD, "model__trainable": "all", "training__epochs": 1}
    stage = train(small(**settings, model__weights=str(weights)), first, tmp_path / "stage")
    chained = {**HEAD, "training__epochs": 1, "model__weights": f"run:{stage.folder}"}
    run = train(small(**chained), second, tmp_path / "run")
    assert model_of(stage.folder) == model_of(stage.folder / "fold-0") == NAME
    record, network, _ = load_model(run.folder / "fold-0")
    assert record.pretraining is not None
    assert record.pretraining.source == "run:stage"
    assert record.pretraining.datasets == ("elsewhere", "stage")
    before = safetensors.torch.load_file(stage.folder / "fold-0" / "weights.safetensors")
    own = network.state_dict()
    shared = [key for key in own if key.startswith("backbone.")]
    assert shared
    assert all(torch.equal(own[key], before[key]) for key in shared)

    with pytest.raises(SplitError, match=r"\(run:stage\) were trained on stage, and this split"):
        train(small(**chained), first, tmp_path / "leak")
    published = train(small(**chained, edition="as-published"), first, tmp_path / "published")
    assert published.edition == "as-published"
    other = {**chained, "model__name": "mobilenetv3_small_075"}
    with pytest.raises(ExperimentError, match=f"trained {NAME}, and model.name is"):
        train(small(**other), second, tmp_path / "other")
    chained["model__weights"] = f"run:{tmp_path / 'nothing'}"
    with pytest.raises(RunError, match="there is no such run folder"):
        train(small(**chained), second, tmp_path / "nothing-there")


def test_a_small_network_begins_with_the_convolutions_of_an_earlier_run(
    small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_cells(tmp_path / "a", card={"name": "stage"}, seed=1)
    second = make_cells(tmp_path / "b", card={"name": "target"}, seed=2)
    settings = {"model__name": "cnn-1", "training__epochs": 1}
    stage = train(small(**settings), first, tmp_path / "stage")
    begun: list[dict[str, torch.Tensor]] = []
    beginning = folding.train_network

    def watch(network: nn.Module, *arguments: object, **named: object) -> object:
        begun.append({key: value.clone() for key, value in network.state_dict().items()})
        return beginning(network, *arguments, **named)

    monkeypatch.setattr(folding, "train_network", watch)
    chained = {**settings, "model__weights": f"run:{stage.folder}"}
    run = train(small(**chained), second, tmp_path / "run")
    before = safetensors.torch.load_file(stage.folder / "fold-0" / "weights.safetensors")
    for key, value in begun[0].items():
        assert torch.equal(value, before[key]) == key.startswith("conv_") or key.endswith("bias")
    record, _, _ = load_model(run.folder / "fold-0")
    assert record.pretraining is not None
    assert record.pretraining.datasets == ("stage",)
    with pytest.raises(SplitError, match=r"\(run:stage\) were trained on stage, and this split"):
        train(small(**chained), first, tmp_path / "leak")
    with pytest.raises(ExperimentError, match=r"trained cnn-1, and model\.name is 'cnn-2'"):
        train(small(**{**chained, "model__name": "cnn-2"}), second, tmp_path / "other")
    with pytest.raises(ExperimentError, match=r"conv_\d+\.\w+ is .*model\.reading"):
        train(small(**chained, model__reading="R2"), second, tmp_path / "reading")
    with pytest.raises(ExperimentError, match=r"model\.weights is about backbones"):
        train(small(**{**settings, "model__weights": "hub"}), second, tmp_path / "hub")


def test_of_several_folds_one_is_named(small: Make, cells: Manifest, tmp_path: Path) -> None:
    run = train(small(**{**HEAD, "training__epochs": 1}), cells, tmp_path / "stage")
    shutil.copytree(run.folder / "fold-0", run.folder / "fold-1")
    with pytest.raises(RunError, match=r"has 2 folds.*run:.*fold-0"):
        weights_of_run(NAME, run.folder)
    file = weights_of_run(NAME, run.folder / "fold-1")
    assert file.facts.datasets == ("test",)
    assert file.facts.source == "run:fold-1"


def test_a_small_network_has_no_pretrained_scale(
    cells: Manifest, small: Make, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="cnn-1 has no pretrained weights"):
        train(small(preprocess__scale="pretrained"), cells, tmp_path / "run")
    with pytest.raises(ExperimentError, match=r"model\.weights is about backbones"):
        train(small(model__weights="hub"), cells, tmp_path / "run-2")
    generator = torch.Generator()
    assert not hasattr(build(small().model, 3, 8, 2, generator=generator), "thaw")


def test_what_a_foundation_model_has_seen_is_not_tested_leak_free(
    small: Make, tmp_path: Path
) -> None:
    """DinoBloom saw PBC; DINOv2 saw photographs. Neither saw Taleghani."""
    experiment = small(edition="leak-free")
    for name, seen in (("dinobloom-s", {"pbc", "lisc", "bccd"}), ("dinov2-s", set[str]())):
        tag = "dinobloom" if name == "dinobloom-s" else "lvd142m"
        facts = published(name)[0].model_copy(
            update={"source": f"hub:{name}", "datasets": datasets_of_tag(tag)}
        )
        assert facts.datasets[:3] == ("LVD-142M", "ImageNet-22k", "ImageNet-1k")
        weights = WeightFile(tmp_path / "w.safetensors", facts)
        for dataset in ("pbc", "lisc", "bccd", "taleghani"):
            manifest = make_cells(tmp_path / name / dataset, card={"name": dataset}, seed=1)
            split = make_split(manifest, SplitPlan(), seed=0, edition="leak-free")
            if dataset in seen:
                with pytest.raises(SplitError, match=f"were trained on {dataset}"):
                    refuse_tested_pretraining(experiment, weights, manifest, split)
            else:
                refuse_tested_pretraining(experiment, weights, manifest, split)
            as_published = small(edition="as-published")
            refuse_tested_pretraining(as_published, weights, manifest, split)
