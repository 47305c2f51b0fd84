"""``NETWORK+HEAD``: which part of a model's name is the network and which the classical head."""

from __future__ import annotations

from ...errors import ExperimentError, suggestion

__all__ = ["HEADS", "MEASURED", "head_of", "network_of", "without_head"]

HEADS = {
    "svm": "support vector machine",
    "rf": "random forest",
    "nb": "Gaussian naive Bayes",
    "logreg": "logistic regression",
    "knn": "k-nearest neighbours",
}
MEASURED = {
    "lab-kmeans": "nucleus by k-means in L*a*b*; GLCM, GLRLM and colour",
    "wavelet": "statistics of wavelet coefficients",
}
"""What takes the place of a network where features are measured, not learnt."""


def head_of(name: str) -> str | None:
    """The head of a model's name: ``svm`` of ``fem-3+svm``; None of a network's own.

    Raises
    ------
    ExperimentError
        When what follows the last ``+`` is no head, or features are measured and a head lacks.
    """
    network, mark, head = name.rpartition("+")
    if not mark or (name.startswith("hybrid:") and head not in HEADS):
        # hybrid:A+B has a plus of its own
        if name in MEASURED or name.startswith("fem-"):
            raise ExperimentError(
                f"model.name is '{name}', which needs a head, as in '{name}+svm'. "
                f"Heads: {', '.join(HEADS)}."
            )
        return None
    if head not in HEADS:
        raise ExperimentError(
            f"model.name is '{name}', but '{head}' is no head. {suggestion(head, HEADS)}"
        )
    if not network:
        raise ExperimentError(f"model.name is '{name}': before '+{head}' a network is missing.")
    return head


def without_head(name: str) -> str:
    """A name without ``+HEAD`` where it ends in one, whatever the rest may be."""
    network, _, head = name.rpartition("+")
    return network if network and head in HEADS else name


def network_of(name: str) -> str:
    """The network of a model's name: ``cnn-3`` of ``fem-3+svm`` (FEM-N is CNN-N's convolutions)."""
    head_of(name)  # says what is wrong with a name
    network = without_head(name)
    return network.replace("fem-", "cnn-", 1) if network.startswith("fem-") else network
