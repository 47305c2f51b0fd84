"""Jinja with everything from data escaped, and a template that names nothing unknown."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata, resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ..progress import duration
from .numbers import counted, decimal, interval, listed, number, operations, share, signed

__all__ = ["RESEARCH_ONLY", "render"]

RESEARCH_ONLY = "Research use only; not for diagnosis."


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("leukoscope.reports"),
        autoescape=select_autoescape(("html",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "decimal": decimal,
        "signed": signed,
        "listed": listed,
        "operations": operations,
        "duration": duration,
    }
    environment.globals |= {"counted": counted, "interval": interval, "share": share}
    return environment


def render(template: str, **values: Any) -> str:
    """Fill ``templates/<template>``; every value that is not our own SVG is escaped."""
    return (
        _environment()
        .get_template(template)
        .render(
            css=Markup(_css()),
            version=metadata.version("leukoscope"),
            research_only=RESEARCH_ONLY,
            **values,
        )
    )


def _css() -> str:
    folder = resources.files("leukoscope.reports") / "templates"
    return "\n".join(
        (folder / name).read_text(encoding="utf-8") for name in ("style.css", "print.css")
    )
