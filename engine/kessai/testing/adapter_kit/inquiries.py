"""Inquiries: what is listed, what is not known, and that nothing else is read so."""

from collections.abc import Iterator

from kessai.gateway import INQUIRY
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding


def lists(kit: Kit) -> Iterator[ConformanceFinding]:
    """An inquiry that lists several exchanges, or states totals, is on record."""
    stated = [sample.evidence for sample, _ in kit.inquiries]
    several = kit.samples.exchanges
    stated += [each.evidence for each in several if each.call.command == INQUIRY]
    if not any(each.totals or len(each.listing) > 1 for each in stated):
        yield ConformanceFinding(
            "no recorded inquiry lists more than one exchange",
            contract.LISTED,
            f"a ReplySample of a {INQUIRY} whose evidence has two listed exchanges or more, such as"
            " an authorization and its capture",
        )


def not_known(kit: Kit) -> Iterator[ConformanceFinding]:
    """An inquiry of a transaction that the gateway does not know is on record.

    A gateway that is asked by an id of its own knows what it is asked about.
    """
    if not any(
        sample.call.references or not sample.evidence.found
        for sample, _ in kit.inquiries
    ):
        yield ConformanceFinding(
            "no recorded inquiry is of a transaction that the gateway does not know",
            contract.NOT_FOUND,
            f"a ReplySample of a {INQUIRY} whose evidence is Outcome.SUCCEEDED with"
            " found=False",
        )


def replies_are_no_lists(kit: Kit) -> Iterator[ConformanceFinding]:
    """The reply to a command, taken for one to an inquiry, lists nothing."""
    call = kit.calls.get(INQUIRY)
    if call is None:
        return
    for sample, reply in kit.resolved:
        evidence = kit.evidence(call, reply)
        if not evidence.found:
            yield ConformanceFinding(
                f"{sample.name}, taken for the reply to an inquiry: it is read as not knowing"
                " the transaction; the caller would apply once more",
                contract.NOT_FOUND,
                "Outcome.UNKNOWN: that a transaction is not known must be stated, and not"
                " be concluded from what is missing",
                kit.reply_story(call, reply, ["assert evidence.found"]),
            )
