"""Figures by their content: words, elements and places, not bytes."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukoscope.errors import ReportError
from leukoscope.evaluation import evaluate
from leukoscope.evaluation.comparison import compare, gap
from leukoscope.evaluation.curves import (
    decision_curve,
    histograms,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
    subject_results,
    worst_errors,
)
from leukoscope.figures import FIGURES, Drawing, save
from leukoscope.figures.bars import Bar, BarRow, bars
from leukoscope.figures.box import BoxRow, box
from leukoscope.figures.by_class import MeasuredByClass, by_class
from leukoscope.figures.decision_surface import Surface
from leukoscope.figures.memberships import Panel
from leukoscope.figures.pairs import Pair, Side
from leukoscope.records.predictions import Predictions, predictions_from_table

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
FEW = 60
NOT_OF_PREDICTIONS = {
    "learning_curves", "box", "by_class", "gallery", "pairs", "memberships", "decision_surface",
}  # fmt: skip


SIZES = MeasuredByClass(
    "width",
    {"blast": (30, 10, 0), "normal": (0, 5, 45)},
    edges=(100, 200, 300, 400),
    unit="pixels",
    missing={"blast": 2, "normal": 0},
)


def predictions(
    classes: tuple[str, ...] = ("blast", "normal"), groups: int = 24, positive: str | None = None
) -> Predictions:
    rng = np.random.default_rng(0)
    n = 480
    group = np.arange(n) % groups
    label = group % len(classes)
    score = rng.normal(size=(n, len(classes))) + rng.normal(size=(groups, len(classes)))[group]
    score[np.arange(n), label] += 1.5
    p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    table = pd.DataFrame({f"p_{name}": p[:, k] for k, name in enumerate(classes)})
    table["image"] = [f"folder/cell-{i}.png" for i in range(n)]
    table["label"] = [classes[k] for k in label]
    table["subject"] = [f"set:S{g}" for g in group]
    return predictions_from_table(table, positive=positive)


def histories(folds: int = 3, epochs: int = 6) -> list[tuple[str, pd.DataFrame]]:
    made = []
    for fold in range(folds):
        loss = 0.7 / np.arange(1, epochs + 1) + 0.01 * fold
        made.append(
            (
                f"fold-{fold}",
                pd.DataFrame(
                    {
                        "epoch": np.arange(1, epochs + 1),
                        "learning_rate": 0.001,
                        "loss": loss,
                        "accuracy": 1 - loss,
                        "validation_loss": loss + 0.1,
                        "validation_accuracy": 0.9 - loss,
                    }
                ),
            )
        )
    return made


def worse(one: Predictions) -> Predictions:
    rng = np.random.default_rng(1)
    frame = one.table.copy()
    frame["p_blast"] = np.clip(frame["p_blast"] + 0.2 * rng.normal(size=len(frame)), 0.01, 0.99)
    frame["p_normal"] = 1 - frame["p_blast"]
    frame["predicted"] = np.where(frame["p_blast"] >= 0.5, "blast", "normal")
    return replace(one, table=frame)


STEPS = np.linspace(0, 1, 21)
SURFACE = Surface(
    STEPS, 2 * STEPS, (STEPS[None, :] + STEPS[:, None]) / 2, "probability", "ratio", (0.3, 0.7),
    {"entropy": 5.0},
)  # fmt: skip


def sets() -> list[Panel]:
    curves = {"low": 1 - STEPS, "middle": 1 - np.abs(2 * STEPS - 1), "high": STEPS}
    score = Panel("score", "score (verdict)", STEPS, dict(curves), (0.3, 0.7))
    return [Panel("ratio", "nucleus-to-cell ratio", 2 * STEPS, curves), score]


BARS = [
    BarRow(
        "CNN-3",
        {
            "published": Bar(0.87),
            "as published": Bar(0.9, 0.8, 0.95, 480, 24),
            "leak-free": Bar(0.7, 0.6, 0.8, 480, 24),
        },
    ),
    BarRow("Selcuk & Ozen", {"published": Bar(0.9391)}),
    BarRow("not run", {}),
]
DRAWS = [0.6, 0.7, 0.75, 0.8, 0.95]
BOXES = [BoxRow("VGG16", {"published": [0.9, 0.92], "leak-free": DRAWS}), BoxRow("none", {})]


def couples(images: list[np.ndarray]) -> list[Pair]:
    """Three pairs of made-up images: two of them identical, one with its label in doubt."""
    sides = [Side(f"folder/cell-{n}.png", image, "blast") for n, image in enumerate(images)]
    return [
        Pair(sides[0], replace(sides[1], said="normal")),
        Pair(sides[1], sides[2], 0.873),
        Pair(sides[3], sides[4]),
    ]


WORDS = {"note": "leak-free (inferred), rendered data", "group_word": "inferred group"}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawing]:
    """Every figure of the registry, of one binary set of predictions."""
    one = predictions()
    metrics = evaluate(one, resamples=FEW)
    confusion = metrics["confusion"]
    cases = worst_errors(one, count=5)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (40 + 60 * k, 50, 3), dtype=np.uint8) for k in range(5)]
    arguments = {
        "roc": (roc(one, resamples=FEW),),
        "precision_recall": (precision_recall(one, resamples=FEW),),
        "confusion": (confusion["labels"], confusion["counts"]),
        "reliability": (reliability(one, resamples=FEW),),
        "decision_curve": (decision_curve(one, resamples=FEW),),
        "risk_coverage": (risk_coverage(one, resamples=FEW),),
        "histograms": (histograms(one),),
        "subjects": (subject_results(one),),
        "learning_curves": (histories(),),
        "gallery": (cases, images),
        "editions": (gap(one, worse(one), resamples=FEW),),
        "bars": (BARS, "Accuracy"),
        "pairs": (couples(images),),
        "box": (BOXES, "Accuracy", "draw"),
        "comparison": (compare(one, worse(one), resamples=FEW),),
        "by_class": (SIZES,),
        "memberships": (sets(),),
        "decision_surface": (SURFACE,),
    }
    more = {"confusion": {"n_groups": 24}, "comparison": {"names": ("cnn-3", "cnn-4")}}
    return {
        name: draw(*arguments[name], **more.get(name, {}), **WORDS)
        for name, draw in FIGURES.items()
    }


def root(drawing: Drawing) -> ET.Element:
    return ET.fromstring(drawing.svg)


def texts(drawing: Drawing) -> list[str]:
    return ["".join(element.itertext()) for element in root(drawing).iter(f"{SVG}text")]


def element(drawing: Drawing, gid: str) -> ET.Element:
    """The element that the figure calls ``gid`` (ids carry the figure's own prefix)."""
    prefix = root(drawing).get("id")
    found = [e for e in root(drawing).iter() if e.get("id") == f"{prefix}-{gid}"]
    assert len(found) == 1, gid
    return found[0]


def points(drawing: Drawing, gid: str) -> np.ndarray:
    """The corners of a line, in the SVG's own units."""
    path = next(element(drawing, gid).iter(f"{SVG}path"))
    numbers = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
    return np.array(numbers, dtype=float)


def markers(drawing: Drawing, gid: str) -> np.ndarray:
    places = [(e.get("x"), e.get("y")) for e in element(drawing, gid).iter(f"{SVG}use")]
    return np.array(places, dtype=float)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_stands_alone_and_can_be_heard(drawn, name):
    drawing = drawn[name]
    svg = root(drawing)
    prefix = svg.get("id")
    assert drawing.svg.startswith("<svg ")
    assert svg.get("role") == "img"
    assert svg.get("width") == "360"
    title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == drawing.title
    assert description.text == f"{drawing.description} Research use only."
    assert not list(svg.iter(f"{SVG}script"))
    ids = [e.get("id") for e in svg.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert all(one.startswith(prefix) for one in ids)
    for e in svg.iter():
        link = e.get(LINK)
        if link is not None:
            assert link.startswith("data:image/png;base64,") or link[1:] in ids
        clip = re.fullmatch(r"url\(#(.*)\)", e.get("clip-path", ""))
        if clip:
            assert clip.group(1) in ids
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", drawing.svg)
    assert "2026" not in drawing.svg.split("<desc")[0], "no date"


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_its_note_and_research_use_only(drawn, name):
    words = texts(drawn[name])
    assert "research use only" in words
    assert "leak-free (inferred), rendered data" in words
    assert drawn[name].title in " ".join(words)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - NOT_OF_PREDICTIONS))
