"""Expansions and weights that do not belong together are refused; checks that show nothing say so; hostile files are errors."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TokensError, WeightsError


def frozen():
    return sc.freeze(sc.Weights.random("attn(2) bilinear", seed=0), [1, 2, 3])


@pytest.mark.parametrize("other", ["attn(2) bilinear(tied)", "attn(2)", "attn(3) bilinear", "[no embed] attn(2) bilinear"])
def test_values_need_the_expansion_of_the_weights(other: str) -> None:
    sc.contributions(sc.path_expansion("attn(2) bilinear"), frozen(), direction=1)
    for evaluate in (lambda e: sc.contributions(e, frozen(), direction=1), lambda e: sc.output_values(e, frozen())):
        with pytest.raises(SpecError, match="but the weights are of"):
            evaluate(sc.path_expansion(other))


def test_path_classes_have_no_value() -> None:
    classes = sc.path_expansion("attn(2) bilinear").path_classes()
    with pytest.raises(SpecError, match="leave heads open"):
        sc.output_values(classes, frozen())
    with pytest.raises(SpecError, match="leave heads open"):
        sc.check(classes, sc.Weights.random("attn(2) bilinear", seed=0), [1, 2, 3])


def test_sizes_that_the_expansion_fixes() -> None:
    weights = sc.Weights.random("attn(2)", d=16, seed=0)
    assert sc.check("[d=16] attn(2)", weights, [1, 2]).agrees
    with pytest.raises(WeightsError, match=r"axis 0 of W_E has size 16, but the model says 8"):
        sc.check("[d=8] attn(2)", weights, [1, 2])
    with pytest.raises(SpecError, match="n=3 positions, but the sequence has 2"):
        sc.check("[n=3] attn(2)", weights, [1, 2])


def scaled(text: str, factor: float) -> sc.Weights:
    weights = sc.Weights.random(text, seed=0)
    return sc.Weights(weights.model, {name: array * factor for name, array in weights.arrays.items()})


def test_an_output_that_vanishes_shows_nothing() -> None:
    report = sc.check("attn(2) bilinear", scaled("attn(2) bilinear", 1e-120), [1, 2])
    assert report.verdict == report.float64.verdict == "undecided" and report.exact.verdict == "agrees"
    assert "were not shown to add up" in str(report) and np.isnan(report.shares).all()


def test_an_output_that_overflows_is_no_difference() -> None:
    report = sc.check("bilinear*3", scaled("bilinear*3", 1e4), [1, 2])
    assert report.float64.verdict == "agrees" and report.float32.verdict == "undecided" == report.verdict


def test_chance_is_no_evidence() -> None:
    report = sc.check("bilinear(no residual)*15", sc.Weights.random("bilinear(no residual)*15", seed=0), [1, 2])
    assert report.exact.differing == 0 and report.exact.verdict == "agrees"
    exact = report.exact
    assert exact.error_probability == exact.degree / exact.prime
    deeper = type(exact)(exact.prime, exact.sizes, exact.seed, 0, exact.entries, exact.prime)
    assert deeper.verdict == "undecided"


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"positions": [7]}, "position 7 is outside"), ({"positions": []}, "no positions"), ({}, "of equal length")],
)
def test_inputs_of_the_wrong_kind(keywords: dict, message: str) -> None:
    weights = sc.Weights.random("attn(2)", seed=0)
    sc.check("attn(2)", weights, [[1, 2], [3, 4]], positions=[-1])
    with pytest.raises(TokensError, match=message):
        sc.check("attn(2)", weights, [1, 2] if keywords else [[1, 2], [3]], **keywords)


def test_symbolic_heads_and_float_targets() -> None:
    open_heads = sc.Weights.random("attn(H)", sizes={"H": 2}, seed=0)
    with pytest.raises(SpecError, match="cannot be listed"):
        sc.check("attn(H)", open_heads, [1, 2])
    weights = sc.Weights.random("attn(2)", seed=0)
    with pytest.raises(TokensError, match="targets are token numbers"):
        sc.margins(sc.path_expansion("attn(2)"), weights, [[1, 2]], [1.5])


def test_terms_too_large_to_write_are_errors_at_once() -> None:
    assert sc.path_expansion("bilinear(no residual)*10")[0].degree == 2**10
    with pytest.raises(BudgetError, match="2,147,483,647 nodes"):
        sc.path_expansion("bilinear(no residual)*30")[0]
    with pytest.raises(BudgetError, match="a term of 8,191 nodes"):
        sc.path_expansion("bilinear(no residual)*12")[0].expr("matrix")


def archive(header: bytes, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("W_E.npy", header + data)
    return stream.getvalue()


def header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def test_a_header_that_promises_more_than_the_file_holds(tmp_path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(archive(header((10**12,)), b"\0" * 8))
    with pytest.raises(WeightsError, match=r"does not hold an array of shape \(1000000000000,\)"):
        sc.Weights.load(path, model="")


@pytest.mark.parametrize("seed", range(30))
def test_corrupt_files_are_weights_errors_or_read(tmp_path, seed: int) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, model=np.array("attn(1)"), **sc.Weights.random("attn(1)", d=4, V=3, e=2, seed=0).arrays)
    data = bytearray(stream.getvalue())
    generator = np.random.default_rng(seed)
    for place in generator.integers(0, len(data), 3):
        data[place] ^= 1 << int(generator.integers(8))
    path = tmp_path / "w.npz"
    path.write_bytes(bytes(data))
    with contextlib.suppress(WeightsError):
        sc.Weights.load(path)
