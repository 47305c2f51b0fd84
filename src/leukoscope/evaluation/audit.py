"""Can these published figures be true? Every one of them at once, of one confusion matrix.

For each row of a table of two classes: *possible* (a confusion matrix has all these figures),
*impossible* (none can, with the relation that is broken), or *cannot know* (too little is printed).
Relations hold for any test set; where the numbers of images and of positives are known, every
integer confusion matrix is tried, under each averaging of precision, recall and F1, each figure
rounded or truncated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .matrices import Found, Reading, search
from .printed import Figure, PublishedRow

__all__ = ["AuditVerdict", "audit", "smallest_n"]

Verdict = Literal["possible", "impossible", "cannot know"]
READINGS: tuple[Reading, ...] = ("positive", "macro", "weighted")
LARGEST_TEST = 10_000
"""No test set is thought to be larger where none is stated."""
SHARES = 4000
"""Where only the share of positives is known: a test set so fine that counts do not matter."""
FEW = 150
"""Where the positives are not known, all their numbers are tried up to this many images."""
Figures = Mapping[str, Figure]


@dataclass(frozen=True)
class AuditVerdict:
    """What can be said of one row."""

    model: str
    verdict: Verdict
    reasons: tuple[str, ...]
    """Broken relations, or why it cannot be known."""
    readings: tuple[Reading, ...] = ()
    """Averagings of precision, recall and F1 under which a confusion matrix exists."""
    matrices: int = 0
    """How many fit."""
    example: tuple[int, int, int, int] | None = None
    """TP, FP, TN, FN of one that fits."""
    implied: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Metric → smallest and largest value over all that fit, of those that are not printed."""
    instead: str = ""
    """Under which other names the figures fit."""


def audit(row: PublishedRow) -> AuditVerdict:
    """Judge one row.

    Parameters
    ----------
    row
        Of two classes. Figures that are not printed are absent.

    Notes
    -----
    Relations (s sensitivity, t specificity, a accuracy, P, R, F averaged over classes, π share of
    positives): a lies between s and t; a = k/n; F ≤ (P + R)/2; of the positive class F = 2PR/(P +
    R) and π = (1 − a)/((1 − R) + R(1 − P)/P) ≤ 1; macro 1 − a ≤ 2(1 − R) and 2(1 − P); weighted
    R = a; P = 1 exactly where t = 1; st ≤ AUC ≤ 1 − (1 − s)(1 − t).
    """
    considered = READINGS if row.averaging == "any" else (row.averaging,)
    if considered == ("positive",) and "recall" in row.figures:
        sensitivity = row.figures.get("sensitivity", row.figures["recall"])
        row = replace(row, figures={**row.figures, "sensitivity": sensitivity})
    reasons = _relations(row, considered)
    found = None if reasons else _exhaust(row, considered)
    if reasons or (found is not None and not found):
        if not reasons:
            reasons = [_none_fits(row)]
        return AuditVerdict(row.model, "impossible", tuple(reasons), instead=_instead(row))
    if found is None:
        return AuditVerdict(row.model, "cannot know", tuple(_unknown(row)))
    first = next(iter(found.values()))
    implied = dict(first.ranges)
    for other in found.values():
        for metric, (low, high) in other.ranges.items():
            implied[metric] = (min(implied[metric][0], low), max(implied[metric][1], high))
    exact = row.positives is not None or row.share is None
    return AuditVerdict(
        row.model,
        "possible",
        (),
        tuple(found) if {"precision", "recall", "f1"} & row.figures.keys() else (),
        sum(one.count for one in found.values()) if exact else 0,
        first.example if exact else None,
        implied,
    )


def _exhaust(row: PublishedRow, considered: tuple[Reading, ...]) -> dict[Reading, Found] | None:
    """Reading → the matrices that fit; None where too little is known to try all."""
    if not {"precision", "recall", "f1"} & row.figures.keys():
        considered = considered[:1]
    sets: list[tuple[int, int]]
    if row.n is not None and row.positives is not None:
        sets = [(row.n, row.positives)]
    elif row.share is not None:
        sets = [(SHARES, round(SHARES * row.share))]
    elif row.n is not None and row.n <= FEW:
        sets = [(row.n, positives) for positives in range(1, row.n)]
    else:
        return None
    found: dict[Reading, Found] = {}
    for reading in considered:
        for n, positives in sets:
            one = search(n, positives, row.figures, reading)
            if one is not None:
                found[reading] = one if reading not in found else found[reading].joined(one)
    return found


def _none_fits(row: PublishedRow) -> str:
    if row.positives is not None and row.n is not None:
        classes = f"{row.positives} positives and {row.n - row.positives} negatives"
    elif row.share is not None:
        classes = f"{100 * row.share:g} % positives"
    else:
        classes = f"{row.n} images"
    averaging = "" if row.averaging == "any" else f" ({row.averaging} averages)"
    return f"no confusion matrix of {classes} has these figures together{averaging}"


