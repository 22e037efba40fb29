"""Which texts are moves of a TextArena game, read strictly: what the game itself would guess at is refused here.

TextArena searches a text for anything like a move and punishes what it cannot use; an illegal action here changes
nothing. The forms are those that the games' own prompts name (textarena 0.7.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST = 1_000
"""Characters of a text; TextArena's own wrapper for conversations cuts there (ClipCharactersActionWrapper)."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What the player to move may do: `listed` moves, by their text, or free text that `read` accepts."""

    words: str
    """The forms, in words."""
    listed: tuple[str, ...] = ()
    """Every legal move, where they are few; then no other is legal."""
    read: Callable[[str], bool] = field(default=lambda text: len(text) <= LONGEST)
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other spellings of listed moves that the game's prompt names."""

    def move(self, asked: Any) -> str | None:
        """Return the move that an action is, in the form that the game takes, or None."""
        if not isinstance(asked, str):
            return None
        if self.listed:
            text = self.aliases.get(asked.strip(), asked.strip())
            return text if text in self.listed else None
        return asked if self.read(asked) else None


Rules = Callable[[Any, int], Moves]
"""The moves of a game (a `textarena.Env` without wrappers) for the player of a number."""

TALK = f"Any text of at most {LONGEST} characters is said to everybody."


def anything(game: Any, player: int) -> Moves:
    """Return the moves of a game whose forms are not known here: any text, which the game judges."""
    return Moves("Answer in the form that the game names.")


# --- SimpleNegotiation ------------------------------------------------------------------------------------------------

RESOURCES = ("Wheat", "Wood", "Sheep", "Brick", "Ore")
_GOODS = rf"[1-9]\d{{0,3}} (?:{'|'.join(RESOURCES)})"
_OFFER = re.compile(rf"Offer: (?P<given>{_GOODS}(?:, {_GOODS})*) -> (?P<wanted>{_GOODS}(?:, {_GOODS})*)")
_TOKEN = re.compile(r"\[([^\[\]]*)\]")


def negotiation(game: Any, player: int) -> Moves:
    """Return the moves of SimpleNegotiation: talk with at most one of [Offer: ... -> ...], [Accept] and [Deny].

    An offer names goods that its player has; only the other's offer can be accepted, by who has what it asks for.
    """
    state = game.state.game_state
    offer, owned = state["current_offer"], state["player_resources"][player]
    open_ = offer is not None and offer["to_player"] == player
    can_pay = open_ and all(owned[name] >= count for name, count in offer["requested_resources"].items())

    def read(text: str) -> bool:
        tokens = _TOKEN.findall(text)
        if len(text) > LONGEST or len(tokens) > 1 or set("[]") & set(_TOKEN.sub("", text)):
            return False
        if not tokens or (tokens == ["Deny"] and open_) or (tokens == ["Accept"] and can_pay):
            return True
        made = _OFFER.fullmatch(tokens[0])
        return made is not None and _owns(owned, made["given"]) and _owns(None, made["wanted"])

    accepting = "[Accept], [Deny], " if can_pay else "[Deny], " if open_ else ""
    stock = ", ".join(f"{owned[name]} {name}" for name in RESOURCES)
    words = f"Say what you like, with at most one of {accepting}[Offer: 3 Sheep, 2 Ore -> 5 Brick]. You have {stock}."
    return Moves(words, read=read)


def _owns(owned: Mapping[str, int] | None, goods: str) -> bool:
    """Return whether goods name each resource once, and none beyond what is owned."""
    named = [part.split() for part in goods.split(", ")]
    once = len({name for _, name in named}) == len(named)
    return once and (owned is None or all(int(count) <= owned[name] for count, name in named))


# --- SecretMafia ------------------------------------------------------------------------------------------------------


def mafia(game: Any, player: int) -> Moves:
    """Return the moves of SecretMafia: talk by day, and [X] for a player when one is voted for or chosen."""
    phase, alive = game.phase.value, game.state.game_state["alive_players"]
    if phase == "Day-Discussion":
        return Moves(TALK)
    barred: set[int] = set()
    if phase == "Night-Mafia":
        barred = {one for one, role in game.player_roles.items() if role == "Mafia"}
    elif phase in ("Night-Doctor", "Night-Detective"):
        barred = {player}
    able = [one for one in alive if one not in barred]
    listed = tuple(f"[{one}]" for one in able)
    words = {
        "Night-Mafia": "vote for a victim", "Night-Doctor": "protect a player", "Night-Detective": "investigate one",
        "Day-Voting": "vote somebody out",
    }[phase]  # fmt: skip
    return Moves(
        f"{phase}: {words}: {', '.join(listed)}.", listed, aliases={f"[Player {one}]": f"[{one}]" for one in able}
    )


RULES: Mapping[str, Rules] = {"SimpleNegotiation": negotiation, "SecretMafia": mafia}
"""Name of a game, without its version -> its rules."""

PLAYERS: Mapping[str, int] = {"SimpleNegotiation": 2, "SecretMafia": 6}
"""Players where a study names none: the fewest that each game takes."""
