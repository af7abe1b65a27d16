"""What a lifecycle file declares, as frozen objects. Each names the rule it comes from.

Amounts are integers in minor units of a currency of the lifecycle; durations are
seconds. States are written `track.state`, as in the files.
"""

import re
from collections.abc import Iterator, Mapping

import attrs

from kessai.money import Currency
from kessai.spec.expression import AmountEffect, Expression
from kessai.spec.parameters import FlagParameter, Parameter
from kessai.words import Text

LONGEST_NAME = 64
NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}")
"""The names that a file may declare and a request may use."""


@attrs.frozen(kw_only=True)
class Track:
    """One of the parallel state machines of a lifecycle.

    `declined` is the state in which a declined opening command ends.
    """

    name: str
    title: Text
    initial: str
    declined: str
    final: frozenset[str]
    states: Mapping[str, Text]


@attrs.frozen(kw_only=True)
class Guard:
    """A condition on a command; its `code` is also the code of the denial."""

    code: str
    holds: Expression
    rule: str
    text: Text


@attrs.frozen(kw_only=True)
class Move:
    """From where a command may start on a track, and where its success leads.

    `target` None means that the state stays. `when` chooses between moves after the
    commit; `commit`, if given, replaces the command's own. An `external` one is never
    asked for: it says what becomes of the gateway's doing the command unasked, and may
    start in a final state, as when money arrives after a payment has expired.
    """

    track: str
    sources: tuple[str, ...]
    target: str | None
    rule: str
    when: Expression | None = None
    guards: tuple[str, ...] = ()
    commit: tuple[AmountEffect, ...] | None = None
    external: bool = False


@attrs.frozen(kw_only=True)
class AmountRange:
    """The amounts a command takes; `default` None means that it must be given."""

    minimum: Expression
    maximum: Expression
    default: Expression | None
    rule: str


@attrs.frozen(kw_only=True)
class Opening:
    """A track that an opening command opens, always or `when` a flag says so."""

    track: str
    when: Expression | None = None


@attrs.frozen(kw_only=True)
class Agreement:
    """The agreement that an opening command needs, if it opens a charge under one.

    It must be a transaction of `lifecycle` with `track` in `state`, and none of the
    commands in `unless_open` may have an open operation.
    """

    lifecycle: str
    track: str
    state: str
    unless_open: tuple[str, ...]
    rule: str


def _opens_any(command: "CommandSpec") -> bool:
    return bool(command.opens)


@attrs.frozen(kw_only=True)
class Abandonment:
    """For how many `seconds` the gateway lets the consumer finish an opening command."""

    seconds: int
    rule: str


