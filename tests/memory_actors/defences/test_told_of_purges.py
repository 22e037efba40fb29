"""What was purged no longer counts for a defence: nobody stands behind it, and it is no part of what is usual."""

from __future__ import annotations

import pytest
from defending import ASKED, LIE, TRUTH, got, post, run, saw, shown

from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.rows import space_row
from simonides.sim.trace import SPACE, Trace


@pytest.mark.parametrize("params", [{}, {"same": 0.99}])
def test_nobody_stands_behind_what_was_purged(params):
    async def story():
        guard = post("corroboration", **params)
        first, second = got(1, agent="bea"), got(2, agent="cid")
        for one in (first, second):
            await guard.write(one)
        assert await shown(guard) == [LIE, LIE]
        await guard.purge([first.id])
        assert await shown(guard) == []  # one identity is left
        await guard.write(got(3, agent="bea"))
        assert await shown(guard) == [LIE, LIE]

    run(story())


def test_what_was_purged_confirms_nothing_that_waits():
    async def story(purged):
        guard = post("quarantine", patience=None)
        first = got(1, agent="bea")
        await guard.write(first)
        if purged:
            await guard.purge([first.id])
        await guard.write(got(2, agent="cid"))
        return len((await guard.apply()).release)

    assert (run(story(False)), run(story(True))) == (2, 0)


def test_agreement_with_what_was_purged_ends():
    async def story():
        guard = post("trust-decay", write=0.0, read=0.6)
        agreeing = saw(1, LIE, "bea")
        for one in (agreeing, got(2, agent="cid")):
            await guard.write(one)
        assert len(await shown(guard)) == 2
        await guard.purge([agreeing.id])
        return await shown(guard)

    assert run(story()) == []


def test_poison_that_was_purged_is_no_longer_usual():
    async def story(purged):
        guard = post("embedding-anomaly", warmup=4, kappa=1.0, reads=False)
        await guard.write(saw(0))
        await guard.read(ASKED)
        await guard.apply()
        usual = [saw(2 + n, f"Something else, number {n}.") for n in range(4)]
        poison = [got(10 + n, ASKED) for n in range(4)]
        for one in (*poison[:3], *usual):
            await guard.write(one)
        if purged:
            await guard.purge([one.id for one in poison[:3]])
        return (await guard.write(got(20, "Something of the tower 3."))).verdict

    assert (run(story(False)), run(story(True))) == ("admit", "refuse")


def test_what_is_gone_is_not_purged_again():
    async def story():
        guard = post("purge-by-origin", at=5, channels=["message"])
        first = got(1)
        await guard.write(first)
        await guard.purge([first.id])
        fresh = post("purge-by-origin", at=5, channels=["message"])
        assert guard.snapshot() == fresh.snapshot()
        return (await guard.apply(6)).purge

    assert run(story()) == ()


def test_a_rollback_purges_once_and_not_what_comes_later():
    async def story():
        guard = post("purge-by-origin", at=5, since=1)
        await guard.write(saw(2))
        assert len((await guard.apply(5)).purge) == 1
        await guard.write(saw(8))
        return (await guard.apply(9)).purge, await shown(guard)

    assert run(story()) == ((), [TRUTH])


STUDY = {
    "name": "told",
    "environment": {"name": "claims", "agents": 4, "claims": 2, "witnesses": 2, "ticks": 12, "listed": True},
    "memory": "bm25", "policy": {"name": "believer", "trust": 1.0}, "wiring": "global", "seeds": 1,
    "defences": [{"name": "quarantine", "patience": 9}],
}  # fmt: skip
RUMOUR = {"kind": "inject", "tick": 1, "agent": "w0000/player_0", "channel": "rumour", "text": "A lie about towers."}


@pytest.mark.parametrize(("purge", "released"), [([], 1), ([{"kind": "purge", "tick": 4, "since": 1}], 0)])
def test_a_purge_of_a_study_takes_what_waits_in_quarantine_too(purge, released, tmp_path):
    (trial,) = parse_study({**STUDY, "interventions": [RUMOUR, *purge]}).trials()
    run_inline(trial, tmp_path)
    verdicts = [one.verdict for row in map(space_row, Trace(tmp_path).of(SPACE)) for one in row.rulings]
    assert (verdicts.count("release"), verdicts.count("drop")) == (released, 1 - released)
