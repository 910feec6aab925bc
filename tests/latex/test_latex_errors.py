r"""Bad input: each error has its place, a caret under it, what is wrong and what was expected; beside each stands a text that is read."""

import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import IdentityError, LatexError, SymbolicCircuitsError

SYMBOLS = r"""
A, C : n x n; X : n x d; W, W_1 : d x d; x, y : d; B : m x d x d; a : scalar
F^h : n x n for h in H; W_{OV}^h : d x d for h in H; f : function; i in d
g(x) := W x
"""

NAMES = [  # text, what the caret is under, the message, a text that is read
    (r"A Z", "Z", "Z is not declared (declared: A, ", "A C"),
    (r"A C_{O}", "C_{O}", "C_{O} is not declared; did you mean C?", "A C"),
    (r"W_{OW}^h W", "W_{OW}^h", "W_{OW}^{h} is not declared; did you mean W_{OV}?", "W_{OV}^h"),
    (r"w x", "w", "w is not declared; did you mean W?", "W x"),
    (r"\hat x", r"\hat x", "xhat is not declared", "x"),
    (r"\alpha A", r"\alpha", "alpha is not declared", "a A"),
    (r"x' + y", "x'", "xprime is not declared", "x + y"),
    (r"\operatorname{rank}(A)", r"\operatorname{rank}", "rank is not declared", r"\operatorname{tr}(A)"),
    (r"W_{OV}", "W_{OV}", "W_{OV} is a family over H: it takes a label, as in W_{OV}^{h}", "W_{OV}^h"),
    (r"F X", "F", "F is a family over H: it takes a label, as in F^{h}", "F^0 X"),
    (r"F^{x} X", "x", "x is no label of F^{h}, which runs over H: declare it (x in H)", "F^{h} X"),
    (r"F^{g} X", "g", "g is no label of F^{h}, which runs over H", r"\sum_{l} F^{l} X"),
    (r"A^h", "h", "A is no family: ^{h} is no label, transpose, inverse or power", "F^h"),
    (r"A^{n}", "n", "A is no family: ^{n} is no label, transpose, inverse or power", "A^{2}"),
    (r"a_j x", "a_j", "a is a scalar, and has no indices", "x_j a"),
    (r"A_{jX}", "A_{jX}", "A_{jX} is not declared", "A_{jl}"),
    (r"A_{jkl}", "A_{jkl}", "A has 2 axes, but 3 indices j, k, l", "A_{jl}"),
    (r"x_{jl}", "x_{jl}", "x has 1 axis, but 2 indices j, l", "x_j"),
    (r"(W x)_{jl}", "(W x)", "has 1 axis (d), but 2 indices", "(W x)_j"),
    (r"B_{jklp}", "B_{jklp}", "B has 3 axes, but 4 indices", "B_{jkl}"),
    (r"x_{j+1}", "j+1", "a position is a name or a number: a shifted or negative one cannot be read", "x_{1}"),
    (r"x_{j-1}", "j-1", "a position is a name or a number", "x_{j}"),
    (r"x_{-1}", "-1", "a position is a name or a number", "x_{1}"),
    (r"\delta_{AC}", "A", "A is no index of a delta: declare it with its range (A in n)", r"\delta_{jl} A"),
    (r"I_{0,1}", "I_{0,1}", "a delta of numbers: at least one index was expected", "I_{i,1}"),
    (r"2_j", "2", "a number has no subscript", "2 x_j"),
    (r"i x", "i", "i is an index: it stands in subscripts and under sums", "x_i x"),
]  # fmt: skip
SHAPES = [
    ("A W", "A W", "A is n x n and W is d x d: the product needs n = d", "X W"),
    ("A X A", "A X A", "X is n x d and A is n x n: the product needs d = n", "A X W"),
    ("A + X", "A + X", "a sum of terms of different shapes: n x n and n x d", "A + A"),
    ("A + x", "A + x", "a sum of terms of different shapes: n x n and d", "A + 0"),
    ("A + 1", "A + 1", "a sum of terms of different shapes: n x n and a scalar", "A + I"),
    (r"X \odot A", r"X \odot A", "an elementwise product of different shapes: n x d and n x n", r"X \odot X"),
    (r"\langle x, X \rangle", r"\langle x, X \rangle", "an inner product of different shapes: ", r"\langle X, X \rangle"),
    ("x y", "x y", r"two vectors side by side: write x^\top y or x \cdot y (a number), x y^\top (a matrix) or x \odot y (a vector)", r"x \cdot y"),
    ("x W", "x W", r"the product needs 1 = d (vectors are columns here, as in W x; x^\top is a row)", r"x^\top W"),
    ("B x", "B x", "an array of 3 axes in a product: write which axes are summed, as in B(x, y)", r"B(x, y)"),
    (r"B \otimes A", r"B \otimes A", r"\otimes joins matrices and vectors: write arrays of three axes in indices", r"A \otimes A"),
    (r"A \otimes x", r"A \otimes x", r"\otimes of n x n and d: both are matrices or both are vectors", r"x \otimes x"),
    (r"(A \otimes W) x", r"A \otimes W) x", "A \\otimes W is n*d x n*d and x is d: the product needs n*d = d", r"(A \otimes W) X"),
    (r"(A \otimes W) X^\top", r"A \otimes W) X^\top", "axis 1 of what the operator acts on has size n, but axis 1 of the matrix has size d", r"(W \otimes A) X^\top"),
    ("A / X", "X", "what is below a fraction is a scalar; this is n x d", "X / a"),
    (r"\frac{A}{C}", "C", "what is below a fraction is a scalar; this is n x n", r"\frac{A}{a}"),
    (r"\frac{a}{0}", "0", "a division by zero", r"\frac{a}{2}"),
    ("a / (1 - 1)", "1 - 1", "a division by zero", "a / (1 + 1)"),
    (r"\sqrt{A}", r"\sqrt{A}", "a root is taken of a scalar; this is n x n", r"\sqrt{a} A"),
    (r"\operatorname{tr} X", r"\operatorname{tr} X", "the rows of a matrix under tr have size n, but its columns have size d", r"\operatorname{tr} A"),
    (r"\operatorname{tr} B", r"\operatorname{tr} B", "a trace is taken of a square matrix; this is m x d x d", r"\operatorname{tr} A"),
    (r"\operatorname{softmax}(B)", r"\operatorname{softmax}(B)", "softmax takes a matrix or vector; this is m x d x d", r"\operatorname{softmax}(A)"),
    (r"\operatorname{vec}(B)", r"\operatorname{vec}(B)", "vec takes a matrix; this is m x d x d", r"\operatorname{vec}(X)"),
    (r"\operatorname{diag}(X)", r"\operatorname{diag}(X)", "the rows of a matrix under diag have size n, but its columns have size d", r"\operatorname{diag}(A)"),
    (r"\exp(A)", r"\exp(A)", r"\exp of n x n: functions of entries are written for scalars, as in \exp(x_i)", r"\exp(A_{jl})"),
    ("e^{A}", "e^{A}", "an exponential of a matrix", "e^{a}"),
    ("X^2", "X^2", "the rows of a matrix under a power have size n, but its columns have size d", "A^2"),
    ("x^2", "x^2", r"a power of d: write x^{\odot 2} for entries, or \|x\|^2", r"x^{\odot 2}"),
    ("X^{-1}", "X^{-1}", "the rows of a matrix under an inverse have size n, but its columns have size d", "A^{-1}"),
    ("x^{-1}", "x^{-1}", "an inverse is one of a square matrix; this is d", "W^{-1} x"),
    ("0^{-1}", "0^{-1}", "a division by zero", "2^{-1}"),
    ("A^{1/2}", "A^{1/2}", "a fractional power is one of a scalar, such as e^{1/2}", "a^{1/2} A"),
    ("A^{1001}", "1001", "a power is a whole number of at most 1000", "A^{10}"),
    ("A^{2.5}", "2.5", "a power is a whole number of at most 1000", "A^{2}"),
    (r"\|x\|^3", r"\|x\|^3", "a norm is squared here, or raised to an even power", r"\|x\|^2"),
    (r"\|x\|_1^2", r"\|x\|_1^2", "only Euclidean and Frobenius norms are known", r"\|X\|_F^2"),
    (r"B^\top", r"B^\top", "a transpose exchanges the axes of a matrix; this has 3 axes", r"X^\top"),
    ("(x, y)", "(x, y)", "brackets with commas are the arguments of a tensor or function in front of them", "B(x, y)"),
    ("B(x, y, x)", "x, y, x)", "argument 1, x, has size d, but its axis of B has size m", "B(x, y)"),
    ("B(x, X)", "B(x, X)", "the arguments are all vectors, or all matrices with one row a position; got d, n x d", "B(X, X)"),
    ("B(A, A)", "A, A)", "argument 1, A, has size n, but its axis of B has size d", "B(X, X)"),
    ("x(x, y)", "x(x, y)", "x is d: with 2 arguments it has 2 or 3 axes", "W(x, y)"),
    ("g(x, y)", "g(x, y)", "g has 1 argument; got 2", "g(x)"),
    ("g x", "g", "g is a function: its arguments stand in brackets", "g(x)"),
    ("x g", "g", "g is a function and has no argument", "g(x)"),
    ("f(A, C)", "f(A, C)", "this function has one argument; got 2", "f(A)"),
    (r"x \cdot_{14} B", r"x \cdot_{14} B", "B is m x d x d and has no axis 4; axes count from 1", r"x \cdot_{13} B"),
    (r"x \cdot_{11} B", r"x \cdot_{11} B", "axis 1 of x has size d, but axis 1 of B has size m", r"x \cdot_{12} B"),
    (r"x \cdot_{1} B", r"\cdot_{1}", r"the inner product \cdot_{jk} has two axes of one digit, from 1", r"x \cdot_{1,2} B"),
    ("A_{jl} + x_j", "j", "the index j has size n, but axis 1 of x_j has size d", "A_{jl} + A_{lj}"),
    ("A_{jl} x_j", "j", "the index j has size n, but axis 1 of x_j has size d", "X_{lj} x_j"),
    (r"\begin{pmatrix} A & x \end{pmatrix}", "x", "row 1 of the blocks has size n, but the rows of x have size d", r"\begin{pmatrix} A & X \end{pmatrix}"),
    (r"\begin{pmatrix} A \\ W \end{pmatrix}", "W", "column 1 of the blocks has size n, but the columns of W have size d", r"\begin{pmatrix} X \\ W \end{pmatrix}"),
    (r"\begin{pmatrix} A & X \\ A \end{pmatrix}", r"\begin{pmatrix} A & X \\ A \end{pmatrix}", "the rows of a matrix have the same number of entries, none of them empty", r"\begin{pmatrix} A & X \\ A & X \end{pmatrix}"),
    (r"\begin{pmatrix} A & \end{pmatrix}", r"\begin{pmatrix} A & \end{pmatrix}", "none of them empty", r"\begin{pmatrix} A & X \end{pmatrix}"),
    (r"A \mathbf{1}_d", r"A \mathbf{1}_d", r"\mathbf{1}_d is d: the product needs n = d", r"A \mathbf{1}_n"),
    ("I_d A", "I_d A", "I_d is d x d and A is n x n: the product needs d = n", "I_n A"),
]  # fmt: skip
SUMS = [
    (r"\sum A_{ij}", r"\sum A_{ij}", r"\sum over what? expected an index below it, as in \sum_{i}", r"\sum_{jl} A_{jl}"),
    (r"\sum^{n} x_i", r"\sum^{n} x_i", r"\sum over what? expected an index below it", r"\sum_{i=1}^{d} x_i"),
    (r"\sum_i", r"\sum_i", "nothing stands behind this sum", r"\sum_i x_i"),
    (r"\sum_{s < t} A_{st}", "<", "a condition under a sum cannot be read", r"\sum_{s, t} A_{st}"),
    (r"\sum_{s \neq t} A_{st}", r"\neq", "a condition under a sum cannot be read", r"\sum_{st} A_{st} - \operatorname{tr} A"),
    (r"\sum_{i=2}^{d} x_i", r"\sum_{i=2}^{d} x_i", "a sum runs over a whole range: from 1 to n, or from 0 to n - 1", r"\sum_{i=1}^{d} x_i"),
    (r"\sum_{i=1}^{3} x_i", "i", "a sum that starts at 1 runs over all of a range here; positions and heads count from 0", r"\sum_{i=0}^{2} x_i"),
    (r"\sum_{i \in Z} x_i", "Z", "Z is no size that is declared; sizes are H, d, m, n", r"\sum_{i \in d} x_i"),
    (r"\sum_{j \in n} x_j", "j", "the index j has size n, but axis 1 of x_j has size d", r"\sum_{j \in d} x_j"),
    (r"\sum_{2} x_2", "", "2 is no name of an index", r"\sum_j x_j"),
    (r"\prod_j x_j", r"\prod_j x_j", r"a product runs from one number to another, as in \prod_{l=0}^{2}", r"\prod_{l=0}^{1} x_l"),
    (r"\sum_{l=0}^{99} x_l", r"\sum_{l=0}^{99} x_l", "from 0 to 99 are 100 summands; between 1 and 64 are written out", r"\sum_{l=0}^{9} x_l"),
]  # fmt: skip
MARKS = [
    (r"\foo A", r"\foo", r"the command \foo is unknown; define it with \newcommand, or leave it out", r"\newcommand{\foo}{C} \foo A"),
    (r"\int A", r"\int", r"the command \int is unknown", "A"),
    (r"A \ldots C", r"\ldots", "dots stand for something: write it out", "A C"),
    ("A!", "!", "the character '!' has no meaning here", "A"),
    ("A @ C", "@", "the character '@' has no meaning here", "A C"),
    ("A \\", "\\", "a backslash at the end of the text", "A"),
    (r"\left( A", "(", "( is never closed; expected )", r"\left( A \right)"),
    ("A ( C", "(", "( is never closed; expected )", "A (C)"),
    ("A ) C", ")", ") closes nothing: no ( is open", "A (C)"),
    ("( A ]", "]", "] closes ( of line 1, column 1; expected )", "[ A ]"),
    ("{A", "{", "{ is never closed; expected }", "{A}"),
    ("A}", "}", "} closes nothing: no { is open", "{A}"),
    (r"\langle x, y", r"\langle", r"\langle is never closed; expected \rangle", r"\langle x, y \rangle"),
    (r"\|x", r"\|", r"\| is never closed; expected \|", r"\|x\|"),
    ("A_{", "_", "{ is never closed; expected }", "A_{0}") ,
    (r"\begin{pmatrix} A", r"\begin{pmatrix}", r"the environment pmatrix is never closed; expected \end{pmatrix}", r"\begin{pmatrix} A \end{pmatrix}"),
    (r"\begin{pmatrix} A \end{bmatrix}", r"\end{bmatrix}", r"closes the environment pmatrix of line 1, column 1; expected \end{pmatrix}", r"\begin{bmatrix} A \end{bmatrix}"),
    (r"A \end{pmatrix}", r"\end{pmatrix}", "the environment pmatrix closes nothing", "A"),
    (r"\begin{cases} A \end{cases}", r"\begin{cases}", "the environment cases is unknown here", "A"),
    ("x_", "_", "a script is missing; expected a symbol or a group in braces", "x_j"),
    ("x__j", "_", "a script is missing", "x_j"),
    (r"\frac{A}", r"\frac", "an argument is missing; expected a group in braces", r"\frac{A}{a}"),
    (r"\frac{A} = 0", r"\frac", "an argument is missing; expected a group in braces", r"\frac{A}{2}"),
    (r"\sqrt", r"\sqrt", "an argument is missing; expected a group in braces", r"\sqrt{a}"),
    (r"\sqrt[3]{a}", r"\sqrt", "roots are square roots here", r"\sqrt{a}"),
    (r"A \cdot", r"\cdot", "an operation has nothing on its right; expected a symbol, a number or a bracket", r"A \cdot C"),
    (r"\odot A", r"\odot", "an operation has nothing on its left", r"A \odot A"),
    (r"A \odot \odot C", r"\odot", "an operation has nothing on its right", r"A \odot C"),
    ("A +", "+", "the formula ends too early; expected a symbol, a number or a bracket", "A + C"),
    ("A + + C", "+ C", "unexpected +; expected a symbol, a number or a bracket", "A + C"),
    ("A + )", ")", ") closes nothing", "A + C"),
    ("(A +)", ")", "unexpected ); expected a symbol, a number or a bracket", "(A + C)"),
    ("A ()", ")", "unexpected ); expected a symbol, a number or a bracket", "A (C)"),
    (r"\hat{A + C}", r"\hat", r"\hat stands over one name", "A + C"),
    (r"\mathrm{a b+}", r"\mathrm{a b+}", r"\mathrm sets a word of letters; got 'a b+'", r"\mathrm{x}"),
    (r"\newcommand{\z}{\z} \z", r"\z", "macros that use each other without end", r"\newcommand{\z}{A} \z"),
    (r"\newcommand{\z}[1]{#2} A", r"\newcomman", r"the macro \z uses an argument that it does not have", r"\newcommand{\z}[1]{#1} \z A"),
    (r"\newcommand{\z}{\input{x}} A", r"\newcomman", r"the macro \z has code in it; macros are abbreviations here", r"\newcommand{\z}{x} \z"),
    (r"\newcommand{z}{A} A", r"\newcomman", r"a macro is \newcommand{\name}[number of arguments]{text}", r"\newcommand{\z}{A} A"),
    (r"\newcommand{\z}[2]{#1} \z{A}", r"\z", r"\z takes 2 arguments", r"\newcommand{\z}[2]{#1} \z{A}{C}"),
    ("a / x_0 y", "/", r"is it (a / b) c or a / (b c)? write the brackets, or \frac", "(a / x_0) y"),
    ("(" * 45 + "A" + ")" * 45, "(", "brackets are nested more than 40 deep", "(" * 20 + "A" + ")" * 20),
    ("A" + " " * 200_001, "A", "a formula of 200002 characters; the limit is 200000", "A" + " " * 99),
]  # fmt: skip
FORMULAS = [*NAMES, *SHAPES, *SUMS, *MARKS]


