"""Every paper as data: the grids have the published sizes, the tables all their cells."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from leukoscope.datasets.catalogue import CATALOGUE
from leukoscope.errors import ProtocolError
from leukoscope.papers import PAPERS
from leukoscope.papers.cells import cells, experiment_of, scale_epochs
from leukoscope.papers.planner import make_plan
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.published import lines, published
from leukoscope.records.experiment import Experiment


@pytest.mark.parametrize("paper", PAPERS)
def test_every_cell_is_a_valid_experiment(paper: str) -> None:
    protocol = read_protocol(paper)
    for edition in protocol.editions:
        for budget in ("full", "smoke"):
            for cell in cells(protocol, edition, budget):  # type: ignore[arg-type]
                experiment = experiment_of(cell)
                assert experiment.edition == edition
                assert experiment.name == f"{paper}: {cell.id}"
                assert cell.data in protocol.data


@pytest.mark.parametrize("paper", PAPERS)
def test_names_are_those_of_the_catalogue(paper: str) -> None:
    for name, source in read_protocol(paper).data.items():
        assert name in CATALOGUE
        assert source.rendered in CATALOGUE
        assert not source.substitute or source.substitute in CATALOGUE


def test_varol_has_972_cells_and_324_published() -> None:
    protocol = read_protocol("varol2024")
    found = cells(protocol, "as-published")
    assert Counter(cell.arm for cell in found) == {
        "approach1": 216,
        "approach2": 648,
        "approach3": 108,
    }
    assert len({cell.id for cell in found}) == 972
    assert len(cells(protocol, "as-published", reading="networks")) == 54 * 6 == 324
    assert len(cells(protocol, "as-published", reading="per-data-set")) == 18 * 18 == 324


@pytest.mark.parametrize(
    ("paper", "count"),
    [("fata2023", 32), ("murtoza2023", 4), ("abed2022", 15), ("bhavsar2023", 20), ("cnmc2019", 3)],
)
def test_sizes_of_the_grids(paper: str, count: int) -> None:
    protocol = read_protocol(paper)
    assert len(cells(protocol, "leak-free")) == count


def test_abed_has_six_three_and_two() -> None:
    protocol = read_protocol("abed2022")
    arms = Counter(cell.arm for cell in cells(protocol, "as-published"))
    assert arms == {"main": 6, "epochs": 3, "pretrain": 2, "chained": 4}
    assert len(cells(protocol, "as-published", reading="published")) == 6
    chained = cells(protocol, "leak-free", only=["chained,dataset=cnmc,network=vgg19"])
    assert [cell.after for cell in chained] == ["pretrain/network=vgg19"]


def test_the_nine_networks_of_murtoza_are_there_by_name() -> None:
    protocol = read_protocol("murtoza2023")
    nine = "xception+vgg16+vgg19+resnet50+resnet101+inception_v3+mobilenet_v1+densenet121"
    assert len(cells(protocol, "leak-free", only=[f"backbone={nine}+efficientnet_b0"])) == 9


def test_the_other_readings_of_varol_can_be_chosen() -> None:
    """§2.2's 2532 images, and blocks of two convolutions (PAPERS §1.4)."""
    protocol = read_protocol("varol2024")
    as_counted = cells(protocol, "as-published", only=["dataset=1b"])
    assert len(as_counted) == 972 // 3
    assert {cell.settings["data.balance"] for cell in as_counted} == {1266}
    assert not [cell for cell in cells(protocol, "as-published") if cell.values["dataset"] == "1b"]
    blocks = experiment_of(as_counted[0], {"model.reading": "R3"})
    assert blocks.model.reading == "R3"


