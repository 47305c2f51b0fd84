"""Fuzzy systems as files: what is packaged, what is refused, what comes back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from leukoscope.errors import FuzzyError
from leukoscope.models.fuzzy import SYSTEMS, read_system, write_system
from leukoscope.models.fuzzy.terms import And, Is, Not, Or, condition


def test_conditions_are_read_as_they_are_meant():
    assert condition("a is low and b is not high or c is x") == Or(
        And(Is("a", "low"), Not(Is("b", "high"))), Is("c", "x")
    )
    assert condition("not (a is low or b is high)") == Not(Or(Is("a", "low"), Is("b", "high")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 'INPUT is SET', found 'the end'"),
        ("a is low b is high", "expected 'and', 'or' or the end, found 'b'"),
        ("a is", "expected 'INPUT is SET', found 'a is'"),
        ("(a is low", "a bracket is not closed"),
        ("a is low and and is x", "expected 'INPUT is SET'"),
        ("a is not", "expected a set after 'is not'"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        condition(text)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_packaged_system_comes_back_from_its_file(name, tmp_path):
    system = read_system(name)
    assert system.name == name
    assert all(rule.reason for rule in system.rules)
    write_system(system, tmp_path / "again.toml")
    assert read_system(tmp_path / "again.toml") == system


def test_the_cuts_lie_midway_between_the_centroids_of_the_sets():
    output = read_system("three").output
    centres = [sum(one.points) / 3 for one in output.sets.values()]
    assert output.cuts == pytest.approx([(a + b) / 2 for a, b in pairwise(centres)])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight = 0.8", "wieght = 0.8", r"unknown key 'rules.5.wieght'. Did you mean 'weight'"),
        ("ratio is not high", "ration is not high", r"no input 'nucleus_cell_ration'. Did you m"),
        ("is not high", "is not hihg", r"rule 1: 'nucleus_cell_ratio' has no set 'hihg'. Did you"),
        ("[0.25, 0.5, 0.75]", "[0.75, 0.5, 0.25]", "they rise from left to right"),
        ("[0.25, 0.5, 0.75]", "[0.5, 0.5, 0.5]", "they rise from left to right"),
        ('shape = "triangular"', 'shape = "triangle"', "Did you mean 'triangular'"),
        ("schema = 1", "schema = 2", "written by a newer leukoscope"),
        ("0.3333333333333333", "0.7", "cuts are"),
        ("range = [0.0, 10.0]", "range = [10.0, 0.0]", "low, then high"),
        ('then = "blast"', 'then = "balst"', "Did you mean 'blast'"),
        ("middle = {", "medium = {", "has the sets low, middle, high in this order"),
    ],
)
def test_a_fault_in_a_file_is_one_sentence_that_names_it(old, new, message, tmp_path):
    from leukoscope.models.fuzzy import system as room

    text = (room.Path(room.__file__).parent / "three.toml").read_text()
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(FuzzyError, match=message) as raised:
        read_system(tmp_path / "mine.toml")
    assert "mine.toml" in str(raised.value)


def test_an_unknown_system_says_which_are_known():
    with pytest.raises(FuzzyError, match=r"no such fuzzy system. Did you mean 'three'"):
        read_system("tree")
    with pytest.raises(FuzzyError, match="there is no such fuzzy system file"):
        read_system("missing.toml")
