/* SPDX-License-Identifier: MIT */
#ifndef HOT_HOT_H
#define HOT_HOT_H

/*
 * struct hot: one generation, seen from inside. Who works on which part:
 *
 *   hot.c        opening, closing, and what the host asks and confirms
 *   inherit.c    what the environment announces; hello and offer, as the new generation
 *   listeners.c  the table of listeners: claiming, binding, letting go
 *   leftovers.c  the listeners that the successor did not take
 *   state.c      what the host keeps and puts for the next generation, and gets from the one before
 *   giving.c     live connections on their way to the generation that serves
 *   taking.c     the connection that the host has to decide about
 *   chain.c      the generations before us that still drain
 *   launch.c     R2 and R3: the new process
 *   offer.c      R5: what it inherits
 *   restart.c    performs the actions of the lifecycle
 *   manager.c    what the service manager is told, and the watchdog
 *   timer.c      when something is due
 *   peers.c      what other generations say, and that they end
 *   events.c     waiting: everything that can happen goes through here to the lifecycle
 *   queue.c      what the host must know: events
 *   capture.c    the standard error of a new process
 *   control.c    the control socket, with the files named after it
 */

#include <hotstart.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "channel.h"
#include "dialect.h"
#include "giving.h"
#include "handshakes.h"
#include "init.h"
#include "keep.h"
#include "lifecycle.h"
#include "listener.h"
#include "notify.h"
#include "privilege.h"
#include "program.h"
#include "spawn.h"
#include "tail.h"
#include "taking.h"
#include "tuning.h"

struct hot__control;

struct hot__failure {
        struct hot_failure detail; /* .subject points to subject */
        char subject[512];
        char words[512]; /* .words points here */
};

enum hot__origin {
        HOT__BOUND,     /* by us, or inherited from one that bound it by this address */
        HOT__ANNOUNCED, /* by the environment alone: nobody knows it by address yet */
        HOT__ADOPTED,   /* announced, and claimed without an address */
};

struct hot__listener {
        int fd;    /* owned */
        int group; /* the first member of its group, or itself */
        enum hot__origin origin;
        bool activated; /* made by a service manager */
        bool fresh;     /* bound here: as it was asked for */
        bool claimed;
        bool left;      /* our successor did not claim it */
        bool lent;      /* left, and the host accepts from it again */
        bool deaf;      /* left, and nothing new reaches it, unless somebody else has taken it */
        int decoy;      /* owned; what makes it so, where no filter can, or the empty value */
        bool unsteered; /* claimed, and its group had a decoy, which may still be there */
        char name[HOT__NAME_MAX];
        char address[HOT__ADDRESS_MAX]; /* where, canonical, as asked for; "" unless BOUND */
        struct hot__settings settings;  /* as asked for */
        struct hot__tuning tuning;      /* as it was when the restart began */
};

/* The listeners that the successor did not take, once we can resume no more: in this order. */
enum hot__leaving {
        HOT__LEAVING_NOT,
        HOT__LEAVING_EMPTY, /* nothing new reaches them; the host accepts what is there */
        HOT__LEAVING_QUIET, /* there is nothing: the host stops accepting */
        HOT__LEAVING_DONE,
};

/* A generation older than us that still drains, and can resume no more. */
struct hot__ancestor {
        struct hot__channel channel; /* it knows us as its successor */
        struct hot__process process;
        uint64_t generation;
};

#define HOT__N_ANCESTORS 64

/* What the host counts. */
struct hot__figure {
        char name[32];
        const long *value; /* borrowed */
};

#define HOT__N_FIGURES 32

struct hot__event {
        struct hot_event event; /* .failure and .detail point to what follows */
        struct hot__failure failure;
        char detail[512];
};

/* More than one input can cause: events are fetched before the next input is taken. */
#define HOT__N_EVENTS 16

struct hot {
        struct hot_options options;
        char *pid_file, *check;
        uint64_t generation;
        uint64_t opened; /* when */
        struct hot__lifecycle life;
        struct hot__failure failure; /* of the last call */
        bool failed;                 /* is there one */

