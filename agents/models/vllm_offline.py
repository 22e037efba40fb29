"""vLLM's offline engine on our requests: the measure of what a study gets through the platform."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from simonides.agents.models.orphans import Watchman
from simonides.agents.models.vllm_engine import ENVIRONMENT, arguments_of, place_of
from simonides.agents.models.vllm_log import set_up
from simonides.agents.models.vllm_requests import parameters_of, tokens_of
from simonides.sim.types import Plain, Request


class Offline:
    """`vllm.LLM`, started at once with the arguments that `VLLMModel` gives its own engine."""

    def __init__(self, model: str, arguments: Mapping[str, Plain]) -> None:
        """Start the engine and wait until it is ready."""
        for key, value in ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        self._folder = Path(tempfile.mkdtemp(prefix="simonides-vllm-"))
        self._watchman = Watchman(self._folder.name)
        with set_up(self._folder), self._watchman.marking():
            from vllm import LLM

            self._llm = LLM(**arguments_of(place_of(model), arguments))

    def generate(self, requests: Sequence[Request]) -> int:
        """Answer requests in one call; return how many tokens were generated."""
        from vllm.inputs.engine import tokens_input

        tokenizer = self._llm.get_tokenizer()
        prompts = [tokens_input(tokens_of(tokenizer, request.messages, request.prompt)) for request in requests]
        found = self._llm.generate(prompts, [parameters_of(request) for request in requests], use_tqdm=False)
        return sum(len(output.outputs[0].token_ids) for output in found)

    def close(self) -> None:
        """End the engine's processes."""
        self._llm.llm_engine.engine_core.shutdown()
        self._watchman.release()
        shutil.rmtree(self._folder, ignore_errors=True)
