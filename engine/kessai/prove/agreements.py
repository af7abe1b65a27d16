"""What may be open on an agreement while a charge begins under it: nothing that ends it.

The agreement's state is asked for when a charge begins, and at no other time. So what
is then open must leave that state, whatever comes of it; else a charge would begin
under an agreement that has ended before the charge is carried out.
"""

from collections.abc import Iterator

from kessai.machine import Machine
from kessai.prove.rules import Rules
from kessai.prove.search import SHALLOW, StateSearch
from kessai.prove.states import ProofState, track_states
from kessai.prove.story import StoryStep
from kessai.spec import Agreement


def is_declared(needed: Agreement, machine: Machine) -> bool:
    """Whether the agreement's lifecycle has the state that is asked for."""
    track = machine.lifecycle.tracks.get(needed.track)
    return track is not None and needed.state in track.states


def ending(needed: Agreement, machine: Machine) -> frozenset[str]:
    """The commands that may be open when a charge begins, and end the agreement."""
    found = {
        command.name
        for command, move, source in machine.lifecycle.moves()
        if (move.track, source) == (needed.track, needed.state)
        and move.target not in {None, source}
    }
    return frozenset(found - set(needed.unless_open))


def is_ending(needed: Agreement, rules: Rules, state: ProofState) -> bool:
    """Whether a charge may begin at `state` of an agreement that is about to end."""
    busy = {command for command, _ in state.open}
    return (
        track_states(rules, state).get(needed.track) == needed.state
        and busy.isdisjoint(needed.unless_open)
        and not busy.isdisjoint(ending(needed, rules.machine))
    )


def paths_to_an_ending(
    needed: Agreement, machine: Machine
) -> Iterator[tuple[StoryStep, ...]]:
    """How an agreement gets there, the shortest way first."""
    rules = Rules(machine)
    search = StateSearch(rules, SHALLOW)
    for state in search.came_by:
        if is_ending(needed, rules, state):
            yield search.path_to(state)
