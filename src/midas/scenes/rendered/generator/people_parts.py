"""The parts of a person, in the order of their materials."""

PARTS = ("skin", "eyes", "shirt", "trousers", "shoes", "skirt", "hair")
