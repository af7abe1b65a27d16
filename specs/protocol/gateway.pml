/* The gateway, the way to it, and time. The engine controls none of it. */

byte on_the_way[3];        /* requests sent and not arrived: lost, late, out of order */
mtype listed[3] = none;    /* what an inquiry lists, exchange by exchange */
mtype reply[4] = none;     /* what has reached a caller that waits */
mtype age[3] = young;      /* of the last request sent, or about to be */
bit sent_last;             /* of the twins A and B: the one with the younger request */

#define MOVED(i) ((listed[i] == pending || listed[i] == succeeded) -> AMOUNT(i) : 0)

/* A request leaves (transport/http.py: HttpTransport.send). Its intent must be there. */
inline send(me, i) {
  SAY("%c's request is sent", i);
#if defined(DUPLICATES)
  on_the_way[i] = on_the_way[i] + 2;
#else
  on_the_way[i]++;
#endif
  MUST("a request was sent whose intent is nowhere",
       phase[i] != none && phase[i] != prepared);
  reply[me] = waiting
}

/* A request is about to be sent, first or anew: its time begins
 * (machine/transaction.py: Operation.sent_at).
 */
inline intend(i) {
  age[i] = young;
  if
  :: HAS_TWIN(i) -> sent_last = i
  :: else
  fi
}

/* Which exchange a request becomes. The list names no operation, so twins share two
 * places; a gateway that honours keys recognizes a repeated request.
 */
#if defined(KEYED)
#define KNOWN(i) (listed[i] != none)
#define PLACE(i) (i)
#else
#define KNOWN(i) false
#define PLACE(i) (listed[i] == none -> i : TWIN(i))
#endif

#if defined(FRESH_KEY)
#undef KNOWN
#define KNOWN(i) false
#endif

#define ASKED_FOR(i) \
  (phase[i] != none && phase[i] != prepared && phase[i] != denied && \
   phase[i] != never_sent)

inline carry_out(i, place) {
  MUST("an operation is carried out twice",
       listed[place] == none && (place == i || ASKED_FOR(place)));
  if
  :: listed[place] = succeeded
  :: listed[place] = declined
#if !defined(NEVER_PENDING)
  :: listed[place] = pending
#endif
  fi;
  MUST("more was paid than there is", MOVED(A) + MOVED(B) + MOVED(C) <= CAPTURED)
}

/* Its reply reaches the sender, if it still waits; a lost reply is a time-out. */
inline let_hear(i, outcome) {
  if
  :: reply[OTHERS] == waiting && others_for == i && resent[i] == others_resent ->
     reply[OTHERS] = outcome
  :: reply[i] == waiting && !resent[i] -> reply[i] = outcome
  :: else
  fi
}

#define AGES(i) (OPEN(i) || on_the_way[i])

/* The older of two twins is the first to grow old (World: i, twin). */
#define IS_YOUNGER_TWIN (twin != i && sent_last == i)
#define IS_NEXT(before) (!IS_YOUNGER_TWIN || !AGES(twin) || age[twin] != before)

/* An ended one that is older has no steps of its own. */
inline grow(before, now) {
  if
  :: IS_YOUNGER_TWIN && age[twin] == before -> age[twin] = now
  :: else
  fi
}

/* THE ASSUMPTION: a request that has not arrived by the in-flight limit never will
 * (flow/inquiry.py: Recovery.in_flight_limit). Without it, nothing can safely be
 * presumed lost.
 */
inline lose(i) {
#if defined(ARRIVES_AFTER_IN_FLIGHT_LIMIT)
  skip
#else
  on_the_way[i] = 0
#endif
}

proctype World(byte i, twin) {
  byte place;
end:
  do
#if defined(ARRIVES_AFTER_IN_FLIGHT_LIMIT)
  :: on_the_way[i] -> on_the_way[i]--
#endif
  :: atomic { on_the_way[i] ->
       on_the_way[i]--;
       place = PLACE(i);
       SAY("%c's request arrives", i);
       if
       :: KNOWN(i)
       :: else -> carry_out(i, place)
       fi;
       SAY_HOW("the gateway lists %c", i, listed[place]);
       let_hear(i, listed[place]);
       place = 0
     }

  :: atomic { listed[i] == pending ->
       if
       :: listed[i] = succeeded
       :: listed[i] = declined
       fi;
       SAY_HOW("the gateway ends the pending exchange %c", i, listed[i])
     }

  /* Time: after a minute nobody sends it any more, and soon its caller has no answer
   * (limits.py: SEND_WITHIN, REPLY_WITHIN); then comes the in-flight limit.
   */
  :: atomic { AGES(i) && age[i] == young && IS_NEXT(young) ->
       age[i] = late; grow(young, late); SAY("%c's request can be sent no more", i) }
  :: atomic { AGES(i) && age[i] == late && IS_NEXT(young) && IS_NEXT(late) ->
       age[i] = past_limit; grow(late, past_limit); grow(young, past_limit);
       SAY("%c is past the in-flight limit", i);
       lose(i) }

  /* The notification of an exchange that ended: early, late, repeated, or never. */
  :: atomic { (listed[i] == succeeded || listed[i] == declined) && MAY_BE_BELIEVED ->
       receive(i) }
  od
}
