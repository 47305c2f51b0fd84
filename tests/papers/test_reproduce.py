"""A paper reproduced end to end on a few drawn cells: run, cut, resumed, reported."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from leukoscope.cli import main
from leukoscope.errors import ExperimentError, ProtocolError, RunError
from leukoscope.papers import runner
from leukoscope.papers.reproduce import Reproduction, plan_for, reproduce
from leukoscope.papers.request import Request, dataset_paths
from leukoscope.progress import Progress

QUIET = Progress(quiet=True)
SMALL = {"training.batch_size": 16, "training.device": "cpu"}
NO_WEIGHTS = str(Path(__file__).parent)
ONLY = ("approach1,dataset=1,network=4,size=32,optimiser=rmsprop", "approach3,dataset=1,epochs=25")


def asked(**changes: object) -> Request:
    values: dict[str, object] = {
        "paper": "varol2024",
        "only": ONLY,
        "rendered": True,
        "images": 60,
        "subjects": 10,
        "settings": SMALL,
        "weights": NO_WEIGHTS,
        **changes,
    }
    return Request(**values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reproduction]:
    """CNN-4 at three numbers of epochs in both editions; backbones without weights.

    The first call is stopped in the midst of the second training.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEUKOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        out = tmp_path_factory.mktemp("reproduction") / "varol"
        from leukoscope.training import loop

        save, seen = loop._save, []

        def stop(state: loop.TrainingState, folder: Path) -> None:
            save(state, folder)
            seen.append(state.epoch)
            if len(seen) == 6:
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as cut:
            cut.setattr(loop, "_save", stop)
            with pytest.raises(KeyboardInterrupt):
                reproduce(asked(), out, QUIET)
        assert seen == [1, 2, 3, 4, 1, 2]
        finished = sorted(out.glob("runs/*/*/predictions.csv"))
        assert len(finished) == 1
        stamp = finished[0].stat().st_mtime_ns
        # Two of the four epochs of the second training were made, which are not to come.
        planned = plan_for(asked()).possible
        assert [runner.made_before(one, out) for one in planned] == [0.0, 0.5]
        made = reproduce(asked(), out, QUIET)
        assert finished[0].stat().st_mtime_ns == stamp, "a finished training was done again"
        yield made


@pytest.mark.slow
def test_without_the_official_test_part_groups_are_tested_instead(tmp_path: Path) -> None:
    """Rendered C-NMC has training folds only, which is what many have of the real one."""
    made = reproduce(
        asked(paper="cnmc2019", only=("network=cnn-3",), images=80), tmp_path / "out", QUIET
    )
    (outcome,) = made.outcomes
    assert outcome.run is not None
    assert outcome.run.split.kind == "kfold"
    assert outcome.run.edition.startswith("leak-free")
    page = (made.folder / "reproduction.html").read_text()
    assert "folds of whole groups are tested instead" in page


@pytest.mark.slow
def test_what_can_be_run_is_and_the_rest_says_why(done: Reproduction) -> None:
    assert len(done.outcomes) == 2 * (3 + 2 * 2 * 3)
    run = [one for one in done.outcomes if not one.reason]
    assert {one.cell.arm for one in run} == {"approach1"}
    assert sorted(one.epochs for one in run) == [1, 1, 2, 2, 4, 4]
    reasons = {one.reason for one in done.outcomes if one.reason}
    assert reasons
    # The folders above it are of one machine, and no reason names them.
    assert all(" lie in papers. A file whose name" in reason for reason in reasons)


@pytest.mark.slow
def test_the_table_has_every_published_figure(done: Reproduction) -> None:
    rows = list(csv.DictReader((done.folder / "reproduction.csv").open(encoding="utf-8")))
    assert len(rows) == 217 + 8, "results, and the lengths of Table 6"
    measured = [row for row in rows if row["as_published"]]
    # CNN-4 with RMSProp at 32 px is on no line of Table 2; what was not asked for says so.
    assert not measured
    assert {row["published"] for row in rows if row["table"] == "Table 7"} == {
        "Accuracy %87,0 and AUC: %87,8 (with Dataset3)"
    }
    lengths = [row for row in rows if row["kind"] == "layers"]
    assert [row["published"] for row in lengths[:2]] == ["1x50176", "1x123904"]
    # The paper's sizes of input, whatever is set for the trainings here.
    for row in lengths:
        printed = int(row["published"].removeprefix("1x"))
        assert row["as_published_count"] == row["leak_free_count"] == f"{printed:,}"
    assert all(row["not_run"] for row in rows if row["kind"] == "result")
    assert sum(row["audit"] == "impossible" for row in rows) == 5 * 4


@pytest.mark.slow
def test_the_report_says_what_is_what(done: Reproduction) -> None:
    page = (done.folder / "reproduction.html").read_text(encoding="utf-8")
    for words in (
        "Rendered data",
        "Smoke budget",
        "Research use only",
        "impossible",
        "No weights of vgg16 lie in papers",
        'data-field="reproduction.choices"',
        "as-published",
    ):
        assert words in page, words
    assert 'src="http' not in page


