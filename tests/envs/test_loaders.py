"""Recorded dialogues come in whole, with their quirks, and what cannot be read is said in one line."""

import json
import os
from pathlib import Path

import pytest

from simonides.envs.dialogue import locomo, longmemeval, memorybank
from simonides.sim.errors import DataError

DATA = os.environ.get("SIMONIDES_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="SIMONIDES_DATA names no folder with the public data sets")


def small_locomo():
    """An entry with every quirk of the release: dates without sessions, malformed ids, int and missing answers."""
    return {
        "sample_id": "conv-0",
        "conversation": {
            "speaker_a": "Ann",
            "speaker_b": "Bo",
            "session_2_date_time": "12:05 am on 1 March, 2023",
            "session_2": [
                {"speaker": "Bo", "dia_id": "D2:1", "text": "Look.", "blip_caption": "a photo of a cat", "query": "cat"}
            ],
            "session_1_date_time": "1:56 pm on 8 May, 2022",
            "session_1": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "Hi!"},
                {"speaker": "Bo", "dia_id": "D1:2", "text": "Hello."},
            ],
            "session_3_date_time": "1:56 pm on 8 May, 2024",
        },
        "qa": [
            {"question": "When?", "answer": 2022, "evidence": ["D1:1"], "category": 2},
            {"question": "What?", "answer": "x", "evidence": ["D1:1; D2:1", "D1:1"], "category": 1},
            {"question": "Who?", "answer": "x", "evidence": ["D", "D:1:2", "D9:9"], "category": 4},
            {"question": "Why?", "adversarial_answer": "a trap", "evidence": [], "category": 5},
            {"question": "Why?", "answer": "a trap", "evidence": ["D1:1 D1:2 D2:1"], "category": 5},
        ],
    }


def write(tmp_path, value, name="locomo10.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


def test_locomos_quirks_are_read_or_counted(tmp_path):
    (talk,) = locomo.load(write(tmp_path, [small_locomo()]))
    assert [s.number for s in talk.sessions] == [1, 2]
    assert [t.ref for t in talk.turns] == ["D1:1", "D1:2", "D2:1"]
    assert talk.sessions[0].time == 1652018160.0 and talk.sessions[1].time == 1677629100.0
    assert talk.turns[2].unit == 'Bo said, "Look." and shared a photo of a cat'
    assert [q.answer for q in talk.questions] == ["2022", "x", "x", "", ""]
    assert [q.adversarial for q in talk.questions] == ["", "", "", "a trap", "a trap"]
    assert [q.evidence for q in talk.questions] == [
        ("D1:1",), ("D1:1", "D2:1"), ("D1:2",), (), ("D1:1", "D1:2", "D2:1"),
    ]  # fmt: skip
    assert (talk.repaired, talk.dropped) == (3, 2)


def test_a_locomo_world_is_one_conversation_for_a_reader_or_for_the_speakers(tmp_path):
    data = write(tmp_path, [small_locomo(), small_locomo() | {"sample_id": "conv-1"}])
    assert locomo.locomo.worlds(data=data) == 2 and locomo.locomo.worlds(data=data, conversation=1) == 1
    assert locomo.locomo(str(tmp_path), world=1).conversation.id == "conv-1"
    assert locomo.locomo(data, conversation="conv-1").possible_agents == ["player_0"]
    speakers = locomo.locomo(data, audience="speakers", categories=(5,))
    assert speakers.possible_agents == ["player_0", "player_1"] and len(speakers.conversation.questions) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"sample_id": "conv', "not whole JSON .* fetch it again"),
        ('{"a": 1}', "should hold a list at the top, found an object"),
        ('[{"sample_id": "c"}]', "entry 0: the field 'conversation' is missing"),
        ('[{"sample_id": "c", "conversation": {"speaker_a": "A", "speaker_b": "B"}, "qa": []}]', "no session_N list"),
        ("[[1]]", "entry 0: the field 'conversation' is missing"),
    ],
)
def test_a_bad_locomo_file_is_told_in_one_line(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=said) as error:
        locomo.load(path)
    assert path in str(error.value) and "\n" not in str(error.value)


def test_wrong_types_and_dates_inside_are_told_with_their_field(tmp_path):
    entry = small_locomo()
    entry["conversation"]["session_1_date_time"] = "yesterday"
    with pytest.raises(DataError, match="'yesterday' is not a date"):
        locomo.load(write(tmp_path, [entry]))
    entry = small_locomo()
    entry["qa"][0]["category"] = "two"
    with pytest.raises(DataError, match="'category' has type str"):
        locomo.load(write(tmp_path, [entry]))


def test_missing_files_folders_and_numbers_are_told(tmp_path):
    with pytest.raises(DataError, match="does not exist; give data="):
        locomo.load(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"has no locomo10\.json"):
        locomo.load(str(tmp_path))
    data = write(tmp_path, [small_locomo()])
    with pytest.raises(DataError, match=r"has 1 entries .* asked for 4"):
        locomo.locomo(data, world=4)
    with pytest.raises(DataError, match="no conversation 'conv-9'; known: conv-0"):
        locomo.locomo(data, conversation="conv-9")


