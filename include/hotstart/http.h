/* SPDX-License-Identifier: MIT */
#ifndef HOTSTART_HTTP_H
#define HOTSTART_HTTP_H

/*
 * libhotstart-http: an HTTP server (1.1 and 2, with TLS and without) whose code can be replaced while it serves.
 *
 *     static void hello(const struct hot_http_request *request, struct hot_http_response *response,
 *                       void *data)
 *     {
 *             hot_http_response_printf(response, "hello\n");
 *     }
 *
 *     int main(void)
 *     {
 *             struct hot_http *server = NULL;
 *
 *             hot_http_new(&server, ":9999", NULL);
 *             hot_http_handle(server, "GET", "/hello", hello, NULL);
 *             return hot_http_listen_and_serve(server) < 0;
 *     }
 *
 * SIGUSR2 restarts that program, SIGTERM and SIGINT stop it gracefully, a second one stops it at once.
 *
 * Conventions
 *   errors      Functions that can fail return a negative errno and leave their ret_ parameters
 *               untouched. What fails before serving is remembered by the server (the first error wins)
 *               and returned by hot_http_listen_and_serve(): a program may check once. A server that is
 *               NULL is -EINVAL everywhere.
 *   time        Durations are milliseconds.
 *   threads     A server is set up and run by one thread. Only hot_http_stop() and hot_http_restart()
 *               may be called from others. The library starts threads: one for each loop beyond the
 *               first, and a pool for handlers that block. They have all signals blocked.
 *   strings     Names, values and paths are zero-terminated. Requests with a zero byte in their head are
 *               refused, so that none is lost.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hotstart.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hot_http;
struct hot_http_request;
struct hot_http_response;

/*
 * How to serve. Zero every member you do not care for: zero means the default.
 *
 *     struct hot_http_options options = {.size = sizeof(options)};
 */
struct hot_http_options {
        size_t size;             /* sizeof(struct hot_http_options) */
        char *const *argv;       /* see hot_options; not copied */
        const char *pid_file;    /* see hot_options; not copied */
        unsigned int loops;      /* threads that poll; one for each CPU the process may use */
        unsigned int pool;       /* blocking handlers that run at the same time, 256; more wait */
        unsigned int pool_queue; /* so many, 1024; more get 503 with Retry-After */
        unsigned int
                connections; /* 10000, or 9/10 of RLIMIT_NOFILE if that is less; more get 503 */
        size_t head_size;    /* request line and header fields, 16384 bytes; more is 431 or 414 */
        size_t body_size;    /* a request's body, 16 MiB; more is 413 */
        size_t stream_size;  /* a body that is read as it arrives, 1 GiB; more is 413 */
        unsigned int read_rate; /* and at least so many bytes/s of it, 500; see read_ms */
        unsigned int head_ms;   /* until a request's head is complete, 60000; then 408 */
        unsigned int read_ms;   /* until head and body are complete, 60000; then 408 */
        unsigned int write_ms;  /* without progress while a response is sent, 60000 */
        unsigned int idle_ms;   /* between two requests of a connection, 75000 */
        unsigned int
                handler_ms; /* until a handler on the pool, or a deferred response, has begun to
                                    answer; then 503. 0: no limit */
        unsigned int unready_ms;      /* after a stop: still accepting, but not ready any more; 0 */
        unsigned int request_ids;     /* 1: send X-Request-Id with every response */
        unsigned int drain_ms;        /* see hot_options, 60000 */
        unsigned int start_ms;        /* see hot_options, 30000 */
        unsigned int probation_ms;    /* see hot_options, 2000; or HOT_NONE */
        unsigned int max_generations; /* see hot_options, 8 */
        unsigned int manual_commit;   /* see hot_options */
        const char *check;            /* see hot_options; not copied */
        const char *control; /* see hot_options; NULL: the place that follows from the pid; "none":
                                no control socket; not copied */
        unsigned int
                handover_pace; /* connections that move to the next generation in a millisecond, 64
                                  for each loop; HOT_NONE: as fast as possible */
};