@pytest.mark.parametrize(("text", "under", "message", "valid"), FORMULAS, ids=[case[0][:50] for case in FORMULAS])
def test_formulas(text: str, under: str, message: str, valid: str) -> None:
    with pytest.raises(LatexError) as found:
        sc.read_latex(text, SYMBOLS)
    error = found.value
    first, *shown = str(error).splitlines()
    assert error.line == 1 and first.startswith(f"line 1, column {error.column}: ") and message in first
    assert [line[:2] for line in shown] == ["  ", "  "] and set(shown[1]) == {" ", "^"}
    place = len(shown[1]) - len(shown[1].lstrip())
    assert shown[0][place:].startswith(under), f"the caret is under {shown[0][place:]!r}"
    assert sc.read_latex(valid, SYMBOLS) is not None


BLOCKS = [  # declarations, line and column, the message, declarations that are read
    ("A", (1, 1), "expected a declaration (A : n x d), an index (s, t in n), a definition (B := ...), given ..., at ..., or a switch", "A : n"),
    ("A = C", (1, 1), "expected a declaration", "A, C : n"),
    ("A :", (1, 1), "a shape was expected behind the colon, as in A : n x d", "A : n"),
    (": n", (1, 1), "a name was expected", "x : n"),
    ("A : n x 0", (1, 1), "a size is at least 1", "A : n x 1"),
    ("A : n x -1", (1, 1), "'-1' is no size: a size is a name (n, d, d_{model}), a number, a product n*d or a sum d + 1; shapes are joined by x", "A : n x 2"),
    ("A : n y d", (1, 1), "'n y d' is no size", "A : n x d"),
    ("A : n x x d", (1, 1), "is no size", "A : n x d"),
    ("n, d : size", (1, 1), "'size' is no size", "x : d"),
    ("A : n x d for", (1, 1), "'d for' is no size", "A^h : n x d for h in H"),
    ("x : muchtoolongname", (1, 1), "'muchtoolongname' is no size", "x : short"),
    ("A : n x n; A : n x n", (1, 12), "A is declared twice; first in line 1", "A : n x n; C : n x n"),
    ("A : n x n\nx : d\n  A : d", (3, 3), "A is declared twice; first in line 1", "A : n x n\nx : d"),
    ("A, A : n", (1, 4), "A is declared twice; first in line 1", "A, C : n"),
    ("A : n x n\nA^h : n x n for h in H", (2, 1), "A is declared twice; first in line 1", "A : n x n\nC^h : n x n for h in H"),
    ("i in n; i in d", (1, 9), "i is declared twice", "i in n; j in d"),
    ("A : n; n : d", (1, 8), "n is a size already", "A : n; m : d"),
    ("W^{(1)}, W^{1} : d", (1, 10), "W^{1} and W^{(1)} cannot be told apart; rename one of them", "W^{(1)}, W^{(2)} : d"),
    ("x' : d; xprime : d", (1, 9), "xprime is declared twice", "x' : d; x'' : d"),
    ("2 : d", (1, 1), "a name is a letter or word with scripts; a transpose, power or product has no declaration", "x : d"),
    ("x y : d", (1, 1), "a name is a letter or word with scripts", "x, y : d"),
    ("A^T : n x n", (1, 1), "a transpose, power or product has no declaration", "A : n x n"),
    ("A^{-1} : n x n", (1, 1), "a transpose, power or product has no declaration", "A : n x n"),
    ("A : n x n, symmetrical", (1, 1), "did you mean symmetric?", "A : n x n, symmetric"),
    ("A : n x n,", (1, 1), "a law was expected behind the comma", "A : n x n"),
    ("A : n x d, symmetric", (1, 1), "symmetric(0,1) of A needs axes of one size; they are n x d", "A : n x n, symmetric"),
    ("B : d x d x d, symmetric", (1, 1), "symmetric of 3 axes: say which, counting from 0, as in symmetric(1,2)", "B : d x d x d, symmetric(1,2)"),
    ("B : d x d x m, symmetric(1,2)", (1, 1), "needs axes of one size; they are d x d x m", "B : d x d x m, symmetric(0,1)"),
    ("B : d x d x d, symmetric(1,5)", (1, 1), "its axes are 0 to 2", "B : d x d x d, symmetric(1,2)"),
    ("A : n x n, symmetric, antisymmetric", (1, 1), "contradict each other", "A : n x n, symmetric"),
    ("M : d x d, inverse", (1, 1), "the law is written inverse(N), with the name of the inverse", "M : d x d, inverse(N); N : d x d"),
    ("M : d x d, inverse(N)", (1, 1), "speaks of N, which is not declared", "M : d x d, inverse(N); N : d x d"),
    ("x : d; a : scalar, symmetric", (1, 8), "a scalar has no laws", "a : scalar"),
    ("A^h : n x n for g in H", (1, 1), "the name of a family ends with its label g, as in A^g or v_g", "A^h : n x n for h in H"),
    ("A^h : scalar for h in H", (1, 1), "a family of scalars is a vector: declare it as one", "A : H"),
    ("A^h : n x n for h in H; A^g : n x n for g in H", (1, 25), "A is declared twice", "A^h : n x n for h in H; A^g : n x n for g in G"),
    ("Q := Q", (1, 6), "Q is defined further down: definitions are circular or in the wrong order", "x : d; Q := I_d"),
    ("W : d x d; Q := R W; R := Q W", (1, 17), "R is defined further down: definitions are circular", "W : d x d; Q := W; R := Q W"),
    ("W : d x d; R := Q; Q := W", (1, 17), "Q is defined further down: definitions are circular or in the wrong order", "W : d x d; Q := W; R := Q"),
    ("W, Q : d x d; Q := W Q", (1, 15), "Q is defined by itself: definitions are circular", "W, Q : d x d; Q := W"),
    ("W, Q, R : d x d; Q := R W; R := Q W", (1, 28), "definitions are circular", "W, Q, R : d x d; Q := W; R := Q W"),
    ("W : d x d; B_{ijk} := W_{ij}", (1, 12), "", "W : d x d; B_{ij} := W_{ij}"),
    ("W : d x d; B_i := W_{ij}", (1, 12), "the index j is free on the right of := and not an index on the left", r"W : d x d; B_i := \sum_j W_{ij}"),
    ("W : d x d; B_{ii} := W_{ii}", (1, 12), "an index stands twice on the left of :=", "W : d x d; B_i := W_{ii}"),
    ("W, Q : d x d; Q := W; Q := W W", (1, 23), "Q is defined twice", "W, Q : d x d; Q := W W"),
    ("W : d x d; Q : d; Q := W", (1, 19), "Q is declared as d, and defined as d x d", "W, Q : d x d; Q := W"),
    ("W : d x d; 2 W := W", (1, 12), "a name was expected on the left of :=, with indices, a label, or arguments", "W : d x d; V := 2 W"),
    ("W : d x d; g(x + 1) := W x", (1, 13), "the arguments of a function that is defined are names", "W : d x d; g(x) := W x"),
    ("W : d x d; g(x, x) := W x", (1, 13), "the arguments of a function have different names", "W : d x d; g(x, y) := W x"),
    ("g(x) := x; g(y) := y", (1, 12), "g is declared twice; first in line 1", "g(x) := x; f(y) := y"),
    ("W : d x d; Q := W = W", (1, 12), "a definition has one := and no other relation", "W : d x d; Q := W"),
    ("W : d x d; Q :=", (1, 14), "there is nothing on the right", "W : d x d; Q := W"),
    ("W : d x d; Q := V", (1, 17), "V is not declared (declared: W, d)", "W : d x d; Q := W"),
    ("W : d x d; given W", (1, 17), r"a hypothesis is one equation, as in: given U^\top U = I", "W : d x d; given W W = W"),
    (r"W : d x d; given W \neq W", (1, 17), "a hypothesis is one equation", "W : d x d; given W W = W"),
    ("W : d x d; given W W = Z", (1, 24), "Z is not declared", "W : d x d; given W W = W"),
    ("C, D : d x d; given C D = D C", (1, 20), "a hypothesis is used from left to right, its left side being the longer one", "C, D : d x d; given C D = D"),
    ("at d", (1, 1), "sizes are fixed as in: at d = 2, n = 3", "at d = 2"),
    ("at d = 0", (1, 1), "sizes are fixed as in: at d = 2, n = 3", "at d = 1, n = 3"),
    ("convention up", (1, 1), "convention is one of rows, columns", "convention rows"),
    ("einstein maybe", (1, 1), "einstein is one of on, off; got 'maybe'", "einstein on"),
    ("vec", (1, 1), "vec is one of columns, rows; got ''", "vec rows"),
    (r"\newcommand{\OV}{W_{OV}} x", (1, 25), "something stands behind the macro; one statement a line", r"\newcommand{\OV}{W_{OV}}"),
    ("x : d\n" * 20_000, (1, 1), "a block of 120000 characters; the limit is 100000", "x : d\n" + "\n" * 20_000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "valid"), BLOCKS, ids=[case[0][:50] for case in BLOCKS])
