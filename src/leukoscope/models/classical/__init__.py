"""Classical heads on feature vectors, and features that are measured instead of learnt.

Nothing here knows torch. ``names`` says what a model's name means and loads nothing;
``classifier`` fits; ``saving`` writes and reads without executing anything.
"""

from .names import HEADS, MEASURED, head_of, network_of

__all__ = ["HEADS", "MEASURED", "head_of", "network_of"]
