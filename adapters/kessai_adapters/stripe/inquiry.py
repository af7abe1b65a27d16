"""What Stripe knows of a transaction: its intent, then its refunds, then its disputes.

Refunds are asked for once an intent has succeeded: nothing can be captured after that, so
the two answers cannot contradict each other, however much time is between them.

Where the intent's id is not known, the intents made since the transaction was opened are
read through: their metadata says whose they are. Searching would be less, but Stripe's
index is late by up to an hour.
"""

from collections.abc import Generator
from datetime import datetime, timedelta

from kessai.gateway import (
    ID_NOT_KNOWN,
    Call,
    Evidence,
    Exchange,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Request,
)
from kessai_adapters.stated import Members, inner, members_of, says
from kessai_adapters.stripe.disputes import listed as disputes_listed
from kessai_adapters.stripe.intents import Intent
from kessai_adapters.stripe.refunds import listed as refunds_listed
from kessai_adapters.stripe.replies import BROKEN_OFF, UNREADABLE, unknown
from kessai_adapters.stripe.requests import INTENT, METHOD, SETUP, TRANSACTION
from kessai_adapters.stripe.setups import Setup, is_detached
from kessai_adapters.stripe.wire import Api, read_code, read_id, read_items

CLOCKS_DIFFER = timedelta(minutes=10)
"""By how much Stripe's clock may be behind ours."""

SENT_WITHIN = timedelta(minutes=20)
"""Within that after its beginning, an opening command was surely carried out, or lost."""

KEYS_LAST = timedelta(hours=24)
"""Until then it may have been sent again, under its key."""

_AT_ONCE = 100
_PAGES_OF_ALL = 6
_PAGES_OF_ONE = 4
"""How many pages are read of all that was made in a time, and of one payment's."""

_OK, _NOT_FOUND = 200, 404
_EXPANDED = ("latest_charge",)
_EXPANDED_OF = ("data.latest_charge",)

_Found = Generator[Request, Reply | Failure, list[Members] | Evidence]


def inquire(api: Api, call: Call) -> Exchange:
    """All that Stripe knows of a transaction; UNKNOWN where it does not answer."""
    kind = SETUP if "consent" in call.tracks else INTENT
    found = yield from _found(api, call, kind)
    if isinstance(found, Evidence):
        return found
    if not found:
        return says(call, Outcome.SUCCEEDED, found=False)
    of = Setup(found[0], call) if kind == SETUP else Intent(found[0], call)
    if not of.id or of.opened is Outcome.UNKNOWN or len(found) > 1:
        return unknown(call, UNREADABLE)
    if isinstance(of, Setup):
        return (yield from _saved(api, of))
    return (yield from _paid(api, of))


def _found(api: Api, call: Call, kind: str) -> _Found:
    """The intent, by its id if that is known; there may be none, or several."""
    path = f"{kind}s"
    if kind not in call.references:
        return (yield from _search(api, call, path))
    expands = _EXPANDED if kind == INTENT else None
    reply = yield api.get(f"{path}/{call.references[kind]}", expand=expands)
    stated = _read(reply)
    return [stated] if stated else _no_answer(call, reply, is_first=True)


def _paid(api: Api, intent: Intent) -> Exchange:
    call = intent.call
    refunds, disputes = list[Members](), list[Members]()
    if intent.has_ended:
        found = yield from _pages(api, call, "refunds", payment_intent=intent.id)
        if isinstance(found, Evidence):
            return found
        refunds = found
    if intent.is_disputed:
        found = yield from _pages(api, call, "disputes", payment_intent=intent.id)
        if isinstance(found, Evidence):
            return found
        disputes = found
    given_back = refunds_listed(refunds, intent)
    if given_back is None or not intent.has_amounts:
        return unknown(call, UNREADABLE)
    return says(
        call,
        Outcome.SUCCEEDED,
        listing=(*intent.listed, *given_back, *disputes_listed(disputes, call)),
        references=intent.references,
        deadlines=intent.deadlines,
    )


def _saved(api: Api, setup: Setup) -> Exchange:
    """A saved card: its setup intent, and whether it was detached since."""
    call, listing = setup.call, [setup.listed()]
    if setup.opened is Outcome.SUCCEEDED:
        reply = yield api.get(f"payment_methods/{setup.references.get(METHOD, '')}")
        is_over = is_detached(_read(reply))
        if is_over is None:
            return _no_answer(call, reply)
        if is_over:
            ended = ListedExchange(command="terminate", outcome=Outcome.SUCCEEDED)
            listing.append(ended)
    return says(
        call,
        Outcome.SUCCEEDED,
        listing=tuple(listing),
        references=setup.references,
    )


def _search(api: Api, call: Call, path: str) -> _Found:
    """The intents of a transaction whose id is not known, of those that still count.

    Mostly it was made at once; only what was sent again was made later.
    """
    if call.begun_at is None:
        return unknown(call, "no_id")
    first, last = call.begun_at + SENT_WITHIN, call.begun_at + KEYS_LAST
    times = (call.begun_at - CLOCKS_DIFFER, first), (first + timedelta(seconds=1), last)
    for since, until in times:
        found = yield from _made(api, call, path, since, until)
        if found:
            return found
    return []


def _made(api: Api, call: Call, path: str, since: datetime, until: datetime) -> _Found:
    """Those of a transaction that were made in a time."""
    is_first = call.begun_at is not None and since < call.begun_at
    of_intents = path == "payment_intents"
    found = yield from _pages(
        api,
        call,
        path,
        most=_PAGES_OF_ALL,
        is_first=is_first,
        created={"gte": int(since.timestamp()), "lte": int(until.timestamp())},
        expand=_EXPANDED_OF if of_intents else None,
    )
    if isinstance(found, Evidence):
        return found
    ours = [
        each
        for each in found
        if inner(each, "metadata").get(TRANSACTION) == call.transaction
    ]
    kind = Intent if of_intents else Setup
    stands = [each for each in ours if kind(each, call).opened is not Outcome.DECLINED]
    return stands or ours[:1]


def _pages(
    api: Api,
    call: Call,
    path: str,
    *,
    most: int = _PAGES_OF_ONE,
    is_first: bool = False,
    **fields: object,
) -> _Found:
    """All items of a list; UNKNOWN if it is too long, or breaks off."""
    found: list[Members] = []
    after: str | None = None
    for _ in range(most):
        reply = yield api.get(path, **fields, limit=_AT_ONCE, starting_after=after)
        stated = _read(reply)
        items = read_items(stated)
        if items is None:
            return _no_answer(call, reply, is_first=is_first and after is None)
        found += items
        if stated.get("has_more") is not True:
            return found
        after = read_id(items[-1]) if items else ""
        if not after:
            break
    return unknown(call, "list_too_long")


def _read(reply: Reply | Failure) -> Members:
    if isinstance(reply, Failure) or reply.status != _OK:
        return {}
    return members_of(reply.body)


def _no_answer(
    call: Call, reply: Reply | Failure, *, is_first: bool = False
) -> Evidence:
    if isinstance(reply, Failure):
        return unknown(call, BROKEN_OFF, never_sent=is_first and not reply.sent)
    if reply.status == _NOT_FOUND:
        return unknown(call, ID_NOT_KNOWN)
    error = inner(members_of(reply.body), "error")
    return unknown(call, read_code(error, "code") or UNREADABLE)
