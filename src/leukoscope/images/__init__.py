"""From a file to what the network sees: decode, preprocess, store, augment.

``decode`` reads any image; ``pipeline`` makes the steps of ``steps`` in their order; ``store``
keeps the result; ``augmentation`` draws and applies. See docs/images.md.
"""
