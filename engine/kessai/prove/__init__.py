"""Proves that a lifecycle's rules are right, or finds the story that shows them wrong.

    proof = prove(load_shipped("one_time"))
    assert proof.holds, proof.refuted

Nothing is declared for a proof: states, moves, bounds, guards, effects, deadlines and
invariants are those of the file that the engine runs, read from the same compiled
machine and the same expression trees.

Proved, of every transaction, for any amounts, whatever its history, with any number of
operations open at a time:

- `invariant`: each declared invariant holds, and no amount falls below zero, after
  every event: the begin, success and decline of every command (with a move's own
  `commit` where it has one), what was carried out at the gateway alone, what was taken
  back, and deadlines;
- `choice`: a success leads to exactly one state on each track that it moves;
- `reserved`: what a command reserves is gone when its operations have ended;
- `positive`: no command on a transaction takes an amount below 1, nor does a reversal;
- `footing`: a success that the gateway takes back leaves what is open a way to succeed;
- `evidence`: the amount asked for, stated by the gateway at once, is what `reports`
  says;
- `accounted`: the success of what takes an amount accounts for it exactly once: some
  amount becomes it or changes by it, and nothing changes by a multiple of it;
- `overlap`: of any two operations that may be open together, one or the other can
  succeed first without taking the state away from which the second starts;
- `dead_end`: from every state that is not final, with nothing open, some command leads
  nearer to a final one or past a point of no return, with its largest, least or default
  amount, or a deadline does that is running;
- `clock`: wherever the state of a deadline is reached, the deadline is running;
- `give_back`: a command that pays back can pay back the whole rest at once, wherever a
  transaction is not final and has nothing open (or some moves lead to where it can), and
  nothing that it could pay back is taken by a step into a final state;
- `left_over`: where the file accounts for all of an amount, nothing of it is left in a
  final state (`pools`);
- `agreement`: while a charge begins, nothing is open on its agreement that will end it
  (`agreements`);
- `reached`, `moved`: every state is, and every amount that some expression names, by the
  shortest story found, replayed on the real machine.

How. Of the open operations of each command the solver sees how many there are and the
sum of their amounts; one that ends is any of them (`symbols`). Guesses that a short
search suggests (`search`, `lemmas`) are struck out until those that are left are kept
by every event together (`induction`): a wrong guess can only cost a proof, never make
one. What is not proved is searched for, from the beginning of a transaction, and every
story found is replayed by `decide`, `resolve` and `evolve` before it is shown
(`replay`). What is neither proved nor refuted is `open`, with the transaction at which
the proof failed.

The success of an operation that was allowed is followed without the net of `resolve`,
which would make evidence that breaks an invariant, or leads to no single state, a
discrepancy: the rules must not need it. What was carried out at the gateway alone, and what was taken back, is followed
as `resolve_external` would apply it, net included, because no rule allowed it
beforehand; a move that is external alone must account for its amount, too. A reversal may come at any time that its bounds allow, whatever is open.
Where an operation's success finds no move any more (an update reported after the
approval), `resolve` makes it a discrepancy and nothing changes; a proof lists such
pairs as `too_late`.

Assumed: evidence states what the gateway did of an operation; any operation may be
declined; an opening command is the only one of its transaction. A deadline may pass at
any time, or never: what it denies until the transaction has lapsed needs no look, as
nothing but what is open can keep it from lapsing. An agreement whose lifecycle is not
known is taken as given. Not modelled: what parameters other than flags say.
"""

from kessai.prove.ablation import Redundancy, Removal, removals
from kessai.prove.induction import Gap
from kessai.prove.parts import Part, PartKind
from kessai.prove.pasted import as_test
from kessai.prove.proof import Proof, PropertyResult, Verdict, prove
from kessai.prove.replay import Replay
from kessai.prove.states import BrokenProperty
from kessai.prove.story import ProofStory, ReplayedStep, StoryStep, TransitionKind

__all__ = [
    "BrokenProperty",
    "Gap",
    "Part",
    "PartKind",
    "Proof",
    "ProofStory",
    "PropertyResult",
    "Redundancy",
    "Removal",
    "Replay",
    "ReplayedStep",
    "StoryStep",
    "TransitionKind",
    "Verdict",
    "as_test",
    "prove",
    "removals",
]
