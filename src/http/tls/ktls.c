/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "ktls.h"

/* -- keys -- */

union info {
        struct tls_crypto_info head;
        struct tls12_crypto_info_aes_gcm_128 aes_128;
        struct tls12_crypto_info_aes_gcm_256 aes_256;
        struct tls12_crypto_info_chacha20_poly1305 chacha20;
};

/* Record numbers are sent to no one, but nonces are made of them: the high byte first. */
static void store_sequence(unsigned char *ret, uint64_t sequence)
{
        for (int i = 7; i >= 0; i--, sequence >>= 8)
                ret[i] = (unsigned char)sequence;
}

/* What the kernel calls salt is the beginning of the iv, and what it calls iv the rest. */
#define FILL(info, keys)                                                                   \
        do {                                                                               \
                memcpy((info)->key, (keys)->key, sizeof((info)->key));                     \
                memcpy((info)->salt, (keys)->iv, sizeof((info)->salt));                    \
                memcpy((info)->iv, (keys)->iv + sizeof((info)->salt), sizeof((info)->iv)); \
                store_sequence((info)->rec_seq, (keys)->sequence);                         \
        } while (0)

/* Returns its size, 0 if the kernel has no such cipher. */
static socklen_t fill(union info *info, const struct hot__tls_keys *keys)
{
        *info = (union info){0};
        info->head.version = keys->version == TLS1_3_VERSION ? TLS_1_3_VERSION : TLS_1_2_VERSION;
        switch (keys->cipher) {
        case HOT__TLS_CIPHER_AES_128_GCM:
                info->head.cipher_type = TLS_CIPHER_AES_GCM_128;
                FILL(&info->aes_128, keys);
                return sizeof(info->aes_128);
        case HOT__TLS_CIPHER_AES_256_GCM:
                info->head.cipher_type = TLS_CIPHER_AES_GCM_256;
                FILL(&info->aes_256, keys);
                return sizeof(info->aes_256);
        case HOT__TLS_CIPHER_CHACHA20_POLY1305:
                info->head.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
                FILL(&info->chacha20, keys);
                return sizeof(info->chacha20);
        case HOT__TLS_CIPHER_OTHER:
                break;
        }
        return 0;
}

static int give(int fd, int direction, const struct hot__tls_keys *keys)
{
        union info info;
        socklen_t size = fill(&info, keys);
        int r = size ? setsockopt(fd, SOL_TLS, direction, &info, size) : -1;

        r = r < 0 ? -errno : 0;
        OPENSSL_cleanse(&info, sizeof(info));
        return size ? r : -ENOENT;
}

/* Until it has keys, a socket with this protocol above it is as it was before. */
int hot__ktls_attach(int fd, const struct hot__tls_keys *in, const struct hot__tls_keys *out)
{
        int r = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3) < 0 ? errno : 0;

        if (r != 0 && r != EEXIST)
                return r == ENOTCONN ? -ENOTCONN : -ENOPROTOOPT;
        r = give(fd, TLS_TX, out);
        if (r < 0)
                return r == -ENOPROTOOPT || r == -ENOTCONN ? r : -ENOENT;
        return give(fd, TLS_RX, in) < 0 ? -EPERM : 0;
}

/* Asked for no more than this the kernel tells version and cipher, and no keys. */
bool hot__ktls_is_attached(int fd)
{
        struct tls_crypto_info info;
        socklen_t len = sizeof(info);

        return getsockopt(fd, SOL_TLS, TLS_TX, &info, &len) == 0;
}

/* -- records -- */

union control {
        struct cmsghdr head;
        char space[CMSG_SPACE(1)];
};

static int type_of(struct msghdr *message)
{
        struct cmsghdr *control = CMSG_FIRSTHDR(message);

        if (!control || control->cmsg_level != SOL_TLS || control->cmsg_type != TLS_GET_RECORD_TYPE)
                return 0;
        return *CMSG_DATA(control);
}

static ssize_t receive(int fd, void *buffer, size_t size, int flags,
                       struct hot__ktls_received *ret_what)
{
        union control control;
        struct iovec part = {buffer, size};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n;

        do
                n = recvmsg(fd, &message, flags);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        ret_what->type = type_of(&message);
        /* Less than there was room for: a record without data is not read on into the next. */
        ret_what->ends = message.msg_flags & MSG_EOR || (size_t)n < size;
        return n;
}

/* A record that cannot be opened leaves its error with the socket, and nothing could be sent any more: not even an
 * alert that says so. Asked for, it is gone. */
ssize_t hot__ktls_receive(int fd, void *buffer, size_t size, struct hot__ktls_received *ret_what)
{
        ssize_t n = receive(fd, buffer, size, 0, ret_what);
        int error;

        if (n == -EBADMSG || n == -EMSGSIZE)
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)});
        return n;
}

bool hot__ktls_has_input(int fd)
{
        struct hot__ktls_received what;
        char byte;

        return receive(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, &what) > 0 &&
               what.type == HOT__KTLS_DATA;
}

#define ROOM 131072

/* The kernel takes half of what getsockopt(2) tells, and TCP's own idea of it is never that small. */
void hot__ktls_allow_room(int fd)
{
        int size = 0;

        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &(socklen_t){sizeof(size)});
        if (size < ROOM / 2)
                setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ROOM / 2}, sizeof(int));
}

int hot__ktls_send_record(int fd, int type, const void *bytes, size_t len)
{
        union control control = {.head = {.cmsg_len = CMSG_LEN(1),
                                          .cmsg_level = SOL_TLS,
                                          .cmsg_type = TLS_SET_RECORD_TYPE}};
        struct iovec part = {(void *)(uintptr_t)bytes, len};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n;

        *CMSG_DATA(&control.head) = (unsigned char)type;
        do
                n = sendmsg(fd, &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}
