"""A real small run ends with a table, a report and figures; the report is opened in a browser and looked at."""

import os
import re
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
import yaml
from command import simonides, write_study

from simonides.experiments.metrics.cells import effects, interval, means, run_tables
from simonides.experiments.metrics.conditions import factors, label
from simonides.experiments.metrics.stats import bootstrap_over_seeds
from simonides.experiments.runs import Run
from simonides.sim.config import parse_study

STUDY = {
    "name": "small_shared", "description": "Two memories, shared or not, clean or with a false record.",
    "environment": {"name": "dialogue", "speakers": 4, "teams": 2, "sessions": 4, "turns_per_session": 8,
                    "questions": 12},
    "policy": "extractive-reader", "memory": "bm25", "wiring": "private", "seeds": 2,
    "factors": {
        "wiring": ["private", "global"], "interventions": [[], [{"kind": "plant", "tick": 20}]],
        "memory": ["window", "bm25"],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run; what it printed is beside it."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    done = simonides("run", "small.yaml", "--out", "out", "--jobs", 2, report=True, cwd=folder)
    assert done.returncode == 0, done.stderr + done.stdout
    (folder / "printed.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    return run_tables(Run(folder / "out"))


def test_a_run_prints_a_row_a_condition_what_columns_mean_and_where_the_report_is(folder):
    printed = (folder / "printed.txt").read_text()
    printed_first, planted = printed.split("What became of what was planted")
    rows = [line for line in printed_first.splitlines() if line.startswith("│")]
    assert len(rows) == 8
    assert len([line for line in planted.splitlines() if line.startswith("│")]) == 4
    assert re.search(r"│ private +│ clean +│ bm25 +│ +0\.\d\d \[0\.\d\d, 0\.\d\d\] │", printed)
    assert "repeats: answers that repeat the planted false record" in printed
    assert "With 2 seeds these numbers are exploratory" in printed
    assert printed.rstrip().endswith("Report: out/report.html")
    assert (folder / "out/report.html").stat().st_size < 6_000_000


def test_every_trial_has_its_metrics_beside_its_trace(folder):
    trials = list((folder / "out/trials").iterdir())
    assert len(trials) == 16
    assert all(
        (trial / "metrics.parquet").exists() and (trial / "tables/questions.parquet").exists() for trial in trials
    )


def test_means_by_condition_are_those_of_the_tested_bootstrap(tables):
    found = means(tables.questions, ["condition"], "official_f1")
    assert found.height == 8 and (found["n"] == 24).all()
    for row in found.iter_rows(named=True):
        own = tables.questions.filter(pl.col("condition") == row["condition"])
        seeds = [group["official_f1"].to_list() for _, group in own.group_by("seed", maintain_order=True)]
        slow = bootstrap_over_seeds(seeds)
        assert row["estimate"] == pytest.approx(slow.estimate)
        assert (row["low"], row["high"]) == pytest.approx((slow.low, slow.high), abs=1e-9)


def test_an_interval_of_one_unit_has_no_ends():
    estimate, low, high = interval(np.array([3.0]), np.array([4.0]))
    assert estimate == 0.75 and np.isnan(low) and np.isnan(high)


def test_effects_compare_pairs_that_differ_in_one_choice(tables):
    found = {row["choice"]: row for row in effects(tables, tables.questions, "official_f1").iter_rows(named=True)}
    assert set(found) == {"global", "one false record", "bm25"}
    asked = tables.questions
    by_hand = asked.filter(pl.col("memory") == "bm25")["official_f1"].mean() - asked.filter(
        pl.col("memory") == "window")["official_f1"].mean()  # fmt: skip
    assert found["bm25"]["difference"] == pytest.approx(by_hand)
    assert found["bm25"]["pairs"] == 8


def test_conditions_are_named_for_people():
    plants = [[], [{"kind": "plant", "tick": 3}], [{"kind": "plant", "tick": 9}]]
    study = parse_study({**STUDY, "factors": {"memory.name": ["bm25"], "interventions": plants,
                                              "memory": ["vector", {"name": "vector", "hybrid": True}]}})  # fmt: skip
    assert [factor.labels for factor in factors(study)] == [
        ("bm25",), ("clean", "one false record at tick 3", "one false record at tick 9"), ("vector", "vector (hybrid)"),
    ]  # fmt: skip
    assert label("interventions", [{"tainted": False}]) == "one benign record"
    assert label("memory", {"name": "window", "turns": 3}, brief=True) == "window"


def test_report_measures_again_what_is_missing(folder, tables):
    trial = next((folder / "out/trials").iterdir())
    shutil.rmtree(trial / "tables")
    (folder / "out/report.html").unlink()
    done = simonides("report", "out", cwd=folder)
    assert done.returncode == 0 and "Report: out/report.html" in done.stdout
    assert (trial / "tables").is_dir() and (folder / "out/report.html").exists()
    assert run_tables(Run(folder / "out")).questions.equals(tables.questions)


def test_plot_writes_each_figure_and_its_numbers(folder):
    done = simonides("plot", "out", "--out", "figures", cwd=folder)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {"score.html", "score.csv", "recall-bm25.html", "contamination-window.html", "plotly.min.js"} <= names
    assert "http" not in re.sub(r"https?://(www\.)?(plotly|w3)[^\"']*", "", (folder / "figures/score.html").read_text())
    assert pl.read_csv(folder / "figures/score.csv").height == 8


def test_pictures_without_their_library_are_a_users_mistake(folder):
    if shutil.which("kaleido") or __import__("importlib.util").util.find_spec("kaleido"):
        pytest.skip("kaleido is installed")
    done = simonides("plot", "out", "--format", "png", cwd=folder)
    assert done.returncode == 2 and "pip install 'simonides[figures]'" in done.stderr


def test_a_run_without_questions_reports_its_rewards(tmp_path):
    write_study(tmp_path, worlds=2)
    done = simonides("run", "study.yaml", "--out", "out", report=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "reward: mean reward of an agent a tick" in done.stdout and (tmp_path / "out/report.html").exists()


def test_a_run_in_which_all_failed_still_has_a_report(tmp_path):
    write_study(tmp_path, memory="rogues:Raises", factors={"memory.raises": [True]})
    done = simonides("run", "study.yaml", "--out", "out", report=True, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert "failed" in (tmp_path / "out/report.html").read_text()


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browse(folder):
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("headless Chromium is not installed")
    simonides("report", "out", cwd=folder)

    def run(fragment, *what):
        flags = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars",
            "--disable-component-update", "--disable-sync", "--no-first-run", "--virtual-time-budget=8000",
            f"--user-data-dir={folder / 'profile'}",
        )  # fmt: skip
        return subprocess.run(
            [chromium, *flags, *what, f"file://{folder}/out/report.html{fragment}"],
            capture_output=True, text=True, timeout=180, check=True,
        ).stdout  # fmt: skip

    return run


@pytest.mark.browser
def test_the_report_of_a_run_answers_a_readers_questions(browse):
    dom = browse("", "--dump-dom")
    for question in (
        "Which memory answers best?", "Which choice matters how much?", "Does sharing help with what one did not hear?",
        "Was the right evidence found?", "Do answers repeat the false record?", "How far does the false record spread?",
        "How large do memories grow?", "How long does a tick take?",
    ):  # fmt: skip
        assert question in dom
    assert dom.count('class="main-svg"') >= 12
    assert "Too few seeds for a claim" in dom and "not from a language model" in dom
    assert len(re.findall(r'<article class="inner page"', dom)) == 16


@pytest.mark.browser
def test_a_trials_page_shows_what_was_planted_asked_and_recalled(browse):
    dom = browse("#trial-6", "--dump-dom")
    page = dom[dom.index('<article class="inner page" id="trial-6"') :]
    page = page[: page.index("</article>")]
    assert not page.startswith('<article class="inner page" id="trial-6" data-page="trial-6" tabindex="-1" hidden')
    for kind in ("planted", "asked", "recalled", "answered", "written"):
        assert f'<span class="tag {kind}">' in page
    assert "one false record" in page


@pytest.mark.browser
def test_screenshots_are_saved_wide_and_narrow(browse, folder):
    for name, size in {"wide": "1200,4200", "narrow": "500,4200"}.items():
        shot = folder / f"{name}.png"
        browse("", f"--window-size={size}", f"--screenshot={shot}")
        assert shot.stat().st_size > 50_000


# --- recorded dialogues -----------------------------------------------------------------------------------------------


@pytest.mark.data
def test_locomo_has_recall_by_kind_and_the_papers_rows_beside_it(tmp_path):
    data = os.environ.get("SIMONIDES_DATA")
    if not data:
        pytest.skip("SIMONIDES_DATA is not set")
    done = simonides(
        "run", "locomo_recall", f"data={data}/locomo", "environment.conversation=0", "environment.questions=40",
        "factors.memory=[{name: window, turns: 25}, bm25]", "--out", "out", report=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = run_tables(Run(tmp_path / "out"))
    found = {row["memory"]: row["estimate"] for row in means(tables.questions, ["memory"], "recall_25").to_dicts()}
    assert found["bm25"] > 0.5 > 0.2 > found["window"]
    report = (tmp_path / "out/report.html").read_text()
    assert "other retriever (Dragon), other reader (gpt-3.5-turbo), all 10 conversations" in report
    assert "LoCoMo paper, RAG" in report
