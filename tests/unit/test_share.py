from __future__ import annotations

import pytest

from freshwax.planning.due import Allowance, share


@pytest.mark.parametrize(
    ("available", "due", "learning", "deep_waiting", "expected"),
    [
        (None, 500, False, True, Allowance(None, None)),
        (580, 500, True, True, Allowance(580, 0)),
        (580, 516, False, False, Allowance(580, 58)),
        (580, 516, False, True, Allowance(580, 58)),  # everybody fits: depth takes what they leave
        (580, 580, False, True, Allowance(522, 58)),  # somebody must wait anyway: depth is not starved
        (40, 580, False, True, Allowance(36, 4)),
        (1, 580, False, True, Allowance(1, 0)),
        (0, 580, False, True, Allowance(0, 0)),
    ],
)
def test_the_share_of_deep_reads_is_kept_from_checks_only_where_they_would_not_all_fit(
    available, due, learning, deep_waiting, expected
):
    assert share(available, due=due, learning=learning, deep_waiting=deep_waiting) == expected