def test_every_result_says_what_it_stands_on(drawn, name):
    under = " ".join(texts(drawn[name]))
    assert re.search(r"480 (images|answers), 24 inferred groups|24 subjects, 24 inferred", under)
    assert "inferred groups" in drawn[name].description


@pytest.mark.parametrize("name", FIGURES)
def test_words_lie_on_the_page(drawn, name):
    """No label begins outside of the page (its end was looked at)."""
    svg = root(drawn[name])
    width, height = map(float, svg.get("viewBox").split()[2:])
    for text in svg.iter(f"{SVG}text"):
        place = re.search(r"translate\((-?[\d.]+) (-?[\d.]+)\)", text.get("transform", ""))
        x, y = (float(v) for v in place.groups()) if place else (
            float(text.get("x")), float(text.get("y")),
        )  # fmt: skip
        assert 0 <= x <= width
        assert 0 <= y <= height


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_a_png_too(drawn, name):
    drawing = drawn[name]
    picture = Image.open(io.BytesIO(drawing.png))
    width, height = map(float, root(drawing).get("viewBox").split()[2:])
    assert picture.format == "PNG"
    assert picture.width == pytest.approx(width * 192 / 72, abs=1.5)
    assert picture.height == pytest.approx(height * 192 / 72, abs=1.5)
    assert np.asarray(picture.convert("L")).std() > 5, "something is drawn"


