"""A LoRA adapter of random weights for a small model, written as PEFT writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RANK = 8


def random_adapter(model: Path, folder: Path, seed: int = 0) -> str:
    """Write an adapter of the queries and values of every layer of a Llama-like model; return its folder."""
    from safetensors.numpy import save_file  # comes with transformers, where these tests run

    config = json.loads((model / "config.json").read_text())
    hidden = config["hidden_size"]
    wide = config.get("head_dim") or hidden // config["num_attention_heads"]
    rows = {"q_proj": wide * config["num_attention_heads"], "v_proj": wide * config["num_key_value_heads"]}
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        for name, out in rows.items():
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{place}.lora_A.weight"] = rng.normal(0, 0.1, (RANK, hidden)).astype(np.float32)
            weights[f"{place}.lora_B.weight"] = rng.normal(0, 0.1, (out, RANK)).astype(np.float32)
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK, "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps({**settings, "target_modules": sorted(rows)}))
    return str(folder)
