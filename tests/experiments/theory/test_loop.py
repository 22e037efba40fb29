"""Process F in the platform's own loop: spaces, memory and lineage infect whom the arrays infect, every round."""

import numpy as np
import pytest

from simonides.experiments.theory.loop import in_the_loop


@pytest.mark.parametrize("album, alpha, beta", [(5, 0.8, 0.6), (1, 1.0, 0.9), (3, 0.6, 0.5)])
def test_the_loop_infects_whom_the_arrays_infect_in_every_round(album, alpha, beta):
    found = in_the_loop(60, 8, seed=album, album=album, alpha=alpha, beta=beta)
    assert found.unequal == 0 and found.loop.shape == (9, 60)
    assert found.loop[0].sum() == 3 and len({tuple(row) for row in found.loop.tolist()}) > 3


def test_other_draws_are_seen_as_different():
    found = in_the_loop(20, 4)
    other = in_the_loop(20, 4, seed=1)
    assert found.unequal == 0 and not np.array_equal(found.loop, other.loop)