        struct hot__program program;
        struct hot__attributes attributes;
        bool stdio[3]; /* open at the start: what the next generation gets */
        struct hot__notify notify;
        struct hot__privilege privilege; /* of the start, or since the host said it is meant */
        struct hot__init init;

        struct hot__keep kept;     /* for the next generation */
        struct hot__keep received; /* from the one before */
        bool refused;              /* by the host: it does not want to serve */

        struct hot__listener *listeners;
        size_t n_listeners;
        enum hot__leaving leaving;
        struct hot__handshakes *handshakes; /* under way when leaving began, a listener each */
        uint64_t leaving_look;              /* when to look next; 0: not */
        bool let_go;                        /* what we hold for an older generation can be closed */
        unsigned int leaving_looks, leaving_quiet; /* so many, and in a row that found nothing */

        /* the generation before us, as long as it may resume; after that it is an ancestor */
        struct hot__channel predecessor;
        struct hot__process predecessor_process;
        int predecessor_verdict; /* for a successor of ours: can the predecessor resume? see verdict.h */
        int elder_verdict;       /* for us: can the predecessor's own predecessor? */
        struct hot__process seed_parent; /* a parent that waits for SIGTERM instead */
        struct hot__ancestor *ancestors; /* oldest first */
        size_t n_ancestors;
        bool forced; /* a restart that waits for room shall not wait */

        /* the generation after us */
        struct hot__channel successor;
        struct hot__process successor_process;
        int verdict;           /* ours, which its successors may read */
        int protocol;          /* what we speak with it, or a negative errno */
        pid_t stranger;        /* who answered in its place */
        bool successor_killed; /* by us: its death is near */
        char successor_path[PATH_MAX];
        struct hot__file_id successor_id; /* of what was executed; zero if it cannot be told */
        uint64_t restart; /* how many this generation has tried: the number of the running one */
        struct hot__failure rolled_back; /* why, from the first sign until HOT_FAILED */
        bool rolling_back;
        struct hot__tail
                tail;   /* of what it writes to its standard error, if somebody wants to know */
        bool relaying;  /* it knows nothing of us, and writes there for good */
        int own_stderr; /* what our own shall be when we are ready; -EBADF: it is right */
        struct hot__file_id captured_stderr; /* what it is until then */
        int barrier_fd; /* hangs up when the service manager knows the successor */
        bool stopping;  /* told to stop: PID file and paths have no heir */

        struct hot__giving giving;
        struct hot__taking taking;

        struct hot__control *control; /* NULL: none */
        struct hot__figure figures[HOT__N_FIGURES];
        size_t n_figures;

        /* waiting */
        int epoll_fd, timer_fd, wake_fd, signal_fd;
        sigset_t early;          /* signals that stay blocked in a child until it can handle them */
        uint64_t deadline;       /* of the phase; 0: none */
        uint64_t drain_deadline; /* since HOT_DRAIN */
        uint64_t barrier_deadline; /* for barrier_fd; 0: none */
        uint64_t notify_at;        /* when the service manager is told again; 0: nothing is left */
        uint64_t watchdog_at, watchdog_interval; /* 0: none */
        uint64_t
                accept_at; /* when a client is accepted again that there was no room for; 0: none */
        unsigned int busy; /* inputs in a row that left no time to look at the clock */
        atomic_bool restart_wanted, commit_wanted, abort_wanted;
        atomic_uint stops_wanted;
        unsigned int stops_passed,
                stops_heard; /* by signal: from the init, and from anybody else */
        atomic_size_t holds;

        struct hot__event events[HOT__N_EVENTS];
        unsigned int first_event, n_events;
        struct hot__message message; /* the one being read */
};

