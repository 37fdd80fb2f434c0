# In an environment made by: pip install -e '.[dev]'
.PHONY: check fix test lint types contracts campaign bench docs

check: lint types contracts test  ## all that must pass; .ci/run does the same from nothing

fix:  ## put right what can be put right by itself
	ruff check --fix
	ruff format

test:
	pytest

lint:
	ruff check
	ruff format --check

types:
	mypy

contracts:
	lint-imports

PICTURES = 10000

campaign:  ## damaged files, killed commands, full disks: the table of docs/reliability.md; minutes to hours, by PICTURES
	python -m tests.campaign --pictures $(PICTURES) --markdown campaign.md

# The first are given their data or their machine by hand: see their first lines. speed_tables.py runs the others itself.
BY_HAND = ablation batch evaluation_speed gpu int8 narrow_level shard_reading
WITHIN = cold_start folder_throughput profile_steps reduced_decoding
BENCHMARKS = $(filter-out $(patsubst %,benchmarks/%.py,$(BY_HAND) $(WITHIN)), $(wildcard benchmarks/[a-z]*.py))

bench:  ## what we claim about speed, and the tables of docs/speed.md; takes an hour or two, on a quiet machine
	for benchmark in $(BENCHMARKS); do python "$$benchmark" || exit 1; done

docs:  ## the documents' Python blocks, tables and links, and the site in build/site (pip install -e '.[docs]')
	pytest tests/architecture/test_documents.py
	mkdocs build --strict
