"""Checks of image quality: each fault planted in a set, and a set without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from leukoscope.checks import CHECKS, run_checks
from leukoscope.checks.context import Context
from leukoscope.checks.quality import deviation, peers, severity_of
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.findings import Finding

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
Draw = Callable[..., np.ndarray]
Saved = Callable[..., Manifest]
QUALITY = (
    "blank-images", "blurred-images", "badly-exposed-images", "vignetted-images",
    "odd-magnification", "small-images", "upscaled-images", "burnt-in-marks", "unusual-images",
)  # fmt: skip


def vignetted(pixels: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : pixels.shape[0] * 1j, -1 : 1 : pixels.shape[1] * 1j]
    return (pixels * (1 - 0.5 * (x**2 + y**2) / 2)[..., None]).astype(np.uint8)


def enlarged(pixels: np.ndarray, way: int = cv2.INTER_CUBIC) -> np.ndarray:
    small = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, pixels.shape[1::-1], interpolation=way)


def marked(pixels: np.ndarray) -> np.ndarray:
    changed = pixels.copy()
    changed[86:89, 60:90] = 0
    return changed


def nearer(pixels: np.ndarray) -> np.ndarray:
    """The middle, enlarged twice."""
    return cv2.resize(pixels[24:72, 24:72], (96, 96), interpolation=cv2.INTER_CUBIC)


PLANTED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "blank-images": lambda p: np.full_like(p, 215),
    "blurred-images": lambda p: cv2.GaussianBlur(p, (0, 0), 4),
    "badly-exposed-images": lambda p: (p * 0.4).astype(np.uint8),
    "vignetted-images": vignetted,
    "odd-magnification": nearer,
    "small-images": lambda p: np.ascontiguousarray(p[30:60, 30:60]),
    "upscaled-images": enlarged,
    "burnt-in-marks": marked,
    "unusual-images": lambda p: 255 - p[..., ::-1],
}


def cells(draw: Draw, count: int = 32) -> dict[str, np.ndarray]:
    """Cells of one slide: sizes, light and noise a little different each."""
    rng = np.random.default_rng(5)
    return {
        f"{n:02d}.png": draw(n, diameter=rng.normal(40, 2), light=rng.normal(222, 3))
        for n in range(count)
    }


def of(data: Manifest, *names: str) -> list[Finding]:
    return list(run_checks(data, only=names))


def test_a_set_without_faults_has_no_finding(cell: Draw, saved: Saved) -> None:
    assert of(saved(cells(cell)), *QUALITY) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_alone(cell: Draw, saved: Saved, name: str) -> None:
    pictures = cells(cell)
    pictures["07.png"] = PLANTED[name](pictures["07.png"])
    findings = of(saved(pictures), name)
    assert [finding.images for finding in findings] == [("07.png",)]
    (finding,) = findings
    assert finding.evidence["images"] == 1
    assert finding.summary.startswith("1 of 32 images")
    assert finding.mend


def test_over_exposed_and_nearest_neighbours(cell: Draw, saved: Saved) -> None:
    pictures = cells(cell)
    pictures["03.png"] = np.clip(pictures["03.png"] * 1.5, 0, 255).astype(np.uint8)
    pictures["04.png"] = enlarged(pictures["04.png"], cv2.INTER_NEAREST)
    data = saved(pictures)
    (over,) = of(data, "badly-exposed-images")
    assert over.evidence["kind"] == "over-exposed"
    assert over.images == ("03.png",)
    (repeated,) = of(data, "upscaled-images")
    assert repeated.images == ("04.png",)


def test_a_whole_set_that_was_enlarged_is_a_note_about_the_set(cell: Draw, saved: Saved) -> None:
    data = saved({name: enlarged(p, cv2.INTER_NEAREST) for name, p in cells(cell, 12).items()})
    (finding,) = of(data, "upscaled-images")
    assert finding.severity == "note"
    assert "a whole set" in finding.summary


def test_a_large_cell_of_usual_detail_is_no_finding(cell: Draw, saved: Saved) -> None:
    pictures = cells(cell)
    rng = np.random.default_rng(0)
    large = cell(99, diameter=76).astype(float)
    # Grains as fine as in the small ones.
    large[10:86, 10:86] += 18 * rng.normal(size=(38, 38, 1)).repeat(2, 0).repeat(2, 1)
    pictures["05.png"] = np.clip(large, 0, 255).astype(np.uint8)
    assert of(saved(pictures), "odd-magnification") == []


def test_another_site_has_its_own_usual(cell: Draw, saved: Saved) -> None:
    pictures = cells(cell)
    dark = {name: (p * 0.4).astype(np.uint8) if name >= "16" else p for name, p in pictures.items()}
    sites = ["a" if name < "16" else "b" for name in dark]
    assert of(saved(dark, site=sites), "badly-exposed-images") == []


def test_a_mark_at_the_same_place_says_so(cell: Draw, saved: Saved) -> None:
    pictures = {name: marked(p) if name < "10" else p for name, p in cells(cell).items()}
    labels = ["blast" if name < "10" else "normal" for name in pictures]
    (finding,) = of(saved(pictures, label=labels), "burnt-in-marks")
    assert finding.severity == "warning"
    assert "10 times at the same place, the lower right corner" in finding.summary
    assert finding.evidence["by_class"] == {"blast": 10, "normal": 0}


def test_a_fault_is_graver_where_many_or_one_class_have_it(cell: Draw, saved: Saved) -> None:
    data = saved(cells(cell), label=["blast"] * 16 + ["normal"] * 16)
    context = Context(data)
    assert severity_of(context, np.array([0])) == "note"
    assert severity_of(context, np.array([0, 25])) == "warning", "5 % of 32"
    many = saved({f"{n:03d}.png": cell(n, side=9) for n in range(400)},
                 label=["blast"] * 200 + ["normal"] * 200)  # fmt: skip
    context = Context(many)
    assert severity_of(context, np.array([*range(8), *range(300, 308)])) == "note"
    assert severity_of(context, np.arange(16)) == "warning", "all of one class"
    slide = many.with_columns(group=["slide" if n < 16 else str(n) for n in range(400)])
    assert severity_of(Context(slide), np.arange(16)) == "note", "one slide is one accident"


def test_deviations_are_those_of_the_median(cell: Draw, saved: Saved) -> None:
    context = Context(saved(cells(cell, 9)))
    (rows,) = peers(context)
    values = np.array([1, 2, 3, 4, 5, 6, 7, 8, 100.0])
    difference, far = deviation(values, [rows], 0.1)
    assert difference.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 95]
    assert far[-1] == pytest.approx(95 / (1.4826 * 2))
    assert np.isnan(deviation(values, [rows[:7]], 0.1)[0]).all(), "too few to know what is usual"


def test_cells_too_small_for_a_spectrum_have_no_finding(cell: Draw, saved: Saved) -> None:
    """Cut out on black, with no square of 24 pixels inside."""
    pictures = cells(cell, 12)
    y, x = np.mgrid[:96, :96] - 47.5
    for pixels in pictures.values():
        pixels[np.hypot(x, y) > 12] = 0
    assert of(saved(pictures), *QUALITY) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_images_or_none_at_hand(cell: Draw, saved: Saved, make: Saved, count: int) -> None:
    data = saved(cells(cell, count)) if count else make([{"image": "gone.png"}])
    assert of(data, *QUALITY, "shortcuts", "doubtful-labels") == []


def test_without_pixels_nothing_is_measured(
    cell: Draw, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.checks.context.measure", None)
    pictures = {name: np.full_like(p, 200) for name, p in cells(cell, 10).items()}
    found = run_checks(saved(pictures), pixels=False)
    assert {finding.check for finding in found} <= set(CHECKS) - set(QUALITY)


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "share"), [("allidb2", 0.0), ("cnmc/as_png", 0.0), ("pbc", 0.05)]
)
def test_real_sets_do_not_drown_in_findings(real_data: Path, folder: str, share: float) -> None:
    """Few faults are found in published sets; PBC's are of another camera pipeline (366 × 369)."""
    from leukoscope.datasets.reading import read_folder

    data = read_folder(real_data / folder).manifest
    data = data.with_table(data.table.sample(min(60, len(data)), random_state=0))
    findings = [finding for finding in of(data, *QUALITY) if finding.check != "unusual-images"]
    assert sum(finding.evidence["images"] for finding in findings) <= share * len(data)


@pytest.mark.real
def test_taleghanis_scale_bars_and_the_arrow_of_allidb1_are_found(real_data: Path) -> None:
    from leukoscope.datasets.reading import read_folder

    fields = read_folder(real_data / "allidb1").manifest
    (arrow,) = of(fields, "burnt-in-marks")
    assert arrow.images == ("im/Im023_1.jpg",)
    data = read_folder(real_data / "taleghani" / "Original").manifest
    names = ("Benign-048", "Early-210", "Early-288", "Benign-001", "Pre-001", "Pro-001")
    chosen = data.table["image"].str.contains("|".join(names))
    (bars,) = of(data.with_table(data.table[chosen]), "burnt-in-marks")
    assert len(bars.images) == 3
    assert "3 times at the same place, the lower right corner" in bars.summary
