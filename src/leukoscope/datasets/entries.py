"""The entries of the catalogue: facts about every data set that the five papers name.

What is not known stays unknown (``None`` or an empty string); ``checked`` says where a figure
comes from, and an empty one means that nobody has verified it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PUBLISHED", "Entry", "How", "RemoteFile"]

How = Literal["http", "kaggle", "ask", "render", "none"]
TABLE_2 = "murtoza2023 Table II"


@dataclass(frozen=True)
class RemoteFile:
    """One file of a direct download; an empty ``sha256`` is recorded on the first download."""

    url: str
    name: str
    sha256: str = ""
    bytes: int | None = None
    unpack: bool = False
    """Whether it is a zip or tar that is unpacked (a ``.gz`` is read as it is)."""


@dataclass(frozen=True)
class Entry:
    """One data set.

    ``how``: ``http`` (``files``), ``kaggle`` (``kaggle`` is the handle), ``ask`` (``ask`` says
    whom and where), ``render`` (drawn here), or ``none`` (no way to it is known).
    """

    name: str
    title: str
    papers: tuple[str, ...] = ()
    images: int | None = None
    megabytes: int | None = None
    """Size of the download."""
    shows: str = ""
    subject: str = "not published"
    """What one subject is, and how many there are."""
    licence: str = ""
    url: str = ""
    how: How = "none"
    files: tuple[RemoteFile, ...] = ()
    kaggle: str = ""
    ask: str = ""
    reader: str = ""
    seen: str = ""
    """Where one reader serves several sets: what its answer says about this one (a regex)."""
    checked: str = ""
    note: str = ""


def _pcam_files() -> tuple[RemoteFile, ...]:
    """The six archives, with sizes and hashes as TensorFlow Datasets publishes them."""
    known = {
        "train_x": (
            6_421_353_462,
            "d619e741468a7ab35c7e4a75e6821b7e7e6c9411705d45708f2a0efc8960656c",
        ),
        "train_y": (21_378, "b74126d2c01b20d3661f9b46765d29cf4e4fba6faba29c8e0d09d406331ab75a"),
        "valid_x": (
            805_965_320,
            "f82ee1670d027b4ec388048d9eabc2186b77c009655dae76d624c0ecb053ccb2",
        ),
        "valid_y": (3_038, "ce1ae30f08feb468447971cfd0472e7becd0ad96d877c64120c72571439ae48c"),
        "test_x": (800_875_929, "79174c2201ad521602a5888be8f36ee10875f37403dd3f2086caf2182ef87245"),
        "test_y": (3_040, "0a522005fccc8bbd04c5a117bfaf81d8da2676f03a29d7499f71d0a0bd6068ef"),
    }
    start = "https://zenodo.org/records/2546921/files/camelyonpatch_level_2_split_"
    archives = [
        RemoteFile(f"{start}{part}.h5.gz", f"camelyonpatch_level_2_split_{part}.h5.gz", sha, size)
        for part, (size, sha) in known.items()
    ]
    tables = [
        RemoteFile(f"{start}{part}_meta.csv", f"camelyonpatch_level_2_split_{part}_meta.csv")
        for part in ("train", "valid", "test")
    ]
    return (*archives, *tables)


def _github(repository: str) -> RemoteFile:
    """A repository's main line as a zip; its bytes may change, so no hash can be known."""
    return RemoteFile(
        f"https://github.com/{repository}/archive/refs/heads/master.zip",
        f"{repository.partition('/')[2]}.zip",
        unpack=True,
    )


