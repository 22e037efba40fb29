"""Find parts by kind and name: a table of "module:attribute" strings, a decorator, and entry points.

Listing imports nothing heavy: a part's module is imported when the part is built.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from simonides.sim.errors import DuplicateName, MissingExtra, StudyError, UnknownName, near
from simonides.sim.types import Plain

KINDS = (
    "environment",
    "memory",
    "policy",
    "model",
    "embedder",
    "index",
    "attack",
    "defence",
    "metric",
    "wiring",
    "prompts",
)

EXTRAS: dict[str, str] = {
    "adbutils": "android",
    "uiautomator2": "android",
    "android_env": "android",
    "sentence_transformers": "sentence-transformers",
    "torch": "transformers",
    "transformers": "transformers",
    "accelerate": "transformers",
    "gguf": "transformers",
    "safetensors": "transformers",
    "xgrammar": "transformers",
    "vllm": "vllm",
    "textarena": "textarena",
    "mujoco": "manipulation",
    "metaworld": "manipulation",
    "libero": "libero",
    "robosuite": "libero",
    "highway_env": "highway",
    "metadrive": "metadrive",
}
"""Import name of a heavy library -> the extra that installs it."""

C = TypeVar("C", bound=Callable[..., Any])


class Registry:
    """The parts of one kind, by name."""

    def __init__(self, kind: str, builtins: Mapping[str, str]) -> None:
        self.kind = kind
        self._targets: dict[str, str | Callable[..., Any]] = dict(builtins)
        self._owners = {name: target.split(":")[0] for name, target in builtins.items()}
        self._scanned = False

    def register(self, name: str) -> Callable[[C], C]:
        """Decorate a class or function to register it: for notebooks and tests."""

        def add(part: C) -> C:
            self._add(name, part, f"{part.__module__}:{part.__qualname__}")
            return part

        return add

    def _add(self, name: str, target: str | Callable[..., Any], owner: str) -> None:
        if name in self._targets:
            raise DuplicateName(
                f"Two owners register the {self.kind} {name!r}: {self._owners[name]} and {owner}. Rename one of them."
            )
        self._targets[name] = target
        self._owners[name] = owner

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        for point in entry_points(group=f"simonides.{self.kind}"):
            owner = f"{point.dist.name if point.dist else 'an installed package'} ({point.value})"
            self._add(point.name, point.value, owner)

    def names(self) -> dict[str, str]:
        """Return name -> owner of every part, sorted by name, importing none."""
        self._scan()
        return dict(sorted(self._owners.items()))

    def load(self, name: str) -> Callable[..., Any]:
        """Return the class or factory called `name`, or the one at "module:attribute".

        Raises UnknownName with the near match and the list, MissingExtra, or UserError for an import that fails.
        """
        self._scan()
        target = self._targets.get(name, name if ":" in name else None)
        if target is None:
            known = ", ".join(self.names()) or "none"
            raise UnknownName(f"No {self.kind} is called {name!r}.{near(name, self._targets)} Known: {known}.")
        if not isinstance(target, str):
            return target
        module, _, attribute = target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            if missing in EXTRAS:
                raise MissingExtra(
                    f"The {self.kind} {name!r} needs {missing}, which is not installed: "
                    f"pip install 'simonides[{EXTRAS[missing]}]'."
                ) from None
            raise UnknownName(
                f"The {self.kind} {name!r} is registered at {target}, but importing it failed: {error}."
            ) from error
        except Exception as error:
            raise UnknownName(
                f"The {self.kind} {name!r} is registered at {target}, but importing it failed: "
                f"{type(error).__name__}: {error}."
            ) from error

    def check(
        self, name: str, params: Mapping[str, Plain], path: str, given: frozenset[str] = frozenset()
    ) -> dict[str, Plain]:
        """Return parameters checked against the part's annotated signature; ranges come from `Annotated[..., Field()]`.

        Raises StudyError with the dotted path of the field.
        """
        return check_parameters(self.load(name), params, path, given)

    def takes(self, name: str, parameter: str) -> bool:
        """Return True when a part has this parameter. Raises as `load` does."""
        accepted, anything = _accepted(self.load(name))
        return anything or parameter in accepted

    def build(self, name: str, params: Mapping[str, Plain] | None = None, /, *, path: str = "", **given: Any) -> Any:
        """Return a new part: `params` come from a study and are checked, `given` are services from the assembler.

        A service is passed only if the part's signature names it.
        """
        part = self.load(name)
        accepted, anything = _accepted(part)
        services = {key: value for key, value in given.items() if anything or key in accepted}
        checked = check_parameters(part, params or {}, path or self.kind, frozenset(services))
        return part(**checked, **services)


@lru_cache(maxsize=1024)
def _accepted(part: Callable[..., Any]) -> tuple[Mapping[str, inspect.Parameter], bool]:
    """Return a part's parameters, and whether it takes any others."""
    parameters = inspect.signature(part).parameters
    return parameters, any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@lru_cache(maxsize=1024)
