"""What a gateway or an operator stated, and what follows from it.

A trail is folded once into attempts (`attempts`): the requests that were sent, what was
reported of each, and what else is known. Everything else asks the attempts: whose
exchange an inquiry lists (`attribution`), which of them are new (`listing`), what the
list leaves out (`absence`), what a item may be believed in (`notification`), and
what follows where a gateway states totals and lists nothing (`totals`). An outcome
enters the trail by `outcome` alone, and `reasons` says in a sentence why evidence became
a discrepancy. What could not be kept was refused before, by `kessai.gateway_exchange`.

Like the machine beneath it, this package does no I/O and reads no clock.
"""
