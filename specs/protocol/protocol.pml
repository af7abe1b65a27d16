/* How kessai carries out an operation: intent, request, outcome. See README.md. */

#define SCRATCH hidden

#include "words.pml"
#include "notification.pml"
#include "gateway.pml"
#include "inquiry.pml"
#include "caller.pml"
#include "recover.pml"

init {
  atomic {
    run Caller(A, A);
    run Caller(B, B);
#if defined(PREPARES)
    run Shop(A);
#endif
#if defined(SAME_KEY)
    run Caller(OTHERS, A);
#elif !defined(TWO)
    run Caller(C, C);
#endif
    run World(A, TWIN(A));
    run World(B, TWIN(B));
    run World(C, TWIN(C));
#if defined(SLOW_RECOVERER)
    run Recoverer()
#endif
  }
}