def test_the_same_input_gives_the_same_bytes():
    one = predictions()
    first, second = (FIGURES["roc"](roc(one, resamples=FEW)) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png


def test_both_files_are_written(tmp_path, drawn):
    svg, png = save(drawn["roc"], tmp_path / "figures")
    assert svg.name == "roc.svg"
    assert svg.read_text().strip() == drawn["roc"].svg
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["roc", "precision_recall"])
def test_curves_lie_where_their_values_are(drawn, name):
    make = {"roc": roc, "precision_recall": precision_recall}[name]
    (curve,) = make(predictions(), resamples=FEW)
    line = points(drawn[name], "curve-blast")
    assert len(line) == len(curve.x)
    for axis, values, sign in ((0, curve.x, 1), (1, curve.y, -1)):
        slope, offset = np.polyfit(values, line[:, axis], 1)
        assert np.sign(slope) == sign
        # Six digits are written; units are points.
        np.testing.assert_allclose(line[:, axis], slope * values + offset, atol=0.01)
    if name == "roc":
        chance = points(drawn[name], "chance")
        np.testing.assert_allclose(chance[0, 0], line[0, 0], atol=0.01)
        np.testing.assert_allclose(chance[1], line[-1], atol=0.01)
        assert any(
            re.fullmatch(r"AUROC 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", t) for t in texts(drawn[name])
        )


def test_confusion_has_counts_and_shares(drawn):
    confusion = evaluate(predictions(), resamples=FEW)["confusion"]
    words = texts(drawn["confusion"])
    for row in confusion["counts"]:
        for count in row:
            assert f"{count:,}" in words
            assert f"{100 * count / sum(row):.1f} %" in words
    assert {"blast", "normal", "Answer", "True class"} <= set(words)


def test_reliability_bins_lie_where_their_values_are(drawn):
    found = reliability(predictions(), resamples=FEW)
    line, perfect = points(drawn["reliability"], "bins"), points(drawn["reliability"], "perfect")
    for axis, values in ((0, found.predicted), (1, found.observed)):
        start, end = perfect[0, axis], perfect[1, axis]
        np.testing.assert_allclose(line[:, axis], start + values * (end - start), atol=0.01)
    words = texts(drawn["reliability"])
    assert "Stated probability of blast" in words
    assert "Share that is blast" in words
    assert f"slope {found.slope.value:.2f}" in " ".join(words)
    assert f"{found.expected_ece:.3f} expected if calibrated" in " ".join(words)
    # The plot has other bins than the error that it quotes.
    assert f"ECE of 15 bins {found.ece.value:.3f}" in " ".join(words)


def test_histograms_are_as_high_as_their_counts(drawn):
    found = histograms(predictions())
    for name, counts in found.counts.items():
        corners = points(drawn["histograms"], f"counts-{name}")
        base = corners[:, 1].max()
        heights = np.unique(np.round(base - corners[:, 1], 2))
        ratio = heights[-1] / counts.max()
        expected = np.unique(np.round(np.append(0, counts) * ratio, 2))
        np.testing.assert_allclose(heights, expected, atol=0.05)
        assert f"{name}: {counts.sum():,} images" in texts(drawn["histograms"])


