"""The room as a whole: the registry, the order of findings, and a set with nothing wrong."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import leukoscope.checks as room
from leukoscope.checks import CHECKS, run_checks, title
from leukoscope.checks.context import shown
from leukoscope.datasets.manifest import Manifest
from leukoscope.errors import LeukoscopeError
from leukoscope.records.experiment import SplitPlan
from leukoscope.records.findings import read_findings, write_findings
from leukoscope.splits.splitting import make_split


def test_nothing_is_found_where_nothing_is_wrong(clean: Manifest) -> None:
    split = make_split(clean, SplitPlan(folds=3), seed=0, edition="leak-free")
    assert run_checks(clean, split=split) == ()


def test_errors_come_first_and_findings_survive_their_file(clean: Manifest, tmp_path: Path) -> None:
    labels = [*clean.column("label")]
    data = clean.with_columns(
        sha256=["f" * 64] * 2 + list(clean.column("sha256")[2:]),
        label=["normal", "blast", *labels[2:]],
        subject=[""] * len(clean),
    )
    findings = run_checks(data, failures=[("x.png", "x.png: is empty (0 bytes).")])
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert {"error", "warning", "note"} == set(severities)
    write_findings(findings, tmp_path / "findings.json")
    assert read_findings(tmp_path / "findings.json") == findings


def test_only_the_named_checks_run(clean: Manifest) -> None:
    data = clean.with_columns(label=["blast"] * len(clean))
    assert {f.check for f in run_checks(data, only=["enough-groups"])} == {"enough-groups"}
    assert run_checks(data, only=["identical-labels"]) == ()
    with pytest.raises(LeukoscopeError, match=r"no check 'identical-label'.*'identical-labels'"):
        run_checks(data, only=["identical-label"])


def test_every_check_has_a_file_a_title_and_its_own_name() -> None:
    folder = Path(str(room.__file__)).parent
    documented = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    for name in CHECKS:
        file = folder / f"{name.replace('-', '_')}.py"
        assert file.is_file()
        assert 10 < len(title(name)) < 90
        named = {
            node.value.value
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.keyword)
            and node.arg == "check"
            and isinstance(node.value, ast.Constant)
        }
        assert named == {name}
        assert re.search(rf"^## `{name}`", documented, re.MULTILINE), f"{name} has no section"
    assert set(re.findall(r"^## `(.+?)`", documented, re.MULTILINE)) == set(CHECKS)


def test_words() -> None:
    assert shown(["a", "b"], 2) == "a, b"
    assert shown(["a", "b", "c"], 2) == "a, b and 1 more"
