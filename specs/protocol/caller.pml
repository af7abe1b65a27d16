/* flow/execute.py: execute. One command: decide, write the intent, send, write the
 * outcome. Between any two steps the process may sleep, or die: then it takes no
 * further step, and nothing in the model waits for it.
 */

/* machine/decide.py: decide. The bounds of the shipped refund: what open operations
 * have reserved cannot be refunded once more.
 */
#if defined(RESERVATION_NOT_HELD)
#define LEFT_OF(i) (phase[i] == succeeded -> AMOUNT(i) : 0)
#define FITS(i) (LEFT_OF(A) + LEFT_OF(B) + LEFT_OF(C) + AMOUNT(i) <= CAPTURED)
#else
#define FITS(i) (REFUNDED_AND_REFUNDING + AMOUNT(i) <= CAPTURED)
#endif

/* flow/effects.py: Change.expected_version */
#if defined(NO_VERSION_CHECK)
#define UNMOVED(me) true
#else
#define UNMOVED(me) SAW(me)
#endif

/* What is done with an intent that was written after all (flow/steps.py:
 * _commit_again).
 */
#if defined(FOUND_IS_SENT)
#define FOUND send_it
#else
#define FOUND end_over
#endif

/* Twins are interchangeable, so it is enough that A begins first; not if a shop does. */
#if defined(PREPARES)
#define IN_TURN(i) true
#else
#define IN_TURN(i) (i != B || !HAS_TWIN(B) || phase[A] != none)
#endif

/* An inquiry may have counted this very reply for the twin (flow/execute.py:
 * _may_be_counted; evidence/attribution.py: is_attributed_to_another). Then only
 * another inquiry can decide. As long as the operation is as this request's intent left
 * it, no inquiry has counted it.
 */
#define AS_SENT(i, again) (phase[i] == begun && resent[i] == again)
#if defined(REPLY_COUNTED_TWICE)
#define MAY_BE_COUNTED(i, again) false
#elif defined(OLD_REPLY_TRUSTED)
#define MAY_BE_COUNTED(i, again) \
  (phase[i] != begun && HAS_TWIN(i) && (counted & BIT(TWIN(i))))
#else
#define MAY_BE_COUNTED(i, again) \
  (!AS_SENT(i, again) && HAS_TWIN(i) && (counted & BIT(TWIN(i))))
#endif

#define IS_GUESS(i) (HAS_TWIN(i) && (counted & BIT(i)))

/* flow/execute.py: _conclude, _events; evidence/outcome.py: resolve. `again` is true
 * for the request that was recorded as Resent, and false for the first one.
 */
inline conclude(i, again, reported) {
  if
  :: reported == never_sent ->
     if
     :: OPEN(i) && resent[i] == again -> append(i, never_sent)
     :: else /* it was sent again since: this reply is not about that request */
     fi
  :: reported == unknown ->
     if
     :: phase[i] == begun -> append(i, unknown)
     :: else /* evidence never goes backwards */
     fi
  :: reported != never_sent && reported != unknown ->
     if
     :: MAY_BE_COUNTED(i, again)
     :: !MAY_BE_COUNTED(i, again) && OPEN(i) && phase[i] != reported ->
        append(i, reported)
     :: else ->
        /* contradicts_earlier. A false alarm, for an operator, if this outcome was the
         * twin's, as far as counting could tell; else it must never be. */
        MUST("the trail contradicts the reply",
             OPEN(i) || reported == pending || reported == phase[i] || IS_GUESS(i))
     fi
  fi
}

/* machine/events.py: Sent. From here on its request may be under way. */
inline write_sent(i) {
  intend(i);
  SAY("it is written that %c is about to be sent", i);
  append(i, begun)
}

proctype Caller(byte me, i) {
  /* flow/execute.py: take_up, _answer_again. A key that is known gives its recorded
   * answer; what is only prepared is carried out (flow/begin.py: carry_out_prepared).
   */
ask:
  atomic {
#if defined(PREPARES)
    if
    :: phase[i] == prepared -> goto carry
    :: else
    fi;
#endif
#if defined(ANSWER_NOT_KEPT)
    !OPEN(i) || me == OTHERS ->
#else
    if
    :: phase[i] != none -> goto end_over
    :: else
    fi;
#endif
    if
    :: FITS(i) -> fresh = fresh | BIT(me); SAY("a caller decides on %c", i)
    :: else -> append(i, denied); goto end_over
    fi
  }

  /* flow/execute.py: _begin; flow/steps.py: commit, _commit_again. A change whose
   * commit raised is written again: if it was not there, it is now. If it is there,
   * perhaps as another caller's, its request is not sent.
   */
begin:
  if
#if defined(SEND_BEFORE_INTENT)
  :: atomic { send(me, i) }
#endif
  :: atomic { UNMOVED(me) && IN_TURN(i) -> intend(i); append(i, begun) }
  :: atomic { UNMOVED(me) && IN_TURN(i) ->
       SAY("%c's commit raises, and is there", i);
       intend(i); append(i, begun); goto FOUND }
  :: atomic { !UNMOVED(me) ->
       if
       :: phase[i] == none || phase[i] == prepared -> goto ask
       :: else -> goto FOUND
       fi }
  fi;

#if defined(PREPARES)
  goto send_it;

  /* flow/execute.py: send_prepared. It is written that it is about to be sent; or it is
   * declined, for instance as too late (machine/prepared.py: why_not_to_send).
   */
carry:
  if
#if defined(SENT_IS_UNRECORDED)
  :: atomic { phase[i] == prepared -> send(me, i); goto hear }
#endif
#if defined(SENT_BY_BOTH)
  :: atomic { OPEN(i) -> SAY("another is about to send %c", i) }
#endif
  :: atomic { phase[i] == prepared -> write_sent(i) }
  :: atomic { phase[i] == prepared -> append(i, never_sent); goto end_over }
  :: atomic { phase[i] != prepared -> goto end_over }
  fi;
#endif

  /* flow/execute.py: carry_out. The driver looks at the clock last (driver.py:
   * perform), and a connection may fail; in both cases the request is never_sent.
   */
send_it:
  if
#if defined(SENDS_LATE)
  :: atomic { send(me, i) }
#else
  :: atomic { !resent[i] && age[i] == young -> send(me, i) }
#endif
  :: atomic { SAY("%c's request does not leave", i);
       conclude(i, 0, never_sent); goto end_over }
  fi;

hear:
  if
  :: atomic { reply[me] != waiting ->
       SAY_HOW("%c's caller hears", i, reply[me]);
       conclude(i, 0, reply[me]); reply[me] = none }
  :: atomic { SAY("%c's caller hears nothing", i);
       conclude(i, 0, unknown); reply[me] = none }
  fi;

end_over:
  false
}

#if defined(PREPARES)
/* flow/begin.py: begin. A shop writes the intent in a transaction of its own, where
 * nobody else sees it, and commits it or rolls it back. A commit that meets another's is
 * refused; the shop may begin anew.
 */
proctype Shop(byte i) {
ask:
  atomic { phase[i] == none && FITS(i) -> fresh = fresh | BIT(SHOP) }
#if defined(UNCOMMITTED_IS_SENT)
  atomic { phase[i] == none -> send(OTHERS, i) }
#endif
  if
  :: atomic { UNMOVED(SHOP) -> SAY("the shop commits %c", i); append(i, prepared) }
  :: atomic { SAY("the shop rolls %c back", i); fresh = fresh & ~BIT(SHOP); goto ask }
  fi;
end_over:
  false
}
#endif
