/*
 * One move of one replica, F = {0, 1, 2} -> T = {0, 1, 3}, under two writers, a reader and a crash. README.md says what is
 * modelled, what is not, why what was merged hides nothing, and which rules the faults (-DFAULT_...) take out.
 *
 * Epochs of the partition: 0 still F, 1 joint, 2 transfer, 3 switch, 4 still T (done), 5 still F (cancelled). A version stands for
 * its value; 0 is "nothing".
 */
#define W 2
#define R 2
#define BIT(r)     (1 << (r))
#define IN_F(r)    ((r) != 3)
#define IN_T(r)    ((r) != 2)
#define CNT_F(m)   (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 2) & 1))
#define CNT_T(m)   (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 3) & 1))
#define BOTH(e)    ((e) == 2 || (e) == 3)

/* Which set is asked, who is written to, and who must hold a version before it is acknowledged, or answered to a reader. */
#ifdef FAULT_READS_SWITCH_EARLY
#define ASKS_T(e)  ((e) >= 2 && (e) <= 4)
#else
#define ASKS_T(e)  ((e) == 3 || (e) == 4)
#endif
#define ASKED(e, r)     ((ASKS_T(e) && IN_T(r)) || (!ASKS_T(e) && IN_F(r)))
#define WRITTEN(e, r)   ((e) == 1 || BOTH(e) || ((e) == 4 && IN_T(r)) || (((e) == 0 || (e) == 5) && IN_F(r)))
#define HELD_RULE(e, m) (((e) == 4 || CNT_F(m) >= W) && ((e) < 2 || (e) == 5 || CNT_T(m) >= W))
#ifdef FAULT_STAGE_2_HELD_BY_F_ONLY
#define HELD(e, m)      (HELD_RULE(e, m) || ((e) == 2 && CNT_F(m) >= W))
#else
#ifdef FAULT_NO_WRITE_BACK
#define HELD(e, m)      ((m) != 0)
#else
#define HELD(e, m)      HELD_RULE(e, m)
#endif
#endif

/* Replicas: `mem` is what is shown, `dur` what survives a crash. One of them may crash, once. */
byte ep[4], mem[4], dur[4];
bool hasCrashed;
/* The topology: its epoch, where it was cancelled, and which sources each member of T has synchronised with. */
byte top, cancelledAt;
byte synced[4];

/*
 * Two writers have stamped versions 1 and 2; their stores are on their way from the start, under every epoch, and for good. What
 * is followed is one operation, a write or a read, of version `ver`: it is completed when `ver` is held as the rule of an epoch `ce`
 * says, be it that the write was acknowledged or that a read found it so, or wrote it back. Phases: 0 before, 1 somebody who said
 * "I hold `ver` or newer" under `ce` has left that epoch (`hold`), 2 completed, 3 completed, and somebody asks who began after that.
 */
byte ph, ver, ce, hold, heard;

#define NEXT(e)      ((cancelledAt != 0 && (e) == cancelledAt) -> 5 : (e) + 1)
#define DURABLE(v)   ((dur[0] >= (v)) + 2 * (dur[1] >= (v)) + 4 * (dur[2] >= (v)) + 8 * (dur[3] >= (v)))
#define SHOWN(v)     ((mem[0] >= (v)) + 2 * (mem[1] >= (v)) + 4 * (mem[2] >= (v)) + 8 * (mem[3] >= (v)))
#define AT(e)        ((ep[0] == (e)) + 2 * (ep[1] == (e)) + 4 * (ep[2] == (e)) + 8 * (ep[3] == (e)))
#ifdef FAULT_ACK_BEFORE_DURABLE
#define HOLDERS(v, e) ((AT(e) & SHOWN(v)) | hold)
#else
#ifdef FAULT_ACKS_OF_TWO_EPOCHS
#define FROM(e)      ((ep[0] >= (e)) + 2 * (ep[1] >= (e)) + 4 * (ep[2] >= (e)) + 8 * (ep[3] >= (e)))
#define HOLDERS(v, e) ((FROM(e) | hold) & DURABLE(v))
#else
#define HOLDERS(v, e) ((AT(e) | hold) & DURABLE(v))
#endif
#endif

/* What is completed is held by so many of the set that is asked that every R of them meet one: nothing is lost. */
inline check_kept() {
  if
  :: ph < 2
  :: else ->
    if
    :: top == 3 || top == 4 -> assert(CNT_T(DURABLE(ver)) >= W)
    :: else -> assert(CNT_F(DURABLE(ver)) >= W)
    fi
  fi
}

