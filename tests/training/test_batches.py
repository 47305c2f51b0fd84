"""What the network sees is what ``images.pipeline.normalise`` says."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest
import torch

from leukoscope.errors import ExperimentError
from leukoscope.images.pipeline import Fitted, Pipeline, normalise
from leukoscope.training import device as devices
from leukoscope.training.batches import normaliser_of
from leukoscope.training.memory import keep_freed_memory
from leukoscope.training.seeds import numpy_stream, stream_seed, torch_stream


@pytest.mark.parametrize("scale", ["unit", "symmetric", "none", "standard"])
@pytest.mark.parametrize("mean_image", [False, True])
def test_torch_normalises_as_numpy_does(scale: str, mean_image: bool) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    mean = rng.random((12, 12, 3), dtype=np.float32) * 255 if mean_image else None
    pipeline = Pipeline(
        12,
        (),
        scale,  # type: ignore[arg-type]
        mean_image,
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        Fitted({}, mean),
    )
    normaliser = normaliser_of(pipeline, torch.device("cpu"))
    found = normaliser(normaliser.load(pixels))
    assert found.is_contiguous(memory_format=torch.channels_last)
    # One float32 rounding more or less.
    np.testing.assert_allclose(
        found.permute(0, 2, 3, 1).numpy(), normalise(pipeline, pixels), rtol=1e-6, atol=1e-6
    )


def test_loading_never_writes_to_the_store() -> None:
    pixels = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    normaliser = normaliser_of(Pipeline(8), torch.device("cpu"))
    values = normaliser.load(pixels)
    values += 1
    assert not pixels.any()


def test_streams_differ_by_fold_purpose_and_epoch() -> None:
    names = [(0, 0, "order", 0), (0, 0, "order", 1), (0, 1, "order", 0), (1, 0, "order", 0)]
    names.append((0, 0, "dropout", 0))
    assert len({stream_seed(*name) for name in names}) == len(names)
    assert numpy_stream(*names[0]).random() == numpy_stream(*names[0]).random()
    first, again = (torch.rand(3, generator=torch_stream(*names[0])) for _ in range(2))
    assert torch.equal(first, again)


def test_cuda_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.choose_device("auto").type == "cpu"
    with pytest.raises(ExperimentError, match=r"training.device is 'cuda', but torch finds no"):
        devices.choose_device("cuda")


def test_auto_takes_bfloat16_only_where_it_is_native(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for native, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(devices, "native_bfloat16", lambda _, native=native: native)
        assert devices.choose_precision("auto", cpu) is expected
    assert devices.choose_precision("float32", cpu) is torch.float32
    assert devices.choose_precision("bfloat16", cpu) is torch.bfloat16


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_freed_memory_is_kept_where_there_is_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep_freed_memory() == hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
