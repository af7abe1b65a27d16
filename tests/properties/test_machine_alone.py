"""The machine of every lifecycle, alone: whatever happens to it, its promises hold.

No store, no gateway, no wire: only what is decided, and what events make of it. That is
quick enough for most of the 20,000 steps that are taken here and beside it.
"""

import attrs
from counting import Counted, in_steps, play
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kessai import shipped_names
from kessai.machine import broken_invariants, evolve, read_record
from kessai.machine.transaction import Transaction
from kessai.simulator.commands import opening_of, possible_names
from kessai.testing.strategies.agreements import agreement_for
from kessai.testing.strategies.commands import NOW
from kessai.testing.strategies.histories import Course
from kessai.testing.strategies.lifecycles import machine_of

SHIPPED = [machine_of(name) for name in shipped_names()]


class MachineAlone(Counted, RuleBasedStateMachine):
    """One transaction, and everything that can happen to it."""

    @initialize(machine=st.sampled_from(SHIPPED), data=st.data())
    def begin(self, machine, data):
        self.course = Course(data.draw, machine, "order", NOW, agreement_for(machine))
        self.seen, self.again, self.head = 0, Transaction("order"), ""
        self.course.ask(opening_of(machine).spec.name)

    def possible(self):
        return possible_names(self.course.machine, self.course.transaction)

    @precondition(possible)
    @rule()
    def a_command(self):
        self.course.command()

    @precondition(possible)
    @rule()
    def one_more_command(self):
        self.course.command()

    @precondition(possible)
    @rule()
    def the_gateway_acts(self):
        self.course.gateway_acts()

    @precondition(lambda self: self.course.transaction.operations)
    @rule()
    def what_is_open_ends(self):
        self.course.ends()

    @precondition(lambda self: self.course.transaction.operations)
    @rule()
    def it_is_sent_again(self):
        self.course.resent()

    @precondition(lambda self: self.course.deadlines())
    @rule()
    def a_deadline_passes(self):
        self.course.lapses()

    @precondition(lambda self: self.course.transaction.discrepancies)
    @rule()
    def a_discrepancy_is_resolved(self):
        self.course.closed()

    @rule()
    def the_impossible_is_refused_and_changes_nothing(self):
        before = self.course.transaction
        self.course.refused()
        after = self.course.transaction
        assert after.denials == before.denials + 1
        same = {"version": before.version, "head": before.head}
        assert attrs.evolve(after, **same, denials=before.denials) == before

    @rule()
    def strange_evidence_is_put_aside(self):
        before = self.course.transaction
        self.course.strange()
        assert self.course.transaction.amounts == before.amounts

    @invariant()
    def no_invariant_of_the_lifecycle_is_broken(self):
        course = self.course
        assert not broken_invariants(course.machine, course.transaction)

    @invariant()
    def what_is_reserved_is_what_open_operations_hold(self):
        found = self.course.transaction
        refunds = [o.amount for o in found.operations.values() if o.command == "refund"]
        assert found.amounts.get("refunding", 0) == sum(refunds)

    @invariant()
    def the_trail_gives_the_state(self):
        course = self.course
        for record in course.records[self.seen :]:
            event = read_record(record, self.head).event
            machine = course.machine
            self.again = evolve(machine, self.again, event).with_head(record.hash)
            self.head = record.hash
        self.seen = len(course.records)
        assert self.again == course.transaction


@in_steps("machine alone")
def test_whatever_happens_the_promises_of_the_machine_hold(steps):
    play(MachineAlone, steps)
