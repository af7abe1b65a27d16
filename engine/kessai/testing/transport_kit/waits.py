"""How long the kit's cases and servers wait, in seconds."""

from typing import Final

USUAL_SECONDS: Final = 30.0
"""The deadline where a case is not about it."""

SHORT_SECONDS: Final = 0.5
"""The deadline where a case waits for it."""

SLACK_SECONDS: Final = 15.0
"""How much later a busy machine may come to see a deadline."""

PATIENCE_SECONDS: Final = 40.0
"""The longest that a server or a child process waits: no transport makes a case hang."""

POLL_SECONDS: Final = 0.02
"""Until a server looks whether its case is over."""
