"""The command ``terms`` as data and as a picture; its tables are tested with the other commands."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.errors import BudgetError, OutputError, SpecError
from symbolic_circuits.report.count_figure import draw_counts


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["terms", *args])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_terms_as_json():
    code, output = run("attn(2) bilinear", "--where", "attn.0[1] > bilinear.1.left", "--json", "--notation", "matrix")
    found, expansion = json.loads(output), sc.path_expansion("attn(2) bilinear").where("attn.0[1] > bilinear.1.left")
    assert code == 0 and found["number_of_terms"] == 3 and found["number_of_all_terms"] == 12
    assert [row["term"] for row in found["terms"]] == [str(term) for term in expansion]
    assert [row["order"] for row in found["terms"]] == [term.order for term in expansion]
    assert all(row["matrix"] for row in found["terms"])


def test_classes_and_symbols_as_json():
    found = json.loads(run("attn(H) bilinear", "--json")[1])
    assert found["number_of_terms"] == "H**2 + 3*H + 2"
    assert [row["terms"] for row in found["classes"]] == [1, "H", 1, "H", "H", "H**2"]


def test_terms_as_csv():
    rows = list(csv.DictReader(io.StringIO(run("attn(2) bilinear", "--csv", "--start", "4", "--limit", "2")[1])))
    assert [row["number"] for row in rows] == ["4", "5"] and rows[0]["term"] == "bilinear.1(embed, attn.0[0](embed))"
    assert run("attn(2)", "--where", "attn >= 2", "--csv") == (0, "")


def test_counts_of_thousands_of_digits():
    found = json.loads(run("(attn(12) bilinear)*18", "--limit", "0", "--json")[1])
    assert found["number_of_terms"].startswith("about ") and found["terms"] == []


def test_the_picture_has_a_bar_for_each_order(tmp_path):
    picture = tmp_path / "counts.svg"
    code, output = run("(attn(12) bilinear)*4", "--limit", "0", "-o", str(picture))
    assert code == 0 and "wrote" in output and picture.read_text().startswith("<?xml")
    ax = draw_counts(sc.path_expansion("(attn(2) bilinear)*2"), "degree")
    heights = {bar.get_x() + bar.get_width() / 2: 10 ** (bar.get_height() + bar.get_y()) for bar in ax.patches}
    assert {round(grade): round(count) for grade, count in heights.items()} == {1: 9, 2: 108, 3: 486, 4: 729}
    code, output = run("attn(2)", "-o", str(picture))
    assert code == 2 and "exists" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("attn(2)", "--json", "--csv"), "one or the other"),
        (("attn(H)", "-o", "x.svg"), "depend on symbols"),
        (("attn(2)", "-o", "x.pdf"), "cannot tell the format"),
        (("attn(2)", "--where", "attn >= 2", "-o", "x.svg"), "no term to draw"),
        (("attn(2)", "--where", "attn.7"), "did you mean attn.0"),
    ],
)
def test_wrong_requests(arguments, words):
    code, output = run(*arguments)
    assert code == 2 and words in output


def test_pictures_that_cannot_be_drawn():
    assert draw_counts(sc.path_expansion("attn(2)*3")).get_ylabel() == "terms"
    with pytest.raises(SpecError, match="numbers of heads"):
        draw_counts(sc.path_expansion("attn(H)"))
    with pytest.raises(OutputError, match="no term"):
        draw_counts(sc.path_expansion("attn(2)").where("attn >= 2"))
    with pytest.raises(BudgetError, match="grades was asked for"):
        draw_counts(sc.path_expansion("bilinear*11"), "degree")


def test_scores():
    code, output = run("attn(2) attn(2)", "--scores", "1[0]", "--where", "attn.0 > scores.query", "--json")
    found = json.loads(output)
    assert (code, found["scores"], found["number_of_terms"], found["number_of_all_terms"]) == (0, "scores.1[0]", 6, 9)
    code, output = run("attn(2)", "--scores", "1")
    assert code == 2 and "such as 1[0]; got '1'" in output
    code = CliRunner().invoke(main, ["check", "[rms_norm] attn(2, bias) attn(2)", "--scores", "1[1]"]).exit_code
    assert code == 0


def test_real_models():
    code, output = run("[b_U] bilinear(b_1)")
    assert code == 0 and "bilinear.0(one, embed)" in output and "4 terms" in output


def test_path_classes_are_chosen_by_their_numbers() -> None:
    """Too many to write all of them; those that are chosen are those of the whole list."""
    some = CliRunner().invoke(main, ["terms", "(attn(H) bilinear)*3", "--start", "2", "--limit", "4", "--json"])
    classes = sc.path_expansion("(attn(H) bilinear)*3").path_classes()
    assert [row["path class"] for row in json.loads(some.output)["classes"]] == [str(term) for term in classes[2:6]]
    refused = CliRunner().invoke(main, ["terms", "(attn(H) bilinear)*3"])
    assert refused.exit_code == 3 and "97,656 path classes" in refused.output and "--limit" in refused.output
    assert CliRunner().invoke(main, ["terms", "attn(H)", "--json"]).output.count("path class") == 2
