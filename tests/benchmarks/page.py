"""Seconds that pages take to be made, their size, and milliseconds until they answer in Chromium.

Usage: ``PYTHONPATH=. python tests/benchmarks/page.py [--browser]``. Limits: the example 3 s, 3 MB and 1,000 ms; 22,650 terms 10 s.
They are of the processor's seconds, because other work on a machine slows the clock.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = (  # words for the command, seconds, bytes
    ((), 3.0, 3_000_000),
    (("attn(149) bilinear",), 10.0, None),
    (("(attn(2) bilinear)*2",), None, None),
    (("bilinear*4",), None, None),
    (("(attn(12) bilinear)*4",), None, None),
)
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)


def made(words: tuple[str, ...], path: Path) -> tuple[float, float]:
    """Seconds of the command in a process of its own: on the clock, and of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "-c",
        "from symbolic_circuits.cli import main; main()",
        "report",
        *words,
        "-o",
        str(path),
        "--force",
    ]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def milliseconds(path: Path) -> float:
    """Until the table answers, the least of three openings."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in (*ARGUMENTS, f"--user-data-dir={folder}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            times = []
            for _ in range(3):
                driver.get(path.as_uri())
                times.append(driver.execute_script("return Number(document.documentElement.dataset.ready)"))
            return min(times)
        finally:
            driver.quit()


def main() -> int:
    """Print a line for each case; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true", help="open the pages too")
    with_browser, failed = parser.parse_args().browser, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        for words, limit, size in CASES:
            clock, taken = made(words, path)
            number = path.stat().st_size
            opened = milliseconds(path) if with_browser else None
            late = (limit is not None and taken > limit) or (size is not None and number > size) or (opened or 0) > 1000
            failed += late
            shown = "" if opened is None else f" {opened:6.0f} ms"
            print(
                f"{' '.join(words) or 'the example':24} {taken:6.2f} s ({clock:.2f} on the clock) {number:10,} bytes{shown}{'  TOO MUCH' if late else ''}"
            )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
