"""Whether two small grey pictures show the same thing, whichever way round.

Candidates
    The magnitude of a picture's spectrum does not change when the picture is moved, and is
    turned and mirrored with it; cosines between magnitudes propose pairs. What is coarser than
    chromatin is taken away before, because all round cells look alike in it.
Confirmation
    Each pair is laid over each other at every shift (normalised cross-correlation of the detail
    inside both masks, Padfield 2012, IEEE Trans. Image Process. 21(5):2670) in all eight
    orientations. It counts where the fit rests on enough details to be no chance, and leaves at
    most half the misfit of the best other orientation: a round dark lymphocyte fits any other
    in several orientations about equally well, a true twin fits in one.

A picture that is turned by another angle than a right one, by more than about five degrees, or
of which less than half is left, is not found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress

__all__ = ["SIDE", "Details", "confirm", "details", "likely_pairs"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Pair = tuple[int, int]
SILENT = Progress(quiet=True)

SIDE = 96
"""Side of the grey pictures that are compared, in pixels."""
DARK = 8
"""Grey values up to this are blank background (C-NMC's is exactly black)."""
COARSE = 3.0
"""Standard deviation in pixels of the blur that is taken away."""
RIM = 5
"""Pixels along a mask's edge that are left out: segmentation differs there, not the cell."""
BAND = 20
"""Frequencies up to this many cycles a side are compared for candidates."""
NEIGHBOURS = 10
"""At most so many candidates are looked at for one picture."""
LIKELY = 0.65
"""Cosine of two spectra from which a pair is a candidate."""
PADDED = 128
"""Side of the padded transforms: shifts up to ``PADDED - SIDE`` are tried."""
OVERLAP = 0.5
"""Share of the smaller mask that two pictures must have in common."""
FIT = 0.55
"""Correlation of the detail below which a pair is never confirmed."""
MISFIT_RATIO = 0.5
"""A confirmed fit leaves at most this share of the misfit of the best other orientation."""
DETAIL_PX = 16
"""Pixels that one independent detail takes at this size."""
SURE = 10.0
"""Standard errors (Fisher's transform of the correlation, one observation a detail) that a fit
is above none. Different real cells that passed the other rules had 2 at most (a few pixels fit
anything), smooth drawn ones 8; true twins cut out on black 14 and more, in whole fields 17."""
CELLS = 2**24
"""Cosines that are held at a time."""
BLOCK = 32
"""Pairs that are laid over each other at a time."""


class Details:
    """Pictures without their coarse part: ``detail`` (n, SIDE, SIDE) and ``mask``, as bytes.

    Kept in eight bits, so that 15,000 pictures take 280 MB and not 1.1 GB.
    """

    def __init__(
        self, detail: NDArray[np.int8], mask: NDArray[np.bool_], sides: NDArray[np.intp]
    ) -> None:
        self.detail = detail
        self.mask = mask
        # A picture that was enlarged has no more details than its own pixels, two a side, hold.
        self.detail_px = np.maximum(DETAIL_PX, (2 * SIDE / np.maximum(sides, 1)) ** 2)
        self.usable = detail.any(axis=(1, 2))

    def __len__(self) -> int:
        return len(self.detail)


def details(pictures: Bytes, sides: Sequence[int] | None = None) -> Details:
    """Take blank background and coarse structure away from (n, SIDE, SIDE) grey pictures.

    ``sides`` are the shorter sides that they had before they were brought to SIDE.
    """
    import cv2

    detail = np.zeros(pictures.shape, np.int8)
    mask = np.zeros(pictures.shape, np.bool_)
    rim = np.ones((RIM, RIM), np.uint8)
    for number, picture in enumerate(pictures):
        inside = cv2.erode((picture > DARK).astype(np.uint8), rim).astype(np.float32)
        seen = picture.astype(np.float32) * inside
        weight = cv2.GaussianBlur(inside, (0, 0), COARSE)
        fine = (seen - cv2.GaussianBlur(seen, (0, 0), COARSE) / np.maximum(weight, 1e-6)) * inside
        spread = float(np.sqrt(np.sum(fine**2) / max(float(inside.sum()), 1.0)))
        # One grey level of spread is less than what JPEG and rounding leave in a blank image.
        if spread >= 1.0:
            detail[number] = np.clip(np.rint(fine * (24.0 / spread)), -127, 127)
            mask[number] = inside > 0
    known = [SIDE] * len(pictures) if sides is None else sides
    return Details(detail, mask, np.array(known, dtype=np.intp))


def _turned(picture: Floats, orientation: int) -> Floats:
    """One of the eight orientations of (..., SIDE, SIDE): 0-3 turned, 4-7 transposed first."""
    if orientation >= 4:
        picture = np.swapaxes(picture, -1, -2)
    return np.rot90(picture, orientation % 4, axes=(-2, -1))


def _spectra(given: Details) -> Floats:
    """For each picture the upper half of its spectrum's magnitude, as unit vectors.

    The mean over each ring of frequencies is taken away: how much detail of a size there is says
    more about the focus than about the cell. Nothing depends on the other pictures.
    """
    import cv2
    import scipy.fft

    window = np.hanning(SIDE).astype(np.float32)
    window = window[:, None] * window[None, :]
    low, high = SIDE // 2 - BAND, SIDE // 2 + BAND + 1
    across = np.arange(-BAND, BAND + 1)
    ring = np.rint(np.hypot(across[:, None], across[None, :])).astype(np.intp)
    members = np.bincount(ring.ravel())
    spectra = np.empty((len(given), high - low, high - low), np.float32)
    for number, detail in enumerate(given.detail):
        magnitude = np.abs(scipy.fft.fft2(detail * window))
        kept = np.fft.fftshift(magnitude)[low:high, low:high] ** 0.5
        smooth = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 1.0)
        means = np.bincount(ring.ravel(), smooth.ravel()) / members
        spectra[number] = np.where(ring <= BAND, smooth - means[ring], 0)
    length = np.sqrt(np.sum(spectra**2, axis=(1, 2), keepdims=True))
    spectra /= np.maximum(length, 1e-6)
    return spectra


