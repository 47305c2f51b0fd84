"""From a folder to a report by the command line alone, on a handful of rendered cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leukoscope.cli import main

Run = Any


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered cells of eight subjects, as the command draws them."""
    place = tmp_path_factory.mktemp("job")
    call = ["data", "render", "rendered-cnmc", "--images", "48", "--subjects", "8"]
    assert main([*call, "--size", "48", "-o", str(place / "cells"), "--quiet"]) == 0
    return place


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Path:
    path = folder / "cells.csv"
    assert main(["data", "read", str(folder / "cells"), "-o", str(path), "--quiet"]) == 0
    return path


@pytest.fixture(scope="module")
def runs(folder: Path, manifest: Path) -> dict[str, Path]:
    """Both editions, one epoch each."""
    found = {}
    for edition in ("leak-free", "as-published"):
        out = folder / edition
        call = ["train", "--model", "cnn-4", "--data", str(manifest), "-o", str(out), "--quiet"]
        for setting in (
            f"edition={edition}",
            "split.folds=2",
            "training.epochs=1",
            "preprocess.size=32",
        ):
            call += ["--set", setting]
        assert main(call) == 0
        found[edition] = out
    return found


def said(capsys: pytest.CaptureFixture[str], call: list[str], code: int = 0) -> str:
    capsys.readouterr()
    assert main(call) == code
    return capsys.readouterr().out


def test_read_tells_what_it_saw(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "again.csv"
    text = said(
        capsys, ["data", "read", str(folder / "cells"), "-o", str(out), "--quiet", "--json"]
    )
    told = json.loads(text)
    assert told["rows"] == 48
    assert told["classes"] == {"blast": 24, "normal": 24}
    assert told["groups"] == 8
    assert told["failures"] == []
    assert out.exists()
    assert "rendered" in out.with_suffix(".toml").read_text()


def test_read_counts_what_it_leaves_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree"
    for number, image in enumerate(sorted((folder / "cells").rglob("*.bmp"))[:8]):
        place = tree / ("sick" if number % 2 else "well")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"cell-{number}.bmp").write_bytes(image.read_bytes())
    (tree / "sick" / "broken.bmp").write_bytes(b"BM")
    call = ["data", "read", str(tree), "-o", str(tmp_path / "t.csv"), "--positive", "sick"]
    text = said(capsys, [*call, "--quiet"])
    assert "left out: sick/broken.bmp" in text
    assert "\n1 unreadable image or folder left out\n" in text
    assert "positive class is known" not in text
    assert "8 rows: 4 sick, 4 well" in text
    assert 'positive = "sick"' in (tmp_path / "t.toml").read_text()


def test_read_says_what_decoding_changed_and_that_no_class_is_positive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, mode in enumerate(("CMYK", "CMYK", "RGB", "RGBA", "P")):
        place = tmp_path / "tree" / ("early" if number % 2 else "late")
        place.mkdir(parents=True, exist_ok=True)
        image = Image.effect_noise((20 + number, 20), 60).convert("RGB").convert(mode)
        image.save(place / f"{number}.{'tif' if mode == 'CMYK' else 'png'}")
    call = ["data", "read", str(tmp_path / "tree"), "-o", str(tmp_path / "t.csv"), "--quiet"]
    text = said(capsys, call)
    assert "\n2 images: CMYK converted to RGB without a colour profile\n" in text
    assert "\n1 image: alpha channel dropped, opaque everywhere\n" in text
    assert "\n1 image: palette converted to RGB\n" in text
    assert "\n0 unreadable images or folders left out\n" in text
    assert "no positive class is known among early, late: " in text
    assert "Name it: --positive CLASS" in text
    told = json.loads(said(capsys, [*call, "--json"]))
    assert told["changed"] == {
        "CMYK converted to RGB without a colour profile": 2,
        "alpha channel dropped, opaque everywhere": 1,
        "palette converted to RGB": 1,
    }
    assert told["positive"] is None
    assert json.loads(said(capsys, [*call, "--json", "--positive", "late"]))["positive"] == "late"
    assert main([*call, "--positive", "lat"]) == 2
    assert "--positive lat: no such class. Did you mean 'late'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "option", "uses"),
    [
        ("kfold", ("--test", "0.2"), "holdout, image, forward"),
        ("holdout", ("--folds", "3"), "kfold"),
        ("lodo", ("--repeats", "2"), "kfold, holdout, image"),
    ],
)
def test_an_option_that_a_kind_of_split_does_not_use(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    option: tuple[str, str],
    uses: str,
) -> None:
    call = ["split", str(tmp_path), "--kind", kind, *option, "-o", str(tmp_path / "s.json")]
    assert main(call) == 2
    expected = f"split: {option[0]} says nothing to --kind {kind}; it is for {uses}. Leave it out"
    assert expected in capsys.readouterr().err


