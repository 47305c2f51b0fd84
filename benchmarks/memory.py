"""Peak memory while 10,661 images of 450×450 are imported (C-NMC's training set in size).

The images are rendered and hard-linked under new names, so that the disk holds 200 of them while
every one is read, decoded and hashed. Prints the peak of all processes together.

Run with: python benchmarks/memory.py [FOLDER]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import leukoscope as lk

IMAGES = 10_661
UNIQUE = 200
LIMIT_MB = 600


def prepare(folder: Path) -> None:
    """A C-NMC training folder of ``IMAGES`` files."""
    lk.render("rendered-cnmc", folder / "unique", images=UNIQUE, subjects=20)
    sources = sorted((folder / "unique").rglob("*.bmp"))
    for number in range(IMAGES):
        source = sources[number % len(sources)]
        kind = source.parent.name
        subject = number // 150 + 1
        name = f"UID_{'H' if kind == 'hem' else ''}{subject}_{number}_1_{kind}.bmp"
        target = folder / "C-NMC_training_data" / f"fold_{subject % 3}" / kind / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)


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
