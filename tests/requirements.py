"""Tools that some tests need: skip with the reason, or fail where SYMBOLIC_CIRCUITS_REQUIRE names the tool."""

import importlib.util
import os
import shutil

import pytest

TOOLS = {
    "latex": (lambda: shutil.which("pdflatex"), "pdflatex is not installed (Debian: texlive-latex-recommended)"),
    "chromium": (
        lambda: shutil.which("chromium") and shutil.which("chromedriver") and importlib.util.find_spec("selenium"),
        "chromium, chromedriver or selenium is not installed (Debian: chromium chromium-driver; pip: selenium)",
    ),
    "dask": (lambda: importlib.util.find_spec("distributed"), "dask.distributed is not installed (extra dask)"),
    "notebook": (
        lambda: importlib.util.find_spec("nbclient") and importlib.util.find_spec("ipykernel"),
        "nbclient or ipykernel is not installed (extra test)",
    ),
    "pdoc": (lambda: importlib.util.find_spec("pdoc"), "pdoc is not installed (extra docs)"),
    "torch": (lambda: importlib.util.find_spec("torch"), "PyTorch is not installed (extra torch)"),
}


def require(tool: str) -> None:
    """Skip the test without the tool; fail instead where it is required."""
    found, reason = TOOLS[tool]
    if found():
        return
    if tool in os.environ.get("SYMBOLIC_CIRCUITS_REQUIRE", "").split():
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)
