"""The classical arms on real cells: learnt features, a nucleus's texture, wavelets; each + SVM.

``fem-3+svm`` (varol2024's features into scikit-learn's SVM), ``lab-kmeans+svm`` and
``wavelet+svm`` in five leak-free folds of whole groups, the same folds for all, through
``leukoscope train``. Each image is measured once; started again, it goes on where it was stopped.

Run with: python benchmarks/classical_heads.py DATA OUT [--only taleghani]

DATA holds ``allidb2`` and ``taleghani``.
"""

from __future__ import annotations

from pathlib import Path

from arms import asked, print_tables, run_arms

ARMS: dict[str, dict[str, object]] = {
    "lab-kmeans+svm": {"model.name": "lab-kmeans+svm", "preprocess.size": 128},
    "wavelet+svm": {"model.name": "wavelet+svm", "preprocess.size": 128},
    "fem-3+svm": {
        "model.name": "fem-3+svm",
        "preprocess.size": 32,
        "training.epochs": 20,
        "training.batch_size": 32,
        "optimiser.learning_rate": 0.001,
    },
}
"""Chosen once; nothing was tuned."""


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("out", type=Path)
    call = parser.parse_args()
    found = run_arms(call.data, call.out, ARMS, call.only)
    names = list(ARMS)
    print_tables(found, [(one, other) for n, one in enumerate(names) for other in names[:n]])


if __name__ == "__main__":
    main()
