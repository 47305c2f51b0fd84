"""Which processor computes, and which of its number formats are native."""

from __future__ import annotations

import torch

from ..errors import ExperimentError

__all__ = ["choose_device", "choose_precision", "describe_devices", "native_bfloat16"]


def choose_device(wanted: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda`` as a device.

    Raises
    ------
    ExperimentError
        When CUDA is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise ExperimentError(
            "training.device is 'cuda', but torch finds no CUDA device here. "
            "Use 'auto' or 'cpu', or see: leukoscope doctor."
        )
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware, so that it is faster."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older torches do not tell what the processor can do; then float32 is used.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """``float32``, ``bfloat16`` or ``auto`` as a dtype for the matrix products."""
    if wanted == "auto":
        wanted = "bfloat16" if native_bfloat16(device) else "float32"
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


def describe_devices() -> list[tuple[str, bool, str]]:
    """For ``doctor``: (what, whether it is there, one line) for each device and format."""
    cpu = torch.device("cpu")
    rows = [
        (
            "bfloat16",
            native_bfloat16(cpu),
            "native on this processor" if native_bfloat16(cpu) else "not native: float32 is used",
        )
    ]
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        rows.append(("CUDA", True, ", ".join(names)))
    else:
        rows.append(("CUDA", False, "no device: training runs on the processor"))
    return rows
