"""An order lives by the file that it began under, whatever the current files know."""

import json

import pytest

from kessai import load_shipped
from kessai.errors import InvalidCommand
from kessai.flow import Context, preview
from kessai.machine import Machines
from kessai.spec import rebuild

CURRENT = load_shipped("one_time")


@pytest.fixture
def hand(hand, gateway, command):
    """An order began under a file that has `void`; since then it is named `cancel`."""
    document = json.loads(CURRENT.document)
    document["lifecycle"]["name"] = "earlier"
    document["commands"]["void"] = document["commands"].pop("cancel")
    adapters = list(hand.context.adapters.values())
    hand.context = Context(Machines([rebuild(json.dumps(document).encode())]), adapters)
    answer = hand.execute(command("authorize", 100, lifecycle="earlier"))
    assert answer.status == "succeeded"
    hand.context = Context(Machines([CURRENT]), adapters)
    return hand


@pytest.mark.parametrize("lifecycle", [None, "earlier"])
def test_a_command_that_no_current_file_knows_is_decided_by_the_orders_own(
    hand, command, gateway, lifecycle
):
    voids = command("void", lifecycle=lifecycle)
    assert hand.run(preview(hand.context, voids)) is None
    answer = hand.execute(voids)
    assert (answer.status, answer.transaction.status) == (
        "succeeded",
        "payment.cancelled",
    )
    assert hand.execute(voids).is_recorded
    assert gateway.commands == ["authorize", "void"]


def test_what_its_own_file_does_not_have_is_denied(hand, command, gateway):
    assert hand.execute(command("cancel")).denial.codes == ("not_in_lifecycle",)
    assert gateway.commands == ["authorize"]


def test_what_neither_knows_is_refused_with_what_there_is(hand, command):
    with pytest.raises(InvalidCommand, match="'pay' is not known; known are: author"):
        hand.execute(command("pay"))
    with pytest.raises(InvalidCommand, match="'void' is not known"):
        hand.execute(command("void", of="order-2"))
