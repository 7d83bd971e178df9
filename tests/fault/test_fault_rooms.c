/* SPDX-License-Identifier: MIT */
/*
 * The rooms of the core that make system calls, each alone: whatever call fails, the error comes out and
 * nothing stays behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "channel.h"
#include "fault.h"
#include "fd.h"
#include "fdcheck.h"
#include "listener.h"
#include "memfd.h"
#include "notify.h"
#include "pidfile.h"
#include "privilege.h"
#include "unixpath.h"
#include "wire.h"

/* The channel */

static struct hot__channel ours, theirs;
static struct hot__message message;
static int given[2];

static void open_given(void)
{
        ours.fd = theirs.fd = -EBADF;
        assert_int_equal(pipe2(given, O_CLOEXEC), 0);
}

static void close_channel(void)
{
        hot__message_done(&message);
        hot__channel_done(&ours);
        hot__channel_done(&theirs);
        close(given[0]);
        close(given[1]);
}

/* A socket that is not ready once is asked again. */
static int receive(struct hot__channel *channel)
{
        int r = hot__channel_receive(channel, &message);

        return r == HOT__RECEIVED_NOTHING ? hot__channel_receive(channel, &message) : r;
}

static int hand_over(void)
{
        CLEANUP(hot__fd_closep) int end = -EBADF;
        CLEANUP(hot__fd_closep) int stolen = -EBADF;
        int r = hot__channel_pair(&ours, &end);

        if (r == 0)
                r = hot__channel_init_inherited(&theirs, end, getuid());
        if (r < 0)
                return r;
        end = -EBADF;
        r = hot__channel_send(&ours, "items", 5, given, 2);
        if (r == 0)
                r = receive(&theirs);
        if (r < 0)
                return r;
        assert_int_equal(r, HOT__RECEIVED_MESSAGE);
        assert_int_equal(message.len, 5);
        assert_memory_equal(message.bytes, "items", 5);
        assert_int_equal(message.n_fds, 2);
        stolen = hot__message_steal_fd(&message, 1);
        assert_true(stolen > 2);
        hot__message_done(&message);
        hot__channel_done(&ours);
        r = receive(&theirs);
        if (r == HOT__RECEIVED_EOF)
                return 0;
        assert_true(r < 0);
        return r;
}

static void test_a_message_with_descriptors(void **state)
{
        static const struct fault_scenario scenario = {open_given, hand_over, close_channel, NULL,
                                                       NULL};

        (void)state;
        fault_sweep(&scenario);
}

static void fill_channel(void)
{
        static const uint8_t bulk[HOT__FRAME_MAX];
        int end;

        open_given();
        assert_int_equal(hot__channel_pair(&ours, &end), 0);
        assert_int_equal(hot__channel_init_inherited(&theirs, end, getuid()), 0);
        while (send(ours.fd, bulk, sizeof(bulk), MSG_DONTWAIT) > 0)
                ;
        assert_int_equal(errno, EAGAIN);
}

static int queue_and_flush(void)
{
        int r = hot__channel_send(&ours, "items", 5, given, 2);

        if (r < 0)
                return r;
        do {
                r = receive(&theirs);
                assert_int_not_equal(r, HOT__RECEIVED_EOF);
                if (r >= 0)
                        r = hot__channel_flush(&ours);
                if (r < 0)
                        return r;
        } while (message.n_fds == 0);
        assert_int_equal(r, 0);
        assert_memory_equal(message.bytes, "items", 5);
        assert_int_equal(message.n_fds, 2);
        return 0;
}

static void test_a_message_that_waits_for_room(void **state)
{
        static const struct fault_scenario scenario = {fill_channel, queue_and_flush, close_channel,
                                                       NULL, NULL};

        (void)state;
        fault_sweep(&scenario);
}

