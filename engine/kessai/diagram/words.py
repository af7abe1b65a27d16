"""The words of diagrams that no lifecycle declares: headings and the engine's own."""

from kessai.spec import Text, Words

word = Words(
    {
        "agreement": Text(en="Agreement", ja="前提となる承諾"),
        "alongside": Text(en="May overlap with", ja="同時実行可"),
        "amount": Text(en="Amount", ja="金額"),
        "amounts": Text(en="Amounts", ja="金額"),
        "amount_named": Text(en="amount", ja="金額"),
        "amount_range": Text(en="{least} to {most}", ja="{least}〜{most}"),
        "and": Text(en="and", ja="かつ"),
        "at_most": Text(en="At most", ja="上限"),
        "begun": Text(en="begun", ja="開始"),
        "bytes": Text(en="bytes", ja="バイト"),
        "characters": Text(en="characters", ja="文字"),
        "code": Text(en="Code", ja="コード"),
        "comma": Text(en=", ", ja="、"),
        "command": Text(en="Command", ja="コマンド"),
        "commands": Text(en="Commands", ja="コマンド"),
        "commit": Text(en="Commit", ja="確定"),
        "condition": Text(en="Condition", ja="条件"),
        "currency": Text(en="Currency", ja="通貨"),
        "deadlines": Text(en="Deadlines", ja="期限"),
        "declined": Text(en="declined", ja="不成立"),
        "default": Text(en="Default", ja="省略時"),
        "denies": Text(en="Then denied", ja="以後拒否"),
        "effects": Text(en="Effects on amounts", ja="金額への作用"),
        "external_possible": Text(
            en="The gateway may report it unasked.",
            ja="決済機関側の操作としても起こり得ます。",
        ),
        "failed": Text(en="not as asked for", ja="不成立の終了"),
        "final": Text(en="final", ja="終了"),
        "from": Text(en="From", ja="遷移元"),
        "guards": Text(en="Guards", ja="ガード"),
        "holds": Text(en="Holds", ja="成立条件"),
        "initial": Text(en="initial", ja="開始"),
        "invariants": Text(en="Invariants", ja="不変条件"),
        "is_allowed": Text(en="allowed now", ja="現在実行可"),
        "is_current": Text(en="now here", ja="現在の状態"),
        "is_denied": Text(en="denied now", ja="現在は拒否"),
        "is_due": Text(en="passes at {time}", ja="{time} に経過"),
        "is_external": Text(en="not asked for here", ja="外部操作"),
        "is_open": Text(
            en="under way since {time}: {phase}", ja="{time} から処理中: {phase}"
        ),
        "is_visited": Text(en="event {number}, {time}", ja="イベント {number}、{time}"),
        "key_allowed": Text(en="allowed next", ja="次に実行可"),
        "key_command": Text(en="command", ja="コマンド"),
        "key_current": Text(en="now", ja="現在"),
        "key_deadline": Text(en="deadline", ja="期限"),
        "key_decline": Text(en="declined", ja="不成立"),
        "key_denied": Text(en="denied now", ja="現在は拒否"),
        "key_due": Text(en="deadline running", ja="期限進行中"),
        "key_failed": Text(en="declined or lapsed", ja="不成立・期限切れ"),
        "key_final": Text(en="final", ja="終了"),
        "key_initial": Text(en="initial", ja="開始"),
        "key_reversal": Text(en="taken back later", ja="差戻し"),
        "key_open": Text(en="under way", ja="処理中"),
        "key_visited": Text(en="happened (in this order)", ja="実行済(番号順)"),
        "kind": Text(en="Kind", ja="種類"),
        "lasts": Text(en="Lasts", ja="期間"),
        "matrix": Text(en="Commands by state", ja="状態別コマンド"),
        "max": Text(en="Most", ja="最大"),
        "meaning": Text(en="Meaning", ja="意味"),
        "min": Text(en="Least", ja="最小"),
        "name": Text(en="Name", ja="名前"),
        "needs": Text(en="needs", ja="併用必須:"),
        "opens": Text(en="opens", ja="開始"),
        "opened_by": Text(en="Opened by", ja="開始するコマンド"),
        "optional": Text(en="optional", ja="任意"),
        "or": Text(en="or", ja="または"),
        "order_id": Text(en="Order id", ja="取引ID"),
        "phase_begun": Text(en="begun", ja="開始"),
        "phase_pending": Text(en="pending", ja="保留"),
        "phase_unknown": Text(en="unknown", ja="不明"),
        "parameters": Text(en="Parameters", ja="パラメータ"),
        "release": Text(en="Release", ja="取りやめ"),
        "required": Text(en="required", ja="必須"),
        "reserve": Text(en="Reserve", ja="予約"),
        "reversal": Text(en="taken back by the gateway", ja="決済機関による差戻し"),
        "role": Text(en="Role", ja="役割"),
        "rule": Text(en="Rule", ja="規則"),
        "sentence": Text(en="Denial", ja="拒否理由"),
        "source": Text(en="Source", ja="出典"),
        "starts": Text(en="Starts with", ja="起点"),
        "state": Text(en="State", ja="状態"),
        "stays": Text(en="(stays)", ja="(変化なし)"),
        "taken_by": Text(en="Taken by", ja="使うコマンド"),
        "to": Text(en="To", ja="遷移先"),
        "track": Text(en="Track", ja="トラック"),
        "unless_open": Text(en="unless open", ja="処理中でないこと:"),
    }
)

_UNITS = (
    (86400, Text(en="days", ja="日")),
    (3600, Text(en="hours", ja="時間")),
    (60, Text(en="minutes", ja="分")),
    (1, Text(en="seconds", ja="秒")),
)


def duration(seconds: int, language: str) -> str:
    """Show `2592000` as `30 days` or `30日`: in the largest unit that is exact."""
    size, unit = next(one for one in _UNITS if seconds % one[0] == 0)
    space = "" if language == "ja" else " "
    return f"{seconds // size:,}{space}{unit.in_language(language)}"


def elapsed(seconds: int, language: str) -> str:
    """Say that `seconds` have passed: `after 30 days`, `30日経過`."""
    shown = duration(seconds, language)
    return f"{shown}経過" if language == "ja" else f"after {shown}"
