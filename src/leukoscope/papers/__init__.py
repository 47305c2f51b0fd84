"""The papers as data, and what makes runs of them: cells, plan, runner, reproduction report.

``PAPERS`` is the list of what can be reproduced: id → title. A paper is one TOML and one CSV
beside it, and one line here.
"""

from __future__ import annotations

__all__ = ["PAPERS"]

PAPERS: dict[str, str] = {
    "varol2024": "CNN-1 to CNN-4, features with classical heads, frozen backbones, on C-NMC",
    "fata2023": "VGG16 and ResNet50 with two optimisers and eight numbers of epochs, on C-NMC",
    "murtoza2023": "four pretrained networks on Taleghani's four classes",
    "abed2022": "DenseNet169, VGG19 and a simple CNN on ALL-IDB2 and C-NMC, chained transfer",
    "bhavsar2023": "a hybrid of VGG16 and VGG19 beside its parts and ResNet50, on SN-AM",
    "cnmc2019": "the C-NMC challenge: subjects never trained on, cell by cell and by subject",
}
"""By id, in the order in which they are shown."""