def test_a_mapping_without_an_equals_sign(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["data", "read", str(folder / "cells"), "-o", str(tmp_path / "x.csv"), "--map", "label"]
    assert main(call) == 2
    assert "expected COLUMN=NAME" in capsys.readouterr().err


def test_verify_says_what_changed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "cells"
    shutil.copytree(folder / "cells", copy)
    assert "as it should be" in said(capsys, ["data", "verify", str(copy / "manifest.csv")])
    images = sorted(copy.rglob("UID_*.bmp"))
    images[0].unlink()
    text = said(capsys, ["data", "verify", str(copy / "manifest.csv"), "--json"], code=1)
    assert json.loads(text)["missing"] == [images[0].relative_to(copy).as_posix()]


def test_check_writes_findings_and_a_page(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, ["check", str(manifest), "-o", str(tmp_path / "c"), "--quiet"])
    assert "Research use only" in text
    assert (tmp_path / "c" / "check.html").exists()
    findings = json.loads((tmp_path / "c" / "findings.json").read_text())["findings"]
    # Eight subjects are too few to conclude from, and the check must say so.
    assert any(finding["check"] == "enough-groups" for finding in findings)
    said(capsys, ["check", str(manifest), "--fail-on", "warning", "--quiet"], code=1)


@pytest.mark.parametrize(("subjects", "folds"), [("6", "--folds 3 "), ("4", "--folds 2 ")])
def test_the_split_that_check_suggests_can_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], subjects: str, folds: str
) -> None:
    call = ["data", "render", "rendered-cnmc", "--images", "12", "--subjects", subjects]
    assert main([*call, "--size", "48", "-o", str(tmp_path / "cells"), "--quiet"]) == 0
    path = tmp_path / "cells" / "manifest.csv"
    told = said(capsys, ["check", str(path), "--quiet"]).splitlines()[-1]
    assert told == f"next: leukoscope split {path} {folds}-o split.json"
    words = told.removeprefix("next: leukoscope ").replace("split.json", str(tmp_path / "s.json"))
    assert main([*words.split(), "--quiet"]) == 0
    # One class left: nothing to divide.
    rows = path.read_text().splitlines()
    path.write_text("\n".join([rows[0], *(row for row in rows[1:] if ",blast," in row)]))
    told = said(capsys, ["check", str(path), "--quiet"]).splitlines()[-1]
    assert told.startswith("next: add subjects: two groups of each of two classes")


