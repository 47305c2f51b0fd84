"""The SVM on a kernel matrix of ours is scikit-learn's SVC on the vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from leukoscope.errors import ExperimentError
from leukoscope.models.classical import gram as gram_module
from leukoscope.models.classical import svm as svm_module
from leukoscope.models.classical.gram import column_means, gram, scale_gamma, squared_norms
from leukoscope.models.classical.sigmoid import fit_sigmoid
from leukoscope.models.classical.svm import fit_machine, fit_svm, training_kernel
from leukoscope.records.experiment import Classical

from .conftest import Cells, make_vectors


def test_gamma_is_scikit_learns(cells: Cells) -> None:
    for block in (gram_module.ELEMENTS, 10_000):
        gram_module.ELEMENTS, kept = block, gram_module.ELEMENTS
        found = scale_gamma(cells.train)
        gram_module.ELEMENTS = kept
        # Both add up 360,000 float64 in another order.
        assert found == pytest.approx(SVC().fit(cells.train, cells.targets)._gamma, rel=1e-12)
    assert scale_gamma(np.ones((5, 7), np.float32)) == 1.0


def test_inner_products_are_those_of_float64(cells: Cells) -> None:
    centre = column_means(cells.train)
    left, right = (one.astype(np.float64) - centre for one in (cells.train, cells.test))
    # float32 products of 2,048 values of order 1 err by about 2,048 · 6e-8; sums are about 1,000.
    assert np.allclose(gram(cells.train, centre), left @ left.T, atol=1e-3)
    assert np.allclose(gram(cells.train, centre, cells.test), left @ right.T, atol=1e-3)
    assert np.allclose(squared_norms(cells.test, centre), (right**2).sum(axis=1), rtol=1e-6)


def test_the_kernel_is_scikit_learns(cells: Cells) -> None:
    kernel = training_kernel(cells.train, Classical())
    peer = rbf_kernel(cells.train.astype(np.float64), gamma=kernel.gamma)
    assert np.allclose(kernel.matrix, peer, atol=1e-6)
    assert np.array_equal(kernel.matrix, kernel.matrix.T)
    assert (np.diagonal(kernel.matrix) == 1).all()


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    "settings",
    [
        Classical(),
        Classical(C=10, gamma="auto"),
        Classical(gamma=0.001, C=0.3),
        Classical(kernel="linear", C=0.01),
    ],
)
def test_predictions_are_those_of_svc_on_the_vectors(settings: Classical, classes: int) -> None:
    cells = make_vectors(120, 3000, classes)
    ours = fit_svm(cells.train, cells.targets, cells.groups, settings, np.random.default_rng(0))
    peer: Any = SVC(
        C=settings.C, kernel=settings.kernel, gamma=settings.gamma, break_ties=classes > 2
    )
    peer.fit(cells.train.astype(np.float64), cells.targets)
    assert np.array_equal(ours.probabilities(cells.test).argmax(axis=1), peer.predict(cells.test))
    assert set(np.flatnonzero(np.isin(np.arange(120), ours.machine.support_))) == set(peer.support_)
    decisions = ours.decisions(cells.test)
    if classes == 2:
        decisions = decisions[:, 1] - decisions[:, 0]
    # libsvm stops at a tolerance of 1e-3 of its dual gradient.
    assert np.allclose(decisions, peer.decision_function(cells.test), atol=2e-3)


def test_one_matrix_serves_every_cost(cells: Cells) -> None:
    kernel = training_kernel(cells.train, Classical())
    products = gram(cells.test, kernel.centre, cells.train)
    norms = [squared_norms(one, kernel.centre) for one in (cells.test, cells.train)]
    seen = gram_module.kernel_matrix(products, *norms, kernel.gamma)
    for cost in (0.1, 1.0, 100.0):
        ours = fit_machine(kernel.matrix, cells.targets, cost).predict(seen)
        peer = SVC(C=cost).fit(cells.train, cells.targets).predict(cells.test)
        assert np.array_equal(ours, peer)


def test_vectors_may_lie_in_a_file(cells: Cells, tmp_path: Any) -> None:
    np.save(tmp_path / "vectors.npy", cells.train)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    one, other = (training_kernel(vectors, Classical()) for vectors in (cells.train, mapped))
    assert np.array_equal(one.matrix, other.matrix)


def test_no_float64_copy_of_the_vectors_is_made() -> None:
    import tracemalloc

    rows, length = 200, 200_000
    vectors = np.random.default_rng(0).random((rows, length), dtype=np.float32)
    tracemalloc.start()
    training_kernel(vectors, Classical())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A float64 copy alone would be 320 MB; two blocks of 2^21 float64 and the mean are 36 MB.
    assert peak < 50e6


def test_probabilities_leave_the_answer_as_it_is(cells: Cells) -> None:
    ours = fit_svm(cells.train, cells.targets, cells.groups, Classical(), np.random.default_rng(0))
    p = ours.probabilities(cells.test)
    assert np.allclose(p.sum(axis=1), 1)
    peer = SVC().fit(cells.train, cells.targets)
    order = np.argsort(peer.decision_function(cells.test))
    assert (np.diff(p[order, 1]) >= -1e-4).all()  # the ranking stays the decision values' own
    # Trained apart from the sigmoid, on subjects apart: it must not be surer than it is right.
    right = p.argmax(axis=1) == cells.truth
    assert abs(p.max(axis=1).mean() - right.mean()) < 0.12


def test_platts_sigmoid_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    values = (rng.normal(size=400) + 1.2 * truth - 0.2)[:, None]
    machine = SVC(kernel="linear").fit(values, truth)
    peer = CalibratedClassifierCV(FrozenEstimator(machine), method="sigmoid").fit(values, truth)
    half = machine.decision_function(values) / 2
    columns = np.stack([-half, half], axis=1)
    ours = fit_sigmoid(columns, truth, classes=2, offset=True)
    # Both stop their optimiser at a relative tolerance of about 1e-5.
    assert np.allclose(ours(columns), peer.predict_proba(values), atol=1e-3)
    plain = fit_sigmoid(columns, truth, classes=2, offset=False)
    assert not plain.offsets.any()
    assert np.array_equal(plain(columns).argmax(axis=1), machine.predict(values))


def test_a_sigmoid_without_unseen_rows_has_slope_one() -> None:
    vectors = make_vectors(40, 50)
    one_group = np.zeros(40, int)
    ours = fit_svm(vectors.train, vectors.targets, one_group, Classical(), np.random.default_rng(0))
    assert ours.sigmoid.slope == 1.0


def test_internal_folds_cut_no_group() -> None:
    """Labels that only a row's own group can tell: folds of rows learn them, of groups cannot."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    targets = rng.permutation(np.arange(60) % 2)[groups]
    vectors = (rng.normal(size=(60, 30))[groups] + rng.normal(0, 0.1, (240, 30))).astype(np.float32)
    matrix = training_kernel(vectors, Classical()).matrix
    scores = []
    for known in (groups, np.arange(240)):
        rows, found = svm_module._unseen_decisions(matrix, targets, known, 1.0, rng)
        assert sorted(rows) == list(range(240))
        scores.append(roc_auc_score(targets[rows], found[:, 1] - found[:, 0]))
    # 60 groups at chance have a standard error of about 0.075.
    assert scores[0] < 0.7
    assert scores[1] > 0.95


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm_module, "MOST_ROWS", 10)
    vectors = make_vectors(12, 5)
    with pytest.raises(ExperimentError, match=r"12 training rows .* data.balance"):
        training_kernel(vectors.train, Classical())
