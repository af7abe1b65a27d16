/* flow/notification.py: receive. A notification is believed alone for a command's first outcome, and
 * when only one operation can be meant; else it is a reason to look up, which anybody
 * may do at any time (recover.pml).
 */

#define OPEN_AND_LIKE(j, i) (OPEN(j) && AMOUNT(j) == AMOUNT(i))
#define COUNT_LIKE(i) (OPEN_AND_LIKE(A, i) + OPEN_AND_LIKE(B, i) + OPEN_AND_LIKE(C, i))

/* evidence/notification.py: first_outcome */
#if defined(NOTIFICATION_APPLIED_TWICE)
#define MAY_BE_BELIEVED (COUNT_LIKE(i) == 1)
#else
#define MAY_BE_BELIEVED \
  (COUNT_LIKE(i) == 1 && !ENDED(A) && !ENDED(B) && !ENDED(C))
#endif

inline receive(i) {
  SAY("a notification tells of %c", i);
  if
  :: OPEN_AND_LIKE(A, i) -> append(A, listed[i])
  :: OPEN_AND_LIKE(B, i) -> append(B, listed[i])
  :: OPEN_AND_LIKE(C, i) -> append(C, listed[i])
  fi
}
