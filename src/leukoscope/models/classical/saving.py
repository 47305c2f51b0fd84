"""``model.skops``: a fitted head as a file of arrays and names of types, nothing that executes.

skops writes what scikit-learn's objects are made of, without pickle, and builds only types that
it knows or that the reader names. Our own classes are not in the file: they are made from its
arrays here.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError, RunError
from ...files import atomic_path
from .classifier import Classifier
from .estimators import Estimator
from .projection import Projection
from .svm import SupportVectors

__all__ = ["SCHEMA", "TRUSTED", "load_classifier", "save_classifier"]

SCHEMA = 1
TRUSTED = ("sklearn.tree._tree.Tree",)
"""What a file may hold beyond the types of NumPy, SciPy and scikit-learn that skops knows. The
trees of a forest are compiled code that takes arrays of numbers; it imports and calls nothing
that a file names. Reviewed for scikit-learn 1.9."""
KINDS = {
    "svm": ("SVC",),
    "rf": ("RandomForestClassifier",),
    "nb": ("GaussianNB",),
    "logreg": ("LogisticRegression",),
    "knn": ("KNeighborsClassifier",),
}
"""Kind → the classes of scikit-learn that may stand for it."""


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Write a fitted head, atomically.

    Raises
    ------
    MissingExtraError
        When skops is not installed.
    StorageError
        When the disk is full.
    """
    projection = classifier.projection
    table = {
        "schema": SCHEMA,
        "projection": None if projection is None else projection.state(),
        "head": classifier.head.state(),
    }
    with atomic_path(path) as temporary:
        _skops().dump(table, temporary)


def load_classifier(path: Path) -> Classifier:
    """Read what ``save_classifier`` wrote; a file with any other type in it is refused.

    Raises
    ------
    RunError
        When the file is missing, damaged, from a newer leukoscope, or holds what it may not.
    """
    io = _skops()
    if not path.is_file():
        raise RunError(f"{path}: there is no such file, but the model has a classical head.")
    try:
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(TRUSTED))
        if unknown:
            raise RunError(
                f"{path}: holds {unknown[0]}, which a classical head is not made of. It is not "
                "loaded. Train again, or ask whoever made the file."
            )
        table = io.load(path, trusted=list(TRUSTED))
        return _classifier(table, path)
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        ImportError,
        zipfile.BadZipFile,
    ) as reason:
        raise RunError(
            f"{path}: cannot be read as a classical head ({type(reason).__name__}: "
            f"{str(reason).splitlines()[0] if str(reason) else 'no reason'}). Train again."
        ) from reason


def _classifier(table: dict[str, Any], path: Path) -> Classifier:
    if table["schema"] > SCHEMA:
        raise RunError(
            f"{path}: written by a newer leukoscope (schema {table['schema']}, this one reads up "
            f"to {SCHEMA}). Upgrade leukoscope to read it."
        )
    state = table["head"]
    kind = state["kind"]
    found = type(state["machine" if kind == "svm" else "fitted"]).__name__
    if found not in KINDS[kind]:
        raise RunError(f"{path}: says it is '{kind}', but holds a {found}. Train again.")
    projection = table["projection"]
    return Classifier(
        projection=None if projection is None else Projection.from_state(projection),
        head=SupportVectors.from_state(state) if kind == "svm" else Estimator.from_state(state),
    )


def _skops() -> Any:
    try:
        import skops.io
    except ImportError:
        raise MissingExtraError("A classical head", "train") from None
    return skops.io
