"""What is known to stand in the way of a training before it is begun: no data, no weights."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import (
    DownloadError,
    ExperimentError,
    ManifestError,
    MissingExtraError,
    SplitError,
)
from ..models import MODELS
from ..models.classical.names import MEASURED
from ..models.pretrained import timm_name
from ..records.experiment import Experiment, weights_kind
from .costs import parts_of
from .planner import Training

__all__ = ["CANNOT", "WeightsAtHand", "no_data", "obstacle_of", "without_folders"]

CANNOT = (ExperimentError, SplitError, ManifestError, MissingExtraError, DownloadError)
"""What makes one training impossible and says nothing about the others."""


def no_data(name: str) -> str:
    """What is said of a data set that is not here."""
    return (
        f"data set {name} is not here. Name it with --data {name}=FOLDER "
        f"(how to get it: leukoscope data list), or let it be drawn with --rendered."
    )


@dataclass
class WeightsAtHand:
    """Looks for published weights, each once, without downloading any."""

    network: bool = True
    """Whether what is not here is believed to be downloaded."""
    _lacking: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _wanted: dict[str, str] = field(default_factory=dict, init=False)

    def lacking(self, experiment: Experiment) -> str:
        """Why the weights that an experiment begins with cannot be had; empty where they can.

        Raises
        ------
        ExperimentError
            For a network that there is not; near names are told.
        """
        from ..models.hybrid import branch_weights

        names = parts_of(experiment.model.name)[0]
        weights = [experiment.model.weights] * len(names)
        if len(names) == 2:
            weights = list(branch_weights(experiment.model.weights))
        for key in zip(names, weights, strict=True):
            if key[0] in MEASURED:
                continue
            if key not in self._lacking:
                self._lacking[key] = self._look(*key)
            if self._lacking[key]:
                return self._lacking[key]
        return ""

    @property
    def to_download(self) -> dict[str, str]:
        """Backbone → where its weights are downloaded from, of those that were looked for."""
        return dict(self._wanted)

    def _look(self, name: str, weights: str) -> str:
        if name not in MODELS:
            timm_name(name)  # a misspelt one (--set) stops the plan, not each of its trainings
        match weights_kind(weights):
            case "none" | "run":
                return ""
            case "hub":
                return self._look_in_caches(name, weights.partition(":")[2])
            case _:
                return _look_in_files(name, weights)

    def _look_in_caches(self, name: str, tag: str) -> str:
        from ..models.hub import hub_file, offline, unreachable_words

        try:
            file = hub_file(name, tag)
        except CANNOT as reason:
            return str(reason)
        if file.here():
            return ""
        self._wanted[name] = file.address
        return "" if self.network and not offline() else unreachable_words(file)


def _look_in_files(name: str, weights: str) -> str:
    from ..models.weight_files import find_weights

    try:
        find_weights(name, weights)
    except CANNOT as reason:
        return without_folders(str(reason), [Path(weights)])
    return ""


def obstacle_of(training: Training, here: Collection[str], weights: WeightsAtHand) -> str:
    """Why a training cannot be run, as far as it is known before; empty where it can.

    Parameters
    ----------
    here
        Data sets of the paper that are here.
    """
    if training.data not in here:
        return no_data(training.data)
    # A second stage begins with the run of its first one.
    return "" if training.after else weights.lacking(training.experiment)


def without_folders(text: str, places: Iterable[Path]) -> str:
    """A reason as it is kept: files by their names, and no folders of this machine."""
    shown = {str(form): place.name for place in places for form in (place, place.expanduser())}
    for form in sorted(shown, key=len, reverse=True):
        if len(form) > 1:
            text = text.replace(form, shown[form])
    return text