/*
 * A server for one address, as hot_listen() takes it. "" means ":http". More can be added. Sockets that
 * a service manager hands over beside these are served too. @options may be NULL.
 *
 * Returns 0, -ENOMEM, or -EINVAL (malformed options).
 */
HOT_EXPORT int hot_http_new(struct hot_http **ret_server, const char *address,
                            const struct hot_http_options *options);

/*
 * Free a server that does not run. Accepts NULL. What handlers that are still running need of it stays
 * valid until they return.
 */
HOT_EXPORT void hot_http_free(struct hot_http *server);

/* Serve one more address. Returns 0, -EBUSY (while it runs) or -ENOMEM. */
HOT_EXPORT int hot_http_add_address(struct hot_http *server, const char *address);

/* The same, but without TLS even if the others have it. */
HOT_EXPORT int hot_http_add_plain_address(struct hot_http *server, const char *address);

/*
 * Answer a request. @request and @response are lent for the call. The response is sent when the handler
 * returns, with its Content-Length, unless hot_http_response_stream() or _produce() made it a stream.
 */
typedef void hot_http_handler(const struct hot_http_request *request,
                              struct hot_http_response *response, void *data);

/*
 * Route requests to a handler that does not block: it runs on the thread of its connection's loop, and
 * everything else on that loop waits for it.
 *
 * @method is as in the request ("GET"; HEAD is answered by GET's handler, without the body), NULL for
 * any. @path is matched exactly, or as the root of a subtree if it ends in '/'; the longest match wins.
 * The path is compared as it was sent, before percent-decoding. A path that only other methods have is
 * 405 with Allow, an unknown one 404.
 *
 * Ownership: @data stays the caller's. Returns 0, -EINVAL (no path that starts with '/', no method),
 * -EEXIST, -EBUSY (while it runs) or -ENOMEM.
 */
HOT_EXPORT int hot_http_handle(struct hot_http *server, const char *method, const char *path,
                               hot_http_handler *handler, void *data);

/* As hot_http_handle(), for a handler that may block: it runs on a thread of the pool. */
HOT_EXPORT int hot_http_handle_blocking(struct hot_http *server, const char *method,
                                        const char *path, hot_http_handler *handler, void *data);

/*
 * As hot_http_handle_blocking(), but the handler is called as soon as the head is complete, and reads the
 * body with hot_http_request_read() as it arrives. What it does not read keeps the client waiting, and
 * the connection ends after the response if the body has not. It is bounded by stream_size; in the mean
 * by read_rate, beyond the first read_ms.
 */
HOT_EXPORT int hot_http_handle_streaming(struct hot_http *server, const char *method,
                                         const char *path, hot_http_handler *handler, void *data);

/*
 * Send a header field with every response, also with those the server makes itself. Allowed until
 * serving begins, in a hook too. Returns 0, -EINVAL (see hot_http_response_header()), -EBUSY or -ENOMEM.
 */
HOT_EXPORT int hot_http_add_header(struct hot_http *server, const char *name, const char *value);

/*
 * Called once for each listener, before the server is ready, with the address it really has, in the form
 * hot_listen() takes ("tcp://[::]:9999"). hot_http_generation() is known by then. A negative return
 * value keeps the server from starting and is what hot_http_listen_and_serve() returns: a restart is
 * rolled back.
 */
typedef int hot_http_serving_hook(struct hot_http *server, const char *address, void *data);

HOT_EXPORT int hot_http_before_serving(struct hot_http *server, hot_http_serving_hook *hook,
                                       void *data);

/*
 * Called before each request is answered, on its loop's thread: return true to let its route answer, or make
 * the response and return false. Must not block. For a body that is read as it arrives it is called before
 * that. Several hooks are called in the order they were set, until one returns false.
 */
typedef bool hot_http_before_hook(const struct hot_http_request *request,
                                  struct hot_http_response *response, void *data);

HOT_EXPORT int hot_http_before_each(struct hot_http *server, hot_http_before_hook *hook,
                                    void *data);

