"""Conversations are drawn as chats that show their last turns and what is asked."""

from __future__ import annotations

import numpy as np

from simonides.envs.chat import HEIGHT, WIDTH, Bubble, draw_chat
from simonides.envs.dialogue.env import dialogue

TALK = [Bubble("Ann" if i % 2 else "Bo", f"This is turn {i}.", "Session 1" if i == 0 else "") for i in range(40)]


def test_a_picture_is_an_array_of_bytes_and_the_same_each_time():
    picture = draw_chat(TALK, ["Ann", "Bo"], "A talk")
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture, draw_chat(TALK, ["Ann", "Bo"], "A talk"))


def test_the_last_turn_is_shown_at_the_foot_and_what_is_asked_below_it():
    before, after = draw_chat(TALK[:-1], ["Ann", "Bo"], ""), draw_chat(TALK, ["Ann", "Bo"], "")
    assert (before != after).any()
    asked = draw_chat(TALK, ["Ann", "Bo"], "", ["Who came?"])
    assert (asked[-60:] != after[-60:]).any()


def test_long_words_many_questions_and_no_turns_at_all_can_be_drawn():
    odd = [Bubble("Zoë", "x" * 5000), Bubble("", ""), Bubble("Ann", "line\n" * 3)]
    assert draw_chat(odd, [], "t" * 500, ["A question? " * 30] * 40).std() > 0
    assert draw_chat([], [], "").shape == (HEIGHT, WIDTH, 3)


def test_a_dialogue_is_drawn_from_its_first_tick_to_after_its_last():
    env = dialogue(sessions=2, turns_per_session=6, questions=3)
    env.reset()
    pictures = [env.render()]
    while env.agents:
        env.step({})
        pictures.append(env.render())
    assert len({picture.tobytes() for picture in pictures}) > 12
