"""The solver's part: which lemmas hold of every transaction, and what follows from them.

A lemma that some transition does not keep is struck out, until all that are left are
kept by every transition together. What remains holds of every transaction whatever its
history, by induction over its events.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from kessai.limits import SOLVER_UNITS
from kessai.prove.algebra import Truth
from kessai.prove.lemmas import Lemma
from kessai.prove.symbols import Symbols, Transition, readable


@attrs.frozen
class Gap:
    """Where induction failed: a transaction that may not even be reachable."""

    kind: str
    name: str
    before: str
    after: str


@attrs.frozen(eq=False)
class _Kept:
    """A lemma, its term, and the names that it hangs on."""

    lemma: Lemma
    term: Truth
    names: frozenset[str]


class _ObservedNames(dict[str, Any]):
    """Names that remember which of them were asked for."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(names)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


class Induction:
    """The lemmas that hold together, and questions about what follows from them.

    With `only`, the transitions of that command alone are asked: right where the others
    are known to keep all of `lemmas`, and to be taken for nothing if one is struck out.
    """

    def __init__(
        self, symbols: Symbols, kept: Iterable["_Kept"], only: str | None = None
    ) -> None:
        self.symbols = symbols
        self.transitions = tuple(symbols.transitions(only))
        self.gaps: dict[str, Gap] = {}
        self._z3 = symbols.z3
        self._kept = list(kept)
        while self._struck():
            pass
        self._solver = self._fresh(inductive=True)

    @classmethod
    def of(cls, symbols: Symbols, lemmas: Iterable[Lemma]) -> "Induction":
        """What is kept of `lemmas`."""
        return cls(symbols, [_read(symbols, lemma) for lemma in lemmas])

    def again(self, symbols: Symbols, only: str | None = None) -> "Induction":
        """What is kept of the same lemmas by another lifecycle with the same names."""
        return Induction(symbols, self._kept, only)

    @property
    def lemmas(self) -> tuple[Lemma, ...]:
        """What holds of every transaction."""
        return tuple(kept.lemma for kept in self._kept)

    @property
    def proved(self) -> frozenset[str]:
        """The declared invariants among them, and the amounts never below zero."""
        return frozenset(lemma.name for lemma in self.lemmas if lemma.name)

    def never(self, condition: Truth) -> Mapping[str, int] | None:
        """None if no reachable transaction fulfils `condition`; else one that may."""
        self._solver.push()
        try:
            self._solver.add(condition)
            verdict = self._solver.check()
            if verdict == self._z3.unsat:
                return None
            if verdict == self._z3.unknown:
                return {}
            return self._values(self._solver.model())
        finally:
            self._solver.pop()

    def may(self, condition: Truth) -> bool:
        """Whether `condition` is not excluded."""
        return self.never(condition) is not None

    def shown(self, values: Mapping[str, int]) -> str:
        """`values` as a person reads them."""
        return readable(self.symbols.rules, values) if values else ""

    def _fresh(self, *, inductive: bool) -> Any:
        solver = self._z3.SimpleSolver()
        solver.set("rlimit", SOLVER_UNITS)
        if inductive:
            solver.add(*self.symbols.axioms())
            solver.add(*(kept.term for kept in self._kept))
        return solver

    def _struck(self) -> bool:
        """Strike out what some transition does not keep; whether anything was."""
        inductive, first = self._fresh(inductive=True), self._fresh(inductive=False)
        found = False
        for transition in self.transitions:
            solver = first if transition.is_first else inductive
            while self._is_not_kept(solver, transition):
                found = True
        return found

    def _is_not_kept(self, solver: Any, transition: Transition) -> bool:
        """Strike out what `transition` does not keep, if there is such a lemma."""
        z3 = self._z3
        names = self.symbols.names
        changes = [(names[name], term) for name, term in transition.after.items()]
        changed = frozenset(transition.after)
        touched = [kept for kept in self._kept if kept.names & changed]
        after = _replaced(z3, _all_of(z3, [kept.term for kept in touched]), changes)
        solver.push()
        solver.add(transition.when, z3.Not(after))
        verdict = solver.check()
        model = solver.model() if verdict == z3.sat else None
        solver.pop()
        if verdict == z3.unsat:
            return False
        for kept in touched:
            then = _replaced(z3, kept.term, changes)
            if model is None or not z3.is_true(model.eval(then, model_completion=True)):
                self._kept.remove(kept)
                self._note(kept.lemma, transition, model, changes)
        return True

    def _note(
        self, lemma: Lemma, transition: Transition, model: Any, changes: list[Any]
    ) -> None:
        if not lemma.name or lemma.name in self.gaps:
            return
        before = after = ""
        if model is not None:
            names = self.symbols.names
            changed = {n: _replaced(self._z3, t, changes) for n, t in names.items()}
            if not transition.is_first:
                before = self.shown(self._values(model))
            after = self.shown(self._values(model, changed))
        self.gaps[lemma.name] = Gap(transition.kind, transition.name, before, after)

    def _values(
        self, model: Any, names: Mapping[str, Any] | None = None
    ) -> dict[str, int]:
        return dict(self._each_value(model, names or self.symbols.names))

    def _each_value(
        self, model: Any, names: Mapping[str, Any]
    ) -> Iterator[tuple[str, int]]:
        for name, term in names.items():
            value = model.eval(term, model_completion=True)
            is_bool = self._z3.is_bool(value)
            yield name, int(self._z3.is_true(value)) if is_bool else value.as_long()


def _read(symbols: Symbols, lemma: Lemma) -> _Kept:
    names = _ObservedNames(symbols.names)
    term = lemma.holds(symbols.terms, names)
    return _Kept(lemma, term, frozenset(names.read))


# ── the solver's C interface, where its Python one would take most of the time ────────


def _all_of(z3: Any, terms: list[Truth]) -> Truth:
    """`z3.And(terms)`, of terms that are known to be truths already."""
    if not terms:
        return z3.BoolVal(val=True)
    context = terms[0].ctx
    asts = (z3.Ast * len(terms))(*(term.as_ast() for term in terms))
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), len(terms), asts), context)


def _replaced(z3: Any, term: Any, changes: list[tuple[Any, Any]]) -> Any:
    """`z3.substitute(term, *changes)`, of changes that are known to fit."""
    context, count = term.ctx, len(changes)
    before = (z3.Ast * count)(*(name.as_ast() for name, _ in changes))
    after = (z3.Ast * count)(*(value.as_ast() for _, value in changes))
    made = z3.Z3_substitute(context.ref(), term.as_ast(), count, before, after)
    return type(term)(made, context)
