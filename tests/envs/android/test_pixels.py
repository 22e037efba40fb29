"""The pictures: of the right size, in the apps' colours, and of what the tree says."""

from itertools import pairwise

import numpy as np
from phones import click

from simonides.envs.android.simulated.apps import phone
from simonides.envs.android.simulated.layout import Layout, width_of, wrapped
from simonides.envs.android.simulated.views import column, row, text


def at(picture, box):
    return picture[box[1] : box[3], box[0] : box[2]]


def test_every_app_draws_its_colour_at_the_top():
    device = phone(3)
    for package in device.packages():
        device.start(package)
        picture = device.screenshot()
        assert picture.shape == (960, 540, 3) and picture.dtype == np.uint8
        wanted = device.apps[package].colour
        bar = at(picture, device.find(resource_id="toolbar").bounds)
        colours, counts = np.unique(bar.reshape(-1, 3), axis=0, return_counts=True)
        assert "#" + bytes(colours[counts.argmax()]).hex() == wanted


def test_text_is_drawn_where_the_tree_says_it_is():
    device = phone(3)
    device.start("org.simonides.contacts")
    box = device.find(resource_id="name").bounds
    assert (at(device.screenshot(), box) < 128).any()


def test_a_switch_looks_different_when_it_is_on():
    device = phone(3)
    device.start("org.simonides.clock")
    box = device.find(resource_id="onoff").bounds
    before = at(device.screenshot(), box)
    click(device, resource_id="onoff")
    assert (before != at(device.screenshot(), box)).any()


def test_long_texts_break_between_words_and_very_long_words_inside():
    lines = wrapped("the quick brown fox jumps over it", 15, 120)
    assert len(lines) > 1 and " ".join(lines) == "the quick brown fox jumps over it"
    assert all(width_of(line, 15) <= 120 for line in wrapped("x" * 60, 15, 120))


def test_a_row_shares_what_is_left_by_weight():
    view = row(text("a", width=40, height=20), text("b", weight=1), text("c", weight=3))
    placed = Layout({}).place(view, (0, 0, 460, 60), (0, 0, 460, 60))
    widths = [child.bounds[2] - child.bounds[0] for child in placed.children]
    assert widths == [60, 100, 300]


def test_a_columns_views_lie_below_each_other_without_overlap():
    view = column(*(text(word, pad=(4, 4)) for word in ("one", "two", "three")), gap=2)
    placed = Layout({}).place(view, (0, 0, 200, 400), (0, 0, 200, 400))
    edges = [(child.bounds[1], child.bounds[3]) for child in placed.children]
    assert all(before[1] + 3 == after[0] for before, after in pairwise(edges))
