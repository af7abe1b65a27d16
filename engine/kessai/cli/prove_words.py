"""How proofs are told, in both languages: properties, stories, reasons."""

from collections.abc import Iterator, Mapping

from kessai.prove import Finding, Kind, Moment, Reason, Removal, Step, Story, Told
from kessai.spec import Lifecycle, Text

PROPERTIES: Mapping[str, Text] = {
    "invariant": Text("invariants hold", "不変条件が常に成り立つ"),
    "choice": Text("a success leads to one state", "成功後の状態が一つに決まる"),
    "reserved": Text("nothing stays reserved", "引当が残らない"),
    "positive": Text("only amounts above zero", "金額は常に正"),
    "evidence": Text("the amount asked for fits", "要求した金額の証拠が合う"),
    "overlap": Text("what overlaps can all succeed", "並行する処理はすべて成功できる"),
    "footing": Text(
        "what is taken back hinders nothing open", "差戻しが処理中のものを妨げない"
    ),
    "dead_end": Text("no dead ends", "行き止まりがない"),
    "give_back": Text("all can be paid back", "全額を戻せる"),
    "reached": Text("every state is reached", "すべての状態に到達できる"),
}
"""What is proved, as a heading says it."""

_CLAIMS: Mapping[str, Text] = {
    "invariant": Text("'{subject}' always holds", "「{subject}」が常に成り立つ"),
    "amount": Text("{subject} never falls below zero", "{subject}が負にならない"),
    "choice": Text(
        "{subject} leads to exactly one state", "{subject}の成功後の状態が一つに決まる"
    ),
    "reserved": Text(
        "nothing is left in {subject} when its operations have ended",
        "処理が終われば{subject}は残らない",
    ),
    "positive": Text(
        "{subject} takes only amounts above zero", "{subject}の金額は常に正である"
    ),
    "evidence": Text(
        "evidence of {subject} with the amount asked for fits",
        "要求どおりの金額の{subject}の証拠が受け入れられる",
    ),
    "overlap": Text(
        "{subject}, open together, can both succeed",
        "同時に未完了の{subject}は両方とも成功できる",
    ),
    "footing": Text(
        "the success of what was begun can be applied",
        "開始した処理の成功を反映できる",
    ),
    "dead_end": Text(
        "something always leads on from {subject}", "{subject}から必ず先へ進める"
    ),
    "give_back": Text(
        "{subject} can always pay back all that is left",
        "{subject}で残額をいつでも全額戻せる",
    ),
    "reached": Text("{subject} is reached", "{subject}に到達できる"),
}

REASONS: Mapping[Reason, Text] = {
    Reason.NEVER_MEET: Text(
        "the one is never open where the other can begin",
        "一方が未完了のとき、他方は開始できる状態にない",
    ),
    Reason.IMPLIED: Text(
        "what else is declared denies the same", "ほかの宣言が同じものを拒否する"
    ),
    Reason.READS: Text("the command changes nothing", "このコマンドは何も変更しない"),
    Reason.TIME: Text(
        "amounts are right at any time (rule: {rule})",
        "金額は時刻によらず正しい（規則: {rule}）",
    ),
    Reason.OTHER_TRANSACTION: Text(
        "it is about the agreement, not these amounts (rule: {rule})",
        "この取引の金額ではなく承諾取引に関する宣言（規則: {rule}）",
    ),
    Reason.UNNEEDED: Text(
        "all is still proved: no property rests upon it (rule: {rule})",
        "なくてもすべて証明できる（規則: {rule}）",
    ),
}
"""Why nothing that is proved is lost without a rule."""

KINDS: Mapping[Kind, Text] = {
    Kind.GUARD: Text("guard", "ガード"),
    Kind.MINIMUM: Text("smallest amount", "下限"),
    Kind.MAXIMUM: Text("largest amount", "上限"),
    Kind.EXCLUSION: Text("not while open:", "同時不可"),
    Kind.RESERVE: Text("reserve", "引当"),
    Kind.COMMIT: Text("commit", "確定"),
    Kind.RELEASE: Text("release", "解放"),
    Kind.CONDITION: Text("when", "条件"),
    Kind.DENIAL: Text("denies", "期限後の拒否"),
    Kind.AGREEMENT: Text("agreement", "承諾"),
}
"""What was left out."""

