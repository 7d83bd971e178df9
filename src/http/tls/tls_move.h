/* SPDX-License-Identifier: MIT */
#ifndef HOT_HTTP_TLS_MOVE_H
#define HOT_HTTP_TLS_MOVE_H

/*
 * A connection with TLS on its way to the next generation: OpenSSL lets go of it, the kernel takes over the
 * records, and the descriptor carries the session with it.
 *
 *      hot__tls_session_pin()     may it go now, and if not, why
 *      hot__tls_session_pack()    from here on it lives over the kernel, wherever it is; what travels beside it
 *      hot__tls_session_adopt()   the same session, in whoever got both
 *
 * A session over the kernel is a struct hot__tls_session as any other: transport.h does not tell them apart.
 * It can go on where it is (the other side refused it), and can move again as it is. It holds no input, so that
 * between two requests nothing but the connection's own unread bytes has to go with it.
 *
 * docs/design/kernel-tls.md says how the keys come to the kernel, and what was weighed.
 */

#include <stddef.h>

#include "bytes.h"
#include "pin.h"
#include "tls_keys.h"
#include "tls_session.h"

/* May the session be taken off OpenSSL now? One over the kernel may go unless it ends. */
enum hot__pin hot__tls_session_pin(const struct hot__tls_session *session);

/* The keys of a session that may go, as the next record needs them. Returns 0 or -EIO. To be wiped. */
int hot__tls_session_keys(const struct hot__tls_session *session, struct hot__tls_keys *in,
                          struct hot__tls_keys *out);

/*
 * Give the records to the kernel. hot__tls_session_pin() has just said HOT__PIN_NOT; nothing is done if
 * it is over the kernel already. Returns 0; -EAGAIN if the kernel cannot take it: nothing has changed, and
 * hot__tls_session_pin() knows why from now on; another negative errno if the connection can only end: it can be
 * told so (finish), and not be read from.
 */
int hot__tls_session_to_kernel(struct hot__tls_session *session);

/*
 * The same for one that may go or not, and append to @bytes what has to travel with it, if anything. Returns
 * HOT__PIN_NOT, or why it stays after all.
 */
enum hot__pin hot__tls_session_pack(struct hot__tls_session *session, struct hot__bytes *bytes);

/* Does what came from another process make sense? Returns 0, -EPROTO or -ENOMEM. */
int hot__tls_session_check(const void *bytes, size_t len);

/*
 * The session on a descriptor (borrowed) that came with these bytes: its records are the kernel's already.
 * Returns 0, -EPROTO (these are no facts, or the descriptor has no TLS), or -ENOMEM.
 */
int hot__tls_session_adopt(int fd, const void *bytes, size_t len,
                           struct hot__tls_session **ret_session);

#endif
