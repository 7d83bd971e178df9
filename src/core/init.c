/* SPDX-License-Identifier: MIT */
#include "init.h"

#include <endian.h>
#include <errno.h>
#include <hotstart.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "spawn.h"

/*
 * Every signal is blocked in the init and read from a signalfd: also as PID 1, for which the kernel drops
 * what has neither handler nor block. Order is what matters: who serves is read before a signal is passed
 * on, since a generation says so here before it tells its predecessor. One that has retired would not stop
 * the service.
 */

#define MESSAGE_SIZE 12

/* A generation that writes without end keeps nobody from being reaped. */
#define MESSAGES_A_TURN 64

struct stay {
        struct hot__channel channel;
        int signal_fd;
        struct hot__process serving, starting;
        struct hot__process beginning; /* committed; its predecessor may still resume */
        sigset_t undelivered;          /* there was nobody to pass them on to */
        pid_t last;                    /* the last one that served; the first one until any did */
        int last_status;               /* its wait status, once it is known; else -1 */
        int any_status;                /* of whoever was reaped last */
        struct hot__message message;
};

/* ---- who serves ---- */

static bool is_there(const struct hot__process *process)
{
        return process->pid > 0 && !hot__process_has_ended(process);
}

/*
 * A client may have had an answer of a generation that has not said yet that it serves. A trigger after that
 * is one for this generation: to its predecessor it would be one that joins the restart which is under way.
 * Everything else is safer with the predecessor, which outlives it if it fails.
 */
static bool pass_to_beginner(const struct stay *stay, int signal)
{
        return signal == SIGUSR2 && is_there(&stay->beginning) &&
               hot__process_signal(&stay->beginning, signal) == 0;
}

/* Who hears a signal: the generation that serves, or the one that is about to, where none does. */
static const struct hot__process *whom(const struct stay *stay)
{
        return is_there(&stay->serving) ? &stay->serving : &stay->starting;
}

static bool pass_to(const struct hot__process *process, int signal)
{
        return is_there(process) && hot__process_signal(process, signal) != -ESRCH;
}

static void pass_on(struct stay *stay, int signal)
{
        if (!pass_to_beginner(stay, signal) && !pass_to(whom(stay), signal))
                sigaddset(&stay->undelivered, signal);
}

static void deliver(struct stay *stay)
{
        sigset_t late = stay->undelivered;

        sigemptyset(&stay->undelivered);
        for (int signal = 1; signal <= SIGRTMAX; signal++)
                if (sigismember(&late, signal) == 1)
                        pass_on(stay, signal);
}

/*
 * A sender speaks for itself, or for a successor that knows nothing of us and belongs to the same user:
 * whom it may signal anyway. Else a server that gave up its privileges could have us signal anybody.
 */
static bool may_speak_for(const struct hot__message *message, pid_t pid)
{
        char path[32];
        struct stat st;

        snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        return pid == message->pid || (stat(path, &st) == 0 && st.st_uid == message->uid);
}

static void note_process(struct stay *stay, struct hot__process *role, pid_t pid)
{
        struct hot__process found;

        if ((role->pid == pid && is_there(role)) || hot__process_open(pid, &found) < 0)
                return;
        hot__process_done(role);
        *role = found;
        deliver(stay);
}

static void note_serving(struct stay *stay, pid_t pid)
{
        note_process(stay, &stay->serving, pid);
        if (stay->starting.pid == pid)
                hot__process_done(&stay->starting);
        hot__process_done(&stay->beginning);
        if (stay->last == pid)
                return;
        stay->last = pid;
        stay->last_status = -1;
}

static void note_end(struct stay *stay, pid_t pid, int status)
{
        stay->any_status = status;
        if (pid == stay->last)
                stay->last_status = status;
}

static void take_message(struct stay *stay)
{
        const struct hot__message *message = &stay->message;
        uint32_t numbers[3];
        pid_t pid;

        if (message->len < MESSAGE_SIZE || message->pid <= 0)
                return;
        memcpy(numbers, message->bytes, sizeof(numbers));
        pid = le32toh(numbers[1]) ? (pid_t)le32toh(numbers[1]) : message->pid;
        switch (le32toh(numbers[0])) {
        case HOT__INIT_STARTING:
                note_process(stay, &stay->starting, message->pid);
                break;
        case HOT__INIT_SERVES:
                if (may_speak_for(message, pid))
                        note_serving(stay, pid);
                break;
        case HOT__INIT_BEGINS:
                note_process(stay, &stay->beginning, message->pid);
                break;
        case HOT__INIT_ENDED:
                note_end(stay, pid, (int)le32toh(numbers[2]));
                break;
        default:
                break;
        }
}

