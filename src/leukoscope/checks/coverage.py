"""What was checked, and what could not be and why: a clean check says only what it could see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..counting import counted
from ..records.findings import Checked, Finding
from ..records.fold_facts import read_fold_facts, read_pretraining_facts
from ..records.run import Run
from .context import Context
from .probing import FEWEST_GROUPS, FEWEST_IMAGES, probed_rows
from .quality import FEWEST, peers

__all__ = ["NOT_GIVEN", "NO_IMAGE", "coverage", "record_gaps", "why_not"]

NO_IMAGE = "no image is at hand"
NOT_GIVEN = ("no split was given (--split or --run)", "no run was given (--run)")
"""What was not asked for is no gap."""
Need = Callable[[Context], str]
"""Why what a check needs is not there; empty where it is."""


def _split(context: Context) -> str:
    return "" if context.split else NOT_GIVEN[0]


def _official_or_split(context: Context) -> str:
    official = (context.manifest.column("official_split") != "").any()
    return "" if official else _split(context)


def _hashes(context: Context) -> str:
    manifest = context.manifest
    known = (manifest.column("sha256") != "") | (manifest.column("pixels_sha256") != "")
    return "" if known.any() else "no row carries a hash"


def _compared(context: Context) -> str:
    return context.not_compared


def _labels(context: Context) -> str:
    return "" if (context.manifest.column("label") != "").any() else "no row has a label"


def _subjects(context: Context) -> str:
    known = (context.manifest.column("subject") != "").any()
    return "" if known else "no subjects are published"


def _images(context: Context) -> str:
    if not context.pixels:
        return "pixels are not looked at before a training"
    manifest = context.manifest
    here = any((manifest.folder / image).is_file() for image in manifest.column("image"))
    return "" if here else NO_IMAGE


def _probed(context: Context) -> str:
    enough = len(probed_rows(context)) > 0
    lack = f"fewer than two classes have {FEWEST_IMAGES} images in {FEWEST_GROUPS} groups"
    return "" if enough else lack


def _usual(context: Context) -> str:
    return "" if peers(context) else f"of fewer than {FEWEST} images none is usual"


def record_gaps(run: Run) -> dict[str, str]:
    """Check of a run's records → why they do not tell; empty where they do."""
    folds = read_fold_facts(run)
    silent = {
        "fitted-on-test": sum(fold.fitted_rows == "unknown" for fold in folds),
        "chosen-on-test": sum(
            fold.history is None and (fold.epoch > 0 or not fold.recorded) for fold in folds
        ),
        "transductive": sum(fold.prediction == "unknown" for fold in folds),
    }
    lack = {
        "fitted-on-test": "to say which rows the preprocessing was fitted on",
        "chosen-on-test": "to hold the history of the epochs",
        "transductive": "to declare whether each image was answered by itself",
    }
    gaps = {
        name: f"{counted(number, 'fold')} of the run fail{'s' * (number == 1)} {lack[name]}"
        * bool(number)
        for name, number in silent.items()
    }
    facts = read_pretraining_facts(run)
    named = facts is None or facts.get("datasets")
    gaps["tested-pretraining"] = (
        "" if named else "nobody says what the run's weights had been trained on"
    )
    return gaps


def _record(name: str) -> Need:
    def gap(context: Context) -> str:
        return record_gaps(context.run)[name] if context.run else NOT_GIVEN[1]

    return gap


NEEDS: dict[str, tuple[Need, ...]] = {
    "identical-images": (_hashes,),
    "identical-labels": (_hashes, _labels),
    "identical-subjects": (_hashes, _subjects),
    "identical-parts": (_hashes, _official_or_split),
    "near-identical-images": (_compared,),
    "near-identical-labels": (_compared, _labels),
    "near-identical-parts": (_compared, _official_or_split),
    "foreign-split": (_split,),
    "test-part": (_split,),
    "cut-groups": (_split,),
    "copies-before-split": (_compared,),
    "fitted-on-test": (_record("fitted-on-test"),),
    "chosen-on-test": (_record("chosen-on-test"),),
    "tested-pretraining": (_record("tested-pretraining"),),
    "transductive": (_record("transductive"),),
    "class-imbalance": (_labels,),
    "one-class-sources": (_labels,),
    "shortcuts": (_labels, _images, _probed),
    "doubtful-labels": (_labels, _images, _probed),
    "blurred-images": (_images, _usual),
    "badly-exposed-images": (_images, _usual),
    "vignetted-images": (_images, _usual),
    "odd-magnification": (_images, _usual),
    "upscaled-images": (_images, _usual),
    "unusual-images": (_images, _usual),
}
"""Check → what it needs beyond rows."""
LOOKING = ("burnt-in-marks", "blank-images", "small-images")
"""Checks that look at every image and need no other beside it."""


def why_not(name: str, context: Context) -> str:
    """Why a check could not say anything; empty where it could."""
    needs = NEEDS.get(name, (_images,) if name in LOOKING else ())
    missing = next((reason for need in needs if (reason := need(context))), "")
    return missing or context.unable.get(name, "")


def coverage(
    names: Sequence[str], findings: Sequence[Finding], context: Context
) -> tuple[Checked, ...]:
    """For each check that ran whether it found something, is clean, or could not look and why."""
    found = {finding.check for finding in findings}
    return tuple(_checked(name, name in found, context) for name in names)


def _checked(name: str, found: bool, context: Context) -> Checked:
    if found:
        return Checked(check=name, state="found")
    reason = why_not(name, context)
    return Checked(check=name, state="not checked" if reason else "clean", reason=reason)
