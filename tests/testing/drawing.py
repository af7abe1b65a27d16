"""Drawing again and again, until all that can be drawn was."""

from hypothesis import seed

ROUNDS = 12
"""Far more than needed: what is not drawn by then never is."""


def drawn_until(check, is_enough):
    """Run `check` with one seed after the other until `is_enough`; how often it ran."""
    for number in range(1, ROUNDS + 1):
        seed(number)(check)()
        if is_enough():
            return number
    message = f"not all was drawn in {ROUNDS} rounds"
    raise AssertionError(message)