def test_blocks(text: str, place: tuple[int, int], message: str, valid: str) -> None:
    with pytest.raises(LatexError) as found:
        sc.Declarations.parse(text)
    assert (found.value.line, found.value.column) == place, found.value
    assert message in str(found.value).splitlines()[0], found.value
    with pytest.raises(LatexError, match=f"line {place[0] + 6}, column {place[1]}:"):
        sc.Declarations.parse(text, line=7)
    assert sc.Declarations.parse(valid) is not None


EQUATIONS = [
    ("A C", "this is no equation: there is no =", "A C = C A"),
    ("A = X", "an equation of different shapes: n x n and n x d", "A = A"),
    ("A = B", "an equation of different shapes: n x n and m x d x d", "B = B"),
    (r"W x = x^\top W", "", r"W x = W^\top x"),
    ("x_j = y_l", "the index l is not in both sides of the equation; declare it with its range (l in n)", "x_j = y_j"),
    ("x_j = 1", "the index j is not in both sides of the equation; declare it with its range (j in n)", "x_i = 1"),
    ("A = C := X", "a definition has one name on its left and stands first in a chain", "D := C = X X^T"),
    ("A := C \\\\ A := C", "A is defined twice", "D := C"),
]


@pytest.mark.parametrize(("text", "message", "valid"), EQUATIONS, ids=[case[0] for case in EQUATIONS])
def test_equations(text: str, message: str, valid: str) -> None:
    declarations = sc.Declarations.parse(SYMBOLS)
    with pytest.raises(LatexError) as found:
        sc.read_equations(text, declarations, line=5, column=3)
    assert found.value.line == 5 and message in str(found.value)
    assert sc.read_equations(valid, declarations)


