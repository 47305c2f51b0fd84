"""Files that are missing, empty, truncated or no image."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.checks import run_checks
from leukoscope.checks.unreadable_images import kind_of
from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import ImageError
from leukoscope.images.decode import Limits, decode
from leukoscope.records.findings import Finding

Make = Callable[..., Manifest]
ONLY = ["unreadable-images"]


def png(side: int = 40) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    whole = png()
    (tmp_path / "whole.png").write_bytes(whole)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_bytes(b"<html>not here</html>")
    return tmp_path


def found(data: Manifest, failures: tuple[tuple[str, str], ...] = ()) -> list[Finding]:
    return list(run_checks(data, failures=failures, only=ONLY))


def test_a_manifests_own_files_are_decoded_where_nobody_did(make: Make, folder: Path) -> None:
    names = ("whole.png", "empty.png", "cut.png", "text.png")
    (finding,) = found(make([{"image": name} for name in names], folder))
    assert finding.severity == "warning"
    assert finding.evidence["kinds"] == {"empty": 1, "no image": 1, "truncated": 1}
    assert finding.summary == (
        "3 of 4 images cannot be read and are left out (empty 1, no image 1, truncated 1)."
    )
    assert set(finding.images) == {"empty.png", "cut.png", "text.png"}
    assert found(make([{"image": "whole.png"}], folder)) == []


def test_what_was_decoded_before_is_only_looked_at(make: Make, folder: Path) -> None:
    rows = [{"image": name, "pixels_sha256": "a" * 64} for name in ("cut.png", "empty.png")]
    (finding,) = found(make(rows, folder))
    assert finding.evidence["kinds"] == {"empty": 1}


def test_failures_handed_in_are_reported_once(make: Make, folder: Path) -> None:
    data = make([{"image": "whole.png"}, {"image": "empty.png"}], folder)
    handed = (("empty.png", "empty.png: is empty (0 bytes)."), ("gone.tif", "gone.tif: odd"))
    (finding,) = found(data, handed)
    assert finding.evidence["unreadable"] == 2
    assert finding.evidence["kinds"] == {"damaged": 1, "empty": 1}


def test_missing_files(make: Make, folder: Path) -> None:
    (finding,) = found(make([{"image": "whole.png"}, {"image": "gone.png"}], folder))
    assert finding.severity == "error"
    assert finding.summary == "1 of 2 images of the manifest is missing on disk."
    (finding,) = found(make([{"image": "gone.png"}, {"image": "far.png"}], folder))
    assert finding.severity == "warning"
    assert finding.summary.startswith("None of the 2 images is at hand")


def test_copies_that_training_makes_are_not_missing(make: Make, folder: Path) -> None:
    rows = [{"image": "whole.png"}, {"image": "copies/whole~001.png", "parent": "whole.png"}]
    assert found(make(rows, folder)) == []


def test_kinds_of_faults_follow_the_decoders_sentences(folder: Path) -> None:
    expected = {
        "empty.png": "empty",
        "cut.png": "truncated",
        "text.png": "no image",
        "absent.png": "missing",
    }
    for name, kind in expected.items():
        with pytest.raises(ImageError) as reason:
            decode(folder / name)
        assert kind_of(str(reason.value)) == kind
    with pytest.raises(ImageError) as reason:
        decode(folder / "whole.png", limits=Limits(pixels=100))
    assert kind_of(str(reason.value)) == "too large"