def _model(part: Callable[..., Any], wanted: frozenset[str], given: frozenset[str]) -> type[BaseModel]:
    """Return the pydantic model of the parameters that a study gives or must give; making it takes a millisecond."""
    hints = get_type_hints(part.__init__ if inspect.isclass(part) else part, include_extras=True)
    parameters, open_ended = _accepted(part)
    fields: dict[str, Any] = {}
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or parameter.name in given:
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        if parameter.name in wanted or default is ...:
            fields[parameter.name] = (hints.get(parameter.name, Any), default)
    config = ConfigDict(arbitrary_types_allowed=True, extra="allow" if open_ended else "forbid")
    return create_model("Parameters", __config__=config, **fields)


def check_parameters(
    part: Callable[..., Any], params: Mapping[str, Plain], path: str, given: frozenset[str] = frozenset()
) -> dict[str, Plain]:
    """Return `params` checked and converted by pydantic against a callable's annotated signature.

    Raises StudyError with the dotted path of the first wrong field and a near match for a misspelt one.
    """
    accepted, open_ended = _accepted(part)
    unknown = sorted(set(params) - set(accepted))
    if unknown and not open_ended:
        known = [p for p in accepted if p not in given]
        raise StudyError(
            f"{path}.{unknown[0]}: no such parameter.{near(unknown[0], known)} Known: {', '.join(known) or 'none'}."
        )
    model = _model(part, frozenset(params), given)
    try:
        checked = model.model_validate(dict(params))
    except ValidationError as error:
        raise StudyError(one_line(error, path)) from None
    values = {name: getattr(checked, name) for name in model.model_fields if name in params}
    if open_ended:
        values.update(checked.model_extra or {})
    return values


def one_line(error: ValidationError, path: str) -> str:
    """Return pydantic's first complaint as one line that starts with the dotted path of the field."""
    first = error.errors()[0]
    where = ".".join([path, *map(str, first["loc"])]).strip(".")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    found = "" if first["type"] == "missing" else f", found {first['input']!r}"
    return f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}{found}.{more}"


