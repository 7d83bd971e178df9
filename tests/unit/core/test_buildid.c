/* SPDX-License-Identifier: MIT */
#include "buildid.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdcheck.h"

/* What the loader has mapped of this very program, found without reading its file. */
static int find_own(struct dl_phdr_info *info, size_t size, void *data)
{
        char *ret = data;

        (void)size;
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
                const char *at = (const char *)(info->dlpi_addr + segment->p_vaddr);
                const char *end = at + segment->p_memsz;

                while (segment->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
                        ElfW(Nhdr) note;

                        memcpy(&note, at, sizeof(note));
                        if (note.n_type == NT_GNU_BUILD_ID && memcmp(at + 12, "GNU", 4) == 0)
                                for (size_t j = 0; j < note.n_descsz; j++)
                                        snprintf(ret + 2 * j, 3, "%02x", (uint8_t)at[16 + j]);
                        at += 12 + ((note.n_namesz + 3) & ~3U) + ((note.n_descsz + 3) & ~3U);
                }
        }
        return 1; /* the first object is the program */
}

static void test_buildid_of_this_process_is_what_the_loader_mapped(void **state)
{
        char mapped[HOT__BUILDID_MAX] = "", found[HOT__BUILDID_MAX] = "";
        int fd;

        (void)state;
        dl_iterate_phdr(find_own, mapped);
        if (!mapped[0]) {
                print_message("skipped: this program was linked without a build id\n");
                skip();
        }
        fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        assert_int_equal(hot__buildid_read(fd, found), 0);
        close(fd);
        assert_string_equal(found, mapped);
}

static int file_of(const void *bytes, size_t len)
{
        int fd = memfd_create("elf", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, len), len);
        return fd;
}

static void expect(const void *bytes, size_t len, int error)
{
        char found[HOT__BUILDID_MAX] = "untouched";
        int fd = file_of(bytes, len);

        assert_int_equal(hot__buildid_read(fd, found), error);
        assert_string_equal(found, "untouched");
        close(fd);
}

static void test_buildid_of_what_is_no_program(void **state)
{
        char page[4096] = "\177ELF";

        (void)state;
        expect("", 0, -ENOEXEC);
        expect("#!/bin/sh\n", 10, -ENOEXEC);
        expect(page, sizeof(page), -ENOEXEC);
}

struct program {
        ElfW(Ehdr) header;
        ElfW(Phdr) segment;
        ElfW(Nhdr) other;
        char other_name[8];
        char other_value[4];
        ElfW(Nhdr) note;
        char name[4];
        uint8_t id[20];
};

static struct program make_program(void)
{
        struct program program = {
                .header = {.e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                           .e_phoff = sizeof(ElfW(Ehdr)),
                           .e_phentsize = sizeof(ElfW(Phdr)),
                           .e_phnum = 1},
                .segment = {.p_type = PT_NOTE,
                            .p_offset = offsetof(struct program, other),
                            .p_filesz = sizeof(struct program) - offsetof(struct program, other)},
                /* Of the same type, and somebody else's; its lengths are padded. */
                .other = {.n_namesz = 5, .n_descsz = 1, .n_type = NT_GNU_BUILD_ID},
                .other_name = "FOUR",
                .note = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID},
                .name = "GNU",
        };

        if (sizeof(ElfW(Addr)) == 4)
                program.header.e_ident[EI_CLASS] = ELFCLASS32;
        for (size_t i = 0; i < sizeof(program.id); i++)
                program.id[i] = (uint8_t)(i * 13);
        return program;
}

static void test_buildid_is_found_behind_other_notes(void **state)
{
        struct program program = make_program();
        int fd = file_of(&program, sizeof(program));
        char found[HOT__BUILDID_MAX];

        (void)state;
        assert_int_equal(hot__buildid_read(fd, found), 0);
        assert_string_equal(found, "000d1a2734414e5b6875828f9ca9b6c3d0ddeaf7");
        close(fd);
        program.name[0] = 'X';
        expect(&program, sizeof(program), -ENOENT);
        program.segment.p_type = PT_LOAD;
        expect(&program, sizeof(program), -ENOENT);
}

/* Numbers that lead out of the file, or nowhere. */
static void test_buildid_of_a_damaged_program(void **state)
{
        struct program program = make_program();

        (void)state;
        for (size_t len = 0; len < offsetof(struct program, id) + sizeof(program.id); len += 4)
                expect(&program, len, -ENOEXEC);
        program.segment.p_offset = UINT64_MAX - 3;
        expect(&program, sizeof(program), -ENOEXEC);
        program = make_program();
        program.header.e_phoff = (ElfW(Off)) - 1;
        expect(&program, sizeof(program), -ENOEXEC);
        program = make_program();
        program.header.e_phnum = 65535;
        expect(&program, sizeof(program), -ENOEXEC);
        program = make_program();
        program.other.n_namesz = 0xffffffff;
        expect(&program, sizeof(program), -ENOEXEC);
        program = make_program();
        program.note.n_descsz = 0;
        program.segment.p_filesz = offsetof(struct program, id) - offsetof(struct program, other);
        expect(&program, sizeof(program), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                hot_test(test_buildid_of_this_process_is_what_the_loader_mapped),
                hot_test(test_buildid_of_what_is_no_program),
                hot_test(test_buildid_is_found_behind_other_notes),
                hot_test(test_buildid_of_a_damaged_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
