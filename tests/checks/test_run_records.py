"""What a run's records tell: fitted, chosen, copied or predicted with test rows in sight."""

from __future__ import annotations

from collections.abc import Callable

from leukoscope.checks import check_records, run_checks
from leukoscope.datasets.manifest import Manifest
from leukoscope.records.findings import Finding
from leukoscope.records.run import Run

PUBLISHED = {"edition": "as-published"}


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def test_an_honest_run_is_clean(make_run: Callable[..., Run]) -> None:
    assert check_records(make_run()) == ()
    assert check_records(make_run({"training": {"epoch": "last"}}, model={"epoch": 3})) == ()
    assert check_records(make_run(model={"fitted_rows": "training"})) == ()


def test_records_that_are_absent_are_no_finding(make_run: Callable[..., Run]) -> None:
    run = make_run()
    for path in run.folder.glob("fold-*/*"):
        path.unlink()
    assert check_records(run) == ()


def test_the_epoch_chosen_on_the_test_part(make_run: Callable[..., Run]) -> None:
    run = make_run(
        PUBLISHED | {"training": {"epoch": "best-test"}},
        history={"test_accuracy": [0.6, 0.9, 0.8], "test_loss": [1.0, 0.5, 0.6]},
    )
    finding = only(check_records(run))
    assert (finding.check, finding.severity) == ("chosen-on-test", "warning")
    assert finding.evidence["test_accuracy_above_last_epoch"] == 0.1
    assert "as published" in finding.summary


def test_an_epoch_that_its_rule_does_not_choose(make_run: Callable[..., Run]) -> None:
    """The smallest validation loss is the second epoch's; the third was kept."""
    finding = only(check_records(make_run(model={"epoch": 3})))
    assert (finding.check, finding.severity) == ("chosen-on-test", "error")
    assert finding.evidence["folds"]["fold-0"] == {"kept": 3, "by_the_rule": 2}
    last = only(check_records(make_run({"training": {"epoch": "last"}})))
    assert last.evidence["folds"]["fold-1"] == {"kept": 2, "by_the_rule": 3}
    # Equal losses: either epoch is the rule's.
    tied = make_run(model={"epoch": 3}, history={"validation_loss": [0.5, 0.3, 0.3]})
    assert check_records(tied) == ()


def test_test_results_in_a_history_that_need_not_hold_them(make_run: Callable[..., Run]) -> None:
    finding = only(check_records(make_run(history={"test_loss": [1.0, 0.9, 0.8]})))
    assert "hold test results of every epoch" in finding.summary


def test_a_threshold_that_nobody_accounts_for(make_run: Callable[..., Run]) -> None:
    finding = only(check_records(make_run(predicted="blast")))
    assert finding.evidence == {"chosen": "threshold", "answers_moved": 4, "tested": 8}


def test_preprocessing_fitted_on_test_rows(make_run: Callable[..., Run]) -> None:
    steps = {"preprocess": {"steps": [{"name": "macenko"}], "subtract_mean_image": True}}
    declared = only(check_records(make_run(PUBLISHED | steps, model={"fitted_rows": "all"})))
    assert (declared.check, declared.severity) == ("fitted-on-test", "warning")
    assert "(macenko, mean image) of 2 folds" in declared.summary
    secret = only(check_records(make_run(steps, model={"fitted_rows": "all"})))
    assert secret.severity == "error"


def test_copies_made_before_the_split(make_run: Callable[..., Run]) -> None:
    run = make_run(PUBLISHED | {"expand": {"factor": 8, "before_split": True}})
    finding = only(check_records(run))
    assert finding.check == "copies-before-split"
    assert "expanded to 8 times its size before it was divided" in finding.summary


def test_weights_that_have_seen_the_tested_set(make_run: Callable[..., Run]) -> None:
    facts = {"source": "run:first", "datasets": ["imagenet", "pcam"]}
    finding = only(check_records(make_run(pretraining=facts)))
    assert (finding.check, finding.severity) == ("tested-pretraining", "error")
    assert finding.evidence["tested"] == ["PCam"]
    assert check_records(make_run(pretraining=facts | {"datasets": ["imagenet"]})) == ()


def test_transductive_answers_are_declared(make_run: Callable[..., Run]) -> None:
    finding = only(check_records(make_run(model={"prediction": "transductive"})))
    assert (finding.check, finding.severity) == ("transductive", "warning")
    assert "nothing of a single new cell" in finding.summary


def test_checks_of_the_data_take_the_run_along(
    make_run: Callable[..., Run], make: Callable[..., Manifest]
) -> None:
    data = make([{"image": f"{n}.png"} for n in range(8)])
    run = make_run(model={"prediction": "transductive"})
    found = {finding.check for finding in run_checks(data, split=run.split, run=run)}
    assert {"transductive", "foreign-split"} <= found
    assert "transductive" not in {f.check for f in run_checks(data, split=run.split)}


def test_a_split_of_copies_belongs_to_the_manifest_of_their_originals(
    make_run: Callable[..., Run], make: Callable[..., Manifest]
) -> None:
    data = make([{"image": f"{n}.png"} for n in range(8)])
    run = make_run(PUBLISHED | {"expand": {"factor": 8, "before_split": True}})
    summary = run.data.model_copy(update={"manifest_sha256": data.sha256})
    known = Run(
        run.folder, run.experiment, run.split, summary, (), run.predictions, {}, {}
    )  # fmt: skip
    assert run_checks(data, split=run.split, run=known, only=["foreign-split"]) == ()
    assert run_checks(data, split=run.split, run=run, only=["foreign-split"])
