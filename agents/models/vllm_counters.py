"""Sum up what vLLM tells of each step: what runs and waits, tokens, the prefix cache."""

from __future__ import annotations

from typing import Any


class Counters:
    """What the engine tells after every step, summed up."""

    def __init__(self) -> None:
        names = "running waiting prompt_tokens generated_tokens finished preempted prefix_queries prefix_hits"
        self.values: dict[str, float] = dict.fromkeys(names.split(), 0.0)

    def listener(self, config: Any, index: int = 0) -> Any:
        """Return what vLLM calls: a factory of its loggers."""
        from vllm.v1.metrics.loggers import StatLoggerBase

        values = self.values

        class Listener(StatLoggerBase):  # type: ignore[misc]
            def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
                pass

            def record(self, scheduler_stats: Any, iteration_stats: Any, *_: Any, **__: Any) -> None:
                _add(values, scheduler_stats, iteration_stats)

            def log_engine_initialized(self) -> None:
                pass

        return Listener(config, index)


def _add(values: dict[str, float], scheduler: Any, iteration: Any) -> None:
    if scheduler is not None:
        values["running"] = scheduler.num_running_reqs
        values["waiting"] = scheduler.num_waiting_reqs
        values["prefix_queries"] += scheduler.prefix_cache_stats.queries
        values["prefix_hits"] += scheduler.prefix_cache_stats.hits
    if iteration is not None:
        values["prompt_tokens"] += iteration.num_prompt_tokens
        values["generated_tokens"] += iteration.num_generation_tokens
        values["finished"] += len(iteration.finished_requests)
        values["preempted"] += iteration.num_preempted_reqs