def test_every_subject_is_a_dot_and_a_stem(drawn):
    found = subject_results(predictions())
    dots, shares = [], []
    for name in found.classes:
        right = markers(drawn["subjects"], f"score-{name}-right")
        wrong = [r for r in found.results if r.label == name and not r.called_right]
        if wrong:
            right = np.vstack([right, markers(drawn["subjects"], f"score-{name}-wrong")])
        dots.append(right)
        shares.append(markers(drawn["subjects"], f"share-{name}"))
    assert sum(len(part) for part in dots) == sum(len(part) for part in shares) == 24
    for name, part in zip(found.classes, shares, strict=True):
        rights = sorted(r.right for r in found.results if r.label == name)
        places = np.sort(part[:, 0])
        slope, offset = np.polyfit(rights, places, 1)
        np.testing.assert_allclose(places, slope * np.array(rights) + offset, atol=0.01)
    assert "S0" in texts(drawn["subjects"])


def test_many_subjects_are_thinned_and_it_is_said():
    one = predictions(groups=240)
    drawing = FIGURES["subjects"](subject_results(one))
    assert "80 of 120 of class blast are drawn" in texts(drawing)


def test_learning_curves_have_each_fold_and_the_mean(drawn):
    drawing = drawn["learning_curves"]
    for column in ("loss", "validation_loss", "accuracy", "validation_accuracy"):
        lines = [points(drawing, f"{column}-fold-{fold}") for fold in range(3)]
        assert all(len(line) == 6 for line in lines)
        np.testing.assert_allclose(
            points(drawing, f"{column}-mean")[:, 1], np.mean(lines, axis=0)[:, 1], atol=0.01
        )
    assert {"Epoch", "Loss (nats)", "Accuracy", "training, mean"} <= set(texts(drawing))


def test_learning_curves_with_the_test_part_as_validation():
    names = {"validation_loss": "test_loss", "validation_accuracy": "test_accuracy"}
    (name, table), *_ = histories(1)
    drawing = FIGURES["learning_curves"]([(name, table.rename(columns=names))])
    assert len(points(drawing, f"test_loss-{name}")) == len(table)
    assert "test part, as validation" in texts(drawing)
    assert "validation" not in texts(drawing)


def test_learning_curves_without_validation():
    tables = [(name, table.drop(columns="validation_loss")) for name, table in histories(1)]
    tables[0][1]["validation_accuracy"] = np.nan
    words = texts(FIGURES["learning_curves"](tables))
    assert "training" in words
    assert "validation" not in words


def test_the_gallery_embeds_its_images(drawn):
    links = [e.get(LINK) for e in root(drawn["gallery"]).iter(f"{SVG}image")]
    assert len(links) == 5
    sizes = [Image.open(io.BytesIO(base64.b64decode(link.split(",")[1]))).size for link in links]
    assert max(max(size) for size in sizes) <= 180, "large images are made small"
    words = texts(drawn["gallery"])
    case = worst_errors(predictions(), count=1)[0]
    assert f"said {case.predicted} {case.probability:.2f}" in words
    assert case.row.removeprefix("folder/") in words


def test_pairs_stand_side_by_side_with_what_the_data_say(drawn):
    svg = root(drawn["pairs"])
    assert len(list(svg.iter(f"{SVG}image"))) == 6
    words = texts(drawn["pairs"])
    assert "3 pairs" in words
    assert words.count("identical pixels") == 2
    assert "fit 0.87" in words
    tints = {
        "".join(e.itertext()): e.get("style")
        for e in svg.iter(f"{SVG}text")
        if "normal" in e.itertext()
    }
    assert "#a33f00" in tints["normal"], "what differs stands out"
    assert "folder/cell-0.png (blast) and folder/cell-1.png (normal)" in drawn["pairs"].description
    few = FIGURES["pairs"](couples([np.zeros((9, 9, 3), np.uint8)] * 5), of=12)
    assert "3 pairs of 12" in texts(few)
    odd = Side("set/a$b_{\n<i>$.png", np.zeros((9, 9, 3), np.uint8), "x & y")
    assert "a$b_{ <i>$.png" in texts(FIGURES["pairs"]([Pair(odd, odd)]))
    with pytest.raises(ReportError, match="no pair"):
        FIGURES["pairs"](())


