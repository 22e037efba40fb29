"""Tiers decide who sees what and who may write; a false text of the right tier stands."""

from __future__ import annotations

import pytest
from defending import LIE, TRUTH, got, post, run, saw, shown

from simonides.sim.errors import StudyError

TIERS = {"ana": 2, "check/ben": 1}


def test_a_reader_sees_its_own_tier_and_below_and_what_is_derived_is_as_high_as_its_highest_source():
    async def story():
        guard = post("access-tiers", tiers=TIERS)
        for n, agent in enumerate(["ana", "ben", "cleo"]):
            await guard.write(saw(n, f"Note of {agent}.", agent))
        first, _, last = guard.kept.values()
        guard.derive([first, last], "Note of two.")
        return {reader: sorted(await shown(guard, "note", reader)) for reader in ("ana", "ben", "cleo", "")}

    low = ["Note of cleo."]
    everything = ["Note of ana.", "Note of ben.", "Note of cleo.", "Note of two."]
    assert run(story()) == {"ana": everything, "ben": ["Note of ben.", "Note of cleo."], "cleo": low, "": low}


def test_by_integrity_it_sees_its_own_tier_and_above():
    async def story():
        guard = post("access-tiers", tiers=TIERS, rule="integrity")
        await guard.write(saw(1, TRUTH, "ana"))
        await guard.write(saw(2, LIE, "mallory"))
        return [await shown(guard, reader=reader) for reader in ("ana", "mallory")]

    assert run(story()) == [[TRUTH], [LIE, TRUTH]]


def test_who_may_not_write_is_refused_and_what_is_written_is_redacted():
    async def story():
        guard = post("access-tiers", tiers=TIERS, write=1, redact={"[0-9]{4,}": "(number)"})
        assert (await guard.write(saw(1, LIE, "mallory"))).verdict == "refuse"
        assert (await guard.write(saw(2, "Call 555123.", "ben"))).experience.text == "Call (number)."
        assert await shown(guard, "call") == ["Call (number)."]

    run(story())


def test_a_source_may_have_a_tier_of_its_own():
    async def story():
        guard = post("access-tiers", tiers=TIERS, rule="integrity", sources={"message": 0})
        await guard.write(got(1))
        return await shown(guard)

    assert run(story()) == []


def test_it_misses_a_lie_by_an_agent_of_the_readers_tier():
    async def story():
        guard = post("access-tiers", tiers={"ana": 1, "mallory": 1}, rule="integrity")
        await guard.write(saw(1, LIE, "mallory"))
        return await shown(guard)

    assert run(story()) == [LIE]


def test_a_pattern_that_is_none_is_told():
    with pytest.raises(StudyError, match="no regular expression"):
        post("access-tiers", redact={"(": ""})
