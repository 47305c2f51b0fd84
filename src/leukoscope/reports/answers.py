"""What the run itself can answer of a reporting checklist: one short function an item.

An answer is a sentence made from the run alone. An empty one leaves the item to the authors.
"""

from __future__ import annotations

from collections.abc import Callable

from .limits import limits_of
from .measures import estimates, headline_metric, one
from .numbers import counted, listed, number
from .sections.headline import build
from .study import Study
from .words import augmentation_words, split_words, step_words

__all__ = ["ANSWERS"]

OWN_NETWORKS = ("cnn-", "simple-cnn")


def _technology(study: Study) -> str:
    models = sorted({shown.run.experiment.model.name for shown in study.shown})
    return f"Deep learning: image classification by {listed(models)}."


def _question(study: Study) -> str:
    return build(study).question


def _goal(study: Study) -> str:
    return "A model is developed and evaluated internally" + (
        ", as published and leak-free, to measure the leak." if study.pairs else "."
    )


def _retrospective(study: Study) -> str:
    if study.rendered:
        return "Neither: the images are rendered."
    return "Retrospective: images that had been collected before."


def _source(study: Study) -> str:
    cards = {shown.run.data.card.get("name"): shown.run.data.card for shown in study.shown}
    return " ".join(
        f"{card.get('title') or name}"
        + (f", {card['url']}" if card.get("url") else "")
        + (f"; cited as: {card['citation']}" if card.get("citation") else "")
        + "."
        for name, card in cards.items()
    )


def _exclusions(study: Study) -> str:
    data = study.lead.run.data
    reasons = [f"{reason}: {number(n)}" for reason, n in data.excluded.items() if n]
    return f"Of {counted(data.rows, 'row')} in the manifest {number(data.used)} were used" + (
        f"; left out: {', '.join(reasons)}." if reasons else "; none was left out."
    )


def _preprocessing(study: Study) -> str:
    preprocess = study.lead.run.experiment.preprocess
    steps = [step_words(step.model_dump(mode="json")) for step in preprocess.steps]
    return (
        f"Images were decoded to 8-bit RGB, resized to {preprocess.size} × {preprocess.size} "
        f"pixels" + (f", and prepared by {listed(steps)}." if steps else "; no other step.")
    )


def _preparation(study: Study) -> str:
    found = len(study.lead.run.findings)
    return f"{_preprocessing(study)} The data were checked: {counted(found, 'finding')}."


def _subsets(study: Study) -> str:
    data = study.lead.run.experiment.data
    chosen = []
    if data.leave_out:
        chosen.append(f"classes left out: {', '.join(data.leave_out)}")
    if data.balance:
        chosen.append(f"{counted(data.balance, 'image')} drawn of each class")
    if data.task == "binary":
        chosen.append("only classes that the card maps to blast or normal")
    return f"{'; '.join(chosen)}.".capitalize() if chosen else "No subset was selected."


def _missing(study: Study) -> str:
    return "Images without a label or unreadable were left out and counted; nothing was imputed."


def _acquisition(study: Study) -> str:
    card = study.lead.run.data.card
    if study.lead.run.data.rendered:
        return "The images are rendered; none was taken."
    known = []
    if card.get("image_size"):
        width, height = card["image_size"]
        known.append(f"{width} × {height} pixels")
    if card.get("um_per_pixel"):
        known.append(f"{card['um_per_pixel']:g} µm a pixel")
    return f"Images of {' at '.join(known)}." if known else ""


def _outcome(study: Study) -> str:
    means = study.lead.run.data.card.get("normal_means")
    classes = ", ".join(study.lead.run.predictions.classes)
    return f"The published class of each image: {classes}." + (
        f" Normal means: {means}." if means else ""
    )


def _predictors(study: Study) -> str:
    return "All pixels of the image; no predictor was selected by hand."


def _partitions(study: Study) -> str:
    splits = {shown.run.split.model_dump_json(): shown for shown in study.shown}
    return " ".join(
        (f"{shown.name}: " if len(splits) > 1 else "") + split_words(shown.run.split)
        for shown in splits.values()
    )


def _disjoint(study: Study) -> str:
    words = []
    for shown in study.shown:
        split = shown.run.split
        if split.unit == "image":
            level = "image (one subject’s images stand in several parts)"
        elif split.groups == "published":
            level = "group: the union of subject, identical and near-identical images"
        else:
            level = f"group, {split.groups}: no subjects are published"
        words.append(f"{shown.name}: {level}" if study.several else level[0].upper() + level[1:])
    return "; ".join(dict.fromkeys(words)) + "."


