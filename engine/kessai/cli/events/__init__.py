"""`kessai events`: what happened, followed on a terminal or sent as webhooks."""
