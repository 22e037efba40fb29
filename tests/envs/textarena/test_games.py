"""TextArena's games as environments: the contract, strict moves, their own randomness, and what each player hears."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
from pettingzoo.test import api_test

pytest.importorskip("textarena", reason="needs the extra: pip install 'simonides[textarena]'")

from simonides.envs.textarena.env import textarena
from simonides.envs.textarena.games import GameEnv
from simonides.sim.checks import check_environment, render
from simonides.sim.config import parse_study
from simonides.sim.errors import ContractBroken, CorruptFile, StudyError
from simonides.sim.inline import run_inline

GAMES = ("SimpleNegotiation-v0", "SecretMafia-v0")
TALK = ("Hello.", "[Offer: 2 Wheat -> 1 Ore]", "[Accept]", "[Deny]", "Well: [Offer: 1 Sheep, 1 Wood -> 3 Wheat]")


def started(game="SimpleNegotiation-v0", seed=1, **params):
    env = textarena(game=game, **params)
    return env, env.reset(seed=seed)[1]


def mover(env, infos):
    return next(agent for agent in env.agents if infos[agent]["to_move"])


def play(env, infos, rng):
    """Play to the end with legal moves at random; yield everybody's infos and rewards."""
    while env.agents:
        info = infos[mover(env, infos)]
        moves = [one["value"] for one in info.get("legal_actions", ())] or TALK
        _, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, moves[rng.integers(len(moves))]))
        yield infos, rewards


@pytest.mark.parametrize("game", GAMES)
def test_it_passes_the_checks_for_environments(game):
    report = check_environment("textarena", {"game": game})
    assert report.passed, render(report)


@pytest.mark.parametrize("game", GAMES)
def test_it_is_a_turn_based_environment_of_pettingzoo(game):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Observation is not a NumPy|(Observation|Action) space for each")
        api_test(GameEnv(game, 2 if "Simple" in game else 6, 60), num_cycles=80)


@pytest.mark.parametrize("game", GAMES)
def test_a_game_is_played_to_its_end_and_somebody_wins_or_nobody(game):
    for seed in range(3):
        env, infos = started(game, seed)
        *_, (_, rewards) = play(env, infos, np.random.default_rng(seed))
        assert env.agents == [] and set(rewards.values()) <= {-1.0, 0.0, 1.0}
        assert game != "SecretMafia-v0" or set(rewards.values()) == {-1.0, 1.0}


@pytest.mark.parametrize("game", GAMES)
def test_global_generators_are_neither_read_nor_moved(game):
    def told(outside):
        random.seed(outside)
        np.random.seed(outside)
        before = random.getstate(), np.random.get_state()[1].tobytes()
        env, infos = started(game, 5)
        found = [infos, *(one for one, _ in play(env, infos, np.random.default_rng(2)))]
        assert (random.getstate(), np.random.get_state()[1].tobytes()) == before
        return found

    assert told(1) == told(2)


def test_importing_it_moves_no_global_generator_either():
    code = (
        "import random, numpy as np; before = random.getstate(), np.random.get_state()[1].tobytes(); "
        "import simonides.envs.textarena.env, textarena; "
        "assert (random.getstate(), np.random.get_state()[1].tobytes()) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_games_start_and_go_on_without_a_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for game in GAMES:
        env, infos = started(game)
        assert len(list(play(env, infos, np.random.default_rng(0)))) > 5


def test_a_word_in_a_negotiation_is_said_to_both_and_the_turn_passes():
    env, infos = started()
    first = mover(env, infos)
    *_, infos = env.step({first: "Good morning."})
    for info in infos.values():
        assert {"text": 'Player 0 said, "Good morning."', "speaker": "Player 0"} in info["experiences"]
    assert mover(env, infos) != first
    assert "Good morning." in infos["player_1"]["text"] and "your task is to trade" in infos["player_1"]["text"]
    assert "your task is to trade" not in infos["player_0"]["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        "[accept]", "[Accept]", "[Deny]", "[Offer: 2 wheat -> 1 Ore]", "[Offer: 2 Wheat]", "[Offer: 0 Wheat -> 1 Ore]",
        "[Offer: 999 Wheat -> 1 Ore]", "[Offer: 1 Wheat, 1 Wheat -> 1 Ore]", "[Offer: 1 Gold -> 1 Ore]", "[Accept",
        "[Offer: 1 Wheat -> 1 Ore] [Offer: 1 Wood -> 1 Ore]", "x" * 1001, 7, None, ["[Deny]"],
    ],
)  # fmt: skip
def test_what_is_no_move_of_a_negotiation_changes_nothing(wrong):
    env, infos = started()
    state = env.env._env.state
    before = str(state.game_state), state.turn
    *_, infos = env.step({"player_0": wrong})
    assert infos["player_0"]["illegal"]["asked"] == f"{wrong!r:.80}"
    assert infos["player_0"]["answer_key"]["illegal"] == 1 and infos["player_1"]["answer_key"]["illegal"] == 0
    assert (str(state.game_state), state.turn) == before and mover(env, infos) == "player_0"
    assert not any(info["experiences"] for info in infos.values())


