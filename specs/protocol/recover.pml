/* flow/recover.py: recover_due, recover. Recoverers, with and without a lease, each
 * with its own choice of what becomes of unlisted operations (evidence/absence.py:
 * Missing).
 */

bit leased; /* the last lease is the slow recoverer's (flow/effects.py: Lease) */

/* machine/transaction.py: Operation.sent_at. A resent operation is young again. */
inline forget_resent(those) {
  for (EACH(j)) {
    if :: resent[j] -> those = those & ~BIT(j) :: else fi
  }
}

inline ask_gateway() {
  for (EACH(j)) { list[j] = listed[j] }
}

/* flow/recover.py: _intend. That a request goes out once more is an event. */
inline write_resent(i) {
#if defined(RESEND_UNRECORDED)
  skip
#else
  intend(i);
  resent[i] = true;
  SAY("it is written that %c is sent again", i);
  append(i, begun)
#endif
}

/* Its request is sent, and its sender dies before the reply. */
inline send_alone(i) {
  SAY("%c's request is sent again", i);
  on_the_way[i]++
}

#define AT_REST(i) \
  (!on_the_way[i] && listed[i] != pending && (!OPEN(i) || age[i] == past_limit))
#define SUM(array) \
  ((array[A] == succeeded) * AMOUNT(A) + (array[B] == succeeded) * AMOUNT(B) \
   + (array[C] == succeeded) * AMOUNT(C))

/* What is done in one step: any number of recoverers, and of other inquiries, at any
 * time. They take the lease: its holder may have slept beyond its end.
 */
active proctype Recoverers() {
  mtype missing = keep;
end:
  do
  /* Without recovery, after a notification or a reply that asks for an inquiry: nothing
   * is presumed. */
  :: d_step { ANY_OPEN ->
       ask_gateway(); resolve_listing(); write()
     }

#if defined(PREPARES)
  /* flow/recover.py: _send_prepared. What nobody has carried out; the gateway is asked
   * first. */
  :: atomic { phase[A] == prepared ->
       d_step { ask_gateway(); resolve_listing(); write() }
       if
       :: write_sent(A); send_alone(A)
       :: append(A, never_sent)
       fi
     }
#endif

  :: atomic { ANY_OPEN ->
       if
       :: missing = keep
#if !defined(ONLY_RESENDS)
       :: missing = decline
#endif
       :: missing = resend
       fi;
       d_step {
         leased = false;
         presume_unanswered();
         note_in_flight_limit(old);
         ask_gateway(); resolve_listing(); find_unlisted(old);
         treat_unlisted(missing);
         if
         :: chosen != NOBODY -> write_resent(chosen); send_alone(chosen)
         :: else
         fi;
         missing = keep
       }
     }

  /* What must hold in the end: as soon as all is past the in-flight limit, and nothing
   * is pending at the gateway, one recovery resolves everything, and the books agree.
   */
  :: d_step { AT_REST(A) && AT_REST(B) && AT_REST(C) ->
       if
       :: phase[A] == prepared -> append(A, never_sent) /* it is too late to send it */
       :: else
       fi;
       presume_unanswered();
       ask_gateway(); resolve_listing(); find_unlisted(BIT(A) | BIT(B) | BIT(C));
       treat_unlisted(decline);
       MUST("an operation is never resolved", !ANY_OPEN);
       MUST("the books do not agree with the gateway's", SUM(phase) == SUM(listed))
     }
  od
}

#if defined(SLOW_RECOVERER)
#if defined(STALE_LEASE_WRITES)
#define MAY_WRITE true
#else
/* stores/memory.py: MemoryStore._check_lease */
#define MAY_WRITE (!has_lease || leased)
#endif

/* flow/inquiry.py: _apply; evidence/inquiry.py: _may_be_outdated. If the answer is older
 * than the trail, and what has happened since could change what it means, the gateway
 * must be asked again.
 */
#if defined(STALE_ABSENCE)
#define MAY_BE_STALE lists_pending
#else
#define MAY_BE_STALE (lists_pending || unlisted)
#endif

/* One that may sleep between any two steps, or die: then another one begins anew. */
proctype Recoverer() {
  mtype missing = keep;
  mtype answer[3];
  byte was_old;
  bit has_lease;

end_claim:
  atomic {
    ANY_OPEN ->
    if
    :: has_lease = true
#if !defined(LEASED_ONLY)
    :: has_lease = false /* after a notification: no lease, and nothing is presumed */
#endif
    fi;
    d_step {
      if
      :: has_lease ->
         leased = true;
         printf("| a slow recoverer takes the lease\n");
         presume_unanswered();
         note_in_flight_limit(was_old)
      :: else
      fi;
      fresh = fresh | BIT(OTHERS)
    }
  }
  if
  :: d_step { true -> for (EACH(j)) { answer[j] = listed[j] } }
  :: goto rest
  fi;
  if
  :: atomic {
       MAY_WRITE ->
       if
       :: missing = keep
       :: has_lease -> missing = decline
       :: has_lease -> missing = resend
       fi;
       d_step {
#if defined(IN_FLIGHT_LIMIT_WHEN_READ)
         note_in_flight_limit(was_old);
#else
         forget_resent(was_old);
#endif
         for (EACH(j)) { list[j] = answer[j]; answer[j] = none }
         resolve_listing(); find_unlisted(was_old);
         chosen = NOBODY;
         if
         :: SAW(OTHERS) || !MAY_BE_STALE -> treat_unlisted(missing)
         :: else
         fi;
         was_old = 0; missing = keep;
         recovering = (chosen == NOBODY -> A : chosen);
         missing = (chosen == NOBODY -> keep : resend)
       }
     }
  :: goto rest
  fi;
  if
  :: atomic { missing == resend && MAY_WRITE && phase[recovering] == unknown &&
              !resent[recovering] ->
       write_resent(recovering) }
  :: goto rest
  fi;
  if
  :: atomic { age[recovering] == young -> send(OTHERS, recovering) }
  :: goto rest
  fi;
  if
  :: atomic { reply[OTHERS] != waiting -> conclude(recovering, true, reply[OTHERS]) }
  :: goto rest
  fi;
rest:
  atomic {
    reply[OTHERS] = none; recovering = A; missing = keep; was_old = 0;
    fresh = fresh & ~BIT(OTHERS);
    for (EACH(j)) { answer[j] = none }
    if :: has_lease -> leased = false :: else fi;
    has_lease = false;
    goto end_claim
  }
}
#endif
