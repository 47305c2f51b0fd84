"""The plan is one for the data at hand, and the data is looked at before it is opened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.cli import main
from leukoscope.datasets.reading import read_folder, read_rows
from leukoscope.datasets.rendered import LAYOUTS
from leukoscope.datasets.rendered.plan import Plan
from leukoscope.errors import ManifestError, ProtocolError
from leukoscope.papers.costs import MACHINES
from leukoscope.papers.plan_table import plan_table
from leukoscope.papers.protocol import read_protocol
from leukoscope.papers.reproduce import plan_for
from leukoscope.papers.request import Request
from leukoscope.papers.sources import NO_TEST, gather, open_source, survey
from leukoscope.progress import Progress

QUIET = Progress(quiet=True)
COUNTS = {"all": 9, "hem": 6}


@pytest.fixture
def cnmc(tmp_path: Path) -> Path:
    """A little of C-NMC in its layout; one file is no image."""
    rng = np.random.default_rng(0)
    for label, count in COUNTS.items():
        for number in range(count):
            folder = tmp_path / "cnmc" / f"fold_{number % 3}" / label
            folder.mkdir(parents=True, exist_ok=True)
            subject = f"{number % 3 + 1}" if label == "all" else f"H{number % 3 + 1}"
            pixels = rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            path = folder / f"UID_{subject}_{number}_1_{label}.bmp"
            Image.fromarray(pixels).save(path)
    path.write_bytes(b"no image")
    return tmp_path / "cnmc"


def test_rows_are_told_by_names_without_opening_an_image(cnmc: Path, tmp_path: Path) -> None:
    rows, read = read_rows(cnmc), read_folder(cnmc)
    assert len(rows) == 15
    assert len(read.manifest) == 14  # one cannot be read, which only opening tells
    both = rows.table[rows.table["image"].isin(read.manifest.column("image"))]
    for column in ("image", "label", "subject", "official_split"):
        assert list(both[column]) == list(read.manifest.column(column))
    assert not rows.column("sha256").any()
    with pytest.raises(ManifestError, match="no images are in this folder"):
        read_rows(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("option", ["data", "substitutes"])
def test_a_survey_counts_what_is_here(cnmc: Path, option: str) -> None:
    protocol = read_protocol("varol2024")
    (found,) = survey(protocol, Request("varol2024", **{option: {"cnmc": cnmc}})).values()
    assert found.size.images == {"blast": 9, "normal": 6}
    assert found.size.own == (option == "data")
    assert (found.subjects, found.note) == (6, "")
    kind = "substitute: " if option == "substitutes" else ""
    words = found.words(protocol.data["cnmc"])
    assert words.startswith(f"{kind}C-NMC 2019")
    assert words.endswith("15 images of 6 subjects (9 blast, 6 normal); the paper has 10,661")
    used = open_source("cnmc", found.kind, cnmc, cnmc / "kept", QUIET)
    assert used.survey(protocol.data["cnmc"]).size.images == {"blast": 9, "normal": 5}


def test_the_test_part_that_is_not_here_is_known_before_too(cnmc: Path) -> None:
    protocol = read_protocol("cnmc2019")
    (found,) = survey(protocol, Request("cnmc2019", data={"cnmc": cnmc})).values()
    assert found.note == NO_TEST
    plan = plan_for(Request("cnmc2019", data={"cnmc": cnmc}, only=("network=cnn-3",)))
    assert plan.trainings[0].experiment.split.kind == "kfold"
    drawn = plan_for(Request("cnmc2019", rendered=True, only=("network=cnn-3",)))
    assert drawn.trainings[0].experiment.split.kind == "kfold"


def test_a_plan_is_for_the_data_at_hand(cnmc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = {"cnmc": cnmc}
    for paper in ("varol2024", "fata2023"):
        published, here = plan_for(Request(paper)), plan_for(Request(paper, substitutes=place))
        assert "not named; planned at the paper's 10,661 images" in plan_table(published)
        assert "15 images of 6 subjects (9 blast, 6 normal)" in plan_table(here)
        # So few images leave nothing out and take minutes.
        assert not here.left_out
        assert published.left_out
        assert here.seconds(MACHINES[0]) < 0.5 * published.seconds(MACHINES[0])
    drawn = {
        (e.data.balance, e.expand.per_class)
        for e in (one.experiment for one in plan_for(Request("varol2024", data=place)).trainings)
    }
    # 6 of 3,389 normal cells; no draw is smaller than four.
    assert drawn == {(4, 0), (4, 0), (0, 7)}
    assert main(["reproduce", "fata2023", "--plan", "--substitute", f"cnmc={cnmc}"]) == 0
    out = capsys.readouterr().out
    assert "cnmc: substitute: C-NMC 2019" in out
    # fata2023 draws nothing, so nothing is said of draws.
    assert "draws in proportion" not in out
    # Data that no chosen cell needs is not spoken of.
    (said,) = plan_for(
        Request("abed2022", rendered=True, only=("main,dataset=cnmc",))
    ).data.values()
    assert said.startswith("rendered-cnmc, 2,000 images of 40 subjects")
    with pytest.raises(ProtocolError, match="--substitute cnm: fata2023 has no such data set"):
        plan_for(Request("fata2023", substitutes={"cnm": cnmc}))


def test_own_labels_are_counted_where_the_paper_has_as_many(tmp_path: Path) -> None:
    names = ("Benign", "Early", "Pre", "Pro")
    rows = [f"{name}/{number}.png,{name.lower()}" for name in names for number in range(3)]
    (tmp_path / "m.csv").write_text("image,label\n" + "\n".join(rows) + "\n")
    request = Request("murtoza2023", substitutes={"taleghani": tmp_path / "m.csv"})
    (found,) = survey(read_protocol("murtoza2023"), request).values()
    assert found.size.images == {name.lower(): 3 for name in names}
    assert found.subjects == 0


@pytest.mark.real
def test_real_folders_are_surveyed_as_they_are(real_data: Path) -> None:
    """Counts of the data's own README: 84 and 91 of ALL-IDB2, 1,012 of Taleghani."""
    place = {"cnmc": real_data / "allidb2"}
    (found,) = survey(read_protocol("fata2023"), Request("fata2023", substitutes=place)).values()
    assert found.size.images == {"blast": 84, "normal": 91}
    place = {"taleghani": real_data / "taleghani" / "Original"}
    (found,) = survey(read_protocol("murtoza2023"), Request("murtoza2023", data=place)).values()
    assert (len(found.size.images), sum(found.size.images.values())) == (4, 1012)


