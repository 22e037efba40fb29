"""What defences did, counted from the trace."""

from toys import toy_study

from simonides.experiments.metrics.tables import measure
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline

LIE = {"kind": "plant", "tick": 2, "agent": "w0000/player_0", "text": "a lie"}


def found(folder, *defences, interventions=(LIE,)):
    study = toy_study(
        worlds=1, memory={"name": "toys:ToyMemory", "capacity": 99, "forgets": False}, manage_every=0,
        policy={"name": "doors:Gossip", "how": "nothing"}, defences=list(defences), interventions=list(interventions),
    )  # fmt: skip
    (trial,) = parse_study(study).trials()
    assert run_inline(trial, folder).errors == ()
    tables, values = measure(folder)
    mine = values.filter(metric="defence")
    return tables, dict(mine.select("part", "value").iter_rows())


def test_a_refusal_counts_what_came_and_what_was_stopped(tmp_path):
    tables, values = found(
        tmp_path, {"name": "doors:Refuse", "word": "at 4"}, {"name": "doors:Refuse", "word": "a lie"}
    )
    counts = tables.doors.filter(door="admit").row(0, named=True)
    lived = sum(1 for _ in range(12) if _ % 7 != 6) * 2
    assert (counts["tainted_seen"], counts["tainted_stopped"]) == (1, 1)
    assert (counts["benign_seen"], counts["benign_stopped"]) == (lived, 2)
    assert values["TPR admit"] == 1.0 and values["FPR admit"] == 2 / lived
    assert tables.items["furthest"].to_list() == ["not admitted"]


def test_what_is_screened_counts_each_time_and_an_empty_quarantine_stops_nothing(tmp_path):
    tables, values = found(tmp_path / "hide", {"name": "doors:Hide", "word": "lie"})
    assert values["TPR screen"] == 1.0 and values["FPR screen"] == 0.0
    assert tables.rulings.filter(verdict="screen")["tainted"].all()
    _, values = found(tmp_path / "hold", {"name": "doors:Hold", "word": "lie", "until": 3})
    assert values["TPR admit"] == 0.0
    _, values = found(tmp_path / "drop", {"name": "doors:Hold", "word": "lie", "until": 3, "drop": True})
    assert values["TPR admit"] == 1.0


def test_without_a_defence_there_is_no_such_metric(tmp_path):
    tables, values = found(tmp_path)
    assert values == {} and tables.doors.height == 0
