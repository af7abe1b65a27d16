"""A fault excuses what it touched, by command and amount, and nothing else."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from applying import applied, approved, steps
from defects import DEFECTS

from kessai import Command, Recorded, Transaction
from kessai.simulator import Fault, replay
from kessai.simulator.monitor import Intent, Monitor
from kessai.simulator.moves import Ask, Consume, InPortal, TaskStep
from kessai.simulator.touched import Touched
from kessai.simulator.violation import Violation

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
ORDER = "one_time-1"


def refunded_twice(in_portal):
    """Someone refunds in the portal; the reply to the shop's own refund is lost."""
    refund = Command("refund", ORDER, key="refund", amount=30)
    return [
        *applied("one_time", 100, with_capture=True),
        Consume(ORDER, "log_in"),
        *approved("one_time"),
        InPortal(ORDER, "refund", in_portal),
        Ask(3, refund),
        *steps(3, 3),
        TaskStep(3, Fault.LOST_REPLY),
        *steps(3, 9),
    ]


def test_a_refund_in_the_portal_excuses_no_refund_of_another_amount(stage):
    with DEFECTS["no_answer_means_declined"]():
        violation = replay(stage, refunded_twice(in_portal=50))
    assert violation.code == "outcome_is_wrong"
    assert replay(stage, refunded_twice(in_portal=50)) is None


def test_it_excuses_the_refund_that_it_can_be_taken_for(stage):
    with DEFECTS["no_answer_means_declined"]():
        assert replay(stage, refunded_twice(in_portal=30)) is None


def test_a_gateway_that_keeps_keys_excuses_the_resend_of_a_key_that_it_knows(stage):
    """A key that never arrived is new to it: what was declined would be carried out."""
    monitor = Monitor(stage.machines, timedelta(), lists=False)
    intent = Intent("o.1", ORDER, "refund", 30, "key")
    declined = Recorded(
        key="key", request="", command="refund", transaction=ORDER, outcome="declined"
    )
    leaves = partial(monitor.departs, intent, NOON, Transaction(ORDER), declined)
    with pytest.raises(Violation, match="sent_after_its_end"):
        leaves()
    monitor.arrived(intent, [])
    leaves()


def test_a_late_update_excuses_the_amount_that_the_approval_shows(stage):
    """An update arrives after it was given up; then the consumer approves its amount."""
    machine = next(m for m in stage.machines.current if m.name == "recurring")
    touched = Touched(lists=True)
    touched.late(machine, ORDER, "update_authorization", 501)
    assert touched.covers(ORDER, "authorize", 501)
    assert not touched.covers(ORDER, "authorize", 500)
