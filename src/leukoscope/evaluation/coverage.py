"""How often do 95 % intervals hold? Simulated clusters, several methods side by side.

Run it with::

    python -m leukoscope.evaluation.coverage [SIMULATIONS]

A subject's cells share an effect: score = class ± shift/2 + subject's effect + cell's noise, the
answer is positive where the score is above 0. Subjects have different numbers of cells. The truth
is that of 12,000 subjects. Intervals are made as ``evaluate`` makes them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .intervals import Groups, interval, spread
from .measurement import Measured
from .sample import Floats, Sample

__all__ = ["METHODS", "SCENARIOS", "Scenario", "coverage", "simulate"]

NAMES = ("accuracy", "sensitivity", "specificity", "auroc")
DRAWS = 1000
TRUTH_SUBJECTS = 12_000


@dataclass(frozen=True)
class Scenario:
    """Clusters of one kind."""

    name: str
    positives: int
    """Subjects of the positive class."""
    negatives: int
    shift: float
    """Distance between the classes in standard deviations of a cell's noise."""
    subject: float
    """Standard deviation of the subjects' effects, in the same unit."""
    size_spread: float = 0.6
    """Standard deviation of the logarithm of the subjects' numbers of cells."""
    cells: float = 60.0
    """Mean number of cells."""


SCENARIOS = (
    Scenario("sensitivity 0.84, 15 + 13 subjects", 15, 13, 1.8, 0.7),
    Scenario("sensitivity 0.80, 20 + 8 subjects", 20, 8, 2.2, 0.8),
    Scenario("sensitivity 0.92, 15 + 13 subjects", 15, 13, 3.5, 0.8),
    Scenario("sensitivity 0.96, 14 + 14 subjects, very unequal", 14, 14, 5.0, 1.0, 0.8),
    Scenario("sensitivity 0.84, 60 + 58 subjects", 60, 58, 1.8, 0.7),
)


def simulate(scenario: Scenario, rng: np.random.Generator) -> Sample:
    """Draw one data set."""
    subjects = scenario.positives + scenario.negatives
    positive = np.arange(subjects) < scenario.positives
    sizes = scenario.cells * np.exp(
        scenario.size_spread * rng.standard_normal(subjects) - scenario.size_spread**2 / 2
    )
    effect = scenario.shift * (positive - 0.5) + scenario.subject * rng.standard_normal(subjects)
    group = np.repeat(np.arange(subjects), np.maximum(5, sizes.round()).astype(int))
    score = effect[group] + rng.standard_normal(len(group))
    p = 1 / (1 + np.exp(-score))
    nothing = np.zeros(len(group), dtype=np.int64)
    return Sample(
        classes=("normal", "blast"),
        positive=1,
        label=positive[group].astype(np.int64),
        predicted=(score >= 0).astype(np.int64),
        probabilities=np.stack([1 - p, p], axis=1),
        item=np.arange(len(group)),
        group=group,
        groups=tuple(str(number) for number in range(subjects)),
        model=nothing,
        repeat=nothing,
    )


