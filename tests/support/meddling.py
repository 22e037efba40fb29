"""Every kind of intervention in one study, for tests of the kernel over the toys."""

from simonides.sim.rows import space_row
from simonides.sim.trace import SPACE

MIXED = {"name": "global", "also_private": True}
ONE = "w0000/player_0"
EVERYTHING = [
    {"kind": "plant", "tick": 2, "agent": ONE, "text": "a lie"},
    {"kind": "plant", "session": 1, "space": "global", "text": "said1 another lie"},
    {"kind": "purge", "tick": 7, "writer": "w0001/player_1"},
    {"kind": "purge", "when": {"space": "global", "records": 6}, "space": "global", "origins": "planted"},
    {"kind": "wipe", "tick": 4, "space": ONE},
    {"kind": "wipe", "tick": 1, "dormancy": 1, "space": "global"},
    {"kind": "rewire", "tick": 5, "wiring": {"name": "team", "also_private": True}},
    {"kind": "rewire", "when": {"reward": 30.0}, "wiring": "global"},
    {"kind": "cut", "tick": 3, "agent": "w0002/player_0", "space": "global", "ticks": 3},
    {"kind": "delay", "session": 1, "agent": "w0001/player_0", "space": "global", "by": 4},
    {"kind": "delay", "tick": 0, "agent": "w0000/player_1", "space": "global", "by": 2, "ticks": 6},
    {"kind": "remove_agent", "tick": 3, "agent": "w0001/player_0"},
    {"kind": "add_agent", "when": {"world": "w0000", "contains": "at 6"}, "agent": "w0001/player_0"},
]


def rows(trace, space):
    return [space_row(row) for row in trace.of(SPACE, space)]
