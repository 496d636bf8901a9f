/*
 * One move of one replica, F = {0, 1, 2} -> T = {0, 1, 3}, under two writers, a reader and a crash. README.md says what is
 * modelled, what is not, why what was merged hides nothing, and which rules the faults (-DFAULT_...) take out.
 *
 * Epochs of the partition: 1 joint (and F still before it, whose quorums are the same), 2 transfer, 3 switch, 4 still T (done),
 * 5 still F (cancelled). A version stands for its value; 0 is "nothing".
 */

/* The replica that may crash, once, and loses what is not durable. 0 and 1 are alike. */
#ifndef VICTIM
#define VICTIM 0
#endif

#define W 2
#define R 2
#define BIT(r)     (1 << (r))
#define IN_F(r)    ((r) != 3)
#define IN_T(r)    ((r) != 2)
#define CNT_F(m)   (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 2) & 1))
#define CNT_T(m)   (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 3) & 1))
#define ONLY_F(e)  ((e) == 1 || (e) == 5)
#define BOTH(e)    ((e) == 2 || (e) == 3)

/* Which set is asked, who is written to, and who must hold a version before it is acknowledged or answered. */
#ifdef FAULT_READS_SWITCH_EARLY
#define ASKS_T(e)  ((e) >= 2 && (e) <= 4)
#else
#define ASKS_T(e)  ((e) == 3 || (e) == 4)
#endif
#define ASKED(e, r)     ((ASKS_T(e) && IN_T(r)) || (!ASKS_T(e) && IN_F(r)))
#define CNT_ASKED(e, m) (ASKS_T(e) -> CNT_T(m) : CNT_F(m))
#define WRITTEN(e, r)   ((e) == 1 || BOTH(e) || ((e) == 4 && IN_T(r)) || ((e) == 5 && IN_F(r)))
#define HELD(e, m)      ((ASKS_T(e) || CNT_F(m) >= W || BOTH(e)) && (ONLY_F(e) || CNT_T(m) >= W) && (!BOTH(e) || CNT_F(m) >= W))
#ifdef FAULT_READ_HELD_BY_F_ONLY
#define READ_HELD(e, m) (HELD(e, m) || ((e) == 2 && CNT_F(m) >= W))
#else
#define READ_HELD(e, m) HELD(e, m)
#endif

/* Replicas: the epoch is durable before anything is served under it; `mem` is what is shown, `dur` what survives a crash. */
byte ep[4], mem[4], dur[4];
bool hasCrashed;
/* The topology: its epoch, and which sources each member of T has synchronised with. */
byte top;
byte synced[4];

/*
 * Client 0 writes version 1 and client 1 writes version 2, once; client 2 reads again and again. Phases: 0 before, 1 asks, 2 stores
 * or writes back, 3 is done. `ce` is the epoch whose answers it counts. `hold`: who said "I hold `ver` or newer" and has left that
 * epoch since; who is still at it can say so now. `told`: the same while the reader asks, as 1 + what was held. `must`: what was
 * completed when the operation began.
 */
byte ph[3], ce[3], heard[3], hold[3], ver[3], must[3];
byte told[4];

/* The newest version of all operations that are completed. */
byte settled;

#define NEXT(e)      ((e) == 2 && top == 5 -> 5 : (e) + 1)
#define DURABLE(v)   ((dur[0] >= (v)) + 2 * (dur[1] >= (v)) + 4 * (dur[2] >= (v)) + 8 * (dur[3] >= (v)))
#define SHOWN(v)     ((mem[0] >= (v)) + 2 * (mem[1] >= (v)) + 4 * (mem[2] >= (v)) + 8 * (mem[3] >= (v)))
#define AT(e)        ((ep[0] == (e)) + 2 * (ep[1] == (e)) + 4 * (ep[2] == (e)) + 8 * (ep[3] == (e)))
#ifdef FAULT_ACK_BEFORE_DURABLE
#define HOLDERS(c)   ((AT(ce[c]) & SHOWN(ver[c])) | hold[c])
#else
#define HOLDERS(c)   ((AT(ce[c]) | hold[c]) & DURABLE(ver[c]))
#endif

/* What is completed is held by so many of the set that is asked that every R of them meet one: nothing is lost. */
inline check_kept() {
  if
  :: top == 3 || top == 4 -> assert(CNT_T(DURABLE(settled)) >= W)
  :: else -> assert(CNT_F(DURABLE(settled)) >= W)
  fi
}

