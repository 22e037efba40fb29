"""A-MemGuard leaves out what the model finds inconsistent, and remembers it: as good as the model and the majority."""

from __future__ import annotations

from defending import LIE, TRUTH, got, post, run, saw, shown

from simonides.agents.prompts import Prompts
from simonides.memory_actors.defences.a_memguard import outliers_of
from simonides.sim.checks.stand_ins import Reply, ScriptedReplies
from simonides.sim.context import json_schema
from simonides.sim.types import Request


def guarded(replies, **params):
    guard = post("a-memguard", **params)
    guard.model = ScriptedReplies(replies)
    return guard


async def told(guard):
    await guard.write(got(1))
    for n in (2, 3):
        await guard.write(saw(n))


def paths():
    red, blue = {"path": "tower 3 -> is -> red"}, {"path": "tower 3 -> is -> blue"}
    return [Reply("amg.path", red, "red"), Reply("amg.path", red, "red"), Reply("amg.path", blue, "blue")]


def test_an_outlier_is_left_out_and_shown_to_the_model_as_a_lesson_later():
    async def story():
        guard = guarded([*paths(), Reply("amg.consensus", {"outliers": [3]})])
        await told(guard)
        assert await shown(guard) == [TRUTH, TRUTH]
        await guard.apply()
        guard.forget(record.origins[0] for record in list(guard.kept.values())[1:])
        guard.model.replies += [paths()[2], Reply("amg.consensus", {"outliers": [1]}, "tower 3 -> is -> blue")]
        assert await shown(guard) == []
        assert guard.model.asked[-1].inputs["lessons"] == ["tower 3 -> is -> blue"]

    run(story())


def test_it_costs_a_question_a_record_and_one_more_and_none_for_a_single_record():
    async def story():
        guard = guarded([*paths(), Reply("amg.consensus", {"outliers": []})])
        await guard.write(got(1))
        assert await shown(guard) == [LIE] and not guard.model.asked
        for n in (2, 3):
            await guard.write(saw(n))
        assert len(await shown(guard)) == 3
        assert (guard.model.count("amg.path"), guard.model.count("amg.consensus")) == (3, 1)

    run(story())


def test_unusable_replies_and_numbers_of_nothing_let_all_pass():
    async def story(verdict):
        guard = guarded([*[Reply("amg.path", "what?")] * 3, Reply("amg.consensus", verdict)])
        await told(guard)
        return len(await shown(guard))

    assert run(story("I am not sure.")) == 3
    assert run(story({"outliers": [0, 7]})) == 3


def test_where_all_are_named_there_is_no_consensus_and_no_lesson():
    async def story():
        guard = guarded([*paths(), Reply("amg.consensus", {"outliers": [1, 2, 3]})])
        await told(guard)
        assert len(await shown(guard)) == 3
        await guard.apply()
        guard.model.replies += [*paths(), Reply("amg.consensus", {"outliers": []})]
        assert len(await shown(guard)) == 3
        return guard.model.asked[-1].inputs["lessons"]

    assert run(story()) == []


def test_the_form_of_a_verdict_ends_with_the_chains():
    form = json_schema(outliers_of(3))["properties"]["outliers"]
    assert form["maxItems"] == 3 and form["items"]["maximum"] == 3 and form["items"]["minimum"] == 1


def test_it_follows_a_model_that_takes_the_majority_for_the_truth():
    async def story():
        guard = guarded([*[Reply("amg.path", {"path": "p"})] * 3, Reply("amg.consensus", {"outliers": [3]})])
        await guard.write(saw(1))
        for n in (2, 3):
            await guard.write(got(n))
        return await shown(guard)

    assert run(story()) == [LIE, LIE]


def test_its_prompts_hold_what_is_compared():
    prompts = Prompts()
    asked = {"question": "Which bin?", "paths": ["a -> b", "a -> c"], "lessons": ["a -> d"]}
    words = "\n".join(message.content for message in prompts.render(Request("amg.consensus", asked)))
    assert "1. a -> b" in words and "2. a -> c" in words and "- a -> d" in words
    words = "\n".join(
        message.content for message in prompts.render(Request("amg.path", {"question": "Which bin?", "record": "R."}))
    )
    assert "Which bin?" in words and "R." in words


def test_a_plan_that_repeats_a_lesson_loses_the_records_it_rests_on():
    async def story(repeats, plans=True):
        guard = guarded([*paths(), Reply("amg.consensus", {"outliers": [3]})], plans=plans)
        await told(guard)
        assert len(await shown(guard)) == 2  # no lesson yet, so no plan is asked for
        assert not guard.model.count("amg.plan")
        await guard.apply()
        guard.model.replies += [*paths(), Reply("amg.consensus", {"outliers": []})]
        guard.model.replies += [Reply("amg.plan", {"plan": "tower 3 -> is -> blue", "rests_on": [3]})]
        guard.model.replies += [Reply("amg.check", {"repeats": repeats}, "blue")]
        return await shown(guard)

    assert run(story(True)) == [TRUTH, TRUTH]
    assert run(story(False)) == run(story(True, plans=False)) == [TRUTH, TRUTH, LIE]
