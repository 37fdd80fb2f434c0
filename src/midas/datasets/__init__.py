"""Data sets: samples, readers, augmentation, mixing."""
