"""Seeing that a gateway is only ever asked about what its own account holds.

A command line is typed in a hurry, and a forgotten `--gateway` means the emulator. It
knows nothing of what a real gateway has carried out, and what it does not list would
be declined. So nothing is acted on before it is certain whose it is.
"""

from collections.abc import Iterable

from kessai.cli.terminal.options import Asked
from kessai.cli.terminal.output import note
from kessai.errors import AccountUnknown
from kessai.ids import is_id
from kessai.stores import Store
from kessai.words import Words

word = Words("accounts")


def check_account(
    store: Store, asked: Asked, account: str, on: Iterable[str] | None
) -> None:
    """See that the gateway's `account` is the one meant; say what is left alone.

    Raises:
        AccountUnknown: it is not; the message says which gateway is right.

    """
    language = asked.language
    if asked.account not in {None, account}:
        raise AccountUnknown(
            word("is_another", language, account=account, asked=asked.account)
        )
    held = store.accounts()
    are_owned = [check_owner(store, name, account, language) for name in on or ()]
    others = [other for other in held if other != account]
    if not others:
        return
    values = {
        "account": account,
        "accounts": ", ".join(others),
        "right": _right(others),
    }
    if account not in held and on is None:
        raise AccountUnknown(word("holds_others", language, **values))
    if asked.gateway is None and not (are_owned and all(are_owned)):
        raise AccountUnknown(word("not_named", language, **values))
    if on is None and asked.account is None:
        note(f"kessai: {word('left_alone', language, **values)}")


def check_owner(store: Store, transaction: str, account: str, language: str) -> bool:
    """Whether a transaction exists, and is of `account`.

    Raises:
        AccountUnknown: it is another account's.

    """
    if not is_id(transaction):
        return False
    found = store.load(None, transaction, None).transaction
    if found is None or not found.exists:
        return False
    if found.account != account:
        values = {"account": account, "owner": found.account}
        right = _right([found.account])
        message = word(
            "is_of", language, transaction=transaction, right=right, **values
        )
        raise AccountUnknown(message)
    return True


def _right(accounts: Iterable[str]) -> str:
    """How the gateways of `accounts` are named: an account begins with its adapter."""
    from importlib.metadata import entry_points  # only where there is something to say

    known = {point.name for point in entry_points(group="kessai.adapters")}
    emulated = {point.name for point in entry_points(group="kessai.emulators")}
    right = {name: name for name in known} | {"emulator/local": "emulator"}
    right |= {f"emulator/{name}": f"emulator/{name}" for name in emulated}
    names = (right.get(_gateway_of(account)) for account in accounts)
    named = list(dict.fromkeys(filter(None, names))) or ["NAME"]
    return " | ".join(f"--gateway {name}" for name in named)


def _gateway_of(account: str) -> str:
    """An account begins with its adapter, at an emulator with both their names."""
    return account if account.startswith("emulator/") else account.partition("/")[0]