/* ---- ends of operations ---- */

/* Who waits for what can make no difference any more is done: a version that others completed already. */
#define END_WRITE(c) if :: ph[c] == 2 && ver[c] <= settled -> ph[c] = 3; ce[c] = 0; hold[c] = 0 :: else fi
#define END_READ ph[2] = 0; ce[2] = 0; heard[2] = 0; hold[2] = 0; ver[2] = 0; must[2] = 0; NOBODY_LEFT
#define NOBODY_LEFT told[0] = 0; told[1] = 0; told[2] = 0; told[3] = 0
#define SETTLE(v) \
    if :: v > settled -> settled = v :: else fi; \
    check_kept()

/* At once: a read that is answered later promises nothing more. */
#define MAY_END_READ \
    if :: ph[2] == 2 && READ_HELD(ce[2], HOLDERS(2)) -> \
        assert(ver[2] >= must[2]); SETTLE(ver[2]); END_READ; END_WRITE(0); END_WRITE(1) \
       :: ph[2] == 2 && !READ_HELD(ce[2], HOLDERS(2)) && ver[2] >= must[2] && ver[2] <= settled -> END_READ \
       :: else fi

/* ---- replicas ---- */

#define LEAVE(c, r) if :: ph[c] == 2 && ce[c] == ep[r] && mem[r] >= ver[c] -> hold[c] = hold[c] | BIT(r) :: else fi
#ifdef FAULT_EMPTIED_TWICE
#define EMPTIES(r) ((r) == 3 && (ep[3] == 2 || ep[3] == 5) || (r) == 2 && ep[2] == 4)
#else
#define EMPTIES(r) ((r) == 3 && ep[3] == 5 || (r) == 2 && ep[2] == 4)
#endif

#define LEARN(r) :: d_step { ep[r] != top -> \
    LEAVE(0, r); LEAVE(1, r); LEAVE(2, r); \
    if :: ph[2] == 1 && ce[2] == ep[r] -> told[r] = 1 + mem[r] :: else fi; \
    ep[r] = NEXT(ep[r]); \
    if :: EMPTIES(r) -> mem[r] = 0; dur[r] = 0 :: else fi }

/*
 * A member of the sets takes a store under its own epoch, however late. Only where a crash is to come does it matter when it is
 * durable: elsewhere it is so at once.
 */
#define STORE(c, r) :: d_step { ph[c] >= 2 && ep[r] != 0 && WRITTEN(ep[r], r) && ver[c] > mem[r] -> \
    mem[r] = ver[c]; \
    if :: r != VICTIM || hasCrashed -> dur[r] = ver[c] :: else fi; \
    MAY_END_READ }

#define SYNC(r) :: d_step { mem[r] != dur[r] -> dur[r] = mem[r]; MAY_END_READ }

#define UNSAY(c, r) if :: dur[r] < ver[c] -> hold[c] = hold[c] & ~BIT(r) :: else fi
#define CRASH(r) :: d_step { !hasCrashed && mem[r] != dur[r] -> \
    mem[r] = dur[r]; hasCrashed = true; told[r] = 0; UNSAY(0, r); UNSAY(1, r); UNSAY(2, r) }

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
    dur[t] = mem[t]; synced[t] = synced[t] | BIT(q); MAY_END_READ }

/* ---- clients ---- */

/*
 * The version of one replica, told once it is durable. In phase 1 `ver` is the newest heard of, in one epoch. An operation that
 * begins again under another epoch before it has stamped or chosen is the same as another one that begins there.
 */
#define ANSWERS(c, r) ((ph[c] == 0 || ph[c] == 1) && ep[r] != 0 && ASKED(ep[r], r) && mem[r] == dur[r] && (ce[c] != ep[r] || !(heard[c] & BIT(r))))
#define HEAR(c, r) \
    if :: ce[c] != ep[r] -> \
        ph[c] = 1; ce[c] = ep[r]; heard[c] = 0; ver[c] = 0; must[c] = settled; \
        if :: c == 2 -> NOBODY_LEFT :: else fi \
       :: else fi; \
    heard[c] = heard[c] | BIT(r); \
    if :: dur[r] > ver[c] -> ver[c] = dur[r] :: else fi
