"""Kumo Pay, a gateway that does not exist: it needs all of the contract's second form.

Commands of two requests, ids that must be learned and sent later, keys that are answered
from memory for a time, totals and no list, notifications that name an id and say no
more, requests signed with time and salt, a consumer who comes back with a token, its own
deadlines and pauses, two currencies, and refunds that come back weeks later.
"""