def test_check_writes_one_file_where_one_is_named(
    manifest: Path, runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["check", str(manifest), "--run", str(runs["as-published"]), "--quiet"]
    said(capsys, [*call, "-o", str(tmp_path / "page.html")])
    assert "Eight kinds of leakage" in (tmp_path / "page.html").read_text(encoding="utf-8")
    printed = json.loads(said(capsys, [*call, "-o", str(tmp_path / "all.json"), "--json"]))
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8")) == printed
    assert printed["research_use_only"] is True
    kinds = {one["kind"]: one["verdict"] for one in printed["leakage"]}
    assert kinds["L3.2"] == "fail"
    states = {one["check"]: one["state"] for one in printed["checked"]}
    assert (states["cut-groups"], states["transductive"]) == ("found", "clean")
    assert not (tmp_path / "findings.json").exists()
    clean = ["check", str(manifest), "--run", str(runs["leak-free"]), "--json", "--quiet"]
    kinds = {one["kind"]: one["verdict"] for one in json.loads(said(capsys, clean))["leakage"]}
    assert (kinds["L1.1"], kinds["L1.4"], kinds["L3.2"]) == ("pass", "pass", "pass")


def test_check_takes_one_split(
    manifest: Path, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs["as-published"]
    text = said(capsys, ["check", str(manifest), "--run", str(run), "--json", "--quiet"])
    assert "cut-groups" in {finding["check"] for finding in json.loads(text)["findings"]}
    both = ["check", str(manifest), "--run", str(run), "--split", str(run / "split.json")]
    assert main(both) == 2
    assert "Give one of them" in capsys.readouterr().err


def test_split_is_saved_and_used(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "split.json"
    text = said(capsys, ["split", str(manifest), "--folds", "4", "-o", str(out), "--quiet"])
    assert "fold-3" in text
    assert len(json.loads(out.read_text())["folds"]) == 4
    assert main(["split", str(manifest), "--kind", "holdout", "--test", "1.5", "-o", str(out)]) == 2
    assert "key 'test'" in capsys.readouterr().err


def test_a_finished_run_is_not_overwritten(
    manifest: Path, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "--model", "cnn-4", "--data", str(manifest), "-o", str(runs["leak-free"])]
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


def test_training_needs_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--model", "cnn-3", "-o", str(tmp_path / "run")]) == 2
    assert "on which data" in capsys.readouterr().err


def test_a_misspelt_setting_is_answered(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "--model", "cnn-3", "--data", str(manifest), "-o", str(tmp_path / "run")]
    assert main([*call, "--set", "training.epoch_s=3"]) == 2
    assert "epochs" in capsys.readouterr().err


def test_evaluate_compare_report(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs["leak-free"]
    told = json.loads(said(capsys, ["evaluate", str(run), "--resamples", "100", "--json"]))
    # The same figure from the predictions alone, whoever wrote them.
    again = json.loads(
        said(
            capsys,
            ["evaluate", str(run / "predictions.csv"), "--resamples", "100", "--json"],
        )
    )
    assert told["levels"]["image"]["accuracy"] == again["levels"]["image"]["accuracy"]
    text = said(capsys, ["evaluate", str(run), "--resamples", "100"])
    assert "by subject" in text
    assert "8 groups, n = 48" in text
    pair = [str(runs["as-published"]), str(run)]
    assert "accuracy" in said(capsys, ["compare", *pair, "--resamples", "100"])
    page = tmp_path / "report.html"
    text = said(capsys, ["report", *pair, "-o", str(page)])
    assert str(page) in text
    html = page.read_text(encoding="utf-8")
    assert "rendered" in html.lower()
    assert "research use only" in html.lower()
    assert "<script" not in html


def test_expand_writes_copies_with_parents(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "grown"
    call = ["data", "expand", str(manifest), "--factor", "2", "-o", str(out), "--quiet", "--json"]
    assert json.loads(said(capsys, call))["copies"] == 48
    assert main([*call, "--preset", "abed2023"]) == 2
    assert "Did you mean 'abed2022'" in capsys.readouterr().err


def test_list_shows_the_papers_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads(said(capsys, ["data", "list", "--folder", str(tmp_path), "--json"]))
    names = {entry["name"] for entry in entries}
    assert {"cnmc", "allidb1", "allidb2", "taleghani", "snam", "pcam", "bccd"} <= names
    assert not any(entry["here"] for entry in entries)
    assert "licence" in said(capsys, ["data", "list"]).lower()


def test_rendered_data_are_said_everywhere(
    folder: Path,
    manifest: Path,
    runs: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = runs["leak-free"]
    said_so = "\nrendered data: drawn cells, nothing here says anything about patients\n"
    out = {name: str(tmp_path / name) for name in ("again.csv", "check", "split.json", "m.json")}
    for call in (
        ["data", "read", str(folder / "cells"), "-o", out["again.csv"], "--quiet"],
        ["data", "verify", str(manifest), "--quiet"],
        ["check", str(manifest), "-o", out["check"], "--quiet"],
        ["split", str(manifest), "--folds", "4", "-o", out["split.json"], "--quiet"],
        ["evaluate", str(run), "--resamples", "100", "-o", out["m.json"]],
        ["compare", str(run), str(runs["as-published"] / "predictions.csv"), "--resamples", "100"],
    ):
        assert said(capsys, call).count(said_so) == 1, call
    for path in (out["split.json"], out["m.json"], run / "split.json", run / "metrics.json"):
        assert json.loads(Path(path).read_text())["rendered"] is True
    # A predictions file alone cannot know.
    alone = ["evaluate", str(run / "predictions.csv"), "--resamples", "100"]
    assert said_so not in said(capsys, alone)
    assert json.loads(said(capsys, [*alone, "--json"]))["rendered"] is None


def test_a_level_without_result_and_a_missing_interval_say_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.csv"
    rows = ["a,blast,0.9,0.1", "b,blast,0.6,0.4", "c,normal,0.2,0.8", "d,normal,0.4,0.6"]
    path.write_text("\n".join(["image,label,p_blast,p_normal", *rows]))
    text = said(capsys, ["evaluate", str(path), "--resamples", "100"])
    assert "by subject: nothing. Add a column subject (or group).\n" in text
    path.write_text(
        "\n".join(["image,label,p_blast,p_normal,subject", *(f"{row},one" for row in rows)])
    )
    text = said(capsys, ["evaluate", str(path), "--resamples", "100"])
    assert "by subject: nothing. Every subject has cells of several labels.\n" in text
    assert "(no interval: all items are of one group; 1 group, n = 4)" in text


@pytest.mark.real
def test_cnmc_from_its_published_hashes_to_a_split(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No image at hand: 104 pairs, 94 across the folds, seven tied pairs, 66 groups, a split."""
    table, manifest = real_data / "cnmc" / "cnmc_train_sha256.csv", tmp_path / "cnmc.csv"
    maps = {"image": "name", "label": "label", "subject": "subject", "official_split": "fold",
            "sha256": "sha256"}  # fmt: skip
    named = [part for ours, theirs in maps.items() for part in ("--map", f"{ours}={theirs}")]
    said(
        capsys, ["data", "read", str(table), "--as", "csv", *named, "-o", str(manifest), "--quiet"]
    )
    outcome = json.loads(said(capsys, ["check", str(manifest), "--json", "--quiet"]))
    found = {finding["check"]: finding["evidence"] for finding in outcome["findings"]}
    assert found["identical-images"]["pairs"] == 104
    assert found["identical-parts"]["pairs"] == 94
    assert len(found["identical-subjects"]["subject_pairs"]) == 7
    assert found["identical-subjects"]["independent_groups"] == 66
    assert "no image was at hand" in outcome["verdict"]["sentence"]
    kinds = {one["kind"]: one["verdict"] for one in outcome["leakage"]}
    assert kinds["L1.4"] == "fail"
    split = tmp_path / "split.json"
    said(capsys, ["split", str(manifest), "--group-duplicates", "-o", str(split), "--quiet"])
    call = ["check", str(manifest), "--split", str(split), "--json", "--quiet"]
    parts = [f["evidence"]["split"] for f in json.loads(said(capsys, call))["findings"]
             if f["check"] == "identical-parts"]  # fmt: skip
    assert parts == ["official"], "the new split parts no identical images"


@pytest.mark.real
def test_verify_compares_a_cnmc_folder_with_the_published_hashes(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, manifest = tmp_path / "copy", tmp_path / "m.csv"
    for path in (real_data / "cnmc" / "C-NMC_training_data").rglob("*.bmp"):
        target = folder / path.relative_to(real_data / "cnmc" / "C-NMC_training_data")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    altered = folder / "fold_0" / "all" / "UID_11_10_1_all.bmp"
    altered.write_bytes(altered.read_bytes()[:-1] + b"\x07")
    said(capsys, ["data", "read", str(folder), "-o", str(manifest), "--quiet"])
    text = said(capsys, ["data", "verify", str(manifest), "--quiet"], code=1)
    assert "compared with the published hashes: 12 files" in text
    assert "UID_11_10_1_all.bmp: the file differs from the published one" in text
