/* SPDX-License-Identifier: MIT */
#ifndef HOT_VERIFY_BODIES_H
#define HOT_VERIFY_BODIES_H

/*
 * Bodies: which one of a path is right, where nobody has said so. Pure.
 *
 * If every answer before the first restart had the same body, and most answers on new connections to some later
 * generation have it too, then it does not depend on who answers: another body, after which the first came again,
 * was wrong. Kept connections prove nothing, they may lead to the old generation still. A body that differs from generation to generation, as with a pid in it, one that a new release has for good, and one
 * that changes all the time are none of that.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODIES_PROFILES 16 /* as many as there may be */
#define BODIES_MAX      64 /* different ones; the last stands for all others as well */
#define BODIES_LISTED   64 /* answers with one of them that are told one by one */

/* An answer with a body that may turn out to be wrong. */
struct bodies_moment {
        size_t profile;
        uint64_t due, end;
        size_t restart; /* the last one that was triggered; SIZE_MAX: none */
};

struct body {
        uint64_t hash, size;
        uint64_t counts[BODIES_PROFILES]; /* answers with it, by profile */
        uint64_t first, last;             /* when, ns */
        struct bodies_moment *moments;    /* owned; NULL for the first body */
        size_t n_moments;                 /* at most BODIES_LISTED */
};

struct bodies {
        struct body list[BODIES_MAX];
        size_t n;
        size_t last;        /* which one came last */
        bool steady;        /* an answer came before the first restart */
        bool vary;          /* they cannot be told apart by that */
        size_t group;       /* the generation that answers now, by our count */
        uint64_t same, all; /* fresh answers of this group with the first body, and in all */
        size_t groups;      /* of which most answers had the first body */
};

/*
 * An answer. @group never becomes less. @fresh: its connection was begun when this group answered already. Returns
 * 0 or -ENOMEM.
 */
int bodies_note(struct bodies *bodies, uint64_t hash, uint64_t size, size_t group, bool fresh,
                const struct bodies_moment *moment);

/* All answers are noted. */
void bodies_finish(struct bodies *bodies);

/* Was this body of the list wrong? Only after bodies_finish(). */
bool bodies_is_wrong(const struct bodies *bodies, size_t index);

void bodies_done(struct bodies *bodies);

#endif
