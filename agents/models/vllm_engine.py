"""vLLM's asynchronous engine behind our requests: started, asked, ended."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from simonides.agents.models.fitting import Fitting, Overflow
from simonides.agents.models.orphans import Watchman
from simonides.agents.models.vllm_counters import Counters
from simonides.agents.models.vllm_log import LOG, last_error, set_up
from simonides.agents.models.vllm_requests import parameters_of, scores_of
from simonides.agents.models.weights import locate
from simonides.sim.errors import ModelDied, ModelFailed, SimonidesError
from simonides.sim.types import Completion, Plain, Request

ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "VLLM_WORKER_MULTIPROC_METHOD": "spawn"}
"""Set where the user has not: no reports to vLLM's makers, no fork of a process with threads and event loops."""

ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
"""Set on machines without an accelerator: 1 GiB of KV cache; threads are not pinned, as others share the processors.

`OMP_NUM_THREADS` is set to half of the processors, since the simulation needs some, and an engine's threads wait for
each other by spinning.
"""

ENGINE: dict[str, Plain] = {
    "enable_prefix_caching": True,
    "disable_log_stats": True,
    "use_tqdm_on_load": False,
    "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
    "seed": 0,
}
"""Arguments unless a study gives them. White space between JSON tokens is off: a small model may never stop it."""

ENGINE_ON_CPU: dict[str, Plain] = {"enforce_eager": True, "max_num_seqs": 64, "enable_chunked_prefill": False}
"""Eager, since compiling takes 90 s on two processors, more than what it saves in the studies that run there.

Prompts are read whole: when vLLM 0.32 splits one whose reply is drawn with a seed of its own, it rewinds the generator,
which those of processors cannot ("CPU Generator does not use offset"), and the engine dies.
"""

KILLED = "its process was killed, as by the system when memory is short"

MEMORY = re.compile(r"memory|KV cache", re.IGNORECASE)
ADVICE = (
    "Make it fit: a smaller max_model_len, fewer processes beside it, or another share of memory for the KV cache "
    "(GiB in the environment variable VLLM_CPU_KVCACHE_SPACE; on a GPU engine: {gpu_memory_utilization: 0.8}). "
)
"""What can be done where memory is short: too much was asked for, or too little for one request."""

GRACE = 20.0
"""Seconds that an engine has to end by itself: with vLLM's own 5 its workers leave shared memory behind."""


class Engine:
    """A running engine: its processes end with `close`, or when this process does, however that happens."""

    def __init__(
        self,
        identity: str,
        model: str,
        adapter: tuple[str, str] | None,
        overflow: Overflow,
        arguments: Mapping[str, Plain],
    ) -> None:
        """Start the engine and wait until it is ready. Raises ModelFailed with vLLM's reason in one line."""
        self._identity = identity
        self._numbers = count()
        folder = Path(tempfile.mkdtemp(prefix="simonides-vllm-"))
        self._folder = folder
        self._watchman = Watchman(folder.name)
        try:
            where = place_of(model)
            adapter = (adapter[0], adapter_of(*adapter)) if adapter is not None else None
            with set_up(folder), self._watchman.marking():
                self._engine, self._counters, self._lora = _start(where, adapter, arguments)
        except Exception as error:
            self._watchman.release()
            if not (folder / LOG).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise ModelFailed(f"{identity}: vLLM did not start: {_reason(error, folder / LOG)}") from None
        self.context = int(self._engine.model_config.max_model_len)
        self._fitting = Fitting(identity, self._engine.get_tokenizer(), self.context, overflow)

    async def answer(self, request: Request) -> Completion:
        """Return the reply to one request. Raises ModelFailed when it is refused, ModelDied when the engine is gone."""
        from vllm.exceptions import VLLMClientError
        from vllm.inputs.engine import tokens_input
        from vllm.v1.engine.exceptions import EngineDeadError

        fitted = self._fitting.fit(request)
        try:
            replies = self._engine.generate(
                tokens_input(fitted.tokens), parameters_of(request), str(next(self._numbers)), lora_request=self._lora
            )
            (output,) = [reply async for reply in replies]  # one: only final outputs were asked for
        except EngineDeadError:
            raise ModelDied(
                f"{self._identity}: the vLLM engine died while it answered {request.purpose}: "
                f"{last_error(self._folder / LOG) or KILLED}."
            ) from None
        except (VLLMClientError, ValueError) as error:
            raise ModelFailed(f"{self._identity}: vLLM refused {request.purpose}: {short(error)}") from None
        except Exception as error:
            cause = error.__cause__ or error
            raise ModelFailed(
                f"{self._identity}: vLLM failed on {request.purpose}: {type(cause).__name__}: {short(cause)}"
            ) from None
        return self._completion(request, output, fitted.cut)

    def counters(self) -> Mapping[str, float]:
        """Return the engine's counters by name, as it last told them."""
        return dict(self._counters.values)

    def close(self) -> None:
        """End the engine's processes and delete its log."""
        self._engine.shutdown(timeout=GRACE)
        self._engine.shutdown = _nothing  # vLLM calls it again when the object is freed, too late to find its modules
        self._watchman.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _completion(self, request: Request, output: Any, cut: int) -> Completion:
        (reply,) = output.outputs
        if reply.finish_reason not in ("stop", "length"):
            raise ModelFailed(
                f"{self._identity}: vLLM ended {request.purpose} with {reply.finish_reason!r}, unanswered."
            )
        prompt = output.prompt_token_ids
        return Completion(
            reply.text,
            len(prompt),
            len(reply.token_ids),
            reply.finish_reason,
            cut,
            scores_of(reply.token_ids, reply.logprobs) if request.logprobs is not None else (),
            scores_of(prompt[1:], output.prompt_logprobs[1:]) if request.prompt_logprobs else (),
        )