@pytest.mark.slow
def test_other_settings_or_data_are_refused(done: Reproduction) -> None:
    with pytest.raises(RunError, match="made with other settings"):
        reproduce(asked(settings={**SMALL, "training.batch_size": 8}), done.folder, QUIET)


@pytest.mark.slow
def test_heads_of_one_network_are_cells_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path / "cache"))
    only = "dataset=1,network=4,size=32,optimiser=rmsprop,epochs=25+50"
    request = asked(only=(f"approach1,{only}", f"approach2,{only}"), editions=("leak-free",))
    made = reproduce(request, tmp_path / "out", QUIET)
    assert made.done == len(made.outcomes) == 2 + 3 * 2
    assert len({one.run.folder for one in made.outcomes if one.run}) == 1
    places = {one.folder.relative_to(one.run.folder).as_posix() for one in made.outcomes}
    last = {".", "heads/svm", "heads/rf", "heads/nb"}
    assert places == last | {str(Path(place) / "epochs-1") for place in last}
    by_epochs = {one.cell.id: one.seconds for one in made.outcomes}
    for head in ("nb", "rf", "svm"):
        fem = f"approach2/dataset=1,network=4,head={head},size=32,optimiser=rmsprop,epochs=50"
        cnn = "approach1/dataset=1,network=4,size=32,optimiser=rmsprop,epochs=50"
        assert by_epochs[fem] > by_epochs[cnn] > by_epochs[cnn.replace("50", "25")] > 0
    with open(made.folder / "state.json", encoding="utf-8") as file:
        state = json.load(file)
    assert len(state["run"]) == 8
    (took,) = state["trainings"].values()
    assert not took["resumed"]
    # The processor is not busier than all its cores could be, nor idle.
    assert 0 < took["measured_core_seconds"] < took["seconds"] * (os.cpu_count() or 1) + 1
    assert took["estimated_core_seconds"] > 0
    (next(iter(made.folder.glob("runs/*/*/heads/svm/epochs-1"))) / "metrics.json").unlink()
    with pytest.raises(RunError, match="made without measuring that number"):
        reproduce(request, tmp_path / "out", QUIET)