/* ---- replicas ---- */

#ifdef FAULT_EMPTIED_TWICE
#define EMPTIES(r) ((r) == 3 && (ep[3] == 3 || ep[3] == 5) || (r) == 2 && ep[2] == 4)
#else
#define EMPTIES(r) ((r) == 3 && ep[3] == 5 || (r) == 2 && ep[2] == 4)
#endif

/* The epoch is durable before anything is served under it: that is one step. Member 3 enters with epoch 1. */
#define LEARN(r) :: d_step { ep[r] != top -> \
    if :: ph == 1 && ce == ep[r] && mem[r] >= ver -> hold = hold | BIT(r) :: else fi; \
    ENTER_EPOCH(r) }

/* The first that says "I hold v or newer" and goes on to the next epoch: from then on the operation is followed. */
#define LEARN_COUNTED(v, r) :: d_step { ep[r] != top && ph == 0 && mem[r] >= v && COUNTS(ep[r], r) -> \
    ph = 1; ver = v; ce = ep[r]; hold = BIT(r); \
    ENTER_EPOCH(r) }
#define COUNTS(e, r) (BOTH(e) || ((e) == 4 && IN_T(r)) || ((e) != 4 && IN_F(r)))

#define ENTER_EPOCH(r) \
    ep[r] = NEXT(ep[r]); \
    if :: EMPTIES(r) -> mem[r] = 0; dur[r] = 0 :: else fi

/*
 * A member of the sets takes a store under its own epoch, however late. Once nothing can crash any more it does not matter when it is
 * durable: then it is so at once.
 */
#define STORE(v, r) :: d_step { WRITTEN(ep[r], r) && v > mem[r] -> \
    mem[r] = v; \
    if :: hasCrashed -> dur[r] = v :: else fi }

#define SYNC(r) :: d_step { mem[r] != dur[r] -> dur[r] = mem[r] }

#ifdef FAULT_EPOCH_NOT_DURABLE
#define MAY_CRASH(r) (ep[r] > 1 && ep[r] < 5)
#define LOSE_EPOCH(r) ep[r] = ep[r] - 1;
#else
#define MAY_CRASH(r) (mem[r] != dur[r])
#define LOSE_EPOCH(r)
#endif
#define CRASH(r) :: d_step { !hasCrashed && MAY_CRASH(r) -> \
    LOSE_EPOCH(r) mem[r] = dur[r]; hasCrashed = true; \
    if :: dur[r] < ver -> hold = hold & ~BIT(r) :: else fi; \
    dur[0] = mem[0]; dur[1] = mem[1]; dur[2] = mem[2]; dur[3] = mem[3] }

/*
 * t synchronises with the source q, in one batch that is durable. q confirmed: it is at the epoch, and nothing that it
 * accepted under an older one is still to become durable.
 */
#ifdef FAULT_SOURCE_NOT_CONFIRMED
#define CONFIRMED(q) (true)
#else
#ifdef FAULT_CONFIRMED_BEFORE_DURABLE
#define CONFIRMED(q) (ep[q] == 2)
#else
#define CONFIRMED(q) (ep[q] == 2 && mem[q] == dur[q])
#endif
#endif
#define TRANSFER(t, q) :: d_step { top == 2 && ep[t] == 2 && CONFIRMED(q) && !(synced[t] & BIT(q)) -> \
    if :: dur[q] > mem[t] -> mem[t] = dur[q] :: else fi; \
    dur[t] = mem[t]; synced[t] = synced[t] | BIT(q) }

/* ---- clients ---- */

/* The answer to a question: told under the replica's epoch, and only once what is shown is durable. */
#ifdef FAULT_NO_FENCE_ON_READS
#define IS_OF(e, r) (ep[r] >= (e) && (e) != 5)
#else
#define IS_OF(e, r) (ep[r] == (e))
#endif
#define ANSWERS(r)  (ASKED(ep[r], r) && mem[r] == dur[r])

/* Held as the rule of one epoch says. */
#define COMPLETE :: d_step { ph == 1 && HELD(ce, HOLDERS(ver, ce)) -> ph = 2; ce = 0; hold = 0; check_kept() }
/* The same where nobody has left that epoch. */
#define COMPLETE_AT(v, e) :: d_step { ph == 0 && HELD(e, HOLDERS(v, e)) -> ph = 2; ver = v; check_kept() }

/*
 * Whoever begins after that, a reader or a writer that is about to stamp, must hear of it, or of something newer, from R of the
 * asked set under one epoch.
 */
