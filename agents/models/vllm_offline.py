"""vLLM's offline engine on our requests: the measure of what a study gets through the platform."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from simonides.agents.models.fitting import Fitting
from simonides.agents.models.orphans import Watchman
from simonides.agents.models.vllm_engine import arguments_of, place_of
from simonides.agents.models.vllm_log import set_up
from simonides.agents.models.vllm_requests import parameters_of
from simonides.sim.types import Plain, Request


class Offline:
    """`vllm.LLM`, started at once with the arguments that `VLLMModel` gives its own engine."""

    def __init__(self, model: str, arguments: Mapping[str, Plain]) -> None:
        """Start the engine and wait until it is ready."""
        where = place_of(model)
        self._folder = Path(tempfile.mkdtemp(prefix="simonides-vllm-"))
        self._watchman = Watchman(self._folder.name)
        with set_up(self._folder), self._watchman.marking():
            from vllm import LLM

            self._llm = LLM(**arguments_of(where, arguments))
        context = int(self._llm.llm_engine.model_config.max_model_len)
        self._fitting = Fitting(model, self._llm.get_tokenizer(), context)

    def generate(self, requests: Sequence[Request]) -> int:
        """Answer requests in one call; return how many tokens were generated."""
        from vllm.inputs.engine import tokens_input

        prompts = [tokens_input(self._fitting.fit(request).tokens) for request in requests]
        found = self._llm.generate(prompts, [parameters_of(request) for request in requests], use_tqdm=False)
        return sum(len(output.outputs[0].token_ids) for output in found)

    def close(self) -> None:
        """End the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()
        self._watchman.release()
        shutil.rmtree(self._folder, ignore_errors=True)
