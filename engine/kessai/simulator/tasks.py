"""Who is at work: a flow of the engine, and the effect that it waits for."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

import attrs

from kessai.driver import FlowRun
from kessai.flow import Effect, Flow, Lease
from kessai.gateway import Failure, Reply
from kessai.machine import Command
from kessai.simulator.intents import Intent


class Role(StrEnum):
    """What a task is there for."""

    WORKER = "worker"
    RECOVERER = "recoverer"
    SWEEPER = "sweeper"
    RECEIVER = "receiver"
    RECONCILER = "reconciler"
    OPERATOR = "operator"
    SHOP = "shop"
    CARRIER = "carrier"


def _under_way(flow: Flow[Any]) -> FlowRun[Any]:
    return FlowRun(flow)


@attrs.define(eq=False)
class Task:
    """A flow under way, and the `effect` that it waits for.

    `operation` is the one whose intent it wrote last; `is_written`: what its
    command opened is in the store. A `reply` that came is kept until the next step.
    """

    number: int
    role: Role
    run: FlowRun[Any] = attrs.field(converter=_under_way)
    order: str = ""
    skew: timedelta = timedelta(0)
    command: Command | None = None
    notification: tuple[str, int] | None = None
    effect: Effect | None = None
    operation: Intent | None = None
    lease: Lease | None = None
    began: int = 0
    is_written: bool = False
    is_waiting: bool = False
    is_forged: bool = False
    reply: Reply | Failure | None = None
    outcome: object = None