def test_an_offer_is_taken_as_it_is_read_and_only_the_other_may_accept_it():
    env, _ = started()
    env.step({"player_0": "Take this: [Offer: 2 Wheat, 1 Wood -> 1 Sheep]"})
    offer = env.env._env.state.game_state["current_offer"]
    assert offer["offered_resources"] == {"Wheat": 2, "Wood": 1} and offer["requested_resources"] == {"Sheep": 1}
    before = dict(env.env._env.state.game_state["player_resources"][0])
    *_, infos = env.step({"player_1": "[Accept]"})
    after = env.env._env.state.game_state["player_resources"][0]
    assert (after["Wheat"], after["Wood"], after["Sheep"]) == (
        before["Wheat"] - 2, before["Wood"] - 1, before["Sheep"] + 1,
    )  # fmt: skip
    assert f"{after['Sheep']} Sheep" in infos["player_0"]["text"]
    *_, infos = env.step({"player_0": "[Accept]"})
    assert "illegal" in infos["player_0"]


def test_votes_are_listed_secret_at_night_and_refused_in_any_other_form():
    env, infos = started("SecretMafia-v0")
    roles = env.env._env.player_roles
    killer = mover(env, infos)
    listed = [one["value"] for one in infos[killer]["legal_actions"]]
    assert listed == [f"[{i}]" for i, role in roles.items() if role != "Mafia"]
    for wrong in ("I vote for [0] and [1]", "0", "[9]", "", listed[0] + "!"):
        *_, infos = env.step({killer: wrong})
        assert infos[killer]["illegal"]["legal"] == listed and mover(env, infos) == killer
    *_, infos = env.step({killer: f"[Player {listed[0][1]}]"})
    for agent, info in infos.items():
        heard = any(f'said, "{listed[0]}"' in one["text"] for one in info["experiences"])
        assert heard == (roles[int(agent[-1])] == "Mafia")


def test_by_day_everybody_hears_what_is_said_and_may_stay_silent():
    env, first = started("SecretMafia-v0", 3)
    played = (infos for infos, _ in play(env, first, np.random.default_rng(3)))
    infos = next(infos for infos in played if "action_schema" in infos[mover(env, infos)])
    speaker = mover(env, infos)
    assert infos[speaker]["noop"] == ""
    *_, infos = env.step({speaker: ""})
    assert all(any("said nothing." in one["text"] for one in info["experiences"]) for info in infos.values())


def test_a_game_that_never_moves_on_is_cut():
    env, infos = started("SecretMafia-v0", turns=7)
    ends = []
    while env.agents:
        *_, ended, cut, infos = env.step({mover(env, infos): "nonsense"})
        ends.append((any(ended.values()), all(cut.values())))
    assert ends == [(False, False)] * 6 + [(False, True)]


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("stop", [0, 3, 11])
def test_a_restored_game_goes_on_as_the_first_would_have(game, stop):
    env, infos = started(game, 8)
    rng = np.random.default_rng(8)
    for _, (now, _) in zip(range(stop), play(env, infos, rng), strict=False):
        infos = now
    env.inject("player_1", "message", "Trust nobody.")
    saved, state = env.snapshot(), rng.bit_generator.state
    rest = [one for one, _ in play(env, infos, rng)]
    assert rest[0]["player_1"]["experiences"][-1] == {"text": "Trust nobody.", "channel": "message"}
    other, _ = started(game, 1)
    other.restore(saved)
    rng.bit_generator.state = state
    assert [one for one, _ in play(other, infos, rng)] == rest


def test_what_does_not_exist_does_not_start_or_is_of_another_game_is_refused():
    with pytest.raises(StudyError, match=r"Did you mean 'SecretMafia-v0'\?"):
        textarena(game="SecretMafi-v0")
    with pytest.raises(StudyError, match="with 3 players does not start here: AssertionError"):
        textarena(game="SecretMafia-v0", players=3)
    with pytest.raises(CorruptFile, match="not of SecretMafia-v0"):
        textarena(game="SecretMafia-v0").restore(textarena().snapshot())
    with pytest.raises(ContractBroken, match="Known: message"):
        textarena().inject("player_0", "radio", "x")


@pytest.mark.parametrize("game", GAMES)
def test_prompted_agents_play_it_in_the_kernel_by_its_words(tmp_path, game):
    study = {
        "name": "games", "seeds": 1, "ticks": 30, "environment": {"name": "textarena", "game": game},
        "memory": {"name": "window", "turns": 8}, "policy": "prompted", "model": "scripted",
    }  # fmt: skip
    (trial,) = parse_study(study).trials()
    outcome = run_inline(trial, tmp_path)
    assert outcome.errors == ()


def test_a_game_with_no_rules_here_takes_any_text_and_judges_it_itself():
    env, infos = started("TicTacToe-v0")
    *_, infos = env.step({"player_0": "[4]"})
    assert mover(env, infos) == "player_1"
    *_, infos = env.step({"player_1": "[4]"})
    assert mover(env, infos) == "player_1" and "invalid move" in infos["player_1"]["text"]
