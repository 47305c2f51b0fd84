"""Heads answer as scikit-learn's do, and come back from their file as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from leukoscope.errors import ExperimentError, RunError
from leukoscope.models.classical import HEADS, head_of, network_of
from leukoscope.models.classical.classifier import FITS, fit_classifier, resolve
from leukoscope.models.classical.saving import load_classifier, save_classifier
from leukoscope.records.experiment import Classical

from .conftest import Cells, make_vectors

PLAIN = Classical(standardise="no", reduction="none")


def fit(head: str, cells: Cells, settings: Classical = PLAIN, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return fit_classifier(head, cells.train, cells.targets, cells.groups, settings, rng)


def test_every_head_has_a_fit() -> None:
    assert FITS.keys() == HEADS.keys()


@pytest.mark.parametrize(
    ("head", "peer"),
    [
        ("nb", GaussianNB()),
        ("logreg", LogisticRegression()),
        ("knn", KNeighborsClassifier()),
        (
            "rf",
            RandomForestClassifier(
                random_state=int(np.random.default_rng(0).integers(2**31)),
            ),
        ),
    ],
)
def test_heads_are_scikit_learns_with_its_defaults(head: str, peer: Any) -> None:
    cells = make_vectors(90, 60, classes=3)
    expected = peer.fit(cells.train, cells.targets)
    found = fit(head, cells).probabilities(cells.test)
    assert np.allclose(found, expected.predict_proba(cells.test), atol=1e-6)
    assert np.array_equal(found.argmax(axis=1), expected.predict(cells.test))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("reduction", ["none", "pca", "lpp"])
def test_a_head_comes_back_from_its_file(head: str, reduction: str, tmp_path: Path) -> None:
    cells = make_vectors(60, 80, classes=3)
    settings = Classical(reduction=reduction, standardise="yes", components=5, trees=7)
    classifier = fit(head, cells, settings)
    save_classifier(classifier, tmp_path / "model.skops")
    again = load_classifier(tmp_path / "model.skops")
    before, after = (one.probabilities(cells.test) for one in (classifier, again))
    assert np.array_equal(before, after)
    assert np.allclose(before.sum(axis=1), 1)
    assert str(again) == str(classifier)


def test_the_same_seed_gives_the_same_head() -> None:
    cells = make_vectors(60, 80)
    for head in HEADS:
        first, again = (fit(head, cells).probabilities(cells.test) for _ in range(2))
        assert np.array_equal(first, again)
    other = fit("rf", cells, seed=1).probabilities(cells.test)
    assert not np.array_equal(fit("rf", cells).probabilities(cells.test), other)


def test_a_regression_that_has_not_converged_says_so() -> None:
    cells = make_vectors(60, 80)
    assert "not converged in 1 iterations" in str(
        fit("logreg", cells, PLAIN.model_copy(update={"iterations": 1}))
    )
    assert "not converged" not in str(fit("logreg", cells))


class Foreign:
    """A type that has no place in a head's file."""


def test_a_file_with_anything_else_in_it_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    cells = make_vectors(40, 10)
    head = fit("nb", cells).head.state()
    foreign = {"schema": 1, "projection": None, "head": {**head, "more": Foreign()}}
    skops.io.dump(foreign, path)
    with pytest.raises(RunError, match=r"Foreign, which a classical head is not made of"):
        load_classifier(path)
    skops.io.dump({"schema": 1, "projection": None, "head": {**head, "kind": "rf"}}, path)
    with pytest.raises(RunError, match=r"says it is 'rf', but holds a GaussianNB"):
        load_classifier(path)
    skops.io.dump({"schema": 2, "projection": None, "head": head}, path)
    with pytest.raises(RunError, match="written by a newer leukoscope"):
        load_classifier(path)
    path.write_bytes(b"PK not a zip")
    with pytest.raises(RunError, match="cannot be read as a classical head"):
        load_classifier(path)
    path.unlink()
    with pytest.raises(RunError, match="there is no such file"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("name", "network", "head"),
    [
        ("cnn-3", "cnn-3", None),
        ("fem-3+svm", "cnn-3", "svm"),
        ("cnn-1+rf", "cnn-1", "rf"),
        ("mobilenetv2_100+knn", "mobilenetv2_100", "knn"),
        ("lab-kmeans+svm", "lab-kmeans", "svm"),
        ("hybrid:vgg16+vgg19", "hybrid:vgg16+vgg19", None),
        ("hybrid:vgg16+vgg19+logreg", "hybrid:vgg16+vgg19", "logreg"),
    ],
)
def test_names(name: str, network: str, head: str | None) -> None:
    assert (network_of(name), head_of(name)) == (network, head)


def test_wrong_names_are_answered() -> None:
    with pytest.raises(ExperimentError, match=r"'svn' is no head. Did you mean 'svm'"):
        head_of("fem-3+svn")
    with pytest.raises(ExperimentError, match=r"'wavelet', which needs a head.*wavelet\+svm"):
        head_of("wavelet")
    with pytest.raises(ExperimentError, match=r"before '\+svm' a network is missing"):
        head_of("+svm")


def test_auto_means_as_published_for_networks_and_scaled_for_measurements() -> None:
    def of(network: str) -> tuple[str, str]:
        settings = resolve(Classical(), network)
        return settings.standardise, settings.reduction

    assert of("cnn-3") == ("no", "none")
    assert of("lab-kmeans") == ("yes", "pca")
    assert of("wavelet") == ("yes", "none")
    asked = resolve(Classical(standardise="no", reduction="lpp"), "lab-kmeans")
    assert (asked.standardise, asked.reduction) == ("no", "lpp")


def test_a_backbone_is_one_with_its_head_too() -> None:
    from leukoscope.models.pretrained import is_backbone, timm_name

    assert is_backbone("vgg16+svm")
    assert timm_name("mobilenet_v2+knn") == timm_name("mobilenet_v2")
    assert not is_backbone("wavelet+svm")
    assert not is_backbone("fem-3+svm")


def test_bayes_sums_to_one_on_vectors_far_from_all_that_it_saw() -> None:
    # Most values of a flattened feature map are 0 in all training rows and not in a test row, so
    # log-densities are of the order of 1e12 and scikit-learn's own exp(log p) sums to anything.
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1], 20)
    features = np.zeros((40, 20_000), np.float32)
    features[:, :50] = 10 * rng.standard_normal((40, 50)) + targets[:, None]
    asked = features.copy()
    asked[:, 50:] = rng.random((40, 19_950)) * 3
    settings = resolve(Classical(), "cnn-1")
    one = fit_classifier("nb", features, targets, targets, settings, rng)
    peer = GaussianNB().fit(features, targets)
    assert np.abs(peer.predict_proba(asked).sum(axis=1) - 1).max() > 1e-6
    found = one.probabilities(asked)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-12)
    # float64 all the way, where nothing is extreme, is the same in both.
    near = peer.predict_proba(features.astype(np.float64))
    assert np.allclose(one.probabilities(features), near, atol=1e-6)


def test_bayes_knows_only_the_priors_where_vectors_are_all_the_same() -> None:
    targets = np.repeat([0, 1], [10, 30])
    features = np.zeros((40, 100), np.float32)
    settings = resolve(Classical(), "cnn-1")
    one = fit_classifier("nb", features, targets, targets, settings, np.random.default_rng(0))
    assert np.allclose(one.probabilities(features), [0.25, 0.75])
