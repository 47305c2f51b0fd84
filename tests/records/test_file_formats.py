"""``docs/file-formats.md`` names exactly the columns and keys that the code reads and writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from leukoscope.datasets.card import DatasetCard
from leukoscope.datasets.manifest import COLUMNS
from leukoscope.evaluation import METRICS, evaluate
from leukoscope.images.augmentation import Augmentation
from leukoscope.images.steps import STEPS
from leukoscope.records import predictions as predictions_module
from leukoscope.records.experiment import Experiment
from leukoscope.records.findings import Checked, Finding
from leukoscope.records.predictions import predictions_from_table
from leukoscope.records.run import FILES, DataSummary, describe_environment
from leukoscope.records.split import Split

PAGE = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ `?(.+?)`?\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def documented(section: str, table: int = 0) -> list[str]:
    """The names in the first column of a section's table."""
    tables = re.findall(r"(?:^\|.*\n)+", SECTIONS[section], re.MULTILINE)
    return re.findall(r"^\| `(.+?)` \|", tables[table], re.MULTILINE)


def keys(record: type[BaseModel], before: str = "") -> list[str]:
    """Every key of a record, dotted; ``[]`` for the items of a list of records."""
    found = []
    for name, field in record.model_fields.items():
        key = before + (field.alias or name)
        inner = field.annotation
        items = [one for one in get_args(inner) if isinstance(one, type)]
        if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Augmentation:
            found += keys(inner, f"{key}.")
            continue
        found.append(key)
        if items and issubclass(items[0], BaseModel):
            found += keys(items[0], f"{key}[].")
    return found


def metrics() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    p = rng.random(40)
    table = pd.DataFrame(
        {
            "image": [f"{i}.png" for i in range(40)],
            "group": [f"g{i // 2}" for i in range(40)],
            "label": ["blast" if i % 4 < 2 else "normal" for i in range(40)],
            "p_blast": p,
            "p_normal": 1 - p,
        }
    )
    return evaluate(predictions_from_table(table), resamples=20)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("manifest.csv", list(COLUMNS)),
        ("manifest.toml", keys(DatasetCard)),
        ("split.json", keys(Split)),
        ("experiment.toml", keys(Experiment)),
        ("Augmentation", keys(Augmentation)),
        ("data.json", keys(DataSummary)),
        (
            "findings.json",
            [
                "schema",
                *("findings", *keys(Finding, "findings[].")),
                *("checked", *keys(Checked, "checked[].")),
            ],
        ),
        ("metrics.json", list(metrics())),
        (
            "predictions.csv",
            [
                *predictions_module.TEXT[:6],
                *predictions_module.NUMBERS,
                *predictions_module.TEXT[6:],
                "p_<class>",
                *predictions_module.OPTIONAL,
            ],
        ),
    ],
)
def test_every_key_is_documented_and_no_other(section: str, expected: list[str]) -> None:
    assert documented(section) == expected


def test_steps_are_documented_with_their_keys() -> None:
    lines = re.findall(r"^\| `(.+?)` \| (.*?) ?\|", SECTIONS["Preprocessing steps"], re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", cell) for name, cell in lines} == {
        name: [key for key in step.model_fields if key != "name"] for name, step in STEPS.items()
    }


def test_defaults_of_the_experiment_are_the_documented_ones() -> None:
    table = Experiment().model_dump(mode="json", by_alias=True)
    lines = re.findall(r"^\| `(.+?)` \| (.*?) ?\|", SECTIONS["experiment.toml"], re.MULTILINE)
    for key, cell in lines:
        value: Any = table
        for part in key.split("."):
            value = value[part]
        if cell == "nothing":
            assert value == Augmentation().model_dump(mode="json")
        elif isinstance(value, bool):
            assert cell == str(value).lower(), key
        elif isinstance(value, (int, float)):
            assert float(cell) == value, key
        else:
            assert cell.strip("`") == ("[]" if value == [] else value), key


def test_every_metric_is_documented() -> None:
    assert documented("metrics.json", 1) == list(METRICS)


def test_environment_and_run_files() -> None:
    of_training = ["device", "precision", "threads"]
    assert documented("environment.json") == [*describe_environment(), *of_training]
    listed = documented("run/")
    assert set(FILES) <= set(listed)


def test_what_training_writes_is_documented() -> None:
    pytest.importorskip("torch")
    from leukoscope.models.pretrained import Pretraining
    from leukoscope.training.history import COLUMNS as HISTORY
    from leukoscope.training.predicting import FoldModel

    assert documented("history.csv") == list(HISTORY)
    own = [field.alias or name for name, field in FoldModel.model_fields.items()]
    assert documented("model.json") == own
    # Of a hybrid it holds itself again, once for each network.
    assert documented("pretraining.json") == ["schema", *Pretraining.model_fields]
