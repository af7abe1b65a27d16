"""The same requests to an emulator and to a counterpart, and where their replies differ.

A difference stands in a table, a TOML file beside the tests: what was asked, what each
side says, and what the gateway's documents say of it.
"""

import json
import re
import tomllib
from pathlib import Path

import attrs
import httpx

HERE = Path(__file__).parent

_ID = re.compile(r"(card|ch|cus|pi|pm|re|seti|txn)_[A-Za-z0-9_]+")
_LATE = 10**9
"""A number above this is a time."""
_BY_CHANCE = frozenset({"exp_month", "exp_year", "fingerprint"})
"""What each side chose for its cards."""
HEADERS = ("content-type", "idempotent-replayed")
"""Those that a client may read."""


@attrs.frozen
class Asked:
    """One request: its name in the table, and what of the reply later ones need.

    What is asked in another way on the other side is not `compared`.
    """

    name: str
    method: str
    path: str
    fields: dict = attrs.field(factory=dict)
    keeps: dict = attrs.field(factory=dict)
    key: str | None = None
    is_compared: bool = True


@attrs.frozen
class Difference:
    """Where two replies differ: which member, and what each side has there."""

    request: str
    at: str
    ours: str
    theirs: str


def flat(fields, under=""):
    """Form fields, nested by brackets."""
    for name, value in fields.items():
        full = f"{under}[{name}]" if under else name
        if isinstance(value, dict):
            yield from flat(value, full)
        else:
            yield full, str(value)


def filled(fields, known):
    """`fields` with the ids that the side has given."""
    return {
        name: filled(value, known)
        if isinstance(value, dict)
        else str(value).format_map(known)
        for name, value in fields.items()
    }


def replies(url, key, requests):
    """What a side answers to `requests`, one after another: each status and body."""
    known = {}
    with httpx.Client(base_url=f"{url}/v1/", auth=(key, "")) as client:
        for asked in requests:
            given = dict(flat(filled(asked.fields, known)))
            sent = {"params": given} if asked.method == "GET" else {"data": given}
            headers = {} if asked.key is None else {"Idempotency-Key": asked.key}
            path = asked.path.format_map(known)
            reply = client.request(asked.method, path, headers=headers, **sent)
            body = read(reply)
            known.update({k: found(body, at) for k, at in asked.keeps.items()})
            headers = {name: reply.headers.get(name, "none") for name in HEADERS}
            yield reply.status_code, body, headers


def read(reply):
    """The body of a reply, whatever its header calls it."""
    try:
        return reply.json()
    except ValueError:
        return {"error": {"type": "no JSON"}}


def found(body, path):
    """A member of a reply, by its path."""
    for name in path.split("."):
        body = body.get(name, {}) if isinstance(body, dict) else {}
    return body if isinstance(body, str) else "none"


def compared(requests, ours, theirs):
    """Every difference between the replies of two sides.

    One that recurs in later replies stands where it was seen first.
    """
    found, members = {}, {}
    for asked, one, other in zip(requests, ours, theirs, strict=True):
        if asked.is_compared:
            for at, *sides in _of_reply(one, other, members):
                by_request = asked.name if at == "outcome" else None
                row = Difference(asked.name, at, *sides)
                found.setdefault((by_request, at, *sides), row)
    for kind, (mine, yours) in sorted(members.items()):
        only = ", ".join(sorted(mine - yours)), ", ".join(sorted(yours - mine))
        if any(only):
            found[kind] = Difference("any", f"{kind}, members", *only)
    return list(found.values())


def _of_reply(one, other, members):
    for name in HEADERS:
        mine, yours = (reply[2][name].partition(";")[0] for reply in (one, other))
        if mine != yours:
            yield name, mine, yours
    if _failed(one) or _failed(other):
        mine, yours = map(_outcome, (one, other))
        if mine != yours:
            yield "outcome", mine, yours
    else:
        yield from _of_values("", one[1], other[1], members)


def _failed(reply):
    return reply[0] >= 400


def _outcome(reply):
    status, body, _ = reply
    if not _failed(reply):
        return f"{status} {body.get('status', body['object'])}"
    error = body["error"]
    names = ("type", "code", "decline_code", "param")
    return " ".join([str(status), *(error[name] for name in names if error.get(name))])


def _of_values(at, mine, yours, members):
    if at.rpartition(".")[2] in _BY_CHANCE:
        return
    if isinstance(mine, dict) and isinstance(yours, dict) and "metadata" not in at:
        kind = at = mine.get("object", at)
        both = members.setdefault(kind, (set(), set()))
        both[0].update(mine)
        both[1].update(yours)
        for name in sorted(mine.keys() & yours.keys()):
            inner = f"{at}.{name}".strip(".")
            yield from _of_values(inner, mine[name], yours[name], members)
    elif isinstance(mine, list) and isinstance(yours, list):
        if len(mine) != len(yours):
            yield f"{at}, number", str(len(mine)), str(len(yours))
        for number, (one, other) in enumerate(zip(mine, yours, strict=False)):
            yield from _of_values(f"{at}.{number}", one, other, members)
    elif (shown := (_shown(mine), _shown(yours)))[0] != shown[1]:
        yield at, *shown


def _shown(value):
    """A value without what differs by chance: an id, a time."""
    if isinstance(value, str) and (matched := _ID.fullmatch(value)):
        return f"{matched[1]}_…"
    if type(value) is int and value > _LATE:
        return "a time"
    if isinstance(value, dict) and "object" in value:
        return f"the {value['object']} itself"
    return json.dumps(value) if not isinstance(value, str) else value


def table(name):
    """The rows of a table: each difference, and what is said of it."""
    rows = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))["difference"]
    names = [field.name for field in attrs.fields(Difference)]
    return {Difference(*(row[each] for each in names)): row for row in rows}


TABLES = {
    "localstripe": "localstripe 1.15.10 and our emulator of Stripe",
    "stateful_mock": "stripe-stateful-mock 0.0.16 and our emulator of Stripe",
    "amazon_pay_client": "Amazon Pay's client for Node 2.3.4 and our adapter",
}
"""What each table compares."""
PAGE = HERE / "DIFFERENCES.md"


def page():
    """The tables, as people read them."""
    lines = ["# Where counterparts differ", "", *INTRODUCTION]
    for name, what in TABLES.items():
        lines += [
            "",
            f"## {what}",
            "",
            "| request | member | ours | theirs | documents |",
        ]
        lines.append("|---|---|---|---|---|")
        for each, row in table(name).items():
            said = f"{row['documents']} ({row['source']})"
            cells = (each.request, each.at, each.ours, each.theirs, said)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


INTRODUCTION = (
    "The same requests, answered by each side; what the gateway's documents say of it is in",
    "the last column. `test_differences.py` computes this anew, and fails where it differs.",
    "Made by `differences.py` of the TOML files beside it; a member that recurs stands where",
    "it was seen first.",
)

if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
