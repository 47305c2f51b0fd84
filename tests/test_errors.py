"""The tree of errors and the tails of their messages."""

from __future__ import annotations

import inspect

import pytest

from leukoscope import errors
from leukoscope.errors import LeukoscopeError, MissingExtraError, StorageError, suggestion


def test_every_error_is_in_one_tree_and_in_its_drawing() -> None:
    classes = [
        one
        for one in vars(errors).values()
        if inspect.isclass(one) and issubclass(one, Exception) and one.__module__ == errors.__name__
    ]
    assert len(classes) > 8
    for one in classes:
        assert issubclass(one, LeukoscopeError)
        assert one.__name__ in errors.__all__
        assert one.__name__ in str(errors.__doc__)
        assert one.__doc__


def test_exit_codes() -> None:
    assert errors.ManifestError.exit_code == 2
    assert StorageError.exit_code == errors.DownloadError.exit_code == 3


def test_a_missing_extra_says_what_to_install() -> None:
    assert str(MissingExtraError("Training", "train")) == (
        "Training needs the extra 'train'. Install it with: pip install 'leukoscope[train]'"
    )


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("lerning_rate", ["learning_rate", "momentum"], "Did you mean 'learning_rate'?"),
        ("Adam", ["adam", "sgd"], "Did you mean 'adam'?"),
        ("kfolds", ["kfold", "k-fold", "x"], "Did you mean 'kfold' or 'k-fold'?"),
        ("zzz", ["b", "a"], "Known: a, b."),
        ("zzz", [], "None is known."),
    ],
)
def test_suggestions(name: str, known: list[str], expected: str) -> None:
    assert suggestion(name, known) == expected
