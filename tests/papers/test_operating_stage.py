"""The challenge is judged inductively: calibration and threshold are fixed inside training."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from leukoscope.papers.cells import cells
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduce import Reproduction, reproduce
from leukoscope.papers.request import Request
from leukoscope.progress import Progress

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    request = Request(
        "cnmc2019",
        only=("network=cnn-3",),
        rendered=True,
        images=96,
        subjects=24,
        settings={"preprocess.size": 32, "training.device": "cpu", "split.validation": 0.3},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEUKOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        out = tmp_path_factory.mktemp("challenge") / "out"
        first = reproduce(request, out, QUIET)
        (outcome,) = first.outcomes
        assert outcome.folder is not None
        stamp = (outcome.folder / "operating.json").stat().st_mtime_ns
        again = reproduce(request, out, QUIET)
        assert (outcome.folder / "operating.json").stat().st_mtime_ns == stamp, "read back"
        return again


@pytest.mark.slow
def test_figures_stand_on_points_found_on_validation_groups(made: Reproduction) -> None:
    (outcome,) = made.outcomes
    assert outcome.run is not None
    assert outcome.folder == outcome.run.folder / "operating"
    before = pd.read_csv(outcome.run.folder / "predictions.csv")
    after = pd.read_csv(outcome.folder / "predictions.csv")
    points = json.loads((outcome.folder / "operating.json").read_text())["points"]
    assert [point["fold"] for point in points] == [0, 1, 2]
    for point in points:
        old, new = (
            one[(one["part"] == "test") & (one["fold"] == point["fold"])].set_index("row")
            for one in (before, after)
        )
        assert set(old.index) == set(new.index)
        assert ((new["predicted"] == "blast") == (new["p_blast"] >= point["threshold"])).all()
        validate = before[(before["part"] == "validation") & (before["fold"] == point["fold"])]
        # No group that is judged was looked at.
        assert not set(validate["group"]) & set(new["group"])
        groups = validate.groupby("label")["group"].nunique()
        assert point["groups"] == [groups.get("blast", 0), groups.get("normal", 0)]
    metrics = json.loads((outcome.folder / "metrics.json").read_text())
    test = after[after["part"] == "test"]
    measured = metrics["levels"]["image"]["accuracy"]["value"]
    assert measured == pytest.approx(accuracy_score(test["label"], test["predicted"]))
    # What the model itself said stays as it is.
    assert "operating" not in str(outcome.run.folder)
    assert (outcome.run.folder / "metrics.json").is_file()


@pytest.mark.slow
def test_the_page_shows_the_points(made: Reproduction) -> None:
    page = (made.folder / "reproduction.html").read_text(encoding="utf-8")
    assert 'data-field="reproduction.operating"' in page
    assert "applied unchanged" in page
    assert "logit p" in page


def test_only_the_challenge_asks_for_it() -> None:
    assert read_protocol("cnmc2019").operating is not None
    assert read_protocol("varol2024").operating is None
    for cell in cells(read_protocol("cnmc2019"), "leak-free"):
        assert cell.settings["split.validation"] > 0
