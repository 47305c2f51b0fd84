"""Measurements against truth: drawn cells, people's masks, scikit-image and plain geometry."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.measure import regionprops, shannon_entropy

from leukoscope.datasets.rendered import draw_subject, render_cell
from leukoscope.images.decode import decode
from leukoscope.smear.measurements import MEASUREMENTS, entropy, measure
from leukoscope.smear.single_cell import FLAGS, CellMasks, find_cell

PURPLE, LILAC, ROSE, GLASS = (80, 30, 120), (150, 120, 190), (200, 150, 150), (225, 222, 220)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def smear(cells=((110, 128, 60, 42),), size=256):
    """Cells (x, y, radius, radius of the nucleus) among red cells, a little noisy."""
    image = np.full((size, size, 3), GLASS, np.uint8)
    cv2.circle(image, (30, 40), 24, ROSE, -1)
    cv2.circle(image, (220, 216), 26, ROSE, -1)
    for x, y, radius, nucleus in cells:
        cv2.circle(image, (x, y), radius, LILAC, -1)
        cv2.circle(image, (x, y), nucleus, PURPLE, -1)
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_cell_in_a_smear_has_the_areas_it_was_drawn_with():
    found = measure(smear())
    assert found.flags == ()
    assert found.nucleus_area_px == pytest.approx(math.pi * 42.5**2, rel=0.03)
    assert found.cell_area_px == pytest.approx(math.pi * 60.5**2, rel=0.03)
    assert found.nucleus_cell_ratio == pytest.approx((42 / 60) ** 2, abs=0.02)
    assert found.nucleus_irregularity_ratio < 0.02
    assert found.nucleus_elongation_ratio < 0.03
    # Their greens are 30 and 120.
    assert found.stain_contrast_ratio == pytest.approx((120 - 30) / 150, abs=0.03)


def test_areas_are_of_the_image_as_given_and_ratios_do_not_hang_on_its_size():
    image = smear()
    large = cv2.resize(image, (512, 512), interpolation=cv2.INTER_CUBIC)
    one, other = measure(image), measure(large)
    assert other.cell_area_px == pytest.approx(4 * one.cell_area_px, rel=0.03)
    assert other.nucleus_cell_ratio == pytest.approx(one.nucleus_cell_ratio, abs=0.02)


def test_what_is_wrong_is_flagged_and_nothing_is_invented():
    for blank in (np.full((200, 200, 3), 220, np.uint8), np.zeros((200, 200, 3), np.uint8)):
        nothing = measure(blank)
        assert nothing.flags == ("no-cell",)
        assert all(math.isnan(getattr(nothing, name)) for name in MEASUREMENTS)
    two = measure(smear(((90, 128, 50, 40), (200, 90, 50, 40))))
    assert "crowded" in two.flags
    assert "cut" in measure(smear(((20, 128, 60, 42),))).flags
    red = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(red, (100, 100), 60, ROSE, -1)
    assert measure(red).flags == ("no-cell",)
    assert set(two.row()["flags"].split()) <= set(FLAGS)


def test_red_cells_alone_are_no_white_cell():
    assert measure(smear(())).flags == ("no-cell",)


def test_a_nucleus_that_fills_its_cell_is_said_to():
    image = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(image, (100, 100), 60, PURPLE, -1)
    found = measure(image)
    assert found.flags == ("no-cytoplasm",)
    assert found.nucleus_cell_ratio == 1


def test_pieces_of_red_cells_do_not_count():
    image = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(image, (190, 128), 40, ROSE, -1)
    cv2.circle(image, (110, 128), 60, LILAC, -1)
    cv2.circle(image, (110, 128), 42, PURPLE, -1)
    assert measure(image).cell_area_px == pytest.approx(math.pi * 60.5**2, rel=0.04)


def test_shapes_are_scikit_images():
    mask = np.zeros((120, 160), np.uint8)
    cv2.ellipse(mask, (80, 60), (60, 30), 20, 0, 360, 1, -1)
    cv2.circle(mask, (80, 22), 18, 0, -1)
    inside = mask > 0
    image = np.full((120, 160, 3), PURPLE, np.uint8)
    found = measure(image, CellMasks(inside, inside, ()))
    region = regionprops(mask)[0]
    # Its hull is of pixels' edges, ours of their centres.
    assert found.nucleus_irregularity_ratio == pytest.approx(1 - region.solidity, abs=0.01)
    axes = region.axis_minor_length / region.axis_major_length
    assert found.nucleus_elongation_ratio == pytest.approx(1 - axes, abs=1e-6)


def test_entropy_is_that_of_the_pairs_inside():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (300, 300), dtype=np.uint8)
    mask = np.zeros((300, 300), bool)
    mask[10:290, 10:290] = True
    outside = grey.copy()
    outside[~mask] = 255 - outside[~mask]
    # Independent values: the entropy of pairs is twice that of single ones.
    alone = shannon_entropy(grey[mask] // 8)
    assert entropy(grey, mask) == pytest.approx(2 * alone, abs=0.02)
    assert entropy(grey, mask) == entropy(outside, mask)
    assert entropy(np.full((50, 50), 90, np.uint8), np.ones((50, 50), bool)) == 0


def test_blur_lowers_sharpness():
    image = smear(((128, 128, 100, 70),))
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    assert measure(blurred).sharpness_ratio < measure(image).sharpness_ratio - 0.2


def test_drawn_cells_have_the_nuclei_they_were_drawn_with():
    rng = np.random.default_rng(0)
    errors, nuclei, cells = [], [], []
    for number in range(12):
        kind = ("blast", "lymphocyte")[number % 2]
        cell = render_cell(rng, kind, draw_subject(rng, "s", "blast", "c-nmc"), size=225)
        found = find_cell(cell.image)
        true = cell.nucleus.sum() / cell.cell.sum()
        errors.append(measure(cell.image, found).nucleus_cell_ratio - true)
        nuclei.append(dice(found.nucleus, cell.nucleus))
        cells.append(dice(found.cell, cell.cell))
    # Measured on 60 at full size: 0.98, 0.97 and 0.054, when the cytoplasm was drawn paler; it is
    # now nearly as dark as the nucleus, as in C-NMC, and the ratio harder to see.
    assert np.median(cells) > 0.96
    assert np.median(nuclei) > 0.93
    assert np.median(np.abs(errors)) < 0.12


@pytest.mark.real
def test_real_cells_agree_with_peoples_masks(real_data: Path):
    """ALL-IDB2 with the masks of Loddo & Putzu."""
    errors, nuclei, cells, flagged = [], [], [], 0
    for path in sorted((real_data / "allidb2" / "masks").iterdir())[::8]:
        image = real_data / "allidb2" / "img" / f"{path.stem}.tif"
        if not image.exists():
            continue
        mask, pixels = decode(path).pixels, decode(image).pixels
        nucleus = (mask == (0, 255, 255)).all(axis=-1)
        cell = nucleus | (mask == (0, 0, 255)).all(axis=-1)
        found = find_cell(pixels)
        flagged += bool(found.flags)
        measured = measure(pixels, found)
        errors.append(measured.nucleus_cell_ratio - nucleus.sum() / cell.sum())
        nuclei.append(dice(found.nucleus, nucleus))
        cells.append(dice(found.cell, cell))
    assert len(cells) > 20
    assert flagged <= 2
    # Measured on all 175: 0.967, 0.962 and 0.039.
    assert np.median(cells) > 0.95
    assert np.median(nuclei) > 0.94
    assert np.median(np.abs(errors)) < 0.06


@pytest.mark.real
def test_real_cut_out_cells_are_all_measured(real_data: Path):
    paths = sorted((real_data / "cnmc" / "as_png").rglob("*.png"))[::12]
    for path in paths:
        found = measure(decode(path).pixels)
        assert set(found.flags) <= {"no-cytoplasm"}
        # What C-NMC's 225 × 225 and larger cells fill of their frame.
        assert 0.03 < found.cell_area_px / 450**2 < 0.5
        assert np.isfinite(found.chromatin_entropy_bits)
