"""One value, one byte string; damage is found."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simonides.sim.codec import decode, encode, records_from_columns, records_to_columns
from simonides.sim.errors import CorruptFile
from simonides.sim.framing import FrameWriter, cut_torn_tail, read_file, read_frames, replace_file
from simonides.sim.types import Record

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_values_come_back(value):
    assert decode(encode(value)) == value


def test_maps_are_sorted_and_zeros_and_nans_are_one():
    assert encode({"b": 1, "a": 2}) == encode({"a": 2, "b": 1})
    assert encode(-0.0) == encode(0.0)
    assert encode(float("-nan")) == encode(math.nan)
    assert encode(np.array([-0.0, 1.0])) == encode(np.array([0.0, 1.0]))
    assert encode(np.float32(2.0)) == encode(2.0)


def test_arrays_keep_dtype_and_shape():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    back = decode(encode({"x": array}))["x"]
    assert back.dtype == np.float32
    assert np.array_equal(back, array)
    assert encode(array) == encode(np.asfortranarray(array))


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
@pytest.mark.parametrize("times", [1, 100])  # few values are looked at one by one, many by numpy
def test_arrays_of_floats_are_normalised_whatever_their_size(dtype, times):
    odd = np.array([-0.0, -math.nan, math.inf, -math.inf, 1.5] * times, dtype)
    plain = decode(encode(odd))
    assert not np.signbit(plain[0])
    assert encode(odd) == encode(plain)
    assert np.array_equal(plain, odd, equal_nan=True)
    assert encode({"a": odd})[-odd.nbytes :] == plain.tobytes()


def test_objects_are_refused():
    with pytest.raises(TypeError, match="plain data"):
        encode({"f": print})
    with pytest.raises(TypeError, match="dtype"):
        encode(np.array(["a"], dtype=object))


def test_damaged_bytes_are_told():
    with pytest.raises(CorruptFile):
        decode(b"\xc1")


RECORDS = st.lists(
    st.builds(
        Record,
        id=st.integers(0, 2**128 - 1).map(lambda n: f"{n:032x}"),
        space=st.sampled_from(["s", "t"]),
        writer=st.text(max_size=3),
        tick=st.integers(0, 9),
        time=st.floats(0, 1e9),
        text=st.text(max_size=9),
        origins=st.lists(st.integers(0, 9).map(lambda n: f"{n:032x}"), max_size=3).map(tuple),
        parents=st.lists(st.integers(0, 9).map(lambda n: f"{n:032x}"), max_size=3).map(tuple),
        version=st.integers(1, 3),
        vector=st.none() | st.just(np.ones(3, np.float32)),
        data=st.dictionaries(st.text(max_size=2), st.integers(0, 5), max_size=2),
    ),
    max_size=6,
)


@given(RECORDS)
def test_records_come_back_from_columns(records):
    back = records_from_columns(decode(encode(records_to_columns(records))))
    assert back == records
    assert [r.vector is None for r in back] == [r.vector is None for r in records]


def frames(path):
    return [frame.payload for frame in read_frames(path)]


def test_a_torn_tail_is_cut_and_appending_goes_on(tmp_path):
    path = tmp_path / "log"
    writer = FrameWriter(path)
    for payload in (b"one", b"two", b"three"):
        writer.append_now(1, payload)
    writer.close()
    whole = path.read_bytes()
    for cut in range(1, 12):
        path.write_bytes(whole[:-cut])
        assert frames(path) == [b"one", b"two"]
    cut_torn_tail(path)
    again = FrameWriter(path)
    again.append_now(1, b"four")
    again.close()
    assert frames(path) == [b"one", b"two", b"four"]


def test_a_flipped_bit_in_the_middle_is_an_error_that_says_where(tmp_path):
    path = tmp_path / "log"
    writer = FrameWriter(path)
    for payload in (b"one", b"two"):
        writer.append_now(1, payload)
    writer.close()
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFile, match="byte 0 fails its checksum"):
        frames(path)


def test_a_file_is_replaced_whole_and_checked_on_reading(tmp_path):
    path = tmp_path / "state"
    replace_file(path, b"state")
    assert read_file(path) == b"state"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFile, match="4 of 5 bytes"):
        read_file(path)
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
