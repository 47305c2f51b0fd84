"""Splits that do not leak: duplicates, the groups they make, and the division of the rows.

``kinds.KINDS`` holds every kind of split by its name.
"""
