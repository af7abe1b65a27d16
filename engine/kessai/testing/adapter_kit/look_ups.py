"""Look-ups: what is listed, what is not known, and that nothing else says "not known"."""

from collections.abc import Iterator

from kessai.gateway import LOOK_UP
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import Finding


def lists(kit: Kit) -> Iterator[Finding]:
    """A look-up that lists several exchanges is on record."""
    if not any(len(sample.evidence.listing) > 1 for sample, _ in kit.look_ups):
        yield Finding(
            "no recorded look-up lists more than one exchange",
            contract.LISTED,
            f"a ReplySample of a {LOOK_UP} whose evidence has two listed exchanges or more, such as"
            " an authorization and its capture",
        )


def not_known(kit: Kit) -> Iterator[Finding]:
    """A look-up of a transaction that the gateway does not know is on record."""
    if not any(not sample.evidence.found for sample, _ in kit.look_ups):
        yield Finding(
            "no recorded look-up is of a transaction that the gateway does not know",
            contract.NOT_FOUND,
            f"a ReplySample of a {LOOK_UP} whose evidence is Outcome.SUCCEEDED with"
            " found=False",
        )


def replies_are_no_lists(kit: Kit) -> Iterator[Finding]:
    """The reply to a command, taken for one to a look-up, lists nothing."""
    call = kit.calls.get(LOOK_UP)
    if call is None:
        return
    for sample, reply in kit.settled:
        evidence = kit.evidence(call, reply)
        if not evidence.found:
            yield Finding(
                f"{sample.name}, taken for the reply to a look-up: it is said not to know"
                " the transaction; the caller would apply once more",
                contract.NOT_FOUND,
                "Outcome.UNKNOWN: that a transaction is not known must be said, and not"
                " be concluded from what is missing",
                kit.reply_story(call, reply, ["assert evidence.found"]),
            )
