"""Numbers, settings and evidence as a person reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.images.augmentation import Augmentation
from leukoscope.records.experiment import Experiment
from leukoscope.records.split import Fold, Split
from leukoscope.reports.evidence import evidence_words
from leukoscope.reports.measures import family
from leukoscope.reports.numbers import (
    counted,
    decimal,
    interval,
    listed,
    number,
    plain,
    sentence,
    share,
    signed,
)
from leukoscope.reports.words import (
    KINDS,
    augmentation_words,
    setting_words,
    split_words,
    training_words,
)


def test_numbers_are_printed_the_same_everywhere() -> None:
    assert number(12140) == "12,140"
    assert counted(1, "group") == "1 group"
    assert counted(2, "entry", "entries") == "2 entries"
    assert decimal(None) == decimal(float("nan")) == "—"
    assert decimal(-0.0004) == "0.000"
    assert decimal(-0.25) == "−0.250"
    assert signed(0.041) == "+0.041"
    assert signed(0.0) == "0.000"
    assert signed(-0.002) == "−0.002"
    assert interval(0.8, 0.9) == "0.800 to 0.900"
    assert interval(None, 0.9) == "—"
    assert share(1, 8) == "12.5\u00a0%"
    assert share(0, 0) == "—"
    assert plain(1e-6) == "1e-06"
    assert plain(0.001) == "0.001"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert sentence("groups inferred") == "Groups inferred."
    assert sentence(" Known. ") == "Known."
    assert sentence("") == ""


@given(st.floats(-1e6, 1e6))
def test_a_printed_value_reads_back(value: float) -> None:
    assert float(decimal(value, 6).replace("−", "-")) == pytest.approx(value, abs=5e-7)


def experiment(**settings: object) -> Experiment:
    return Experiment.model_validate(settings)


def test_the_training_in_words() -> None:
    text = " ".join(
        training_words(
            experiment(
                seed=4,
                edition="as-published",
                preprocess={"size": 48, "steps": [{"name": "median", "size": 3}]},
                model={"name": "cnn-2", "activation": "elu", "dropout": 0.25},
                optimiser={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
                schedule={"kind": "staircase", "decay_steps": 900, "decay_rate": 0.95},
                training={"epochs": 1, "class_weights": "balanced", "epoch": "best-test"},
                expand={"factor": 8, "before_split": True},
            )
        )
    )
    assert "The network cnn-2 (elu activation, dropout 0.25) saw images of 48 × 48 pixels" in text
    assert "prepared by median (size 3)" in text
    assert "at most 1 epoch in batches of 32 with SGD at a learning rate of 0.01" in text
    assert "momentum 0.9, falling in steps by the factor 0.95 every 900 batches" in text
    assert "with balanced class weights; seed 4." in text
    assert "expanded to 8 times its size before it was divided, as published" in text
    assert "best on the TEST part" in text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"expand": {"per_class": 6070}}, "to 6,070 images a class after it was divided"),
        ({"schedule": {"kind": "cosine"}}, "falling along a cosine"),
        ({"schedule": {"kind": "exponential"}}, "falling smoothly by the factor 0.95"),
        ({"training": {"patience": 3}}, "stopped early after 3 epochs without"),
        ({"preprocess": {"subtract_mean_image": True}}, "the mean image of the training rows"),
        ({"preprocess": {"scale": "symmetric"}}, "scaled to the range −1 to 1"),
        ({"optimiser": {"weight_decay": 0.001}}, "weight decay 0.001"),
        ({}, "Training batches were not augmented."),
    ],
)
def test_each_choice_is_said(settings: dict[str, object], expected: str) -> None:
    assert expected in " ".join(training_words(experiment(**settings)))


def test_only_augmentation_that_does_something_is_said() -> None:
    assert augmentation_words(Augmentation()) == ""
    some = Augmentation.model_validate({"flip_horizontal": 0.5, "zoom": (0.8, 1.2)})
    assert augmentation_words(some) == "flip horizontal 0.5, zoom 0.8, 1.2"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_split_is_a_sentence(kind: str) -> None:
    fold = Fold(name="fold-0", train=("a",), test=("b",))
    split = Split(
        kind=kind,
        edition="as-published",
        unit="image",
        groups="none",
        seed=3,
        manifest_sha256="",
        folds=(fold, fold.model_copy(update={"repeat": 1})),
    )
    text = split_words(split)
    assert text.startswith("The data was divided ")
    assert "repeated 2 times" in text
    assert text.endswith("Seed 3.")


def test_settings_cannot_be_misread() -> None:
    assert setting_words("training.patience", 0) == "0, never stops early"
    assert setting_words("preprocess.subtract_mean_image", False) == "no"
    assert setting_words("split.file", "") == "—"
    assert setting_words("data.leave_out", []) == "none"
    assert setting_words("preprocess.steps", [{"name": "median", "size": 3}]) == (
        "name median, size 3"
    )


def test_evidence_in_words() -> None:
    words = evidence_words(
        {
            "pairs": 1234,
            "groups": [["a", "b"], list("cdefghijk")],
            "by_class": {"blast": 3, "normal": 0.25},
            "by_group": {"Im001_1": {"blast": 6, "widest_interval": [0.25, 0.5]}},
            "names": [str(n) for n in range(20)],
            "empty": [],
            "sure": True,
            "accuracy_of_largest": 0.52,
            "counts": {f"Im{n}": {"blast": n} for n in range(1, 7)},
        }
    )
    assert dict(words) == {
        "pairs": "1,234",
        "groups": "a = b; c = d = e = f = g = h = and 3 more",
        "by class": "blast: 3; normal: 0.25",
        "by group": "Im001_1 (blast 6, widest_interval 0.25, 0.5)",
        "names": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 8 more",
        "empty": "none",
        "sure": "yes",
        "right by always answering the largest class": "0.52",
        "counts": "Im1 (blast 1); Im2 (blast 2); Im3 (blast 3); Im4 (blast 4); and 2 more",
    }


def test_every_metric_has_its_place_in_the_table() -> None:
    assert family("auroc") == "Ranking"
    assert family("precision") == "Answers"
    assert family("precision_macro") == "Averages over classes"
    assert family("sensitivity") == "Answers"
    assert family("sensitivity_at_specificity_0.90") == "Ranking"
    assert family("calibration_slope") == "Probabilities"
    assert family("net_benefit_0.10") == "Use"
    assert family("never_heard_of") == "Others"


def test_a_classical_head_is_told() -> None:
    of_network = " ".join(training_words(experiment(model={"name": "fem-3+nb"}), head="Gaussian"))
    assert "It was trained for at most" in of_network
    assert of_network.endswith("fitted on the vectors of the training rows: Gaussian.")
    measured = " ".join(
        training_words(experiment(model={"name": "wavelet+nb"}), head="Gaussian", trained=False)
    )
    assert "Nothing was trained before the head." in measured
    assert "epoch" not in measured
    assert "classical head" not in " ".join(training_words(experiment()))