@attrs.frozen(kw_only=True)
class CommandSpec:
    """A command of the lifecycle: when it is possible, and what it does to amounts.

    `amount` has the range of amounts that it takes, by currency; None if it takes none.
    `opens` is filled for an opening command: it begins a transaction. `alongside` lists
    commands whose open operations do not exclude it. `reads` marks a command that never
    blocks and never changes a state. `reports` is the amount that the gateway's
    evidence must state; None for commands that move no amount. `abandoned` is when an
    opening command that nobody finished counts as declined; None if never.
    """

    name: str
    title: Text
    rule: str
    moves: tuple[Move, ...]
    opens: tuple[Opening, ...] = ()
    amount: Mapping[str, AmountRange] | None = None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    agreement: Agreement | None = None
    alongside: frozenset[str] = frozenset()
    reads: bool = False
    reserve: tuple[AmountEffect, ...] = ()
    commit: tuple[AmountEffect, ...] = ()
    release: tuple[AmountEffect, ...] = ()
    reports: Expression | None = None
    abandoned: Abandonment | None = None
    is_opening: bool = attrs.field(
        init=False, default=attrs.Factory(_opens_any, takes_self=True)
    )
    """Whether the command begins a transaction."""

    @property
    def is_asked_for(self) -> bool:
        """Whether anybody here may ask for it: a dispute is decided by the bank."""
        return any(not move.external for move in self.moves)

    def rule_places(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every part of the command that names a rule of its own."""
        for rule in dict.fromkeys(one.rule for one in (self.amount or {}).values()):
            yield ("amount",), rule
        if self.agreement is not None:
            yield ("agreement",), self.agreement.rule
        if self.abandoned is not None:
            yield ("abandoned",), self.abandoned.rule
        for number, move in enumerate(self.moves):
            yield ("moves", number), move.rule


@attrs.frozen(kw_only=True)
class Deadline:
    """How long a state lasts, which commands it then denies, and where it leads.

    `seconds` count from the last success of a command in `starts`. `code` is the code
    of the denial once it has passed.
    """

    name: str
    track: str
    state: str
    target: str
    seconds: int
    starts: frozenset[str]
    denies: frozenset[str]
    code: str
    rule: str
    text: Text
    commit: tuple[AmountEffect, ...] = ()


@attrs.frozen(kw_only=True)
class Invariant:
    """A condition that holds after every event, whatever the history."""

    name: str
    holds: Expression
    rule: str


@attrs.frozen(kw_only=True)
class Identifier:
    """What the merchant's order id may be."""

    characters: str
    max_characters: int
    rule: str

    @property
    def sample(self) -> str:
        """An id that is allowed, the shortest one."""
        return self.characters[0]


@attrs.frozen(kw_only=True)
class Rule:
    """A rule of the source: the sentence of its code, and its place in the source."""

    code: str
    text: Text
    source: str


def rule_codes(rule: str) -> tuple[str, ...]:
    """The codes that a declaration names as its `rule`: of `O2, R3` both."""
    return tuple(rule.split(", "))


@attrs.frozen(kw_only=True)
class Lifecycle:
    """One lifecycle file with what it includes.

    `hash` is the SHA-256 (hex) of the canonical JSON of the whole declaration: events
    are bound to it. `document` is that JSON, enough to rebuild the lifecycle.
    `currencies` are those that a transaction may be in, by code, sorted. `reversals`
    are by the command that the gateway may take back later; each is like a command that
    nobody asks for.
    """

    name: str
    title: Text
    source: str
    currencies: Mapping[str, Currency]
    identifier: Identifier
    tracks: Mapping[str, Track]
    amounts: Mapping[str, Text]
    parameters: Mapping[str, Parameter]
    guards: Mapping[str, Guard]
    commands: Mapping[str, CommandSpec]
    deadlines: Mapping[str, Deadline]
    invariants: Mapping[str, Invariant]
    rules: Mapping[str, Rule] = attrs.field(factory=dict[str, Rule])
    reversals: Mapping[str, CommandSpec] = attrs.field(factory=dict[str, CommandSpec])
    hash: str = ""
    document: bytes = attrs.field(default=b"", repr=False)

    @property
    def flags(self) -> tuple[str, ...]:
        """The parameters that expressions may name, worth 1 or 0."""
        declared = self.parameters.values()
        return tuple(p.name for p in declared if isinstance(p, FlagParameter))

    def rule_places(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every place in the file that names its rule, with what it names."""
        yield ("transaction",), self.identifier.rule
        for section in attrs.fields(Lifecycle):
            declared = getattr(self, section.name)
            if isinstance(declared, Mapping):
                for name, one in declared.items():
                    if hasattr(one, "rule"):
                        yield (section.name, name), one.rule
        for table, change in self.changes:
            for part, rule in change.rule_places():
                yield (table, change.name, *part), rule

    def rules_named(self) -> tuple[Rule, ...]:
        """The rules that its declarations name, in the order of their table."""
        codes = {code for _, rule in self.rule_places() for code in rule_codes(rule)}
        return tuple(rule for rule in self.rules.values() if rule.code in codes)

    def currency(self, code: str | None) -> Currency | None:
        """The currency called `code`; the only one there is where none is named."""
        if not code and len(self.currencies) == 1:
            return next(iter(self.currencies.values()))
        return self.currencies.get(code or "")

    def in_currency(self, code: str) -> "Lifecycle":
        """The lifecycle with `code` as its only currency; its hash stays the same."""

        def only(spec: CommandSpec) -> CommandSpec:
            amount = spec.amount and {code: spec.amount[code]}
            return attrs.evolve(spec, amount=amount)

        return attrs.evolve(
            self,
            currencies={code: self.currencies[code]},
            commands={name: only(spec) for name, spec in self.commands.items()},
            reversals={name: only(spec) for name, spec in self.reversals.items()},
        )

    @property
    def changes(self) -> Iterator[tuple[str, CommandSpec]]:
        """All that changes a transaction, with its section of the file."""
        yield from (("commands", command) for command in self.commands.values())
        yield from (("reversals", reversal) for reversal in self.reversals.values())

    def moves(
        self, section: str = "commands"
    ) -> Iterator[tuple[CommandSpec, Move, str]]:
        """Every (command, move, source state) of `section`: or that of `reversals`."""
        for of, change in self.changes:
            for move in change.moves if of == section else ():
                for source in move.sources:
                    yield change, move, source
