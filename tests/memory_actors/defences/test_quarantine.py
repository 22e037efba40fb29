"""Quarantine holds what is doubtful, promotes what is confirmed or undisputed, and can be waited out."""

from __future__ import annotations

from defending import LIE, TRUTH, got, post, run, saw, shown


def test_a_doubtful_text_waits_and_is_promoted_when_another_says_so():
    async def story():
        guard = post("quarantine")
        assert (await guard.write(got(1))).verdict == "hold"
        assert await shown(guard) == []
        assert (await guard.apply()).release == ()
        await guard.write(saw(2, LIE, "ben"))
        assert len((await guard.apply()).release) == 1
        assert await shown(guard) == [LIE, LIE]

    run(story())


def test_the_same_writer_cannot_confirm_itself():
    async def story():
        guard = post("quarantine")
        for n in range(3):
            await guard.write(got(n))
        assert (await guard.apply()).release == ()

    run(story())


def test_what_is_denied_is_dropped_at_last():
    async def story():
        guard = post("quarantine", patience=5, limit=10)
        await guard.write(got(0))
        await guard.write(saw(1, TRUTH, "ben"))
        for tick in range(2, 10):
            audit = await guard.apply(tick)
            assert audit.release == () and audit.drop == ()
        assert len((await guard.apply(10)).drop) == 1
        assert await shown(guard) == [TRUTH]

    run(story())


def test_clean_content_passes_at_once():
    async def story():
        guard = post("quarantine")
        assert (await guard.write(saw(1))).verdict == "admit"

    run(story())


def test_it_misses_a_lie_that_nobody_denies_for_as_long_as_its_patience():
    async def story(patience):
        guard = post("quarantine", patience=patience, limit=8)
        await guard.write(got(0))
        for tick in range(1, 10):
            await guard.apply(tick)
        return await shown(guard)

    assert run(story(5)) == [LIE]
    assert run(story(None)) == []
