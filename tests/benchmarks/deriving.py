"""Times of derivations: found, replayed, proved, written; and random architectures that do all of it and compile.

``PYTHONPATH=. python tests/benchmarks/deriving.py [--count 200] [--keep FILE.tex]``; without pdflatex nothing is compiled.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.derivation.step import is_exact

NOTATIONS = ("operator", "matrix", "index", "tensor")
MODELS = ("attn(H) bilinear", "(attn(2) bilinear)*2", "attn(H_0) attn(H_1) attn(H_2)", "bilinear*3")
MAX_CLASSES = 60


def timed(work, times: dict, name: str):
    """What a piece of work returns, its time noted."""
    start = time.perf_counter()
    found = work()
    times[name] = time.perf_counter() - start
    return found


def one(subject, notation: str, style: sc.Style) -> tuple[sc.Derivation, str, dict[str, float]]:
    """A derivation, its document, and the times."""
    times: dict[str, float] = {}
    found = timed(lambda: sc.derive(subject, notation=notation), times, "derive")
    timed(found.replay, times, "replay")
    verdict = timed(found.prove, times, "prove")
    if not is_exact(verdict):
        raise SystemExit(f"{subject} in {notation} notation is {verdict.verdict}")
    text = timed(lambda: sc.to_latex(found, style), times, "write")
    return found, text, times


def pages(text: str) -> tuple[int, float]:
    """Pages of the compiled document, and by how many points its widest box is too wide."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.tex").write_text(text, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
        run = subprocess.run(command, cwd=folder, capture_output=True)
    log = run.stdout.decode("latin-1")
    if run.returncode:
        raise SystemExit(log[-2000:])
    wide = [float(width) for width in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
    return int(re.search(r"\((\d+) pages?", log)[1]), max(wide, default=0.0)


def models() -> None:
    """Four models in four notations."""
    for text in MODELS:
        for notation in NOTATIONS:
            found, document, times = one(text, notation, sc.Style(document=True))
            steps = sum(len(part.steps) for part in found.parts())
            shown = ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in times.items())
            size = "{} pages, widest box {:.0f} pt too wide".format(*pages(document)) if shutil.which("pdflatex") else ""
            print(f"  {text:30} {notation:9} {steps:4} steps  total {sum(times.values()):6.2f} s  ({shown})  {size}")


def random_architectures(count: int, keep: Path | None) -> None:
    """Random architectures, each in a notation, detail and convention of its own; all fragments in one document."""
    chance, fragments, slowest, total = Random(0), [], 0.0, 0.0

    @settings(
        max_examples=10 * count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(transformers(symbolic_heads=True), st.integers(0, 2**16))
    def draw(model, seed) -> None:
        nonlocal slowest, total
        expansion = sc.path_expansion(model)
        if len(fragments) >= count or expansion.path_classes().number_of_terms > MAX_CLASSES or not model.steps:
            return
        style = sc.Style(
            prefix=f"d{len(fragments)}",
            detail=chance.choice(["every", "main", "result"]),
            marked=chance.choice(["colour", "underline", None]),
            convention=chance.choice(["row", "column"]),
            numbering=chance.choice(["chain", "line", None]),
        )
        _, text, times = one(expansion, chance.choice(NOTATIONS), style)
        fragments.append(text)
        slowest, total = max(slowest, sum(times.values())), total + sum(times.values())

    draw()
    head = r"\documentclass[10pt]{article}\usepackage[a4paper,margin=25mm]{geometry}\usepackage{amsmath,amssymb,mathtools,xcolor}"
    document = "\n\n".join([head + r"\allowdisplaybreaks\begin{document}", *fragments, r"\end{document}"])
    size = "{} pages, widest box {:.0f} pt too wide".format(*pages(document)) if shutil.which("pdflatex") else "not compiled"
    print(
        f"  {len(fragments)} random architectures: all derived, replayed and proved; {total:.1f} s, slowest {slowest:.2f} s; {size}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="where to write the document of the random architectures")
    arguments = parser.parse_args()
    print("derivations")
    if arguments.keep is None:
        models()
    random_architectures(arguments.count, arguments.keep)
