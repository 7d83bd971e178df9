/* SPDX-License-Identifier: MIT */
/*
 * Both are classic BPF programs. A group's needs no privilege; a filter of a TCP socket needs CAP_NET_ADMIN in newer
 * kernels (see decoy.c), and one of a UDP socket none.
 *
 * A group's program (SO_ATTACH_REUSEPORT_CBPF) gives an index into the kernel's array of members: a member
 * joins at its end, in listen(2) or for UDP in bind(2), and the last one takes the place of one that leaves.
 * So the first members keep their places as long as only later ones leave. The program sees the packet from
 * behind its transport header on; what is before that is at SKF_NET_OFF. It hashes the source port, so
 * that the datagrams of one client stay together. IPv4 options would shift what is read, which changes the
 * choice and not its correctness. A client's ports are often all even: hence the multiplication.
 *
 * A socket's program (SO_ATTACH_FILTER) sees the packet from its transport header on, and for a listening
 * socket every SYN as well as every ACK that ends a handshake. Connections inherit it, and get no SYN.
 *
 * SO_DETACH_REUSEPORT_BPF is there since Linux 5.3.
 */
#include "steer.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Knuth's multiplicative hash: the upper half is well mixed. */
#define MULTIPLIER 0x9e3779b1

#define NET(offset) ((uint32_t)(SKF_NET_OFF + (offset)))

int hot__steer_group(int fd, unsigned int n)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET(0)),
                BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4), /* the version of IP */
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 2, 0),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET(20)),
                BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET(40)),
                BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, MULTIPLIER),
                BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
                BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n ? n : 1),
                BPF_STMT(BPF_RET | BPF_A, 0),
        };
        const struct sock_fprog program = {.len = N_OF(code), .filter = code};
        int off = 0;

        if (n > 0)
                return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                                  sizeof(program)) < 0
                               ? -errno
                               : 0;
        if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &off, sizeof(off)) < 0)
                return errno == ENOENT ? 0 : -errno; /* ENOENT: it has none */
        return 0;
}

int hot__steer_to(int fd, unsigned int index)
{
        struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, index)};
        const struct sock_fprog program = {.len = N_OF(code), .filter = code};

        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0
                       ? -errno
                       : 0;
}

/* A SYN without ACK is dropped. */
static const struct sock_filter no_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* Two instructions, so that it is not taken for somebody else's single one. */
static const struct sock_filter nothing[] = {
        BPF_STMT(BPF_LD | BPF_IMM, 0),
        BPF_STMT(BPF_RET | BPF_A, 0),
};

struct program {
        const struct sock_filter *code;
        unsigned short len;
};

/* The program that steers away from a socket of @fd's kind. Returns whether there is one. */
static bool find_program(int fd, struct program *ret)
{
        int domain = 0, type = 0;
        socklen_t len = sizeof(int);

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
            (domain != AF_INET && domain != AF_INET6))
                return false;
        *ret = type == SOCK_DGRAM ? (struct program){nothing, N_OF(nothing)}
                                  : (struct program){no_syn, N_OF(no_syn)};
        return true;
}

int hot__steer_away(int fd)
{
        struct program program;
        struct sock_filter code[N_OF(no_syn)];
        struct sock_fprog attached = {.filter = code};

        if (!find_program(fd, &program))
                return 0;
        memcpy(code, program.code, program.len * sizeof(*code));
        attached.len = program.len;
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof(attached)) < 0)
                return -errno;
        return 0;
}

/* The length that SO_GET_FILTER takes and gives is in instructions. */
static bool is_attached(int fd, const struct program *program)
{
        struct sock_filter code[N_OF(no_syn)];
        socklen_t len = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &len) < 0 || len != program->len)
                return false;
        if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &len) < 0)
                return false;
        return memcmp(code, program->code, program->len * sizeof(*code)) == 0;
}

bool hot__steer_is_away(int fd)
{
        struct program program;

        return find_program(fd, &program) && is_attached(fd, &program);
}

int hot__steer_back(int fd)
{
        struct program program;
        int off = 0;

        if (!find_program(fd, &program) || !is_attached(fd, &program))
                return 0;
        return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off)) < 0 ? -errno : 0;
}
