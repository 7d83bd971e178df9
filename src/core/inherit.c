/* SPDX-License-Identifier: MIT */
#include "hot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "control.h"
#include "fd.h"
#include "verdict.h"

/* linux/magic.h has it since 6.12. */
#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/*
 * R4 and R5 as the new generation sees them: what the environment announces is verified with the kernel,
 * we say hello, and wait for the offer. The old one bounds that wait with its start deadline; if it dies
 * before its offer came, what the environment told must do, and we carry on alone.
 */

static int refuse_descriptor(struct hot *hot, int error, int fd, const char *variable)
{
        return hot__failure_set(hot, HOT_STEP_OPEN, error, fd, variable);
}

/* Only looks: until everything has been verified nothing is changed, so that junk stays unharmed. */
static int verify_listeners(struct hot *hot, const struct hot__announcement *announced)
{
        for (int i = 0; i < announced->n_fds; i++) {
                int fd = hot__dialect_fd(announced, i), r = hot__listener_verify(fd);

                if (r < 0)
                        return refuse_descriptor(hot, -r, fd, announced->variable);
        }
        return 0;
}

static int take_listener(struct hot *hot, const struct hot__announcement *announced, int index)
{
        int fd = hot__dialect_fd(announced, index), flags = fcntl(fd, F_GETFL), r;
        char name[HOT__NAME_MAX];

        r = hot__dialect_name(announced, index, name);
        if (r < 0)
                return refuse_descriptor(hot, -r, fd, "LISTEN_FDNAMES");
        r = hot__fd_set_cloexec(fd, true);
        /* Only strangers hand over blocking ones; we never change an option before we serve. */
        if (r == 0 && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                r = -errno;
        if (r == 0)
                r = hot__listeners_take_fd(hot, fd, HOT__ANNOUNCED, name, "");
        if (r < 0)
                return refuse_descriptor(hot, -r, fd, announced->variable);
        hot->listeners[hot->n_listeners - 1].activated = announced->supervised;
        return 0;
}

static int send_frame(struct hot *hot, const struct hot__frame *frame)
{
        uint8_t bytes[512];
        ssize_t len = hot__frame_encode(frame, bytes, sizeof(bytes));

        return len < 0 ? (int)len
                       : hot__channel_send(&hot->predecessor, bytes, (size_t)len, NULL, 0);
}

/* Tell the old generation why, so that its operator need not guess; then fail. */
static int refuse(struct hot *hot, int error, uint32_t tag)
{
        send_frame(hot,
                   &(struct hot__frame){.type = HOT__REFUSE, .error = (uint32_t)error, .tag = tag});
        return hot__failure_set(hot, HOT_STEP_OFFER, error, -EBADF, "");
}

/*
 * Who made the channel is our predecessor. Its process handle tells when it dies; the pid cannot have
 * been reused as long as its end of the channel is open.
 */
static void find_predecessor(struct hot *hot)
{
        struct ucred maker = {0};
        socklen_t len = sizeof(maker);
        struct pollfd hang_up = {.fd = hot->predecessor.fd};
        int r;

        if (getsockopt(hot->predecessor.fd, SOL_SOCKET, SO_PEERCRED, &maker, &len) < 0 ||
            maker.pid <= 0)
                return;
        r = hot__process_open(maker.pid, &hot->predecessor_process);
        /* It is dead, and a worker that it forked may hold its end open: nobody will say more. */
        if (r == -ESRCH)
                shutdown(hot->predecessor.fd, SHUT_RDWR);
        if (r < 0)
                return;
        if (poll(&hang_up, 1, 0) > 0 && (hang_up.revents & POLLHUP))
                hot__process_done(&hot->predecessor_process);
}

/* Were we started by a program between, which did not exec? Then the old generation watches that one. */
static bool is_stranger(const struct hot *hot)
{
        return hot->predecessor_process.pid > 0 && hot->predecessor_process.pid != getppid() &&
               !hot__process_has_ended(&hot->predecessor_process);
}

static int take_listener_item(struct hot *hot, const struct hot__item *item)
{
        for (size_t i = 0; i < hot->n_listeners; i++) {
                struct hot__listener *l = &hot->listeners[i];

                if ((uint32_t)l->fd != item->fd || l->origin != HOT__ANNOUNCED)
                        continue;
                l->origin = item->address[0] ? HOT__BOUND : HOT__ADOPTED;
                l->activated = item->kind == HOT__ITEM_ACTIVATED;
                strcpy(l->name, item->name);
                strcpy(l->address, item->address);
                return 0;
        }
        return -EPROTO;
}

/* Put the next descriptor of the message where it belongs, above the standard ones. */
static int take_fd(struct hot *hot, size_t *n_fds, int *ret)
{
        int fd = hot__message_steal_fd(&hot->message, (*n_fds)++);

        hot__fd_close(*ret);
        *ret = fd < 0 ? -EPROTO : hot__fd_take_above_stdio(fd);
        return *ret < 0 ? *ret : 0;
}

/* A server that cannot be controlled still serves. */
static int take_control(struct hot *hot, const struct hot__item *item, size_t *n_fds)
{
        int fd = -EBADF, r = take_fd(hot, n_fds, &fd);

        if (r < 0)
                return r;
        hot__control_take_socket_fd(hot, fd, item->address);
        return 0;
}

static int take_item(struct hot *hot, const struct hot__item *item, size_t *n_fds)
{
        switch (item->kind) {
        case HOT__ITEM_LISTENER:
        case HOT__ITEM_ACTIVATED:
                return take_listener_item(hot, item);
        case HOT__ITEM_VERDICT:
                return take_fd(hot, n_fds, &hot->predecessor_verdict);
        case HOT__ITEM_KEPT:
        case HOT__ITEM_STATE:
                return hot__state_take(hot, item, hot__message_steal_fd(&hot->message, (*n_fds)++));
        case HOT__ITEM_CONTROL:
                return take_control(hot, item, n_fds);
        case HOT__ITEM_STDERR:
                hot__capture_take_fd(hot, hot__message_steal_fd(&hot->message, (*n_fds)++));
                return 0;
        default:
                return -EOPNOTSUPP;
        }
}

static int take_offer(struct hot *hot, const struct hot__frame *frame, uint32_t *items_taken)
{
        size_t n_fds = 0;
        int r;

        if (frame->protocol < HOT__PROTOCOL_LOWEST || frame->protocol > HOT__PROTOCOL_HIGHEST)
                return refuse(hot, EPROTONOSUPPORT, 0);
        for (size_t i = 0; i < frame->n_items_here; i++) {
                const struct hot__item *item = &frame->items[i];

                r = take_item(hot, item, &n_fds);
                if (r < 0)
                        return refuse(hot, -r, r == -EOPNOTSUPP ? HOT__TAG_ITEM_KIND : 0);
        }
        if (n_fds != hot->message.n_fds)
                return refuse(hot, EPROTO, 0);
        *items_taken += (uint32_t)frame->n_items_here;
        hot->generation = frame->generation;
        return 0;
}

/* Returns 1 when the offer is complete, 0 when more of it is to come. */
static int take_message(struct hot *hot, uint32_t *items_taken)
{
        struct hot__frame frame;
        int r = hot__frame_decode(hot->message.bytes, hot->message.len, &frame);

        if (r < 0) {
                hot__message_done(&hot->message);
                return refuse(hot, -r, r == -EOPNOTSUPP ? frame.tag : 0);
        }
        if (frame.type != HOT__OFFER)
                r = refuse(hot, EPROTO, 0);
        else
                r = take_offer(hot, &frame, items_taken);
        hot__message_done(&hot->message);
        if (r == 0)
                r = *items_taken >= frame.n_items;
        hot__frame_done(&frame);
        return r;
}

/* Returns 1 when we have the offer, 0 when the predecessor died before, or a negative errno. */
static int await_offer(struct hot *hot)
{
        uint32_t items_taken = 0;

        for (;;) {
                struct pollfd fds[] = {
                        {.fd = hot->predecessor.fd, .events = POLLIN},
                        {.fd = hot->predecessor_process.pidfd, .events = POLLIN},
                };
                /* Asked before the channel is read: what is empty after its death stays so, also
                 * where a worker that it forked holds its end open. */
                bool dead = hot->predecessor_process.pid > 0 &&
                            hot__process_has_ended(&hot->predecessor_process);
                int r = hot__channel_receive(&hot->predecessor, &hot->message);

                if (r == HOT__RECEIVED_MESSAGE) {
                        r = take_message(hot, &items_taken);
                        if (r != 0)
                                return r;
                        continue;
                }
                if (r < 0)
                        return refuse(hot, -r, 0);
                if (dead || (r == HOT__RECEIVED_EOF && hot->predecessor_process.pid == 0))
                        return 0;
                if (r == HOT__RECEIVED_EOF)
                        fds[0].fd = -1; /* it gives us up and will kill us, or it is dying */
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        return hot__failure_set(hot, HOT_STEP_OFFER, errno, -EBADF, "");
        }
}

static int shake_hands(struct hot *hot)
{
        struct hot__frame hello = {.type = HOT__HELLO,
                                   .lowest = HOT__PROTOCOL_LOWEST,
                                   .highest = HOT__PROTOCOL_HIGHEST,
                                   .version = HOT_VERSION};
        int r;

        find_predecessor(hot);
        r = send_frame(hot, &hello);
        if (r < 0 && r != -EPIPE && r != -ECONNRESET)
                return hot__failure_set(hot, HOT_STEP_HELLO, -r, -EBADF, "HOT_CHANNEL");
        if (is_stranger(hot)) {
                hot__failure_set(hot, HOT_STEP_HELLO, EPERM, -EBADF, "HOT_CHANNEL");
                hot->failure.detail.reason = HOT_REASON_STRANGER;
                return -EPERM;
        }
        hot__process_join_group_of(&hot->predecessor_process);
        r = await_offer(hot);
        if (r == 0)
                hot__forget_predecessor(hot);
        return r < 0 ? r : 0;
}

/* The seed signals whoever is its parent by then. A handle taken now cannot hit another process. */
static void find_seed_parent(struct hot *hot)
{
        pid_t parent = getppid();

        if (parent > 1 && hot__process_open(parent, &hot->seed_parent) == 0 && getppid() != parent)
                hot__process_done(&hot->seed_parent);
}

static int take_elder(struct hot *hot, int fd)
{
        int r = fd < 0 ? 0 : hot__verdict_verify(fd);

        if (r < 0)
                return refuse_descriptor(hot, -r, fd, "HOT_ELDER");
        if (fd >= 0)
                hot->elder_verdict = fd;
        return fd < 0 ? 0 : hot__fd_set_cloexec(fd, true);
}

/* Beside any dialect: also the first generation has one. */
static int take_init(struct hot *hot, int fd)
{
        int r = fd < 0 ? 0 : hot__init_adopt(&hot->init, fd);

        if (r < 0)
                return refuse_descriptor(hot, -r, fd, "HOT_INIT");
        hot__init_tell(&hot->init, HOT__INIT_STARTING, 0, 0);
        return 0;
}

/* What pidfs says of our own pidfd, 0 where the kernel has no such numbers (before Linux 6.9). */
static uint64_t find_pidfd_id(void)
{
        struct hot__process self = {.pidfd = -EBADF};
        struct statfs system;
        struct stat st;
        uint64_t id = 0;

        if (hot__process_open(getpid(), &self) < 0)
                return 0;
        if (fstatfs(self.pidfd, &system) == 0 && system.f_type == PID_FS_MAGIC &&
            fstat(self.pidfd, &st) == 0)
                id = st.st_ino;
        hot__process_done(&self);
        return id;
}

int hot__inherit(struct hot *hot, char *const *environment)
{
        struct hot__reader reader = {.pid = getpid(), .parent = getppid()};
        struct hot__announcement announced;
        int r;

        hot->generation = 1;
        if (getuid() != geteuid() || getgid() != getegid())
                return 0;
        if (hot__dialect_names_pidfd(environment))
                reader.pidfd_id = find_pidfd_id();
        r = hot__dialect_parse(environment, &reader, &announced);
        if (r < 0)
                return hot__failure_set(hot, HOT_STEP_OPEN, -r, -EBADF, announced.variable);
        r = take_init(hot, announced.init);
        if (r < 0)
                return r;
        /* Raised by its file: only a channel can show that whoever announces something is its own user. */
        if (getauxval(AT_SECURE) && announced.dialect != HOT__DIALECT_OWN)
                return 0;
        r = verify_listeners(hot, &announced);
        if (r < 0)
                return r;
        if (announced.dialect == HOT__DIALECT_OWN) {
                r = hot__channel_init_inherited(&hot->predecessor, announced.channel, getuid());
                if (r < 0)
                        return refuse_descriptor(hot, -r, announced.channel, "HOT_CHANNEL");
                r = take_elder(hot, announced.elder);
                if (r < 0)
                        return r;
        }
        hot->generation = announced.generation;
        for (int i = 0; i < announced.n_fds; i++) {
                r = take_listener(hot, &announced, i);
                if (r < 0)
                        return r;
        }
        if (announced.dialect == HOT__DIALECT_OWN)
                return shake_hands(hot);
        if (announced.dialect == HOT__DIALECT_SEED)
                find_seed_parent(hot);
        return 0;
}