def small_longmemeval():
    turns = [
        {"role": "user", "content": "I ran 5 km.", "has_answer": True},
        {"role": "assistant", "content": "Well done."},
        {"role": "user", "content": "Thanks."},
    ]
    return {
        "question_id": "q1", "question_type": "knowledge-update", "question": "How far?", "answer": 5,
        "question_date": "2023/06/01 (Thu) 00:58",
        "haystack_dates": ["2023/05/27 (Sat) 10:20", "2023/05/25 (Thu) 20:21"],
        "haystack_session_ids": ["answer_b", "noise"],
        "haystack_sessions": [turns, [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hi."}]],
        "answer_session_ids": ["answer_b"],
    }  # fmt: skip


def test_longmemeval_gives_user_turns_as_units_in_order_of_date(tmp_path):
    (talk,) = longmemeval.load(write(tmp_path, [small_longmemeval()], "longmemeval_oracle.json"))
    assert [t.ref for t in talk.turns] == ["noise_1", "answer_b_1", "answer_b_3"]
    (question,) = talk.questions
    assert question.evidence == ("answer_b_1",) and question.category == 6 and question.answer == "5"
    (told, _) = longmemeval.longmemeval(str(tmp_path)).reset()
    assert told["player_0"] == {"text": "Hi."}


def test_longmemeval_gives_sessions_as_units_and_the_assistant_when_asked(tmp_path):
    data = write(tmp_path, [small_longmemeval()], "x.json")
    (by_session,) = longmemeval.load(data, unit="session")
    assert [(t.ref, t.text) for t in by_session.turns] == [("noise", "Hi."), ("answer_b", "I ran 5 km. Thanks.")]
    assert by_session.questions[0].evidence == ("answer_b",)
    (both,) = longmemeval.load(data, assistant=True)
    assert [t.speaker for t in both.turns] == ["user", "assistant", "user", "assistant", "user"]


def test_an_evidence_pool_tells_shared_sessions_once(tmp_path):
    session = {"date": "2023/03/14 (Tue) 14:30", "turns": [{"role": "user", "content": "I paused for a week."}]}
    entry = {
        "question_type": "multi-session",
        "question": "?",
        "answer": "a",
        "question_date": None,
        "evidence_sessions": [session],
    }
    lines = [entry | {"question_id": "a"}, entry | {"question_id": "b_abs"}]
    data = write(tmp_path, "\n".join(map(json.dumps, lines)), "longmemeval_x.jsonl")
    (talk,) = longmemeval.load(str(tmp_path))
    assert len(talk.turns) == 1 and [q.evidence for q in talk.questions] == [("s1_1",), ("s1_1",)]
    assert [q.category for q in talk.questions] == [1, 5] and longmemeval.longmemeval.worlds(data=data) == 1


def test_bad_longmemeval_files_are_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="line 1 is not whole JSON"):
        longmemeval.load(write(tmp_path, '{"a": ', "x.jsonl"))
    entry = small_longmemeval() | {"haystack_dates": []}
    with pytest.raises(DataError, match="2 sessions, 2 ids and 0 dates"):
        longmemeval.load(write(tmp_path, [entry], "x.json"))
    entry = small_longmemeval() | {"question_type": "guess"}
    with pytest.raises(DataError, match="unknown question_type 'guess'"):
        longmemeval.load(write(tmp_path, [entry], "x.json"))


def test_memorybank_gives_days_as_sessions_and_probes_without_answers(tmp_path):
    history = {"2023-04-28": [{"query": "Hi", "response": "Hello"}], "2023-04-27": [{"query": "A", "response": "B"}]}
    data = write(tmp_path, {"Emily": {"name": "Emily", "history": history}}, "memory_bank_en.json")
    write(tmp_path, json.dumps({"Emily": ["What did I say?"]}), "probing_questions_en.jsonl")
    (talk,) = memorybank.load(data)
    assert [t.text for t in talk.turns] == ["A", "B", "Hi", "Hello"] and talk.sessions[0].time == 1682596800.0
    assert [(q.text, q.category, q.answer) for q in talk.questions] == [("What did I say?", 0, "")]
    assert memorybank.memorybank_histories.worlds(data=str(tmp_path)) == 1
    with pytest.raises(DataError, match=r"has no memory_bank_cn\.json"):
        memorybank.load(str(tmp_path), "cn")


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ({}, "is empty"),
        ({"May": [{"query": "a", "response": "b"}]}, "not a date like"),
        ({"2023-04-27": 3}, "should be a list"),
        ({"2023-04-27": [{"query": "a"}]}, "'response' is missing"),
    ],
)
def test_a_bad_memorybank_file_is_told_in_one_line(tmp_path, history, said):
    path = write(tmp_path, {"E": {"history": history}}, "memory_bank_en.json")
    with pytest.raises(DataError, match=said):
        memorybank.load(path)


@needs_data
@pytest.mark.data
def test_the_published_locomo_conversations_are_whole():
    talks = locomo.load(str(Path(DATA) / "locomo"))
    assert [(t.id, len(t.sessions), len(t.turns), len(t.questions)) for t in talks[:2]] == [
        ("conv-26", 19, 419, 199), ("conv-30", 19, 369, 105),
    ]  # fmt: skip
    for talk in talks:
        refs = {turn.ref for turn in talk.turns}
        assert all(set(q.evidence) <= refs for q in talk.questions)
        assert [s.time for s in talk.sessions] == sorted(s.time for s in talk.sessions)
    assert (sum(t.repaired for t in talks), sum(t.dropped for t in talks)) == (2, 3)


@needs_data
@pytest.mark.data
def test_the_published_longmemeval_and_memorybank_files_are_whole():
    official = longmemeval.load(str(Path(DATA) / "longmemeval" / "oracle_sample_2.json"))
    assert [q.id for t in official for q in t.questions] == ["6a1eabeb", "gpt4_70e84552_abs"]
    (pool,) = longmemeval.load(str(Path(DATA) / "longmemeval" / "longmemeval_evidence_250.jsonl"))
    assert len(pool.questions) == 250 and len({t.ref for t in pool.turns}) == len(pool.turns)
    for language in ("en", "cn"):
        users = memorybank.load(str(Path(DATA) / "memorybank"), language)
        assert len(users) == 15 and all(u.questions for u in users)
