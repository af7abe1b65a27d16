"""What Amazon knows of a transaction: totals, and beside them what has an id of its own.

There is no call that lists. A charge states its totals; a refund is read by its own id.
So the answer has totals, and a list of what is known by an id: how the transaction was
opened, and those refunds whose ids are known.
"""

import attrs

from kessai.gateway import (
    Call,
    Evidence,
    Exchange,
    ListedExchange,
    Outcome,
)
from kessai_adapters.amazon_pay.exchanges import (
    CHARGE,
    PERMISSION,
    REFUNDS,
    SESSION,
    AmazonCalls,
    refunds_in,
)
from kessai_adapters.amazon_pay.replies import (
    deadlines_of,
    is_declined_late,
    unanswered,
    unclear,
)
from kessai_adapters.amazon_pay.values import (
    read_id,
    read_price,
    read_time,
    read_total,
    reason_of,
    state_of,
    stated_of,
)
from kessai_adapters.stated import Members, inner, says

MOST_REFUNDS = 16
"""Of so many refunds, the last ones, an inquiry asks: an exchange has 20 requests."""


def inquire(calls: AmazonCalls, call: Call) -> Exchange:
    """Ask for all that is known of a transaction by the ids that it has."""
    references = dict(call.references)
    wanted = PERMISSION if "consent" in call.tracks else CHARGE
    if wanted not in references:
        if SESSION not in references:
            return says(call, Outcome.UNKNOWN)
        reply = yield calls.get(f"checkoutSessions/{references[SESSION]}")
        stated = stated_of(call, reply)
        references |= _ids_in(stated)
        is_over = wanted in references and state_of(stated) == "Completed"
        if not is_over:
            return _of_session(call, stated, references) or unanswered(call, reply)
    fails = unanswered if wanted in call.references else unclear
    if wanted == PERMISSION:
        reply = yield calls.get(f"chargePermissions/{references[PERMISSION]}")
        return _of_permission(call, stated_of(call, reply), references) or unclear(
            call, reply
        )
    reply = yield calls.get(f"charges/{references[CHARGE]}")
    answer = _of_charge(call, stated_of(call, reply), references)
    if answer is None or not answer.totals.get("captured"):
        return answer or fails(call, reply)
    known = sorted(refunds_in(call.references).items())[-MOST_REFUNDS:]
    refunds: list[ListedExchange] = []
    for number, id_ in known:
        reply = yield calls.get(f"refunds/{id_}")
        refund = _refund(call, stated_of(call, reply), number, id_)
        if refund is None:
            return unclear(call, reply)
        refunds.append(refund)
    return _with_refunds(answer, refunds)


def _ids_in(stated: Members) -> dict[str, str]:
    """The ids that a session states of what came of it."""
    found = {
        PERMISSION: read_id(stated.get("chargePermissionId")),
        CHARGE: read_id(stated.get("chargeId")),
    }
    return {name: id_ for name, id_ in found.items() if id_}


def _opening(call: Call) -> str:
    """The command that opens a transaction of this kind: a charge has an agreement."""
    return "authorize" if call.agreement is None else "create_charge"


def _of_session(
    call: Call, stated: Members, references: dict[str, str]
) -> Evidence | None:
    outcomes = {"Open": Outcome.PENDING, "Canceled": Outcome.DECLINED}
    outcome = outcomes.get(state_of(stated))
    if outcome is None or stated.get("checkoutSessionId") != references[SESSION]:
        return None
    payment = inner(stated, "paymentDetails")
    listed = ListedExchange(
        command=_opening(call),
        outcome=outcome,
        amount=read_price(payment.get("chargeAmount"), call.currency),
        exchange=references[SESSION],
    )
    return says(call, Outcome.SUCCEEDED, listing=(listed,), references=references)


def _of_permission(
    call: Call, stated: Members, references: dict[str, str]
) -> Evidence | None:
    agreed = read_price(inner(stated, "recurringMetadata").get("amount"), call.currency)
    state = state_of(stated)
    is_it = stated.get("chargePermissionId") == references[PERMISSION]
    if not is_it or agreed is None or not state:
        return None
    done = ListedExchange(
        command="authorize",
        outcome=Outcome.SUCCEEDED,
        exchange=references.get(SESSION),
    )
    ended = ListedExchange(command="terminate", outcome=Outcome.SUCCEEDED)
    return says(
        call,
        Outcome.SUCCEEDED,
        listing=(done, ended) if state == "Closed" else (done,),
        totals={"agreed": agreed},
        references=references,
    )


