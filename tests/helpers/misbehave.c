/* SPDX-License-Identifier: MIT */
/*
 * misbehave: a server that does one thing wrong, on purpose, so that the load client can be tested.
 *
 *     misbehave MODE [unix:PATH]
 *
 * Prints "port N" (or "path PATH") when it can be connected to, or in the modes refuse and full
 * when it is known that it cannot. Serves until it is killed; it dies with its parent. One thread
 * for each connection.
 *
 *   good        GET /test, /hello (see below), POST /echo, GET
 *               /blob?bytes=N; keeps connections; generation 1
 *   refuse      bound and not listening, until its stdin ends; then good
 *   full        listening with its queue full and nobody who accepts: connect() hangs
 *   reset       reads a request, closes with a reset
 *   eof         reads a request, closes cleanly
 *   cut-head    closes in the middle of the head
 *   cut-body    closes in the middle of the body
 *   cut-reset   resets in the middle of the body
 *   race        answers the first request of a connection; reads the second, closes
 *   stall       reads a request and never answers
 *   status      answers 503
 *   bytes       one byte of the blob and one digit of the echo is wrong
 *   short       the blob is one byte shorter than asked for; the echo is of one byte less
 *   announce    Connection: close on each third answer of a connection, and closes
 *   idle        answers, and closes without having said so; over TCP the end is in the same segment
 *   malformed   the status line is no HTTP
 *   trailing    bytes after the end of the answer
 *   alternate   each second connection is answered by generation 2, the others by generation 1
 *   bare        no X-Generation, no X-Pid; the first answer says "release 1", all others "release
 *               2"
 *   successor   generation 1 until the second line comes on stdin, then generation 2; what was read
 *               under generation 1 is answered by it, whenever that is
 *
 * GET /hello prints "waiting" and is answered when the next line comes on stdin (successor: the
 * next odd one), so that a test decides how long a slow response takes.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DIGEST_SIZE 32

enum mode {
        GOOD,
        REFUSE,
        FULL,
        RESET,
        END_OF_FILE,
        CUT_HEAD,
        CUT_BODY,
        CUT_RESET,
        RACE,
        STALL,
        STATUS,
        BYTES,
        SHORT,
        ANNOUNCE,
        IDLE,
        MALFORMED,
        TRAILING,
        ALTERNATE,
        BARE,
        SUCCESSOR,
};

static const char *const mode_names[] = {
        [GOOD] = "good",           [REFUSE] = "refuse",       [FULL] = "full",
        [RESET] = "reset",         [END_OF_FILE] = "eof",     [CUT_HEAD] = "cut-head",
        [CUT_BODY] = "cut-body",   [CUT_RESET] = "cut-reset", [RACE] = "race",
        [STALL] = "stall",         [STATUS] = "status",       [BYTES] = "bytes",
        [SHORT] = "short",         [ANNOUNCE] = "announce",   [IDLE] = "idle",
        [MALFORMED] = "malformed", [TRAILING] = "trailing",   [ALTERNATE] = "alternate",
        [BARE] = "bare",           [SUCCESSOR] = "successor",
};

static enum mode mode;

/* Lines that came on stdin: how a test tells us that something happens now. */
static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        unsigned int lines;
        unsigned int answers;
} shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

struct connection {
        int fd;
        unsigned int number; /* from 1 */
        unsigned int served;
        char input[16384];
        size_t length;
};

struct request {
        char path[256];
        size_t body_size;
        bool is_post, wants_close;
        unsigned int generation;
        unsigned int lines; /* that had come when it was read */
};

struct answer {
        int status;
        unsigned int generation; /* 0: does not say */
        bool close;
        char *body; /* owned */
        size_t size;
};

static _Noreturn void die(const char *what)
{
        perror(what);
        exit(3);
}

/* ---- telling time by lines ---- */

static unsigned int lines_so_far(void)
{
        unsigned int lines;

        pthread_mutex_lock(&shared.mutex);
        lines = shared.lines;
        pthread_mutex_unlock(&shared.mutex);
        return lines;
}

