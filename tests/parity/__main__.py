"""Print the parity table: our networks against the original code, number for number.

python -m tests.parity [NAME ...]
"""

from __future__ import annotations

import sys

from tests.parity import fixtures


def main(names: list[str]) -> int:
    """Compare the named networks, or all, and return how many rows miss their bound."""
    if not fixtures.is_there():
        sys.exit(f"there are no fixtures in {fixtures.FOLDERS[0]}; name their folder in MIDAS_PARITY")
    print("| network | input | largest difference / standard deviation | bound | |\n|---|---|---|---|---|")
    missed = 0
    for name in names or fixtures.names():
        network = fixtures.filled_network(name)
        for item in fixtures.inputs(name):
            found, bound = fixtures.difference(name, item, network), fixtures.bound(name, item)
            height, width = item["size"]
            verdict = "ok" if found <= bound else "MISSED"
            missed += found > bound
            print(f"| `{name}` | {height}x{width} | {found:.1e} | {bound:.1e} | {verdict} |", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
