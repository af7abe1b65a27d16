"""Commands: all of the adapter's lifecycles are carried out or refused."""

import re
from collections.abc import Iterator
from typing import Any

from kessai.errors import InvalidInput
from kessai.gateway import Call
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code
from kessai.testing.strategies.lifecycles import lifecycle_of

_NAME = re.compile(r"[!-~]{1,64}")


def carried_or_refused(kit: Kit) -> Iterator[ConformanceFinding]:
    """A command that the gateway lacks is InvalidInput, before anything is written."""
    on_record = set(kit.calls)
    for name in kit.samples.lifecycles:
        lifecycle = lifecycle_of(name)
        for command in lifecycle.commands:
            call = Call(
                command=command,
                transaction="order-1",
                lifecycle=lifecycle.name,
                operation="order-1.1",
                amount=100,
                currency=next(iter(lifecycle.currencies)),
                agreement="agreement-1",
                tracks=tuple(lifecycle.tracks),
                seed="kit:order-1.1",
            )
            request = kit.refuses(call)
            if command not in on_record and not isinstance(request, InvalidInput):
                yield ConformanceFinding(
                    f"{command} ({lifecycle.name}) is carried, but not on record",
                    contract.RECORDED,
                    f"a RequestSample and a ReplySample of {command}, or InvalidInput"
                    " where the gateway has no such command",
                    kit.story(f"adapter.request({code(call)})"),
                )


def never_heard_of(kit: Kit) -> Iterator[ConformanceFinding]:
    """A command that no lifecycle has is refused, and not sent as something else."""
    call = Call(command="no_such_command", transaction="order-1", lifecycle="one_time")
    if not isinstance(kit.refuses(call), InvalidInput):
        yield ConformanceFinding(
            "a command that does not exist gave a request",
            contract.SENDABLE,
            "InvalidInput that names the command",
            kit.story(
                "with pytest.raises(InvalidInput):",
                f"    adapter.request({code(call)})",
            ),
        )


def name(kit: Kit) -> Iterator[ConformanceFinding]:
    """The adapter has a name that the trail can keep and the command line can take."""
    given: Any = kit.adapter.name
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        yield ConformanceFinding(
            f"the adapter's name is {given!r}",
            contract.PLAIN,
            "its name among the entry points of kessai.adapters, such as 'examplepay'",
        )