static void wait_for_line_after(unsigned int lines)
{
        pthread_mutex_lock(&shared.mutex);
        while (shared.lines == lines || (mode == SUCCESSOR && shared.lines % 2 == 0))
                pthread_cond_wait(&shared.changed, &shared.mutex);
        pthread_mutex_unlock(&shared.mutex);
}

static void *read_lines(void *unused)
{
        char byte;

        (void)unused;
        while (read(STDIN_FILENO, &byte, 1) == 1) {
                if (byte != '\n')
                        continue;
                pthread_mutex_lock(&shared.mutex);
                shared.lines++;
                pthread_cond_broadcast(&shared.changed);
                pthread_mutex_unlock(&shared.mutex);
        }
        return NULL;
}

static unsigned int count_answer(void)
{
        unsigned int answers;

        pthread_mutex_lock(&shared.mutex);
        answers = ++shared.answers;
        pthread_mutex_unlock(&shared.mutex);
        return answers;
}

/* ---- the good part ---- */

static bool write_all(int fd, const char *bytes, size_t count, int flags)
{
        while (count > 0) {
                ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL | flags);

                if (n < 0 && errno != EINTR)
                        return false;
                if (n > 0) {
                        bytes += n;
                        count -= (size_t)n;
                }
        }
        return true;
}

static bool read_more(struct connection *connection)
{
        ssize_t n = recv(connection->fd, connection->input + connection->length,
                         sizeof(connection->input) - 1 - connection->length, 0);

        if (n <= 0)
                return false;
        connection->length += (size_t)n;
        connection->input[connection->length] = '\0';
        return true;
}

static void consume(struct connection *connection, size_t count)
{
        memmove(connection->input, connection->input + count, connection->length - count + 1);
        connection->length -= count;
}

static unsigned int generation_of(const struct connection *connection)
{
        if (mode == ALTERNATE)
                return connection->number % 2 == 0 ? 2 : 1;
        if (mode == SUCCESSOR)
                return lines_so_far() > 1 ? 2 : 1;
        return 1;
}

static bool read_head(struct connection *connection, struct request *request)
{
        char *end, *field, method[8] = "";

        while (!(end = strstr(connection->input, "\r\n\r\n")))
                if (!read_more(connection))
                        return false;
        *request = (struct request){0};
        request->lines = lines_so_far();
        request->generation = generation_of(connection);
        if (sscanf(connection->input, "%7s %255s", method, request->path) != 2)
                return false;
        request->is_post = strcmp(method, "POST") == 0;
        *end = '\0';
        field = strstr(connection->input, "\r\nContent-Length: ");
        if (field)
                request->body_size = (size_t)strtoul(field + 18, NULL, 10);
        request->wants_close = strstr(connection->input, "\r\nConnection: close") != NULL;
        *end = '\r';
        consume(connection, (size_t)(end - connection->input) + 4);
        return true;
}

/* The digest of all of the body but @skipped bytes at its end. */
static bool digest_body(struct connection *connection, const struct request *request,
                        size_t skipped, unsigned char digest[static DIGEST_SIZE])
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t left = request->body_size, counted = left > skipped ? left - skipped : 0;
        bool is_whole = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

        while (left > 0 && is_whole) {
                size_t count = connection->length < left ? connection->length : left;
                size_t part = count < counted ? count : counted;

                EVP_DigestUpdate(context, connection->input, part);
                consume(connection, count);
                counted -= part;
                left -= count;
                is_whole = left == 0 || connection->length > 0 || read_more(connection);
        }
        EVP_DigestFinal_ex(context, digest, NULL);
        EVP_MD_CTX_free(context);
        return is_whole;
}

static bool make_echo(struct connection *connection, const struct request *request,
                      struct answer *answer)
{
        unsigned char digest[DIGEST_SIZE];
        size_t skipped = mode == SHORT ? 1 : 0;
        int length;

        if (!digest_body(connection, request, skipped, digest))
                return false;
        answer->body = malloc(128);
        if (!answer->body)
                die("malloc");
        length = sprintf(answer->body, "%zu ", request->body_size - skipped);
        for (size_t i = 0; i < sizeof(digest); i++)
                length += sprintf(answer->body + length, "%02x", digest[i]);
        if (mode == BYTES)
                answer->body[length - 1] = answer->body[length - 1] == '0' ? '1' : '0';
        answer->size = (size_t)length;
        return true;
}

