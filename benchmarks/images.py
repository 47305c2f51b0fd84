"""Decoding and resizing into the store beside Pillow: ``python benchmarks/images.py``."""

from leukoscope.bench import describe, measure
from leukoscope.progress import Progress

print(describe(measure(["images"], Progress())))