/* What a watched descriptor is. Those with an index are added to, so they come last. */
enum hot__source {
        HOT__SOURCE_WAKE,
        HOT__SOURCE_TIMER,
        HOT__SOURCE_SIGNALS,
        HOT__SOURCE_SUCCESSOR,
        HOT__SOURCE_SUCCESSOR_PROCESS,
        HOT__SOURCE_PREDECESSOR,
        HOT__SOURCE_PREDECESSOR_PROCESS,
        HOT__SOURCE_BARRIER,
        HOT__SOURCE_ELDER,
        HOT__SOURCE_INIT,
        HOT__SOURCE_STDERR,
        HOT__SOURCE_ANCESTOR, /* + 2 x index in the chain; + 1 for its process */
        HOT__SOURCE_CONTROL = HOT__SOURCE_ANCESTOR + 2 * HOT__N_ANCESTORS, /* + see control.h */
};

/* failure.c */

/* Why something failed; kept for hot_failure(). Returns -@error. */
int hot__failure_set(struct hot *hot, enum hot_step step, int error, int fd, const char *subject);
void hot__failure_fill(struct hot__failure *failure, enum hot_step step, enum hot_reason reason,
                       int error, const char *subject);

/* inherit.c */

/* Read and verify what @environment announces. No side effect on a foreign descriptor on failure. */
int hot__inherit(struct hot *hot, char *const *environment);

/* listeners.c */

/* Add to the table. Ownership: takes @fd, always. Returns 0 or a negative errno. */
int hot__listeners_take_fd(struct hot *hot, int fd, enum hot__origin origin, const char *name,
                           const char *address);

void hot__listeners_close_if(struct hot *hot, bool (*is_over)(const struct hot__listener *l));
void hot__listeners_close_unclaimed(struct hot *hot);
void hot__listeners_close(struct hot *hot);
void hot__listeners_unlink(struct hot *hot);

/* Before a restart: how the listeners are. After one that was rolled back: so they are again. */
void hot__listeners_remember(struct hot *hot);
void hot__listeners_put_back(struct hot *hot);
/* At HOT_SERVE: let the members that a group has gained listen, and everybody reach what we have claimed. */
void hot__listeners_begin(struct hot *hot);
/* We serve: make the listeners as this release has asked for. */
void hot__listeners_apply(struct hot *hot);

/* leftovers.c */

/* As the new generation: the listeners of the table that we do not take, for READY. */
void hot__leftovers_tell(const struct hot *hot, char *text, size_t size);
/* An older generation needs no more what we hold for it: it has told so (or is dead), or what kept us from
 * closing it may be over. */
void hot__leftovers_release(struct hot *hot, bool told);

/* As the old one: READY has told. */
void hot__leftovers_note(struct hot *hot, const char *text);
/* We can resume no more: close what the successor has, and begin to leave what it has not. */
void hot__leftovers_leave(struct hot *hot);
/* Look after them. */
void hot__leftovers_look(struct hot *hot, uint64_t now);
/* The host has stopped accepting from them. */
void hot__leftovers_quiesced(struct hot *hot);
/* Does a drain have to wait for them? */
bool hot__leftovers_are_there(const struct hot *hot);
void hot__leftovers_done(struct hot *hot);

/* state.c */

/* A new offer begins: the new generation knows nothing yet. */
void hot__state_begin(struct hot *hot);
size_t hot__state_count(const struct hot *hot);
/* Items for what the new generation does not know yet, and their descriptors (borrowed); there must be room
 * for hot__state_count(). They count as told from now on. Returns how many. */
size_t hot__state_add_news(struct hot *hot, struct hot__item *items, int *fds);
/* What the predecessor handed over. Ownership: takes @fd, always. Returns 0 or a negative errno. */
int hot__state_take(struct hot *hot, const struct hot__item *item, int fd);
/* What is new since the offer, in the message that is being read. */
void hot__state_take_news(struct hot *hot, const struct hot__frame *frame);
/* We serve: what nobody asked for is closed, what was lent until now ends. */
void hot__state_settle(struct hot *hot);
void hot__state_done(struct hot *hot);

/* giving.c */

