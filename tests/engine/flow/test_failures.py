"""What is kept of what stopped a recovery: enough to mend it, and nothing of a person."""

import json

import pytest

from kessai.errors import TrailBroken
from kessai.flow.failures import LONGEST, stopped_by


def raised_by(function):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
        function()
    return caught.value


def test_of_a_strange_error_only_its_class_and_its_place_are_kept():
    def stumbles():
        message = "Yamada, Hanako"
        raise LookupError(message)

    line = stumbles.__code__.co_firstlineno + 2
    kept = stopped_by(raised_by(stumbles))
    assert kept == f"builtins.LookupError in {__name__}, line {line}"


def test_the_place_is_where_pythons_own_library_was_called():
    def reads():
        json.loads("{secret")

    line = reads.__code__.co_firstlineno + 1
    kept = stopped_by(raised_by(reads))
    assert kept == f"json.decoder.JSONDecodeError in {__name__}, line {line}"


def test_an_error_that_was_raised_nowhere_has_no_place():
    assert stopped_by(KeyError("x")) == "builtins.KeyError in ?, line 0"


def test_kessais_own_error_is_kept_with_its_message():
    error = TrailBroken("event 1 of order-1 was changed")
    assert stopped_by(error) == "TrailBroken: event 1 of order-1 was changed"


def test_what_is_kept_moves_no_cursor_and_has_no_card_number():
    kept = stopped_by(TrailBroken("\x1b[2J 4111 1111 1111 1111 \u202e"))
    assert kept.isprintable()
    assert "4111" not in kept


def test_a_long_text_is_cut():
    kept = stopped_by(TrailBroken("x" * 10_000))
    assert len(kept) == LONGEST
    assert kept.endswith("…")