def test_functions_defined_by_themselves() -> None:
    declarations = sc.Declarations.parse("x : d; g(z) := g(z)")
    with pytest.raises(LatexError, match="line 1, column 16: g is defined further down: definitions are circular"):
        sc.read_latex("g(x)", declarations)
    assert sc.read_latex("g(x)", "x : d; f(z) := z; g(z) := f(z)") is not None


def test_kinds_of_the_error() -> None:
    """One except clause catches it as any other error of the package."""
    assert (
        issubclass(LatexError, IdentityError)
        and issubclass(LatexError, SymbolicCircuitsError)
        and issubclass(LatexError, ValueError)
    )


def test_long_lines_are_cut_around_the_caret() -> None:
    with pytest.raises(LatexError) as found:
        sc.read_latex("A + " * 100 + "Z" + " + A" * 100, SYMBOLS)
    _, shown, carets = str(found.value).splitlines()
    assert found.value.column == 401 and len(shown) <= 110
    assert shown[carets.index("^")] == "Z" and carets.count("^") == 1


def test_what_cannot_be_printed_is_not() -> None:
    with pytest.raises(LatexError) as found:
        sc.read_latex("A \x1b[31m Z", SYMBOLS)
    assert "\x1b" not in str(found.value)


def test_errors_inside_of_macros_point_to_their_use() -> None:
    with pytest.raises(LatexError, match="line 1, column 5: Z is not declared"):
        sc.read_latex(r"A + \z", SYMBOLS + "\n\\newcommand{\\z}{Z}")
    assert sc.read_latex(r"A + \z", SYMBOLS + "\n\\newcommand{\\z}{C}") is not None


def test_errors_inside_of_definitions_point_to_the_definition() -> None:
    with pytest.raises(LatexError, match=r"line 3, column 9: W is d x d and z is n x d"):
        sc.read_latex("g(X)", "W : d x d; X : n x d\n\ng(z) := W z")
    assert sc.read_latex("g(X)", "W : n x n; X : n x d\n\ng(z) := W z") is not None
