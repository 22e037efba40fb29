"""Trust as a minimum over lineage stops doubtful sources and all that is made of them; a trusted relay gets through."""

from __future__ import annotations

from defending import LIE, TRUTH, got, post, run, saw, shown

from simonides.sim.checks.post import lived


def test_what_comes_through_a_doubtful_channel_is_not_shown_and_what_was_observed_is():
    async def story():
        guard = post("lineage-trust")
        await guard.write(saw(1))
        await guard.write(got(2))
        assert await shown(guard) == [TRUTH]

    run(story())


def test_a_summary_is_trusted_as_its_worst_source():
    async def story():
        guard = post("lineage-trust", threshold=0.0)
        await guard.write(saw(1))
        await guard.write(got(2))
        guard.derive(list(guard.kept.values()), "In short, tower 3 is blue.")
        items = (await guard.read("colour of tower 3")).items
        assert {item.text: item.trust for item in items} == {TRUTH: 1.0, LIE: 0.3, "In short, tower 3 is blue.": 0.3}

    run(story())


def test_what_is_told_on_is_trusted_no_more_than_what_its_teller_was_shown():
    async def story():
        guard = post("lineage-trust", threshold=0.0, trust={"note": 0.9})
        await guard.write(got(1))
        await guard.apply(2)
        await guard.read("tower 3", reader="ana")
        await guard.apply()
        told = await guard.write(lived(3, LIE, "ben", channel="note", heard=(("ana", 3),)))
        alone = await guard.write(lived(3, TRUTH, "ben", channel="note", heard=(("cleo", 3),)))
        assert (told.trust, alone.trust) == (0.3, 0.9)

    run(story())


def test_the_least_of_channel_speaker_and_writer_holds():
    async def story():
        guard = post("lineage-trust", speakers={"Eve": 0.1}, writers={"check/mallory": 0.2, "cleo": 0.25})
        assert (await guard.write(lived(1, "a", speaker="Eve"))).trust == 0.1
        assert (await guard.write(lived(1, "bb", "mallory"))).trust == 0.2
        assert (await guard.write(lived(1, "ccc", "cleo"))).trust == 0.25
        assert (await guard.write(lived(1, "dddd", channel="smoke signals"))).trust == 0.5

    run(story())


def test_it_misses_a_lie_that_a_trusted_agent_relays_as_its_own_observation():
    async def story():
        guard = post("lineage-trust")
        await guard.write(saw(1, LIE, "ben"))
        assert await shown(guard) == [LIE]

    run(story())