@pytest.mark.parametrize(
    ("paper", "arm", "count"),
    [
        ("murtoza2023", "cross-validation", 4),
        ("murtoza2023", "baselines", 4),
        ("abed2022", "cross-validation", 6),
        ("abed2022", "baselines", 6),
        ("bhavsar2023", "real-sets", 20),
        ("bhavsar2023", "cross-validation", 4),
        ("bhavsar2023", "baselines", 4),
        ("fata2023", "cross-validation", 4),
        ("fata2023", "baselines", 4),
        ("cnmc2019", "cross-validation", 3),
        ("cnmc2019", "baselines", 3),
        ("varol2024", "approach1-seeds", 648),
        ("varol2024", "approach3-seeds", 324),
        ("fata2023", "seeds", 96),
        ("murtoza2023", "seeds", 12),
        ("abed2022", "seeds", 18),
    ],
)
def test_extra_arms_are_there_by_name_and_only_so(paper: str, arm: str, count: int) -> None:
    protocol = read_protocol(paper)
    assert protocol.arm(arm).extra
    for edition in protocol.editions:
        assert arm not in {cell.arm for cell in cells(protocol, edition)}
        for budget in ("full", "smoke"):
            found = cells(protocol, edition, budget, only=[arm])  # type: ignore[arg-type]
            assert len(found) == count
            for cell in found:
                experiment = experiment_of(cell)
                if arm == "cross-validation":
                    # With whole groups leak-free, of single images as published.
                    assert experiment.split.kind == "kfold"
                    assert experiment.split.folds == int(cell.values["folds"])
                    assert experiment.edition == edition
    plan = make_plan(protocol, protocol.editions, "full", [arm])
    assert plan.cells == len(protocol.editions) * count


def test_five_real_sets_stand_for_five_draws() -> None:
    """PAPERS §5.4: ALL-IDB1, ALL-IDB2, C-NMC, Taleghani, SN-AM; SN-AM alone has no normal cells."""
    protocol = read_protocol("bhavsar2023")
    paper = {cell.id for cell in cells(protocol, "leak-free")}
    sets = cells(protocol, "leak-free", only=["real-sets"])
    assert {cell.stands_for for cell in sets} == paper
    assert list(dict.fromkeys(cell.data for cell in sets)) == [
        "allidb1",
        "allidb2",
        "cnmc",
        "taleghani",
        "snam",
    ]
    tasks = {cell.data: experiment_of(cell).data.task for cell in sets}
    assert [name for name, task in tasks.items() if task == "classes"] == ["snam"]
    assert protocol.own_data == {"snam"}, "the others are of this reading alone"


def test_an_axis_that_only_an_extra_arm_has_names_it() -> None:
    protocol = read_protocol("murtoza2023")
    ten = cells(protocol, "leak-free", only=["folds=5+10,backbone=vgg16"])
    assert [cell.id for cell in ten] == [
        "cross-validation/backbone=vgg16,folds=5",
        "cross-validation/backbone=vgg16,folds=10",
    ]
    scratch = cells(protocol, "leak-free", only=["baseline=simple-cnn"])
    assert [cell.settings["model.name"] for cell in scratch] == ["simple-cnn"]
    # An axis that it shares with the paper's own arm does not bring it in.
    assert {cell.arm for cell in cells(protocol, "leak-free", only=["backbone=vgg16"])} == {
        "transfer"
    }
    assert scale_epochs(protocol, 30) == 1


def test_only_chooses_and_suggests() -> None:
    protocol = read_protocol("varol2024")
    chosen = cells(protocol, "leak-free", only=["approach1,size=32,network=3+4,optimiser=adam"])
    assert len(chosen) == 3 * 2 * 3
    both = cells(protocol, "leak-free", only=["approach3,backbone=vgg16", "head=nb,network=1"])
    assert len(both) == 54 + 54
    one = "approach1/dataset=3,network=3,size=32,optimiser=adam,epochs=50"
    assert [cell.id for cell in cells(protocol, "leak-free", only=[one])] == [one]
    with pytest.raises(ProtocolError, match=r"no axis .* 'optimizer'. Did you mean 'optimiser'"):
        cells(protocol, "leak-free", only=["optimizer=adam"])
    with pytest.raises(ProtocolError, match=r"no value 'rmsprob'. Did you mean 'rmsprop'"):
        cells(protocol, "leak-free", only=["optimiser=rmsprob"])
    with pytest.raises(ProtocolError, match=r"no arm 'aproach1'. Did you mean 'approach1'"):
        cells(protocol, "leak-free", only=["aproach1"])
    with pytest.raises(ProtocolError, match="no cell of varol2024 is all of that"):
        cells(protocol, "leak-free", only=["approach3,network=1"])
    with pytest.raises(ProtocolError, match=r"no reading of the grid is called 'ful'. Did you"):
        cells(protocol, "leak-free", reading="ful")


