"""Where the contract says what the kit holds an adapter to: the place, and its words."""

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
    "Two functions over bytes, and a third for notifications",
)
RESEND = Clause(
    "kessai.gateway.Call.key", "The same operation and step give the same key"
)
AMOUNTS = Clause("kessai.gateway", "Amounts are integers in minor units of `currency`")
WHAT_CAME = Clause("kessai.gateway.TwoFunctionAdapter.evidence", "What came of `call`")
STRANGE = Clause(
    "kessai.gateway.TwoFunctionAdapter.evidence",
    "Never raises on a strange reply: that is UNKNOWN",
)
KEPT = Clause(
    "kessai.gateway_exchange",
    "What cannot be built so is no evidence: the outcome is unknown",
)
FREE = Clause("kessai.gateway.Evidence", "free of secrets and personal data")
IN_NO_REPR = Clause(
    "kessai.gateway.Request", "carry credentials: they have no place in a repr"
)
ERRORS = Clause("kessai.errors", "Messages never carry a secret or personal data")
NEVER_SENT = Clause(
    "kessai.gateway.Failure", "`sent` is false only when the request surely never left"
)
DECLINED_UNSENT = Clause(
    "kessai.gateway.TwoFunctionAdapter.evidence",
    "A command that surely never left is DECLINED, with `never_sent`",
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
LISTED = Clause("kessai.gateway.Evidence", "`listing` is filled by an inquiry alone")
NOT_FOUND = Clause(
    "kessai.gateway.Evidence",
    "`found` is False when an inquiry does not know the transaction",
)
EACH_NOTIFICATION = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification", "one piece of evidence a item"
)
NOT_THE_GATEWAYS = Clause(
    "kessai.gateway.TwoFunctionAdapter.notification",
    "kessai.errors.NotificationRefused: it is not the gateway's, or not well-formed",
)
PARTLY = Clause(
    "kessai.gateway.NotificationPartlyRefused",
    "one that is malformed must not hold them up",
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
    "Once a request was sent, whatever is raised is UNKNOWN",
)
SEALED = Clause(
    "kessai.gateway.Adapter.seal",
    "the same 16 bytes of `nonce` and the same moment give the same bytes",
)
MENTIONED = Clause(
    "kessai.gateway.Mention",
    "`kind` is the name under which the adapter reports that id in `references`",
)
SENDABLE = Clause("kessai.gateway.Request", "Bytes for the gateway")