def test_editions_lie_where_their_values_are(drawn):
    one = predictions()
    found = gap(one, worse(one), resamples=FEW)["metrics"]
    names = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
    values, places = [], []
    for name in names:
        for key in "ab":
            values.append(found[name][key])
            places.append(markers(drawn["editions"], f"value-{key}-{name}")[0, 0])
    slope, offset = np.polyfit(values, places, 1)
    np.testing.assert_allclose(places, slope * np.array(values) + offset, atol=0.01)
    ends = points(drawn["editions"], "interval-a-auroc")[:, 0]
    expected = [found["auroc"]["a_low"], found["auroc"]["a_high"]]
    np.testing.assert_allclose(ends, slope * np.array(expected) + offset, atol=0.01)
    assert "as published" in texts(drawn["editions"])
    assert any(text.startswith("gap +0.") for text in texts(drawn["editions"]))


def test_the_comparison_puts_zero_in_the_middle(drawn):
    one = predictions()
    found = compare(one, worse(one), resamples=FEW)["metrics"]
    drawing = drawn["comparison"]
    zero = points(drawing, "zero")[0, 0]
    for name in ("auroc", "brier"):
        place = markers(drawing, f"value-{name}")[0, 0]
        assert np.sign(place - zero) == np.sign(found[name]["difference"])
    words = texts(drawing)
    assert "Brier score (lower is better)" in words
    assert drawing.title == "cnn-3 − cnn-4"


def test_memberships_lie_where_their_values_are(drawn):
    panel = sets()[0]
    for name, curve in panel.sets.items():
        line = points(drawn["memberships"], f"set-ratio-{name}")
        assert len(line) == len(curve)
        for axis, values in ((0, panel.x), (1, curve)):
            assert abs(np.corrcoef(values, line[:, axis])[0, 1]) > 0.9999
    words = texts(drawn["memberships"])
    assert {"low", "middle", "high", "nucleus-to-cell ratio"} <= set(words)
    assert "1 input and the score" in words


def test_the_surface_says_how_much_each_verdict_takes(drawn):
    low, high = (SURFACE.score < 0.3).mean(), (SURFACE.score >= 0.7).mean()
    told = drawn["decision_surface"].description
    assert f"normal {100 * low:.0f} %" in told
    assert f"blast {100 * high:.0f} %" in told
    words = texts(drawn["decision_surface"])
    assert {"normal", "refer", "blast", "probability", "ratio"} <= set(words)
    assert "entropy at 5.00" in " ".join(words)


def test_several_classes():
    one = predictions(("early", "pre", "pro"))
    confusion = evaluate(one, resamples=FEW)["confusion"]
    assert "early" in texts(FIGURES["confusion"](confusion["labels"], confusion["counts"]))
    drawing = FIGURES["roc"](roc(one, resamples=FEW))
    assert drawing.title == "ROC curves, each class alone"
    for name in ("early", "pre", "pro"):
        assert len(points(drawing, f"curve-{name}")) == 201
    assert "Highest probability" in texts(FIGURES["histograms"](histograms(one)))
    assert "Share that is right" in texts(FIGURES["reliability"](reliability(one, resamples=FEW)))
    assert "Results by subject" in texts(FIGURES["subjects"](subject_results(one)))


def test_strange_names_stay_words():
    name = 'a<b & "c"'
    one = predictions((name, "normal"), positive=name)
    confusion = evaluate(one, resamples=FEW)["confusion"]
    draw = FIGURES["confusion"]
    drawing = draw(confusion["labels"], confusion["counts"], note="<script>x</script>")
    assert name in texts(drawing)
    assert "<script" not in drawing.svg
    assert " " not in "".join(e.get("id") or "" for e in root(drawing).iter())
    assert name in FIGURES["roc"](roc(one, resamples=FEW)).title


def test_what_cannot_be_drawn_says_why():
    one = predictions()
    with pytest.raises(ReportError, match="ROC curve: no curve to draw"):
        FIGURES["roc"](())
    with pytest.raises(ReportError, match="Precision and recall: no curve to draw"):
        FIGURES["precision_recall"](())
    with pytest.raises(ReportError, match="no history to draw"):
        FIGURES["learning_curves"]([])
    with pytest.raises(ReportError, match=r"fold-0: history\.csv lacks column 'loss'"):
        FIGURES["learning_curves"]([("fold-0", histories(1)[0][1].drop(columns="loss"))])
    with pytest.raises(ReportError, match="2 cases and 0 images"):
        FIGURES["gallery"](worst_errors(one, count=2), [])
    outcome = compare(one, worse(one), metrics=["mcc"], resamples=FEW)
    with pytest.raises(ReportError, match="none of auroc was compared"):
        FIGURES["comparison"](outcome, metrics=["auroc"])
    with pytest.raises(ReportError, match="was measured in both editions"):
        FIGURES["editions"](outcome)


