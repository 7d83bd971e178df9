/* SPDX-License-Identifier: MIT */
/*
 * Only what the program headers name as notes is read, so a stripped file has its id too. All numbers in
 * the file are a stranger's: each is checked against what was read before it is followed.
 */
#include "buildid.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More notes than any linker writes. */
#define NOTES_MAX   65536
#define HEADERS_MAX 256

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_DATA ELFDATA2LSB
#else
#define OUR_DATA ELFDATA2MSB
#endif
#if __ELF_NATIVE_CLASS == 64
#define OUR_CLASS ELFCLASS64
#else
#define OUR_CLASS ELFCLASS32
#endif

static int read_exactly(int fd, uint64_t offset, void *buffer, size_t len)
{
        ssize_t n;

        if (offset > INT64_MAX)
                return -ENOEXEC;
        n = pread(fd, buffer, len, (off_t)offset);
        if (n < 0)
                return -errno;
        return (size_t)n == len ? 0 : -ENOEXEC;
}

static void format(const uint8_t *id, size_t len, char *ret)
{
        if (len > (HOT__BUILDID_MAX - 1) / 2)
                len = (HOT__BUILDID_MAX - 1) / 2;
        for (size_t i = 0; i < len; i++)
                snprintf(ret + 2 * i, 3, "%02x", (unsigned int)id[i]);
}

/* Names and descriptions of notes are padded to four bytes. */
static uint64_t padded(uint32_t len)
{
        return ((uint64_t)len + 3) & ~(uint64_t)3;
}

/* The note at @at, behind its header. Returns 0, -ENOENT (it is another one) or another negative errno. */
static int take_note(int fd, const ElfW(Nhdr) * note, uint64_t at, char *ret)
{
        char name[sizeof(ELF_NOTE_GNU)];
        uint8_t id[64];
        int r;

        if (note->n_type != NT_GNU_BUILD_ID || note->n_namesz != sizeof(name) ||
            note->n_descsz == 0 || note->n_descsz > sizeof(id))
                return -ENOENT;
        r = read_exactly(fd, at, name, sizeof(name));
        if (r == 0 && memcmp(name, ELF_NOTE_GNU, sizeof(name)) != 0)
                return -ENOENT;
        if (r == 0)
                r = read_exactly(fd, at + sizeof(name), id, note->n_descsz);
        if (r == 0)
                format(id, note->n_descsz, ret);
        return r;
}

/* One note after the other, up to the segment's end. */
static int search_segment(int fd, const ElfW(Phdr) * segment, char *ret)
{
        uint64_t at = segment->p_offset, left = segment->p_filesz;

        for (size_t i = 0; i < HEADERS_MAX && left >= sizeof(ElfW(Nhdr)); i++) {
                ElfW(Nhdr) note;
                uint64_t size;
                int r = read_exactly(fd, at, &note, sizeof(note));

                if (r < 0)
                        return r;
                size = sizeof(note) + padded(note.n_namesz) + padded(note.n_descsz);
                if (size > left)
                        return -ENOEXEC;
                r = take_note(fd, &note, at + sizeof(note), ret);
                if (r != -ENOENT)
                        return r;
                at += size;
                left -= size;
        }
        return -ENOENT;
}

static int read_header(int fd, ElfW(Ehdr) * ret)
{
        int r = read_exactly(fd, 0, ret, sizeof(*ret));

        if (r < 0)
                return r;
        if (memcmp(ret->e_ident, ELFMAG, SELFMAG) != 0 || ret->e_ident[EI_CLASS] != OUR_CLASS ||
            ret->e_ident[EI_DATA] != OUR_DATA || ret->e_phentsize != sizeof(ElfW(Phdr)) ||
            ret->e_phnum > HEADERS_MAX)
                return -ENOEXEC;
        return 0;
}

int hot__buildid_read(int fd, char ret[HOT__BUILDID_MAX])
{
        char found[HOT__BUILDID_MAX];
        ElfW(Ehdr) header;
        int r = read_header(fd, &header);

        for (size_t i = 0; r == 0 && i < header.e_phnum; i++) {
                ElfW(Phdr) segment;

                r = read_exactly(fd, header.e_phoff + i * sizeof(segment), &segment,
                                 sizeof(segment));
                if (r < 0 || segment.p_type != PT_NOTE || segment.p_filesz > NOTES_MAX)
                        continue;
                r = search_segment(fd, &segment, found);
                if (r == 0) {
                        strcpy(ret, found);
                        return 0;
                }
                if (r == -ENOENT)
                        r = 0;
        }
        return r < 0 ? r : -ENOENT;
}
