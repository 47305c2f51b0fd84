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
of which less than half is left, is not found. ``benchmarks/planted_duplicates.py`` counts what is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress

__all__ = ["SIDE", "VERSION", "Details", "confirm", "likely_pairs"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Pair = tuple[int, int]
SILENT = Progress(quiet=True)

VERSION = 2
"""Raised when the same pictures would give other pairs, so that none is taken from the cache."""
SIDE = 96
"""Side of the grey pictures that are compared, in pixels."""
DARK = 8
"""Grey values up to this are blank background (C-NMC's is exactly black)."""
COARSE = 3.0
"""Standard deviation in pixels of the blur that is taken away."""
OUTSIDE = -128
"""Stands in the detail of a picture for what lies outside its mask."""
RIM = 5
"""Pixels along a mask's edge that are left out: segmentation differs there, not the cell."""
BAND = 20
"""Frequencies up to this many cycles a side are compared for candidates."""
NEIGHBOURS = 10
"""At most so many candidates are looked at for one picture."""
LIKELY = 0.6
"""Cosine of two spectra from which a pair is a candidate."""
PADDED = 128
"""Side of the padded transforms: shifts up to ``PADDED - SIDE`` are tried."""
OVERLAP = 0.5
"""Share of the smaller mask that two pictures must have in common."""
FIT = 0.55
"""Correlation of the detail below which a pair is never confirmed."""
DETAIL_PX = 16
"""Pixels that one independent detail takes at this size."""
RULES = ((0.5, 12.0), (1 / 3, 7.0))
"""A confirmed fit leaves at most this share of the misfit of the best other orientation, and is
above none by so many standard errors (Fisher's transform of the correlation, one observation a
detail): the fewer details there are, the clearer must be that no other orientation does. A few
pixels fit anything, and of smooth drawn cells different ones had (0.46, 10) and (0.43, 8); true
twins of small cells cut out on black (0.26, 8), others (0.35, 15) and whole fields 17 and more."""
HALF = (2 * BAND + 1) ** 2 // 2
"""Values in half a spectrum of frequencies up to ``BAND``, without its middle, which is zero."""
CELLS = 2**20
"""Cosines that are held at a time: 4 MB, twice."""
BLOCK = 32
"""Pairs that are laid over each other at a time."""


class Details:
    """Pictures without blank background and coarse structure.

    What is laid over each other later, a byte a pixel, waits in a temporary file (nameless, gone
    when closed; 9 KB a picture, where ``TMPDIR`` says) and is read a few pictures at a time: by
    ``seek``, because mapped pages would count as memory of the process. Only what every picture
    is compared with every other one by is held: half a spectrum, 3 KB a picture.

    Parameters
    ----------
    most
        How many pictures may be added.
    """

    def __init__(self, most: int) -> None:
        self._file = tempfile.TemporaryFile(prefix="leukoscope-")  # noqa: SIM115
        # Pages that are never written are never taken.
        self._spectra = np.empty((most, HALF), np.float32)
        self._sides: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._sides)

    def add(self, picture: Bytes, side: int = SIDE) -> None:
        """Add a grey picture (SIDE, SIDE) whose longer side was ``side`` before."""
        fine = _fine(picture)
        self._spectra[len(self)] = _half_spectrum(np.where(fine == OUTSIDE, 0, fine))
        self._file.seek(0, os.SEEK_END)
        self._file.write(fine.tobytes())
        self._sides.append(side)

    @property
    def spectra(self) -> Floats:
        """Half of each picture's spectrum as a unit vector, (n, HALF); blank ones are zero."""
        return self._spectra[: len(self)]

    @property
    def detail_px(self) -> NDArray[np.float64]:
        """Pixels that one independent detail of each picture takes.

        A picture that was enlarged has no more details than its own pixels, two a side, hold.
        """
        return np.maximum(DETAIL_PX, (2 * SIDE / np.maximum(self._sides, 1)) ** 2)

    def read(self, rows: Iterable[int]) -> tuple[Floats, Floats]:
        """Detail, with a spread of 24, and mask, 0 or 1, of some pictures: (n, SIDE, SIDE) each."""
        fine = np.stack([self._read(int(row)) for row in rows])
        mask = fine != OUTSIDE
        return np.where(mask, fine, 0).astype(np.float32), mask.astype(np.float32)

    def _read(self, row: int) -> NDArray[np.int8]:
        self._file.seek(row * SIDE * SIDE)
        return np.frombuffer(self._file.read(SIDE * SIDE), np.int8).reshape(SIDE, SIDE)


def _fine(picture: Bytes) -> NDArray[np.int8]:
    """A picture without its coarse part, with a spread of 24; OUTSIDE where nothing is compared."""
    import cv2

    rim = np.ones((RIM, RIM), np.uint8)
    inside = cv2.erode((picture > DARK).astype(np.uint8), rim).astype(np.float32)
    seen = picture.astype(np.float32) * inside
    weight = cv2.GaussianBlur(inside, (0, 0), COARSE)
    fine = (seen - cv2.GaussianBlur(seen, (0, 0), COARSE) / np.maximum(weight, 1e-6)) * inside
    spread = float(np.sqrt(np.sum(fine**2) / max(float(inside.sum()), 1.0)))
    # One grey level of spread is less than what JPEG and rounding leave in a blank image.
    if spread < 1.0:
        return np.full(picture.shape, OUTSIDE, np.int8)
    scaled = np.clip(np.rint(fine * (24.0 / spread)), -127, 127)
    return np.where(inside > 0, scaled, OUTSIDE).astype(np.int8)


