/* SPDX-License-Identifier: MIT */
/*
 * misrestart: a server that does one thing wrong when it is restarted, on purpose, so that what judges
 * restarts can be judged.
 *
 *     misrestart MODE
 *
 * Listens on 127.0.0.1 at a port that the kernel chooses, answers every request with its pid, keeps
 * connections, and starts itself again on SIGUSR2. One thread, one process a generation. SIGTERM ends it.
 *
 *   good        the new process gets the listener; when it accepts, the old one stops, announces the end of
 *               each connection with its next answer, and leaves with the last of them
 *   refuse      nobody listens for 50 ms
 *   reset       the old one resets its idle connections
 *   truncate    the old one sends half of its last answers
 *   both        the old one goes on accepting
 *   leak        each generation leaves a copy of the listener open
 *   zombie      each generation has a child that nobody waits for
 *   reuseport   the new one binds a listener of its own beside the old one's, which is closed with its queue
 *   wrong       all bodies are alike but for the first of each new process, in which a byte is wrong
 *   hand        good, and more: the new process gets the connections as well, still open; the old one keeps
 *               copies of them, untouched, for 400 ms
 *   deaf        the trigger does nothing
 *   quit        the trigger ends the server
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define BODY_SIZE       1000
#define N_WRONG         50  /* answers of a new process with a wrong byte */
#define HANDED_FIRST    200 /* the descriptor of the first connection that is handed on */

enum mode { GOOD, REFUSE, RESET, TRUNCATE, BOTH, LEAK, ZOMBIE, REUSEPORT, WRONG, HAND, DEAF, QUIT };

static const char *const mode_names[] = {
        [GOOD] = "good",   [REFUSE] = "refuse", [RESET] = "reset",   [TRUNCATE] = "truncate",
        [BOTH] = "both",   [LEAK] = "leak",     [ZOMBIE] = "zombie", [REUSEPORT] = "reuseport",
        [WRONG] = "wrong", [HAND] = "hand",     [DEAF] = "deaf",     [QUIT] = "quit",
};

struct connection {
        int fd;
        unsigned int served;
        bool ending; /* our side is shut: read what comes, until its end */
        bool handed; /* it is the new process' now: ours is a copy */
        char input[8192];
        size_t length;
};

static enum mode mode;
static char **arguments;
static int listener = -1, ready = -1; /* ready: the new one's word, while it is waited for */
static unsigned short port;
static int probation = -1; /* a timer: the copies are kept until then */
static bool draining, is_successor;
static unsigned int n_answers;
static struct connection connections[CONNECTIONS_MAX];
static size_t n_connections;

static _Noreturn void die(const char *what)
{
        perror(what);
        exit(3);
}

static void wait_ms(long ms)
{
        const struct itimerspec once = {.it_value = {.tv_nsec = ms * 1000000}};
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        unsigned long long count;

        if (timer < 0 || timerfd_settime(timer, 0, &once, NULL) < 0 ||
            read(timer, &count, sizeof(count)) != sizeof(count))
                die("timerfd");
        close(timer);
}

static void bind_listener(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        socklen_t size = sizeof(address);
        int yes = 1;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        if (mode == REUSEPORT)
                setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
        if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1024) < 0 ||
            getsockname(listener, (struct sockaddr *)&address, &size) < 0)
                die("listen");
        port = ntohs(address.sin_port);
}

/* ---- connections ---- */

static void forget(size_t i)
{
        close(connections[i].fd);
        connections[i] = connections[--n_connections];
}