def test_minutes_are_the_budget_and_stand_in_plan_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hour, quarter = (plan_for(Request("fata2023", minutes=minutes)) for minutes in (60, 1))
    assert len(quarter.left_out) > len(hour.left_out)
    for edition in ("as-published", "leak-free"):
        own = [one for one in quarter.trainings if one.edition == edition]
        met = {(a, v) for one in own for cell in one.cells for a, v in cell.values.items()}
        assert len(met) == 2 + 2 + 8
        assert quarter.too_long[edition] == pytest.approx(
            sum(one.cost.seconds(MACHINES[0]) for one in own)
        )
    assert "beyond the 1 minute of the smoke budget" in plan_table(quarter)
    assert "more than the 1 minute of the smoke budget" in plan_table(quarter)
    out = tmp_path / "out"
    call = ["reproduce", "fata2023", "-o", str(out), "--quiet", "--jobs", "1"]
    assert main([*call, "--minutes", "7"]) == 1  # no data is named, so nothing is run
    assert json.loads((out / "plan.json").read_text())["minutes"] == 7
    assert (
        "an edition takes an estimated 7 minutes on two" in (out / "reproduction.html").read_text()
    )
    (out / "runs").mkdir()
    capsys.readouterr()
    assert main(call) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "was chosen for 7 minutes (--minutes 7), and --minutes 60 is asked for now" in said
    assert main([*call, "--minutes", "7"]) == 1
    assert main([*call, "--minutes", "7", "--budget", "full"]) == 2
    assert "--minutes 7 is of the smoke budget" in " ".join(capsys.readouterr().err.split())


def test_a_set_of_fields_is_drawn_with_as_many_cells_not_images() -> None:
    protocol = read_protocol("bhavsar2023")
    drawn = survey(protocol, Request("bhavsar2023", rendered=True))["snam"].size.images
    assert sum(drawn.values()) == 200
    asked = survey(protocol, Request("bhavsar2023", rendered=True, images=64))["snam"].size.images
    assert sum(asked.values()) == 64
    fields = list(
        LAYOUTS["rendered-snam"].draw(Plan("rendered-snam", 0, subjects=4, images=24, size=320))
    )
    blasts = [sum(cell.kind in ("blast", "plasma cell") for cell in f.truth) for f in fields]
    assert np.mean(blasts) >= LAYOUTS["rendered-snam"].cells


def _cells(folder: Path, counts: dict[str, int]) -> Path:
    rng = np.random.default_rng(0)
    for label, count in counts.items():
        for number in range(count):
            path = folder / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(path)
    return folder


def test_another_known_set_is_a_substitute_and_no_data_of_the_paper(
    cnmc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["reproduce", "murtoza2023", "-o", str(tmp_path / "out"), "--quiet"]
    for plan in (["--plan"], []):
        assert main([*call, *plan, "--data", f"taleghani={cnmc}"]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "these images are of C-NMC 2019" in said
        assert "taleghani is Taleghani" in said
        assert "Use --substitute taleghani=" in said
        assert not (tmp_path / "out").exists()
    assert main([*call, "--plan", "--substitute", f"taleghani={cnmc}"]) == 0
    assert "2 classes, where the paper has 4" in capsys.readouterr().out
    assert main(["reproduce", "fata2023", "--plan", "--data", f"cnmc={cnmc}"]) == 0
    out = capsys.readouterr().out
    assert "not recognised" not in out
    assert "classes, where" not in out


def test_own_data_is_called_so_and_its_classes_are_counted(tmp_path: Path) -> None:
    four = _cells(tmp_path / "mine", {"benign": 4, "early": 4, "pre": 4, "pro": 4})
    request = Request("murtoza2023", data={"taleghani": four}, weights="none")
    (words,) = plan_for(request).data.values()
    assert words.startswith("own data, not recognised as taleghani: mine, 16 images (4 benign")
    assert "classes, where" not in words
    one = tmp_path / "one.csv"
    one.write_text("image,label\n" + "".join(f"mine/pre/{n}.png,blast\n" for n in range(4)))
    (words,) = plan_for(
        Request("murtoza2023", data={"taleghani": one}, weights="none")
    ).data.values()
    assert "one class only (blast), so there is nothing to tell apart" in words
    sources = gather(read_protocol("murtoza2023"), request, {}, tmp_path / "out", QUIET)
    assert sources["taleghani"].words == "own data, not recognised as taleghani: mine, 16 images"
    two = _cells(tmp_path / "two", {"blast": 4, "normal": 4})
    pair = Request("murtoza2023", data={"taleghani": two})
    sources = gather(read_protocol("murtoza2023"), pair, {}, tmp_path / "out2", QUIET)
    assert sources["taleghani"].words.endswith("8 images; 2 classes, where the paper has 4")
