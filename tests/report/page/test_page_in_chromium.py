"""Pages in a real browser, without a window: they render, filter, sort, answer to keys, ask for nothing, and fit narrow screens."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requirements

import symbolic_circuits as sc
from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.report.page.page import html_page

HOSTILE = "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">"
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900"),
)
SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    requirements.require("chromium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in (*ARGUMENTS, f"--user-data-dir={folder}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, weights = tmp_path_factory.mktemp("pages"), sc.Weights.example()
    result = Result(HOSTILE, "", 3, "=", HOSTILE, "failed", "refuted", HOSTILE, HOSTILE)
    documents = [Report(HOSTILE, HOSTILE, (result,))]
    words = f"{HOSTILE} {10**90}"
    (path / "example.html").write_text(html_page(weights.model, weights, [3, 4, 31], token=7, documents=documents, words=words))
    many = "attn(40) bilinear"
    (path / "many.html").write_text(html_page(many, sc.Weights.random(many, seed=0), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1], token=0))
    (path / "symbolic.html").write_text(html_page("attn(H) bilinear"))
    return path


def opened(browser: object, path: Path, width: int = 1280, scheme: str = "light") -> dict:
    """The page at a width, in a scheme; the time of its readiness and what was logged."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    ready = browser.execute_script("return Number(document.documentElement.dataset.ready)")
    return {"ready": ready, "log": browser.get_log("browser"), "asked": asked}


def names(browser: object) -> list[str]:
    """The terms in the rows that are there, in their order."""
    return browser.execute_script("return [...document.querySelectorAll('#rows .name')].map((name) => name.textContent)")


def put(browser: object, field: str, value: str) -> None:
    """A value into a filter, as typing does."""
    script = "const f = document.getElementById(arguments[0]); f.value = arguments[1]; f.dispatchEvent(new Event('input'))"
    browser.execute_script(script, field, value)


def choice(browser: object, field: str, label: str) -> None:
    """The option of a filter that has a label."""
    script = "return [...document.getElementById(arguments[0]).options].find((o) => o.text === arguments[1]).value"
    put(browser, field, browser.execute_script(script, field, label))


def press(browser: object, *keys: str) -> None:
    """Keys on the table."""
    from selenium.webdriver.common.keys import Keys

    grid = browser.find_element("id", "grid")
    browser.execute_script("arguments[0].focus()", grid)
    for key in keys:
        grid.send_keys(getattr(Keys, key))


@pytest.mark.parametrize(("width", "scheme"), SIZES)
@pytest.mark.parametrize("name", ["example", "many", "symbolic"])
def test_pages_render_without_errors_or_requests_and_fit(browser, folder: Path, name: str, width: int, scheme: str) -> None:
    path = folder / f"{name}.html"
    found = opened(browser, path, width, scheme)
    assert found["log"] == [] and path.as_uri() in found["asked"] and set(found["asked"]) <= {path.as_uri(), "data:,"}
    assert found["ready"] > 0 and browser.title.startswith("Path expansion of")
    wide = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] == width
    beyond = "return [...document.querySelectorAll('main > *, section > *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length"
    assert browser.execute_script(beyond) == 0
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    math = "return [...document.querySelectorAll('#rows math')].map((m) => m.getBoundingClientRect()).filter((r) => r.width > 5 && r.height > 5).length"
    assert browser.execute_script(math) >= 3


def test_small_shares_are_not_zero(browser, tmp_path: Path) -> None:
    random = sc.Weights.random("attn(2)", seed=0)
    scaled = {name: array * (1e4 if name.endswith("W_V") else 1) for name, array in random.arrays.items()}
    path = tmp_path / "scaled.html"
    path.write_text(html_page(random.model, sc.Weights(random.model, scaled), [1, 2], token=0))
    opened(browser, path)
    put(browser, "order", "0")
    assert re.search(r", [+\u2212]0\.00\d+ % of the total$", browser.find_element("id", "status").text)


def test_opening_takes_less_than_a_second(browser, folder: Path) -> None:
    assert min(opened(browser, folder / "example.html")["ready"] for _ in range(3)) < 1000
    assert min(opened(browser, folder / "many.html")["ready"] for _ in range(3)) < 1000


