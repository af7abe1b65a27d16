"""The sentences of the contract that the kit checks: their places, and their words."""

import attrs


@attrs.frozen
class Clause:
    """A sentence of the documentation: the object that carries it, and how it goes."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: “{self.words}”"


_FUNCTIONS = "kessai.gateway.TwoFunctionAdapter"
_READS = f"{_FUNCTIONS}.evidence"
_NOTIFICATION = f"{_FUNCTIONS}.notification"
_EXCHANGE = "kessai.gateway.Adapter.exchange"
_EVIDENCE = "kessai.gateway.Evidence"

PURE = Clause(
    "kessai.gateway", "It opens no connection, reads no clock, keeps no state"
)
SAME_BYTES = Clause(f"{_FUNCTIONS}.request", "the same call gives the same bytes")
RECORDED = Clause("kessai.gateway", "every adapter can be tested from recorded bytes")
PLAIN = Clause(_FUNCTIONS, "two functions over bytes, and a third for notifications")
RESEND = Clause(
    "kessai.gateway.Call.key", "The same operation and step always give the same key"
)
AMOUNTS = Clause("kessai.gateway", "Amounts are integers in minor units of `currency`")
WHAT_CAME = Clause(_READS, "What came of `call`")
STRANGE = Clause(_READS, "Never raises: a reply it cannot read is UNKNOWN")
KEPT = Clause(
    "kessai.gateway_exchange",
    "What cannot be rebuilt is not evidence, and the outcome is unknown",
)
FREE = Clause(_EVIDENCE, "free of secrets and personal data")
IN_NO_REPR = Clause(
    "kessai.gateway.Request",
    "Headers and body carry credentials, so no repr shows them",
)
ERRORS = Clause("kessai.errors", "Messages never carry a secret or personal data")
NEVER_SENT = Clause(
    "kessai.gateway.Failure", "`sent` is false only if the request certainly never left"
)
DECLINED_UNSENT = Clause(
    _READS, "A command that certainly never left is DECLINED, with `never_sent`"
)
ANY_CASE = Clause(_NOTIFICATION, "The names of `headers` may be in any case")
SIGNED = Clause(
    _NOTIFICATION,
    "A signature is checked over the whole body before any of it is interpreted",
)
CONSTANT_TIME = Clause(_NOTIFICATION, "compared in constant time")
LISTED = Clause(_EVIDENCE, "`listing` is filled only by an inquiry")
NOT_FOUND = Clause(
    _EVIDENCE, "`found` is False when the gateway does not know the transaction"
)
EACH_NOTIFICATION = Clause(_NOTIFICATION, "one piece of evidence per item")
NOT_THE_GATEWAYS = Clause(
    _NOTIFICATION,
    "kessai.errors.NotificationRefused: it is not the gateway's or is malformed",
)
PARTLY = Clause(
    "kessai.gateway.NotificationPartlyRefused", "a malformed one must not hold them up"
)
SAME_EXCHANGE = Clause(
    _EXCHANGE, "The same call and the same replies give the same requests and evidence"
)
KEY_OF_EACH = Clause(
    _EXCHANGE, "Every request that moves something carries `call.key(step)`"
)
AFTER_THE_FIRST = Clause(
    _EXCHANGE, "Once a request was sent, whatever is raised counts as UNKNOWN"
)
PAGE = Clause(
    "kessai.gateway.Adapter.page", "It moves nothing: each request only reads"
)
SEALED = Clause(
    "kessai.gateway.Adapter.seal",
    "the same 16 bytes of `nonce` and the same time give the same bytes",
)
MENTIONED = Clause(
    "kessai.gateway.Mention",
    "`kind` is the name under which the adapter reports that id in `references`",
)
SENDABLE = Clause("kessai.gateway.Request", "Bytes for the gateway")
