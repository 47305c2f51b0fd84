"""Which result figures the papers have, held to a list made from reading their texts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from leukoscope.errors import ProtocolError
from leukoscope.papers import PAPERS
from leukoscope.papers.cells import cells
from leukoscope.papers.protocol import Figure, Protocol, read_protocol

PRINTED = {
    "varol2024": ["Figure 8a", "Figure 8b", "Figure 8c"],
    "fata2023": ["Figure 7", "Figure 8", "Figure 9"],
    "murtoza2023": [
        f"§4.2, {network}, {what}"
        for network in ("InceptionV3", "VGG16", "VGG19")
        for what in ("accuracy", "loss", "confusion matrix")
    ],
    "abed2022": [f"Figure 5.{number}" for number in range(1, 22)],
    "bhavsar2023": [f"Figure {number}" for number in (13, 15, 17, 18, 19, 20, 22, 23)],
    "cnmc2019": [],
}
"""Captions of the papers' texts; murtoza2023's pictures have headings and no numbers."""
CLAIMED = {
    "varol2024": [],
    "fata2023": [],
    "murtoza2023": ["§4.4, graph of ResNet50", "§4.2, AUC-ROC"],
    "abed2022": ["§5.4.5, ROC curve", "§5.4.6, ROC curve", "§5.2, classification reports"],
    "bhavsar2023": ["§IV and Figure 21, confusion matrix", "§IV, ROC", "§IV, box plot"],
    "cnmc2019": [],
}
"""Announced in the text, and not shown."""


def figures(paper: str, *, claimed: bool) -> list[str]:
    return [
        number
        for figure in read_protocol(paper).figures
        if figure.claimed == claimed
        for number in figure.numbers
    ]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_result_figure_is_there_in_the_papers_order(paper: str) -> None:
    assert figures(paper, claimed=False) == PRINTED[paper]
    assert figures(paper, claimed=True) == CLAIMED[paper]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_condition_meets_cells_of_the_grid(paper: str) -> None:
    protocol = read_protocol(paper)
    for figure in protocol.figures:
        for condition in figure.cells:
            met = cells(protocol, protocol.editions[0], only=[condition])
            assert met, (figure.numbers, condition)
            if figure.names:
                assert len(met) == 1, (figure.numbers, condition)
            for axis in (*figure.by, *([figure.over] if figure.over else ())):
                assert all(axis in cell.values for cell in met), (figure.numbers, axis)


def test_figures_told_in_the_text_are_of_cells_and_in_no_table() -> None:
    """fata2023 §3.2: 84 % at ten epochs with both optimisers, 86 and 85 % at twenty."""
    from leukoscope.papers.published import published

    protocol = read_protocol("fata2023")
    told = protocol.figures[-1].told
    assert sorted(told.values()) == [0.84, 0.84, 0.85, 0.86]
    known = {cell.id for cell in cells(protocol, "leak-free")}
    printed = {cell.cell for cell in published(protocol) if cell.metric == "accuracy"}
    assert set(told) <= known - printed


def test_varols_curves_are_those_of_the_best_of_each_approach() -> None:
    """§3: "each approach that produces the best values for the 3 datasets"."""
    from leukoscope.papers.published import published

    protocol = read_protocol("varol2024")
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for cell in published(protocol):
        if cell.metric == "accuracy" and cell.cell and cell.table != "Table 7":
            arm, _, values = cell.cell.partition("/")
            key = values.split(",")[0], arm
            assert cell.number is not None
            best[key] = max(best.get(key, (0.0, "")), (cell.number, cell.cell))
    for number, figure in enumerate(protocol.figures, start=1):
        expected = [best[f"dataset={number}", f"approach{arm}"][1] for arm in (1, 2, 3)]
        assert list(figure.cells) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ("a", "b")}, "2 names for 1 conditions"),
        ({"by": ("nets",)}, "no axis of the grid is called 'nets'"),
        ({"over": "dataset"}, "belongs to a box plot"),
        ({"literature": "Table 9"}, "no table is called 'Table 9'"),
    ],
)
def test_a_figure_that_does_not_fit_its_paper_is_refused(
    changes: dict[str, object], message: str
) -> None:
    protocol = read_protocol("bhavsar2023")
    figure = Figure(numbers=("Figure 1",), title="t", kind="bars", cells=("main",))
    wrong = figure.model_copy(update=changes)
    with pytest.raises((ValidationError, ProtocolError), match=message):
        Protocol.model_validate(
            protocol.model_copy(update={"figures": (wrong,)}).model_dump(by_alias=True)
        )
