"""Rows of the model table, by whose networks they are; ``midas.models.zoo`` joins them. Free of torch."""