/* What became of a request. Members are only ever appended. */
struct hot_http_outcome {
        size_t size;          /* sizeof(struct hot_http_outcome) */
        int status;           /* as it was sent; 499 if its client was gone before */
        int error;            /* 0: the response was sent whole; else a negative errno */
        uint64_t sent;        /* bytes of content, before they were framed */
        uint64_t duration_ns; /* from the complete head to the response's last byte */
};

/*
 * Called once for each request, also a refused one (whose method may be NULL), on its loop's thread, when its
 * response has been sent or is given up. Must not block. What is NULL or "" of the request is not known.
 */
typedef void hot_http_after_hook(const struct hot_http_request *request,
                                 const struct hot_http_outcome *outcome, void *data);

HOT_EXPORT int hot_http_after_each(struct hot_http *server, hot_http_after_hook *hook, void *data);

/*
 * Answer GET @path with counters and gauges in the format of Prometheus. What is counted is shared by all
 * generations: it goes on over restarts. Returns as hot_http_handle().
 */
HOT_EXPORT int hot_http_handle_metrics(struct hot_http *server, const char *path);

/*
 * Answer GET @live_path with 200 as long as the server can answer at all, and GET @ready_path with 200 while
 * it wants requests: 503 after a stop (see unready_ms), not during a restart. Either may be NULL. Returns
 * as hot_http_handle().
 */
HOT_EXPORT int hot_http_handle_health(struct hot_http *server, const char *live_path,
                                      const char *ready_path);

enum hot_http_access_format {
        HOT_HTTP_COMBINED = 1, /* as Apache's and nginx's, with the request's id behind it */
        HOT_HTTP_JSON,         /* an object a line */
};

/*
 * Append a line for each request to the file @path, when its response has ended. It is opened before the
 * server is ready, by each generation anew, and again on SIGHUP, which this server then takes: rename the
 * file, send SIGHUP. Returns 0, -EINVAL, -EBUSY or -ENOMEM.
 */
HOT_EXPORT int hot_http_log_access(struct hot_http *server, const char *path, int format);

/* Open the access log again before its next line, as SIGHUP does. Thread-safe. Returns 0 or -EINVAL. */
HOT_EXPORT int hot_http_reopen_logs(struct hot_http *server);

/*
 * The moments at which state goes from one generation to the next, by hot_put(), hot_get() and their like on
 * hot_http_hot(). On the thread that runs the server, which stands still meanwhile; other loops go on.
 *
 *   HOT_SAVE     as the old one: a new process was started. Put what it starts from.
 *   HOT_QUIESCE  as the old one: nobody accepts any more. Put again what has changed.
 *   HOT_SERVE    as the new one: nobody accepts yet. Get what is there now.
 *
 * A negative return value at HOT_SERVE refuses to serve: the restart is rolled back with it, or the first
 * generation stops. At other moments it is logged, and changes nothing.
 */
typedef int hot_http_handover_hook(struct hot_http *server, int moment, void *data);

HOT_EXPORT int hot_http_on_handover(struct hot_http *server, hot_http_handover_hook *hook,
                                    void *data);

/* Called once, when this generation begins to stop or to drain, on the thread that runs the server. */
typedef void hot_http_shutdown_hook(struct hot_http *server, void *data);

HOT_EXPORT int hot_http_on_shutdown(struct hot_http *server, hot_http_shutdown_hook *hook,
                                    void *data);

/*
 * Where log lines go: one for each step of a restart, without newline. Called on the thread that runs
 * the server. The default writes "[pid N] LINE" to stderr; a NULL @sink is silent.
 */
typedef void hot_http_log_sink(const char *line, void *data);

HOT_EXPORT int hot_http_log_to(struct hot_http *server, hot_http_log_sink *sink, void *data);

