"""Film an episode: run it as a study would, draw the environment at every tick, and write an animated picture."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from simonides.experiments.runs import cache_folder
from simonides.sim.config import Part, Trial, parse_study
from simonides.sim.errors import MissingExtra, UserError
from simonides.sim.inline import run_inline
from simonides.sim.render import legal_actions
from simonides.sim.trial import environment_of
from simonides.sim.types import Plain
from simonides.sim.world import World

Picture = npt.NDArray[np.uint8]
MOST = 600
"""Pictures of one film; an episode that is longer is cut there."""

STRIP, SMALL = 14, 320
"""Height of a line of caption in pixels, and the width below which a picture is enlarged."""


@dataclass(slots=True)
class Film:
    """The pictures of an episode, each with what the agents then did."""

    pictures: list[Picture] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)

    def write(self, path: Path, per_second: float, width: int | None = None) -> None:
        """Write a GIF, or an MP4 by the file's ending, `width` pixels wide. Raises UserError, MissingExtra."""
        frames = [_frame(*pair, width) for pair in zip(self.pictures, self.captions, strict=True)]
        if path.suffix == ".gif":
            first, *rest = [frame.quantize(128, dither=Image.Dither.NONE) for frame in frames]
            duration = round(1000 / per_second)
            first.save(path, save_all=True, append_images=rest, duration=duration, loop=0, optimize=True)
        elif path.suffix == ".mp4":
            _mp4(path, frames, per_second)
        else:
            raise UserError(f"--out {path}: a film is a .gif or an .mp4 file.")


class Filmed:
    """An environment that is drawn after its reset and after each step; all else is its own."""

    def __init__(self, env: Any, film: Film) -> None:
        self._env, self._film, self._infos = env, film, {}  # type: Any, Film, Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, **given: Any) -> tuple[Any, Any]:
        """Reset, and draw."""
        observations, self._infos = self._env.reset(**given)
        return observations, self._infos

    def step(self, actions: Mapping[str, Any]) -> tuple[Any, ...]:
        """Draw what the agents saw, with what they now do, and step."""
        self._draw("; ".join(f"{agent}: {self._name(agent, value)}" for agent, value in sorted(actions.items())))
        found = self._env.step(actions)
        self._infos = found[-1]
        if not self._env.agents:
            self._draw("the end")
        return tuple(found)

    def _name(self, agent: str, value: Any) -> str:
        legal = legal_actions(self._infos.get(agent, {}))
        named = next((name for name, one in legal.items() if np.array_equal(one, value)), None)
        return named if named is not None else str(value)[:60] or "-"

    def _draw(self, caption: str) -> None:
        if len(self._film.pictures) < MOST:
            self._film.pictures.append(np.array(self._env.render(), copy=True))
            self._film.captions.append(f"{len(self._film.captions)}  {caption}")


def film_of(environment: Part, policy: Part, memory: Part, seed: int, wiring: str = "private") -> Film:
    """Return the film of one episode. Raises UserError, also when the environment draws no pictures or fails."""
    study = parse_study(
        {
            "name": "watch", "environment": environment.model_dump(), "policy": policy.model_dump(),
            "memory": memory.model_dump(), "wiring": wiring, "worlds": 1, "seeds": [seed], "checkpoint_every": 0,
            "embedder": "minilm-int8",
        }
    )  # fmt: skip
    trial, film = next(study.trials()), Film()
    _demand_pictures(trial)

    async def watch(worlds: Sequence[World]) -> None:
        for world in worlds:
            world.environment = Filmed(world.environment, film)  # type: ignore[assignment]
        await asyncio.Event().wait()

    _run(trial, watch)
    return film


def _demand_pictures(trial: Trial) -> None:
    with closing(environment_of(trial.study, trial.seed, 0)) as env:
        if getattr(env, "render_mode", None) != "rgb_array":
            name = trial.study.environment.name
            raise UserError(f"The environment {name!r} draws no pictures: its render_mode is not 'rgb_array'.")


def _run(trial: Trial, watch: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="simonides-watch-") as folder:
        outcome = run_inline(trial, Path(folder), cache=cache_folder(), watch=watch)
    if outcome.failed:
        raise UserError(f"The episode failed. {' '.join(outcome.errors)}")


def _frame(picture: Picture, caption: str, width: int | None) -> Image.Image:
    image = Image.fromarray(picture)
    if width is not None:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    elif image.width < SMALL:
        scale = -(-SMALL // image.width)
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    font = ImageFont.load_default(STRIP - 3)
    lines = _wrapped(caption, font, image.width - 8)[:3]
    whole = Image.new("RGB", (image.width, image.height + 3 * STRIP + 4), "white")
    whole.paste(image)
    drawing = ImageDraw.Draw(whole)
    for n, line in enumerate(lines):
        drawing.text((4, image.height + 1 + n * STRIP), line, fill="black", font=font)
    return whole


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _mp4(path: Path, frames: Sequence[Image.Image], per_second: float) -> None:
    try:
        import imageio.v3 as imageio
        import imageio_ffmpeg  # noqa: F401  # imageio finds it by itself; here its absence is told
    except ModuleNotFoundError:
        raise MissingExtra(
            "Writing .mp4 needs imageio and ffmpeg: pip install 'simonides[video]'; or write a .gif."
        ) from None
    even = [np.asarray(frame.crop((0, 0, frame.width // 2 * 2, frame.height // 2 * 2))) for frame in frames]
    imageio.imwrite(path, even, fps=per_second, codec="libx264", macro_block_size=2)


def part_of(name: str, parameters: Mapping[str, Plain]) -> Part:
    """Return a part by its name and parameters."""
    return Part.model_validate({**parameters, "name": name})
