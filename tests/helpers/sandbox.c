/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdcheck.h"

int in_child(int (*scenario)(void))
{
        int status;
        pid_t pid = fork();

        if (pid == 0)
                _exit(scenario());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NOT_POSSIBLE) {
                print_message("this machine allows no seccomp filter or no user namespace\n");
                skip();
        }
        return WEXITSTATUS(status);
}

void refuse_call(int call, unsigned int n, uint32_t value, int error)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)(offsetof(struct seccomp_data, args) + n * sizeof(uint64_t))),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(NOT_POSSIBLE);
}

void write_proc(const char *path, const char *content)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        size_t n = strlen(content);

        if (fd < 0 || write(fd, content, n) != (ssize_t)n)
                _exit(NOT_POSSIBLE);
        close(fd);
}

void enter_namespaces(int flags)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();
        char map[64];

        if (unshare(CLONE_NEWUSER | flags) < 0)
                _exit(NOT_POSSIBLE);
        snprintf(map, sizeof(map), "0 %u 1", (unsigned int)uid);
        write_proc("/proc/self/uid_map", map);
        write_proc("/proc/self/setgroups", "deny");
        snprintf(map, sizeof(map), "0 %u 1", (unsigned int)gid);
        write_proc("/proc/self/gid_map", map);
        if ((flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                _exit(NOT_POSSIBLE);
}
