"""The finding: something was lost, done twice, contradicted, or does not hold."""

from enum import StrEnum


class BrokenPromise(StrEnum):
    """Which promise was broken."""

    INVARIANT_BROKEN = "invariant_broken"
    COUNTED_TOO_MUCH = "counted_too_much"  # more than happened at the gateway
    AMOUNT_CHANGED = "amount_changed"  # another one than was asked for
    AGREEMENT_NOT_IN_FORCE = "agreement_not_in_force"
    KEY_OPENED_TWICE = "key_opened_twice"
    SENT_WITHOUT_INTENT = "sent_without_intent"
    SENT_AFTER_ITS_END = "sent_after_its_end"
    CARRIED_OUT_TWICE = "carried_out_twice"
    ROLLED_BACK_IN_PART = "rolled_back_in_part"  # a shop did, and something is left
    REPEATED = (
        "repeated"  # the gateway has it, and the restored store does not claim it
    )
    ANSWER_CONTRADICTED = "answer_contradicted"
    ANSWER_LOST = "answer_lost"
    PAYMENT_WITHOUT_ORDER = "payment_without_order"  # it was begun by who carries out
    ORDER_WITHOUT_PAYMENT = "order_without_payment"  # both were begun together
    NOT_SAFE_TO_RESEND = "not_safe_to_resend"  # the error states it, the store does not
    FORGED_NOTIFICATION_TAKEN = "forged_notification_taken"
    LEASED_TWICE = "leased_twice"
    WROTE_WITHOUT_LEASE = "wrote_without_lease"
    GIVEN_UP_TOO_SOON = "given_up_too_soon"  # its caller may still wait for the reply
    PRESUMED_LOST_TOO_SOON = "presumed_lost_too_soon"  # its request can still arrive
    LAPSED_TOO_SOON = "lapsed_too_soon"  # an operation was open that may change it
    DEADLINE_TOO_LATE = "deadline_too_late"  # later than the gateway's own
    ENGINE_BROKE = "engine_broke"  # an error that is none of kessai's own
    NEVER_ENDS = "never_ends"
    NEVER_RESOLVED = "never_resolved"
    ANOTHER_ACCOUNT = "another_account"  # its gateway was asked about the order
    UNKNOWN_ORDER = (
        "unknown_order"  # the gateway has one of which the engine knows nothing
    )
    BOOKS_DIFFER = "books_differ"  # and nothing shows it
    OUTCOME_IS_WRONG = "outcome_is_wrong"
    UNEXPLAINED_DISCREPANCY = "unexplained_discrepancy"
    EXPLAINED_DISCREPANCY_OPEN = "explained_discrepancy_open"
    TRAIL_BROKEN = "trail_broken"


class Violation(Exception):
    """What must never happen has happened, to the order `order` where it has one."""

    def __init__(self, code: BrokenPromise, order: str, detail: str = "") -> None:
        super().__init__(f"{order or '-'}: {code}{': ' if detail else ''}{detail}")
        self.code = code
        self.order = order
        self.detail = detail

    def __reduce__(self) -> tuple[type["Violation"], tuple[BrokenPromise, str, str]]:
        """As it was made: it may have been found in another process."""
        return Violation, (self.code, self.order, self.detail)