static int code_offer(void)
{
        struct hot__item item = {.kind = HOT__ITEM_LISTENER, .fd = 3, .name = "http"};
        const struct hot__frame offer = {.type = HOT__OFFER,
                                         .protocol = 1,
                                         .generation = 2,
                                         .n_items = 1,
                                         .items = &item,
                                         .n_items_here = 1};
        uint8_t bytes[HOT__FRAME_MAX];
        ssize_t len = hot__frame_encode(&offer, bytes, sizeof(bytes));
        struct hot__frame frame = {0};
        int r;

        assert_true(len > 0);
        r = hot__frame_decode(bytes, (size_t)len, &frame);
        assert_int_equal(frame.n_items_here, r == 0);
        hot__frame_done(&frame);
        return r;
}

static void test_an_offer(void **state)
{
        static const struct fault_scenario scenario = {NULL, code_offer, NULL, NULL, NULL};

        (void)state;
        fault_sweep(&scenario);
}

/* Listeners */

static char folder[64], path[128];
static struct hot__address address;
static int listener = -EBADF;

static void make_folder(void)
{
        strcpy(folder, "/tmp/hotstart-fault-XXXXXX");
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/socket", folder);
}

static void set_address(const char *text)
{
        assert_int_equal(hot__address_parse(text, &address), 0);
}

static void use_tcp(void)
{
        make_folder();
        set_address("tcp://127.0.0.1:0");
}

static void use_any(void)
{
        make_folder();
        set_address(":0");
}

static void use_udp(void)
{
        make_folder();
        set_address("udp://127.0.0.1:0");
}

static void use_path(void)
{
        char text[256];

        make_folder();
        snprintf(text, sizeof(text), "unix:%s", path);
        set_address(text);
}

/* A socket file that nobody listens on. */
static void use_stale_path(void)
{
        int fd;

        use_path();
        assert_int_equal(hot__listener_bind(&address, &fd), 0);
        close(fd);
}

static int bind_and_verify(void)
{
        int r = hot__listener_bind(&address, &listener);

        return r == 0 ? hot__listener_verify(listener) : r;
}

static void use_bound_path(void)
{
        use_path();
        assert_int_equal(hot__listener_bind(&address, &listener), 0);
}

static int ask_and_unlink(void)
{
        char text[HOT__ADDRESS_MAX], asked[HOT__ADDRESS_MAX];
        bool is_at = hot__listener_is_at(listener, &address);
        int r = hot__listener_format(listener, NULL, text, sizeof(text));

        if (r == 0 && !fault_hit(FAULT_ANY)) {
                assert_true(is_at);
                assert_int_equal(hot__address_format(&address, asked, sizeof(asked)), 0);
                assert_string_equal(text, asked);
        }
        if (r == 0)
                r = hot__unixpath_unlink(path, listener);
        if (r == 0 && !fault_hit(FAULT_ANY))
                assert_int_equal(access(path, F_OK), -1);
        return r;
}

static void drop_listener(void)
{
        char lock[sizeof(path) + 16], command[128];

        listener = hot__fd_close(listener);
        unlink(path);
        /* The lock's file may stay where it could not be looked at: who binds next takes it. */
        snprintf(lock, sizeof(lock), "%s.hotstart-lock", path);
        unlink(lock);
        if (rmdir(folder) < 0) {
                snprintf(command, sizeof(command), "rm -r %s", folder);
                assert_int_equal(system(command), 0);
                /* Nothing else is left, unless it could not be removed. */
                assert_true(fault_hit("unlink"));
        }
}

static void test_binding(void **state)
{
        /* Not to know the peer is not to be connected; a lock's file that stays is no lock. */
        static const char *const tolerated[] = {"getpeername", "unlink", NULL};
        /* Without a name it is not bound. */
        static const char *const translated[] = {"getsockname", NULL};
        static void (*const uses[])(void) = {use_tcp, use_any, use_udp, use_path, use_stale_path};

        (void)state;
        for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
                const struct fault_scenario scenario = {uses[i], bind_and_verify, drop_listener,
                                                        tolerated, translated};

                fault_sweep(&scenario);
        }
}

