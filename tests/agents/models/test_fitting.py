"""A prompt that does not fit is refused with its numbers, or cut by the declared policy and counted."""

from __future__ import annotations

import pytest

from simonides.agents.models.fitting import Fitting
from simonides.sim.errors import ModelFailed
from simonides.sim.types import Message, Request


class Words:
    """A tokenizer whose tokens are words."""

    chat_template = "yes"

    def __init__(self):
        self.known = []

    def encode(self, text, add_special_tokens=True):
        for word in text.split():
            if word not in self.known:
                self.known.append(word)
        return [self.known.index(word) for word in text.split()]

    def decode(self, tokens):
        return " ".join(self.known[token] for token in tokens)

    def apply_chat_template(self, chat, add_generation_prompt, tokenize):
        if [m["role"] for m in chat if m["role"] != "system"][:1] == ["assistant"]:
            raise ValueError("roles must alternate")
        return " ".join(f"<{m['role']}> {m['content']}" for m in chat) + " <reply>"


CHAT = (
    Message("system", "be brief"), Message("user", "one two three"), Message("assistant", "four five"),
    Message("user", "six seven eight nine ten"),
)  # fmt: skip


def fitted(context, overflow="cut-oldest", **fields):
    words = Words()
    found = Fitting("tiny", words, context, overflow).fit(Request("p", max_tokens=5, **fields))
    return words.decode(found.tokens), found.cut


def test_what_fits_is_left_alone():
    text, cut = fitted(100, messages=CHAT)
    assert text.startswith("<system> be brief <user> one two") and cut == 0


def test_the_oldest_messages_go_first_and_the_system_message_stays():
    assert fitted(17, messages=CHAT) == ("<system> be brief <user> six seven eight nine ten <reply>", 7)


def test_then_the_middle_of_the_last_message_goes():
    text, cut = fitted(14, messages=CHAT)
    assert text == "<system> be brief <user> six [...] nine ten <reply>" and cut == 8


def test_a_plain_prompt_loses_its_beginning():
    assert fitted(7, prompt="a b c d") == ("c d", 2)


@pytest.mark.parametrize(
    "context, overflow, told",
    [
        (12, "refuse", r"p has 17 tokens and may take 5 more, but the context is 12: .*or choose overflow: cut-oldest"),
        (5, "cut-oldest", "may take 5 more, but the context is 5: shorten the prompt, or allow fewer"),
        (8, "cut-oldest", "or allow fewer"),
    ],
)
def test_what_cannot_fit_is_refused_with_its_numbers(context, overflow, told):
    with pytest.raises(ModelFailed, match=told):
        fitted(context, overflow, messages=CHAT)


def test_a_request_without_text_and_a_chat_that_the_template_refuses_are_told():
    with pytest.raises(ModelFailed, match="p has neither messages nor a prompt"):
        fitted(100)
    with pytest.raises(ModelFailed, match="its chat template refuses p: roles must alternate"):
        fitted(100, messages=CHAT[2:])
    plain = Words()
    plain.chat_template = None
    with pytest.raises(ModelFailed, match="tiny has no chat template"):
        Fitting("tiny", plain, 100).fit(Request("p", messages=CHAT))
