"""One root error, one subclass per cause; each is also the built-in exception that it specialises.

A message names the object, what was expected and what came. The public function that was called adds once what it was
doing and what it was given (``raise ... from error``).
"""

__all__ = [
    "BudgetError",
    "CertificateError",
    "CodeError",
    "DerivationError",
    "DocumentError",
    "ExecutorError",
    "IdentityError",
    "LatexError",
    "LawError",
    "MissingExtraError",
    "NotStartedError",
    "NotationError",
    "OutputError",
    "ShapeError",
    "SpecError",
    "SpecSyntaxError",
    "SymbolicCircuitsError",
    "TaskError",
    "TermError",
    "TermIndexError",
    "TokensError",
    "TraceError",
    "UnsupportedNodeError",
    "WeightsError",
    "WorkerError",
]


class SymbolicCircuitsError(Exception):
    """Base class of every error that the package raises on purpose."""


class SpecError(SymbolicCircuitsError, ValueError):
    """A model specification is empty, contradictory or out of range."""


class SpecSyntaxError(SpecError):
    """A text does not parse as a model specification; the message has the position and what was expected."""


class ShapeError(SymbolicCircuitsError, ValueError):
    """Two sizes that must agree are known to differ; the message names both and where they come from."""


class NotationError(SymbolicCircuitsError, ValueError):
    """A notation or an output format is not one of those offered."""


class OutputError(SymbolicCircuitsError, OSError):
    """A file cannot be written: it exists, its folder does not, or the disk says no."""


class TermError(SymbolicCircuitsError, ValueError):
    """A term, or the text of one, does not belong to the expansion at hand."""


class TermIndexError(SymbolicCircuitsError, IndexError):
    """A position lies outside ``range(expansion.number_of_terms)``."""


class BudgetError(SymbolicCircuitsError, RuntimeError):
    """The work asked for exceeds a stated limit; raised before memory or time is spent."""


class CertificateError(SymbolicCircuitsError, ValueError):
    """A certificate does not show what it claims; the message says at which term or step."""


class IdentityError(SymbolicCircuitsError, ValueError):
    """An identity as written has no meaning: an undeclared name, a malformed einsum, free indices that differ, a cyclic definition."""


class LatexError(IdentityError):
    """LaTeX that cannot be read, or has no meaning with the symbols declared; the message shows the place.

    ``line`` and ``column`` count from 1.
    """

    line: int = 0
    column: int = 0


class DocumentError(SymbolicCircuitsError, ValueError):
    """A document cannot be read: not UTF-8, too large, a block without an end."""


class TraceError(SymbolicCircuitsError, TypeError):
    """Code does something that has no expression: a branch on data, a write in place, an unknown function; the message has the line."""


class DerivationError(SymbolicCircuitsError, ValueError):
    """A rule does not apply at a place, a derivation does not replay, or its target is not equal.

    ``verdict`` is the refutation where there is one.
    """

    verdict: object = None


class LawError(SymbolicCircuitsError, ValueError):
    """A law does not fit its tensor, is unknown, or contradicts another."""


class CodeError(SymbolicCircuitsError, ValueError):
    """An expression cannot be written as running code."""


class UnsupportedNodeError(SymbolicCircuitsError, TypeError):
    """A whole-tree operation met a node type that it has no rule for; the message names the type."""


class WeightsError(SymbolicCircuitsError, ValueError):
    """Arrays do not fit the model: missing, extra, wrongly shaped, not finite, or the file cannot be read."""


class TokensError(SymbolicCircuitsError, ValueError):
    """Tokens (or a residual input) do not fit the model or its weights."""


class MissingExtraError(SymbolicCircuitsError, ImportError):
    """An optional dependency is not installed; the message has the command that installs it."""


class ExecutorError(SymbolicCircuitsError, TypeError):
    """An executor is none, or what it is to run cannot be sent to another process; raised before anything is submitted."""


class WorkerError(SymbolicCircuitsError, RuntimeError):
    """A worker ended, or its answer was lost, while a task was in flight; the message has the task's input."""


class NotStartedError(SymbolicCircuitsError, RuntimeError):
    """A task was not begun, because its executor ended before."""


class TaskError(SymbolicCircuitsError, RuntimeError):
    """Tasks of many were not done; the message has the first of them.

    ``outcomes`` has what became of every task, in the order of the inputs: values that were found are not lost.
    """

    outcomes: tuple = ()