def place_of(model: str) -> str:
    """Return where a model lies, with the environment set that is read when vLLM is imported. Raises ModelFailed."""
    where = locate(model)
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    if Path(where).is_dir():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return where


def adapter_of(name: str, given: str) -> str:
    """Return where an adapter lies: its folder, or its hub id. Raises ModelFailed for a folder without one."""
    path = Path(given).expanduser()
    if (path / "adapter_config.json").is_file():
        return str(path)
    if not path.is_dir() and given.count("/") == 1 and not given.startswith((".", "/", "~")):
        return given
    raise ModelFailed(f"{path} holds no LoRA adapter {name!r}: it has no adapter_config.json, as PEFT writes it.")


def _nothing() -> None:
    """Be called, and do nothing."""


def arguments_of(where: str, given: Mapping[str, Plain]) -> dict[str, Any]:
    """Return the arguments of an engine: ours, those of a machine without accelerator, and what a study gives."""
    from vllm.platforms import current_platform

    arguments: dict[str, Any] = {**ENGINE, "model": where}
    if current_platform.is_cpu():
        for key, value in ON_CPU.items():
            os.environ.setdefault(key, value)
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
        arguments |= ENGINE_ON_CPU
    return arguments | {key: value for key, value in given.items() if value is not None}


def _start(where: str, adapter: tuple[str, str] | None, given: Mapping[str, Plain]) -> tuple[Any, Any, Any]:
    """Return the engine, its counters, and what each request says of its adapter."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.lora.request import LoRARequest
    from vllm.v1.engine.async_llm import AsyncLLM

    lora = None
    if adapter is not None:
        lora = LoRARequest(adapter[0], 1, adapter[1])
        given = {"enable_lora": True, "max_loras": 1, **given}
    counters = Counters()
    arguments = AsyncEngineArgs(**arguments_of(where, given))
    return AsyncLLM.from_engine_args(arguments, stat_loggers=[counters.listener]), counters, lora


def _reason(error: Exception, log: Path) -> str:
    """Return why an engine did not start: the error of its own process where there is one, which the log holds."""
    if isinstance(error, RuntimeError) and "Engine core initialization failed" in str(error):
        said = (last_error(log) or KILLED).rstrip(".")
        return f"{said}. {ADVICE if MEMORY.search(said) else ''}The whole log: {log}"
    return short(error) if isinstance(error, SimonidesError) else f"{type(error).__name__}: {short(error)}"


def short(error: BaseException, most: int = 300) -> str:
    """Return an error's words as one line."""
    return " ".join(str(error).split())[:most]