/*
 * Open (see hot_open(), hot_signals()), listen, and serve until the server has stopped or handed over to
 * its next generation. The calling thread becomes the first loop. Call it before other threads start. A
 * server runs once. If descriptor 0, 1 or 2 is closed it is opened on /dev/null first.
 *
 * Returns 0 after a graceful stop or hand-over; -ETIMEDOUT if the drain deadline cut connections off,
 * -EINTR if a second stop did; else what kept it from serving: an error remembered from before, or one
 * of hot_open() or hot_listen(). After -ETIMEDOUT and -EINTR blocking handlers may still be running: the
 * data given to hot_http_handle_blocking() has to stay valid until the process exits.
 */
HOT_EXPORT int hot_http_listen_and_serve(struct hot_http *server);

/*
 * Stop gracefully, or restart, as the signals do. Thread-safe, while the server is not freed. Before
 * serving began the wish is remembered. Returns 0.
 */
HOT_EXPORT int hot_http_stop(struct hot_http *server);
HOT_EXPORT int hot_http_restart(struct hot_http *server);

/*
 * TLS 1.2 and 1.3, by OpenSSL 3. Any of these calls turns it on for every address but those of
 * hot_http_add_plain_address(), and for sockets that a service manager hands over. HTTP/2 is agreed on by
 * ALPN.
 *
 * Clients resume their sessions by tickets. Tickets of one generation are taken by the next ones, as long
 * as .ticket_s says.
 */
enum hot_http_client_certificate {
        HOT_HTTP_CLIENT_CERTIFICATE_NONE,     /* not asked for */
        HOT_HTTP_CLIENT_CERTIFICATE_OPTIONAL, /* verified if there is one */
        HOT_HTTP_CLIENT_CERTIFICATE_REQUIRED,
};

struct hot_http_tls_options {
        size_t size;              /* sizeof(struct hot_http_tls_options) */
        int min_version;          /* 0x0303 (TLS 1.2, the default) or 0x0304 (TLS 1.3) */
        int client_certificate;   /* enum hot_http_client_certificate */
        const char *client_ca;    /* who signs them: a PEM file. Goes with the one above */
        const char *ciphers;      /* of TLS 1.2, as ciphers(1) has them; ECDHE with AEAD */
        const char *ciphersuites; /* of TLS 1.3; OpenSSL's default */
        unsigned int ticket_s;    /* how long a session can be resumed, 28800 seconds */
        bool no_http2;            /* HTTP/1.1 only */
};

/* Strings are copied. Returns 0, -EINVAL (malformed options), -EBUSY or -ENOMEM. */
HOT_EXPORT int hot_http_tls(struct hot_http *server, const struct hot_http_tls_options *options);

/*
 * A certificate with its chain and its key, two PEM files, which are read when serving begins. With several
 * the client's server name (SNI) chooses by the names in the certificates; the first is for all others.
 * Certificates for the same names with keys of different kinds (RSA, ECDSA) are offered together.
 *
 * Returns 0, -EINVAL, -EBUSY or -ENOMEM.
 */
HOT_EXPORT int hot_http_add_certificate(struct hot_http *server, const char *certificate,
                                        const char *key);

/*
 * Use the caller's SSL_CTX instead of certificate files and options. The server sets on it the callbacks
 * for ALPN and for ticket keys (.no_http2 and .ticket_s of hot_http_tls() count still); on each SSL its
 * application data (SSL_set_app_data()). Where the kernel has TLS it also sets the callback for messages on each
 * SSL, and the one for logging keys on the SSL_CTX, from which it calls the caller's. All else is as the caller
 * made it; it must not change while the server runs.
 *
 * Ownership: takes a reference of its own. Returns 0, -EINVAL or -EBUSY.
 */
struct ssl_ctx_st;
HOT_EXPORT int hot_http_use_ssl_ctx(struct hot_http *server, struct ssl_ctx_st *ctx);

/*
 * hot_http_listen_and_serve() with TLS. @certificate and @key are as for hot_http_add_certificate(), or both
 * NULL if that was called before, or hot_http_use_ssl_ctx(). Returns also -ENOKEY (no certificate) and
 * -EINVAL (a file that cannot be used; the log says why), in a restart as well: it is rolled back.
 */