def _unknown(row: PublishedRow) -> list[str]:
    missing = "n" if row.n is None else "positives"
    reasons = [f"{missing} is not stated, so only relations between the figures were tried"]
    needed = {metric: smallest_n(one) for metric, one in row.figures.items() if metric != "auc"}
    largest = max(needed, key=lambda metric: needed[metric], default="")
    if row.n is None and largest and needed[largest] > 1000:
        text = row.figures[largest].text
        reasons.append(f"{largest} {text} needs a test of at least {needed[largest]:,} images")
    return reasons


def smallest_n(one: Figure) -> int:
    """The fewest images of which a share prints so."""
    for n in range(1, 1_000_000):
        k = math.ceil(one.low * n - 1e-9)
        if k <= n and one.holds(k / n):
            return n
    return 1_000_000


def _relations(row: PublishedRow, considered: tuple[Reading, ...]) -> list[str]:
    """What is broken whatever the test set."""
    figures = row.figures
    reasons = [
        *_fractions(row),
        *_between(figures),
        *_auc(figures),
        *_mean_of_f(figures),
    ]
    reasons += _perfect(figures, positive=considered == ("positive",))
    broken = {reading: _READING_RULES[reading](figures) for reading in considered}
    if all(broken.values()):
        reasons += [
            (f"read as {reading}: " if len(considered) > 1 else "") + text
            for reading, texts in broken.items()
            for text in texts
        ]
    return reasons


def _fractions(row: PublishedRow) -> list[str]:
    """k/n: of all images, of the positive ones, of the negative ones."""
    if row.n is None:
        return []
    wholes = {"accuracy": (row.n, "")}
    if row.positives is not None:
        wholes["sensitivity"] = (row.positives, "positive ")
        wholes["specificity"] = (row.n - row.positives, "negative ")
    reasons = []
    for metric, (whole, what) in wholes.items():
        one = row.figures.get(metric)
        if one is None:
            continue
        near = [math.floor(one.value * whole), math.ceil(one.value * whole)]
        if not any(one.holds(k / whole) for k in range(near[0] - 1, near[1] + 2)):
            shown = " and ".join(
                f"{k}/{whole} = {100 * k / whole:.3f} %" for k in sorted(set(near))
            )
            reasons.append(
                f"{metric} {one.text} is no share of {whole} {what}images: nearest are {shown}"
            )
    return reasons


def _between(figures: Figures) -> list[str]:
    if not {"accuracy", "sensitivity", "specificity"} <= figures.keys():
        return []
    a, s, t = (figures[name] for name in ("accuracy", "sensitivity", "specificity"))
    if min(s.low, t.low) - 1e-9 <= a.high and a.low <= max(s.high, t.high) + 1e-9:
        return []
    return [f"accuracy {a.text} does not lie between sensitivity {s.text} and specificity {t.text}"]


def _auc(figures: Figures) -> list[str]:
    """A ROC curve through (1 − t, s) has an area in [st, 1 − (1 − s)(1 − t)]."""
    if not {"auc", "sensitivity", "specificity"} <= figures.keys():
        return []
    auc, s, t = (figures[name] for name in ("auc", "sensitivity", "specificity"))
    low, high = s.low * t.low, 1 - (1 - s.high) * (1 - t.high)
    if low - 1e-9 <= auc.high and auc.low <= high + 1e-9:
        return []
    return [
        f"AUC {auc.text} is outside of {100 * s.value * t.value:.2f} to "
        f"{100 * (1 - (1 - s.value) * (1 - t.value)):.2f} %, what a curve through sensitivity "
        f"{s.text} and specificity {t.text} can have"
    ]


def _mean_of_f(figures: Figures) -> list[str]:
    """A class's F1 is at most the mean of its precision and recall, so every average of it is."""
    if not {"precision", "recall", "f1"} <= figures.keys():
        return []
    p, r, f = (figures[name] for name in ("precision", "recall", "f1"))
    if f.low <= (p.high + r.high) / 2 + 1e-9:
        return []
    return [f"F1 {f.text} is above the mean of precision {p.text} and recall {r.text}"]


def _perfect(figures: Figures, *, positive: bool) -> list[str]:
    """Precision is 1 exactly where no negative is called positive, that is where t is 1.

    A mean precision of 1 needs it too, but with t = 1 a mean precision may be anything: the other
    way round holds for the positive class alone.
    """
    if not {"precision", "specificity"} <= figures.keys():
        return []
    p, t = figures["precision"], figures["specificity"]
    pairs = [(p, t, "precision"), (t, p, "specificity")]
    for full, other, names in pairs if positive else pairs[:1]:
        # One false positive beside so few others that the full figure still prints as 1.
        hidden = (1 - full.low) / max(full.low, 1e-9)
        if full.value == 1 and other.high < 1 and hidden * LARGEST_TEST < 1:
            partner = "specificity" if names == "precision" else "precision"
            return [
                f"{names} {full.text} means that no negative was called positive, so {partner} is "
                f"100 % too, not {other.text}"
            ]
    return []