static void test_asking_where_a_listener_is_and_unlinking_it(void **state)
{
        static const char *const any[] = {FAULT_ANY, NULL};
        static const struct fault_scenario scenario = {use_bound_path, ask_and_unlink,
                                                       drop_listener, any, any};

        (void)state;
        fault_sweep(&scenario);
}

/* The service manager */

static struct hot__notify notify;
static char manager_address[128];
static int manager, barrier = -EBADF;

static void open_manager(void)
{
        struct sockaddr_un un;
        socklen_t len = sizeof(un);
        sa_family_t family = AF_UNIX;

        manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(manager >= 0);
        assert_int_equal(bind(manager, (const struct sockaddr *)&family, sizeof(family)), 0);
        assert_int_equal(getsockname(manager, (struct sockaddr *)&un, &len), 0);
        snprintf(manager_address, sizeof(manager_address), "@%.*s",
                 (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), un.sun_path + 1);
}

static void close_manager(void)
{
        barrier = hot__fd_close(barrier);
        close(manager);
}

static int notify_manager(void)
{
        int r;

        assert_int_equal(hot__notify_init(&notify, manager_address), 0);
        r = hot__notify_send(&notify, "READY=1");
        return r == 0 ? hot__notify_barrier(&notify, &barrier) : r;
}

static void test_the_service_manager(void **state)
{
        static const struct fault_scenario scenario = {open_manager, notify_manager, close_manager,
                                                       NULL, NULL};

        (void)state;
        fault_sweep(&scenario);
}

/* PID files */

static int keep_pid_file(void)
{
        pid_t pid;
        int r = hot__pidfile_write(path, 4711);

        if (r < 0)
                return r;
        pid = hot__pidfile_read(path);
        if (pid < 0)
                return pid;
        assert_int_equal(pid, 4711);
        return hot__pidfile_remove(path, 4711);
}

static void test_pid_files(void **state)
{
        static const struct fault_scenario scenario = {make_folder, keep_pid_file, drop_listener,
                                                       NULL, NULL};

        (void)state;
        fault_sweep(&scenario);
}

/* Sealed memory */

static int seal_and_map(void)
{
        CLEANUP(hot__fd_closep) int fd = -EBADF;
        const void *bytes;
        size_t len;
        int r = hot__memfd_seal("state", "state", 5, &fd);

        if (r == 0)
                r = hot__memfd_map(fd, &bytes, &len);
        if (r < 0)
                return r;
        assert_int_equal(len, 5);
        assert_memory_equal(bytes, "state", 5);
        hot__memfd_unmap(bytes, len);
        return 0;
}

static void test_sealed_memory(void **state)
{
        static const struct fault_scenario scenario = {NULL, seal_and_map, NULL, NULL, NULL};

        (void)state;
        fault_sweep(&scenario);
}

/* Privileges */

static int ask_for_privileges(void)
{
        struct hot__privilege a, b;
        struct hot__privilege_file file;
        char words[64];
        int r = hot__privilege_file_read("/bin/sh", &file);

        if (r == 0)
                r = hot__privilege_capture(&a);
        if (r < 0)
                return r;
        r = hot__privilege_capture(&b);
        if (r == 0)
                assert_false(hot__privilege_differs(&a, &b, words, sizeof(words)));
        hot__privilege_done(&a);
        if (r == 0)
                hot__privilege_done(&b);
        return r;
}

/* Without the status file the kernel is asked for the filters in another way: the mode is the same. */
static void test_privileges(void **state)
{
        static const char *const unnoticed[] = {"open", "read", NULL};
        static const struct fault_scenario scenario = {NULL, ask_for_privileges, NULL, unnoticed,
                                                       NULL};

        (void)state;
        fault_sweep(&scenario);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_message_with_descriptors),
                cmocka_unit_test(test_a_message_that_waits_for_room),
                cmocka_unit_test(test_an_offer),
                cmocka_unit_test(test_binding),
                cmocka_unit_test(test_asking_where_a_listener_is_and_unlinking_it),
                cmocka_unit_test(test_the_service_manager),
                cmocka_unit_test(test_pid_files),
                hot_test(test_sealed_memory),
                hot_test(test_privileges),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
