"""The words of `kessai tx` that no lifecycle declares, and declared titles by name."""

from kessai.machine import Machine, Transaction
from kessai.spec import Text, Words

_WORDS = Words(
    {
        "agreement": Text(en="Agreement", ja="承諾取引"),
        "allowed": Text(en="allowed", ja="可"),
        "amount": Text(en="Amount", ja="金額"),
        "any_amount": Text(en="no amount", ja="金額なし"),
        "begun": Text(en="begun", ja="開始"),
        "begun_at": Text(en="Begun", ja="開始日時"),
        "command": Text(en="Command", ja="コマンド"),
        "deadline": Text(en="Deadline", ja="期限"),
        "declined": Text(en="declined by the gateway", ja="決済機関で不成立"),
        "default": Text(en="by default", ja="省略時"),
        "denied": Text(en="denied", ja="拒否"),
        "discrepancies": Text(en="Discrepancies", ja="不一致"),
        "discrepancy": Text(en="discrepancy", ja="不一致"),
        "dry_run": Text(
            en="It would be carried out. Nothing was sent or written.",
            ja="実行可能です。送信も記録もしていません。",
        ),
        "event": Text(en="Event", ja="イベント"),
        "events_where": Text(en="events", ja="イベント番号"),
        "evidence": Text(en="Evidence", ja="証拠"),
        "external": Text(en="external", ja="外部"),
        "from_to": Text(en="from {minimum} to {maximum}", ja="{minimum}〜{maximum}"),
        "key": Text(en="Key", ja="キー"),
        "lapsed": Text(en="lapsed", ja="期限切れ"),
        "lifecycle": Text(en="Lifecycle", ja="ライフサイクル"),
        "more": Text(
            en="There are more; --limit shows them.",
            ja="続きは --limit で表示できます。",
        ),
        "never": Text(
            en="It never came to be: all attempts were refused.",
            ja="成立していません（すべての申込みが拒否されました）。",
        ),
        "none": Text(en="There are none.", ja="該当する取引はありません。"),
        "number": Text(en="No.", ja="番号"),
        "open": Text(en="Open", ja="未完了"),
        "operation": Text(en="Operation", ja="処理"),
        "operations": Text(en="Open operations", ja="未完了の処理"),
        "pending": Text(en="pending: the gateway will tell", ja="保留（結果通知待ち）"),
        "phase": Text(en="Phase", ja="段階"),
        "recorded": Text(
            en="This is the recorded answer of that key; nothing was sent.",
            ja="このキーに記録済みの結果です。送信はしていません。",
        ),
        "resent": Text(en="sent again", ja="再送"),
        "resumed": Text(en="resumed", ja="再開"),
        "learned": Text(en="learned", ja="照会値の記録"),
        "resolved": Text(en="settled", ja="解決済み"),
        "reported": Text(en="reported", ja="結果"),
        "rule": Text(en="Rule", ja="規則"),
        "said": Text(en="Outcome", ja="結果"),
        "send_on": Text(
            en="The consumer must be sent on to the gateway: --json has the page, under"
            " 'disclosed'.",
            ja="購入者を決済画面へ遷移させてください（--json の disclosed にページがあります）。",
        ),
        "state": Text(en="State", ja="状態"),
        "succeeded": Text(en="succeeded", ja="成功"),
        "time": Text(en="Time (UTC)", ja="日時(UTC)"),
        "trail": Text(en="Trail", ja="履歴"),
        "transaction": Text(en="Transaction", ja="取引"),
        "transactions": Text(en="Transactions", ja="取引一覧"),
        "unknown": Text(
            en="unknown: run it again with the same key to look it up",
            ja="不明（同じキーで再実行すると照会します）",
        ),
    }
)


def word(name: str, language: str, /, **values: object) -> str:
    """The word `name` in `language`; a name without one stands for itself."""
    return _WORDS(name, language, **values) if name in _WORDS else name


def command_title(machine: Machine | None, name: str, language: str) -> str:
    """The declared title of a command, its name where nothing is declared."""
    found = machine.commands.get(name) if machine else None
    return found.spec.title.in_language(language) if found else name


def amount_title(machine: Machine | None, name: str, language: str) -> str:
    """The declared title of an amount."""
    found = machine.lifecycle.amounts.get(name) if machine else None
    return found.in_language(language) if found else name


def state_titles(
    machine: Machine | None, transaction: Transaction, language: str
) -> list[tuple[str, str]]:
    """The titles of each track and of the state it is in."""
    return [
        _state(machine, track, state, language)
        for track, state in transaction.states.items()
    ]


def _state(
    machine: Machine | None, track: str, state: str, language: str
) -> tuple[str, str]:
    declared = machine.lifecycle.tracks.get(track) if machine else None
    if declared is None or state not in declared.states:
        return track, state
    return (
        declared.title.in_language(language),
        declared.states[state].in_language(language),
    )
