"""A report is one file that needs no network, and reads well in a browser."""

import dataclasses
import html.parser
import re
import shutil
import subprocess

import made_up_report
import polars as pl
import pytest

from simonides.experiments.report.page import render_report
from simonides.sim.errors import ContractBroken


@pytest.fixture(scope="module")
def context():
    return made_up_report.context()


@pytest.fixture(scope="module")
def page(context):
    return render_report(context)


class Outline(html.parser.HTMLParser):
    """Collects ids, links and the addresses that a page would load."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.loads += [found[name] for name in ("src", "href") if name in found and tag != "a"]


def test_equal_contexts_give_equal_pages(context, page):
    assert render_report(context) == page


def test_nothing_is_loaded_and_every_link_leads_somewhere(page):
    outline = Outline()
    outline.feed(page)
    assert outline.loads == ["data:,"]
    assert all(link.removeprefix("#") in outline.ids for link in outline.links)
    assert len(set(outline.ids)) == len(outline.ids)


def test_text_of_agents_is_shown_and_never_run(page):
    body = page[page.index("<body>") :]
    assert "document.title = &#39;broken&#39;" in body
    assert "<script>document.title" not in body


def test_labels_of_figures_cannot_close_their_script(context):
    figure = context.panels[0].figure
    figure = type(figure)(figure).update_layout(title="</script><script>alert(1)</script>")
    panel = dataclasses.replace(context.panels[0], figure=figure)
    assert "<script>alert(1)" not in render_report(dataclasses.replace(context, panels=(panel,)))


def test_ids_that_repeat_or_cannot_be_linked_are_refused(context):
    twice = dataclasses.replace(context, panels=context.panels[:1] * 2)
    with pytest.raises(ContractBroken, match="have the id 'score'"):
        render_report(twice)
    odd = dataclasses.replace(context.trials[0], id="a b")
    with pytest.raises(ContractBroken, match="cannot link to the id 'a b'"):
        render_report(dataclasses.replace(context, trials=(odd,)))


def test_a_timeline_without_its_columns_is_refused(context):
    odd = dataclasses.replace(context.trials[0], timeline=pl.DataFrame({"tick": [1]}))
    with pytest.raises(ContractBroken, match="'trial-0' has no column session, agent"):
        render_report(dataclasses.replace(context, trials=(odd,)))


@pytest.fixture(scope="module")
def browse(page, tmp_path_factory):
    """Open the page in headless Chromium at a fragment; return its DOM after its scripts ran."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no chromium on the PATH: install it to see the report as a browser does")
    folder = tmp_path_factory.mktemp("report")
    (folder / "report.html").write_text(page, encoding="utf-8")
    # One click a sortable heading, as a reader would, in a copy of the page.
    click = "<script>document.querySelectorAll('#odd th button')[1].click()</script></body>"
    (folder / "clicked.html").write_text(page.replace("</body>", click), encoding="utf-8")

    def run(name, *what):
        flags = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars",
            "--disable-component-update", "--disable-sync", "--no-first-run", "--virtual-time-budget=5000",
            f"--user-data-dir={folder / 'profile'}",
        )  # fmt: skip
        return subprocess.run(
            [chromium, *flags, *what, f"file://{folder}/{name}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    run.folder = folder
    return run


@pytest.mark.browser
def test_figures_are_drawn_and_only_the_results_are_shown(browse):
    dom = browse("report.html", "--dump-dom")
    assert dom.count('class="main-svg"') >= 4
    assert "Does a shared memory help" in re.search(r"<title>(.*?)</title>", dom).group(1)
    assert len(re.findall(r'<article class="inner page"[^>]*hidden', dom)) == 3
    assert not re.search(r'<main id="main"[^>]*hidden', dom)


@pytest.mark.browser
def test_a_trials_link_shows_its_page_alone(browse):
    dom = browse("report.html#trial-1", "--dump-dom")
    assert re.search(r'<main id="main"[^>]*hidden', dom)
    assert not re.search(r'<article class="inner page" id="trial-1"[^>]*hidden', dom)
    assert re.search(r'<header class="top"[^>]*hidden', dom)
    assert len(re.findall(r'<article class="inner page"[^>]*hidden', dom)) == 2


@pytest.mark.browser
def test_a_click_sorts_by_number_and_keeps_the_unknown_last(browse):
    dom = browse("clicked.html", "--dump-dom")
    odd = dom[dom.index('id="odd"') :]
    body = odd[odd.index("<tbody>") : odd.index("</tbody>")]
    assert [name.strip() for name in re.findall(r"<tr><td>(.*?)</td>", body)] == ["c", "b &lt;i&gt;", "a"]
    assert 'aria-sort="ascending" class="number"' in odd[: odd.index("<tbody>")]


@pytest.mark.browser
def test_screenshots_are_saved_for_a_person_to_look_at(browse):
    shot = browse.folder / "report.png"
    browse("report.html", "--window-size=1200,3400", f"--screenshot={shot}")
    assert shot.stat().st_size > 100_000
