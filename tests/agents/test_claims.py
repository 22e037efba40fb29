"""The claim holder tells what its memory gives, by each of its rules."""

import asyncio

import pytest

from simonides.agents.scripted.claims import ClaimHolder, claims_in
from simonides.sim.types import Observation, Recall, Recalled

QUESTION = "What is the colour of tower 1?"
ITEMS = (
    Recalled("a", "The colour of tower 1 is red.", 0.9, time=10.0),
    Recalled("b", 'player_3 said, "The colour of tower 1 is blue."', 0.8, time=60.0),
    Recalled("c", "The colour of tower 11 is gold.", 0.7, time=90.0),
    Recalled("d", 'player_4 said, "The colour of tower 1 is green."', 0.6, time=20.0),
    Recalled("e", "The colour of tower 1 is green.", 0.5, time=30.0),
)


@pytest.mark.parametrize(("rule", "value"), [("newest", "blue"), ("top", "red"), ("majority", "green")])
def test_each_rule_chooses_among_claims_about_the_topic_only(rule, value):
    assert ClaimHolder(rule).choose(QUESTION, ITEMS) == value


def test_the_action_is_the_index_of_the_value_and_zero_for_silence():
    info = {"question": QUESTION, "options": ["red", "blue"], "probe": True}
    seen = Observation("player_0", "w", 5, 0.0, QUESTION, info=info)
    holder = ClaimHolder()
    (query,) = holder.queries(seen, None)
    assert query.text == QUESTION and query.probe and query.k == 5
    assert asyncio.run(holder.act(seen, [Recall(ITEMS)], None)).value == 2
    assert asyncio.run(holder.act(seen, [Recall(ITEMS[2:3])], None)).value == 0
    assert asyncio.run(holder.act(seen, [], None)).value == 0


def test_claims_are_read_out_of_longer_texts():
    text = 'x said, "The colour of tower 2 is red." The colour of tower 3 is pink. The colour of sky is blue.'
    assert claims_in(text) == [("tower 2", "red"), ("tower 3", "pink")]
