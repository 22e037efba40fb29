"""The stand-in for consensus leaves outliers out and remembers them; it follows poison that is the consensus."""

from __future__ import annotations

from defending import LIE, TRUTH, got, post, run, saw, shown


async def told(guard, truths, lies):
    for n in range(truths):
        await guard.write(saw(n, TRUTH))
    for n in range(lies):
        await guard.write(got(100 + n, LIE))


def test_an_outlier_is_left_out_and_the_rest_is_shown():
    async def story():
        guard = post("consensus-over-claims")
        await told(guard, 3, 1)
        await guard.write(saw(50, "The colour of tower 4 is white."))
        return sorted(await shown(guard))

    assert run(story()) == [TRUTH, TRUTH, TRUTH, "The colour of tower 4 is white."]


def test_what_was_an_outlier_is_left_out_later_where_nothing_contradicts_it():
    async def story(lessons):
        guard = post("consensus-over-claims", lessons=lessons)
        await told(guard, 2, 1)
        await shown(guard)
        await guard.apply(110)
        guard.forget(record.origins[0] for record in list(guard.kept.values())[:2])
        return await shown(guard)

    assert run(story(True)) == []
    assert run(story(False)) == [LIE]


def test_a_new_consensus_makes_a_lesson_forgotten():
    async def story():
        guard = post("consensus-over-claims")
        await told(guard, 2, 1)
        await shown(guard)
        await guard.apply(110)
        for n in range(120, 124):
            await guard.write(saw(n, LIE))
        assert await shown(guard) == [LIE] * 5
        await guard.apply(130)
        guard.forget(record.origins[0] for record in list(guard.kept.values())[:-1])
        return await shown(guard)

    assert run(story()) == [LIE]


def test_it_misses_poison_that_is_the_consensus_and_leaves_the_truth_out():
    async def story():
        guard = post("consensus-over-claims")
        await told(guard, 1, 3)
        return await shown(guard)

    assert run(story()) == [LIE, LIE, LIE]
