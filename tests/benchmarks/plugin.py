"""What the plugin of pytest costs a run without documents, in fresh processes: ``PYTHONPATH=. python tests/benchmarks/plugin.py [--runs 15]``.

Runs with and without the plugin take turns, over a folder of 200 test files; the limit is 30 ms. Times are those of the processor, since
the clock on the wall sees what else runs on the machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

FILES = 200
LIMIT = 0.030


def seconds(folder: Path, *words: str) -> float:
    """Processor time of a run of pytest that collects."""
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--co", *words], cwd=folder, env=environment, capture_output=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the shortest times and their difference."""
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
    without, with_plugin = (min(times) for times in zip(*pairs, strict=True))  # noise only adds
    spread = statistics.median(a for a, _ in pairs) - without
    cost = with_plugin - without
    print(f"  pytest without the plugin {1000 * without:.0f} ms, with it {1000 * with_plugin:.0f} ms")
    print(
        f"  the plugin costs {1000 * cost:.1f} ms (limit {1000 * LIMIT:.0f} ms), {cost / without:.1%} of the run; the noise is about {1000 * spread:.0f} ms"
    )


if __name__ == "__main__":
    main()