/* The successor serves, and says that it has room for @room - 1 descriptors; 0: it takes no connections. */
void hot__giving_begin(struct hot *hot, uint32_t room);
/* Send what is there. */
void hot__giving_flush(struct hot *hot);
/* TAKEN has come. Returns 0 or -EPROTO. */
int hot__giving_answered(struct hot *hot, const struct hot__frame *frame);
/* The successor has died in the probation: what it has not touched is ours again. */
void hot__giving_resume(struct hot *hot);
/* Nobody is at the other end of the channel any more: what was not answered is ours again. */
void hot__giving_lost(struct hot *hot);
/* We can resume no more: the copies go. */
void hot__giving_retire(struct hot *hot);
/* Does a drain have to wait for an answer, or the host to be told? */
bool hot__giving_is_pending(const struct hot *hot);
/* Look after the copies, and after a receiver that had no room. */
void hot__giving_look(struct hot *hot);
void hot__giving_done(struct hot *hot);

/* taking.c */

/* One more than the descriptors that this process has room for, as SERVING and TAKEN have it. */
uint32_t hot__taking_room(struct hot *hot);
/* A batch has come, in hot->message. @error: refuse all of it. Ownership: takes the frame's items, and what the
 * message owns. */
void hot__taking_begin(struct hot *hot, struct hot__channel *channel, unsigned int source,
                       struct hot__frame *frame, int error);
/* The host has had its turn with the last connection. */
void hot__taking_settle(struct hot *hot);
/* The next one for it, or NULL. */
const struct hot_event *hot__taking_next(struct hot *hot);
/* Was a batch answered since this was asked last? */
bool hot__taking_has_answered(struct hot *hot);
void hot__taking_done(struct hot *hot);

/* restart.c */

/* The pid that a service manager knows us by. */
pid_t hot__main_pid(const struct hot *hot, pid_t own);

/* Give an input to the lifecycle and perform what follows. */
void hot__feed(struct hot *hot, enum hot__input input);

/*
 * Somebody wants a restart. Returns its number (see hot->restart): that of the running one, which it
 * joins, or of the next; 0 if it was passed on to the successor.
 */
uint64_t hot__trigger(struct hot *hot);

/* Send a frame that has no fields. Returns 0 or a negative errno. */
int hot__send_plain(struct hot *hot, struct hot__channel *channel, unsigned int source,
                    enum hot__frame_type type);
/* Send any frame, with borrowed descriptors. Returns 0 or a negative errno. */
int hot__send_frame(struct hot *hot, struct hot__channel *channel, unsigned int source,
                    const struct hot__frame *frame, const int *fds, size_t n_fds);

/* Note why the restart under way fails, unless an earlier reason is known; and feed @input. */
void hot__note_failure(struct hot *hot, enum hot_step step, enum hot_reason reason, int error,
                       const char *subject);
void hot__roll_back(struct hot *hot, enum hot_reason reason, int error, enum hot__input input);

/* Abort the restart under way, unless it may be committed already. */
void hot__give_up(struct hot *hot);
/* Tell the successor that what it did not take is closed. */
void hot__let_go(struct hot *hot);

/* manager.c */

