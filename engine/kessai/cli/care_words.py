"""The words of `recover`, `reconcile`, `sweep` and `tx settle`."""

from kessai.spec import Text, Words

word = Words(
    {
        "amount": Text(en="Amount", ja="金額"),
        "begun": Text(en="unknown", ja="結果不明"),
        "command": Text(en="Command", ja="コマンド"),
        "declined": Text(en="declined", ja="不成立"),
        "differences": Text(en="Differences", ja="差異"),
        "difference": Text(en="Difference", ja="差異"),
        "external": Text(
            en="done at the gateway, not asked for here", ja="決済機関側で実行された"
        ),
        "lapsed": Text(en="expired", ja="期限切れ"),
        "nothing_due": Text(en="Nothing is due.", ja="確認すべき取引はありません。"),
        "nothing_differs": Text(
            en="{count} compared; nothing differs.", ja="{count} 件を照合、差異なし。"
        ),
        "compared": Text(
            en="{count} compared; {differ} differ, {unread} could not be read.",
            ja="{count} 件を照合、差異 {differ} 件、照会不能 {unread} 件。",
        ),
        "operation": Text(en="Operation", ja="処理"),
        "pending": Text(en="pending", ja="処理中"),
        "recovered": Text(en="Looked up", ja="照会した処理"),
        "reported": Text(en="the outcome was not known here", ja="結果が未記録"),
        "resolved": Text(
            en="Discrepancy {number} of {transaction} is settled.",
            ja="{transaction} の不一致 {number} を解決済みにしました。",
        ),
        "settled": Text(
            en="{operation}: {status}, on the word of {actor}.",
            ja="{operation}：{status}（{actor} による確認）",
        ),
        "not_applied": Text(
            en="The lifecycle does not allow it: kept as a discrepancy, still open.",
            ja="ライフサイクルに合わないため、不一致として記録しました（未完了のまま）。",
        ),
        "since": Text(en="Open since", ja="開始日時"),
        "state": Text(en="State", ja="状態"),
        "status": Text(en="Outcome", ja="結果"),
        "succeeded": Text(en="succeeded", ja="成立"),
        "swept": Text(
            en="{count} moved over a deadline.", ja="{count} 件を期限切れに変更。"
        ),
        "transaction": Text(en="Transaction", ja="取引"),
        "unknown": Text(en="unknown", ja="結果不明"),
        "unconfirmed": Text(
            en="the gateway does not list it", ja="決済機関に記録がない"
        ),
        "unreadable": Text(
            en="the gateway did not answer a look-up", ja="決済機関に照会できなかった"
        ),
        "waiting": Text(en="Waiting for an operator", ja="担当者の確認待ち"),
        "what": Text(en="What", ja="内容"),
        "how": Text(
            en="Find out what happened, then: kessai tx settle ID OPERATION"
            " succeeded|declined, or ID NUMBER resolved for evidence that stands aside,"
            " with --evidence TEXT --actor NAME",
            ja="確認後に実行: kessai tx settle ID OPERATION succeeded|declined"
            "（不一致は ID 番号 resolved）--evidence TEXT --actor NAME",
        ),
    }
)
