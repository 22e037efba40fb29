"""A toy world by turns."""

from toys import ToyWorld


class TurnWorld(ToyWorld):
    """The toy world, declared to be one turn a tick."""

    turn_based = True