MILAN = (
    "Write to Fabio Scotti, Università degli Studi di Milano, with the form on the page: the set "
    "is free for research, and may not be passed on."
)
PUBLISHED: tuple[Entry, ...] = (
    Entry(
        "cnmc",
        "C-NMC 2019 (ISBI 2019 challenge)",
        ("varol2024", "fata2023", "abed2022"),
        images=15_114,
        megabytes=10_440,
        shows="single cells on black, 450×450 BMP: B-ALL blasts, healthy lymphoid cells; "
        "training 10,661, preliminary test 1,867, final test 2,586 (labels not public)",
        subject="a patient or healthy donor, in the training file names: 118 (73 in training)",
        licence="CC BY 3.0",
        url="https://doi.org/10.7937/tcia.2019.dc64i46r",
        how="kaggle",
        kaggle="andrewmvd/leukemia-classification",
        ask="Or from The Cancer Imaging Archive with IBM Aspera Connect.",
        reader="cnmc",
        checked="names, subjects and hashes of all files; licence and size from third parties",
        note="73 training ids are 66 independent groups: 104 identical pairs join some",
    ),
    Entry(
        "allidb1",
        "ALL-IDB1",
        ("abed2022", "murtoza2023"),
        images=108,
        shows="blood-smear fields, JPEG 2592×1944 or 1712×1368, with blast centres (510)",
        licence="on request, research only",
        url="https://homes.di.unimi.it/scotti/all/",
        how="ask",
        ask=MILAN,
        reader="allidb1",
        checked="page of the authors; counts from the papers",
    ),
    Entry(
        "allidb1-crops",
        "ALL-IDB1 (Crop)",
        ("murtoza2023",),
        images=510,
        shows="the blasts of ALL-IDB1, one a picture; no published set of its own",
        licence="on request, research only",
        url="https://homes.di.unimi.it/scotti/all/",
        how="ask",
        ask=f"{MILAN} The crops are cut from ALL-IDB1 at its .xyc centres.",
        checked=TABLE_2,
    ),
    Entry(
        "allidb2",
        "ALL-IDB2",
        ("abed2022", "murtoza2023"),
        images=260,
        shows="single cells cut from ALL-IDB1, TIFF 257×257: 130 blasts, 130 others",
        licence="on request, research only",
        url="https://homes.di.unimi.it/scotti/all/",
        how="ask",
        ask=MILAN,
        reader="allidb2",
        checked="page of the authors; places of 175 crops found in the fields of ALL-IDB1",
        note="never train on ALL-IDB1 and test on ALL-IDB2: they show the same cells",
    ),
    Entry(
        "taleghani",
        "Taleghani (Aria et al.)",
        ("murtoza2023",),
        images=3_256,
        shows="small fields, JPEG 224×224: Benign 504, Early 985, Pre 963, Pro 804; and "
        "segmented twins",
        subject="not published (89 patients; no ids in the names)",
        licence="not known: treat as research only",
        url="https://doi.org/10.34740/KAGGLE/DSV/2175623",
        how="kaggle",
        kaggle="mehradaria/leukemia",
        reader="taleghani",
        seen=r"WBC-",
        checked="counts and handle from third parties",
    ),
    Entry(
        "taleghani-4class",
        "Taleghani, four-class edition (Hosseini et al.)",
        (),
        images=3_242,
        shows="fields, JPEG 1024×768, in four class folders",
        subject="not published (89 patients)",
        url="https://doi.org/10.1016/j.imu.2023.101244",
        how="kaggle",
        kaggle="mohammadamireshraghi/blood-cell-cancer-all-4class",
        reader="taleghani",
        seen=r"\[Malignant\]",
        checked="counts and handle from third parties",
    ),
    Entry(
        "snam",
        "SN-AM",
        ("bhavsar2023",),
        shows="bone-marrow fields, BMP 2560×1920: B-ALL blasts, myeloma plasma cells, and masks; "
        "190 files with the masks, about 60 fields without them; no healthy class",
        licence="CC BY 3.0 or 4.0 (sources differ)",
        url="https://doi.org/10.7937/tcia.2019.of2w8lxr",
        how="ask",
        ask="Free at The Cancer Imaging Archive; its page hands the files to a browser only.",
        reader="snam",
        checked="DOI from third parties",
    ),
    Entry(
        "pcam",
        "PatchCamelyon",
        ("abed2022",),
        images=327_680,
        megabytes=8_028,
        shows="patches of lymph-node sections, 96×96, HDF5: 262,144 + 32,768 + 32,768; no blood",
        subject="a whole slide of Camelyon16, in the *_meta.csv",
        licence="CC0",
        url="https://doi.org/10.5281/zenodo.2546921",
        how="http",
        files=_pcam_files(),
        reader="pcam",
        checked="sizes and SHA-256 of the six archives from TensorFlow Datasets",
    ),
    Entry(
        "bccd",
        "BCCD",
        ("murtoza2023",),
        images=364,
        shows="blood-smear fields, 640×480, with boxes of white and red cells and platelets",
        licence="MIT",
        url="https://github.com/Shenggan/BCCD_Dataset",
        how="http",
        files=(_github("Shenggan/BCCD_Dataset"),),
        reader="bccd",
        checked="count and licence from third parties",
        note="red-cell boxes are incomplete; 7 white cells have no box",
    ),
    Entry(
        "pbc",
        "PBC (Acevedo et al., Barcelona)",
        (),
        images=17_092,
        shows="single normal blood cells, JPEG 360×363, eight classes",
        subject="not published (healthy people)",
        licence="CC BY 4.0",
        url="https://doi.org/10.17632/snkd93bnjr.1",
        how="http",
        files=(
            RemoteFile(
                "https://data.mendeley.com/public-files/datasets/snkd93bnjr/files/"
                "2fc38728-2ae7-4a62-a857-032af82334c3/file_downloaded",
                "PBC_dataset_normal_DIB.zip",
                unpack=True,
            ),
        ),
        reader="pbc",
        checked="count, size and classes from the data paper; address from third parties",
        note="named by no paper; normal cells of another laboratory, for external tests",
    ),
    Entry(
        "jtsc",
        "JTSC: WBC segmentation data set 1 (Jiangxi Tecom)",
        ("murtoza2023",),
        images=300,
        shows="single white cells, 120×120, with masks and five classes",
        licence="repository GPL-3.0; the pictures' rights are unclear: test only",
        url="https://github.com/zxaoyou/segmentation_WBC",
        how="http",
        files=(_github("zxaoyou/segmentation_WBC"),),
        reader="wbc-seg",
        seen=r"data set 1: [1-9]",
        checked="README of the repository",
        note="one download with cellavision-2",
    ),
    Entry(
        "cellavision-2",
        "CellaVision 2: WBC segmentation data set 2",
        ("murtoza2023",),
        images=100,
        shows="single white cells, 300×300, from the CellaVision blog, with masks and classes",
        licence="repository GPL-3.0; the pictures' rights are unclear: test only",
        url="https://github.com/zxaoyou/segmentation_WBC",
        how="http",
        files=(_github("zxaoyou/segmentation_WBC"),),
        reader="wbc-seg",
        seen=r"(?<!\d )2: [1-9]",
        checked="README of the repository",
        note="one download with jtsc",
    ),
    Entry(
        "lisc",
        "LISC",
        ("murtoza2023",),
        images=400,
        shows="fields with white cells, BMP 720×576, five classes, masks; murtoza2023 counts 376",
        subject="a healthy person (8); whether names say which is not known",
        url="http://users.cecs.anu.edu.au/~hrezatofighi/Data/Leukocyte%20Data.htm",
        how="ask",
        ask="From the page of S. H. Rezatofighi.",
        checked="the page, as quoted by third parties",
    ),
    Entry(
        "leukocytes",
        "Leukocytes (Sarrafzadeh et al. 2014)",
        ("murtoza2023",),
        images=149,
        shows="white cells of ten patients, five types",
        subject="a patient (10)",
        url="https://doi.org/10.1117/12.2043605",
        how="ask",
        ask="Write to the authors (Isfahan University of Medical Sciences).",
        checked="abstract of the paper: 149 cells of 10 patients",
    ),
    Entry(
        "omid-2014",
        "Omid et al. 2014",
        ("murtoza2023",),
        images=154,
        shows="normal white cells; murtoza2023 counts them beside 'Leukocytes'",
        url="https://doi.org/10.1117/12.2043605",
        how="ask",
        ask="Write to the authors (Isfahan University of Medical Sciences).",
        checked=f"{TABLE_2}; that it is this paper is a guess of third parties",
    ),
    Entry("omid-2015", "Omid et al. 2015", ("murtoza2023",), images=27, checked=TABLE_2),
    Entry(
        "cellavision",
        "CellaVision (Rollins-Raval et al.)",
        ("murtoza2023",),
        images=109,
        shows="normal white cells",
        checked=TABLE_2,
    ),
    Entry(
        "atlas",
        "Atlas of hematology ('Atlan')",
        ("murtoza2023",),
        images=88,
        shows="leukemic cells; other work counts 65",
        checked=TABLE_2,
    ),
    Entry(
        "ash",
        "ASH Image Bank",
        ("murtoza2023",),
        images=96,
        shows="leukemic cells, chosen from a teaching collection",
        how="ask",
        ask="American Society of Hematology: its terms decide, picture by picture.",
        checked=TABLE_2,
    ),
    Entry(
        "bloodline",
        "Bloodline",
        ("murtoza2023",),
        images=204,
        shows="leukemic cells, chosen from a teaching collection",
        checked=TABLE_2,
        note="217 would close the gap of 13 in the table's total",
    ),
    Entry(
        "onkodin",
        "ONKODIN",
        ("murtoza2023",),
        images=78,
        shows="leukemic cells, chosen from a teaching collection",
        checked=TABLE_2,
    ),
    Entry(
        "ufg",
        "UFG (Universidade Federal de Goiás)",
        ("murtoza2023",),
        images=121,
        shows="64 leukemic cells and 57 others (printed as 67, which the total contradicts)",
        checked=TABLE_2,
    ),
    Entry("pn-all", "PN-ALL", ("murtoza2023",), images=30, checked=TABLE_2),
    Entry("leukemia-images", "leukemia-images", ("murtoza2023",), images=140, checked=TABLE_2),
    Entry(
        "midb",
        "MIDB (National Kyushu Cancer Center)",
        ("murtoza2023",),
        images=673,
        shows="leukemic cells; other work counts 498",
        checked=TABLE_2,
    ),
    Entry(
        "malaria-cells",
        "Malaria cells (NIH)",
        ("fata2023", "abed2022"),
        images=27_558,
        shows="red cells with and without parasites; only mentioned, no leukocytes",
    ),
    Entry(
        "gene-expression",
        "Leukemia gene expression (Golub et al. 1999)",
        ("fata2023", "abed2022"),
        images=0,
        shows="72 samples × 7,129 genes, no images; only mentioned",
        subject="a patient (72)",
        url="https://doi.org/10.1126/science.286.5439.531",
        checked="counts from packages that ship it",
    ),
)
