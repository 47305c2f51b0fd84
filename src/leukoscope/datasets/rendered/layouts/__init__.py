"""The layouts of real data sets, one a file: which images are drawn and how they are named."""