void hot__tell_manager(struct hot *hot, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* What it had no room for, once more. */
void hot__tell_again(struct hot *hot);
/* Wait until it has read all that it was told, but not for ever; then hot__barrier_done(). */
void hot__await_manager(struct hot *hot);
/* The service manager knows the successor, or did not say so in time. */
void hot__barrier_done(struct hot *hot);
/* What the environment says of a watchdog, or NULL; and tell it that we live, now and from time to time, if we are
 * the main process. */
void hot__watchdog_init(struct hot *hot, const char *usec, const char *pid);
void hot__watchdog_ping(struct hot *hot);

/* SIGKILL to the new process and what it started. */
void hot__kill_successor(struct hot *hot);

/* The PID file of a server that is no more: it names us, or the successor that ended before us. */
void hot__remove_own_pid(struct hot *hot);
void hot__remove_heirs_pid(struct hot *hot);

/* Let go of the other generations: stop watching, close. */
void hot__forget_successor(struct hot *hot);
void hot__forget_successor_process(struct hot *hot);
void hot__forget_predecessor(struct hot *hot);

/* launch.c: R2 and R3. Why it failed has been noted. Return 0 or a negative errno. */
int hot__launch_check(struct hot *hot);
int hot__launch(struct hot *hot);

/* offer.c: R5; and what is new since, right before the commit. Return 0 or a negative errno. */
int hot__offer(struct hot *hot);
int hot__offer_news(struct hot *hot);

/* capture.c: the standard error of a new process */

/* A restart begins: what the last one's process wrote is not this one's. */
void hot__capture_begin(struct hot *hot);
/* A pipe for it, if somebody wants to know what it writes there. Gives the end that it gets, or leaves
 * *ret_theirs alone. Returns 0 or a negative errno. */
int hot__capture_open(struct hot *hot, int *ret_theirs);
/* Something has come. */
void hot__capture_read(struct hot *hot);
/* Read what is there; the end of all that has come. */
void hot__capture_text(struct hot *hot, char *buffer, size_t size);
/* It is committed, and does not know that it writes into a pipe: we stay as long as it does. */
void hot__capture_stay(struct hot *hot);
void hot__capture_done(struct hot *hot);
/* As the new process: what our standard error shall be. Ownership: takes @fd, always. */
void hot__capture_take_fd(struct hot *hot, int fd);
/* We are ready. */
void hot__capture_end(struct hot *hot);

/* chain.c */

/* The predecessor has retired: it is an ancestor now. */
void hot__chain_add_predecessor(struct hot *hot);
/* An ancestor that the predecessor tells us of. Ownership: takes both, always. */
void hot__chain_take(struct hot *hot, int channel, int pidfd, pid_t pid, uint64_t generation);
/* Tell the successor of all, which takes them over. */
void hot__chain_pass_on(struct hot *hot);
/* It has ended, or nobody will know: let go. */
void hot__chain_remove(struct hot *hot, size_t index);
void hot__chain_done(struct hot *hot);
bool hot__chain_is_crowded(const struct hot *hot);
bool hot__chain_is_youngest(const struct hot *hot, size_t index);
/* After a change of who lives: is there room for one more? Feeds HOT__IN_ROOM. */
void hot__chain_count(struct hot *hot);
/* Make room for a restart that waits for it: end the oldest. */
void hot__chain_force(struct hot *hot);

/* queue.c */

/* Queue an event for the host; the rest of it is for the caller to fill. */
struct hot__event *hot__event_add(struct hot *hot, enum hot_event_type type);
/* HOT_STEP about a process, with something to tell (or ""). */
struct hot__event *hot__event_step(struct hot *hot, enum hot_step step, pid_t pid,
                                   uint64_t generation, const char *detail);
/* HOT_STEP whose PID file could not be written, or the like: what does not undo the step. */
void hot__event_trouble(struct hot *hot, enum hot_step step, int error, const char *subject);

/* peers.c: one thing that another generation has said, or that it has ended. Those that return a bool: was
 * there any? */
bool hot__peers_read_successor(struct hot *hot);
bool hot__peers_read_predecessor(struct hot *hot);
void hot__peers_look_at_ancestor(struct hot *hot, size_t index, bool process);
void hot__peers_read_verdict(struct hot *hot);
void hot__peers_bury_successor(struct hot *hot);
void hot__peers_lose_predecessor(struct hot *hot);

/* events.c */
int hot__events_init(struct hot *hot);
void hot__events_done(struct hot *hot);

/* Watch a descriptor, or stop watching it: before it is closed, since a descriptor that another process
 * holds too would go on reporting. Descriptors below 0 are let through. */
int hot__watch(struct hot *hot, int fd, unsigned int source);
void hot__unwatch(struct hot *hot, int fd);
/* The same descriptor is another source now; and ask for room to send while something is queued. */
void hot__watch_channel(struct hot *hot, struct hot__channel *channel, unsigned int source);

/* Let hot_fd() be readable for events that came from a call of the host. */
void hot__wake(struct hot *hot);

/* timer.c */
uint64_t hot__now(void);
uint64_t hot__in(unsigned int milliseconds);
void hot__set_deadline(struct hot *hot, unsigned int milliseconds);
void hot__set_deadline_at(struct hot *hot, uint64_t deadline);
void hot__clear_deadline(struct hot *hot);
/* After a change of any time at which something is due. */
void hot__set_timer(struct hot *hot);

#endif
