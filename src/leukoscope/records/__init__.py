"""The artefacts that travel: split, experiment, run, predictions, findings, metrics."""
