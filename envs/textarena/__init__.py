"""Games of TextArena, an outside set of text games for several players, as turn-based environments."""