def test_published_and_measured_stand_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leukoscope.papers import reproduction
    from leukoscope.papers.measuring import Measured
    from leukoscope.papers.planner import make_plan
    from leukoscope.papers.protocol import read_protocol
    from leukoscope.papers.reproduction_csv import write_reproduction_csv

    plan = make_plan(read_protocol("fata2023"), ["as-published", "leak-free"], "full")
    outcomes = [
        runner.Outcome(cell, None, None, 1, "") for one in plan.trainings for cell in one.cells
    ]

    def measured(outcome: runner.Outcome, metric: str, averaging: str) -> Measured:
        assert averaging == "macro" or metric in ("training_accuracy", "accuracy")
        value = 0.9 if outcome.cell.edition == "as-published" else 0.8
        return Measured(value, value - 0.05, value + 0.05, 12, 300)

    monkeypatch.setattr(reproduction, "measured_figure", measured)
    lines = reproduction.reproduction_lines(plan, outcomes, {})
    assert len(lines) == 130 + 12, "the figures, and the means that Tables 3 to 6 end in"
    assert all(line.gap == pytest.approx(0.1) for line in lines)
    first = lines[0]
    assert (first.published.value, first.value) == ("84.73%", pytest.approx(0.8473))
    write_reproduction_csv(plan, lines, (), tmp_path / "r.csv")
    row = next(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8")))
    assert (row["as_published"], row["leak_free_low"], row["gap"]) == (
        "0.900000",
        "0.750000",
        "0.100000",
    )
    assert (row["as_published_n"], row["as_published_groups"]) == ("300", "12")
    assert (row["leak_free_n"], row["leak_free_groups"]) == ("300", "12")


@pytest.mark.slow
def test_a_measured_figure_is_what_the_predictions_say(tmp_path: Path) -> None:
    """scikit-learn on the run's own predictions, at the cell's number of epochs."""
    from sklearn.metrics import accuracy_score, roc_auc_score

    only = ("approach1,dataset=1,network=1,size=32,optimiser=sgd",)
    made = reproduce(asked(only=only, editions=("leak-free",)), tmp_path / "out", QUIET)
    cell = "approach1/dataset=1,network=1,size=32,optimiser=sgd,epochs=50"
    (outcome,) = (one for one in made.outcomes if one.cell.id == cell)
    assert outcome.folder is not None
    assert outcome.folder.name == "epochs-2"
    table = pd.read_csv(outcome.folder / "predictions.csv")
    test = table[table["part"] == "test"]
    expected = {
        "accuracy": accuracy_score(test["label"], test["predicted"]),
        "auc": roc_auc_score(test["label"] == "blast", test["p_blast"]),
    }
    with (made.folder / "reproduction.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["cell"] == cell and row["leak_free"]]
    found = {row["metric"]: float(row["leak_free"]) for row in rows}
    for metric in expected.keys() & found.keys():
        assert found[metric] == pytest.approx(expected[metric], abs=1e-6)
    assert "accuracy" in found
    assert {row["leak_free_n"] for row in rows} == {str(len(test))}


def test_the_challenge_is_judged_by_subject() -> None:
    """Means over subjects of the share of right images, as Prellberg and Kramer's are counted."""
    from leukoscope.papers import measuring

    shares = {
        "normal": {"subjects": 2, "mean": 0.6, "worst": 0.2},
        "blast": {"subjects": 3, "mean": 0.9, "worst": 0.7},
    }
    metrics = {"positive": "blast", "subjects": {"share_right": shares}}
    found = {one: measuring._over_subjects(metrics, one) for one in measuring.SUBJECTS}
    assert [round(one.value or 0, 6) for one in found.values()] == [0.9, 0.6, 0.75, 0.2]
    assert [one.groups for one in found.values()] == [3, 2, 5, 5]
    assert measuring._over_subjects({"positive": "blast"}, "worst_subject").value is None


def test_a_misnamed_column_is_measured_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """abed2022 prints PPV and NPV under the names sensitivity and specificity (PAPERS §0.1)."""
    from leukoscope.papers import reproduction
    from leukoscope.papers.measuring import Measured
    from leukoscope.papers.planner import make_plan
    from leukoscope.papers.protocol import read_protocol

    plan = make_plan(read_protocol("abed2022"), ["leak-free"], "full")
    outcomes = [
        runner.Outcome(cell, None, None, 1, "") for one in plan.trainings for cell in one.cells
    ]
    asked: list[str] = []

    def measured(outcome: runner.Outcome, metric: str, averaging: str) -> Measured:
        asked.append(metric)
        return Measured(0.5)

    monkeypatch.setattr(reproduction, "measured_figure", measured)
    lines = reproduction.reproduction_lines(plan, outcomes, {})
    of = {"sensitivity": "precision", "specificity": "npv"}
    printed = [line.published.metric for line in lines]
    assert asked == [of.get(metric, metric) for metric in printed]
    assert printed.count("sensitivity") > 12
    table = plan.protocol.table("Table 5.3")
    assert reproduction.metric_title(table, "sensitivity") == "Sensitivity (in truth Precision)"


def test_a_chained_cell_begins_with_the_run_of_its_first_stage(tmp_path: Path) -> None:
    from leukoscope.papers.planner import make_plan
    from leukoscope.papers.protocol import read_protocol

    only = ["chained,dataset=allidb,network=vgg19", "pretrain,network=vgg19"]
    plan = make_plan(read_protocol("abed2022"), ["leak-free"], "smoke", only)
    first, second = plan.trainings
    assert (first.after, second.after) == ("", first.name)
    with pytest.raises(ExperimentError, match=r"its first stage .* was not run"):
        runner._with_first_stage(second, tmp_path)
    folder = tmp_path / "runs" / "leak-free" / first.name
    folder.mkdir(parents=True)
    assert runner._with_first_stage(second, tmp_path).model.weights == f"run:{folder}"
    assert runner._with_first_stage(first, tmp_path) == first.experiment


def test_without_data_everything_says_which_is_missing(tmp_path: Path) -> None:
    only = ("approach1,network=1,size=32,dataset=1,optimiser=sgd",)
    request = asked(rendered=False, images=None, subjects=None, only=only)
    made = reproduce(request, tmp_path / "out", QUIET)
    assert made.done == 0
    assert {one.reason for one in made.outcomes} == {
        "not run: data set cnmc is not here. Name it with --data cnmc=FOLDER (how to get it: "
        "leukoscope data list), or let it be drawn with --rendered."
    }
    assert (tmp_path / "out" / "reproduction.html").is_file()


def test_the_command_plans_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "varol2024", "--plan", "--budget", "full", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["plan"]
    assert [(row["cells"], row["trainings"]) for row in rows][-1] == (1944, 216)
    assert main(["reproduce", "varol"]) == 2
    assert "Did you mean 'varol2024'" in capsys.readouterr().err
    assert main(["reproduce", "varol2024", "--only", "size=64", "--plan"]) == 2
    assert "axis 'size' has no value '64'" in capsys.readouterr().err
    assert main(["reproduce", "fata2023", "--data", f"cnmcc={tmp_path}"]) == 2
    assert "Did you mean 'cnmc'" in capsys.readouterr().err
    with pytest.raises(ProtocolError, match="expected NAME=PATH"):
        dataset_paths(["cnmc"], "--data")
    with pytest.raises(ProtocolError, match="cnmc is named twice, first as a"):
        dataset_paths(["cnmc=a", "cnmc=b"], "--data")
