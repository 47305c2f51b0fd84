"""The SVM on long vectors beside scikit-learn's: ``python benchmarks/classical.py``.

Takes about two minutes, nearly all of it in the peer. Same start, same vectors, both sides in one
process with the same threads.
"""

from leukoscope.bench import describe, measure
from leukoscope.progress import Progress

print(describe(measure(["classical"], Progress())))