HOT_EXPORT int hot_http_listen_and_serve_tls(struct hot_http *server, const char *certificate,
                                             const char *key);

/*
 * Read the certificate files again, for the connections that come from now on. A restart does that too.
 * Thread-safe, while the server runs. Returns 0, -EINVAL (no TLS, or a file that cannot be used: the log
 * says why, and the certificates of before stay in use) or -ENOMEM.
 */
HOT_EXPORT int hot_http_reload_certificates(struct hot_http *server);

/* Has this kernel TLS of its own (Linux 4.13, CONFIG_TLS)? Asked of it each time. */
HOT_EXPORT bool hot_http_kernel_tls(void);

/* See hot_generation(); 0 before hot_http_listen_and_serve(). */
HOT_EXPORT uint64_t hot_http_generation(const struct hot_http *server);

/*
 * What the server runs on, for hot_keep(), hot_get() and their like: from the hook before serving on, on the
 * thread that runs the server; NULL before. Its events are the server's. Lent, until the server has ended.
 */
HOT_EXPORT struct hot *hot_http_hot(const struct hot_http *server);

/*
 * The request. What these return is lent until the handler returns.
 *
 * The target is as it was sent ("/a%20b?c=d"), the path its part before '?' (not decoded), the query
 * its part after, or NULL if there is none.
 */
