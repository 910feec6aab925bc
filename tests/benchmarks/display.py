"""First display of expansions in a fresh process: milliseconds from ``_repr_mimebundle_`` being asked to its answer, imports included."""

import subprocess
import sys

MODELS = [
    ("attn(2) bilinear", None),
    ("attn(149) bilinear", None),
    ("(attn(12) bilinear)*4", None),
    ("(attn(12) bilinear)*12", None),
    ("(attn(12) bilinear)*12", "order = 24"),
    ("bilinear*25", None),
    ("(attn(H) bilinear)*3", None),
    ("(attn(H) bilinear)*12", None),
    ("(attn(H, linear) bilinear)*4", None),
    ("(attn(H) bilinear)*48", None),
    ("[rms_norm, rotary] (attn(4, b_V) bilinear(bias))*12", None),
]
CODE = """
import sys, time
import symbolic_circuits as sc
expansion = sc.path_expansion(sys.argv[1])
expansion = expansion.where(sys.argv[2]) if sys.argv[2:] else expansion
wall, cpu = time.perf_counter(), time.process_time()
expansion._repr_mimebundle_()
print(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))
"""


def measured(model: str, query: str | None) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor, the least of three processes."""
    words = [sys.executable, "-c", CODE, model, *([query] if query else [])]
    found = [subprocess.run(words, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
    return min(float(wall) for wall, _ in found), min(float(cpu) for _, cpu in found)


if __name__ == "__main__":
    for model, query in MODELS:
        wall, cpu = measured(model, query)
        print(f"{wall:7.0f} ms, {cpu:5.0f} ms of the processor: {model}" + (f" where {query}" if query else ""))
