/* SPDX-License-Identifier: MIT */
#include "fdcheck.h"
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.h"
#include "scratch.h"

static void test_what_was_sealed_is_read_back(void **state)
{
        size_t len = (size_t)3 * 1024 * 1024 + 17, got_len = 0;
        char *bytes = malloc(len);
        const void *got = NULL;
        int fd = -EBADF;

        (void)state;
        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++)
                bytes[i] = (char)(i * 31);
        assert_int_equal(hot__memfd_seal("sessions", bytes, len, &fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(hot__memfd_map(fd, &got, &got_len), 0);
        close(fd);
        assert_int_equal(got_len, len);
        assert_memory_equal(got, bytes, len);
        hot__memfd_unmap(got, got_len);
        free(bytes);
}

static void test_nothing_is_something_too(void **state)
{
        const void *got = NULL;
        size_t len = 1;
        int fd = -EBADF;

        (void)state;
        assert_int_equal(hot__memfd_seal("", NULL, 0, &fd), 0);
        assert_int_equal(hot__memfd_map(fd, &got, &len), 0);
        assert_non_null(got);
        assert_int_equal(len, 0);
        hot__memfd_unmap(got, len);
        close(fd);
}

static void test_a_long_name_is_cut_off(void **state)
{
        char name[256];
        int fd = -EBADF;

        (void)state;
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        assert_int_equal(hot__memfd_seal(name, "x", 1, &fd), 0);
        close(fd);
}

/* Neither the author nor anybody else can change it, make it shorter or longer, or take the seals off. */
static void test_sealed_memory_stays_as_it_is(void **state)
{
        const int needed = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        int fd = -EBADF;

        (void)state;
        assert_int_equal(hot__memfd_seal("state", "0123456789", 10, &fd), 0);
        assert_int_equal(fcntl(fd, F_GET_SEALS) & needed, needed);
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(fd, 5), -1);
        assert_int_equal(ftruncate(fd, 50), -1);
        assert_ptr_equal(mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
        close(fd);
}

/* Each seal counts: without one of them a hostile author has a way to hurt who maps it. */
static void test_what_lacks_a_seal_is_never_mapped(void **state)
{
        const int seals[] = {0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_WRITE | F_SEAL_GROW,
                             F_SEAL_WRITE | F_SEAL_SHRINK, F_SEAL_SEAL};
        const void *got = NULL;
        size_t len = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
                int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

                assert_true(fd >= 0);
                assert_int_equal(ftruncate(fd, 4096), 0);
                assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
                assert_int_equal(hot__memfd_map(fd, &got, &len), -EPERM);
                close(fd);
        }
        assert_null(got);
}

static void test_what_is_no_memory_is_refused(void **state)
{
        int ends[2], file, huge;
        const void *got;
        size_t len;

        (void)state;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        file = open(scratch_path("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(file >= 0);
        assert_int_equal(hot__memfd_map(ends[0], &got, &len), -EINVAL);
        assert_true(hot__memfd_map(file, &got, &len) < 0);
        assert_int_equal(hot__memfd_map(-EBADF, &got, &len), -EBADF);
        /* Huge pages may be missing when they are touched: a SIGBUS in spite of all seals. */
        huge = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
        if (huge >= 0) {
                assert_int_equal(
                        fcntl(huge, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
                assert_int_equal(hot__memfd_map(huge, &got, &len), -EINVAL);
                close(huge);
        }
        close(file);
        close(ends[0]);
        close(ends[1]);
}

/* As large as numbers go, and not a page of it there: an address range is all that it may cost. */
static void test_a_hostile_size_is_an_error_or_an_empty_range(void **state)
{
        int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        const off_t size = INT64_MAX - 4095;
        const void *got;
        size_t len;

        (void)state;
        assert_true(fd >= 0);
        if (ftruncate(fd, size) == 0) {
                assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
                                 0);
                assert_int_equal(hot__memfd_map(fd, &got, &len), -ENOMEM);
        }
        close(fd);
}

static void test_no_room_is_an_error_and_leaves_nothing(void **state)
{
        struct rlimit before, none;
        int fd = -EBADF;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = before;
        none.rlim_cur = 0;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_int_equal(hot__memfd_seal("state", "x", 1, &fd), -EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(fd, -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_what_was_sealed_is_read_back),
                hot_test(test_nothing_is_something_too),
                hot_test(test_a_long_name_is_cut_off),
                hot_test(test_sealed_memory_stays_as_it_is),
                hot_test(test_what_lacks_a_seal_is_never_mapped),
                scratch_test(test_what_is_no_memory_is_refused),
                hot_test(test_a_hostile_size_is_an_error_or_an_empty_range),
                hot_test(test_no_room_is_an_error_and_leaves_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