HOT_EXPORT const char *hot_http_request_method(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_target(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_path(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_query(const struct hot_http_request *request);

/*
 * A parameter of the query, percent-decoded ('+' is a space). Writes at most @size bytes with the
 * terminating zero. Returns the length, -ENOENT, -ENOSPC, or -EINVAL (malformed, or a zero byte).
 */
HOT_EXPORT ssize_t hot_http_request_parameter(const struct hot_http_request *request,
                                              const char *name, char *buffer, size_t size);

/* The first header field of that name, whatever its case, without surrounding space; or NULL. */
HOT_EXPORT const char *hot_http_request_header(const struct hot_http_request *request,
                                               const char *name);

/* Header field number @index, in the order sent. Returns false when there are no more. */
HOT_EXPORT bool hot_http_request_header_at(const struct hot_http_request *request, size_t index,
                                           const char **ret_name, const char **ret_value);

/*
 * The first field of that name in the trailer section behind a body in chunks, or NULL. It says what its
 * sender knew only then; never where the request ends, to whom it goes, or who sent it.
 */
HOT_EXPORT const char *hot_http_request_trailer(const struct hot_http_request *request,
                                                const char *name);

/*
 * What the request is called in every log: its X-Request-Id, if that is 1 to 64 letters, digits or any of
 * "-._~+/=:", else a name of our own that no other request has.
 */
HOT_EXPORT const char *hot_http_request_id(const struct hot_http_request *request);

/* The client's address ("192.0.2.1", "2001:db8::1", "unix", or "-" if it is not known). Writes at most @size
 * bytes, 46 are enough. Returns @buffer. */
HOT_EXPORT const char *hot_http_request_peer(const struct hot_http_request *request, char *buffer,
                                             size_t size);

/* The whole body, decoded from chunks; never NULL. *ret_length may be NULL. */
HOT_EXPORT const char *hot_http_request_body(const struct hot_http_request *request,
                                             size_t *ret_length);

/*
 * How the request came: "TLSv1.3", the cipher's name, the name that the client asked for, and the subject
 * of its verified certificate ("CN=alice,O=Example", RFC 2253). NULL without TLS, or if there is none.
 */
HOT_EXPORT const char *hot_http_request_tls_version(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_tls_cipher(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_tls_server_name(const struct hot_http_request *request);
HOT_EXPORT const char *hot_http_request_tls_client(const struct hot_http_request *request);

/*
 * Some of the body, in the handler of hot_http_handle_streaming(); blocks until there is some.
 *
 * Returns the bytes written to @buffer, 0 at the end of the body, -EINVAL (the body is not read as it
 * arrives), -ECONNRESET (the client is gone), -ETIMEDOUT (it was too slow), -EMSGSIZE (it sent too much) or
 * -EPROTO (it sent nonsense).
 */
HOT_EXPORT ssize_t hot_http_request_read(const struct hot_http_request *request, void *buffer,
                                         size_t size);

/*
 * Does nobody wait for the response any more? The client has gone, or has half-closed its connection, or
 * handler_ms is over. A handler may look at it while it works, and stop. Thread-safe while the request is
 * valid.
 */
HOT_EXPORT bool hot_http_request_cancelled(const struct hot_http_request *request);

/*
 * The response. What these copy need not outlive the call. Those that return an error remember it: the
 * response becomes 500 if it was not begun to be sent, else it is cut off.
 */

/* 200 by default. Returns 0, -EINVAL (not 200 to 599), or -EALREADY (already being sent). */
HOT_EXPORT int hot_http_response_status(struct hot_http_response *response, int status);

/*
 * Add a header field. Returns 0, -EINVAL (malformed, or one that the server decides: Connection,
 * Content-Length, Date, Transfer-Encoding), -EALREADY or -ENOMEM.
 */
HOT_EXPORT int hot_http_response_header(struct hot_http_response *response, const char *name,
                                        const char *value);

/*
 * Append to the body. In a stream it blocks until there is room. Returns 0; -ENOMEM; in a stream
 * -ECONNRESET (the client is gone) or -ETIMEDOUT (it took nothing for the write timeout).
 */
HOT_EXPORT int hot_http_response_write(struct hot_http_response *response, const void *data,
                                       size_t length);

/* Append formatted text to the body. Returns as hot_http_response_write(). */
HOT_EXPORT int hot_http_response_printf(struct hot_http_response *response, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/*
 * Make the response of a blocking handler a stream: what it writes is sent meanwhile, in chunks (to
 * HTTP/1.0 clients: until the connection closes). What was written before goes first. Returns 0,
 * -EINVAL (not a blocking handler) or -EALREADY.
 */
HOT_EXPORT int hot_http_response_stream(struct hot_http_response *response);

/*
 * A field behind the body of a stream, before its end: in the handler, or in the producer when it returns 0. It
 * reaches clients that the body goes to in chunks. Returns 0, -EINVAL (malformed, one that may not stand
 * there, or no stream) or -ENOMEM.
 */
HOT_EXPORT int hot_http_response_trailer(struct hot_http_response *response, const char *name,
                                         const char *value);

/* Send what a stream has buffered. Returns as hot_http_response_write(), or -EINVAL (not a stream). */
HOT_EXPORT int hot_http_response_flush(struct hot_http_response *response);

/*
 * More of a streamed body: write up to @size bytes to @buffer. Returns how many, 0 at the end, -EAGAIN if there
 * is nothing now (see hot_http_response_resume()), or another negative errno to cut the response off. Must
 * not block.
 */
typedef ssize_t hot_http_producer(void *data, char *buffer, size_t size);

/*
 * Make the response a stream that @producer fills, called on the loop's thread whenever there is room,
 * after the handler has returned. @length is what it will produce in all, sent as Content-Length, or -1
 * if it is not known. @done (may be NULL) is called once with @data, also when the client is gone or the
 * body is not wanted (HEAD).
 *
 * Ownership: takes @data on success. Returns 0, -EINVAL or -EALREADY (already a stream, or written to).
 */
HOT_EXPORT int hot_http_response_produce(struct hot_http_response *response, int64_t length,
                                         hot_http_producer *producer, void *data,
                                         void (*done)(void *data));

/*
 * A producer that returned -EAGAIN may have something now. Thread-safe, until @done is called: who resumes
 * from another thread holds a lock that @done takes too. Returns 0.
 */
HOT_EXPORT int hot_http_response_resume(struct hot_http_response *response);

/* The last call to a handler's state in this generation: its connection goes on in another. */
#define HOT_HTTP_MOVED 1

/*
 * A stream on its way to the next generation, between two pieces: write what there is to know of it to @buffer, of
 * which there may be less than it takes. Returns how many bytes it takes, and if that is more than @size it is
 * called again; or a negative errno: it stays here, until it ends or the drain deadline comes. Its .done follows. On the loop's thread;
 * it must not block.
 */
typedef ssize_t hot_http_saver(void *data, void *buffer, size_t size);

/*
 * Behind hot_http_response_produce(): let the response go on in the next generation when the server is restarted.
 * @saver is called with the producer's data. @version is that of the format of what it writes. Returns 0 or
 * -EINVAL (no producer).
 */
HOT_EXPORT int hot_http_response_save(struct hot_http_response *response, hot_http_saver *saver,
                                      uint32_t version);

/* A stream that has come from another generation, or come back from there. Members are only ever appended. */
struct hot_http_saved {
        size_t size;       /* sizeof(struct hot_http_saved) */
        const void *bytes; /* what its saver wrote; lent for the call */
        size_t length;
        uint32_t version;
        uint64_t sent;     /* bytes of content that its producer has made so far */
        int64_t remaining; /* of the promised length; -1: none was */
};

/*
 * Go on with a stream, as its handler has begun it: make the response one, with a producer or of events. Status,
 * fields and length were sent long ago: what is set of them now counts for nothing. @request is as it was, without
 * its body. Returns 0, or a negative errno: who sent it goes on with it. On the loop's thread; it must not block.
 */
typedef int hot_http_restorer(const struct hot_http_request *request,
                              struct hot_http_response *response,
                              const struct hot_http_saved *saved, void *data);

/*
 * Take streams of other generations on a route: @method and @path are as they were given for it, and @restorer gets its
 * data. Returns 0, -EINVAL, -ENOENT (no such route), -EBUSY (while it runs).
 */
HOT_EXPORT int hot_http_on_restore(struct hot_http *server, const char *method, const char *path,
                                   hot_http_restorer *restorer);

/*
 * Send part of a regular file: @length bytes from @offset, or with -1 all from there. Where there is a plain
 * socket below, by sendfile(2). The file must not be truncated meanwhile: the response is cut off if it is.
 *
 * Ownership: takes @fd, always. Returns 0, -EBADF, -EINVAL (no regular file, or not that long), -ENOMEM or
 * -EALREADY (already a stream, or written to).
 */
HOT_EXPORT int hot_http_response_take_file(struct hot_http_response *response, int fd,
                                           int64_t offset, int64_t length);

/*
 * Send what can be read from a pipe, a socket or another descriptor, as it comes, no faster than the client takes
 * it: @length bytes (then Content-Length says so), or with -1 until its end. It becomes non-blocking, for
 * all who share it.
 *
 * Ownership: takes @fd, always. Returns as hot_http_response_take_file().
 */
HOT_EXPORT int hot_http_response_take_descriptor(struct hot_http_response *response, int fd,
                                                 int64_t length);

/*
 * Let the response be completed after the handler has returned, by hot_http_response_complete() on any thread.
 * Until then request and response stay valid, also when the client is gone; one thread at a time may use
 * them. Every deferred response has to be completed: a drain waits for it. Returns 0 or -EALREADY.
 */
HOT_EXPORT int hot_http_response_defer(struct hot_http_response *response);

/* Complete a deferred response, whose request and response are gone after that. Returns 0 or -EINVAL. */
HOT_EXPORT int hot_http_response_complete(struct hot_http_response *response);

/*
 * Have @cancelled called, on the loop's thread, when nobody waits for the response any more (see
 * hot_http_request_cancelled()) before it is complete; at most once. It must not block, and may complete a deferred
 * response. Set it in the handler, on an inline route, before the loop can learn of it. Returns 0.
 */
HOT_EXPORT int hot_http_response_on_cancel(struct hot_http_response *response,
                                           void (*cancelled)(void *data), void *data);

#ifdef __cplusplus
}
#endif

/* What connections become that live long. */
#include <hotstart/events.h>
#include <hotstart/tunnel.h>
#include <hotstart/websocket.h>

#endif
