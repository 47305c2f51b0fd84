"""Decoding and resizing into the store beside a Pillow loop, in one run.

The images are 450 x 450 bitmaps as C-NMC has them, drawn here, so that the benchmark needs no
data: a cut-out cell's texture does not change what either side has to do.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..progress import Progress
from .pipeline import Pipeline
from .resize import resize
from .steps import Resize
from .store import RACY_NS, PixelStore, Source
from .writing import cores

__all__ = ["psnr", "run", "zone_plate"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

SIDE = 450
IMAGES = 1500
ROUNDS = 5
SIZES = (224, 32)
FILTERS: dict[Literal["bicubic", "bilinear"], Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}
"""The default of ``PIL.Image.resize``, and ours."""
TARGET_RATIO = 2.0
TARGET_DB = 45.0


def zone_plate(height: int, width: int) -> Pixels:
    """Rings whose frequency grows from 0 in the middle to Nyquist at the middle of each edge."""
    rows = np.arange(height) - (height - 1) / 2
    columns = np.arange(width) - (width - 1) / 2
    phase = np.pi * (rows[:, None] ** 2 / height + columns[None] ** 2 / width)
    rings = np.rint(127.5 + 127.5 * np.cos(phase)).astype(np.uint8)
    return np.repeat(rings[..., None], 3, axis=2)


def psnr(ours: Pixels, theirs: Pixels) -> float:
    """Peak signal-to-noise ratio in dB; infinite where both are equal."""
    error = float(np.mean((ours.astype(np.float64) - theirs) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def run(progress: Progress, *, images: int = IMAGES, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Rows ``name, ours, peer, ratio, unit, target, note``; ours and peer interleaved, medians.

    Both sides use as many threads as this process may use cores; Pillow's releases the lock of
    Python while it decodes and resizes, so that threads serve it as well as processes would.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = _bitmaps(Path(folder) / "images", images, progress)
        workers = cores()
        for size in SIZES:
            for filter, theirs in FILTERS.items():
                pipeline = Pipeline(size, (Resize(filter=filter),))
                store = Path(folder) / "store"
                sides = [
                    partial(_ours, paths, pipeline, store, workers),
                    partial(_theirs, paths, size, theirs, workers),
                    partial(_again, paths, pipeline, store, workers),
                ]
                what = f"{size} px, {filter}"
                seconds = _interleaved(sides, rounds, progress, what)
                ours, peer, second = (statistics.median(times) for times in seconds)
                pairs = zip(seconds[0], seconds[1], strict=True)
                rows.append(
                    {
                        "name": f"450 px bitmap to {what}, stored",
                        "ours": images / ours,
                        "peer": images / peer,
                        "ratio": statistics.median(b / a for a, b in pairs),
                        "unit": "images/s",
                        "target": f">= {TARGET_RATIO:g}x Pillow {theirs.name}",
                        "note": f"{workers} threads each; second use "
                        f"{images / second:,.0f} images/s, nothing decoded",
                    }
                )
                plate = zone_plate(SIDE, SIDE)
                expected = np.asarray(Image.fromarray(plate).resize((size, size), theirs))
                rows.append(
                    {
                        "name": f"450 px zone plate to {what}",
                        "ours": psnr(resize(plate, (size, size), filter), expected),
                        "peer": None,
                        "ratio": None,
                        "unit": "dB against Pillow",
                        "target": f">= {TARGET_DB:g} dB",
                        "note": "",
                    }
                )
    return rows


def _bitmaps(folder: Path, count: int, progress: Progress) -> list[Path]:
    """Noise in a disc on black: 32 different pictures, each written many times."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    disc = (rows**2 + columns**2 < (SIDE / 4) ** 2)[..., None]
    different = [
        (rng.integers(60, 200, (SIDE, SIDE, 3)) * disc).astype(np.uint8) for _ in range(32)
    ]
    paths = []
    for number in progress.track(range(count), "Writing bitmaps", count):
        path = folder / f"{number}.bmp"
        Image.fromarray(different[number % len(different)]).save(path)
        paths.append(path)
    time.sleep(RACY_NS / 1e9)  # files changed this moment would be hashed
    return paths


def _ours(paths: Sequence[Path], pipeline: Pipeline, store: Path, workers: int) -> None:
    shutil.rmtree(store, ignore_errors=True)
    stored = PixelStore(store).fill([Source(path) for path in paths], pipeline, workers=workers)
    assert stored.decoded == len(paths)


def _again(paths: Sequence[Path], pipeline: Pipeline, store: Path, workers: int) -> None:
    stored = PixelStore(store).fill([Source(path) for path in paths], pipeline, workers=workers)
    assert stored.decoded == 0


def _theirs(paths: Sequence[Path], size: int, filter: Image.Resampling, workers: int) -> None:
    def one(path: Path) -> int:
        with Image.open(path) as image:
            return int(np.asarray(image.convert("RGB").resize((size, size), filter))[0, 0, 0])

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(one, paths):
            pass


def _interleaved(
    sides: Sequence[Callable[[], None]], rounds: int, progress: Progress, what: str
) -> list[list[float]]:
    """Seconds of each side, one list a side; the first round warms up and is left out."""
    seconds: list[list[float]] = [[] for _ in sides]
    for turn in progress.track(range(rounds + 1), f"Measuring {what}", rounds + 1):
        for side, times in zip(sides, seconds, strict=True):
            began = time.perf_counter()
            side()
            if turn:
                times.append(time.perf_counter() - began)
    return seconds
