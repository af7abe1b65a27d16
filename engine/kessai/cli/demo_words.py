"""The sentences of the demo, in English and Japanese."""

from collections.abc import Mapping

from kessai.spec import Text, Words

word = Words(
    {
        "title": Text(en="A payment's whole life", ja="決済の一生"),
        "setting": Text(
            en="The gateway is an emulator in this process: no key, no network, no money.",
            ja="決済サーバーはこのプロセス内の模擬です。鍵も通信もお金も使いません。",
        ),
        "push": Text(en="push", ja="結果通知"),
        "look_up": Text(en="look-up", ja="照会"),
        "succeeded": Text(en="succeeded", ja="成功"),
        "declined": Text(en="declined", ja="不成立"),
        "pending": Text(en="pending", ja="保留"),
        "unknown": Text(en="unknown", ja="不明"),
        "denied": Text(en="denied", ja="拒否"),
        "possible": Text(en="Possible now: {list}.", ja="今できること: {list}"),
        "comma": Text(en=", ", ja="、"),
        "between": Text(
            en="{command} {least} to {most}", ja="{command} {least}〜{most}"
        ),
        "proof": Text(en="Proof", ja="検証"),
        "audit": Text(en="audit", ja="監査"),
        "books": Text(en="books", ja="帳簿"),
        "audit_holds": Text(
            en="{events} events of {transactions} transactions: every hash and link holds,"
            " every step was allowed, and replayed they give every balance.",
            ja="取引 {transactions} 件、イベント {events} 件: ハッシュ鎖は完全で、"
            "すべての操作が許可されたものであり、再生した残高も一致します。",
        ),
        "books_agree": Text(
            en="The gateway's own books say the same: captured {captured}, refunded"
            " {refunded}, released {released}.",
            ja="決済サーバー側の帳簿も一致: 売上 {captured}、返金 {refunded}、"
            "解放 {released}。",
        ),
        "agreed": Text(
            en="All agreed, to the yen.", ja="すべて1円単位で一致しました。"
        ),
        "disagreed": Text(en="Not all agreed.", ja="一致しないものがあります。"),
        "seconds": Text(en="{seconds} s", ja="{seconds} 秒"),
    }
)

NOTES: Mapping[str, Text] = {
    "applied": Text(
        en="The consumer is sent to Amazon Pay. Nothing is authorized yet.",
        ja="購入者を Amazon Pay へ遷移させます。与信はまだありません。",
    ),
    "approved": Text(
        en="The consumer approved, and the gateway's signed push says so.",
        ja="購入者が承認し、署名付きの結果通知が届きました。",
    ),
    "captured_in_part": Text(
        en="A part, once. The rest of the authorization, {released}, is released.",
        ja="部分売上は一度だけ。残りの与信 {released} は解放されます。",
    ),
    "reply_lost": Text(
        en="The reply was lost. Nobody guesses: {refunding} stay reserved.",
        ja="応答が失われました。推測はせず、{refunding} を確保したままにします。",
    ),
    "captured_once": Text(
        en="Refused before anything was sent, with every reason:",
        ja="送信前に、すべての理由を付けて拒否しました:",
    ),
    "looked_up": Text(
        en="The gateway had carried it out: {refunded} are refunded, once.",
        ja="決済サーバーでは処理済みでした。返金 {refunded} は一度だけです。",
    ),
    "refunded_more": Text(
        en="Refunds repeat until nothing is left: {left} remain.",
        ja="返金は残高がなくなるまで繰り返せます。残り {left}。",
    ),
    "refunded_rest": Text(
        en="Without an amount it takes all that is left: {left} remain.",
        ja="金額を省くと残り全額です。残り {left}。",
    ),
    "applied_for_consent": Text(
        en="A monthly consent, with a first payment captured at once.",
        ja="毎月の承諾と、初回の与信同時売上です。",
    ),
    "consented": Text(
        en="Two things under one id: a consent, and a payment of {captured}.",
        ja="一つの取引に、承諾と {captured} の決済の二つがあります。",
    ),
    "charged": Text(
        en="A month later, under the consent and a new id: {transaction}.",
        ja="1か月後、承諾のもとで新しい取引 {transaction} を作ります。",
    ),
    "captured_charge": Text(
        en="{transaction} is captured like any payment: {captured}.",
        ja="{transaction} も通常の決済と同じく売上にします: {captured}。",
    ),
    "updated": Text(
        en="The consent now says {agreed} a month.",
        ja="承諾額は毎月 {agreed} になりました。",
    ),
    "terminated": Text(
        en="The consent ends; what was paid stays paid.",
        ja="承諾は終了します。支払い済みの決済はそのままです。",
    ),
    "no_consent": Text(
        en="After the end nothing can be charged:",
        ja="解約後は再与信できません:",
    ),
}
"""By the note of a scene; a denial's reasons follow a note that ends in a colon."""