#define ASK_BEGINS(r) :: d_step { ph == 2 && ANSWERS(r) && dur[r] < ver -> ph = 3; ce = ep[r]; heard = BIT(r) }
#define ASK_HEARS(r) :: d_step { ph == 3 && IS_OF(ce, r) && ANSWERS(r) && !(heard & BIT(r)) && dur[r] < ver -> assert(false) }
#define ASK_ENDS :: d_step { ph == 3 && ce != top -> ph = 2; ce = 0; heard = 0 }

/* ---- the topology ---- */

/* q can be of Q: every member of T, old or new, has synchronised with it. */
#define IS_SOURCE(q) ((q == 0 || (synced[0] & BIT(q))) && (q == 1 || (synced[1] & BIT(q))) && (synced[3] & BIT(q)))
#ifdef FAULT_ONE_SOURCE
#define SOURCES_NEEDED 1
#else
#define SOURCES_NEEDED 2    /* N - W + 1 */
#endif
#ifdef FAULT_DONE_UNCONFIRMED
#define CONFIRMATIONS_NEEDED 0
#else
#define CONFIRMATIONS_NEEDED 2    /* N - R + 1 */
#endif
#ifdef FAULT_CANCELLED_AFTER_SWITCH
#define CANCELLABLE(e) ((e) >= 1 && (e) <= 3)
#else
#define CANCELLABLE(e) ((e) == 1 || (e) == 2)
#endif
#define CLOSE synced[0] = 0; synced[1] = 0; synced[3] = 0; check_kept()

/* What the model must be able to do, or it would prove nothing: each of these is an error that must be found. */
#ifdef REACH_DONE
#define REACH(e) assert(!(e == 4 && ph == 2))
#else
#ifdef REACH_CANCELLED
#define REACH(e) assert(!(e == 5 && cancelledAt == 2 && ph == 2))
#else
#ifdef REACH_CRASH
#define REACH(e) assert(!(e == 4 && ph == 2 && hasCrashed))
#else
#define REACH(e)
#endif
#endif
#endif

init {
end:
  do
  LEARN(0) LEARN(1) LEARN(2) LEARN(3)
  STORE(1, 0) STORE(1, 1) STORE(1, 2) STORE(1, 3)
  STORE(2, 0) STORE(2, 1) STORE(2, 2) STORE(2, 3)
  SYNC(0) SYNC(1) SYNC(2) SYNC(3)
  CRASH(0) CRASH(1) CRASH(2) CRASH(3)
  TRANSFER(0, 1) TRANSFER(0, 2) TRANSFER(1, 0) TRANSFER(1, 2) TRANSFER(3, 0) TRANSFER(3, 1) TRANSFER(3, 2)
  LEARN_COUNTED(1, 0) LEARN_COUNTED(1, 1) LEARN_COUNTED(1, 2) LEARN_COUNTED(1, 3)
  LEARN_COUNTED(2, 0) LEARN_COUNTED(2, 1) LEARN_COUNTED(2, 2) LEARN_COUNTED(2, 3)
  COMPLETE
  COMPLETE_AT(1, 0) COMPLETE_AT(1, 1) COMPLETE_AT(1, 2) COMPLETE_AT(1, 3) COMPLETE_AT(1, 4) COMPLETE_AT(1, 5)
  COMPLETE_AT(2, 0) COMPLETE_AT(2, 1) COMPLETE_AT(2, 2) COMPLETE_AT(2, 3) COMPLETE_AT(2, 4) COMPLETE_AT(2, 5)
  ASK_BEGINS(0) ASK_BEGINS(1) ASK_BEGINS(2) ASK_BEGINS(3)
  ASK_HEARS(0) ASK_HEARS(1) ASK_HEARS(2) ASK_HEARS(3) ASK_ENDS

  :: d_step { top == 0 -> top = 1 }
  :: d_step { top == 1 && ep[3] == 1 -> top = 2 }
  :: d_step { top == 2 && IS_SOURCE(0) + IS_SOURCE(1) + IS_SOURCE(2) >= SOURCES_NEEDED -> top = 3; CLOSE }
  :: d_step { top == 3 && (ep[0] == 3) + (ep[1] == 3) + (ep[2] == 3) >= CONFIRMATIONS_NEEDED -> top = 4; check_kept(); REACH(4) }
  :: d_step { CANCELLABLE(top) -> cancelledAt = top; top = 5; CLOSE; REACH(5) }
  od
}
