/* The vocabulary of the model: three refunds of one captured payment, their trail, and
 * what must hold after every record. The gateway and the wire are in gateway.pml.
 */

#define A 0
#define B 1
#define C 2
#define OTHERS 3 /* the place of all but first callers: a recoverer, a second caller */
#define SHOP 4   /* who begins A in a transaction of its own */

/* A and B are indistinguishable for an inquiry: two refunds of the same amount. Any two
 * of the three fit into what was captured, but not all three.
 */
#define CAPTURED 5
#ifdef DISTINCT
#define AMOUNT(i) ((i) + 1)
#define TWIN(i) (i)
#else
#define AMOUNT(i) ((i) == C -> 3 : 2)
#define TWIN(i) ((i) == C -> C : 1 - (i))
#endif
#define HAS_TWIN(i) (TWIN(i) != (i))

#define BIT(i) (1 << (i))
#define NAME(i) ('A' + (i))
#define EACH(i) i : A .. C

mtype = {
  none,
  prepared, begun, unknown, pending,       /* machine/phase.py: Phase */
  succeeded, declined, never_sent, denied, /* how it can end */
  waiting,                                 /* a caller, for its reply */
  young, late, past_limit,                     /* how long ago a request was sent */
  keep, decline, resend                    /* evidence/absence.py: Missing */
};

/* The trail, folded (machine/evolve.py: evolve): the phase or end of each operation.
 * The answer under its key (flow/effects.py: Recorded) is written in the same change,
 * so it is the same here.
 */
mtype phase[3] = none;
bit resent[3];      /* a Resent was written (machine/events.py: Resent) */
byte counted;       /* the operations whose outcome came from an inquiry's count */

/* Who has seen the present version (flow/effects.py: Change.expected_version). */
byte fresh;

#define SAW(me) (fresh & BIT(me))
#define OPEN(i) (phase[i] == begun || phase[i] == unknown || phase[i] == pending)
#define ENDED(i) \
  (phase[i] == succeeded || phase[i] == declined || phase[i] == never_sent)
#define ANY_OPEN (OPEN(A) || OPEN(B) || OPEN(C))

#define TAKEN(i) \
  ((phase[i] == prepared || OPEN(i) || phase[i] == succeeded) -> AMOUNT(i) : 0)
#define REFUNDED_AND_REFUNDING (TAKEN(A) + TAKEN(B) + TAKEN(C))

/* The words of the story that shows a mistake. */
#define SAY(what, i) printf("| "); printf(what, NAME(i)); printf("\n")
#define SAY_HOW(what, i, how) printf("| "); printf(what, NAME(i)); printf(": %e\n", how)

/* Who the place OTHERS is: the slow recoverer's resend, or a second caller of A. */
#if defined(SLOW_RECOVERER)
byte recovering;
#define others_for recovering
#define others_resent true
#else
#define others_for A
#define others_resent false
#endif

/* What must hold whenever this is reached; the words end the story if it does not. */
#define MUST(words, holds) \
  if \
  :: holds \
  :: else -> printf("| BROKEN: "); printf(words); printf("\n"); assert(false) \
  fi

/* One record is appended; the version moves (stores/protocol.py: Store.append). */
inline append(i, becomes) {
  phase[i] = becomes;
  fresh = 0;
  SAY_HOW("the trail records of %c", i, phase[i]);
  MUST("more money is held than there is", REFUNDED_AND_REFUNDING <= CAPTURED)
}
