"""``leukoscope doctor``: what works on this machine, and what an extra would add."""

from __future__ import annotations

from .options import Json, emit

__all__ = ["doctor"]


def doctor(as_json: Json = False) -> int:
    """Say what works here: versions, extras, devices, cache, space. Exit code 1 on a fault.

    Example: leukoscope doctor
    """
    from ..doctor import describe, examine

    facts = examine()
    emit([fact.model_dump() for fact in facts], describe(facts), as_json)
    return 1 if any(fact.state == "broken" for fact in facts) else 0
