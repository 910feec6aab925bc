"""What the plugin of pytest costs a run without documents, in fresh processes: ``PYTHONPATH=. python tests/benchmarks/plugin.py [--runs 15]``.

Runs with and without the plugin take turns, over a folder of 200 test files; the limit is 30 ms.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 200
LIMIT = 0.030


def seconds(folder: Path, *words: str) -> float:
    """Wall time of a run of pytest that collects."""
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--co", *words], cwd=folder, env=environment, capture_output=True, check=True
    )
    return time.perf_counter() - start


def main() -> None:
    """Print the medians and their difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for k in range(FILES):
            (folder / f"test_{k}.py").write_text("def test_it(): pass\n")
        plugin = ("-p", "symbolic_circuits.pytest_plugin")
        seconds(folder), seconds(folder, *plugin)  # compiled files are written
        pairs = [(seconds(folder), seconds(folder, *plugin)) for _ in range(runs)]
    without, with_plugin = (statistics.median(times) for times in zip(*pairs, strict=True))
    cost = statistics.median(b - a for a, b in pairs)
    print(f"  pytest without the plugin {1000 * without:.0f} ms, with it {1000 * with_plugin:.0f} ms")
    print(f"  the plugin costs {1000 * cost:.1f} ms (limit {1000 * LIMIT:.0f} ms), {cost / without:.1%} of the run")


if __name__ == "__main__":
    main()
