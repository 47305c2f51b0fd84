"""Steps and augmentation as they are written in an experiment."""

from __future__ import annotations

from typing import Any

import pytest

from leukoscope.errors import ExperimentError
from leukoscope.images.augmentation import Augmentation
from leukoscope.images.steps import STEPS, Step
from leukoscope.schema import Record, parse


class Holder(Record):
    """A table with steps and augmentation in it, as an experiment has."""

    steps: tuple[Step, ...] = ()
    augment: Augmentation = Augmentation()


def refused(**table: Any) -> str:
    with pytest.raises(ExperimentError) as caught:
        parse(Holder, table, where="experiment.toml", error=ExperimentError)
    return str(caught.value)


def test_every_step_is_read_by_its_name_and_written_back() -> None:
    table = {"steps": [{"name": name} for name in STEPS]}
    holder = parse(Holder, table, where="here", error=ExperimentError)
    assert [type(step) for step in holder.steps] == list(STEPS.values())
    assert Holder.model_validate(holder.model_dump(mode="json")) == holder


def test_a_misspelt_parameter_of_a_step_is_answered_with_that_steps_own() -> None:
    assert refused(steps=[{"name": "resize"}, {"name": "median", "sizze": 5}]) == (
        "experiment.toml: unknown key 'steps.1.sizze'. Did you mean 'size'?"
    )


def test_a_misspelt_step_is_answered_with_the_right_one() -> None:
    assert refused(steps=[{"name": "medain"}]) == (
        "experiment.toml: key 'steps.0.name' is 'medain'. Did you mean 'median'?"
    )


def test_a_step_without_a_name() -> None:
    assert refused(steps=[{"size": 5}]) == "experiment.toml: key 'steps.0.name' is missing."


def test_a_wrong_value_of_a_step_is_named_without_pydantics_tag() -> None:
    message = refused(steps=[{"name": "median", "size": 4}])
    assert "key 'steps.0.size' is 4" in message
    assert "its side is odd" in message


def test_a_misspelt_augmentation() -> None:
    assert "Did you mean 'flip_vertical'" in refused(augment={"flip_vertcal": 0.5})


def test_a_range_the_wrong_way_round() -> None:
    message = refused(augment={"zoom": [1.2, 0.8]})
    assert "key 'augment.zoom' is [1.2, 0.8]" in message
    assert "low 1.2 above high 0.8" in message


@pytest.mark.parametrize(
    ("table", "geometry", "colours"),
    [
        ({}, False, False),
        ({"flip_vertical": 0.5}, True, False),
        ({"crop": [0.8, 1.0]}, True, False),
        ({"brightness": [0.1, 1.0]}, False, True),
        ({"stain": 0.1, "colour_probability": 0.0}, False, False),
    ],
)
def test_what_an_augmentation_may_change(
    table: dict[str, Any], geometry: bool, colours: bool
) -> None:
    augmentation = Augmentation(**table)
    assert (augmentation.geometry, augmentation.colours) == (geometry, colours)
    assert augmentation.changes == (geometry or colours)
