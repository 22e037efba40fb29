"""Environments, policies and a memory together in the kernel: sharing memory reaches what an agent did not hear."""

from statistics import mean

import pytest

from simonides.envs.claims.env import ClaimsEnv
from simonides.envs.dialogue.env import DialogueEnv
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trial import Models, assemble, environment_of, services_of
from simonides.sim.world import environment_seed


def run(folder, **study):
    (trial,) = parse_study({"name": "small", "seeds": 1, "memory": "bm25", **study}).trials()
    outcome = run_inline(trial, folder)
    assert not outcome.errors


def scores(monkeypatch, folder, wiring):
    """Return the exact-match rewards of a default dialogue's questions, by how far their evidence is."""
    found = {"private": [], "team": [], "global": []}
    step = DialogueEnv.step

    def noted(self, actions):
        asked = {agent: self._question(agent) for agent in self.agents}
        result = step(self, actions)
        for agent, question in asked.items():
            if question is not None:
                found[question.reach].append(result[1][agent])
        return result

    with monkeypatch.context() as patch:
        patch.setattr(DialogueEnv, "step", noted)
        run(folder, environment="dialogue", policy="extractive-reader", wiring=wiring)
    return {reach: mean(values) for reach, values in found.items()}


def test_a_reader_answers_what_it_did_not_hear_only_from_shared_memory(monkeypatch, tmp_path):
    private = scores(monkeypatch, tmp_path / "a", "private")
    shared = scores(monkeypatch, tmp_path / "b", "global")
    assert private["private"] > private["global"]
    assert shared["team"] + shared["global"] > private["team"] + private["global"]


@pytest.mark.parametrize(("wiring", "first", "last"), [("private", 0.5, 0.8), ("global", 1.0, 1.0)])
def test_truths_spread_by_telling_and_are_everybodys_at_once_when_memory_is_shared(
    monkeypatch, tmp_path, wiring, first, last
):
    right = []
    step = ClaimsEnv.step

    def noted(self, actions):
        asking = self.asking
        result = step(self, actions)
        if asking:
            right.append(mean(result[1].values()))
        return result

    monkeypatch.setattr(ClaimsEnv, "step", noted)
    run(tmp_path, environment="claims", policy="claim-holder", wiring=wiring)
    assert right[0] <= first and right[-1] >= last


def test_a_falsehood_is_false_in_the_world_that_is_lived():
    """Environments that draw their truths at reset are reset before they are asked for a falsehood."""
    study = parse_study(
        {
            "name": "planted", "environment": {"name": "claims", "listed": True}, "memory": "full-context",
            "policy": "believer", "wiring": "private", "seeds": 8, "interventions": [{"kind": "plant"}],
        }
    )  # fmt: skip
    for trial in study.trials():
        assembly = assemble(trial, services_of(study, None, Models()))
        planted = [change.what for space in assembly.spaces for change in space.changes]
        world = environment_of(study, trial.seed, 0)
        world.reset(seed=environment_seed(trial.seed, "w0000"))
        notes = planted[0].notes
        subject = int(str(notes["subject"]).rsplit(" ", 1)[-1])
        assert world.options[int(world.truth[subject]) - 1] != notes["value"]