# A charge of 1,000 can say, by its state and its reason:
#
#     AuthorizationInitiated                  the opening command is pending
#     Declined, within a day                  it was declined, and nothing else happened
#     Authorized                              authorized 1,000
#     CaptureInitiated                        the same, and a capture is pending
#     Declined, after seven days and more     that capture was declined: lapsed 1,000
#     Canceled, MerchantCanceled              released 1,000
#     Canceled, for any other reason          lapsed 1,000
#     Captured, captureAmount 600             captured 600, released 400, and refunds


def _of_charge(
    call: Call, stated: Members, references: dict[str, str]
) -> Evidence | None:
    whole = read_price(stated.get("chargeAmount"), call.currency)
    if stated.get("chargeId") != references[CHARGE] or whole is None:
        return None
    state = state_of(stated)
    is_early = state == "Declined" and not is_declined_late(stated)
    if state == "AuthorizationInitiated" or is_early:
        outcome = Outcome.DECLINED if is_early else Outcome.PENDING
        only = ListedExchange(
            command=_opening(call),
            outcome=outcome,
            amount=whole,
            exchange=references[CHARGE],
        )
        return says(call, Outcome.SUCCEEDED, listing=(only,), references=references)
    totals = _totals(call, stated, state, whole)
    if totals is None:
        return None
    opened = ListedExchange(
        command=_opening(call),
        outcome=Outcome.SUCCEEDED,
        amount=whole,
        exchange=references.get(SESSION, references[CHARGE]),
        at=read_time(stated.get("creationTimestamp")),
    )
    return says(
        call,
        Outcome.SUCCEEDED,
        totals=totals,
        listing=(opened, *_captures(call, stated, state)),
        references=references,
        deadlines=deadlines_of(stated),
    )


def _captures(call: Call, stated: Members, state: str) -> tuple[ListedExchange, ...]:
    """The capture that is under way, or was declined: there is one at most."""
    if state == "Declined":
        return (ListedExchange(command="capture", outcome=Outcome.DECLINED),)
    amount = read_price(stated.get("captureAmount"), call.currency)
    if state != "CaptureInitiated" or amount is None:
        return ()
    return (ListedExchange(command="capture", outcome=Outcome.PENDING, amount=amount),)


def _totals(
    call: Call, stated: Members, state: str, whole: int
) -> dict[str, int] | None:
    """The totals of a charge that was authorized; None if they cannot be read."""
    totals = {"authorized": whole, "captured": 0, "released": 0, "lapsed": 0}
    totals["refunded"] = 0
    match state:
        case "Authorized" | "CaptureInitiated":
            return totals
        case "Canceled" if reason_of(stated) == "MerchantCanceled":
            return {**totals, "released": whole}
        case "Canceled" | "Declined":
            return {**totals, "lapsed": whole}
        case "Captured":
            captured = read_price(stated.get("captureAmount"), call.currency)
            refunded = read_total(stated.get("refundedAmount"), call.currency)
            if captured is None or refunded is None or captured > whole:
                return None
            rest = {"released": whole - captured, "refunded": refunded}
            return {**totals, "captured": captured, **rest}
        case _:
            return None


def _refund(
    call: Call, stated: Members, number: int, id_: str
) -> ListedExchange | None:
    """The refund of operation `number`; None if it cannot be read."""
    outcome = REFUNDS.get(state_of(stated))
    amount = read_price(stated.get("refundAmount"), call.currency)
    if outcome is None or amount is None or stated.get("refundId") != id_:
        return None
    return ListedExchange(
        command="refund",
        outcome=outcome,
        amount=amount,
        exchange=id_,
        operation=f"{call.transaction}.{number}",
    )


def _with_refunds(answer: Evidence, refunds: list[ListedExchange]) -> Evidence:
    """`answer` with the refunds that were read.

    While one is under way, nobody says whether the charge's total counts it: then the
    total is left out.
    """
    totals = dict(answer.totals)
    if any(refund.outcome is Outcome.PENDING for refund in refunds):
        del totals["refunded"]
    listing = (*answer.listing, *refunds)
    return attrs.evolve(answer, totals=totals, listing=listing)
