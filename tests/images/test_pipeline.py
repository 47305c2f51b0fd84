"""The pipeline: order, fitting on what is handed over, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.errors import ImageError
from leukoscope.images.filters import gaussian, median
from leukoscope.images.pipeline import (
    Pipeline,
    apply,
    fit,
    from_json,
    normalise,
    pipeline_load,
    pipeline_save,
    to_json,
)
from leukoscope.images.resize import resize
from leukoscope.images.stains import fit_macenko, fit_reinhard, macenko, reinhard
from leukoscope.images.steps import (
    Clahe,
    Colour,
    CropCell,
    CropCentre,
    Gaussian,
    Macenko,
    Median,
    Reinhard,
    Resize,
    Unsharp,
)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def cell(seed: int, side: int = 96) -> Pixels:
    """A purple disc with texture on a light ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] - side / 2
    disc = (rows**2 + columns**2 < (side / 3) ** 2)[..., None]
    purple = rng.normal((110 + 20 * (seed % 3), 60, 140), 18, (side, side, 3))
    ground = rng.normal((235, 230, 225), 3, (side, side, 3))
    return np.clip(np.where(disc, purple, ground), 0, 255).astype(np.uint8)


CELLS = [cell(seed) for seed in range(5)]


def test_without_steps_it_is_the_resize() -> None:
    result = apply(Pipeline(32), CELLS[0])
    assert np.array_equal(result, resize(CELLS[0], (32, 32)))
    assert (result.shape, result.dtype) == ((32, 32, 3), np.uint8)


def test_steps_are_made_in_their_order_and_the_resize_where_it_is_named() -> None:
    steps = (Median(size=5), Gaussian(sigma=1.5))
    before = apply(Pipeline(32, steps), CELLS[0])
    assert np.array_equal(before, resize(gaussian(median(CELLS[0], 5), 1.5), (32, 32)))
    after = apply(Pipeline(32, (Resize(filter="area"), *steps)), CELLS[0])
    assert np.array_equal(after, gaussian(median(resize(CELLS[0], (32, 32), "area"), 5), 1.5))
    assert not np.array_equal(before, apply(Pipeline(32, steps[::-1]), CELLS[0]))


@pytest.mark.parametrize(
    "step",
    [Median(), Gaussian(), Unsharp(), Clahe(), Colour(), CropCell(), CropCentre(share=0.5)],
    ids=lambda step: step.name,
)
def test_every_plain_step_runs_and_changes_something(step: Any) -> None:
    result = apply(Pipeline(40, (step,)), CELLS[1])
    assert result.shape == (40, 40, 3)
    assert not np.array_equal(result, apply(Pipeline(40), CELLS[1]))


def test_odd_shapes_and_single_pixels_come_out_square() -> None:
    for shape in ((1, 1), (1, 300), (37, 5), (33, 32)):
        image = np.full((*shape, 3), 90, np.uint8)
        for steps in ((), (CropCell(),), (Clahe(), Unsharp())):
            result = apply(Pipeline(32, steps), image)
            assert result.shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("step", "fitter", "applier"),
    [(Reinhard(), fit_reinhard, reinhard), (Macenko(), fit_macenko, macenko)],
    ids=["reinhard", "macenko"],
)
def test_a_fitted_step_sees_only_what_is_handed_over(step: Any, fitter: Any, applier: Any) -> None:
    pipeline = Pipeline(96, (step,))
    assert pipeline.needs_fit
    fitted = fit(pipeline, CELLS[:3])
    assert not fitted.needs_fit
    expected = fitter(CELLS[:3])
    assert fitted.fitted is not None
    for name, value in expected.items():
        assert np.array_equal(fitted.fitted.steps[0][name], value)
    assert np.array_equal(apply(fitted, CELLS[4]), applier(CELLS[4], expected))
    assert fit(pipeline, CELLS[1:4]).digest != fitted.digest


def test_a_fitted_step_is_fitted_behind_the_steps_before_it() -> None:
    fitted = fit(Pipeline(32, (Gaussian(sigma=2), Reinhard())), iter(CELLS))
    expected = fit_reinhard(gaussian(image, 2) for image in CELLS)
    assert fitted.fitted is not None
    assert np.array_equal(fitted.fitted.steps[1]["mean"], expected["mean"])


def test_several_fits_take_several_passes_even_over_a_generator() -> None:
    pipeline = Pipeline(32, (Reinhard(), Macenko()), subtract_mean_image=True)
    once = fit(pipeline, (image for image in CELLS))
    again = fit(pipeline, CELLS)
    assert once.digest == again.digest
    assert once.fitted is not None
    assert once.fitted.mean_image is not None
    stored = np.stack([apply(once, image) for image in CELLS])
    assert np.allclose(once.fitted.mean_image, stored.mean(axis=0), atol=1e-4)