def likely_pairs(given: Details, progress: Progress = SILENT) -> list[Pair]:
    """Pairs (i < j) of pictures whose spectra are alike, at most ``NEIGHBOURS`` for each picture.

    Every picture is compared with every other one, as matrix products in blocks: about 10 s on
    one core for 15,000 pictures, and 4 KB of memory a picture.
    """
    spectra = _spectra(given)
    count = len(spectra)
    # A magnitude is the same upside down, so half of it says all, and of the eight orientations
    # only four differ. The window is even-sided, which shifts its centre by half a pixel: no
    # matter for magnitudes.
    half = (2 * BAND + 1) ** 2 // 2
    table = np.ascontiguousarray(spectra.reshape(count, -1)[:, :half])
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-6)
    pairs: set[Pair] = set()
    rows = max(1, CELLS // max(count, 1))
    for start in progress.track(
        range(0, count, rows), "looking for similar images", -(-count // rows)
    ):
        block = slice(start, min(start + rows, count))
        # Later rows only: a pair is found from its earlier picture.
        best = np.full((block.stop - start, count - start), -1, np.float32)
        for way in (0, 1, 4, 5):
            turned = _turned(spectra[block], way).reshape(block.stop - start, -1)[:, :half]
            turned = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-6)
            np.maximum(best, turned @ table[start:].T, out=best)
        for row, cosines in enumerate(best):
            cosines[: row + 1] = -1
            near = np.flatnonzero(cosines >= LIKELY)
            if len(near) > NEIGHBOURS:
                near = near[np.argpartition(-cosines[near], NEIGHBOURS)[:NEIGHBOURS]]
            pairs.update((start + row, start + int(other)) for other in near)
    return sorted(pairs)


def confirm(
    given: Details, pairs: list[Pair], progress: Progress = SILENT
) -> list[tuple[int, int, float]]:
    """Those of the pairs that show the same thing, with their correlation (0.55 to 1)."""
    found = []
    blocks = range(0, len(pairs), BLOCK)
    for start in progress.track(blocks, "comparing similar images", len(blocks)):
        block = np.array(pairs[start : start + BLOCK])
        block = block[_may_fit(given, block[:, 0], block[:, 1])]
        if not len(block):
            continue
        fits, shared = fit(given, block[:, 0], block[:, 1])
        rows, best = np.arange(len(block)), fits.argmax(axis=1)
        first, area = fits[rows, best], shared[rows, best]
        fits[rows, best] = -1
        second = np.maximum(fits.max(axis=1), 0)
        count = area / np.maximum(*given.detail_px[block.T])
        sure = np.arctanh(np.clip(first, -0.9999, 0.9999)) * np.sqrt(count) >= SURE
        same = (first >= FIT) & (1 - first <= MISFIT_RATIO * (1 - second)) & sure
        found += [
            (int(i), int(j), float(r)) for (i, j), r in zip(block[same], first[same], strict=True)
        ]
    return found


def _may_fit(
    given: Details, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which pairs could fit at all, by the correlation over all pixels instead of the overlap.

    A fifth of the work of ``fit``, and it says no to most pairs. Of a fit over half a picture it
    sees about half.
    """
    import scipy.fft

    still = given.detail[second].astype(np.float32)
    moving = given.detail[first].astype(np.float32)
    energy = np.sqrt(np.sum(still**2, axis=(1, 2)) * np.sum(moving**2, axis=(1, 2)))
    spectrum = np.conj(scipy.fft.rfft2(still, (PADDED, PADDED)))
    best = np.zeros(len(first), np.float32)
    for way in range(8):
        turned = scipy.fft.rfft2(_turned(moving, way), (PADDED, PADDED))
        sums = scipy.fft.irfft2(turned * spectrum, (PADDED, PADDED))
        np.maximum(best, sums.max(axis=(1, 2)) / np.maximum(energy, 1), out=best)
    return best >= FIT * OVERLAP


def fit(given: Details, first: NDArray[np.intp], second: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Best correlation over all shifts, and pixels it rests on: (pairs, orientations) each.

    Padfield's equation 12: sums over the overlap of two masks, for every shift at once, are
    products of spectra.
    """
    import scipy.fft

    size = (PADDED, PADDED)

    def forward(pictures: Floats) -> NDArray[np.complex64]:
        spectrum: NDArray[np.complex64] = scipy.fft.rfft2(pictures, size)
        return spectrum

    def parts(pictures: Floats, masks: Floats) -> NDArray[np.complex64]:
        return np.stack([forward(part) for part in (masks, pictures, pictures**2)])

    def sums(product: NDArray[np.complex64]) -> Floats:
        values: Floats = scipy.fft.irfft2(product, size)
        return values

    scale = np.float32(1 / 24)
    still = given.detail[second].astype(np.float32) * scale
    still_mask = given.mask[second].astype(np.float32)
    mask_b, fine_b, square_b = np.conj(parts(still, still_mask))
    moving = given.detail[first].astype(np.float32) * scale
    moving_mask = given.mask[first].astype(np.float32)
    needed = OVERLAP * np.minimum(moving_mask.sum(axis=(1, 2)), still_mask.sum(axis=(1, 2)))
    best, shared = np.empty((2, len(first), 8), np.float32)
    for way in range(8):
        mask_a, fine_a, square_a = parts(_turned(moving, way), _turned(moving_mask, way))
        area = np.maximum(sums(mask_a * mask_b), 1)
        sum_a, sum_b = sums(fine_a * mask_b), sums(mask_a * fine_b)
        spread_a = sums(square_a * mask_b) - sum_a**2 / area
        spread_b = sums(mask_a * square_b) - sum_b**2 / area
        product = sums(fine_a * fine_b) - sum_a * sum_b / area
        # Where little detail overlaps the ratio is noise: a tenth of the usual variance is asked.
        floor = 0.1 * area
        spread = np.sqrt(np.maximum(spread_a, floor) * np.maximum(spread_b, floor))
        fits = np.where(area >= needed[:, None, None], product / spread, -1)
        flat = fits.reshape(len(first), -1)
        peak = flat.argmax(axis=1)[:, None]
        best[:, way] = np.take_along_axis(flat, peak, axis=1)[:, 0]
        shared[:, way] = np.take_along_axis(area.reshape(flat.shape), peak, axis=1)[:, 0]
    return np.minimum(best, 1), shared
