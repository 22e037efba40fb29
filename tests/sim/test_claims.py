"""Claims are read back as they were said, and nothing else is read into a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.errors import ContractBroken

GRAMMAR = Grammar(
    [
        Form("place", "The {subject} is in the {value}.", "The {subject} is not in the {value}."),
        Form("price", "The price of {subject} is {value}.", "The price of {subject} is not {value}."),
    ]
)
WORDS = st.from_regex(r"[a-z]{1,6}( [a-z0-9]{1,5}){0,2}", fullmatch=True).filter(
    lambda text: not {"not", "is", "in", "of"} & set(text.split())
)


@given(WORDS, WORDS, st.sampled_from(["place", "price"]), st.booleans(), st.sampled_from(["", "Ann", "player_1"]))
def test_what_is_said_is_read(subject, value, attribute, positive, said_by):
    claim = Claim(subject, attribute, value, said_by, positive)
    assert GRAMMAR.read(GRAMMAR.say(claim)) == (claim,)


def test_claims_of_a_longer_text_come_in_order_with_who_said_them():
    text = 'The lid closed. The cube is in the left bin. Ann said, "The cube is not in the left bin. Oh." It rained.'
    assert GRAMMAR.read(text) == (Claim("cube", "place", "left bin"), Claim("cube", "place", "left bin", "Ann", False))


def test_a_number_with_a_point_is_one_value():
    assert GRAMMAR.read("The price of milk is 3.50. It rained.") == (Claim("milk", "price", "3.50"),)


def test_a_claim_that_would_be_read_otherwise_is_refused():
    with pytest.raises(ContractBroken, match="not read back"):
        GRAMMAR.say(Claim("cube. The ball", "place", "left bin"))
