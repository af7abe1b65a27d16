#!/usr/bin/env bash
# transitions 0.9.3 lets a machine leave a state that is marked final.
#
# Guess: a final state has no way out: a transition from "*" leaves it out, and one that is
#        declared from it is refused.
# Seen:  `final` only calls `on_final` on entering. The wildcard includes final states, a
#        transition from one is taken, and so is the automatic `to_open`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet transitions==0.9.3
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from transitions import Machine

for trigger in ("cancel", "reopen", "to_open"):
    payment = Machine(
        states=["open", {"name": "refunded", "final": True}],
        initial="open",
        transitions=[["refund", "open", "refunded"], ["cancel", "*", "open"]],
    )
    payment.add_transition("reopen", "refunded", "open")
    payment.refund()
    print(payment.state, trigger, getattr(payment, trigger)(), payment.state)
PYTHON
diff "$folder/seen" <(
  printf 'refunded cancel True open\nrefunded reopen True open\nrefunded to_open True open\n'
)
echo "as found: a final state is left by a wildcard, by name, and automatically"
