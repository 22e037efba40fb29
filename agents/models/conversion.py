"""Turn a GGUF file into a Hugging Face folder in bfloat16: weights, configuration, tokenizer, chat template."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import gguf  # noqa: F401  (transformers reads the file with it, and says it late when it is missing)
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging

Progress = Callable[[str, float], None]


def convert(source: Path, target: Path, progress: Progress) -> None:
    """Write the model of a GGUF file to a new folder, dequantised: about 40 s of processor time for 135 M weights.

    `quantization_config` is dropped from the configuration, since engines would look for quantised weights.
    """
    logging.disable_progress_bar()
    progress("read and dequantise the weights", 0.0)
    with redirect_stderr(io.StringIO()):  # it draws bars of its own there, whatever it is told
        _convert(source, target, progress)


def _convert(source: Path, target: Path, progress: Progress) -> None:
    place = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
    model = AutoModelForCausalLM.from_pretrained(
        **place, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    progress("read the tokenizer", 0.5)
    tokenizer = AutoTokenizer.from_pretrained(**place)
    progress("write the folder", 0.8)
    model.to(torch.bfloat16).save_pretrained(target)
    tokenizer.save_pretrained(target)
