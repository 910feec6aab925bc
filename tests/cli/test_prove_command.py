"""``symbolic-circuits prove``: exit codes, table, JSON, certificates, warnings; hostile files are wrong input, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from identity_texts import identity

from symbolic_circuits.cli import main
from symbolic_circuits.identities.checker import check_certificate

CLAIMS = {
    "proved": identity("ij,ji-> A B", "ij,ji-> B A", "A:n,m B:m,n"),
    "refuted": identity("ij,jk->ik A B", "ij,jk->ik B A", "A:n,n B:n,n"),
    "holds_at": identity("ij,jk,kl,lm,mp,pi-> A A B B A B", "ij,jk,kl,lm,mp,pi-> B A B B A A", "A:2,2 B:2,2"),
    "undecided": identity("ij->j U", "j->j o", "U:n,m o:m", U="orthonormal_rows; row_stochastic", o="ones"),
}
CLAIMS = {name: claim | {"id": name} for name, claim in CLAIMS.items()}


def run(*words: object) -> Result:
    result = CliRunner().invoke(main, ["prove", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def file(tmp_path):
    """Writes a file of identities."""

    def write(*names: str, data: object = None) -> str:
        path = tmp_path / f"{'_'.join(names) or 'data'}.json"
        path.write_text(json.dumps([CLAIMS[name] for name in names] if data is None else data))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["proved"], 0),
        (["holds_at"], 0),
        (["proved", "holds_at"], 0),
        (["refuted"], 1),
        (["undecided"], 3),
        (["proved", "undecided"], 3),
        (["undecided", "refuted", "proved"], 1),
    ],
)
def test_exit_codes(file, names: list[str], code: int) -> None:
    result = run(file(*names))
    assert result.exit_code == code
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[:2] for line in lines] == [[name, name] for name in names]
    assert all(len(line) == 3 and line[2] for line in lines)


def test_several_files(file) -> None:
    result = run(file("proved"), file("refuted", "proved"))
    assert result.exit_code == 1 and len(result.stdout.splitlines()) == 3


WRONG = [
    ({"lhs": []}, "there is no rhs"),
    ({"lhs": [], "rhs": [], "shapes": {"A": [0]}}, "a size of A"),
    ({"lhs": [], "rhs": [], "shapes": {"A": ["n"]}, "given": {"A": ["x"]}}, "the laws are"),
    (3, "an identity is an object"),
    ({"version": 9, "identities": []}, "version 9"),
]


@pytest.mark.parametrize(("data", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_input(file, data: object, message: str) -> None:
    result = run(file("proved"), file(data=data))
    assert result.exit_code == 2 and message in result.stderr and "error:" in result.stderr and not result.stdout


def test_wrong_usage(tmp_path, file) -> None:
    assert run().exit_code == 2
    assert run(tmp_path / "none.json").exit_code == 2
    assert run(tmp_path).exit_code == 2
    assert run(file("proved"), "--seed", "-1").exit_code == 2
    assert run(file("proved"), "--seed", "1").exit_code == 0
    (tmp_path / "text.json").write_text("{")
    result = run(tmp_path / "text.json")
    assert result.exit_code == 2 and "is not JSON" in result.stderr


def test_json(file) -> None:
    result = run("--json", file(*CLAIMS))
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(item["id"], item["verdict"]) for item in found] == [(name, name) for name in CLAIMS]
    proved, refuted, holds, undecided = found
    assert set(proved) == {"id", "verdict", "summary"}
    assert set(refuted) == {"id", "verdict", "summary", "witness", "residue", "diagnosis"}
    assert set(refuted["witness"]) >= {"sizes", "scalars", "tensors", "entry", "lhs", "rhs", "sizes_are_minimal"}
    assert refuted["witness"]["sizes"] == {"n": 2} and refuted["witness"]["sizes_are_minimal"] is True
    assert refuted["diagnosis"] and {"kind", "side", "term", "words", "lhs", "rhs"} == set(refuted["diagnosis"][0])
    assert holds["error_probability"] is None and holds["sizes"] == {}
    assert undecided["reason"] and undecided["residue"] and "diagnosis" in undecided


def test_json_of_nothing(file) -> None:
    result = run("--json", file(data=[]))
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_verbose(file) -> None:
    result = run("-v", file("refuted"))
    assert "lhs - rhs = " in result.stdout and "A = [[" in result.stdout and "it would be proved with one edit" in result.stdout
    assert "lhs - rhs = " not in run(file("refuted")).stdout


def test_certificates(tmp_path, file) -> None:
    folder, claims = tmp_path / "proofs", file("proved", "refuted", "proved")
    assert run(claims, "--certificates", folder).exit_code == 1
    found = sorted(path.name for path in folder.iterdir())
    assert found == ["0000-proved.json", "0002-proved.json"]
    for name in found:
        check_certificate(json.loads((folder / name).read_text()))
    before = (folder / found[0]).read_bytes()
    again = run(claims, "--certificates", folder)
    assert again.exit_code == 2 and "--force" in again.stderr and (folder / found[0]).read_bytes() == before
    assert run(claims, "--certificates", folder, "--force").exit_code == 1
    assert run(claims, "--certificates", claims).exit_code == 2


def test_names_of_certificates_stay_in_their_folder(tmp_path, file) -> None:
    folder = tmp_path / "proofs"
    ids = ["../../escape", "a/b\\c", "con:", "x" * 500, ".", "é*?"]
    assert run(file(data=[CLAIMS["proved"] | {"id": name} for name in ids]), "--certificates", folder).exit_code == 0
    assert len(list(folder.iterdir())) == len(ids) and not (tmp_path.parent / "escape.json").exists()


def test_keys_that_mean_nothing_are_warned_of(file) -> None:
    result = run(file(data=CLAIMS["proved"] | {"Given": {}, "comment": "fine"}))
    assert result.exit_code == 0 and "keys that mean nothing here: Given" in result.stderr and "comment" not in result.stderr
    assert "warning" not in result.stdout
    assert json.loads(run("--json", file(data=CLAIMS["proved"] | {"Given": {}})).stdout)[0]["verdict"] == "proved"


def test_identities_without_an_id_are_numbered(file) -> None:
    nameless = {key: value for key, value in CLAIMS["proved"].items() if key != "id"}
    result = run(file(data=[nameless, nameless]))
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["data#0", "data#1"]


def test_help() -> None:
    text = run("--help").stdout
    assert "symbolic-circuits prove identities.json" in text and "Exit codes" in text and '"lhs"' in text
    assert "prove" in CliRunner().invoke(main, ["--help"]).stdout


COMMAND = [sys.executable, "-c", "from symbolic_circuits.cli import main; main()", "prove"]


def shell(*words: str, **more: object) -> subprocess.CompletedProcess:
    return subprocess.run([*COMMAND, *words], env={"PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}, capture_output=True, check=False, timeout=100, **more)  # fmt: skip


def test_output_in_a_pipe(file) -> None:
    found = shell(file("proved", "refuted"))
    assert found.returncode == 1
    lines = found.stdout.decode().splitlines()
    assert len(lines) == 2 and lines[1].startswith("refuted\trefuted\tcounterexample at n = 2")
    assert b"\x1b" not in found.stdout and b"Traceback" not in found.stderr


def test_a_reader_that_has_had_enough(file) -> None:
    path = file(data=[CLAIMS["proved"] | {"id": f"{k} {'x' * 90}"} for k in range(1000)])
    process = subprocess.Popen(
        [*COMMAND, path], env={"PYTHONPATH": ":".join(sys.path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(10)
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=100)


# ---- what is wrong today ----


def test_an_id_that_is_no_text(file) -> None:
    result = run(file(data=CLAIMS["proved"] | {"id": "\ud800"}))
    assert result.exit_code in (0, 2)


def test_an_id_is_one_line(file) -> None:
    result = run(file(data=CLAIMS["refuted"] | {"id": "one\nother\tproved\tfor all sizes"}))
    assert result.exit_code == 2 or len(result.stdout.splitlines()) == 1


def test_certificates_are_verified(tmp_path: Path) -> None:
    claim = {
        "id": "t",
        "lhs": [[1, "ij,ji->", ["A", "B"]]],
        "rhs": [[1, "ij,ji->", ["B", "A"]]],
        "shapes": {"A": ["n", "d"], "B": ["d", "n"]},
    }
    (tmp_path / "claim.json").write_text(json.dumps(claim))
    runner, folder = CliRunner(), tmp_path / "proofs"
    assert runner.invoke(main, ["prove", str(tmp_path / "claim.json"), "--certificates", str(folder)]).exit_code == 0
    [path] = folder.iterdir()
    right = runner.invoke(main, ["verify", str(path)])
    assert right.exit_code == 0 and right.output.endswith("right\n")
    data = json.loads(path.read_text())
    data["statement"]["lhs"][0]["factors"][0][1].reverse()
    path.write_text(json.dumps(data))
    wrong = runner.invoke(main, ["verify", str(path)])
    assert wrong.exit_code == 1 and "\twrong\t" in wrong.output
    assert runner.invoke(main, ["verify", str(tmp_path / "none.json")]).exit_code == 2
