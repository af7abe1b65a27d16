"""`check_transport` and `TransportConformance`: every case, over TLS and without."""

import ssl
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from kessai.testing.holding import Held, hold
from kessai.testing.transport_kit import may_have_been_sent, never_sent, pairing, raw
from kessai.testing.transport_kit.trial import MakeTransport, TransportCase, Trial
from kessai.transport import AsyncTransport, Transport

CASES = (
    *never_sent.CASES,
    *may_have_been_sent.CASES,
    *pairing.CASES,
    *raw.CASES,
)

ALL = [(case, tls) for case in CASES for tls in case.over]
"""Every case, once for each way that it is tried over."""


def name_of(case: TransportCase, *, tls: bool) -> str:
    """How a case is called in a report."""
    return f"{case.name}, over TLS" if tls else case.name


def check_transport(make_transport: MakeTransport) -> tuple[str, ...]:
    """Hold a transport to all cases; returns the names of those that it passed.

    `make_transport` is called with `tls`, `seconds` and `connections` and gives a new
    transport, of either kind.

    Raises:
        ExceptionGroup: what the transport does not keep, one exception a case, each
            with the name of the case and what it asks for.

    """
    tests = [
        Held(
            name_of(case, tls=tls), case.text, partial(_try, case, make_transport, tls)
        )
        for case, tls in ALL
    ]
    return hold(tests, "cases of a transport")


def _try(case: TransportCase, make_transport: MakeTransport, tls: bool) -> None:  # noqa: FBT001 - as in `ALL`
    with closing(Trial(make_transport, tls=tls)) as trial:
        case.run(trial)


class TransportConformance:
    """Subclass it with a `make_transport`: a suite of pytest's."""

    def make_transport(
        self, *, tls: ssl.SSLContext | None, seconds: float, connections: int
    ) -> Transport | AsyncTransport:
        """A new transport, with a context to trust and its limits."""
        raise NotImplementedError

    @pytest.mark.parametrize(
        ("case", "tls"), ALL, ids=[name_of(case, tls=tls) for case, tls in ALL]
    )
    def test_case(self, case: Any, tls: Any) -> None:
        """Each case."""
        _try(case, self.make_transport, tls)
