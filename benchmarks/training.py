"""Training CNN-3 beside Keras on TensorFlow: ``python benchmarks/training.py``.

Where TensorFlow is not installed beside leukoscope, ``LEUKOSCOPE_PEER_PYTHON`` names an interpreter
that has it.
"""

from leukoscope.bench import describe, measure
from leukoscope.progress import Progress

print(describe(measure(["training"], Progress())))