def truths(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """What the intervals should cover."""
    from . import METRICS

    whole = scenario.positives + scenario.negatives
    share = scenario.positives / whole
    many = replace(
        scenario,
        positives=round(share * TRUTH_SUBJECTS),
        negatives=TRUTH_SUBJECTS - round(share * TRUTH_SUBJECTS),
        cells=scenario.cells,
    )
    source = Measured.alone(simulate(many, rng), 0, 0).source
    from .weighted import Weighted

    at = Weighted(source, np.ones((1, TRUTH_SUBJECTS)))
    return {name: float(METRICS[name].compute(at)[0]) for name in NAMES}


@dataclass(frozen=True)
class _Case:
    value: float
    draws: Floats
    left_out: Floats
    groups: Groups
    fewest: int

    @property
    def skew(self) -> float:
        """Efron's acceleration from the jackknife."""
        influence = self.left_out.mean() - self.left_out
        squares = float((influence**2).sum())
        return float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0

    @property
    def student(self) -> float:
        """Student's quantile at the fewest groups."""
        from scipy.special import stdtrit

        return float(stdtrit(self.fewest - 1, 0.975))

    @property
    def tail(self) -> float:
        """The tail probability of the expanded percentile."""
        from scipy.special import ndtr

        return float(ndtr(-np.sqrt(self.fewest / (self.fewest - 1)) * self.student))


Ends = tuple[float, float]


def _quantiles(case: _Case, low: float, high: float) -> Ends:
    ends = np.quantile(case.draws, [low, high])
    return float(ends[0]), float(ends[1])


def _bca(case: _Case, tail: float) -> Ends:
    from scipy.special import ndtr, ndtri

    below = ((case.draws < case.value).mean() + (case.draws <= case.value).mean()) / 2
    bias = float(np.clip(ndtri(below), -3, 3))
    z = bias + ndtri(np.array([tail, 1 - tail]))
    low, high = ndtr(bias + z / (1 - case.skew * z))
    return _quantiles(case, float(low), float(high))


def _t(case: _Case) -> Ends:
    found = spread(case.value, case.draws, case.left_out, case.groups)
    half = 0.0 if found is None else found.half
    return case.value - half, case.value + half


def _ours(case: _Case) -> Ends:
    ends, _ = interval(case.value, case.draws, case.left_out, case.groups, (0.0, 1.0), case.fewest)
    return ends or (case.value, case.value)


METHODS: dict[str, Callable[[_Case], Ends]] = {
    "percentile": lambda case: _quantiles(case, 0.025, 0.975),
    "percentile, × √(G/(G − 1))": lambda case: _inflated(case),
    "expanded percentile": lambda case: _quantiles(case, case.tail, 1 - case.tail),
    "BCa": lambda case: _bca(case, 0.025),
    "expanded BCa": lambda case: _bca(case, case.tail),
    "Student, plain scale": _t,
    "Student, logit scale (chosen)": _ours,
}
"""Method → interval of a case."""


def _inflated(case: _Case) -> Ends:
    low, high = _quantiles(case, 0.025, 0.975)
    factor = float(np.sqrt(case.fewest / (case.fewest - 1)))
    return case.value + factor * (low - case.value), case.value + factor * (high - case.value)


def _cases(sample: Sample, seed: int) -> Iterator[tuple[str, _Case]]:
    from . import METRICS

    measured = Measured.alone(sample, DRAWS, seed)
    for name in NAMES:
        metric = METRICS[name]
        values = measured.values(metric)
        _, groups = measured.standing(metric.of)
        yield (
            name,
            _Case(
                float(values[0]),
                values[1 : DRAWS + 1],
                values[DRAWS + 1 :],
                measured.groups,
                measured.fewest_of(metric.of, groups),
            ),
        )


def coverage(
    scenario: Scenario, simulations: int, seed: int = 0, methods: Sequence[str] = tuple(METHODS)
) -> dict[str, dict[str, tuple[float, float]]]:
    """Method → metric → share of intervals that hold the truth, and their mean width."""
    rng = np.random.default_rng(seed)
    truth = truths(scenario, rng)
    held = {method: dict.fromkeys(NAMES, 0.0) for method in methods}
    width = {method: dict.fromkeys(NAMES, 0.0) for method in methods}
    for number in range(simulations):
        for name, case in _cases(simulate(scenario, rng), seed + number):
            for method in methods:
                low, high = METHODS[method](case)
                held[method][name] += low <= truth[name] <= high
                width[method][name] += high - low
    return {
        method: {
            name: (held[method][name] / simulations, width[method][name] / simulations)
            for name in NAMES
        }
        for method in methods
    }


def main() -> None:
    """Print the table of ``docs/metrics.md``."""
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"| {simulations} simulations | {' | '.join(NAMES)} |")
    print("|---|" + "---|" * len(NAMES))
    for scenario in SCENARIOS:
        print(f"| **{scenario.name}** |" + " |" * len(NAMES), flush=True)
        for method, found in coverage(scenario, simulations).items():
            cells = " | ".join(f"{found[n][0]:.3f} ({found[n][1]:.3f})" for n in NAMES)
            print(f"| {method} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
