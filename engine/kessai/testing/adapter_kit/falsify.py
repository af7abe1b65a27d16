"""Searching for an example that goes wrong, with Hypothesis: the smallest one."""

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from kessai.testing.adapter_kit.members import leaves, replaced, tree_of
from kessai.testing.adapter_kit.stories import AdapterRaised, ConformanceFinding

_T = TypeVar("_T")


_PATIENT = (
    *(HealthCheck.too_slow, HealthCheck.data_too_large),
    *(HealthCheck.filter_too_much, HealthCheck.large_base_example),
)


def counterexample(
    strategy: st.SearchStrategy[_T], is_wrong: Callable[[_T], bool], examples: int
) -> _T | None:
    """The smallest of `strategy` that is wrong; None if `examples` of them are right.

    Every run searches the same examples: a conformance test must not fail now and
    then.
    """
    careful = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=_PATIENT,
    )
    try:
        return find(strategy, is_wrong, settings=careful)
    except NoSuchExample:
        return None


def is_broken(findings: Iterable[ConformanceFinding]) -> bool:
    """Whether there is a finding, or the adapter raises when it is asked."""
    try:
        return any(True for _ in findings)
    except AdapterRaised:
        return True


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([2**63, 2**64, 10**400, "1e3", "-1", "\ud800", "\0", " "]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def bodies() -> st.SearchStrategy[bytes]:
    """Any bytes, and any JSON."""
    return st.binary() | _JSON.map(lambda value: json.dumps(value).encode())


@st.composite
def mutants(draw: st.DrawFn, recorded: list[bytes]) -> bytes:
    """A recorded body with something else in one place."""
    body = draw(st.sampled_from(recorded))
    tree = tree_of(body)
    places = [] if tree is None else leaves(tree)
    changes_a_member = draw(st.booleans())
    if places and changes_a_member:
        path = draw(st.sampled_from([path for path, _ in places]))
        value = draw(_JSON)
        try:
            return replaced(tree, path, value)
        except UnicodeEncodeError:
            return replaced(tree, path, None)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 16)))
    return body[:start] + draw(st.binary(max_size=16)) + body[end:]
