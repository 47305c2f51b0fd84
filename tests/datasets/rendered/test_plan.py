"""Slides are dealt evenly to the classes, and nobody's slide is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from leukoscope.datasets.rendered.plan import Plan
from leukoscope.datasets.rendered.subjects import Subject, draw_subject, slide_measures

IDS = {"blast": [str(n) for n in range(20)], "normal": [f"H{n}" for n in range(20)]}
HALVES = {"blast": 0.5, "normal": 0.5}


@pytest.mark.parametrize("seed", range(5))
def test_no_class_gets_the_darker_slides(seed: int) -> None:
    """Drawn independently, one of nine measures in 45 would have p < 0.05 by chance; dealt evenly
    none comes near: the means differ by less than half of a standard deviation (p > 0.1)."""
    people = Plan("rendered-cnmc", seed, 40, 400).people("c-nmc", IDS, HALVES)
    measures = np.array([slide_measures(one.subject) for one in people])
    patients = np.array([one.subject.label == "blast" for one in people])
    assert ttest_ind(measures[patients], measures[~patients]).pvalue.min() > 0.1


def test_the_slides_are_those_that_were_drawn() -> None:
    plan = Plan("rendered-cnmc", 1, 40, 400)
    people = plan.people("c-nmc", IDS, HALVES)
    drawn = [draw_subject(plan.rng(2, index), "", "", "c-nmc") for index in range(40)]

    def slide(subject: Subject) -> str:
        return repr(replace(subject, name="", label=""))

    assert sorted(map(slide, drawn)) == sorted(slide(one.subject) for one in people)
    assert [one.subject.name for one in people] == [*IDS["blast"], *IDS["normal"]]
    assert [one.index for one in people] == list(range(40))
