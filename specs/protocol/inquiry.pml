/* flow/inquiry.py: inquire. What the gateway lists, compared with what the trail
 * accounts for, by counting. It reads `list`, the answer, and `phase`, and leaves the
 * phases that follow in `next`.
 */

SCRATCH mtype list[3];
SCRATCH mtype next[3];
SCRATCH byte j, is_listed, is_known, candidates, in_flight, resolves;
SCRATCH byte progress, lists_pending, unaccounted, from_outside;
SCRATCH byte attributed, unlisted, old, chosen;

#define NOBODY 9
#define NEXT_OPEN(j) (next[j] == begun || next[j] == unknown || next[j] == pending)
#define HAS_NEW (is_listed > is_known)

/* evidence/listing.py: _Worklist._match. Pending operations have certainly arrived and
 * come first, then the one that was sent first: only one that was sent later can still
 * be in flight.
 */
#if defined(ORDER_OF_INTENTS)
#define GOES_BEFORE(j) (next[resolves] != pending && next[j] == pending)
#else
#define GOES_BEFORE(j) \
  ((next[resolves] != pending && next[j] == pending) || \
   ((next[resolves] == pending) == (next[j] == pending) && sent_last == resolves))
#endif

/* evidence/ledger.py: Ledger.new. Among the indistinguishable operations low .. high.
 */
inline count(low, high, outcome) {
  is_listed = 0; is_known = 0; candidates = 0; in_flight = 0; resolves = NOBODY;
  for (j : low .. high) {
    is_listed = is_listed + (list[j] == outcome);
    is_known = is_known + (next[j] == outcome);
    if
    :: NEXT_OPEN(j) && !(outcome == pending && next[j] == pending) ->
       candidates++;
       in_flight = in_flight + (next[j] == begun);
       if
       :: resolves == NOBODY -> resolves = j
       :: resolves != NOBODY && GOES_BEFORE(j) -> resolves = j
       :: else
       fi
    :: else
    fi
  }
}

#if defined(GUESSES_IN_FLIGHT)
#define AMBIGUOUS false
#else
#define AMBIGUOUS (in_flight && is_listed - is_known < candidates)
#endif

/* evidence/listing.py: _Worklist._next, _Worklist._resolved,
 * _Worklist._external */
inline resolve_next(low, high, outcome) {
  if
  :: !progress ->
     count(low, high, outcome);
     if
     :: HAS_NEW && candidates && !AMBIGUOUS ->
        next[resolves] = outcome;
        attributed = attributed | BIT(resolves);
        lists_pending = lists_pending || outcome == pending;
        progress = true
     :: HAS_NEW && !candidates && outcome == succeeded -> from_outside = true
     :: else
     fi
  :: else
  fi
}

inline resolve_twins(low, high) {
  progress = true;
  do
  :: progress ->
     progress = false;
     resolve_next(low, high, succeeded);
     resolve_next(low, high, declined);
     resolve_next(low, high, pending)
  :: else -> break
  od;
  count(low, high, succeeded);
  if :: HAS_NEW -> unaccounted = unaccounted | BIT(low) | BIT(high) :: else fi;
  count(low, high, declined);
  if :: HAS_NEW -> unaccounted = unaccounted | BIT(low) | BIT(high) :: else fi
}

/* evidence/listing.py: resolve_listing */
inline resolve_listing() {
  attributed = 0; lists_pending = false; unaccounted = 0; from_outside = false;
  for (EACH(j)) { next[j] = phase[j] }
#if defined(DISTINCT)
  resolve_twins(A, A);
  resolve_twins(B, B);
#else
  resolve_twins(A, B);
#endif
  resolve_twins(C, C)
}

/* evidence/absence.py: _unlisted. Those of `past_in_flight_limit` that are not listed,
 * and that no listed exchange which has ended nothing yet may be about.
 */
#if defined(NEW_IS_UNLISTED)
#define MAY_BE_LISTED(j) false
#else
#define MAY_BE_LISTED(j) (unaccounted & BIT(j))
#endif

inline find_unlisted(past_in_flight_limit) {
  unlisted = 0;
  for (EACH(j)) {
    if
    :: next[j] == unknown && (past_in_flight_limit & BIT(j)) && !MAY_BE_LISTED(j) ->
       unlisted = unlisted | BIT(j)
    :: else
    fi
  }
  if
  :: list[A] == pending || list[B] == pending || list[C] == pending -> unlisted = 0
  :: else
  fi
}

/* flow/steps.py: write */
inline write() {
  for (EACH(j)) {
    if
    :: next[j] != phase[j] -> append(j, next[j])
    :: else
    fi
  }
  counted = counted | (attributed & (BIT(A) | BIT(B)));
  /* evidence/outcome.py: resolve_external */
  MUST("the gateway did what the trail holds as declined", !from_outside)
}

/* flow/inquiry.py: _presume_unanswered, _no_answer */
#if defined(TIME_DECLINES)
#define NO_ANSWER declined
#else
#define NO_ANSWER unknown
#endif

inline presume_unanswered() {
  for (EACH(j)) {
    if
      :: phase[j] == begun && age[j] != young -> append(j, NO_ANSWER)
    :: else
    fi
  }
}

/* flow/inquiry.py: inquire. How old a request is when the gateway is asked about it. */
#if defined(NO_IN_FLIGHT_LIMIT)
#define IN_FLIGHT_LIMIT_PASSED(j) true
#else
#define IN_FLIGHT_LIMIT_PASSED(j) (age[j] == past_limit)
#endif

inline note_in_flight_limit(those) {
  those = 0;
  for (EACH(j)) {
    if
    :: OPEN(j) && IN_FLIGHT_LIMIT_PASSED(j) -> those = those | BIT(j)
    :: else
    fi
  }
}

/* evidence/absence.py: _presumed_lost.
 * evidence/attribution.py: is_attributed_to_another.
 * An operation that may have been taken for its twin is declined, not sent again.
 */
#if defined(TAKEN_IS_SENT)
#define PRESUMED_LOST(j, missing) (missing == decline)
#else
#define PRESUMED_LOST(j, missing) (missing == decline || \
  (missing == resend && HAS_TWIN(j) && ((counted | attributed) & BIT(TWIN(j)))))
#endif

/* evidence/absence.py: read_listing, Missing; evidence/outcome.py: presumed_lost.
 * Resends go one by one, and the process may die after each.
 */
inline treat_unlisted(missing) {
  chosen = NOBODY;
  for (EACH(j)) {
    if
    :: (unlisted & BIT(j)) && PRESUMED_LOST(j, missing) -> next[j] = never_sent
    :: (unlisted & BIT(j)) && missing == resend && !PRESUMED_LOST(j, missing) &&
       !resent[j] && chosen == NOBODY -> chosen = j
    :: else
    fi
  }
  write()
}
