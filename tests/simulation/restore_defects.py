"""Mistakes that show only once a store is put back to an older copy of itself."""

from functools import partial
from importlib import import_module

import attrs
from planting import defect, planted

from kessai.gateway import Call

decide = import_module("kessai.machine.decide")
execute = import_module("kessai.flow.execute")


@defect
def what_the_gateway_has_done_is_done_again():
    """A refund that the store has lost, and the gateway has not, is paid back twice."""
    with planted((decide, "_unclaimed", lambda *given: ())):
        yield


@defect
def an_order_that_is_refused_a_second_time_has_failed():
    """The gateway has it from before; its refusal of the same id is believed."""

    def unless_it_is_there(context, prepared, evidence):
        yield from ()
        return evidence

    with planted((execute, "_unless_it_is_there", unless_it_is_there)):
        yield


@partial(defect, gateway="invented")
def a_key_is_made_from_the_id_of_its_operation():
    """The restored store gives that id once more: the gateway gives an old answer."""
    original = Call.key

    def key(call, step=""):
        resumed = sorted((call.resumed or {}).items())
        seed = call.seed and f"{call.operation} {resumed}"
        return original(attrs.evolve(call, seed=seed), step)

    with planted((Call, "key", key)):
        yield