def test_what_is_not_fitted_cannot_be_used() -> None:
    with pytest.raises(ImageError, match="macenko must be fitted on training images"):
        apply(Pipeline(32, (Macenko(),)), CELLS[0])
    with pytest.raises(ImageError, match="the mean image must be fitted on training images"):
        normalise(Pipeline(32, subtract_mean_image=True), np.zeros((1, 32, 32, 3), np.uint8))
    with pytest.raises(ImageError, match="there is no training image to take the mean image from"):
        fit(Pipeline(32, subtract_mean_image=True), [])


def test_orders_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ImageError, match="2 resize steps; at most one"):
        Pipeline(32, (Resize(), Resize()))
    with pytest.raises(ImageError, match="'clahe' comes after 'colour', but it works on RGB"):
        Pipeline(32, (Colour(), Clahe()))
    with pytest.raises(ImageError, match="'crop-cell' comes after 'colour'"):
        Pipeline(32, (Colour(), CropCell()))
    with pytest.raises(ImageError, match="'crop-centre' comes after 'resize'"):
        Pipeline(32, (Resize(), CropCentre()))
    assert Pipeline(32, (Colour(), Resize())).size == 32


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("unit", [0, 0.2, 1]), ("symmetric", [-1, -0.6, 1]), ("none", [0, 51, 255])],
)
def test_scales(scale: Any, expected: list[float]) -> None:
    batch = np.zeros((1, 1, 3, 3), np.uint8)
    batch[0, 0, :, :] = np.array([0, 51, 255])[:, None]
    result = normalise(Pipeline(1, scale=scale), batch)
    assert result.dtype == np.float32
    assert result[0, 0, :, 0].tolist() == pytest.approx(expected)


def test_the_mean_image_is_subtracted_before_the_scale() -> None:
    fitted = fit(Pipeline(32, subtract_mean_image=True), CELLS)
    stored = np.stack([apply(fitted, image) for image in CELLS])
    expected = (stored.astype(np.float64) - stored.mean(axis=0)) / 255
    assert np.allclose(normalise(fitted, stored), expected, atol=1e-6)
    symmetric = fit(Pipeline(32, scale="symmetric", subtract_mean_image=True), CELLS)
    assert np.allclose(normalise(symmetric, stored), expected * 2, atol=1e-6)


def test_the_digest_is_of_what_decides_stored_pixels() -> None:
    base = Pipeline(32, (Median(),))
    assert base.digest == Pipeline(32, (Median(size=3),), scale="none").digest
    assert base.digest == Pipeline(32, (Median(),), subtract_mean_image=True).digest
    others = [Pipeline(33, (Median(),)), Pipeline(32), Pipeline(32, (Median(size=5),))]
    assert len({base.digest, *(other.digest for other in others)}) == 4


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [Median(), Gaussian(sigma=0.5), Unsharp(), Clahe(), CropCell(), Reinhard()]
        ),
        max_size=4,
    ),
    st.sampled_from(["unit", "symmetric", "none"]),
    st.booleans(),
)
def test_a_saved_pipeline_makes_the_same_pixels(
    steps: list[Any], scale: Any, subtract: bool
) -> None:
    fitted = fit(Pipeline(24, tuple(steps), scale, subtract), CELLS)
    table = json.loads(json.dumps(to_json(fitted)))
    mean = None if fitted.fitted is None else fitted.fitted.mean_image
    again = from_json(table, mean)
    assert again.digest == fitted.digest
    one, two = apply(fitted, CELLS[0]), apply(again, CELLS[0])
    assert np.array_equal(one, two)
    assert np.array_equal(normalise(fitted, one[None]), normalise(again, two[None]))


def test_files_of_a_pipeline(tmp_path: Path) -> None:
    fitted = fit(Pipeline(24, (Macenko(), Resize(filter="area")), subtract_mean_image=True), CELLS)
    pipeline_save(fitted, tmp_path)
    again = pipeline_load(tmp_path)
    assert again.digest == fitted.digest
    stored = apply(again, CELLS[2])
    assert np.array_equal(normalise(again, stored[None]), normalise(fitted, stored[None]))
    unfitted = Pipeline(24, (Macenko(),))
    pipeline_save(unfitted, tmp_path / "plain")
    assert pipeline_load(tmp_path / "plain") == unfitted


def test_damaged_files_of_a_pipeline(tmp_path: Path) -> None:
    fitted = fit(Pipeline(24, subtract_mean_image=True), CELLS)
    pipeline_save(fitted, tmp_path)
    (tmp_path / "mean-image.npy").write_bytes(b"no")
    with pytest.raises(ImageError, match=r"mean-image\.npy: the mean image cannot be read"):
        pipeline_load(tmp_path)
    table = to_json(fitted)
    del table["steps"]
    with pytest.raises(ImageError, match=r"is no preprocessing that leukoscope wrote .*steps"):
        from_json(table)
    (tmp_path / "pipeline.json").write_text('{"schema": 99}')
    with pytest.raises(ImageError, match="written by a newer leukoscope"):
        pipeline_load(tmp_path)
