"""The benchmark runs and its rows have what ``leukoscope bench`` shows."""

from __future__ import annotations

import numpy as np

from leukoscope.images.benchmark import psnr, run, zone_plate
from leukoscope.progress import Progress


def test_its_rows() -> None:
    rows = run(Progress(quiet=True), images=6, rounds=1)
    assert [row["name"] for row in rows] == [
        "450 px bitmap to 224 px, stored",
        "450 px zone plate to 224 px",
        "450 px bitmap to 32 px, stored",
        "450 px zone plate to 32 px",
    ]
    keys = {"name", "ours", "peer", "ratio", "unit", "target", "note"}
    assert all(set(row) == keys for row in rows)
    assert all(row["ours"] > 0 for row in rows)
    assert rows[1]["ours"] >= 45
    assert rows[3]["ours"] >= 45


def test_psnr_of_known_errors() -> None:
    flat = np.full((4, 4, 3), 100, np.uint8)
    assert psnr(flat, flat) == float("inf")
    assert abs(psnr(flat, flat + np.uint8(1)) - 48.1308) < 1e-3  # 20 log10(255)


def test_a_zone_plate_reaches_nyquist() -> None:
    row = zone_plate(101, 101)[50, :, 0].astype(int)
    assert row[50] == 255
    assert np.abs(np.diff(row[:6])).min() > 180  # alternates at the edge