static void make_blob(const struct request *request, struct answer *answer)
{
        const char *query = strstr(request->path, "?bytes=");

        answer->size = query ? (size_t)strtoul(query + 7, NULL, 10) : 0;
        if (mode == SHORT && answer->size > 0)
                answer->size--;
        answer->body = malloc(answer->size + 1);
        if (!answer->body)
                die("malloc");
        for (size_t i = 0; i < answer->size; i++)
                answer->body[i] = (char)('A' + i % 23);
        if (mode == BYTES && answer->size > 0)
                answer->body[answer->size / 2] = '?';
}

static void make_text(const char *text, struct answer *answer)
{
        answer->body = strdup(text);
        if (!answer->body)
                die("strdup");
        answer->size = strlen(text);
}

static bool make_answer(struct connection *connection, const struct request *request,
                        struct answer *answer)
{
        *answer = (struct answer){.status = mode == STATUS ? 503 : 200};
        answer->generation = mode == BARE ? 0 : request->generation;
        answer->close = request->wants_close || (mode == ANNOUNCE && connection->served % 3 == 2);
        if (request->is_post)
                return make_echo(connection, request, answer);
        if (strncmp(request->path, "/hello", 6) == 0) {
                printf("waiting\n");
                fflush(stdout);
                wait_for_line_after(request->lines);
        }
        if (strncmp(request->path, "/blob", 5) == 0)
                make_blob(request, answer);
        else if (mode == BARE)
                make_text(count_answer() == 1 ? "release 1" : "release 2", answer);
        else
                make_text("test 22222", answer);
        return true;
}

static size_t format_head(const struct answer *answer, char *buffer, size_t size)
{
        char who[80] = "";

        if (answer->generation > 0)
                snprintf(who, sizeof(who), "X-Generation: %u\r\nX-Pid: %d\r\n", answer->generation,
                         getpid() + (int)answer->generation - 1);
        return (size_t)snprintf(buffer, size, "%s %d Answer\r\n%s%sContent-Length: %zu\r\n\r\n",
                                mode == MALFORMED ? "HTPP/1.1" : "HTTP/1.1", answer->status, who,
                                answer->close ? "Connection: close\r\n" : "", answer->size);
}

/* ---- the bad part ---- */

