"""Peak memory of one prediction on a 12-megapixel photograph, PyTorch in float32, beside the size of the weights.

    python benchmarks/memory.py [NAME] [--most-mb 600]

The prediction runs in a process of its own, from a file of random weights that another one made. What is held
against the bound is the peak less the weights and less the memory after the imports, which depends on how PyTorch was
built and is printed beside it. Exit status 1 where the bound is broken.
"""

from __future__ import annotations

# Nothing large: a process begins with the peak of the one that started it.
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# Linux counts in units of 1024 bytes, macOS in bytes.
UNIT_MB = 1024 / 1e6 if sys.platform != "darwin" else 1e-6

WRITE = """
import sys
from pathlib import Path
from midas.models.factory import create_untrained
from midas.models.weights import write_safetensors
write_safetensors(create_untrained(sys.argv[1]).state_dict(), Path(sys.argv[2]), {})
"""
PREDICT = """
import json, resource, sys
import numpy as np
import midas, midas.backends.torch
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
imports = peak()
predictor = midas.load(sys.argv[1], weights=sys.argv[2], backend="torch", device="cpu", precision="float32")
loaded = peak()
picture = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), np.uint8)
assert predictor(picture).size == (3000, 4000)
print(json.dumps([imports, loaded, peak()]))
"""


def main() -> int:
    """Print the figures, and return whether the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="dpt_large_384", metavar="NAME", help="a name from `midas models`")
    parser.add_argument("--most-mb", type=float, default=600, help="what may be held beside weights and imports")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="midas-memory-") as folder:
        weights = Path(folder) / "weights.safetensors"
        run(WRITE, arguments.name, str(weights))
        weights_mb = weights.stat().st_size / 1e6
        output = run(PREDICT, arguments.name, str(weights))
    imports_mb, loaded_mb, peak_mb = (value * UNIT_MB for value in json.loads(output))
    beside_mb = peak_mb - weights_mb - imports_mb
    print(f"{arguments.name} on 4000x3000 pixels: peak {peak_mb:.0f} MB, of which weights {weights_mb:.0f} MB")
    print(f"peak after the imports {imports_mb:.0f} MB, after loading {loaded_mb:.0f} MB")
    print(f"beside weights and imports: {beside_mb:.0f} MB (at most {arguments.most_mb:.0f} MB)")
    return int(beside_mb > arguments.most_mb)


def run(code: str, *arguments: str) -> str:
    """What a fresh process prints."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
