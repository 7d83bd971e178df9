/* SPDX-License-Identifier: MIT */
/*
 * dropping: a server on the core that gives up privileges once it listens, as its arguments say.
 *
 *     dropping [stay] [uid=N] [groups] [root=DIR] [bound=N] [kept=N] [no_new_privs] [seccomp] [meant]
 *
 *   stay          call hot_init(); the first argument, if it is there
 *   uid=N         become that user, and that group
 *   groups        have no supplementary groups
 *   root=DIR      change the root directory
 *   bound=N       take capability N out of the bounding set
 *   kept=N        keep capability N, and no other, over the change of the user that comes next
 *   no_new_privs, seccomp
 *   meant         say that it is meant: hot_dropped_privileges()
 *
 * In the order given, in the first generation only. Each connection gets a line: "GENERATION PID". On stderr:
 * "serving" for each generation, and each restart that failed, in the library's words. SIGUSR2 and SIGTERM as
 * ever.
 */
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hotstart.h>

static void must(int r, const char *what)
{
        if (r < 0)
                err(1, "%s", what);
}

/* One that lets everything through, but for a question that nobody asks. */
static void filter_calls(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

static void set_capabilities(uint64_t capabilities)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities},
                {.effective = (uint32_t)(capabilities >> 32),
                 .permitted = (uint32_t)(capabilities >> 32)},
        };

        must((int)syscall(SYS_capset, &header, data), "capset");
}

static void become(unsigned int id, const uint64_t *kept)
{
        if (kept)
                must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
        must(setgroups(0, NULL), "setgroups");
        must(setresgid(id, id, id), "setresgid");
        must(setresuid(id, id, id), "setresuid");
        if (kept)
                set_capabilities(*kept);
        /* A process that changed its ids belongs to root in /proc, where the test looks. */
        must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable");
}

static void drop(struct hot *hot, char **arguments)
{
        uint64_t kept = 0;
        char *value;

        for (arguments += *arguments && strcmp(*arguments, "stay") == 0; *arguments; arguments++) {
                value = strchr(*arguments, '=');
                value = value ? value + 1 : *arguments;
                if (strncmp(*arguments, "uid=", 4) == 0)
                        become((unsigned int)atoi(value), kept ? &kept : NULL);
                else if (strcmp(*arguments, "groups") == 0)
                        must(setgroups(0, NULL), "setgroups");
                else if (strncmp(*arguments, "root=", 5) == 0)
                        must(chroot(value) < 0 || chdir("/") < 0 ? -1 : 0, value);
                else if (strncmp(*arguments, "bound=", 6) == 0)
                        must(prctl(PR_CAPBSET_DROP, atoi(value), 0, 0, 0), "bound");
                else if (strncmp(*arguments, "kept=", 5) == 0)
                        kept = UINT64_C(1) << atoi(value);
                else if (strcmp(*arguments, "no_new_privs") == 0)
                        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
                else if (strcmp(*arguments, "seccomp") == 0)
                        filter_calls();
                else if (strcmp(*arguments, "meant") == 0)
                        must(hot_dropped_privileges(hot), "hot_dropped_privileges");
                else
                        errx(2, "%s: not understood", *arguments);
        }
}

static void answer(struct hot *hot, int listener)
{
        int client = accept(listener, NULL, NULL);

        if (client < 0)
                return;
        dprintf(client, "%d %d\n", (int)hot_generation(hot), (int)getpid());
        close(client);
}

/* Returns whether to go on; *ret_accepts is whether to poll the listener. */
static int handle(struct hot *hot, const struct hot_event *event, int *ret_accepts)
{
        char words[512];

        switch (event->type) {
        case HOT_SERVE:
        case HOT_RESUME:
                *ret_accepts = 1;
                hot_serving(hot);
                fprintf(stderr, "serving %d\n", (int)hot_generation(hot));
                break;
        case HOT_QUIESCE:
        case HOT_STOP:
                *ret_accepts = 0;
                hot_quiesced(hot);
                break;
        case HOT_FAILED:
                fprintf(stderr, "%s\n", hot_failure_string(event->failure, words, sizeof(words)));
                break;
        default:
                break;
        }
        return event->type != HOT_EXIT;
}

int main(int argc, char **argv)
{
        const struct hot_options options = {.size = sizeof(options), .probation_ms = HOT_NONE};
        int accepts = 0, status, listener, r;
        struct hot *hot;

        if (argc > 1 && strcmp(argv[1], "stay") == 0 && hot_init(&status) > 0)
                return status;
        r = hot_open(&hot, &options);
        listener = r < 0 ? r : hot_listen(hot, "line", "tcp://127.0.0.1:0");
        if (listener < 0 || hot_signals(hot) < 0)
                errx(1, "cannot listen: %s", strerror(-listener));
        if (hot_generation(hot) == 1)
                drop(hot, argv + 1);
        hot_ready(hot);
        for (;;) {
                struct pollfd fds[] = {{.fd = hot_fd(hot), .events = POLLIN},
                                       {.fd = accepts ? listener : -1, .events = POLLIN}};

                for (const struct hot_event *event; (event = hot_next(hot));)
                        if (!handle(hot, event, &accepts)) {
                                hot_free(hot);
                                return 0;
                        }
                fds[1].fd = accepts ? listener : -1;
                poll(fds, 2, -1);
                if (fds[1].revents)
                        answer(hot, listener);
        }
}
