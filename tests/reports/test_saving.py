"""Figures as files: each one twice, whole, and the one of the two editions."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

from leukoscope.reports import save_figures

from .conftest import Made


def test_every_figure_is_saved_as_svg_and_png(two_editions: Made, tmp_path: Path) -> None:
    files = save_figures(two_editions.runs, tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in files}
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == names
    svg = {name.removesuffix(".svg") for name in names if name.endswith(".svg")}
    assert svg == {name.removesuffix(".png") for name in names if name.endswith(".png")}
    assert {name.split("/")[1] for name in svg} >= {"roc", "confusion", "reliability", "editions"}
    for name in svg:
        root = ElementTree.fromstring((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        with Image.open(io.BytesIO((tmp_path / f"{name}.png").read_bytes())) as picture:
            picture.load()
            # Two pixels for each of CSS; the drawing's own size is in points of 4/3 of one.
            _, _, width, height = (float(x) for x in root.attrib["viewBox"].split())
            assert abs(picture.width / picture.height - width / height) < 0.02
