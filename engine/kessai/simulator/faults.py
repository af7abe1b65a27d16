"""What can go wrong, each under the name that `--faults` takes.

Owns the list and what each means, in a line. Where a fault strikes is its place in the
world; how often, the director's affair.
"""

from collections.abc import Iterable
from enum import StrEnum

from kessai.errors import InvalidInput
from kessai.spec import Text


class Fault(StrEnum):
    """A kind of fault."""

    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    LATE_REQUEST = "late_request"
    SLOW_REQUEST = "slow_request"
    NO_CONNECTION = "no_connection"
    BAD_REPLY = "bad_reply"
    REFUSAL = "refusal"
    PENDING = "pending"
    FAILED_REFUND = "failed_refund"
    DUPLICATE_PUSH = "duplicate_push"
    REORDERED_PUSH = "reordered_push"
    FORGED_PUSH = "forged_push"
    LOST_PUSH = "lost_push"
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    INTERRUPTED_RECOVERY = "interrupted_recovery"
    STORE_BUSY = "store_busy"
    STORE_FAILED = "store_failed"
    COMMIT_LOST = "commit_lost"
    COMMIT_KEPT = "commit_kept"
    CLOCK_JUMP = "clock_jump"
    SKEWED_CLOCK = "skewed_clock"
    TWO_WORKERS = "two_workers"
    SAME_KEY = "same_key"
    OTHER_PARAMETERS = "other_parameters"
    STALE_LEASE = "stale_lease"
    PORTAL = "portal"
    TERMINATION_RACE = "termination_race"


MEANINGS = {
    Fault.LOST_REQUEST: Text("the request never arrives", "要求が届かない"),
    Fault.LOST_REPLY: Text("carried out, the reply is lost", "実行後に応答が失われる"),
    Fault.LATE_REQUEST: Text(
        "the request arrives long after all have given it up", "断念後に要求が届く"
    ),
    Fault.SLOW_REQUEST: Text("the request is slow on its way", "要求の到着が遅れる"),
    Fault.NO_CONNECTION: Text("no connection is made", "接続できない"),
    Fault.BAD_REPLY: Text("HTTP 5xx, garbage, half a reply", "5xx・壊れた応答"),
    Fault.REFUSAL: Text("the gateway refuses", "決済代行が拒否する"),
    Fault.PENDING: Text("accepted, and told much later", "受付後、後から結果が届く"),
    Fault.FAILED_REFUND: Text(
        "a refund is accepted and fails later", "受付済みの返金が後で失敗する"
    ),
    Fault.DUPLICATE_PUSH: Text("a push comes again", "結果通知が重複する"),
    Fault.REORDERED_PUSH: Text(
        "pushes come out of order", "結果通知の順序が入れ替わる"
    ),
    Fault.FORGED_PUSH: Text("a push is not the gateway's", "偽の結果通知が届く"),
    Fault.LOST_PUSH: Text("a push never comes", "結果通知が届かない"),
    Fault.CRASH_BEFORE: Text("dies before an effect", "処理の直前に停止する"),
    Fault.CRASH_AFTER: Text("dies after an effect", "処理の直後に停止する"),
    Fault.INTERRUPTED_RECOVERY: Text("a recovery is broken off", "回復が中断される"),
    Fault.STORE_BUSY: Text("the store is held by another", "ストアが使用中"),
    Fault.STORE_FAILED: Text("the store cannot write", "ストアに書き込めない"),
    Fault.COMMIT_LOST: Text(
        "a commit fails and is not there", "コミットが失敗し残らない"
    ),
    Fault.COMMIT_KEPT: Text(
        "a commit fails and is there", "コミットが失敗したが残っている"
    ),
    Fault.CLOCK_JUMP: Text("time jumps amid the work", "処理中に時刻が飛ぶ"),
    Fault.SKEWED_CLOCK: Text("a worker's clock is wrong", "時計がずれている"),
    Fault.TWO_WORKERS: Text(
        "two workers take up the same work", "二つのワーカーが同じ作業をする"
    ),
    Fault.SAME_KEY: Text("the same key twice at once", "同じキーが同時に使われる"),
    Fault.OTHER_PARAMETERS: Text(
        "a key comes with another request", "同じキーで別の要求が来る"
    ),
    Fault.STALE_LEASE: Text(
        "a recoverer sleeps beyond its lease", "リース切れ後に回復が再開する"
    ),
    Fault.PORTAL: Text("someone works in the portal", "管理画面で操作される"),
    Fault.TERMINATION_RACE: Text(
        "a termination meets a re-authorization", "解約と再与信が競合する"
    ),
}

ALL = frozenset(Fault)


def parse_faults(text: str) -> frozenset[Fault]:
    """The faults that `text` names: `all`, `none`, or names with commas between.

    Raises:
        InvalidInput: a name is none; the message lists those there are.

    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["all"]:
        return ALL
    if words == ["none"]:
        return frozenset()
    known = set(Fault)
    strange = [word for word in words if word not in known]
    if strange or not words:
        listed = ", ".join(Fault)
        message = f"faults: {text!r} is not 'all', 'none', or some of: {listed}"
        raise InvalidInput(message)
    return frozenset(Fault(word) for word in words)


def written(faults: Iterable[Fault]) -> str:
    """`faults` as `parse_faults` reads them."""
    chosen = frozenset(faults)
    if chosen == ALL:
        return "all"
    return ",".join(fault for fault in Fault if fault in chosen) or "none"
