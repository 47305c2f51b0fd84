"""Keys of ``--set``: those behind the names of cells are refused, one is of no experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ProtocolError, suggestion
from ..models.fuzzy import SYSTEMS
from .cells import Cell
from .protocol import Axis, Protocol

__all__ = ["refuse_wrong_names", "with_fuzzy_system"]


FUZZY_SYSTEM = "fuzzy.system"
"""The one key that ``--set`` takes and an experiment does not have."""


def with_fuzzy_system(
    protocol: Protocol, changes: Mapping[str, Any]
) -> tuple[Protocol, dict[str, Any]]:
    """The protocol with the fuzzy system that is asked for, and the keys of experiments.

    Raises
    ------
    ProtocolError
        For a paper without a fuzzy decision, or a system that there is not.
    """
    settings = dict(changes)
    system = settings.pop(FUZZY_SYSTEM, None)
    if system is None:
        return protocol, settings
    if protocol.fuzzy is None:
        raise ProtocolError(f"--set {FUZZY_SYSTEM}: {protocol.id} has no fuzzy decision.")
    if system not in SYSTEMS:
        raise ProtocolError(
            f"--set {FUZZY_SYSTEM}={system}: no such packaged system. "
            f"{suggestion(str(system), SYSTEMS)}"
        )
    stage = protocol.fuzzy.model_copy(update={"system": system})
    return protocol.model_copy(update={"fuzzy": stage}), settings


def refuse_wrong_names(
    protocol: Protocol, cells: Iterable[Cell], changes: Mapping[str, Any]
) -> None:
    """Refuse to set a key by which an axis tells its values apart.

    ``optimiser=sgd`` would be a name of Adam, and several cells one training under several names.

    Raises
    ------
    ProtocolError
        Says which values ``--only`` can choose instead.
    """
    for key, value in changes.items():
        for cell in cells:
            for name in cell.values:
                axis = protocol.axis(name)
                telling = telling_values(protocol, cell.arm, axis, key)
                if telling and telling.get(cell.values[name], value) != value:
                    _refuse(protocol, axis, key, value, telling)


def telling_values(protocol: Protocol, arm: str, axis: Axis, key: str) -> dict[str, Any]:
    """Value of the axis → what it sets a key to, where no two values set it to the same.

    A key that only goes with some values (the size of an image that a network wants) tells none
    apart.
    """
    (settings,) = [one.settings for one in protocol.arms if one.name == arm]
    template = settings.get(key)
    if isinstance(template, str) and f"{{{axis.name}}}" in template:
        return {one.name: template.replace(f"{{{axis.name}}}", one.name) for one in axis.values}
    own = [one for one in axis.values if key in one.settings]
    proper = [repr(one.settings[key]) for one in own if not one.extra]
    if len(proper) < 2 or len(set(proper)) < len(proper):
        return {}
    return {one.name: one.settings[key] for one in own}


def _refuse(
    protocol: Protocol, axis: Axis, key: str, value: Any, telling: Mapping[str, Any]
) -> None:
    same = [name for name, known in telling.items() if known == value]
    advice = (
        f"Use --only {axis.name}={same[0]}."
        if same
        else f"None of its values is that: {', '.join(telling)} can be chosen with --only "
        f"{axis.name}=…; train another one by itself with: leukoscope train --set."
    )
    raise ProtocolError(
        f"--set {key}={value}: the axis '{axis.name}' of {protocol.id} sets that, and cells would "
        f"keep the names of other values. {advice}"
    )
