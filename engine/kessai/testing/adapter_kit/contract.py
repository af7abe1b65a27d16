"""The sentences of the contract that the kit checks: their places, and their words."""

import attrs


@attrs.frozen
class Clause:
    """A sentence of the documentation: the object that carries it, and how it goes."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: “{self.words}”"


PURE = Clause(
    "kessai.gateway", "It opens no connection, reads no clock, keeps no state"
)
SAME_BYTES = Clause(
    "kessai.gateway.TwoFunctionAdapter.request", "the same call gives the same bytes"
)
RECORDED = Clause("kessai.gateway", "every adapter can be tested from recorded bytes")
PLAIN = Clause(
    "kessai.gateway.TwoFunctionAdapter",
    "two functions over bytes, and a third for notifications",
)
RESEND = Clause(
    "kessai.gateway.Call.key", "The same operation and step always give the same key"
)
AMOUNTS = Clause("kessai.gateway", "Amounts are integers in minor units of `currency`")
WHAT_CAME = Clause("kessai.gateway.TwoFunctionAdapter.evidence", "What came of `call`")
STRANGE = Clause(
    "kessai.gateway.TwoFunctionAdapter.evidence",
    "Never raises: a reply it cannot read is UNKNOWN",
)
KEPT = Clause(
    "kessai.gateway_exchange",
    "What cannot be rebuilt is not evidence, and the outcome is unknown",
)
FREE = Clause("kessai.gateway.Evidence", "free of secrets and personal data")
IN_NO_REPR = Clause(
    "kessai.gateway.Request",
    "Headers and body carry credentials, so no repr shows them",
)
ERRORS = Clause("kessai.errors", "Messages never carry a secret or personal data")
NEVER_SENT = Clause(
    "kessai.gateway.Failure", "`sent` is false only if the request certainly never left"
)
DECLINED_UNSENT = Clause(
    "kessai.gateway.TwoFunctionAdapter.evidence",
    "A command that certainly never left is DECLINED, with `never_sent`",
)
ANY_CASE = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification",
    "The names of `headers` may be in any case",
)
SIGNED = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification",
    "A signature is checked over the whole body before any of it is interpreted",
)
CONSTANT_TIME = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification", "compared in constant time"
)
LISTED = Clause("kessai.gateway.Evidence", "`listing` is filled only by an inquiry")
NOT_FOUND = Clause(
    "kessai.gateway.Evidence",
    "`found` is False when the gateway does not know the transaction",
)
EACH_NOTIFICATION = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification", "one piece of evidence per item"
)
NOT_THE_GATEWAYS = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification",
    "kessai.errors.NotificationRefused: it is not the gateway's or is malformed",
)
PARTLY = Clause(
    "kessai.gateway.NotificationPartlyRefused",
    "a malformed one must not hold them up",
)
SAME_EXCHANGE = Clause(
    "kessai.gateway.Adapter.exchange",
    "The same call and the same replies give the same requests and evidence",
)
KEY_OF_EACH = Clause(
    "kessai.gateway.Adapter.exchange",
    "Every request that moves something carries `call.key(step)`",
)
AFTER_THE_FIRST = Clause(
    "kessai.gateway.Adapter.exchange",
    "Once a request was sent, whatever is raised counts as UNKNOWN",
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
