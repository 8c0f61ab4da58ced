"""How much the Triton kernels compute, and in which order. ``triton_checks.py`` has the checks."""

import json
from functools import cache

import pytest
from fresh_process import run_fresh

pytest.importorskip('triton')
pytest.importorskip('numba')
pytest.importorskip('mmrev.models.layers.regions.kernels_triton', exc_type=ImportError)

COUNTS = dict(
    each_two_pixels_of_a_region_meet_once=54,
    # blocks of 4 x 4 on 20, 25 and 9 pixels: the rows of a last single pixel have no pair
    one_region_takes_half_of_the_square=[[25, 5 * 6 // 2], [49, 7 * 8 // 2 - 1], [9, 3 * 4 // 2 - 1]],
    # nine blocks of rows with the pixels beside them, and nine with others where a row has no partner before them
    rows_with_their_partner_leave=dict(
        equal=[9 + 9, 110 + 116], three_classes=[9 + 9, 123], walls=[9, 110], all_different=[0, 0]
    ),
    the_order_of_the_programs_changes_no_bit=2,
    images_of_a_batch_do_not_mix=16,
    half_precision_is_computed_in_single=8,
    gradients_of_any_size=3,
)


@cache
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('TRITON_INTERPRET', '1')
        return json.loads(run_fresh('from triton_checks import main; main()').partition('RESULTS ')[2])


@pytest.mark.parametrize('check', COUNTS)
def test_in_the_interpreter(check):
    assert found()[check] == COUNTS[check]


def test_all_checks_are_counted():
    assert found().keys() == COUNTS.keys()
