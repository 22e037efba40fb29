"""`simonides watch` writes an animated picture of an episode, or says in one line why it cannot."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from PIL import Image
from typer.testing import CliRunner

from simonides.experiments.cli import app
from simonides.experiments.watch import film_of
from simonides.sim.config import Part
from simonides.sim.errors import UserError


def parts(**environment):
    return [Part.model_validate(one) for one in ({"name": "towers:bell", **environment}, {"name": "believer"},
                                                 {"name": "full-context"})]  # fmt: skip


def test_a_film_has_a_picture_a_tick_and_says_what_was_done(tmp_path):
    film = film_of(*parts(delay=3), seed=1)
    assert len(film.pictures) == 7
    assert film.captions[0].startswith("0  player_0: wait")
    assert "open " in film.captions[4]
    film.write(tmp_path / "bell.gif", 2.0)
    with Image.open(tmp_path / "bell.gif") as animated:
        assert animated.n_frames == 7
        assert animated.info["duration"] == 500


def test_the_same_seed_gives_the_same_film():
    first, again = (film_of(*parts(delay=2), seed=4).captions for _ in range(2))
    assert first == again


@pytest.mark.skipif(find_spec("imageio_ffmpeg") is None, reason="the extra simonides[video] is not installed")
def test_a_film_may_be_an_mp4(tmp_path):
    film_of(*parts(delay=1), seed=1).write(tmp_path / "bell.mp4", 2.0)
    assert (tmp_path / "bell.mp4").stat().st_size > 500


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"\.gif or an \.mp4"):
        film_of(*parts(delay=1), seed=1).write(tmp_path / "bell.avi", 2.0)


def test_an_environment_without_pictures_says_so():
    with pytest.raises(UserError, match="draws no pictures"):
        film_of(Part(name="toys:ToyWorld"), Part(name="toys:ToyPolicy"), Part(name="full-context"), seed=0)


def test_an_episode_that_fails_is_one_line():
    with pytest.raises(UserError, match="episode failed"):
        film_of(*parts(broken="fails"), seed=1)


def test_the_command_writes_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["watch", "towers:bell", "delay=2", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "bell-3.gif: 6 pictures" in done.output
