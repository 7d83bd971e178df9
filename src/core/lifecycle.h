/* SPDX-License-Identifier: MIT */
#ifndef HOT_LIFECYCLE_H
#define HOT_LIFECYCLE_H

/*
 * The life of a generation as a state machine. Pure: (phase, input) -> (phase, actions).
 *
 * One machine serves a generation from its start as the new one to its end as the old one. The steps R1
 * to R11 are those of hotstart(7). Who feeds it must perform the actions in the order of their bits and
 * must feed HOT__IN_DEADLINE only when nothing else is left to feed: an event beats a deadline.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hot__phase {
        HOT__PHASE_OPENED,         /* the host prepares; R4 and R5 are behind us */
        HOT__PHASE_ANNOUNCED,      /* R6: ready, waits for the predecessor's COMMIT */
        HOT__PHASE_BEGINNING,      /* R7: told to serve; the host has not confirmed yet */
        HOT__PHASE_SERVING,        /* alone at work */
        HOT__PHASE_CHECKING,       /* R2: the check command runs */
        HOT__PHASE_SPAWNED,        /* R3: the new process runs; waits for its HELLO */
        HOT__PHASE_OFFERED,        /* R5: it has our offer; waits for its READY */
        HOT__PHASE_HELD,           /* R6: it is ready; waits for the word of an operator */
        HOT__PHASE_ASKING,         /* R6: it is ready; our own predecessor must retire first */
        HOT__PHASE_QUIESCING,      /* R7: the host stops its acceptors */
        HOT__PHASE_COMMITTING,     /* R7: COMMIT is sent; waits for SERVING */
        HOT__PHASE_REVOKING,       /* roll back: the new process was killed, and is not dead yet */
        HOT__PHASE_REVOKING_QUIET, /* the same, and our acceptors have been told to stop */
        HOT__PHASE_RESUMING,  /* rolled back after R7: the host accepts again, has not confirmed */
        HOT__PHASE_PROBATION, /* R8, R9: drains, and accepts again if the new process dies */
        HOT__PHASE_RETIRING,  /* R8, R10: drains, while its successor becomes the owner */
        HOT__PHASE_DRAINING,  /* R8: drains */
        HOT__PHASE_STOPPING,  /* told to stop; the host stops its acceptors */
        HOT__PHASE_ENDING,    /* told to stop; finishes what is held */
        HOT__PHASE_EXITED,    /* R11 */
        HOT__N_PHASES,
};

enum hot__input {
        /* from the host */
        HOT__IN_READY,
        HOT__IN_SERVING,
        HOT__IN_QUIESCED,
        HOT__IN_IDLE,          /* nothing is held */
        HOT__IN_TRIGGER,       /* a restart is wanted */
        HOT__IN_TRIGGER_OTHER, /* likewise, and the program is another file than the running restart's */
        HOT__IN_STOP,
        HOT__IN_GO,    /* the word that HELD waits for */
        HOT__IN_ABORT, /* give the restart up */
        /* from the new process */
        HOT__IN_CHECKED, /* it was the check command, and is content */
        HOT__IN_SPAWN_FAILED,
        HOT__IN_HELLO,
        HOT__IN_PEER_READY,
        HOT__IN_PEER_SEED_READY, /* it speaks the seed's protocol only, and accepts already */
        HOT__IN_PEER_SERVING,
        HOT__IN_PEER_ASKS,    /* to be the owner: it stops, or is about to commit a successor */
        HOT__IN_PEER_ENDS_US, /* we shall exit now */
        HOT__IN_PEER_BROKE,   /* it broke the protocol, or refused */
        HOT__IN_PEER_DIED,
        /* from the predecessor */
        HOT__IN_COMMIT,
        HOT__IN_HANDED_ON, /* PID file and service manager are ours */
        HOT__IN_PREDECESSOR_STOP,
        HOT__IN_PREDECESSOR_DIED,
        /* from the one before it */
        HOT__IN_ELDER_RETIRED, /* or dead */
        HOT__IN_ELDER_RESUMED,
        /* from ourselves */
        HOT__IN_ROOM,    /* there are fewer generations than a moment ago, or more */
        HOT__IN_RETIRED, /* R10 is done */
        HOT__IN_DEADLINE,
        HOT__N_INPUTS,
};