BUILTINS: dict[str, dict[str, str]] = {
    "memory": {
        "full-context": "simonides.memory_actors.systems.baselines.full_context:FullContext",
        "window": "simonides.memory_actors.systems.baselines.window:SlidingWindow",
        "running-summary": "simonides.memory_actors.systems.baselines.running_summary:RunningSummary",
        "bm25": "simonides.memory_actors.systems.baselines.bm25:BM25Memory",
        "vector": "simonides.memory_actors.systems.baselines.vector:VectorMemory",
        "union": "simonides.memory_actors.systems.baselines.union:UnionMemory",
        "generative-agents": "simonides.memory_actors.systems.dialogue.generative_agents:GenerativeAgents",
        "memorybank": "simonides.memory_actors.systems.dialogue.memorybank:MemoryBank",
    },
    "environment": {
        "android": "simonides.envs.android.memory:android",
        "dialogue": "simonides.envs.dialogue.env:dialogue",
        "locomo": "simonides.envs.dialogue.locomo:locomo",
        "longmemeval": "simonides.envs.dialogue.longmemeval:longmemeval",
        "memorybank-histories": "simonides.envs.dialogue.memorybank:memorybank_histories",
        "dialogue-choices": "simonides.envs.dialogue.choices:dialogue_choices",
        "claims": "simonides.envs.claims.env:claims",
        "album": "simonides.envs.contagion.album:album",
        "droidtask": "simonides.envs.android.droidtask.env:droidtask",
        "android-tasks": "simonides.envs.android.tasks.env:android_tasks",
        "textarena": "simonides.envs.textarena.env:textarena",
        "manipulation": "simonides.envs.manipulation.make:manipulation",
        "metaworld-chain": "simonides.envs.manipulation.chain:metaworld_chain",
        "libero": "simonides.envs.manipulation.libero:libero",
        "highway": "simonides.envs.driving.highway_world:highway",
        "metadrive": "simonides.envs.driving.metadrive_world:metadrive",
        "commonroad": "simonides.envs.driving.recorded:commonroad",
    },
    "policy": {
        "extractive-reader": "simonides.agents.scripted.extractive:ExtractiveReader",
        "believer": "simonides.agents.scripted.believer:Believer",
        "claim-holder": "simonides.agents.scripted.claims:ClaimHolder",
        "gossiper": "simonides.agents.scripted.gossip:Gossiper",
        "album-keeper": "simonides.agents.scripted.album:AlbumKeeper",
        "prompted": "simonides.agents.prompted:PromptedPolicy",
        "react": "simonides.agents.react:ReActPolicy",
        "order-reader": "simonides.agents.ordering:OrderReader",
    },
    "model": {
        "scripted": "simonides.agents.models.scripted:ScriptedModel",
        "rehearsal": "simonides.agents.models.rehearsal:Rehearsal",
        "transformers": "simonides.agents.models.transformers_local:TransformersModel",
        "openai": "simonides.agents.models.openai_http:OpenAIModel",
        "vllm": "simonides.agents.models.vllm:VLLMModel",
    },
    "prompts": {"packaged": "simonides.agents.prompts:Prompts"},
    "embedder": {
        "minilm-int8": "simonides.memory_actors.embedders.minilm:MiniLMInt8",
        "minilm-numpy": "simonides.memory_actors.embedders.minilm_numpy:MiniLMNumpy",
        "hashing": "simonides.memory_actors.embedders.hashing:HashingEmbedder",
        "sentence-transformers": "simonides.memory_actors.embedders.sentence:SentenceTransformer",
        "openai": "simonides.memory_actors.embedders.openai_http:OpenAIEmbedder",
        "vllm": "simonides.memory_actors.embedders.vllm:VLLMEmbedder",
    },
    "index": {
        "arena": "simonides.memory_actors.indexes.arena:ArenaIndex",
        "qdrant-edge": "simonides.memory_actors.indexes.qdrant_edge:QdrantEdgeIndex",
        "qdrant": "simonides.memory_actors.indexes.qdrant_server:QdrantIndex",
    },
    "defence": {
        "lineage-trust": "simonides.memory_actors.defences.lineage_trust:LineageTrust",
        "corroboration": "simonides.memory_actors.defences.corroboration:Corroboration",
        "quarantine": "simonides.memory_actors.defences.quarantine:Quarantine",
        "trust-decay": "simonides.memory_actors.defences.trust_decay:TrustDecay",
        "embedding-anomaly": "simonides.memory_actors.defences.embedding_anomaly:EmbeddingAnomaly",
        "purge-by-origin": "simonides.memory_actors.defences.purge_by_origin:PurgeByOrigin",
        "access-tiers": "simonides.memory_actors.defences.access_tiers:AccessTiers",
        "consensus-over-claims": "simonides.memory_actors.defences.consensus:ConsensusOverClaims",
        "a-memguard": "simonides.memory_actors.defences.a_memguard:AMemGuard",
        "perplexity": "simonides.memory_actors.defences.perplexity:Perplexity",
    },
    "metric": {
        "answer-f1": "simonides.experiments.metrics.trial:answer_f1",
        "evidence-recall": "simonides.experiments.metrics.trial:evidence_recall",
        "ndcg": "simonides.experiments.metrics.trial:ndcg",
        "attack-success": "simonides.experiments.metrics.trial:attack_success",
        "defence": "simonides.experiments.metrics.trial:defence",
        "tainted-recall": "simonides.experiments.metrics.trial:tainted_recall",
        "contamination": "simonides.experiments.metrics.trial:contamination",
        "memory-size": "simonides.experiments.metrics.trial:memory_size",
        "cost": "simonides.experiments.metrics.trial:cost",
        "latency": "simonides.experiments.metrics.trial:latency",
        "reward": "simonides.experiments.metrics.trial:reward",
        "task-success": "simonides.experiments.metrics.trial:task_success",
        "illegal-actions": "simonides.experiments.metrics.trial:illegal_actions",
        "poisoning": "simonides.experiments.metrics.trial:poisoning",
        "aim": "simonides.experiments.metrics.trial:aim",
        "prp": "simonides.experiments.metrics.trial:prp",
        "planted-success": "simonides.experiments.metrics.planted:planted_success",
        "infection": "simonides.experiments.metrics.spreading:infection",
        "infected-spaces": "simonides.experiments.metrics.spreading:infected_spaces",
        "cascade": "simonides.experiments.metrics.spreading:cascade",
        "transmission": "simonides.experiments.metrics.spreading:transmission",
        "dormancy": "simonides.experiments.metrics.horizon:dormancy_survival",
        "success-by-session": "simonides.experiments.metrics.horizon:success_by_session",
        "retention": "simonides.experiments.metrics.horizon:retention",
        "experience-following": "simonides.experiments.metrics.horizon:experience_following",
        "error-propagation": "simonides.experiments.metrics.horizon:error_propagation",
        "backward-transfer": "simonides.experiments.metrics.horizon:backward_transfer",
        "progress": "simonides.experiments.metrics.horizon:progress",
        "sharing": "simonides.experiments.metrics.horizon:sharing",
        "descent": "simonides.experiments.metrics.horizon:contamination_by_descent",
    },
    "attack": {
        "planted-record": "simonides.agents.attacks.planted:PlantedRecord",
        "memorygraft": "simonides.agents.attacks.memorygraft:MemoryGraft",
        "poisonedrag": "simonides.agents.attacks.poisonedrag:PoisonedRAG",
        "graft-records": "simonides.agents.attacks.graft_records:GraftRecords",
        "agentpoison": "simonides.agents.attacks.agentpoison:AgentPoison",
        "self-replicating": "simonides.agents.attacks.self_replicating:SelfReplicating",
        "dormant-claim": "simonides.agents.attacks.dormant:DormantClaim",
        "minja": "simonides.agents.attacks.minja:Minja",
        "farma": "simonides.agents.attacks.farma:FARMA",
        "untrusted-content": "simonides.agents.attacks.untrusted:UntrustedContent",
        "agent-smith": "simonides.agents.attacks.agent_smith:AgentSmith",
    },
    "wiring": {
        "private": "simonides.memory_actors.wiring:private",
        "team": "simonides.memory_actors.wiring:team",
        "global": "simonides.memory_actors.wiring:everyone",
        "hub": "simonides.memory_actors.wiring:hub",
        "graph": "simonides.memory_actors.wiring:graph",
    },
}

registries: dict[str, Registry] = {kind: Registry(kind, BUILTINS.get(kind, {})) for kind in KINDS}


def registry(kind: str) -> Registry:
    """Return the registry of one kind. Raises UnknownName for a kind that does not exist."""
    if kind not in registries:
        raise UnknownName(f"No kind of part is called {kind!r}.{near(kind, KINDS)} Known: {', '.join(KINDS)}.")
    return registries[kind]