def test_an_unknown_paper_or_edition_is_answered() -> None:
    with pytest.raises(ProtocolError, match=r"'varol' is no paper. Did you mean 'varol2024'"):
        read_protocol("varol")
    with pytest.raises(ProtocolError, match="cnmc2019 has no edition 'as-published'"):
        cells(read_protocol("cnmc2019"), "as-published")


def test_a_misspelt_key_of_a_protocol_is_suggested(tmp_path: Path) -> None:
    from importlib import resources

    text = (resources.files("leukoscope.papers") / "murtoza2023.toml").read_text("utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("[[readings]]", "[[reedings]]"), "utf-8")
    with pytest.raises(ProtocolError, match=r"unknown key 'reedings'. Did you mean 'readings'"):
        read_protocol(str(wrong))
    short = tmp_path / "short.toml"
    short.write_text(text.replace("cells = 4\nsettings", "cells = 5\nsettings"), "utf-8")
    with pytest.raises(ProtocolError, match="arm 'transfer' has 4 cells and says 5"):
        read_protocol(str(short))


@pytest.mark.parametrize("paper", PAPERS)
def test_choices_name_keys_that_exist(paper: str) -> None:
    for choice in read_protocol(paper).unpublished:
        place: object = Experiment().model_dump(by_alias=True)
        for part in choice.setting.split(".") if choice.setting else ():
            assert isinstance(place, dict)
            assert part in place, f"{choice.what}: {choice.setting}"
            place = place[part]


def test_smoke_keeps_every_count_of_epochs_apart() -> None:
    scaled = {
        "varol2024": {25: 1, 50: 2, 100: 4},
        "fata2023": {10: 1, 60: 6, 100: 10},
        "abed2022": {10: 1, 20: 2, 50: 5},
        "murtoza2023": {30: 1},
    }
    for paper, counts in scaled.items():
        protocol = read_protocol(paper)
        assert {epochs: scale_epochs(protocol, epochs) for epochs in counts} == counts


def test_smoke_freezes_only_large_backbones() -> None:
    bhavsar = {
        cell.values["network"]: cell.settings["model.trainable"]
        for cell in cells(read_protocol("bhavsar2023"), "leak-free", "smoke")
    }
    # VGG16 30.7, VGG19 39 and both 70 GFLOP an image; ResNet50 has 8.
    assert bhavsar == {"vgg16": "head", "vgg19": "head", "hybrid": "head", "resnet50": "all"}


def test_editions_differ_in_what_leaks_and_nothing_else() -> None:
    protocol = read_protocol("varol2024")
    for published_cell, clean in zip(
        cells(protocol, "as-published"), cells(protocol, "leak-free"), strict=True
    ):
        a, b = experiment_of(published_cell), experiment_of(clean)
        left = {"edition": "leak-free", "split": b.split, "expand": b.expand}
        chosen = a.training.model_copy(update={"epoch": "best-validation"})
        assert a.model_copy(update={**left, "training": chosen}) == b
        assert a.split.kind == "image"
        assert a.expand.before_split == (a.expand.per_class > 0)


@pytest.mark.parametrize("paper", PAPERS)
def test_published_cells_are_counted_and_hang_on_the_grid(paper: str) -> None:
    protocol = read_protocol(paper)
    found = published(protocol)
    assert len(found) == sum(table.cells for table in protocol.tables)
    results = [cell for cell in found if cell.kind == "result"]
    assert results
    assert all(cell.line and cell.metric for cell in results)
    assert all(cell.cell for cell in results)
    assert len({(line.table, line.line) for line in lines(protocol)}) == len(lines(protocol))


def test_varol_lines_are_the_54_of_its_tables() -> None:
    protocol = read_protocol("varol2024")
    tables = [line for line in lines(protocol) if line.table != "Table 7" and not line.literature]
    assert len(tables) == 54
    best = next(line for line in tables if line.figures["accuracy"].startswith("0.870"))
    assert best.cell == "approach1/dataset=3,network=3,size=32,optimiser=adam,epochs=50"


@pytest.mark.real
def test_all_transcribed_cells_are_there(real_data: Path) -> None:
    transcribed = json.loads((real_data.parent / "papers" / "tables.json").read_text("utf-8"))
    assert len(transcribed) == 930
    for paper in sorted({cell["paper"] for cell in transcribed}):
        ours = published(read_protocol(paper))
        theirs = [cell for cell in transcribed if cell["paper"] == paper]
        assert [(c.table, c.row, c.column, c.value) for c in ours] == [
            (c["table"], c["row"], c["column"], c["value"]) for c in theirs
        ]
        for mine, other in zip(ours, theirs, strict=True):
            if other["number"] is not None:
                assert mine.number == other["number"]


@pytest.mark.parametrize(
    ("paper", "condition"),
    [
        ("varol2024", "approach1-seeds,network=3,size=32,optimiser=adam,epochs=50,dataset=3"),
        ("fata2023", "backbone=vgg16,optimiser=adam,epochs=100,seed=1+2+3"),
        ("murtoza2023", "backbone=vgg16,seed=1+2+3"),
        ("abed2022", "dataset=cnmc,network=simple-cnn,seed=1+2+3"),
    ],
)
def test_seeds_repeat_a_cell_in_all_but_the_seed(paper: str, condition: str) -> None:
    protocol = read_protocol(paper)
    repeats = cells(protocol, "as-published", only=[condition])
    assert [cell.settings["seed"] for cell in repeats] == [1, 2, 3]
    own = {name: value for name, value in repeats[0].values.items() if name != "seed"}
    arm = repeats[0].arm.removesuffix("-seeds")
    first = protocol.arms[0].name if arm == "seeds" else arm
    paper_s = next(
        cell for cell in cells(protocol, "as-published") if (cell.arm, cell.values) == (first, own)
    )
    for cell in repeats:
        same = {**cell.settings, "name": "", "seed": 0}
        assert same == {**paper_s.settings, "name": "", "seed": 0}
    # What the page's section on spread takes for repeats.
    assert all(set(value.settings) == {"seed"} for value in protocol.axis("seed").values)


def test_folds_of_the_challenge_stay_folds_without_its_test_part() -> None:
    protocol = read_protocol("cnmc2019")
    instead = {"cnmc": protocol.data["cnmc"].without_test}
    plan = make_plan(protocol, ["leak-free"], "full", ["folds=5", "inductive"], instead=instead)
    folds = {one.cells[0].arm: one.experiment.split.folds for one in plan.trainings}
    assert folds == {"inductive": 3, "cross-validation": 5}


def test_the_simple_cnn_of_abed_sees_what_the_thesis_says() -> None:
    """§4.3: 0 to 255, the mean image subtracted, no further standardisation."""
    protocol = read_protocol("abed2022")
    for edition in protocol.editions:
        for cell in cells(protocol, edition, only=["main,network=simple-cnn"]):
            preprocess = experiment_of(cell).preprocess
            assert (preprocess.scale, preprocess.subtract_mean_image) == ("none", True)
    said = {choice.what for choice in protocol.unpublished}
    assert {"Range of the input", "Learning rate of the first stage on PCam"} <= said