static void listen_to_generations(struct stay *stay)
{
        int r = HOT__RECEIVED_MESSAGE;

        for (int n = 0; n < MESSAGES_A_TURN && r == HOT__RECEIVED_MESSAGE; n++) {
                if (stay->channel.fd < 0)
                        return;
                r = hot__channel_receive(&stay->channel, &stay->message);
                if (r == HOT__RECEIVED_MESSAGE)
                        take_message(stay);
                hot__message_done(&stay->message);
        }
        /* Nobody has the other end any more: nobody who knows us is left. */
        if (r == HOT__RECEIVED_EOF)
                hot__channel_done(&stay->channel);
}

/* ---- signals ---- */

static bool stops_a_process(int signal)
{
        return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* What a terminal sends goes to its whole foreground group: who is in ours has it already. */
static bool has_it_already(const struct stay *stay, const struct signalfd_siginfo *info)
{
        int signal = (int)info->ssi_signo;

        return info->ssi_code == SI_KERNEL &&
               (signal == SIGINT || signal == SIGQUIT || signal == SIGWINCH ||
                stops_a_process(signal)) &&
               is_there(whom(stay)) && getpgid(whom(stay)->pid) == getpgrp();
}

/* As the signal would by itself: not in an orphaned group, where nobody could continue us. */
static void stop_as_told(int signal)
{
        sigset_t one;

        sigemptyset(&one);
        sigaddset(&one, signal);
        kill(getpid(), signal);
        pthread_sigmask(SIG_UNBLOCK, &one, NULL);
        pthread_sigmask(SIG_BLOCK, &one, NULL);
}

/*
 * If another generation began to serve while we passed it on, the old one may have retired before it came:
 * then the new one gets it too. It counts a stop that comes both ways once; and a trigger a retired
 * generation passes on itself.
 */
static void take_signal(struct stay *stay, const struct signalfd_siginfo *info)
{
        int signal = (int)info->ssi_signo;
        pid_t served;

        if (signal == SIGCHLD)
                return;
        listen_to_generations(stay);
        served = stay->serving.pid;
        if (!has_it_already(stay, info) && (pid_t)info->ssi_pid != whom(stay)->pid)
                pass_on(stay, signal);
        listen_to_generations(stay);
        if (served > 0 && stay->serving.pid != served && signal != SIGUSR2)
                pass_on(stay, signal);
        if (stops_a_process(signal))
                stop_as_told(signal);
}

static void take_signals(struct stay *stay)
{
        struct signalfd_siginfo info;

        while (read(stay->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
                take_signal(stay, &info);
}

/* ---- reaping ---- */

static int wait_status(const siginfo_t *info)
{
        if (info->si_code == CLD_EXITED)
                return (info->si_status & 0xff) << 8;
        return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

/*
 * Whoever has ended. Returns whether any child is left: a process whose parent dies is ours before that one
 * can be reaped, so none escapes. What a dead one had said is heard before its end counts.
 */
static bool reap(struct stay *stay)
{
        for (;;) {
                siginfo_t info = {0};

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
                        if (errno != EINTR)
                                return false;
                } else if (info.si_pid == 0) {
                        return true;
                } else {
                        listen_to_generations(stay);
                        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
                        note_end(stay, info.si_pid, wait_status(&info));
                }
        }
}

/* As a shell tells it: an init cannot die of a signal. */
static int exit_status(const struct stay *stay)
{
        int status = stay->last_status >= 0 ? stay->last_status : stay->any_status;

        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int stay_until_all_have_ended(struct stay *stay)
{
        for (;;) {
                struct pollfd fds[] = {
                        {.fd = stay->signal_fd, .events = POLLIN},
                        {.fd = stay->channel.fd, .events = POLLIN},
                };

                poll(fds, 2, -1);
                take_signals(stay);
                listen_to_generations(stay);
                if (!reap(stay))
                        return exit_status(stay);
        }
}

/* ---- beginning ---- */

/* A process that takes over from another has been started by it, which waits for this pid. */
static bool takes_over(void)
{
        return getuid() == geteuid() && getgid() == getegid() &&
               (getenv("HOT_INIT") || getenv("HOT_CHANNEL") || getenv("HOT_CONTINUE"));
}

/* What a service manager meant for the process that it started is meant for its child, which serves. */
static int hand_on(const char *name, const char *init, const char *own)
{
        const char *value = getenv(name);

        if (!value || strcmp(value, init) != 0)
                return 0;
        return setenv(name, own, 1) < 0 ? -errno : 0;
}

static int announce(int fd, pid_t init_pid)
{
        char init[16], own[16], number[16];
        int r;

        snprintf(init, sizeof(init), "%d", (int)init_pid);
        snprintf(own, sizeof(own), "%d", (int)getpid());
        snprintf(number, sizeof(number), "%d", fd);
        r = hand_on("LISTEN_PID", init, own);
        if (r == 0)
                r = hand_on("WATCHDOG_PID", init, own);
        if (r == 0 && setenv("HOT_INIT", number, 1) < 0)
                r = -errno;
        unsetenv("LISTEN_PIDFDID");
        return r;
}

static int prepare(struct stay *stay, int *ret_theirs)
{
        sigset_t all;
        int fd, r;

        sigfillset(&all);
        fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        stay->signal_fd = hot__fd_take_above_stdio(fd);
        if (stay->signal_fd < 0)
                return stay->signal_fd;
        r = hot__channel_pair(&stay->channel, ret_theirs);
        if (r == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                r = -errno;
        return r;
}

static void stay_done(struct stay *stay)
{
        hot__channel_done(&stay->channel);
        hot__process_done(&stay->serving);
        hot__process_done(&stay->starting);
        hot__process_done(&stay->beginning);
        stay->signal_fd = hot__fd_close(stay->signal_fd);
}

/* In both processes, from here on. Returns 0 in the child and 1 in the parent, when all is over. */
static int part(struct stay *stay, int *theirs, pid_t init_pid, int *ret_status)
{
        int r = hot__process_fork(&stay->starting);

        if (r < 0) {
                prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
                return r;
        }
        if (r == 1)
                return announce(hot__fd_take(theirs), init_pid);
        *theirs = hot__fd_close(*theirs);
        hot__close_all_but(stay->signal_fd, stay->channel.fd, stay->starting.pidfd);
        prctl(PR_SET_NAME, "hotstart-init", 0, 0, 0);
        stay->last = stay->starting.pid;
        *ret_status = stay_until_all_have_ended(stay);
        return 1;
}

int hot_init(int *ret_status)
{
        struct stay stay = {.channel.fd = -EBADF,
                            .signal_fd = -EBADF,
                            .serving.pidfd = -EBADF,
                            .starting.pidfd = -EBADF,
                            .beginning.pidfd = -EBADF,
                            .last_status = -1};
        CLEANUP(hot__fd_closep) int theirs = -EBADF;
        struct hot__signals signals;
        int r;

        if (!ret_status)
                return -EINVAL;
        if (takes_over())
                return 0;
        sigemptyset(&stay.undelivered);
        /* Before the child is there: no signal may come between, and its end is not to be ignored. */
        hot__signals_block_all(&signals);
        r = prepare(&stay, &theirs);
        if (r == 0)
                r = part(&stay, &theirs, getpid(), ret_status);
        stay_done(&stay);
        if (r <= 0)
                hot__signals_restore(&signals);
        return r;
}

/* ---- the generations' side ---- */

int hot__init_adopt(struct hot__init *ret, int fd)
{
        struct hot__init found = {0};
        struct ucred maker = {0};
        socklen_t len = sizeof(maker);
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &len) < 0)
                return -errno;
        /* Whoever it is: a server that has become somebody else keeps the init of its start. */
        r = hot__channel_init_inherited(&found.channel, fd, maker.uid);
        if (r < 0)
                return r;
        found.pid = maker.pid;
        *ret = found;
        return 0;
}

void hot__init_tell(struct hot__init *init, enum hot__init_message message, pid_t pid, int status)
{
        uint32_t numbers[3] = {htole32(message), htole32((uint32_t)pid), htole32((uint32_t)status)};

        if (init->channel.fd >= 0)
                hot__channel_send(&init->channel, numbers, sizeof(numbers), NULL, 0);
}

bool hot__init_is_gone(struct hot__init *init, struct hot__message *message)
{
        int r;

        do {
                r = hot__channel_receive(&init->channel, message);
                hot__message_done(message);
        } while (r == HOT__RECEIVED_MESSAGE);
        if (r == HOT__RECEIVED_NOTHING)
                return false;
        hot__init_done(init);
        return true;
}

void hot__init_done(struct hot__init *init)
{
        hot__channel_done(&init->channel);
        init->pid = 0;
}