/* To be performed in this order. */
enum hot__action {
        HOT__DO_DISARM = 1 << 0,     /* no deadline any more */
        HOT__DO_KILL = 1 << 1,       /* SIGKILL to the new process */
        HOT__DO_SEND_READY = 1 << 2, /* to the predecessor */
        HOT__DO_SERVE = 1 << 3,      /* HOT_SERVE */
        HOT__DO_ANNOUNCE = 1 << 4,   /* we serve: tell the predecessor */
        HOT__DO_OWN = 1 << 5,        /* write the PID file, tell the service manager */
        HOT__DO_RESUME = 1 << 6,     /* HOT_RESUME */
        HOT__DO_FAIL = 1 << 7,       /* HOT_FAILED, and forget the new process */
        HOT__DO_BEGIN = 1 << 8,      /* a restart: start deadline; R2 */
        HOT__DO_CHECK = 1 << 9,      /* R2: run the check command */
        HOT__DO_SPAWN = 1 << 10,     /* R3 */
        HOT__DO_OFFER = 1 << 11,     /* R5 */
        HOT__DO_HOLD = 1 << 12,      /* say that the word is awaited; no deadline */
        HOT__DO_ASK = 1 << 13,       /* ask the predecessor to retire */
        HOT__DO_QUIESCE = 1 << 14,   /* HOT_QUIESCE, with its deadline */
        HOT__DO_COMMIT = 1 << 15,    /* COMMIT, with the serve deadline */
        HOT__DO_DRAIN = 1 << 16,     /* HOT_DRAIN; its deadline counts from now */
        HOT__DO_PROBATION = 1 << 17, /* its deadline */
        HOT__DO_RETIRE =
                1 << 18, /* R10; feed HOT__IN_RETIRED when it is done; the listeners are let go */
        HOT__DO_SEND_RETIRED =
                1 << 19,             /* and everything that the successor needs; drain deadline */
        HOT__DO_STOP_PEER = 1 << 20, /* tell the new process, which may accept already, to stop */
        HOT__DO_FORWARD = 1 << 21,   /* pass the trigger on to the successor */
        HOT__DO_STOP = 1 << 22,      /* HOT_STOP, with the drain deadline */
        HOT__DO_HURRY = 1 << 23,     /* HOT_STOP, to one that drains already */
        HOT__DO_AWAIT = 1 << 24,     /* a deadline for the predecessor that was asked to retire */
        HOT__DO_LET_GO = 1 << 25,    /* close the listeners; remove the names that are ours */
        HOT__DO_EXIT = 1 << 26,      /* HOT_EXIT */
};

/* What the host chose. */
struct hot__manner {
        bool checks;    /* a check command runs before the spawn */
        bool holds;     /* a ready successor waits for the word */
        bool probation; /* there is one */
};

struct hot__lifecycle {
        enum hot__phase phase;
        struct hot__manner manner;
        bool has_predecessor; /* alive, speaking our protocol, and not retired */
        bool has_elder;       /* our predecessor's own can resume still */
        bool owner;   /* the PID file and the service manager know us, or there was nobody else */
        bool served;  /* the host has confirmed that it serves, once */
        bool crowded; /* no more generations: a trigger has to wait */
        bool peer_is_seed;    /* the new process speaks the seed's protocol */
        bool trigger_queued;  /* one more restart when this one is over */
        bool hurried;         /* told to stop while it drains */
        bool asked;           /* the predecessor to retire */
        bool awaits;          /* that it does, with a deadline */
        bool stop_queued;     /* a stop as soon as we serve and own */
        bool stop_was_passed; /* by the predecessor */
        bool stop_was_heard;  /* from anybody else */
        bool pass_stop;       /* to the successor, as soon as it owns */
};

void hot__lifecycle_init(struct hot__lifecycle *life, bool has_predecessor, bool has_elder,
                         struct hot__manner manner);

/*
 * Take one input. Inputs that mean nothing in the phase change nothing. Returns the actions to perform.
 */
uint32_t hot__lifecycle_step(struct hot__lifecycle *life, enum hot__input input);

/* Is a restart under way, so that a trigger may join it? */
bool hot__lifecycle_is_restarting(const struct hot__lifecycle *life);

/* Has a successor been committed, which serves as far as we know? */
bool hot__lifecycle_has_successor(const struct hot__lifecycle *life);

/* Does PID file and service manager's word name the successor, or soon? */
bool hot__lifecycle_has_retired(const struct hot__lifecycle *life);

/* A phase's name in lower case, as hotstart-control(7) has it. */
const char *hot__phase_name(enum hot__phase phase);

/* Does the phase end when nothing is held any more? */
bool hot__lifecycle_awaits_idle(const struct hot__lifecycle *life);

#endif
