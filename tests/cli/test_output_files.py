"""Files that commands write are whole or not there: a full disk, a missing folder, a name that is taken, a path that is a folder."""

import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.errors import OutputError
from symbolic_circuits.whole_file import write_whole

pytest.importorskip("matplotlib")
COMMANDS = {  # words in front of the file, and its name
    "derive.tex": ("derive attn(1) -o", "x.tex"),
    "derive.md": ("derive attn(1) -o", "x.md"),
    "derive.json": ("derive attn(1) -o", "x.json"),
    "graph.svg": ("graph attn(1) -o", "x.svg"),
    "graph.png": ("graph attn(1) --term 1 -o", "x.png"),
    "graph.graphml": ("graph attn(1) -o", "x.graphml"),
    "terms": ("terms attn(2) -o", "x.svg"),
    "graded": ("graded attn(1) -o", "x.svg"),
    "rank": ("rank attn(1) -o", "x.png"),
    "explain": ("explain attn(1) -o", "x.svg"),
    "explain batch": ("explain attn(1) --batch 3 -o", "x.svg"),
    "ablate": ("ablate attn attn(1) --token 1 -o", "x.svg"),
    "convert": ("convert {weights}", "x.safetensors"),
}
NEEDS = {"convert": "safetensors"}


def run(words: str, path: Path, *more: str) -> Result:
    result = CliRunner().invoke(main, [*words.split(), str(path), *more])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A command, and the name of the file that it writes."""
    pytest.importorskip(NEEDS.get(request.param, "matplotlib"))
    weights = tmp_path_factory.mktemp("weights") / "weights.npz"
    sc.Weights.random("attn(1)", seed=0).save(weights)
    words, name = COMMANDS[request.param]
    return words.format(weights=weights).replace("attn attn(1)", "attn.0[0] attn(1)"), name


def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file takes the first half of what is written, and then the disk is full; the files that were begun."""
    begun = []

    class Half(io.FileIO):
        def write(self, data: bytes) -> int:
            super().write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    def opening(path: Path, mode: str) -> Half:
        begun.append(Path(path))
        return Half(path, mode)

    monkeypatch.setattr("symbolic_circuits.whole_file.open", opening, raising=False)
    return begun


# tables


def test_a_file_is_written_and_not_again(command, tmp_path: Path) -> None:
    words, name = command
    path = tmp_path / name
    assert run(words, path).exit_code in (0, 3) and path.stat().st_size > 0
    before = path.read_bytes()
    again = run(words, path)
    assert again.exit_code == 2 and "exists: give another name, or --force" in again.output and path.read_bytes() == before
    path.write_bytes(b"mine")
    assert run(words, path, "--force").exit_code in (0, 3) and path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# errors


def test_a_full_disk_leaves_no_half_file(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, name = command
    begun = full_disk(monkeypatch)
    found = run(words, tmp_path / name)
    assert found.exit_code == 2 and "No space left on device" in found.output and "wrote" not in found.output
    assert begun and not list(tmp_path.iterdir())
    monkeypatch.undo()
    assert run(words, tmp_path / name).exit_code in (0, 3)


def test_a_full_disk_leaves_what_was_there(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, name = command
    (tmp_path / name).write_text("mine")
    full_disk(monkeypatch)
    assert run(words, tmp_path / name, "--force").exit_code == 2
    assert (tmp_path / name).read_text() == "mine" and [path.name for path in tmp_path.iterdir()] == [name]


def test_a_missing_folder_is_named_and_not_made(command, tmp_path: Path) -> None:
    words, name = command
    found = run(words, tmp_path / "no" / name)
    assert found.exit_code == 2 and f"there is no folder {tmp_path / 'no'}" in found.output.replace("\n", "")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_file(command, tmp_path: Path) -> None:
    words, name = command
    (tmp_path / name).mkdir()
    assert run(words, tmp_path / name, "--force").exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).is_dir()


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identities = tmp_path / "identities.json"
    side = [[1, "ij,jk->ik", ["A", "B"]]]
    identities.write_text(json.dumps({"id": "same", "lhs": side, "rhs": side, "shapes": {"A": ["n", "d"], "B": ["d", "n"]}}))
    words, folder = f"prove {identities} --certificates", tmp_path / "certificates"
    full_disk(monkeypatch)
    assert run(words, folder).exit_code == 2 and not list(folder.iterdir())
    monkeypatch.undo()
    assert run(words, folder).exit_code == 0
    [path] = folder.iterdir()
    again = run(words, folder)
    assert again.exit_code == 2 and "exists: give another name, or --force" in again.output
    assert run(words, folder, "--force").exit_code == 0 and run("verify", path).exit_code == 0


def test_certificates_that_are_there_are_known_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is there: neither is proved, and the first is not written."""
    side, shapes = [[1, "ij,jk->ik", ["A", "B"]]], {"A": ["n", "d"], "B": ["d", "n"]}
    identities = [{"id": name, "lhs": side, "rhs": side, "shapes": shapes} for name in ("one", "ζ" * 200)]
    (tmp_path / "two.json").write_text(json.dumps(identities))
    words, folder = f"prove {tmp_path / 'two.json'} --certificates", tmp_path / "certificates"
    folder.mkdir()
    second = folder / f"0001-{'_' * 80}.json"
    second.write_text("mine")
    monkeypatch.setattr("symbolic_circuits.cli.prove.decide", lambda *_, **__: pytest.fail("decided"))
    assert run(words, folder).exit_code == 2 and [path.name for path in folder.iterdir()] == [second.name]
    assert run(words, tmp_path / "two.json").exit_code == 2
    monkeypatch.undo()
    assert run(words, folder, "--force").exit_code == 0 and len(list(folder.iterdir())) == 2


def test_what_cannot_be_put_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step fails too."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("symbolic_circuits.whole_file.os.replace", refused)
    with pytest.raises(OutputError, match="Permission denied"):
        write_whole(tmp_path / "x.txt", "text")
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    write_whole(tmp_path / "x.txt", "text")
    assert (tmp_path / "x.txt").read_text() == "text"


def test_what_is_no_name_of_a_file(tmp_path: Path) -> None:
    for name, words in (("x" * 300 + ".txt", "File name too long"), ("folder", "it is a folder; give the name of a file")):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(OutputError, match=f"cannot write .*{name[:6]}.*{words}"):
            write_whole(tmp_path / name, "text", force=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists: give another name"):
        write_whole(tmp_path / "link", "text")
    write_whole(tmp_path / ("x" * 250 + ".txt"), "text")


def test_modes_are_those_of_other_files(tmp_path: Path) -> None:
    path, before = tmp_path / "x.txt", os.umask(0o077)
    try:
        write_whole(path, "text")
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        write_whole(path, "more", force=True)
        assert path.stat().st_mode & 0o777 == 0o640 and path.read_text() == "more"
    finally:
        os.umask(before)


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    assert run("graph attn(1) -o", tmp_path / "MODEL.SVG").exit_code == 0
    assert run("derive attn(1) -o", tmp_path / "X.TXT").exit_code == 0 and "vec" in (tmp_path / "X.TXT").read_text()


def test_weights_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = sc.Weights.random("attn(1)", seed=0)
    full_disk(monkeypatch)
    with pytest.raises(OutputError, match="No space left"):
        weights.save(tmp_path / "w.npz")
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    weights.save(tmp_path / "w.npz")
    assert np.array_equal(sc.Weights.load(tmp_path / "w.npz").arrays["W_E"], weights.arrays["W_E"])
