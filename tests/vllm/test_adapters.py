"""LoRA adapters by name: another model than the one that they adapt, in what it says and in the record."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import MARKS, Asked
from lora import random_adapter

from simonides.sim.errors import ModelFailed
from simonides.sim.modelcalls import key_of
from simonides.sim.types import Message, Request

pytestmark = MARKS

ASK = Request("test.adapter", messages=(Message("user", "Name a town."),), max_tokens=8, prompt_logprobs=True)


def test_an_adapter_changes_replies_and_scores_and_its_name_is_in_the_key(exact, folder, tmp_path):
    adapters = {"tilt": random_adapter(Path(folder), tmp_path / "tilt"), "other": str(tmp_path / "not-used")}
    adapted = Asked(model=folder, dtype="float32", max_model_len=512, adapters=adapters, adapter="tilt")
    try:
        (tilted,), (again,), (plain,) = adapted(ASK), adapted(ASK), exact(ASK)
    finally:
        adapted.close()
    assert tilted == again
    assert tilted.text != plain.text
    assert tilted.prompt_tokens == plain.prompt_tokens
    assert tilted.prompt_scores[0].logprob != pytest.approx(plain.prompt_scores[0].logprob, abs=1e-3)
    names = [asked.model.card.identity for asked in (exact, adapted)]
    assert names[1] == f"{names[0]} adapter=tilt"
    assert len({key_of(name, ASK) for name in names}) == 2


def test_an_adapter_whose_folder_holds_none_is_told_before_an_engine_starts(folder, tmp_path):
    adapted = Asked(model=folder, adapters={"tilt": str(tmp_path)}, adapter="tilt")
    with pytest.raises(ModelFailed) as raised:
        adapted(ASK)
    adapted.close()
    assert f"{tmp_path} holds no LoRA adapter 'tilt': it has no adapter_config.json" in str(raised.value)
