/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hotstart/inspect.h>

#include "paper.h"

/* linux/wait.h names it where the C library does not. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern char **environ;

/* `demo`, in the folder that this program is in. */
static int choose_program(struct server *server, const char *program)
{
        char *slash;
        int r;

        if (program) {
                if (strlen(program) >= sizeof(server->program))
                        return -ENAMETOOLONG;
                strcpy(server->program, program);
                return 0;
        }
        r = hot_inspect_program(getpid(), server->program, sizeof(server->program));
        if (r < 0)
                return r;
        slash = strrchr(server->program, '/');
        if (!slash || (size_t)(slash - server->program) + sizeof("/demo") > sizeof(server->program))
                return -ENAMETOOLONG;
        strcpy(slash, "/demo");
        return 0;
}

/* Could somebody listen there now? Returns the port (which the kernel chooses for 0) or a negative errno. */
static int try_port(uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        socklen_t len = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, r;

        if (fd < 0)
                return -errno;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        if (r == 0)
                r = bind(fd, (const struct sockaddr *)&address, len);
        if (r == 0)
                r = listen(fd, 1);
        if (r == 0)
                r = getsockname(fd, (struct sockaddr *)&address, &len);
        r = r < 0 ? -errno : ntohs(address.sin_port);
        close(fd);
        return r;
}

static void tell_holder(uint16_t port)
{
        char address[32], name[16];
        pid_t pid;

        snprintf(address, sizeof(address), "127.0.0.1:%u", port);
        if (hot_inspect_holder(address, &pid, name, sizeof(name)) == 0)
                paper_say("Port %u is taken by %s (pid %d), so another one is used.", port, name,
                          pid);
        else
                paper_say("Port %u is taken, so another one is used.", port);
}

static int choose_port(struct server *server, uint16_t port)
{
        int r = try_port(port);

        if (r == -EADDRINUSE) {
                tell_holder(port);
                r = try_port(0);
        }
        if (r < 0)
                return r;
        server->address.sin_family = AF_INET;
        server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server->address.sin_port = htons((uint16_t)r);
        snprintf(server->listen, sizeof(server->listen), "127.0.0.1:%d", r);
        return 0;
}

int server_init(struct server *ret, const char *program, uint16_t port, unsigned int delay)
{
        int r;

        *ret = (struct server){.log_fd = -EBADF, .delay = delay};
        r = choose_program(ret, program);
        return r < 0 ? r : choose_port(ret, port);
}

/* An announcement that is meant for us, or a service manager's socket, is none of the server's business. */
static bool is_foreign(const char *variable)
{
        static const char *const prefixes[] = {"LISTEN_", "HOT_", "HOTSTART_", "NOTIFY_SOCKET="};

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
                if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* Gives an array for free(3); the strings stay those of our own environment. */
static char **make_environment(void)
{
        size_t n = 0, kept = 0;
        char **environment;

        while (environ[n])
                n++;
        environment = calloc(n + 1, sizeof(*environment));
        for (size_t i = 0; environment && i < n; i++)
                if (!is_foreign(environ[i]))
                        environment[kept++] = environ[i];
        return environment;
}

/* 0 is /dev/null, 1 and 2 are the log, and nothing else: the first table has no strangers in it. */
static int spawn(struct server *server, const sigset_t *mask, int log_fd, char **environment,
                 pid_t *ret_pid)
{
        char delay[16];
        char listen_option[] = "--listen", delay_option[] = "--hello-delay";
        char *argv[] = {server->program, listen_option, server->listen, delay_option, delay, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        snprintf(delay, sizeof(delay), "%u", server->delay);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, log_fd, 1);
        posix_spawn_file_actions_adddup2(&actions, log_fd, 2);
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        posix_spawnattr_setsigmask(&attributes, mask);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn(ret_pid, server->program, &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int server_start(struct server *server, const sigset_t *mask, struct generation *ret)
{
        char **environment;
        int log[2], r;
        pid_t pid;

        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || pipe2(log, O_CLOEXEC) < 0)
                return -errno;
        server->log_fd = log[0];
        fcntl(log[0], F_SETFL, O_NONBLOCK);
        environment = make_environment();
        r = environment ? spawn(server, mask, log[1], environment, &pid) : -ENOMEM;
        free(environment);
        close(log[1]);
        return r < 0 ? r : generation_open(ret, pid, 1);
}

/* Print the complete lines and keep the rest. */
static void print_lines(struct server *server)
{
        char *start = server->log, *end;

        while ((end = memchr(start, '\n', server->log_len - (size_t)(start - server->log)))) {
                *end = '\0';
                paper_log(start);
                start = end + 1;
        }
        server->log_len -= (size_t)(start - server->log);
        memmove(server->log, start, server->log_len);
        if (server->log_len == sizeof(server->log) - 1) {
                server->log[server->log_len] = '\0';
                paper_log(server->log);
                server->log_len = 0;
        }
}

bool server_log(struct server *server)
{
        ssize_t n;

        if (server->log_fd < 0)
                return false;
        while ((n = read(server->log_fd, server->log + server->log_len,
                         sizeof(server->log) - 1 - server->log_len)) > 0) {
                server->log_len += (size_t)n;
                print_lines(server);
        }
        if (n < 0 && errno == EAGAIN)
                return true;
        close(server->log_fd);
        server->log_fd = -EBADF;
        return false;
}

int generation_open(struct generation *ret, pid_t pid, uint64_t number)
{
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

        if (pidfd < 0)
                return -errno;
        *ret = (struct generation){.pid = pid, .pidfd = pidfd, .number = number};
        return 0;
}

void generation_done(struct generation *generation)
{
        if (generation->pid != 0 && generation->pidfd >= 0)
                close(generation->pidfd);
        generation->pidfd = -EBADF;
}

int generation_signal(const struct generation *generation, int signal)
{
        return syscall(SYS_pidfd_send_signal, generation->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool generation_has_ended(struct generation *generation)
{
        siginfo_t info = {0};

        if (generation->ended)
                return true;
        if (waitid(P_PIDFD, (id_t)generation->pidfd, &info, WEXITED | WNOHANG) < 0 ||
            info.si_pid == 0)
                return false;
        generation->ended = true;
        generation->wait_status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
        return true;
}

pid_t generation_successor(const struct generation *parent)
{
        pid_t *pids, found = 0;
        size_t n;

        if (hot_inspect_processes(&pids, &n) < 0)
                return 0;
        /* From the highest: a child is younger than its parent, so its number mostly is higher. */
        while (n > 0 && found == 0)
                if (hot_inspect_parent_of(pids[--n]) == parent->pid)
                        found = pids[n];
        free(pids);
        return found;
}

/* A child cannot be reaped by anybody else, so its number is its own until we do. */
static unsigned int kill_children(void)
{
        unsigned int killed = 0;
        struct generation child;
        pid_t *pids;
        size_t n;

        if (hot_inspect_processes(&pids, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++) {
                if (hot_inspect_parent_of(pids[i]) != getpid())
                        continue;
                if (generation_open(&child, pids[i], 0) < 0)
                        continue;
                if (generation_signal(&child, SIGKILL) == 0)
                        killed++;
                generation_done(&child);
        }
        free(pids);
        return killed;
}

/* The children of a child that we kill become ours: go on until there is none. */
unsigned int server_done(struct server *server)
{
        unsigned int killed = 0;

        do
                killed += kill_children();
        while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED) == 0);
        server_log(server);
        if (server->log_fd >= 0)
                close(server->log_fd);
        server->log_fd = -EBADF;
        return killed;
}
