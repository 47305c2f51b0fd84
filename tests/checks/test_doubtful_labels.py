"""Labels that confident models call otherwise: planted flips among measurements of two classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leukoscope.checks import examine
from leukoscope.checks.context import Context
from leukoscope.checks.doubtful_labels import COLUMNS as USED
from leukoscope.checks.doubtful_labels import _doubtful, check
from leukoscope.checks.measuring.columns import COLUMNS
from leukoscope.checks.measuring.table import Measurements
from leukoscope.datasets.manifest import Manifest

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
Make = Callable[..., Manifest]


def two_classes(make: Make, flipped: tuple[int, ...], apart: float, images: int = 120) -> Context:
    """Cells whose measurements lie ``apart`` standard deviations; some labels are wrong."""
    rng = np.random.default_rng(1)
    truth = np.arange(images) % 2
    given = truth.copy()
    given[list(flipped)] = 1 - given[list(flipped)]
    data = make(
        [
            {"image": f"{n:03d}.png", "label": ("blast", "normal")[given[n]], "group": f"g{n // 4}"}
            for n in range(images)
        ]
    )
    values = rng.normal(size=(images, len(COLUMNS)))
    for name in USED[:6]:
        values[:, list(COLUMNS).index(name)] += apart * truth
    context = Context(data)
    context.__dict__["measurements"] = Measurements(values)
    return context


def test_planted_flips_are_doubted_and_no_other_label(make: Make) -> None:
    flipped = (5, 40, 41, 99)
    (finding,) = check(two_classes(make, flipped, apart=3))
    assert finding.severity == "note"
    planted = {f"{n:03d}.png" for n in flipped}
    # One of the four lies between the classes, as cells do.
    assert set(finding.images) <= planted
    assert len(finding.images) >= 3
    assert sum(finding.evidence["by_class"].values()) == finding.evidence["images"]
    assert finding.evidence["labels"]["040.png"].startswith("is normal, said blast ")
    assert finding.summary.startswith(f"{len(finding.images)} labels of 120 are doubtful")


def test_right_labels_are_not_doubted(make: Make) -> None:
    context = two_classes(make, (), apart=2.5)
    assert check(context) == []
    assert context.unable == {}


@pytest.mark.parametrize(
    ("flipped", "apart", "why"),
    [((5, 40), 0.2, "tell the classes apart too badly"), (tuple(range(0, 120, 3)), 2.5, "AUROC")],
    ids=["alike", "a third wrong"],
)
def test_models_that_do_not_know_doubt_nothing_and_say_so(
    make: Make, flipped: tuple[int, ...], apart: float, why: str
) -> None:
    context = two_classes(make, flipped, apart)
    assert check(context) == []
    assert why in context.unable["doubtful-labels"]


def test_the_rule_is_that_of_confident_learning() -> None:
    """Thresholds by hand: a class's mean probability over the rows that have its label."""
    table = pd.DataFrame(
        {
            "row": list("abcd"), "label": ["x", "x", "y", "x"], "place": range(4),
            "p_x": [0.9, 0.9, 0.1, 0.05], "p_y": [0.1, 0.1, 0.9, 0.95],
        }
    )  # fmt: skip
    # y's own mean is 0.9: only d, called x, reaches it.
    assert _doubtful([table, table])["row"].tolist() == ["d"]
    unsure = table.assign(p_x=[0.9, 0.9, 0.1, 0.3], p_y=[0.1, 0.1, 0.9, 0.7])
    assert _doubtful([table, unsure]).empty, "both models must be sure"


def test_the_examination_says_why_nothing_was_doubted(clean: Manifest) -> None:
    (made,) = examine(clean, only=["doubtful-labels"]).checked
    assert made.state == "not checked"
    assert "too badly (AUROC 0." in made.reason


@pytest.mark.real
@pytest.mark.slow
def test_flips_among_real_cells_are_found(real_data: Path) -> None:
    """Of ten labels turned in ALL-IDB2 most are doubted, and few of the others."""
    from leukoscope.datasets.reading import read_folder

    data = read_folder(real_data / "allidb2").manifest
    turned = np.random.default_rng(0).choice(len(data), 10, replace=False)
    labels = data.column("label").copy()
    labels[turned] = np.where(labels[turned] == "blast", "normal", "blast")
    (finding,) = check(Context(data.with_columns(label=labels)))
    found = set(finding.images) & {data.keys[row] for row in turned}
    assert len(found) >= 3
    assert len(finding.images) - len(found) <= 3
