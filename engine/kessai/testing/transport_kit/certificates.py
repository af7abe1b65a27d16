"""An authority of the kit's own, and contexts for both ends. Made when first used."""

import ssl
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

HOST = "127.0.0.1"


class Certificates:
    """What an authority issues; `trustme` makes it, in this process alone."""

    def __init__(self) -> None:
        import trustme  # of the extra `testing`

        self._authority: Any = trustme.CA()

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts the authority."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    @cached_property
    def good(self) -> ssl.SSLContext:
        """A server's context with a certificate for its host."""
        return self._server(HOST)

    @cached_property
    def for_another_host(self) -> ssl.SSLContext:
        """A server's context with a certificate for another host."""
        return self._server("elsewhere.example")

    @cached_property
    def expired(self) -> ssl.SSLContext:
        """A server's context with a certificate that was good once."""
        return self._server(
            HOST,
            not_before=datetime(2001, 1, 1, tzinfo=UTC),
            not_after=datetime(2002, 1, 1, tzinfo=UTC),
        )

    @cached_property
    def asking_for_one(self) -> ssl.SSLContext:
        """A server's context that wants a client certificate, by TLS 1.3."""
        context = self._server(HOST)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        self._authority.configure_trust(context)
        return context

    def _server(self, host: str, **times: datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host, **times).configure_cert(context)
        return context


@cache
def certificates() -> Certificates:
    """Those of this process."""
    return Certificates()


@cache
def unknown_authority() -> Certificates:
    """Those of an authority that nobody trusts."""
    return Certificates()
