"""What can go wrong, for people to read.

SimonidesError
├── UserError                 a user's mistake: one line, exit status 2
│   ├── UnknownName           no such part; says the near match, the list, the extra
│   ├── StudyError            a study file's field is wrong; says its path
│   ├── DuplicateName         two owners registered one name
│   ├── MissingExtra          a heavy library is not installed; says which extra
│   └── DataError             a data file is missing, truncated or not what it says
├── CorruptFile               a trace, checkpoint, log or index that cannot be read
├── Interrupted               something outside the trial stopped it: resuming goes on
│   ├── NotWritten            a trace, checkpoint or log that cannot be written: a full disk
│   └── ModelFailed           a model gave no answer: not started, not reachable, refused, out of memory
│       ├── ModelDied         the engine behind a model is gone: another process has to be started
│       └── NotRecorded       a replay was asked for a call that its record does not hold
├── BudgetReached             what a trial may ask of its models is used up: it ends, and nothing has failed
├── AccessRefused             an agent asked a space it may not read or write
├── StaleBatch                an exchange older than what the memory actor keeps
├── SpaceFailed               a memory system raised while its space applied a tick
├── PartFailed                an environment, policy or model raised inside a world
└── ContractBroken            a plug-in returned what its protocol does not allow
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SimonidesError(Exception):
    """Base of all errors that this package raises on purpose."""


class UserError(SimonidesError):
    """A user's mistake, told in one line: what was asked, what was found, what to do."""


class UnknownName(UserError):
    """No part of this kind has this name."""


class StudyError(UserError):
    """A field of a study is missing, of the wrong type or out of range."""


class DuplicateName(UserError):
    """Two owners registered the same name."""


class MissingExtra(UserError):
    """A library that this part needs is not installed."""


class DataError(UserError):
    """A data file is missing, truncated, or not in the format that was asked for."""


class CorruptFile(SimonidesError):
    """A file of ours fails its checks: magic, length or checksum."""


class Interrupted(SimonidesError):
    """Something outside the trial stopped it, and no part is at fault: it goes on when it is resumed."""


class NotWritten(Interrupted):
    """A file of ours could not be written."""


class ModelFailed(Interrupted):
    """A model gave no answer: it could not be started or reached, or refused what it was asked."""


class ModelDied(ModelFailed):
    """The engine behind a model has died, and cannot be started again in its process."""


class NotRecorded(ModelFailed):
    """A replay was asked for a call that its record does not hold."""


class BudgetReached(SimonidesError):
    """What a trial may ask of its models is used up: its worlds end here, and nothing has failed."""


class AccessRefused(SimonidesError):
    """An agent asked a space that it may not read or write."""


class StaleBatch(SimonidesError):
    """An exchange is older than the replies that are still kept for its client."""


class SpaceFailed(SimonidesError):
    """A memory system raised while its space applied a tick; the trial ends with this."""


class PartFailed(SimonidesError):
    """An environment, policy or model raised inside a world; that world ends, the others go on."""


class ContractBroken(SimonidesError):
    """A plug-in returned what its protocol does not allow."""


def near(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known name, or nothing."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
