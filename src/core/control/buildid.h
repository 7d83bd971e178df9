/* SPDX-License-Identifier: MIT */
#ifndef HOT_BUILDID_H
#define HOT_BUILDID_H

/*
 * The build id of a program: what the linker noted in it (--build-id), and what tells two releases with
 * one path apart. See elf(5), NT_GNU_BUILD_ID.
 */

/* In hexadecimal, with the terminating zero; ids are 8 to 32 bytes, longer ones are cut. */
#define HOT__BUILDID_MAX 65

/*
 * Of the file that @fd (borrowed) reads: an ELF file of this machine's byte order and word size. Looks at
 * its headers and notes only, never at more than the file has. Returns 0, -ENOENT (an ELF file without
 * one), -ENOEXEC (no ELF file, or a damaged one) or another negative errno.
 */
int hot__buildid_read(int fd, char ret[HOT__BUILDID_MAX]);

#endif
