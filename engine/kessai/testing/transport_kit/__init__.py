"""The conformance kit for transports: servers that misbehave, and what must come of it.

    check_transport(MyTransport)                      # as a plain function

    class TestMyTransport(TransportConformance):      # or as a suite of pytest's
        def make_transport(self, **options): return MyTransport(**options)

Both kinds are taken, `kessai.Transport` and `kessai.AsyncTransport`. A transport is made
with `tls` (a context to trust, or None for the system's), `seconds` (the deadline of a
request) and `connections` (how many may be in use at once; one without such a limit
ignores it). Every server listens on loopback. A case reads like this:

    def answered_by_a_stranger(trial):
        server = trial.serve(lambda peer: peer.request() and peer.send(b"SSH-2.0-…"))
        may_have_been_sent(trial.open().send(post(server)))
"""
