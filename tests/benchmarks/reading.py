"""Reading LaTeX: 100 equations of the field, and texts made to break the reader: ``python tests/benchmarks/reading.py [--texts 50000]``.

Every text must be read or end in LatexError, within 0.2 s.
"""

import argparse
import random
import re
import sys
import time
from collections import Counter

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import Declarations, read_equations

DECLARATIONS = r"""
A, C : n x n; X, Y : n x d; W, Q, S : d x d; x, y : d; b : m; B, T : m x d x d; W_1, W_2 : m x d; P : d x m; a, c : scalar
F^h : n x n for h in H
W_{OV}^h : d x d for h in H
v_l : d for l in k
\lambda : k
f : function
g(x) := (W_1 x) \odot (W_2 x)
s, t in n
"""
EQUATIONS = [
    r"(A \otimes W) \operatorname{vec} X = \operatorname{vec}(A X W^\top)",
    r"(A \otimes W) X = A X W^\top",
    r"g(x) = x \cdot_{12} B \cdot_{21} x \neq B(x, y)",
    r"\sum_{h \in H} F^h X W_{OV}^{h\top} = \sum_{g} F^g X (W_{OV}^{g})^{T}",
    r"\left(\mathrm{Id} + \sum_h F^h \otimes W_{OV}^h\right) X = X + \sum_{h=1}^{H} F^{h} X W_{OV}^{h \mathsf{T}}",
    r"\begin{aligned} (A + C)^2 &= A^2 + A C + C A + C^2 \\ &\neq A^2 + 2 A C + C^2 \tag{A1} \end{aligned}",
    r"\sum_{j,k} B_{ijk} x_j y_k = \left( B(x, y) \right)_i",
    r"\|W x\|^2 = x^\top W^\top W x = \langle W x, W x\rangle = \operatorname{tr}(W x x^{\top} W^{\top})",
    r"\sum_{l} \lambda_l (v_l^\top x)^2 = x^\top \Bigl( \sum_l \lambda_l v_l v_l^\top \Bigr) x",
    r"\begin{pmatrix} W_1 & b \end{pmatrix} \begin{pmatrix} x \\ 1 \end{pmatrix} = W_1 x + b",
    r"\frac{1}{2} (W + W^\top) + \tfrac12 (W - W^\top) = W",
    r"\operatorname{softmax}(\tfrac{1}{\sqrt{d}} X Q X^\top)_{st} = \operatorname{softmax}\left(X \frac{Q}{\sqrt{d}} X^\top\right)_{st}",
    r"\operatorname{diag}(W_1 x) W_2 x = W_1 x \odot W_2 x = (W_1 \odot \mathbf{1} x^{\top})x",
    r"\sum_{t} \delta_{st} X_{tj} = X_{sj}",
    r"\prod_{l=0}^{2} F^{l} = F^0 F^1 F^2",
    r"f(A X)_{sj} = f\left(\sum_t A_{st} X_{tj}\right)",
]
PIECES = re.split(
    r" ",
    r"\sum_ \prod_ \frac \sqrt \left( \right) \begin{pmatrix} \end{pmatrix} & \\ \operatorname{tr} \operatorname{diag} ^\top ^{-1} ^2 ^h _i _{ij} "
    r"_{h \in H} ^{h\top} \odot \otimes \cdot \cdot_{12} + - = \neq := ( ) [ ] { } , ; A B X W x y \| \langle \rangle \mathbf{1} \mathrm{Id} 0 1 12 0.5 "
    r"' \hat \tilde W_{OV}^{h} \delta_{ij} \text{so} \tag{1} \newcommand{\z}{x} \z % # $ ~ | / * ^ _ \ \mapsto \in \cup 9999999999 ^{99999}",
)


def mutated(text: str, random_: random.Random) -> str:
    """A text with a few of its signs deleted, doubled, exchanged, moved, or replaced by others."""
    for _ in range(random_.randint(1, 3)):
        signs = re.findall(r"\\[A-Za-z]+|\\.|.", text, re.DOTALL) if random_.random() < 0.8 else list(text)
        k = random_.randrange(len(signs) + 1)
        j = min(len(signs), k + random_.choice([1, 1, 1, 2, 5]))
        kind = random_.randrange(7)
        if kind == 0:
            del signs[k:j]
        elif kind == 1:
            signs[k:k] = signs[k:j]
        elif kind == 2:
            signs[k:k] = [random_.choice(PIECES)]
        elif kind == 3:
            signs[k : j + 1] = signs[k : j + 1][::-1]
        elif kind == 4:
            signs[k:j] = [chr(random_.choice([random_.randrange(32, 127), random_.randrange(160, 2000), 0x1D400, 0]))]
        else:
            letters = [place for place, sign in enumerate(signs) if len(sign) == 1 and sign.isalnum()]
            if letters:
                signs[random_.choice(letters)] = random_.choice("ACXYWQSxybBTPachgijklstdnHmIFf012")
        text = "".join(signs)
    return text


def noise(random_: random.Random) -> str:
    """Random bytes as text, or random pieces."""
    if random_.random() < 0.5:
        return random_.randbytes(random_.randint(0, 60)).decode("latin-1")
    return " ".join(random_.choice(PIECES) for _ in range(random_.randint(1, 30)))


def attempt(text: str, declarations: Declarations) -> tuple[str, float]:
    """What becomes of a text, and the seconds."""
    start = time.perf_counter()
    try:
        read_equations(text, declarations)
        outcome = "read"
    except LatexError:
        outcome = "LatexError"
    except Exception as error:  # what is looked for
        outcome = f"{type(error).__name__}: {error}"[:200]
    return outcome, time.perf_counter() - start


def main() -> None:
    """Print how fast 100 equations are read, and what becomes of random and of mutated texts."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=50_000, help="of each kind")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    declarations = Declarations.parse(DECLARATIONS)
    texts = (EQUATIONS * 10)[:100]
    read_equations(texts[0], declarations)
    start = time.perf_counter()
    for text in texts:
        read_equations(text, declarations)
    print(f"100 equations: {time.perf_counter() - start:.3f} s")
    failed = False
    for kind in ("random", "mutated"):
        random_ = random.Random(f"{kind} {chosen.seed}")
        outcomes: Counter = Counter()
        slowest = (0.0, "")
        for _ in range(chosen.texts):
            text = noise(random_) if kind == "random" else mutated(random_.choice(EQUATIONS), random_)
            outcome, seconds = attempt(text, declarations)
            if outcome not in ("read", "LatexError"):
                print(f"  {outcome}\n    {text!r}")
            outcomes[outcome if outcome in ("read", "LatexError") else "other"] += 1
            slowest = max(slowest, (seconds, text))
        print(f"{chosen.texts:,} {kind} texts: {dict(outcomes)}; slowest {slowest[0] * 1000:.0f} ms: {slowest[1][:100]!r}")
        failed |= bool(outcomes["other"]) or slowest[0] > 0.2
    sys.exit(failed)


if __name__ == "__main__":
    main()
