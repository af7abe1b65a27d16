/* flow/notification.py: receive. A notification is applied alone for a command's first
 * outcome, if it can be about one operation only. Otherwise it is a reason for an
 * inquiry, which may be made at any time (recover.pml).
 */

#define OPEN_AND_LIKE(j, i) (OPEN(j) && AMOUNT(j) == AMOUNT(i))
#define COUNT_LIKE(i) (OPEN_AND_LIKE(A, i) + OPEN_AND_LIKE(B, i) + OPEN_AND_LIKE(C, i))

/* evidence/notification.py: weigh, first_outcome */
#if defined(NOTIFICATION_APPLIED_TWICE)
#define MAY_BE_BELIEVED (COUNT_LIKE(i) == 1)
#else
#define MAY_BE_BELIEVED \
  (COUNT_LIKE(i) == 1 && !ENDED(A) && !ENDED(B) && !ENDED(C))
#endif

inline receive(i) {
  SAY("a notification reports %c", i);
  if
  :: OPEN_AND_LIKE(A, i) -> append(A, listed[i])
  :: OPEN_AND_LIKE(B, i) -> append(B, listed[i])
  :: OPEN_AND_LIKE(C, i) -> append(C, listed[i])
  fi
}