def test_searching_and_filtering(browser, folder: Path) -> None:
    opened(browser, folder / "example.html")
    expansion = sc.path_expansion(sc.Weights.example().model)
    terms = {str(term): term for term in expansion}
    assert set(names(browser)) == set(terms)
    put(browser, "search", "ATTN.0[1] embed, ")
    assert set(names(browser)) == {name for name in terms if "attn.0[1]" in name and "embed," in name}
    browser.find_element("id", "clear").click()
    assert len(names(browser)) == 12
    put(browser, "order", "2")
    assert set(names(browser)) == {name for name, term in terms.items() if term.order == 2}
    choice(browser, "left", "embed")
    assert set(names(browser)) == {"bilinear.1(embed, attn.0[0](embed))", "bilinear.1(embed, attn.0[1](embed))"}
    choice(browser, "right", "attn.0[1]")
    assert names(browser) == ["bilinear.1(embed, attn.0[1](embed))"]
    assert browser.find_element("id", "status").text.startswith("1 of 12 rows, together ")
    put(browser, "search", "nothing of that name")
    assert names(browser) == [] and "No row is kept" in browser.find_element("id", "rows").text
    browser.find_element("id", "clear").click()
    choice(browser, "part", "bilinear.1")
    choice(browser, "sign", "takes away")
    put(browser, "least", "10")
    values = dict(zip(terms, sc.contributions(expansion, sc.freeze(sc.Weights.example(), [3, 4, 31]), direction=7), strict=True))
    total = sum(values.values())
    assert set(names(browser)) == {name for name, value in values.items() if "bilinear" in name and value < -0.1 * total}


