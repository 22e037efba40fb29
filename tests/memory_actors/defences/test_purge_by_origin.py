"""Purging takes back what an observation contradicts, with its descendants, and what a rule names."""

from __future__ import annotations

import pytest
from defending import LIE, TRUTH, got, post, run, saw, shown

from simonides.sim.errors import StudyError


def test_what_a_later_observation_contradicts_is_purged_with_all_that_descends_from_it():
    async def story():
        guard = post("purge-by-origin")
        await guard.write(got(1))
        guard.derive(list(guard.kept.values()), "In short: tower 3 is blue.")
        assert (await guard.apply(1)).purge == ()
        await guard.write(saw(2, TRUTH, "ben"))
        assert len((await guard.apply(2)).purge) == 1
        assert await shown(guard, "tower 3") == [TRUTH]

    run(story())


def test_news_of_a_changed_world_is_kept_as_is_what_was_observed():
    async def story():
        guard = post("purge-by-origin")
        await guard.write(saw(1, TRUTH))
        await guard.write(got(2, LIE))
        await guard.write(saw(3, "The colour of tower 4 is red."))
        await guard.write(saw(4, LIE, "ben"))
        assert (await guard.apply(4)).purge == ()
        assert len(guard.kept) == 4

    run(story())


def test_several_observers_may_be_asked_for():
    async def story():
        guard = post("purge-by-origin", observers=2)
        await guard.write(got(1))
        for n in (2, 3):
            await guard.write(saw(n, TRUTH, "ben"))
        assert (await guard.apply(3)).purge == ()
        await guard.write(saw(4, TRUTH, "cleo"))
        assert len((await guard.apply(4)).purge) == 1

    run(story())


def test_a_rule_purges_a_writer_and_since_alone_rolls_back():
    async def story(**rule):
        guard = post("purge-by-origin", at=5, **rule)
        for n in range(1, 5):
            await guard.write(saw(n, f"Note {n}.", ("ana", "mallory")[n % 2]))
        assert (await guard.apply(4)).purge == ()
        await guard.apply(5)
        assert (await guard.apply(6)).purge == ()
        return sorted(record.text for record in guard.kept.values())

    assert run(story(writers=["mallory"])) == ["Note 2.", "Note 4."]
    assert run(story(writers=["check/mallory"], since=2)) == ["Note 1.", "Note 2.", "Note 4."]
    assert run(story(since=3)) == ["Note 1.", "Note 2."]
    assert run(story(channels=["message"])) == ["Note 1.", "Note 2.", "Note 3.", "Note 4."]


def test_poison_that_is_merged_with_the_truth_takes_it_along():
    async def story():
        guard = post("purge-by-origin")
        await guard.write(saw(1, "The colour of tower 9 is green."))
        await guard.write(got(1))
        guard.derive(list(guard.kept.values()), "Tower 9 is green, tower 3 is blue.", replacing=True)
        await guard.write(saw(2, TRUTH))
        await guard.apply(2)
        assert await shown(guard, "tower 9 is green, 3") == [TRUTH]

    run(story())


def test_it_misses_what_nobody_observes_again_and_what_pretends_to_be_observed():
    async def story():
        guard = post("purge-by-origin")
        await guard.write(saw(1, LIE, "mallory"))
        await guard.write(saw(2, TRUTH))
        assert (await guard.apply(2)).purge == ()

    run(story())


def test_a_rule_needs_a_tick_and_a_tick_a_rule():
    with pytest.raises(StudyError, match="`at`"):
        post("purge-by-origin", since=3)
    with pytest.raises(StudyError, match="`at`"):
        post("purge-by-origin", at=3)
