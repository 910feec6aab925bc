"""``python -m symbolic_circuits.examples.study -o FOLDER``: every number and the figure of proofs/study-addition.md."""

import json
from pathlib import Path

import click

from symbolic_circuits.examples.study.figure import draw_study
from symbolic_circuits.examples.study.findings import Study, findings
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.whole_file import require_free, write_whole

__all__ = ["main"]


@click.command()
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), help="Write study-addition.svg and .json here.")
@click.option("--force", is_flag=True, help="Replace existing files.")
def main(folder: Path | None, force: bool) -> None:
    """Take the shipped model apart; print what was found, a number a line, or write it to a folder with the figure."""
    study = Study.of_example()
    found = findings(study)
    if folder is None:
        click.echo("\n".join(f"{name:36} {value:.6g}" for name, value in found.items()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "study-addition.json": json.dumps(found, indent=1) + "\n",
        "study-addition.svg": to_image(draw_study(study, found), ".svg"),
    }
    for name in files:
        require_free(folder / name, force=force)
    for name, content in files.items():
        write_whole(folder / name, content, force=force)
    click.echo(f"wrote study-addition.svg and study-addition.json ({len(found)} numbers) in {folder}")


if __name__ == "__main__":
    main()