def _test_size(study: Study) -> str:
    test = study.lead.test.table
    return (
        f"{counted(test['row'].nunique(), 'image')} of "
        f"{study.lead.grouped(int(test['group'].nunique()))} test."
    )


def _model(study: Study) -> str:
    models = sorted({shown.run.experiment.model.name for shown in study.shown})
    return (
        f"{listed(models)}, with every setting in the table of settings; the layers are listed by "
        "leukoscope's models of that name."
    )


def _software(study: Study) -> str:
    environment = study.lead.run.environment
    versions = environment.get("versions") or {}
    named = [f"{name} {version}" for name, version in versions.items()]
    return f"Python {environment.get('python', '?')}; {', '.join(named)}." if named else ""


def _initialisation(study: Study) -> str:
    model = study.lead.run.experiment.model.name
    if model.startswith(OWN_NETWORKS):
        return "Weights Glorot-uniform, biases zero, drawn from the seed; no pretrained weights."
    return ""


def _training(study: Study) -> str:
    experiment = study.lead.run.experiment
    augmented = augmentation_words(experiment.augment) or "none"
    return (
        f"Augmentation: {augmented}. At most {counted(experiment.training.epochs, 'epoch')}, "
        f"batches of {experiment.training.batch_size}, {experiment.optimiser.name}; "
        f"{counted(len(study.lead.run.split.folds), 'model')} trained a run, one for each fold."
    )


def _selection(study: Study) -> str:
    ways = {
        "last": "the last epoch, without selection",
        "best-validation": "the best epoch on the validation part",
        "best-test": "the best epoch on the test part, as published (optimistic)",
    }
    chosen = {shown.name: ways[shown.run.experiment.training.epoch] for shown in study.shown}
    if len(set(chosen.values())) == 1:
        return f"{next(iter(chosen.values()))}.".capitalize()
    return "; ".join(f"{name}: {way}" for name, way in chosen.items()) + "."


def _ensembling(study: Study) -> str:
    return "No models were combined: each image is predicted by the model of its own fold."


def _metrics(study: Study) -> str:
    titles = [estimate.title for estimate in estimates(study.lead, "image")]
    levels = [level for level in ("image", "subject") if estimates(study.lead, level)]
    return f"{', '.join(titles)}; by {listed(levels)}."


def _uncertainty(study: Study) -> str:
    return (
        "95 % intervals from a bootstrap over groups, stratified by class; the number of groups "
        "stands beside each figure"
        + (". Runs are compared by a paired bootstrap over groups." if study.several else ".")
    )


def _robustness(study: Study) -> str:
    if study.pairs:
        return "The same experiment was run as published and leak-free; both are shown."
    if study.several:
        return f"{counted(len(study.shown), 'run')} are shown side by side."
    return ""


def _internal(study: Study) -> str:
    return split_words(study.lead.run.split)


def _external(study: Study) -> str:
    if study.lead.run.split.kind == "lodo":
        return "Each data set was left out of training in turn and tested on."
    return "None: there was no test on data from elsewhere."


def _flow(study: Study) -> str:
    data = study.lead.run.data
    events = ", ".join(f"{name} {number(n)}" for name, n in data.classes.items())
    subjects = counted(data.subjects, "subject") if data.subjects else "subjects not published"
    return f"{_exclusions(study)} Used: {events} ({subjects})."


def _parts(study: Study) -> str:
    return "Images, subjects, groups and classes of each part are in the table of the split."


def _performance(study: Study) -> str:
    metric = headline_metric(study.lead)
    return "; ".join(
        f"{shown.name}: {found.title} {found.printed}, 95 % interval {found.interval}, "
        f"{shown.grouped(found.groups)}"
        for shown in study.shown
        if (found := one(shown, "image", metric)) is not None
    )


def _diagnostic(study: Study) -> str:
    found = [one(study.lead, "image", name) for name in ("sensitivity", "specificity")]
    return "; ".join(
        f"{estimate.title} {estimate.printed} ({estimate.interval})"
        for estimate in found
        if estimate is not None and estimate.value is not None
    )


def _failures(study: Study) -> str:
    table = study.lead.test.table
    wrong = int((table["label"] != table["predicted"]).sum())
    return f"{number(wrong)} wrong of {counted(len(table), 'prediction')}; the worst are shown."


def _limits(study: Study) -> str:
    return f"{counted(len(limits_of(study)), 'limit')} that follow from the run are listed."


def _use(study: Study) -> str:
    return "Research use only; not for diagnosis."


