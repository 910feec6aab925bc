"""``python -m symbolic_circuits.examples.study -o FOLDER``: every number and the figure of proofs/study-addition.md."""

import json
from pathlib import Path

import click

from symbolic_circuits.examples.study.figure import draw_study
from symbolic_circuits.examples.study.findings import Study, findings
from symbolic_circuits.report.figures import to_image

__all__ = ["main"]


@click.command()
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), help="Write study-addition.svg and .json here.")
def main(folder: Path | None) -> None:
    """Take the shipped model apart; print what was found, a number a line, or write it to a folder with the figure."""
    study = Study.of_example()
    found = findings(study)
    if folder is None:
        click.echo("\n".join(f"{name:36} {value:.6g}" for name, value in found.items()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study-addition.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "study-addition.svg").write_bytes(to_image(draw_study(study, found), ".svg"))
    click.echo(f"wrote study-addition.svg and study-addition.json ({len(found)} numbers) in {folder}")


if __name__ == "__main__":
    main()
