"""The options that say where a result goes: a table for people, --json or --csv, and a picture with -o; checked before any work."""

import csv
import functools
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.inputs import without_nan, written_out
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.whole_file import require_format, require_free, write_whole

__all__ = ["PICTURES", "Output", "csv_text", "output_options"]

PICTURES = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Output:
    """Where a result goes."""

    as_json: bool
    as_csv: bool
    path: Path | None
    suffix: str  # of the path
    force: bool

    @classmethod
    def checked(cls, formats: tuple[str, ...], as_json: bool, as_csv: bool, path: Path | None, force: bool) -> "Output":
        """What the options say, refused where it cannot be done."""
        if as_json and as_csv:
            raise click.UsageError("--json and --csv print one or the other: give one of them")
        suffix = require_format(path, formats) if path else ""
        if path:
            require_free(path, force=force)
        return cls(as_json, as_csv, path, suffix, force)

    def show(self, data: Callable[[], dict], lines: Callable[[], str], people: Callable[[], None]) -> None:
        """Print JSON of the data, lines of CSV, or what is for people."""
        if self.as_json:
            click.echo(json.dumps(without_nan(data()), indent=1, allow_nan=False))
        elif self.as_csv:
            click.echo(lines(), nl=False)
        else:
            people()

    def write(self, content: Callable[[str], bytes], words: str) -> None:
        """Write the file, where one is asked for, from its suffix."""
        if self.path:
            write_whole(self.path, content(self.suffix), force=self.force)
            self.say(f"wrote {inert_line(self.path)}" + (f": {words}" if words else ""))

    def leave(self, why: str) -> None:
        """Say why a file that is asked for is not written."""
        if self.path:
            self.say(f"{why}: {inert_line(self.path)} is not written")

    def say(self, text: str) -> None:
        """A line beside the result: on standard error where a program reads the result."""
        say(text, err=self.as_json or self.as_csv)


def output_options(help_: str, formats: tuple[str, ...] = PICTURES) -> Callable[[Callable], Callable]:
    """Add --json, --csv, -o and --force to a command, which is called with one ``output`` for them."""
    options = [
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table."),
        click.option("-o", "--output", "to", type=click.Path(path_type=Path), help=f"{help_}; ends in {' or '.join(formats)}."),
        click.option("--force", is_flag=True, help="Replace an existing file."),
    ]

    def decorated(command: Callable) -> Callable:
        @functools.wraps(command)
        def called(*args: object, as_json: bool, as_csv: bool, to: Path | None, force: bool, **given: object) -> object:
            return command(*args, output=Output.checked(formats, as_json, as_csv, to, force), **given)

        for option in reversed(options):
            called = option(called)
        return called

    return decorated


def csv_text(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    r"""Lines of CSV with all digits; integers of thousands of digits in words.

    >>> csv_text(["term", "value"], [["embed", 0.5]])
    'term,value\nembed,0.5\n'
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(map(written_out, row) for row in rows)
    return stream.getvalue()
