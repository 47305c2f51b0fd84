"""The benchmark runs and its rows have what ``leukoscope bench`` shows."""

from __future__ import annotations

import numpy as np

from leukoscope.images.benchmark import psnr, run, zone_plate
from leukoscope.progress import Progress


def test_its_rows() -> None:
    rows = run(Progress(quiet=True), images=6, rounds=1)
    assert [row["name"] for row in rows] == [
        f"450 px {what} to {size} px, {filter}{stored}"
        for size in (224, 32)
        for filter in ("bicubic", "bilinear")
        for what, stored in (("bitmap", ", stored"), ("zone plate", ""))
    ]
    keys = {"name", "ours", "peer", "ratio", "unit", "target", "note"}
    assert all(set(row) == keys for row in rows)
    assert all(row["ours"] > 0 for row in rows)
    assert all(row["ours"] >= 45 for row in rows[1::2])


def test_psnr_of_known_errors() -> None:
    flat = np.full((4, 4, 3), 100, np.uint8)
    assert psnr(flat, flat) == float("inf")
    assert abs(psnr(flat, flat + np.uint8(1)) - 48.1308) < 1e-3  # 20 log10(255)


def test_a_zone_plate_reaches_nyquist() -> None:
    row = zone_plate(101, 101)[50, :, 0].astype(int)
    assert row[50] == 255
    assert np.abs(np.diff(row[:6])).min() > 180  # alternates at the edge
