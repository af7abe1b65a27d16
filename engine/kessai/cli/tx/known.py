"""The names that a search may give; one that nothing has is a mistake, not none."""

from collections.abc import Iterable

import click

from kessai.cli.terminal.json_line import meant, short
from kessai.flow import Search
from kessai.flow.search import state_names
from kessai.stores import Store


def check_names(store: Store, search: Search) -> None:
    """See that what found nothing could have found something.

    Raises:
        click.UsageError: there is no such name; the message says which there are.

    """
    known = _known_names(store)
    for option, wanted in {
        "state": search.states,
        "lifecycle": filter(None, [search.lifecycle]),
        "account": filter(None, [search.account]),
    }.items():
        _check(f"--{option}", wanted, known[option])


def check_states(store: Store, wanted: Iterable[str], option: str) -> None:
    """See that there are states of these names; else as `check_names`."""
    _check(option, wanted, _known_names(store)["state"])


def _check(option: str, wanted: Iterable[str], names: set[str]) -> None:
    for name in wanted:
        if names and name not in names:
            message = f"{option} {short(name)}: {meant(name, sorted(names))}"
            raise click.UsageError(message)


def _known_names(store: Store) -> dict[str, set[str]]:
    """The names in the store, by option, and those that the shipped lifecycles declare."""
    from kessai.spec import load_shipped, shipped_names  # only after a failed search

    groups = store.status_groups()
    states = {name for group in groups for name in state_names(group.status)}
    lifecycles = {group.lifecycle for group in groups}
    for lifecycle in map(load_shipped, shipped_names()):
        lifecycles.add(lifecycle.name)
        for track in lifecycle.tracks.values():
            for state in track.states:
                states |= {state, f"{track.name}.{state}"}
    accounts = {group.account for group in groups}
    return {"state": states, "lifecycle": lifecycles, "account": accounts}