static void close_with_reset(int fd)
{
        const struct linger now = {.l_onoff = 1, .l_linger = 0};

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Does this mode answer nothing to this request? */
static bool is_silent(struct connection *connection)
{
        char byte;

        switch (mode) {
        case RESET:
                close_with_reset(connection->fd);
                return true;
        case END_OF_FILE:
                return true;
        case RACE:
                return connection->served == 1;
        case STALL:
                while (recv(connection->fd, &byte, 1, 0) > 0)
                        continue;
                return true;
        default:
                return false;
        }
}

/* The answer and four bytes more in one write, so that no client sees the one without the other. */
static bool send_with_junk(const struct connection *connection, const char *head, size_t head_size,
                           const struct answer *answer)
{
        size_t size = head_size + answer->size + 4;
        char *all = malloc(size);
        bool sent;

        if (!all)
                die("malloc");
        memcpy(all, head, head_size);
        memcpy(all + head_size, answer->body, answer->size);
        memcpy(all + head_size + answer->size, "junk", 4);
        sent = write_all(connection->fd, all, size, 0);
        free(all);
        return sent;
}

/* Send the answer as far as the mode lets it. Returns whether the connection goes on. */
static bool send_answer(const struct connection *connection, const struct answer *answer)
{
        char head[512];
        size_t head_size = format_head(answer, head, sizeof(head));
        size_t body_size = answer->size;

        if (mode == TRAILING)
                return send_with_junk(connection, head, head_size, answer);
        if (mode == CUT_HEAD) {
                write_all(connection->fd, head, head_size / 2, 0);
                return false;
        }
        if (mode == CUT_BODY || mode == CUT_RESET)
                body_size /= 2;
        if (!write_all(connection->fd, head, head_size, MSG_MORE) ||
            !write_all(connection->fd, answer->body, body_size, mode == IDLE ? MSG_MORE : 0))
                return false;
        /* On loopback the bytes are in the client's buffer by now, and are read before the reset.
         * */
        if (mode == CUT_RESET) {
                close_with_reset(connection->fd);
                return false;
        }
        return mode != CUT_BODY && mode != IDLE && !answer->close;
}

static bool serve_one(struct connection *connection)
{
        struct request request;
        struct answer answer;
        bool goes_on;

        if (!read_head(connection, &request) || is_silent(connection) ||
            !make_answer(connection, &request, &answer))
                return false;
        goes_on = send_answer(connection, &answer);
        connection->served++;
        free(answer.body);
        return goes_on;
}

static void *serve(void *data)
{
        struct connection *connection = data;

        while (serve_one(connection))
                continue;
        close(connection->fd);
        free(connection);
        return NULL;
}

/* ---- listening ---- */

static void accept_for_ever(int listener)
{
        for (unsigned int number = 1;; number++) {
                struct connection *connection = calloc(1, sizeof(*connection));
                int on = 1;
                pthread_t thread;

                if (!connection)
                        die("calloc");
                connection->number = number;
                connection->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (connection->fd < 0)
                        die("accept4");
                setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                if (pthread_create(&thread, NULL, serve, connection) != 0)
                        die("pthread_create");
                pthread_detach(thread);
        }
}

static int bind_tcp(struct sockaddr_in *in)
{
        socklen_t size = sizeof(*in);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *in = (struct sockaddr_in){.sin_family = AF_INET};
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || bind(fd, (struct sockaddr *)in, size) < 0 ||
            getsockname(fd, (struct sockaddr *)in, &size) < 0)
                die("bind");
        return fd;
}

static int bind_unix(const char *path, struct sockaddr_un *un)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *un = (struct sockaddr_un){.sun_family = AF_UNIX};
        snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
        if (fd < 0 || bind(fd, (struct sockaddr *)un, sizeof(*un)) < 0)
                die("bind");
        return fd;
}

/* A backlog of nothing holds one connection: make it ours, and every other is left waiting. */
static void fill_queue(int listener, const struct sockaddr *address, socklen_t size)
{
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (listen(listener, 0) < 0 || fd < 0 || connect(fd, address, size) < 0)
                die("fill");
}

static void announce(const struct sockaddr_in *in, const char *path)
{
        if (path)
                printf("path %s\n", path);
        else
                printf("port %d\n", ntohs(in->sin_port));
        fflush(stdout);
}

static void serve_at(const char *path)
{
        struct sockaddr_in in = {0};
        struct sockaddr_un un;
        char byte;
        pthread_t thread;
        int listener = path ? bind_unix(path, &un) : bind_tcp(&in);

        if (mode == FULL) {
                fill_queue(listener, path ? (struct sockaddr *)&un : (struct sockaddr *)&in,
                           path ? sizeof(un) : sizeof(in));
                announce(&in, path);
                for (;;)
                        pause();
        }
        if (mode == REFUSE) {
                announce(&in, path);
                while (read(STDIN_FILENO, &byte, 1) > 0)
                        continue;
        }
        if (listen(listener, 1024) < 0)
                die("listen");
        if (mode != REFUSE)
                announce(&in, path);
        if (pthread_create(&thread, NULL, read_lines, NULL) != 0)
                die("pthread_create");
        accept_for_ever(listener);
}

int main(int argc, char **argv)
{
        const char *path = argc == 3 && strncmp(argv[2], "unix:", 5) == 0 ? argv[2] + 5 : NULL;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (size_t i = 0; argc > 1 && i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
                if (strcmp(argv[1], mode_names[i]) != 0 || (argc > 2 && !path))
                        continue;
                mode = (enum mode)i;
                serve_at(path);
        }
        fprintf(stderr, "usage: misbehave MODE [unix:PATH]\n");
        return 2;
}
