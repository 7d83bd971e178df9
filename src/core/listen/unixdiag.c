/* SPDX-License-Identifier: MIT */
/*
 * One request of the kernel's sock_diag(7): UNIX_DIAG_VFS of one socket, found by the inode number of the
 * socket itself. It needs no privilege, unlike SIOCUNIXFILE (CAP_NET_ADMIN), but sees the sockets of our
 * own network namespace only.
 *
 * udiag_vfs_dev is the kernel's internal dev_t, 12 bits of major over 20 bits of minor, which is neither
 * of the encodings that user space has. It is the superblock's: stat(2) may name another one (btrfs,
 * overlayfs). udiag_vfs_ino is cut to 32 bits.
 *
 * The macros of linux/netlink.h mix signed and unsigned lengths; the few steps are written out instead.
 */
#include "unixdiag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fd.h"

#define KERNEL_MINOR_BITS 20

struct request {
        struct nlmsghdr header;
        struct unix_diag_req body;
};

struct answer {
        unsigned char bytes[1024]; /* room for every attribute of one socket */
        size_t len;
};

static int ask(int netlink, uint32_t socket_inode, struct answer *answer)
{
        struct request request = {
                .header = {.nlmsg_len = sizeof(request),
                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                           .nlmsg_flags = NLM_F_REQUEST},
                .body = {.sdiag_family = AF_UNIX,
                         .udiag_states = UINT32_MAX,
                         .udiag_ino = socket_inode,
                         .udiag_show = UDIAG_SHOW_VFS,
                         /* No cookie: the inode alone names the socket. */
                         .udiag_cookie = {UINT32_MAX, UINT32_MAX}},
        };
        ssize_t n;

        if (send(netlink, &request, sizeof(request), 0) < 0)
                return -errno;
        /* The kernel handles the request inside send(): the answer is queued when that returns. */
        n = recv(netlink, answer->bytes, sizeof(answer->bytes), MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        answer->len = (size_t)n;
        return 0;
}

/* Copy @size bytes of the answer from @offset on, if it is that long. */
static int take(const struct answer *answer, size_t offset, void *ret, size_t size)
{
        if (offset > answer->len || size > answer->len - offset)
                return -EBADMSG;
        memcpy(ret, answer->bytes + offset, size);
        return 0;
}

static int find_file(const struct answer *answer, size_t offset, struct hot__unixdiag *ret)
{
        while (offset < answer->len) {
                struct rtattr attribute;
                struct unix_diag_vfs vfs;

                if (take(answer, offset, &attribute, sizeof(attribute)) < 0 ||
                    attribute.rta_len < sizeof(attribute))
                        return -EBADMSG;
                if (attribute.rta_type != UNIX_DIAG_VFS) {
                        offset += RTA_ALIGN((size_t)attribute.rta_len);
                        continue;
                }
                if (take(answer, offset + sizeof(attribute), &vfs, sizeof(vfs)) < 0)
                        return -EBADMSG;
                ret->inode = vfs.udiag_vfs_ino;
                ret->device_major = vfs.udiag_vfs_dev >> KERNEL_MINOR_BITS;
                ret->device_minor = vfs.udiag_vfs_dev & ((1U << KERNEL_MINOR_BITS) - 1);
                return 0;
        }
        return -ENODATA;
}

static int parse(const struct answer *answer, struct hot__unixdiag *ret)
{
        const size_t body = NLMSG_ALIGN(sizeof(struct nlmsghdr));
        struct nlmsghdr header;
        struct nlmsgerr error;

        if (take(answer, 0, &header, sizeof(header)) < 0)
                return -EBADMSG;
        if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
                return find_file(answer, body + NLMSG_ALIGN(sizeof(struct unix_diag_msg)), ret);
        if (header.nlmsg_type != NLMSG_ERROR || take(answer, body, &error, sizeof(error)) < 0)
                return -EBADMSG;
        return error.error < 0 ? error.error : -EBADMSG;
}

int hot__unixdiag_file(int fd, struct hot__unixdiag *ret)
{
        CLEANUP(hot__fd_closep) int netlink = -EBADF;
        struct answer answer;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (netlink < 0)
                return -errno;
        r = ask(netlink, (uint32_t)st.st_ino, &answer);
        return r < 0 ? r : parse(&answer, ret);
}
