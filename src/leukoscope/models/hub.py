"""Published weights that lie on the network: where, whether they are here already, and fetched.

A file that is in a cache is taken from there and nobody is asked. Else the server is given a few
seconds to answer before a client with retries of its own is let loose on it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import DownloadError, ExperimentError, MissingExtraError
from ..files import atomic_path, cache_folder
from .pretrained import HUB_IDS, published, timm_name

__all__ = ["HubFile", "fetch", "hub_file", "offline", "reachable", "unreachable_words"]

ANSWER_SECONDS = 4.0
"""How long a server may take to answer before it counts as out of reach."""
WEIGHTS = "model.safetensors"
CONFIG = "config.json"


@dataclass(frozen=True)
class HubFile:
    """Weights of a backbone on the network."""

    name: str
    """Of the backbone."""
    address: str
    """Where a person finds them."""
    repository: str = ""
    """On the Hugging Face hub; empty where ``address`` is the file itself."""
    configured: bool = False
    """Whether facts that nobody else has stand in the ``config.json`` beside it."""

    @property
    def files(self) -> tuple[str, ...]:
        """What is fetched, the weights first."""
        if not self.repository:
            return (self.address.rpartition("/")[2],)
        return (WEIGHTS, CONFIG) if self.configured else (WEIGHTS,)

    def here(self) -> tuple[Path, ...] | None:
        """The files in a cache of this machine, or None where one is missing."""
        found = [self._cached(file) for file in self.files]
        return tuple(path for path in found if path) if all(found) else None

    def _cached(self, file: str) -> Path | None:
        if not self.repository:
            path = cache_folder() / "weights" / file
            return path if path.is_file() else None
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(self.repository, file)
        return Path(cached) if isinstance(cached, str) else None

    @property
    def remedy(self) -> str:
        """How somebody without a network gets them, and where they are put."""
        if not self.repository:
            return (
                f"On a machine with a network, download {self.address}, bring the file here, and "
                "name it in model.weights (--weights)."
            )
        if self.configured:
            return (
                f"On a machine with a network, download {WEIGHTS} and {CONFIG} from "
                f"{self.address} into one folder, bring it here, and name it in model.weights "
                "(--weights)."
            )
        return (
            f"On a machine with a network, download {WEIGHTS} from {self.address}, put it as "
            f"{timm_name(self.name)}.safetensors into a folder here, and name the folder in "
            "model.weights (--weights)."
        )


def hub_file(name: str, tag: str = "") -> HubFile:
    """Where the published weights of a backbone lie; nothing is asked of the network.

    Raises
    ------
    ExperimentError
        When timm lists none, or none of this tag.
    MissingExtraError
        Without timm.
    """
    _, config = published(name, tag)
    repository = HUB_IDS.get(name) or config.hf_hub_id
    if repository:
        address = f"{_endpoint()}/{repository}"
        return HubFile(name, address, repository, configured=bool(tag) or name in HUB_IDS)
    if config.url:
        return HubFile(name, str(config.url))
    raise ExperimentError(
        f"timm publishes no weights of {name}. Give a file in model.weights, or 'none'."
    )


def _endpoint() -> str:
    try:
        from huggingface_hub import constants
    except ModuleNotFoundError as reason:
        raise MissingExtraError("Downloading weights", "train") from reason
    return str(constants.ENDPOINT).rstrip("/")


def offline() -> bool:
    """Whether the environment forbids to ask (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def reachable(address: str) -> bool:
    """Whether a server answers soon, through the proxies that the environment names.

    Names are resolved outside Python's time limits, so the question has a thread of its own.
    """
    if offline():
        return False
    answered = threading.Event()

    def ask() -> None:
        question = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(question, timeout=ANSWER_SECONDS):
                answered.set()
        except urllib.error.HTTPError:  # it is there, whatever it says of a bare question
            answered.set()
        except OSError:
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return answered.is_set()


def fetch(file: HubFile) -> tuple[Path, ...]:
    """The local files, downloaded where they are not in a cache.

    Raises
    ------
    DownloadError
        In a few seconds where the server is out of reach: says what is wanted, where it lies and
        where to put it.
    """
    here = file.here()
    if here is not None:
        return here
    if not reachable(file.address):
        raise DownloadError(unreachable_words(file))
    if file.repository:
        return tuple(_from_repository(file, name) for name in file.files)
    return (_from_address(file),)


def unreachable_words(file: HubFile) -> str:
    """What is said of weights that are not here while their server does not answer."""
    server = urlsplit(file.address).netloc
    return f"the weights of {file.name} are not here and {server} does not answer. {file.remedy}"


def _from_repository(file: HubFile, name: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        with _quiet_hub():
            return Path(hf_hub_download(file.repository, name))
    except OSError as reason:  # the hub's own errors are all of this kind
        raise DownloadError(_failed(file, reason)) from reason


def _from_address(file: HubFile) -> Path:
    import torch

    path = cache_folder() / "weights" / file.files[0]
    with atomic_path(path) as temporary:
        try:
            torch.hub.download_url_to_file(file.address, str(temporary), progress=False)
        except OSError as reason:
            raise DownloadError(_failed(file, reason)) from reason
    return path


def _failed(file: HubFile, reason: OSError) -> str:
    said = str(reason).strip().partition("\n")[0]
    return f"the weights of {file.name} cannot be downloaded ({said}). {file.remedy}"


@contextlib.contextmanager
def _quiet_hub() -> Iterator[None]:
    """Without the hub's warnings of each retry; what fails is told once, in our words."""
    from huggingface_hub.utils import logging as of_hub

    before = of_hub.get_verbosity()
    of_hub.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        of_hub.set_verbosity(before)