def _positive_rules(figures: Figures) -> list[str]:
    reasons = []
    if {"recall", "sensitivity"} <= figures.keys():
        r, s = figures["recall"], figures["sensitivity"]
        if not _meet(r, s):
            reasons.append(f"recall {r.text} is not sensitivity {s.text}")
    if {"precision", "recall", "f1"} <= figures.keys():
        p, r, f = (figures[name] for name in ("precision", "recall", "f1"))
        low, high = _harmonic(p.low, r.low), _harmonic(p.high, r.high)
        if f.high < low - 1e-9 or f.low > high + 1e-9:
            reasons.append(
                f"F1 {f.text} is not 2PR/(P + R) = {_harmonic(p.value, r.value):.4f} of precision "
                f"{p.text} and recall {r.text}"
            )
    if {"accuracy", "precision", "recall"} <= figures.keys():
        reasons += _prevalence(*(figures[name] for name in ("accuracy", "precision", "recall")))
    return reasons


def _prevalence(a: Figure, p: Figure, r: Figure) -> list[str]:
    """Errors a positive image: its own misses, and the false alarms that go with the hits."""
    if not p.low:
        return []

    def errors(precision: float, recall: float) -> float:
        return (1 - recall) + recall * (1 - precision) / precision

    most = max(errors(p.low, r.low), errors(p.low, r.high))
    if 1 - a.high <= most + 1e-9:
        return []
    share = (1 - a.value) / max(errors(p.value, r.value), 1e-12)
    return [
        f"accuracy {a.text}, precision {p.text} and recall {r.text} imply a share of positives of "
        f"{share:.2f}, above 1"
    ]


def _macro_rules(figures: Figures) -> list[str]:
    reasons = []
    for metric in ("recall", "precision"):
        if {"accuracy", metric} <= figures.keys():
            a, m = figures["accuracy"], figures[metric]
            if 1 - a.high > 2 * (1 - m.low) + 1e-9:
                reasons.append(
                    f"accuracy {a.text} has more errors than a mean {metric} of {m.text} over two "
                    "classes allows: 1 − a ≤ 2(1 − mean)"
                )
    return reasons


def _weighted_rules(figures: Figures) -> list[str]:
    if {"accuracy", "recall"} <= figures.keys():
        a, r = figures["accuracy"], figures["recall"]
        if not _meet(a, r):
            return [f"weighted recall is the accuracy, but {r.text} is not {a.text}"]
    return []


_READING_RULES = {
    "positive": _positive_rules,
    "macro": _macro_rules,
    "weighted": _weighted_rules,
}


def _meet(one: Figure, other: Figure) -> bool:
    return one.low <= other.high + 1e-9 and other.low <= one.high + 1e-9


def _harmonic(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


def _instead(row: PublishedRow) -> str:
    """Whether the figures fit when sensitivity and specificity are precision and NPV."""
    figures = row.figures
    if row.n is not None and row.positives is not None:
        if not {"sensitivity", "specificity"} <= figures.keys() or "precision" in figures:
            return ""
        renamed = {"precision": figures["sensitivity"], "npv": figures["specificity"]}
        for extra in ({"accuracy"}, set[str]()):
            kept = {name: figures[name] for name in extra if name in figures}
            found = search(row.n, row.positives, {**renamed, **kept}, "positive")
            if found is not None and found.count <= 3:
                return _told(row, found, bool(kept))
        return ""
    if {"accuracy", "precision", "recall", "specificity"} <= figures.keys():
        a, p, r, t = (
            figures[name].value for name in ("accuracy", "precision", "recall", "specificity")
        )
        per_positive = (1 - r) + r * (1 - p) / p if p else 0.0
        share = (1 - a) / per_positive if per_positive else 1.0
        if share < 1:
            right = 1 - share - share * r * (1 - p) / p
            npv = right / (right + share * (1 - r))
            if abs(npv - t) <= 2 * figures["specificity"].unit:
                return (
                    f"the specificity {figures['specificity'].text} is the negative predictive "
                    f"value {100 * npv:.2f} % that follows from accuracy, precision and recall"
                )
    return ""


def _told(row: PublishedRow, found: Found, with_accuracy: bool) -> str:
    tp, fp, tn, fn = found.example
    text = (
        f"sensitivity and specificity fit as precision and NPV: TP {tp}, FP {fp}, TN {tn}, FN "
        f"{fn}, so sensitivity is {100 * tp / (tp + fn):.2f} and specificity "
        f"{100 * tn / (tn + fp):.2f} %"
    )
    if not with_accuracy:
        printed = row.figures["accuracy"].text if "accuracy" in row.figures else "none"
        text += (
            f"; accuracy would be {100 * (tp + tn) / (tp + fp + tn + fn):.2f}, printed {printed}"
        )
    return text
