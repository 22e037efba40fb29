"""The states of a replica: what a death, a sign of life and an answer change, and what they do not."""

from __future__ import annotations

from simonides.cluster.health import Health


def test_a_replica_is_starting_until_it_answers():
    health = Health()
    assert (health.state, health.usable) == ("starting", True)
    health.answered()
    assert (health.state, health.usable) == ("ready", True)


def test_a_death_that_takes_many_requests_along_is_counted_once():
    health = Health()
    life = health.life
    assert [health.failed(life) for _ in range(5)] == [True, False, False, False, False]
    assert (health.state, health.usable, health.life) == ("suspect", False, 1)


def test_a_second_death_without_an_answer_between_makes_it_down():
    health = Health()
    health.failed(0)
    health.revived()
    assert (health.state, health.usable) == ("starting", True)
    health.failed(1)
    assert (health.state, health.usable, health.failures) == ("down", False, 2)
    health.revived()
    health.answered()
    assert (health.state, health.failures, health.life) == ("ready", 0, 2)


def test_an_answer_between_two_deaths_makes_the_second_one_a_first():
    health = Health()
    health.failed(0)
    health.revived()
    health.answered()
    health.failed(1)
    assert health.state == "suspect"


def test_what_is_closed_stays_closed():
    health = Health()
    health.close()
    health.revived()
    health.answered()
    assert not health.failed(0)
    assert (health.state, health.usable, health.life) == ("closed", False, 0)