#define R_HEARD(c) (CNT_ASKED(ce[c], heard[c]) >= R)

/*
 * A writer stamps above all that R replicas say, never what another has stamped. Of two writers call that with the lower version 0:
 * it has heard of nothing. What was completed when it began must be below its stamp: that is judged here already, since a
 * write keeps its stamp whatever comes.
 */
#define WRITER_ASKS(c, r) :: d_step { ANSWERS(c, r) && (c == 1 || dur[r] == 0) -> \
    HEAR(c, r); \
    if :: R_HEARD(c) -> \
        ph[c] = 2; heard[c] = 0; ver[c] = c + 1; \
        assert(ver[c] > must[c]); must[c] = 0; \
        END_WRITE(c); MAY_END_READ \
       :: else fi }

/* Write-backs are the stores of the version's writer. */
#define LEFT(r) (told[r] > ver[2])
#define READER_ASKS(r) :: d_step { ANSWERS(2, r) -> \
    HEAR(2, r); \
    if :: R_HEARD(2) -> \
        ph[2] = 2; heard[2] = 0; hold[2] = LEFT(0) + 2 * LEFT(1) + 4 * LEFT(2) + 8 * LEFT(3); NOBODY_LEFT; \
        if :: ver[2] >= must[2] -> must[2] = 0 :: else fi; \
        MAY_END_READ \
       :: else fi }

/* A newer epoch: counting begins again. A write keeps its stamp; a read is given up, and the next one begins as it would. */
#ifdef FAULT_ACKS_OF_TWO_EPOCHS
#define FORGET_ACKS(c) hold[c] = HOLDERS(c)
#else
#define FORGET_ACKS(c) hold[c] = 0
#endif
#define WRITER_LEARNS(c) :: d_step { ph[c] == 2 && ce[c] != top -> FORGET_ACKS(c); ce[c] = NEXT(ce[c]) }
#define READER_GIVES_UP :: d_step { ph[2] == 2 && ce[2] != top -> END_READ }

#define COMPLETE_WRITE(c) :: d_step { ph[c] == 2 && HELD(ce[c], HOLDERS(c)) -> \
    SETTLE(ver[c]); END_WRITE(0); END_WRITE(1); MAY_END_READ }

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
#define CLOSE synced[0] = 0; synced[1] = 0; synced[3] = 0; check_kept()

init {
  d_step { top = 1; ep[0] = 1; ep[1] = 1; ep[2] = 1 }
end:
  do
  LEARN(0) LEARN(1) LEARN(2) LEARN(3)
  STORE(0, 0) STORE(0, 1) STORE(0, 2) STORE(0, 3)
  STORE(1, 0) STORE(1, 1) STORE(1, 2) STORE(1, 3)
  SYNC(VICTIM) CRASH(VICTIM)
  TRANSFER(0, 1) TRANSFER(0, 2) TRANSFER(1, 0) TRANSFER(1, 2) TRANSFER(3, 0) TRANSFER(3, 1) TRANSFER(3, 2)
  WRITER_ASKS(0, 0) WRITER_ASKS(0, 1) WRITER_ASKS(0, 2) WRITER_ASKS(0, 3)
  WRITER_LEARNS(0) COMPLETE_WRITE(0)
#ifndef ONE_WRITER
  WRITER_ASKS(1, 0) WRITER_ASKS(1, 1) WRITER_ASKS(1, 2) WRITER_ASKS(1, 3)
  WRITER_LEARNS(1) COMPLETE_WRITE(1)
#endif
#ifndef NO_READER
  READER_ASKS(0) READER_ASKS(1) READER_ASKS(2) READER_ASKS(3) READER_GIVES_UP
#endif

  /* The member that enters has done so: it is at epoch 1, empty. */
  :: d_step { top == 1 && ep[3] == 1 -> top = 2 }
  :: d_step { top == 2 && IS_SOURCE(0) + IS_SOURCE(1) + IS_SOURCE(2) >= SOURCES_NEEDED -> top = 3; CLOSE }
  :: d_step { top == 3 && (ep[0] == 3) + (ep[1] == 3) + (ep[2] == 3) >= CONFIRMATIONS_NEEDED -> top = 4; check_kept() }
  :: d_step { top == 2 -> top = 5; CLOSE }
  od
}