_STEPS: Mapping[Moment, Text] = {
    Moment.BEGINS: Text("{what} is begun", "{what} を開始"),
    Moment.SUCCEEDS: Text("{what} succeeds", "{what} が成功"),
    Moment.DECLINES: Text("{what} is declined", "{what} が失敗"),
    Moment.ELSEWHERE: Text(
        "{what}, carried out at the gateway", "{what}（決済代行側での操作）"
    ),
    Moment.REVERSES: Text(
        "{what}, taken back by the gateway", "{what}（決済代行側での差戻し）"
    ),
    Moment.LAPSES: Text("the deadline {what} passes", "期限 {what} が経過"),
}
_REFUSED = Text("put aside: {codes}", "不一致として保留: {codes}")


def claim(lifecycle: Lifecycle, kind: str, subject: str, language: str) -> str:
    """The property `kind` of `subject`, as a sentence."""
    if kind == "invariant" and subject in lifecycle.invariants:
        subject = lifecycle.invariants[subject].holds.text
    elif kind == "invariant":
        kind = "amount"
    return _CLAIMS[kind].in_language(language).format(subject=subject)


def subjects(findings: list[Finding]) -> str:
    """What a property was proved of, with the rules it rests upon, in a line."""
    declared = [f for f in findings if f.rule or f.property != "invariant"]
    parts = [f"{f.subject} ({f.rule})" if f.rule else f.subject for f in declared]
    return ", ".join(parts)


def step_words(step: Step, story: Story, language: str) -> str:
    """A step as a sentence."""
    what = [step.name]
    if step.amount is not None:
        what.append(story.currency.show(step.amount))
    if step.flags:
        what.append(f"({', '.join(step.flags)})")
    return _STEPS[step.moment].in_language(language).format(what=" ".join(what))


def standing(told: Told, language: str) -> str:
    """Where the transaction stands after a step."""
    states = " ".join(f"{track}.{state}" for track, state in told.states.items())
    amounts = [f"{name} {amount:,}" for name, amount in told.amounts.items() if amount]
    shown = "  ".join(part for part in (states, ", ".join(amounts)) if part)
    if not told.refused:
        return shown
    codes = _REFUSED.in_language(language).format(codes=", ".join(told.refused))
    return f"{shown}  [{codes}]"


def story_lines(story: Story, language: str) -> Iterator[tuple[str, str, str]]:
    """A story, a step a row: number, what happens, where the transaction then stands."""
    for number, told in enumerate(story.told, 1):
        sentence = step_words(told.step, story, language)
        yield str(number), sentence, standing(told, language)


def in_short(story: Story, language: str) -> str:
    """A story in a line: commands that succeed, others with what came of them."""
    ended = {step.operation for step in story.steps if step.moment is Moment.SUCCEEDS}
    parts: list[str] = []
    for step in story.steps:
        amount = "" if step.amount is None else f" {step.amount:,}"
        flags = "".join(f" +{flag}" for flag in step.flags)
        match step.moment:
            case Moment.DECLINES:
                parts[-1] = f"{step.name}{amount} ✗"
            case Moment.SUCCEEDS:
                pass
            case Moment.BEGINS:
                still = "" if step.operation in ended else " …"
                parts.append(f"{step.name}{amount}{flags}{still}")
            case _:
                parts.append(step_words(step, story, language))
    return " → ".join(parts)


def reason_words(removal: Removal, language: str) -> str:
    """Why nothing is lost without the part."""
    if removal.reason is None:
        return ""
    text = REASONS[removal.reason].in_language(language)
    return text.format(rule=removal.part.rule)
