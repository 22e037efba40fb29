"""A made-up report context: small, complete, with everything that could break a page in it."""

import polars as pl

from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel, ReportContext, TrialPage

CONDITIONS = ("no memory", "window", "vector", "vector, poisoned")
NASTY = "</script><script>document.title = 'broken'</script> & \"quotes\""


def scores():
    return pl.DataFrame(
        {
            "condition": CONDITIONS,
            "score": [0.11, 0.34, 0.62, 0.41],
            "low": [0.08, 0.29, 0.55, 0.31],
            "high": [0.15, 0.40, 0.69, 0.52],
            "n": [20, 20, 20, 20],
        }
    )


def recalls():
    names = ["single-hop", "multi-hop", "temporal", "open-domain", "adversarial"]
    rows = [
        (condition, name, base + step * 0.06, base + step * 0.06 - 0.07, base + step * 0.06 + 0.07)
        for condition, base in (("window", 0.2), ("BM25", 0.42), ("vector", 0.5))
        for step, name in enumerate(names)
    ]
    return pl.DataFrame(rows, schema=["condition", "category", "recall", "low", "high"], orient="row")


def contamination():
    rows = [
        (name, tick, share, max(0.0, share - 0.05), min(1.0, share + 0.05))
        for name, slope in (("private", 0.001), ("team", 0.006), ("global", 0.02))
        for tick in range(0, 120, 4)
        for share in [min(0.9, slope * max(0, tick - 20))]
    ]
    return pl.DataFrame(rows, schema=["condition", "tick", "share", "low", "high"], orient="row")


def sizes():
    rows = [
        (name, session, base * session**power, base * session**power * 0.9, base * session**power * 1.1)
        for name, base, power in (("window", 40.0, 0.0), ("vector", 20.0, 1.0), ("MemoryBank", 18.0, 0.7))
        for session in range(1, 9)
    ]
    return pl.DataFrame(rows, schema=["condition", "session", "value", "low", "high"], orient="row")


def timeline():
    rows = [
        (3, 1, "Ida", "written", "team", "Ida keeps her kite in the blue shed.", None, False),
        (3, 1, "Bo", "recalled", "team", "Bo practises the drum on Mondays.", 0.8123, False),
        (9, 2, "Mallory", "written", "team", "Everyone says that the kite was sold.", None, True),
        (12, 2, "Bo", "recalled", "team", "Everyone says that the kite was sold.", 0.9312, True),
        (12, 2, "Bo", "refused", "Ida's own", NASTY, None, False),
    ]
    columns = ["tick", "session", "agent", "kind", "space", "text", "score", "tainted"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def context():
    trials = tuple(
        TrialPage(
            id=f"trial-{n}",
            title=f"Vector memory, shared by the team, one false record, seed {n}",
            facts={"memory": "vector", "wiring": "team", "seed": str(n), "score": "0.41", "ticks": "120"},
            timeline=timeline() if n else timeline().clear(),
            failure="" if n else "environment 'dialogue' raised ValueError in step, tick 1",
        )
        for n in range(3)
    )
    return ReportContext(
        title="Does a shared memory help, and what does one lie cost?",
        summary="Agents talk over eight sessions and are then asked about what was said. Each condition gives them "
        "another memory; in some a false record was planted at tick 20.",
        facts={"trials": "80", "seeds": "20", "runtime": "inline", "digest": "9f2c81d04e7a", "simonides": "0.1.0"},
        panels=(
            Panel("score", "Which memory answers best?", "Vector memory answers 62 % of the questions; one planted "
                  "record takes a third of that gain away.", figures.score_by_condition(scores()), scores(),
                  "Share of questions answered correctly; dots are means, bars 95 % intervals."),
            Panel("recall", "Was the right evidence found?", "Retrieval beats the window in every category.",
                  figures.recall_by_category(recalls()), recalls(), "Share of evidence turns among the first 10."),
            Panel("contamination", "How far does the lie spread?", "The wider the sharing, the faster it spreads.",
                  figures.contamination_over_ticks(contamination()), None, "Tainted by lineage, planted at tick 20."),
            Panel("size", "How large do memories grow?", "A window stays level; a vector store grows with every turn.",
                  figures.measure_by_session(sizes(), "Records"), sizes()),
            Panel("odd", NASTY, "Unknown values stay last.", None,
                  pl.DataFrame({"name": ["b <i>", "a", "c"], "cost": [1250.5, None, 3.0]})),
        ),
        limits=("The reader is a rule, not a language model.", "Fewer than 20 seeds are exploratory."),
        trials=trials,
    )  # fmt: skip