def test_components_are_in_order_and_all_heads_of_a_block_are_one_choice(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    labels = browser.execute_script("return [...document.getElementById('part').options].map((option) => option.text)")
    assert labels[:4] == ["any", "attn.0[*]", "attn.0[0]", "attn.0[1]"] and labels[-2:] == ["bilinear.1", "embed"]
    choice(browser, "left", "attn.0[*]")
    assert all(name.startswith("bilinear.1(attn.0[") for name in names(browser))
    choice(browser, "right", "attn.0[9]")
    assert len(names(browser)) > 5 and all(name.endswith(", attn.0[9](embed))") for name in names(browser))


@pytest.mark.parametrize("key", ["number", "term", "order", "height", "left", "right", "value"])
def test_sorting(browser, folder: Path, key: str) -> None:
    opened(browser, folder / "example.html")
    expansion = sc.path_expansion(sc.Weights.example().model)
    values = sc.contributions(expansion, sc.freeze(sc.Weights.example(), [3, 4, 31]), direction=7)
    of = {
        "number": lambda k: k,
        "order": lambda k: expansion[k].order,
        "height": lambda k: expansion[k].height,
        "value": lambda k: abs(values[k]),
    }
    button = browser.find_element("css selector", f"button[data-sort={key}]")
    seen = []
    for _ in range(2):
        button.click()
        shown = [expansion.index(expansion.parse(name)) for name in names(browser)]
        direction = browser.execute_script("return arguments[0].parentElement.getAttribute('aria-sort')", button)
        seen.append(direction)
        assert sorted(shown) == list(range(12))
        if key in of:
            keys = [of[key](k) for k in shown]
            assert keys == sorted(keys, reverse=direction == "descending")
    assert sorted(seen) == ["ascending", "descending"]
    others = "return [...document.querySelectorAll('#grid th[aria-sort=none]')].length"
    assert browser.execute_script(others) == 6


def test_keys_move_and_choose(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    active = "return document.querySelector('#rows tr.active .name').textContent"
    chosen = "return document.querySelector('#detail h3').textContent"
    index = "return Number(document.getElementById(document.getElementById('grid').getAttribute('aria-activedescendant')).getAttribute('aria-rowindex'))"
    first = browser.execute_script(active)
    browser.execute_script("window.row = document.querySelector('#rows tr.active')")
    press(browser, "ARROW_DOWN", "ARROW_DOWN", "ARROW_UP")
    assert browser.execute_script(index) == 3 and browser.execute_script(chosen) == first
    assert browser.execute_script("return row.isConnected && row.nextSibling === document.querySelector('#rows tr.active')")
    assert browser.find_element("id", "said").get_attribute("textContent") == ""
    press(browser, "ENTER")
    assert browser.execute_script(chosen) == browser.execute_script(active) != first
    assert browser.execute_script("return document.getElementById('said').textContent").startswith("Shown below: ")
    press(browser, "END")
    assert browser.execute_script(index) == 1001
    visible = "const r = document.querySelector('#rows tr.active').getBoundingClientRect(), v = document.getElementById('viewport').getBoundingClientRect(); return r.top >= v.top && r.bottom <= v.bottom + 1"
    assert browser.execute_script(visible)
    press(browser, "HOME", "PAGE_DOWN", "SPACE")
    assert 2 < browser.execute_script(index) < 20 and browser.execute_script(chosen) == browser.execute_script(active)


def test_only_rows_that_are_seen_are_there(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    count = "return document.querySelectorAll('#rows tr[id]').length"
    assert 8 < browser.execute_script(count) < 40
    browser.execute_script("document.getElementById('viewport').scrollTop = 20000")
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert 8 < browser.execute_script(count) < 40
    rows = "return Number(document.querySelector('#rows tr[id]').getAttribute('aria-rowindex'))"
    assert browser.execute_script(rows) > 300
    slow = "const t = performance.now(); const s = document.getElementById('search'); for (const w of ['a', 'at', 'bil', '[1', '']) { s.value = w; s.dispatchEvent(new Event('input')); } return (performance.now() - t) / 5"
    assert browser.execute_script(slow) < 250  # milliseconds for a key, on a machine that is busy


def test_the_term_that_is_chosen_is_shown_whole(browser, folder: Path) -> None:
    opened(browser, folder / "example.html")
    put(browser, "search", "bilinear.1(attn.0[0](embed), attn.0[1](embed))")
    press(browser, "ENTER")
    detail = browser.find_element("id", "detail")
    labels = [text.text for text in detail.find_elements("css selector", "svg .node text")]
    assert sorted(labels) == sorted(["output", "bilinear.1", "left", "attn.0[0]", "embed", "right", "attn.0[1]", "embed"])
    tables = [
        [cell.text for cell in table.find_elements("css selector", "tbody td")]
        for table in detail.find_elements("tag name", "table")
    ]
    frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    for table, pattern in zip(tables, frozen.patterns[0], strict=True):
        assert [0.0 if cell == "·" else float(cell) for cell in table] == pytest.approx(pattern.ravel().tolist(), abs=0.008)
    numbers = browser.execute_script("return [...document.querySelectorAll('#detail math mn')].map((n) => n.textContent)")
    assert numbers == ["0", "0", "1", "1"]


def test_patterns_of_many_positions_are_pictures(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    canvas = browser.find_element("css selector", "#detail canvas")
    assert "11 by 11 cells" in canvas.get_attribute("aria-label")


def test_classes_show_their_terms(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    button = browser.find_element("css selector", "button[data-class]")
    label = button.get_attribute("aria-label")
    browser.execute_script("arguments[0].click()", button)
    name = label.removeprefix("Show the listed terms of ")
    assert {re.sub(r"\[\d+\]", "[*]", shown) for shown in names(browser)} == {name}


def test_everything_that_is_used_has_a_name(browser, folder: Path) -> None:
    opened(browser, folder / "example.html")
    nameless = "return [...document.querySelectorAll('input, select, button, svg, [role=region], table')].filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.querySelector?.('caption, title'))).map((e) => e.outerHTML)"
    assert browser.execute_script(nameless) == []
    assert browser.execute_script("return document.querySelectorAll('h1').length") == 1
    assert browser.execute_script(
        "return [...document.querySelectorAll('[id]')].length === new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )


def test_print_shows_everything(browser, folder: Path) -> None:
    opened(browser, folder / "many.html")
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert (
        len(names(browser)) == 1000
        and browser.execute_script("return document.querySelectorAll('details:not([open])').length") == 0
    )
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert len(names(browser)) < 40
    opened(browser, folder / "example.html")
    assert len(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]) > 10_000
