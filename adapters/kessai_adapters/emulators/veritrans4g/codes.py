"""Every result code (`vResultCode`) that the emulator gives, in one table.

A code is 16 characters, four blocks of four, and the first block is the most telling:

| first block | meaning |
|---|---|
| `A001` | carried out |
| `A002` | accepted, becomes final later |
| `NA01`, `NA02` | wrong `authHash`, unknown merchant |
| `NP01`–`NP04` | a parameter is missing, malformed, not allowed here; unreadable body |
| `NH01` | no such order |
| `NH02` | not possible in this state; the second block names the state |
| `NH03` | the amount is outside the limits of its kind |
| `NH04` | the amount is above what is left |
| `NH05` | the order id has been used before |
| `NH06`–`NH09` | the consumer, the card, Amazon Pay or the operator said no |

Only `NH02` stands in the gateway's documents; the others are made up in its manner.
"""

from enum import StrEnum
from typing import Final

from kessai_adapters.emulators.veritrans4g.words import Consent, Payment


class Code(StrEnum):
    """A result code."""

    SUCCESS = "A001000000000000"
    PENDING = "A002000000000000"

    WRONG_HASH = "NA01000000000000"
    UNKNOWN_MERCHANT = "NA02000000000000"

    PARAMETER_MISSING = "NP01000000000000"
    PARAMETER_MALFORMED = "NP02000000000000"
    PARAMETER_FORBIDDEN = "NP03000000000000"
    UNREADABLE = "NP04000000000000"

    UNKNOWN_ORDER = "NH01000000000000"

    STATE_REQUESTED = "NH02000100000000"
    STATE_AUTHORIZED = "NH02000200000000"
    STATE_CAPTURED = "NH02000300000000"
    STATE_PARTIALLY_REFUNDED = "NH02000400000000"
    STATE_REFUNDED = "NH02000500000000"
    STATE_CANCELLED = "NH02000600000000"
    STATE_EXPIRED = "NH02000700000000"
    STATE_FAILED = "NH02000800000000"
    STATE_NO_PAYMENT = "NH02000900000000"
    STATE_IN_PROGRESS = "NH02001000000000"
    STATE_ALL_IN_REFUND = "NH02001100000000"
    CONSENT_REQUESTED = "NH02002100000000"
    CONSENT_TERMINATED = "NH02002200000000"
    CONSENT_FAILED = "NH02002300000000"
    CONSENT_NONE = "NH02002400000000"
    NOT_ONE_TIME = "NH02003100000000"
    NO_CONSUMER = "NH02003200000000"

    AMOUNT_LIMIT = "NH03000000000000"
    AMOUNT_ABOVE_BALANCE = "NH04000000000000"
    DUPLICATE_ORDER = "NH05000000000000"

    CONSUMER_DECLINED = "NH06000000000000"
    CARD_REFUSED = "NH07000000000000"
    PROVIDER_REFUSED = "NH08000000000000"
    SESSION_LAPSED = "NH09000000000000"


MESSAGES: Final[dict[Code, str]] = {
    Code.SUCCESS: "処理が成功しました。 (carried out)",
    Code.PENDING: "処理を受け付けました。 (accepted, the result follows)",
    Code.WRONG_HASH: "認証ハッシュが不正です。 (wrong authHash)",
    Code.UNKNOWN_MERCHANT: "マーチャントCCIDが不正です。 (unknown merchant)",
    Code.PARAMETER_MISSING: "必須項目がありません。 (a parameter is missing)",
    Code.PARAMETER_MALFORMED: "項目の形式が不正です。 (a parameter is malformed)",
    Code.PARAMETER_FORBIDDEN: "指定できない項目です。 (a parameter is not allowed)",
    Code.UNREADABLE: "電文を解釈できません。 (the request cannot be read)",
    Code.UNKNOWN_ORDER: "対象の取引がありません。 (no such order)",
    Code.STATE_REQUESTED: "申込中です。 (the consumer has not finished)",
    Code.STATE_AUTHORIZED: "与信済みです。 (authorized, not captured)",
    Code.STATE_CAPTURED: "売上済みです。 (already captured)",
    Code.STATE_PARTIALLY_REFUNDED: "一部返金済みです。 (partially refunded)",
    Code.STATE_REFUNDED: "全額返金済みです。 (already refunded)",
    Code.STATE_CANCELLED: "取消済みです。 (already cancelled)",
    Code.STATE_EXPIRED: "与信の有効期限切れです。 (the authorization has expired)",
    Code.STATE_FAILED: "失敗した取引です。 (the application has failed)",
    Code.STATE_NO_PAYMENT: "与信がありません。 (consent only, nothing authorized)",
    Code.STATE_IN_PROGRESS: "処理中の取引です。 (another command is in progress)",
    Code.STATE_ALL_IN_REFUND: "返金可能額がありません。 (all of it is being refunded)",
    Code.CONSENT_REQUESTED: "承諾前です。 (the consumer has not consented)",
    Code.CONSENT_TERMINATED: "解約済みです。 (the consent is terminated)",
    Code.CONSENT_FAILED: "承諾に失敗した取引です。 (the consent has failed)",
    Code.CONSENT_NONE: "随時決済の申込ではありません。 (there is no consent)",
    Code.NOT_ONE_TIME: "都度決済ではありません。 (for one-time payments only)",
    Code.NO_CONSUMER: "住所情報がありません。 (no consumer's address here)",
    Code.AMOUNT_LIMIT: "金額が範囲外です。 (the amount is outside the limits)",
    Code.AMOUNT_ABOVE_BALANCE: "金額が残高を超えています。 (above what is left)",
    Code.DUPLICATE_ORDER: "取引IDが重複しています。 (duplicate order id)",
    Code.CONSUMER_DECLINED: "購入者が拒否しました。 (the consumer declined)",
    Code.CARD_REFUSED: "与信が拒否されました。 (the card was refused)",
    Code.PROVIDER_REFUSED: "処理が拒否されました。 (Amazon Pay refused)",
    Code.SESSION_LAPSED: "申込の期限切れです。 (the application has lapsed)",
}
"""`merrMsg` for each code, in Japanese with the English beside it."""

BY_PAYMENT: Final[dict[Payment, Code]] = {
    Payment.NONE: Code.STATE_NO_PAYMENT,
    Payment.REQUESTED: Code.STATE_REQUESTED,
    Payment.AUTHORIZED: Code.STATE_AUTHORIZED,
    Payment.CAPTURED: Code.STATE_CAPTURED,
    Payment.PARTIALLY_REFUNDED: Code.STATE_PARTIALLY_REFUNDED,
    Payment.REFUNDED: Code.STATE_REFUNDED,
    Payment.CANCELLED: Code.STATE_CANCELLED,
    Payment.EXPIRED: Code.STATE_EXPIRED,
    Payment.FAILED: Code.STATE_FAILED,
}
"""The refusal that names the payment's state."""

BY_CONSENT: Final[dict[Consent | None, Code]] = {
    None: Code.CONSENT_NONE,
    Consent.REQUESTED: Code.CONSENT_REQUESTED,
    Consent.CONSENTED: Code.STATE_IN_PROGRESS,
    Consent.TERMINATED: Code.CONSENT_TERMINATED,
    Consent.FAILED: Code.CONSENT_FAILED,
}
"""The refusal that names the consent's state; a living one refuses only while busy."""