def _turned(picture: Floats, orientation: int) -> Floats:
    """One of the eight orientations of (..., SIDE, SIDE): 0-3 turned, 4-7 transposed first."""
    if orientation >= 4:
        picture = np.swapaxes(picture, -1, -2)
    return np.rot90(picture, orientation % 4, axes=(-2, -1))


def _half_spectrum(detail: NDArray[np.int8]) -> Floats:
    """The first half of the magnitude of a picture's spectrum, (HALF,), as a unit vector.

    A magnitude is the same upside down, so half of it says all. The mean over each ring of
    frequencies is taken away: how much detail of a size there is says more about the focus than
    about the cell. Nothing depends on the other pictures. The window is even-sided, which shifts
    its centre by half a pixel: no matter for magnitudes.
    """
    import cv2
    import scipy.fft

    window, ring, members = _window_and_rings()
    low, high = SIDE // 2 - BAND, SIDE // 2 + BAND + 1
    magnitude = np.abs(scipy.fft.fft2(detail * window))
    kept = np.fft.fftshift(magnitude)[low:high, low:high] ** 0.5
    smooth = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 1.0)
    means = np.bincount(ring.ravel(), smooth.ravel()) / members
    half = np.where(ring <= BAND, smooth - means[ring], 0).ravel()[:HALF]
    unit: Floats = (half / max(float(np.linalg.norm(half)), 1e-6)).astype(np.float32)
    return unit


@cache
def _window_and_rings() -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Tukey's window, and for the frequencies their ring and how many each ring has.

    Its flat middle weighs what has moved by a tenth of the side as it weighed it before; Hann's
    does not, and loses one moved cell in twenty.
    """
    from scipy.signal.windows import tukey

    window = tukey(SIDE, 0.5).astype(np.float32)
    across = np.arange(-BAND, BAND + 1)
    ring = np.rint(np.hypot(across[:, None], across[None, :])).astype(np.intp)
    return window[:, None] * window[None, :], ring, np.bincount(ring.ravel())


def _halves_turned(halves: Floats) -> Iterator[Floats]:
    """Half spectra (n, HALF) in the four of eight orientations that differ for magnitudes."""
    middle = np.zeros((len(halves), 1), np.float32)
    whole = np.concatenate([halves, middle, halves[:, ::-1]], axis=1)
    whole = whole.reshape(-1, 2 * BAND + 1, 2 * BAND + 1)
    for way in (0, 1, 4, 5):
        yield _turned(whole, way).reshape(len(halves), -1)[:, :HALF]


def likely_pairs(given: Details, progress: Progress = SILENT) -> list[Pair]:
    """Pairs (i < j) of pictures whose spectra are alike, at most ``NEIGHBOURS`` for each picture.

    Every picture is compared with every other one, as matrix products in blocks: about 10 s on
    one core for 15,000 pictures.
    """
    spectra = given.spectra
    count = len(spectra)
    pairs: list[Pair] = []
    rows = max(1, CELLS // max(count, 1))
    for start in progress.track(
        range(0, count, rows), "looking for similar images", -(-count // rows)
    ):
        stop = min(start + rows, count)
        # Later rows only: a pair is found from its earlier picture.
        best = np.full((stop - start, count - start), -1, np.float32)
        for turned in _halves_turned(spectra[start:stop]):
            np.maximum(best, turned @ spectra[start:].T, out=best)
        for row, cosines in enumerate(best):
            cosines[: row + 1] = -1
            near = np.flatnonzero(cosines >= LIKELY)
            if len(near) > NEIGHBOURS:
                near = near[np.argpartition(-cosines[near], NEIGHBOURS)[:NEIGHBOURS]]
            pairs += [(start + row, start + int(other)) for other in np.sort(near)]
    return pairs


def confirm(
    given: Details, pairs: list[Pair], progress: Progress = SILENT
) -> list[tuple[int, int, float]]:
    """Those of the pairs that show the same thing, with their correlation (0.55 to 1)."""
    found = []
    detail_px = given.detail_px
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
        count = area / np.maximum(*detail_px[block.T])
        errors = np.arctanh(np.clip(first, -0.9999, 0.9999)) * np.sqrt(count)
        misfit = (1 - first) / np.maximum(1 - second, 1e-6)
        same = np.any([(misfit <= share) & (errors >= least) for share, least in RULES], axis=0)
        same &= first >= FIT
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

    still, _ = given.read(second)
    moving, _ = given.read(first)
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
    still, still_mask = given.read(second)
    still *= scale
    mask_b, fine_b, square_b = np.conj(parts(still, still_mask))
    moving, moving_mask = given.read(first)
    moving *= scale
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