/* All that waits. */
static void accept_all(void)
{
        int fd;

        while (n_connections < CONNECTIONS_MAX &&
               (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
                connections[n_connections++] = (struct connection){.fd = fd};
}

static void answer(struct connection *connection, bool asked_to_close)
{
        bool announce = draining || asked_to_close;
        char text[2048], body[BODY_SIZE + 1];
        int head, size = BODY_SIZE;

        memset(body, '.', sizeof(body));
        if (mode != WRONG)
                body[snprintf(body, sizeof(body), "pid %d", getpid())] = ' ';
        else if (is_successor && n_answers < N_WRONG)
                body[BODY_SIZE / 2] = '?';
        n_answers++;
        head = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n",
                        announce ? "Connection: close\r\n" : "", BODY_SIZE);
        if (mode == TRUNCATE && draining)
                size /= 2;
        memcpy(text + head, body, (size_t)size);
        (void)!send(connection->fd, text, (size_t)(head + size), MSG_NOSIGNAL);
        connection->served++;
        if (!announce)
                return;
        shutdown(connection->fd, SHUT_WR);
        connection->ending = true;
}

static void serve(struct connection *connection)
{
        char *end;

        while (!connection->ending && (end = strstr(connection->input, "\r\n\r\n"))) {
                size_t used = (size_t)(end - connection->input) + 4;
                bool closes;

                *end = '\0';
                closes = strstr(connection->input, "Connection: close") != NULL;
                memmove(connection->input, connection->input + used, connection->length - used + 1);
                connection->length -= used;
                answer(connection, closes);
        }
        if (connection->ending)
                connection->length = 0;
        connection->input[connection->length] = '\0';
}

/* Returns whether the connection is still there. */
static bool receive(struct connection *connection)
{
        ssize_t n = recv(connection->fd, connection->input + connection->length,
                         sizeof(connection->input) - 1 - connection->length, 0);

        if (n <= 0)
                return n < 0 && errno == EAGAIN;
        connection->length += (size_t)n;
        connection->input[connection->length] = '\0';
        serve(connection);
        return true;
}

static void reset_idle(void)
{
        const struct linger now = {.l_onoff = 1, .l_linger = 0};

        for (size_t i = n_connections; i > 0; i--) {
                struct connection *connection = &connections[i - 1];

                if (connection->served == 0 || connection->ending || connection->length > 0)
                        continue;
                setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
                forget(i - 1);
        }
}

/* ---- connections that go to the successor ---- */

static bool can_be_handed(const struct connection *connection)
{
        return !connection->ending && connection->length == 0;
}

/* In the child: each to the number that the successor expects. Returns how many. */
static unsigned int place_connections(void)
{
        unsigned int n = 0;

        for (size_t i = 0; i < n_connections; i++)
                if (can_be_handed(&connections[i]) &&
                    dup2(connections[i].fd, HANDED_FIRST + (int)n) >= 0)
                        n++;
        return n;
}

/* Whoever hands a connection on neither reads nor writes it any more. */
static void freeze_connections(void)
{
        for (size_t i = 0; i < n_connections; i++)
                connections[i].handed = can_be_handed(&connections[i]);
}

static void take_connections(const char *count)
{
        for (unsigned long i = 0; i < strtoul(count, NULL, 10); i++) {
                int fd = fcntl(HANDED_FIRST + (int)i, F_DUPFD_CLOEXEC, 5);

                close(HANDED_FIRST + (int)i);
                connections[n_connections++] = (struct connection){.fd = fd, .served = 1};
        }
}

static void begin_probation(void)
{
        const struct itimerspec once = {.it_value = {.tv_nsec = 400 * 1000000L}};

        probation = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        if (probation < 0 || timerfd_settime(probation, 0, &once, NULL) < 0)
                die("timerfd");
}

/* The copies go, and nobody notices. */
static void end_probation(void)
{
        close(probation);
        probation = -1;
        for (size_t i = n_connections; i > 0; i--)
                if (connections[i - 1].handed)
                        forget(i - 1);
}

/* ---- restarts ---- */

/* The listener goes to descriptor 3 and our word to 4, or -1 is said for what there is not. */
static void start_successor(bool inherits)
{
        char number[16], path[] = "/proc/self/exe";
        int ends[2];
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                die("pipe2");
        snprintf(number, sizeof(number), "%u", port);
        setenv("MISRESTART_PORT", number, 1);
        setenv("MISRESTART_INHERIT", inherits ? "1" : "0", 1);
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                int listener_copy = fcntl(listener, F_DUPFD, 100);
                int word = fcntl(ends[1], F_DUPFD, 100);

                if (mode == HAND) {
                        snprintf(number, sizeof(number), "%u", place_connections());
                        setenv("MISRESTART_HANDED", number, 1);
                }
                if (inherits)
                        dup2(listener_copy, 3);
                dup2(word, 4);
                close(listener_copy);
                close(word);
                execv(path, arguments);
                die("execv");
        }
        close(ends[1]);
        ready = ends[0];
}

