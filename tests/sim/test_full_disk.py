"""A file that cannot be written ends the trial for now: what was written stays readable, and no failure row is left."""

import contextlib
import resource

import pytest
from toys import toy_study

from simonides.sim.config import parse_study
from simonides.sim.errors import NotWritten
from simonides.sim.framing import FrameWriter, read_frames, replace_file
from simonides.sim.inline import run_inline
from simonides.sim.trace import SPACE_FAILED, WORLD_FAILED, Trace


@contextlib.contextmanager
def full_disk(size):
    """Let no file of this process grow beyond `size`; lifted before pytest itself writes again."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_file_of_frames_stays_whole_when_a_write_fails_and_goes_on_afterwards(tmp_path):
    writer = FrameWriter(tmp_path / "frames")
    writer.append_now(1, b"first")
    with full_disk(60), pytest.raises(NotWritten, match="frames cannot be written: File too large"):
        writer.append_now(2, bytes(100))
    assert [frame.tag for frame in read_frames(tmp_path / "frames")] == [1]
    writer.append_now(3, b"third")
    writer.close()
    assert [frame.tag for frame in read_frames(tmp_path / "frames")] == [1, 2, 3]


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path):
    replace_file(tmp_path / "x.ckpt", b"old")
    before = (tmp_path / "x.ckpt").read_bytes()
    with full_disk(60), pytest.raises(NotWritten):
        replace_file(tmp_path / "x.ckpt", bytes(100))
    assert (tmp_path / "x.ckpt").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("wiring", ["private", "global"])
@pytest.mark.parametrize("size", [100, 3000])
def test_a_trial_stopped_by_a_full_disk_goes_on_to_the_digest_of_an_undisturbed_one(tmp_path, wiring, size):
    (trial,) = parse_study(toy_study(wiring=wiring)).trials()
    run_inline(trial, tmp_path / "undisturbed")
    with full_disk(size), pytest.raises(NotWritten):
        run_inline(trial, tmp_path / "stopped")
    assert not run_inline(trial, tmp_path / "stopped").failed
    trace = Trace(tmp_path / "stopped")
    assert not [row for row in trace.rows if row.kind in (WORLD_FAILED, SPACE_FAILED)]
    assert trace.digest() == Trace(tmp_path / "undisturbed").digest()