def test_bars_are_as_long_as_their_values(drawn):
    drawing = drawn["bars"]
    widths = {}
    for series in ("published", "as-published", "leak-free"):
        path = next(element(drawing, f"bar-CNN-3-{series}").iter(f"{SVG}path"))
        x = [float(v) for v, _ in re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d"))]
        widths[series] = max(x) - min(x)
    assert widths["as-published"] / widths["published"] == pytest.approx(0.9 / 0.87, rel=1e-3)
    assert widths["leak-free"] / widths["published"] == pytest.approx(0.7 / 0.87, rel=1e-3)
    ends = points(drawing, "interval-CNN-3-leak-free")[:, 0]
    assert np.ptp(ends) / widths["published"] == pytest.approx(0.2 / 0.87, rel=1e-3)
    words = texts(drawing)
    assert {"published", "as published", "leak-free", "0.939"} <= set(words)
    assert "not run" not in words, "a row without a bar is left out"


def test_a_box_has_every_value_and_its_median(drawn):
    drawing = drawn["box"]
    places = markers(drawing, "values-VGG16-leak-free")[:, 0]
    assert len(places) == len(DRAWS)
    # Values lie on one scale: a straight line through them.
    slope, cut = np.polyfit(DRAWS, places, 1)
    assert places == pytest.approx(slope * np.array(DRAWS) + cut, abs=0.01)
    median = points(drawing, "median-VGG16-leak-free")[:, 0]
    assert median == pytest.approx(slope * 0.75 + cut, abs=0.01)
    assert "leak-free median 0.750 (0.600 to 0.950)" in drawing.description


def test_bars_and_boxes_refuse_what_they_cannot_draw():
    with pytest.raises(ReportError, match="nothing was published or measured"):
        bars([BarRow("a", {})], "Accuracy")
    with pytest.raises(ReportError, match="'holdout' is none of published"):
        bars([BarRow("a", {"holdout": Bar(0.5)})], "Accuracy")
    with pytest.raises(ReportError, match="nothing was published or measured"):
        box([BoxRow("a", {"leak-free": []})], "Accuracy", "fold")
    with pytest.raises(ReportError, match="'holdout' is none of published"):
        box([BoxRow("a", {"holdout": [0.5]})], "Accuracy", "fold")


def test_curves_of_several_systems_say_so():
    one = roc(predictions(), resamples=FEW)[0]
    two = [replace(one, name="CNN-3"), replace(one, name="CNN-4")]
    drawing = FIGURES["roc"](two, of="each system")
    assert drawing.title == "ROC curves, each system"
    assert any(text.startswith("CNN-4 0.") for text in texts(drawing))


def test_test_accuracies_are_points_on_the_learning_curves():
    drawing = FIGURES["learning_curves"](histories(1), tested=[(2, 0.5), (6, 0.8)])
    assert len(markers(drawing, "test-accuracy")) == 2
    assert "Test accuracy: 0.500 after 2, 0.800 after 6" in drawing.description


def test_a_measurement_by_class_has_a_panel_a_class_in_shares(drawn):
    words = texts(drawn["by_class"])
    assert "blast: 40 images, 2 without" in words
    assert "normal: 50 images" in words
    assert "Width (pixels)" in words
    assert "90 %" in words, "the axis ends at the highest share, 45 of 50"
    heights = {}
    for name in ("blast", "normal"):
        path = next(element(drawn["by_class"], f"counts-{name}").iter(f"{SVG}path"))
        y = [float(v) for _, v in re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d"))]
        heights[name] = max(y) - min(y)
    assert heights["normal"] / heights["blast"] == pytest.approx(0.9 / 0.75, rel=1e-3)


def test_a_category_by_class_names_its_categories():
    drawing = by_class(
        MeasuredByClass("file format", {"a": (3, 0), "b": (0, 4)}, categories=("JPEG", "PNG"))
    )
    assert {"JPEG", "PNG", "a: 3 images", "b: 4 images"} <= set(texts(drawing))
    with pytest.raises(ReportError, match="2 bins"):
        by_class(MeasuredByClass("x", {"a": (1,)}, edges=(0, 1, 2)))
