"""``findings.json``: there and back, with plain values as evidence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from leukoscope.errors import LeukoscopeError
from leukoscope.records.findings import Finding, read_findings, write_findings


def test_there_and_back_with_numpys_numbers(tmp_path: Path) -> None:
    finding = Finding(
        check="cut-groups",
        severity="error",
        summary="Too bad.",
        evidence={"n": np.int64(3), "share": np.float64(0.5), "groups": [("a", "b")]},
        images=("a",),
        mend="Mend it.",
    )
    assert finding.evidence == {"n": 3, "share": 0.5, "groups": [["a", "b"]]}
    write_findings([finding], tmp_path / "f.json")
    assert read_findings(tmp_path / "f.json") == (finding,)
    write_findings([], tmp_path / "f.json")
    assert read_findings(tmp_path / "f.json") == ()


@pytest.mark.parametrize(
    ("evidence", "message"),
    [({"x": float("nan")}, "not JSON compliant"), ({"x": {1}}, "JSON values, found set")],
)
def test_evidence_is_json(evidence: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Finding(check="c", severity="note", summary="s", evidence=evidence)


def test_what_is_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    one = {"check": "c", "severity": "eror", "summary": "s"}
    path.write_text(json.dumps({"schema": 1, "findings": [one]}))
    with pytest.raises(LeukoscopeError, match=r"'findings\.0\.severity' is 'eror'\. .*'error'"):
        read_findings(path)
    path.write_text("")
    with pytest.raises(LeukoscopeError, match="a findings file: the file is empty"):
        read_findings(path)
