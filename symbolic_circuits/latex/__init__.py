r"""A reader for the LaTeX of this field: text -> tokens -> tree -> SymPy, by what is declared.

| module | step |
| --- | --- |
| ``scanner``, ``macros``, ``commands`` | text -> tokens with places |
| ``chains``, ``grammar``, ``tree`` | tokens -> equations -> trees |
| ``declarations``, ``declared``, ``definitions``, ``hypotheses`` | what names stand for |
| ``elaboration``, ``meaning``, ``names``, ``products``, ``calls``, ``bigs``, ``grids``, ``entries`` | trees -> values with shapes |
| ``claims``, ``reading`` | values -> SymPy, with what is given |
"""

from symbolic_circuits.latex.claims import Chain, Claim
from symbolic_circuits.latex.declarations import Declarations
from symbolic_circuits.latex.reading import read_equations, read_latex

__all__ = ["Chain", "Claim", "Declarations", "read_equations", "read_latex"]
