"""What a gateway or an operator stated, and what follows from it.

A trail is folded once into attempts (`attempts`): the requests that were sent, what was
reported of each, and what else is known. Everything else asks the attempts, and adds what
follows to a case, which is what they and the transaction are by then:

    inquiry         what an answer to an inquiry means, whatever its form
    attribution     which operation a listed exchange is about
    listing         which listed exchanges are new, and what they change
    absence         what the list leaves out
    notification    what a notification does, before an inquiry and after it
    totals          what follows from totals, where a gateway lists nothing

An outcome enters the trail by `outcome` alone, and `reasons` has a sentence for why
evidence became a discrepancy. Evidence that could not be stored was refused before, by
`kessai.gateway_exchange`. Like the machine beneath it, this package does no I/O and
reads no clock.
"""
