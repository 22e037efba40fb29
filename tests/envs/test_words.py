"""Environments in words: what is seen as text, what can be done as a list or a schema, on Gymnasium's and AEC's."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, Graph, MultiBinary, MultiDiscrete, Text, Tuple
from pettingzoo.test import parallel_api_test

from simonides.envs.adapters import SingleAgent
from simonides.envs.words import InWords, schema_of, typed_action
from simonides.sim.errors import ContractBroken, StudyError

OBSERVED = ("position", "speed", "angle", "turning")


def cartpole() -> InWords:
    return InWords(SingleAgent(lambda: gymnasium.make("CartPole-v1")), OBSERVED, ("push left", "push right"))


def test_a_vector_is_told_by_the_names_of_its_elements_and_actions_by_theirs():
    _, infos = cartpole().reset(seed=1)
    told = infos["player_0"]
    assert [part.split(": ")[0] for part in told["text"].split("; ")] == list(OBSERVED)
    assert told["legal_actions"] == [{"text": "push left", "value": 0}, {"text": "push right", "value": 1}]


def test_it_stays_a_parallel_env_and_is_saved_as_the_one_beneath():
    parallel_api_test(cartpole(), num_cycles=30)
    one, other = cartpole(), cartpole()
    one.reset(seed=3)
    one.step({"player_0": 1})
    other.restore(one.snapshot())
    assert one.step({"player_0": 0})[4] == other.step({"player_0": 0})[4]


def test_names_that_do_not_fit_the_actions_are_refused():
    with pytest.raises(StudyError, match="3 names were given, but player_0 acts in Discrete"):
        InWords(SingleAgent(lambda: gymnasium.make("CartPole-v1")), actions=("a", "b", "c"))


class Masked(gymnasium.Env):
    """Says in its observation which of its three actions may be taken."""

    observation_space = Dict({"observation": Discrete(9), "action_mask": MultiBinary(3)})
    action_space = Discrete(3, start=5)

    def reset(self, seed=None, options=None):
        return {"observation": 4, "action_mask": np.array([1, 0, 1], np.int8)}, {"text": "my own words"}


def test_masked_actions_are_left_out_and_the_environments_own_words_are_kept():
    _, infos = InWords(SingleAgent(Masked)).reset()
    assert infos["player_0"]["legal_actions"] == [{"text": "5", "value": 5}, {"text": "7", "value": 7}]
    assert infos["player_0"]["text"] == "my own words"


SPACES = [
    (Discrete(300, start=1), 300),
    (Box(-1.0, 1.0, (2,), np.float32), [0.5, -1]),
    (Box(0, 5, (2, 2), np.int64), [[0, 5], [1, 2]]),
    (Box(np.array([0.0, -np.inf]), np.array([1.0, 2.0]), dtype=np.float64), [0.0, -9.0]),
    (MultiDiscrete([2, 3]), [1, 2]),
    (MultiBinary(2), [0, 1]),
    (Dict({"to": Text(9), "how": Tuple((Discrete(2), Box(0.0, 1.0, (), np.float32)))}), {"to": "ana", "how": [1, 0.5]}),
]


@pytest.mark.parametrize("space, value", SPACES)
def test_every_space_has_a_schema_whose_values_are_turned_into_its_type(space, value):
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema_of(space))
    Draft202012Validator(schema_of(space)).validate(value)
    assert space.contains(typed_action(space, value))


@pytest.mark.parametrize("space, _", SPACES)
def test_an_action_of_another_form_is_refused_in_one_line(space, _):
    with pytest.raises(ContractBroken, match="is not in"):
        typed_action(space, {"far": "off"})
    assert typed_action(space, "") == ""


def test_a_space_without_words_says_so():
    with pytest.raises(ContractBroken, match="cannot be told in words"):
        schema_of(Graph(Discrete(2), None))
