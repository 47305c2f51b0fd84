"""Peak memory while 10,661 images of 450×450 are imported (C-NMC's training set in size).

Every image is another cell, so that every one is read, decoded, hashed and compared with every
other one in the search for near-identical ones: drawn cells, each under chromatin of its own.
PNG and not C-NMC's BMP, which would take 6.5 GB. Prints the peak of all processes together.

Run with: python benchmarks/memory.py [FOLDER]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

import leukoscope as lk

IMAGES = 10_661
DRAWN = 200
SIDE = 450
GRAIN = 64
"""Independent grey values a side of the chromatin: 7 pixels each."""
LIMIT_MB = 600


def prepare(folder: Path) -> None:
    """A C-NMC training folder of ``IMAGES`` different cells."""
    lk.render("rendered-cnmc", folder / "drawn", images=DRAWN, subjects=20)
    sources = sorted((folder / "drawn").rglob("*.bmp"))
    cells = [cv2.imread(str(source)) for source in sources]
    # libpng works outside Python's lock.
    with ThreadPoolExecutor(2) as threads:
        written = threads.map(
            lambda number: _another(
                cells[number % DRAWN], sources[number % DRAWN].parent.name, number, folder
            ),
            range(IMAGES),
        )
        assert all(written)


def _another(cell: np.ndarray, kind: str, number: int, folder: Path) -> bool:
    """Write a drawn cell under new chromatin, with C-NMC's name."""
    rng = np.random.default_rng(number)
    grain = rng.normal(1, 0.3, (GRAIN, GRAIN)).astype(np.float32)
    chromatin = cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    pixels = cv2.multiply(cell, cv2.merge([chromatin] * 3), dtype=cv2.CV_8U)
    subject = number // 150 + 1
    name = f"UID_{'H' if kind == 'hem' else ''}{subject}_{number}_1_{kind}.png"
    target = folder / "C-NMC_training_data" / f"fold_{subject % 3}" / kind / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return bool(cv2.imwrite(str(target), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]))


def resident_mb(root: int) -> float:
    """Proportional memory of a process and its children, in MB (shared pages counted once)."""
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:"))
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except (OSError, ValueError):
            continue
        waiting += [int(child) for child in children]
    return total / 1024


def main() -> int:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        folder = Path(place)
        prepare(folder)
        command = [sys.executable, "-m", "leukoscope", "data", "read", "--quiet"]
        command += [str(folder / "C-NMC_training_data"), "--out", str(folder / "manifest.csv")]
        began = time.monotonic()
        work = subprocess.Popen(command)
        peak = 0.0
        while work.poll() is None:
            peak = max(peak, resident_mb(work.pid))
            time.sleep(0.2)
        seconds = time.monotonic() - began
    print(f"{IMAGES} images: peak {peak:.0f} MB (limit {LIMIT_MB}), {seconds:.0f} s")
    return 0 if work.returncode == 0 and peak < LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
