"""Which rows take part: a seeded sample that keeps classes, official parts and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import Manifest, manifest_from_rows
from leukoscope.records.experiment import Experiment, with_settings
from leukoscope.training.task import define_task

Make = Callable[..., Experiment]


def _slides() -> Manifest:
    """Twenty slides of unequal size: 2 to 1 between the parts, 3 to 1 between the classes."""
    rows = []
    for slide in range(20):
        part = "test" if slide % 3 == 2 else "train"
        for image in range(10 + 40 * (slide % 2)):
            label = "normal" if image % 4 == 3 else "tumour"
            rows.append(
                {
                    "image": f"{slide}/{image}.png",
                    "label": label,
                    "source_label": label,
                    "group": f"slide-{slide}",
                    "group_source": "published",
                    "official_split": part,
                }
            )
    return manifest_from_rows(rows, DatasetCard(name="slides", positive="tumour"), Path("slides"))


def _drawn(manifest: Manifest, sample: int, seed: int = 0) -> Manifest:
    asked = with_settings(Experiment(), {"data.sample": sample, "seed": seed})
    task = define_task(asked, manifest)
    assert task.excluded == {"not drawn for the sample": len(manifest) - sample}
    return task.manifest


def test_a_sample_keeps_the_shares_of_classes_and_parts() -> None:
    slides = _slides()
    sample = _drawn(slides, 120)
    assert len(sample) == 120
    for name in ("label", "official_split"):
        before, after = Counter(slides.column(name)), Counter(sample.column(name))
        for value, count in before.items():
            # Whole numbers, twice rounded.
            assert abs(after[value] - 120 * count / len(slides)) <= 2


def test_a_sample_has_every_group_that_there_is_room_for() -> None:
    slides = _slides()
    counts = Counter(_drawn(slides, 60).column("group"))
    assert set(counts) == set(slides.column("group"))
    # In turn: 60 images of 20 slides are three a slide, but for classes and parts.
    assert max(counts.values()) <= 6


def test_the_seed_decides_and_a_small_set_is_taken_whole() -> None:
    slides = _slides()
    first, again, other = _drawn(slides, 60), _drawn(slides, 60), _drawn(slides, 60, seed=1)
    assert first.keys == again.keys != other.keys
    whole = with_settings(Experiment(), {"data.sample": len(slides)})
    assert np.array_equal(define_task(whole, slides).manifest.keys, slides.keys)