def _protocol(study: Study) -> str:
    return "The resolved experiment and the split are files of the run; their hashes are printed."


def _availability(study: Study) -> str:
    return f"{_code_available(study)} {_data_available(study)}"


def _code_available(study: Study) -> str:
    versions = study.lead.run.environment.get("versions") or {}
    return f"Software: leukoscope {versions.get('leukoscope', '')}".strip() + ", Apache-2.0."


def _data_available(study: Study) -> str:
    card = study.lead.run.data.card
    return f"Data: licence {card.get('licence') or 'unknown'}" + (
        f", {card['url']}." if card.get("url") else "."
    )


def _centres(study: Study) -> str:
    names = sorted(set(study.lead.run.predictions.table["dataset"]) - {""})
    return f"{counted(len(names), 'data set')}: {listed(names)}." if names else ""


def _clusters(study: Study) -> str:
    return "Intervals resample whole groups, so that images of one subject count together."


def _cluster_results(study: Study) -> str:
    if estimates(study.lead, "subject"):
        return "Results by subject are tabulated and drawn; centres are not known to the run."
    return ""


def _updating(study: Study) -> str:
    return "The model was not updated."


def _computed(study: Study) -> str:
    return "By the model of each fold on the images of its test part; all are in predictions.csv."


def _imbalance(study: Study) -> str:
    experiment = study.lead.run.experiment
    if experiment.training.class_weights == "balanced":
        return "Classes were weighted in the loss by the inverse of their frequency."
    if experiment.data.balance:
        return "As many images were drawn of each class."
    return "Nothing was done about it."


def _output(study: Study) -> str:
    test = study.lead.test
    columns = test.table["predicted"].to_numpy()
    best = [test.classes[place] for place in test.probabilities.argmax(axis=1)]
    return (
        "A probability for each class; the class with the largest is the answer, no threshold was "
        "tuned."
        if list(columns) == best
        else "A probability for each class; the answer is that of the run's operating point."
    )


def _differences(study: Study) -> str:
    if study.lead.run.split.kind == "lodo":
        return "Another data set is tested than trained on; each is named in the split."
    return "None by design: both come from the same data set."


def _specification(study: Study) -> str:
    return "The run folder holds the weights and the preprocessing of every fold."


def _bad_input(study: Study) -> str:
    return "Images that cannot be decoded are listed and passed over; none is guessed."


ANSWERS: dict[str, tuple[Callable[[Study], str], str]] = {
    "technology": (_technology, "model"),
    "question": (_question, "headline"),
    "goal": (_goal, "headline"),
    "retrospective": (_retrospective, "data"),
    "source": (_source, "data"),
    "exclusions": (_exclusions, "data"),
    "preprocessing": (_preprocessing, "model"),
    "preparation": (_preparation, "checks"),
    "subsets": (_subsets, "data"),
    "missing": (_missing, "data"),
    "acquisition": (_acquisition, "data"),
    "outcome": (_outcome, "data"),
    "predictors": (_predictors, "model"),
    "partitions": (_partitions, "split"),
    "disjoint": (_disjoint, "split"),
    "test_size": (_test_size, "split"),
    "model": (_model, "model"),
    "software": (_software, "model"),
    "initialisation": (_initialisation, "model"),
    "training": (_training, "model"),
    "selection": (_selection, "model"),
    "ensembling": (_ensembling, "model"),
    "metrics": (_metrics, "results"),
    "uncertainty": (_uncertainty, "results"),
    "robustness": (_robustness, "editions"),
    "internal": (_internal, "split"),
    "external": (_external, "limits"),
    "flow": (_flow, "data"),
    "parts": (_parts, "split"),
    "performance": (_performance, "results"),
    "diagnostic": (_diagnostic, "results"),
    "failures": (_failures, "errors"),
    "limits": (_limits, "limits"),
    "use": (_use, "limits"),
    "protocol": (_protocol, "model"),
    "availability": (_availability, "data"),
    "centres": (_centres, "data"),
    "clusters": (_clusters, "results"),
    "cluster_results": (_cluster_results, "results"),
    "updating": (_updating, "model"),
    "computed": (_computed, "results"),
    "imbalance": (_imbalance, "model"),
    "output": (_output, "results"),
    "differences": (_differences, "split"),
    "specification": (_specification, "model"),
    "data_available": (_data_available, "data"),
    "code_available": (_code_available, "model"),
    "bad_input": (_bad_input, "checks"),
}
"""Key of ``checklist.toml`` → the function that answers, and the section that shows more."""
