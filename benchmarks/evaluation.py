"""All metrics with grouped intervals: ``python benchmarks/evaluation.py``."""

from leukoscope.bench import describe, measure
from leukoscope.progress import Progress

print(describe(measure(["evaluation"], Progress())))
