/* SPDX-License-Identifier: MIT */
#include "chat_hall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define VERSION 1

struct hall_page {
        uint32_t version;
        _Atomic uint64_t number; /* the last ones that were given out */
        uint64_t ticket;
        struct hall_seat seats[HALL_N_SEATS];
};

/* The log begins at a page, so that no line crosses one. */
#define LOG_START (int64_t)((sizeof(struct hall_page) + 0xffff) & ~0xffffUL)

_Static_assert(sizeof(struct hall_line) == HALL_LINE_MAX, "a line has no padding");
_Static_assert(4096 % HALL_LINE_MAX == 0, "lines fill a page");

/*
 * Locks of an open file description (fcntl(2), F_OFD_SETLK) on bytes that stand for something else: byte 0 for
 * the seats, byte N for the life of generation N. They end with the description, which is this process' own.
 */
static int lock(const struct hall *hall, uint64_t byte, short type, int command)
{
        struct flock range = {
                .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

        while (fcntl(hall->file, command, &range) < 0)
                if (errno != EINTR)
                        return -errno;
        return range.l_type != F_UNLCK;
}

static void lock_seats(const struct hall *hall)
{
        lock(hall, 0, F_WRLCK, F_OFD_SETLKW);
}

static void unlock_seats(const struct hall *hall)
{
        lock(hall, 0, F_UNLCK, F_OFD_SETLK);
}

static bool is_alive(const struct hall *hall, uint64_t generation)
{
        return generation == hall->generation || lock(hall, generation, F_WRLCK, F_OFD_GETLK) > 0;
}

static int build(struct hot *hot)
{
        int file = memfd_create("hall", MFD_CLOEXEC), bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        uint32_t version = VERSION;
        int r = 0;

        if (file < 0 || bell < 0 || ftruncate(file, LOG_START) < 0 ||
            pwrite(file, &version, sizeof(version), 0) < 0)
                r = -errno;
        if (r == 0)
                r = hot_keep(hot, "hall", file);
        if (r == 0)
                r = hot_keep(hot, "bell", bell);
        close(file);
        close(bell);
        return r;
}

/* A description of our own: for the locks, and for where we write, which is always the end. */
static int enter(struct hall *hall, struct hot *hot)
{
        char path[40];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", hot_kept(hot, "hall"));
        hall->file = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
        hall->bell = fcntl(hot_kept(hot, "bell"), F_DUPFD_CLOEXEC, 0);
        if (hall->file < 0 || hall->bell < 0)
                return -errno;
        hall->page = mmap(NULL, sizeof(struct hall_page), PROT_READ | PROT_WRITE, MAP_SHARED,
                          hall->file, 0);
        if (hall->page == MAP_FAILED)
                return -errno;
        return hall->page->version == VERSION ? 0 : -EPROTO;
}

int hall_open(struct hall *hall, struct hot *hot)
{
        int r = hot_kept(hot, "hall") == -ENOENT ? build(hot) : 0;

        hall->generation = hot_generation(hot);
        if (r == 0)
                r = enter(hall, hot);
        if (r == 0)
                r = lock(hall, hall->generation, F_WRLCK, F_OFD_SETLK);
        return r < 0 ? r : 0;
}

int64_t hall_end(const struct hall *hall)
{
        return lseek(hall->file, 0, SEEK_END);
}

/* From time to time: give the memory of what is older than the last HALL_N_LINES back. */
static void forget(const struct hall *hall, int64_t end)
{
        int64_t window = (int64_t)HALL_N_LINES * HALL_LINE_MAX, old = end - LOG_START - window;

        if (old > 0 && old % (window / 2) == 0)
                fallocate(hall->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, LOG_START, old);
}

int64_t hall_say(const struct hall *hall, const char *room, const char *format, ...)
{
        struct hall_line line = {0};
        int64_t end;
        va_list arguments;

        snprintf(line.room, sizeof(line.room), "%s", room);
        va_start(arguments, format);
        vsnprintf(line.text, sizeof(line.text), format, arguments);
        va_end(arguments);
        line.text[sizeof(line.text) - 2] = line.text[sizeof(line.text) - 2] ? '\n' : '\0';
        if (write(hall->file, &line, sizeof(line)) != sizeof(line))
                return -EIO;
        end = lseek(hall->file, 0, SEEK_CUR);
        forget(hall, end);
        eventfd_write(hall->bell, 1);
        return end;
}

int hall_read(const struct hall *hall, int64_t *place, struct hall_line *ret_line)
{
        if (pread(hall->file, ret_line, sizeof(*ret_line), *place) != sizeof(*ret_line))
                return 0;
        if (!*ret_line->text)
                return -EOVERFLOW; /* a hole */
        *place += HALL_LINE_MAX;
        return 1;
}

uint64_t hall_number(const struct hall *hall)
{
        return atomic_fetch_add(&hall->page->number, 1) + 1;
}

/* Whose nick is it? Their seat, or NULL; and a seat that is free, or NULL. */
static struct hall_seat *look(const struct hall *hall, const char *nick,
                              struct hall_seat **ret_free)
{
        struct hall_seat *holder = NULL;
        uint64_t alive = hall->generation;

        *ret_free = NULL;
        for (struct hall_seat *seat = hall->page->seats; seat < hall->page->seats + HALL_N_SEATS;
             seat++) {
                if (seat->generation && seat->generation != alive) {
                        if (is_alive(hall, seat->generation))
                                alive = seat->generation;
                        else
                                seat->generation = 0;
                }
                if (!seat->generation && !*ret_free)
                        *ret_free = seat;
                if (seat->generation && !strcmp(seat->nick, nick))
                        holder = seat;
        }
        return holder;
}

static struct hall_seat *claimed(const struct hall *hall, const struct hall_claim *claim)
{
        struct hall_seat *seat = &hall->page->seats[claim->seat % HALL_N_SEATS];

        return claim->ticket && seat->ticket == claim->ticket ? seat : NULL;
}

static int sit(const struct hall *hall, struct hall_claim *claim, const char *nick,
               const char *room)
{
        struct hall_seat *seat = claimed(hall, claim), *free_seat, *holder;

        if (seat)
                seat->generation = hall->generation; /* it may have been that of one who is dead */
        holder = look(hall, nick, &free_seat);
        if (holder && holder != seat)
                return -EEXIST;
        if (!seat && !free_seat)
                return -ENOSPC;
        if (!seat) {
                seat = free_seat;
                seat->ticket = ++hall->page->ticket;
                claim->ticket = seat->ticket;
                claim->seat = (uint32_t)(seat - hall->page->seats);
        }
        snprintf(seat->nick, sizeof(seat->nick), "%s", nick);
        snprintf(seat->room, sizeof(seat->room), "%s", room);
        seat->generation = hall->generation;
        return 0;
}

int hall_sit(const struct hall *hall, struct hall_claim *claim, const char *nick, const char *room)
{
        int r;

        lock_seats(hall);
        r = sit(hall, claim, nick, room);
        unlock_seats(hall);
        return r;
}

void hall_leave(const struct hall *hall, const struct hall_claim *claim)
{
        struct hall_seat *seat;

        lock_seats(hall);
        seat = claimed(hall, claim);
        if (seat)
                seat->generation = 0;
        unlock_seats(hall);
}

bool hall_find(const struct hall *hall, const char *room, uint32_t *seat, char *ret_nick)
{
        bool found = false;

        lock_seats(hall);
        while (!found && *seat < HALL_N_SEATS) {
                const struct hall_seat *at = &hall->page->seats[(*seat)++];

                found = at->generation && !strcmp(at->room, room) && is_alive(hall, at->generation);
                if (found)
                        memcpy(ret_nick, at->nick, HALL_NAME_MAX);
        }
        unlock_seats(hall);
        return found;
}
