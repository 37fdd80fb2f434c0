# In an environment made by: pip install -e '.[dev]'
.PHONY: check fix test lint types contracts bench docs

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

# These two are given their data by hand: see their first lines.
BENCHMARKS = $(filter-out %/ablation.py %/evaluation_speed.py, $(wildcard benchmarks/[a-z]*.py))

bench:  ## what we claim about speed; takes minutes, on a quiet machine
	for benchmark in $(BENCHMARKS); do python "$$benchmark" || exit 1; done

docs:  ## the documents' Python blocks, tables and links
	pytest tests/architecture/test_documents.py