static void restart(void)
{
        if (mode == DEAF || draining || ready >= 0)
                return;
        if (mode == QUIT)
                exit(0);
        if (mode == REFUSE) {
                accept_all();
                close(listener);
                listener = -1;
                draining = true;
                start_successor(false);
                return;
        }
        start_successor(mode != REUSEPORT);
        if (mode != HAND)
                return;
        freeze_connections();
        draining = true;
        close(listener);
        listener = -1;
}

/* The new one accepts. */
static void let_go(void)
{
        close(ready);
        ready = -1;
        if (mode == BOTH)
                return;
        draining = true;
        if (mode == REUSEPORT)
                wait_ms(20); /* its queue fills, and nobody looks */
        if (mode == RESET)
                reset_idle();
        if (mode == HAND)
                begin_probation();
        if (listener >= 0)
                close(listener);
        listener = -1;
}

static void take_over(void)
{
        const char *inherit = getenv("MISRESTART_INHERIT"), *number = getenv("MISRESTART_PORT");

        is_successor = number != NULL;
        if (getenv("MISRESTART_HANDED"))
                take_connections(getenv("MISRESTART_HANDED"));
        if (number)
                port = (unsigned short)strtoul(number, NULL, 10);
        if (number && mode == REFUSE)
                wait_ms(50);
        if (inherit && *inherit == '1') {
                listener = 3;
                if (mode == LEAK)
                        (void)!dup(listener); /* without FD_CLOEXEC: all that follow have it, too */
                fcntl(listener, F_SETFD, FD_CLOEXEC);
        } else {
                bind_listener();
        }
        if (number) {
                (void)!write(4, "r", 1);
                close(4);
        }
        if (mode == ZOMBIE && fork() == 0)
                _exit(0);
}

/* ---- the loop ---- */

static void take_signal(int fd)
{
        struct signalfd_siginfo info;

        if (read(fd, &info, sizeof(info)) != sizeof(info))
                return;
        if (info.ssi_signo == SIGTERM)
                exit(0);
        if (info.ssi_signo == SIGUSR2)
                restart();
}

static void turn(int signal_fd)
{
        static struct pollfd polled[CONNECTIONS_MAX + 4];
        size_t n = n_connections;

        polled[0] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
        polled[1] = (struct pollfd){.fd = listener, .events = POLLIN};
        polled[2] = (struct pollfd){.fd = ready, .events = POLLIN};
        polled[3] = (struct pollfd){.fd = probation, .events = POLLIN};
        for (size_t i = 0; i < n; i++)
                polled[4 + i] = (struct pollfd){
                        .fd = connections[i].handed ? -1 : connections[i].fd, .events = POLLIN};
        if (poll(polled, n + 4, -1) < 0)
                die("poll");
        /* From the last on: who is forgotten is replaced by one that has been looked at. */
        for (size_t i = n; i > 0; i--)
                if (polled[3 + i].revents && !receive(&connections[i - 1]))
                        forget(i - 1);
        if (polled[1].revents && listener >= 0)
                accept_all();
        if (polled[2].revents)
                let_go();
        if (polled[3].revents)
                end_probation();
        if (polled[0].revents)
                take_signal(signal_fd);
}

int main(int argc, char **argv)
{
        bool known = false;
        sigset_t set;
        int signal_fd;

        arguments = argv;
        for (size_t i = 0; argc == 2 && i < sizeof(mode_names) / sizeof(*mode_names); i++)
                if (strcmp(argv[1], mode_names[i]) == 0) {
                        mode = (enum mode)i;
                        known = true;
                }
        if (!known) {
                fprintf(stderr, "usage: misrestart MODE\n");
                return 2;
        }
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
        if (signal_fd < 0)
                die("signalfd");
        take_over();
        while (!draining || ready >= 0 || n_connections > 0)
                turn(signal_fd);
        return 0;
}
