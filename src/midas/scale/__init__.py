"""Millions of pictures: a manifest of shards, and engines that work through it on one machine or on a cluster.

A job is a list of pictures cut into shards (``manifest``), what is done with them (``job``), and a destination. A
shard's outputs appear, then its receipt (``receipts``); what has a receipt is done. So nothing has to be remembered
elsewhere: a run that was killed is started again and does what is left, and two runs of one job at once share it.
"""
