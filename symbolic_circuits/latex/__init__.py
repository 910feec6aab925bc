r"""A reader for the LaTeX of this field: text -> tokens -> tree -> SymPy, by what is declared.

| module | step |
| --- | --- |
| ``scanner``, ``taking``, ``groups``, ``macros``, ``commands`` | text -> tokens with places |
| ``chains``, ``grammar``, ``building``, ``arranging``, ``tree`` | tokens -> equations -> trees |
| ``declarations``, ``statements``, ``shapes``, ``declared*``, ``definitions``, ``hypotheses`` | what names stand for |
| ``elaboration``, ``meaning``, ``names``, ``readings``, ``products``, ``calls``, ``bigs``, ``summing``, ``grids``, ``entries``, ``units`` | trees -> values with shapes |
| ``claims``, ``reading`` | values -> SymPy, with what is given |
"""

from symbolic_circuits.latex.claims import Chain, Claim
from symbolic_circuits.latex.declarations import Declarations
from symbolic_circuits.latex.reading import read_equations, read_latex

__all__ = ["Chain", "Claim", "Declarations", "read_equations", "read_latex"]
