/* flow/inquiry.py: inquire. What the gateway lists, held against what the trail accounts
 * for, by counting: works on `list`, the answer, and makes of `phase` what it is to
 * become, in `next`.
 */

SCRATCH mtype list[3];
SCRATCH mtype next[3];
SCRATCH byte j, is_listed, is_known, candidates, in_flight, resolves;
SCRATCH byte progress, tells_pending, unaccounted, from_outside, told, absent, old, chosen;

#define NOBODY 9
#define NEXT_OPEN(j) (next[j] == begun || next[j] == unknown || next[j] == pending)
#define NEWS (is_listed > is_known)

/* evidence/listing.py: _Worklist._match. Those that are pending have surely arrived
 * and come first, then what was sent first: only what was sent later can still be on its
 * way.
 */
#if defined(ORDER_OF_INTENTS)
#define GOES_BEFORE(j) (next[resolves] != pending && next[j] == pending)
#else
#define GOES_BEFORE(j) \
  ((next[resolves] != pending && next[j] == pending) || \
   ((next[resolves] == pending) == (next[j] == pending) && sent_last == resolves))
#endif

/* evidence/ledger.py: Ledger.new. Among the operations low .. high, which are alike */
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

/* evidence/listing.py: _Worklist.next_events, _Worklist._resolved, _Worklist._external */
inline resolve_next(low, high, outcome) {
  if
  :: !progress ->
     count(low, high, outcome);
     if
     :: NEWS && candidates && !AMBIGUOUS ->
        next[resolves] = outcome;
        told = told | BIT(resolves);
        tells_pending = tells_pending || outcome == pending;
        progress = true
     :: NEWS && !candidates && outcome == succeeded -> from_outside = true
     :: else
     fi
  :: else
  fi
}

inline resolve_alike(low, high) {
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
  if :: NEWS -> unaccounted = unaccounted | BIT(low) | BIT(high) :: else fi;
  count(low, high, declined);
  if :: NEWS -> unaccounted = unaccounted | BIT(low) | BIT(high) :: else fi
}

/* evidence/listing.py: resolve_listing */
inline resolve_facts() {
  told = 0; tells_pending = false; unaccounted = 0; from_outside = false;
  for (EACH(j)) { next[j] = phase[j] }
#if defined(DISTINCT)
  resolve_alike(A, A);
  resolve_alike(B, B);
#else
  resolve_alike(A, B);
#endif
  resolve_alike(C, C)
}

/* evidence/absence.py: _unlisted. Those of `past_in_flight_limit` that are not listed, and that nothing
 * listed may be about which is not resolved yet.
 */
#if defined(NEWS_IS_ABSENCE)
#define MAY_BE_LISTED(j) false
#else
#define MAY_BE_LISTED(j) (unaccounted & BIT(j))
#endif

inline find_absent(past_in_flight_limit) {
  absent = 0;
  for (EACH(j)) {
    if
    :: next[j] == unknown && (past_in_flight_limit & BIT(j)) && !MAY_BE_LISTED(j) ->
       absent = absent | BIT(j)
    :: else
    fi
  }
  if
  :: list[A] == pending || list[B] == pending || list[C] == pending -> absent = 0
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
  counted = counted | (told & (BIT(A) | BIT(B)));
  /* evidence/outcome.py: resolve_external */
  MUST("the gateway did what the trail denies", !from_outside)
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
#define IN_FLIGHT_LIMIT_PASSED(j) (age[j] == fenced)
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

/* evidence/absence.py: _presumed_lost; evidence/attribution.py: is_attributed_to_another.
 * What may have been taken for its twin is declined, not sent again.
 */
#if defined(TAKEN_IS_SENT)
#define GIVEN_UP(j, missing) (missing == decline)
#else
#define GIVEN_UP(j, missing) (missing == decline || \
  (missing == resend && HAS_TWIN(j) && ((counted | told) & BIT(TWIN(j)))))
#endif

/* evidence/absence.py: read_listing, Missing; evidence/outcome.py: presumed_lost. Whoever resends
 * takes them one by one, and may die after each.
 */
inline treat_absent(missing) {
  chosen = NOBODY;
  for (EACH(j)) {
    if
    :: (absent & BIT(j)) && GIVEN_UP(j, missing) -> next[j] = never_sent
    :: (absent & BIT(j)) && missing == resend && !GIVEN_UP(j, missing) &&
       !resent[j] && chosen == NOBODY -> chosen = j
    :: else
    fi
  }
  write()
}
