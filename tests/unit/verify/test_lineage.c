/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "lineage.h"

/* Answers of generation 1 and 2, in nanoseconds; what comes out of turn is counted. */
static void test_an_old_generation_is_out_of_turn_only_after_the_overlap(void)
{
        struct lineage lineage = {.overlap = 100};
        size_t index;

        assert(lineage_note(&lineage, 1, 11, 0, 10, &index) == 1 && index == 0);
        assert(lineage_note(&lineage, 1, 11, 20, 30, &index) == 0);
        assert(lineage_note(&lineage, 2, 22, 1000, 1010, &index) == 1 && index == 1);
        /* Begun before the overlap was over, answered after it: that is a drain. */
        assert(lineage_note(&lineage, 1, 11, 1110, 5000, &index) == 0 && index == 0);
        assert(lineage_out_of_turn(&lineage) == 0);
        assert(lineage_note(&lineage, 1, 11, 1111, 1120, &index) == 0);
        assert(lineage_out_of_turn(&lineage) == 1);
        assert(lineage.list[0].worst == 101);
        assert(lineage.list[0].answers == 4 && lineage.list[1].answers == 1);
        lineage_done(&lineage);
}

static void test_nothing_is_out_of_turn_while_the_command_runs(void)
{
        struct lineage lineage = {.overlap = 100, .command_ended = UINT64_MAX};
        size_t index;

        lineage_note(&lineage, 1, 0, 0, 10, &index);
        lineage_note(&lineage, 2, 0, 1000, 1010, &index);
        lineage_note(&lineage, 1, 0, 100000, 100010, &index);
        assert(lineage_out_of_turn(&lineage) == 0);
        lineage.command_ended = 200000;
        lineage_note(&lineage, 1, 0, 200100, 200110, &index);
        assert(lineage_out_of_turn(&lineage) == 0);
        lineage_note(&lineage, 1, 0, 200101, 200111, &index);
        assert(lineage_out_of_turn(&lineage) == 1);
        lineage_done(&lineage);
}

static void test_each_process_of_a_generation_is_noted_once(void)
{
        struct lineage lineage = {0};
        size_t index;

        for (int round = 0; round < 3; round++)
                for (pid_t pid = 1; pid <= LINEAGE_PIDS + 2; pid++)
                        lineage_note(&lineage, 7, pid, 0, 1, &index);
        assert(lineage.n == 1);
        assert(lineage.list[0].n_pids == LINEAGE_PIDS);
        assert(lineage.list[0].pids[LINEAGE_PIDS - 1] == LINEAGE_PIDS);
        lineage_done(&lineage);
}

static void test_an_old_generation_is_in_turn_again_when_the_newer_one_is_withdrawn(void)
{
        struct lineage lineage = {.overlap = 100};
        struct lineage_generation *doubted;
        size_t index;

        lineage_note(&lineage, 1, 11, 0, 10, &index);
        lineage_note(&lineage, 2, 22, 1000, 1010, &index);
        assert(!lineage_doubted(&lineage, 1, 11, 1010));
        assert(!lineage_doubted(&lineage, 2, 22, 5000));
        doubted = lineage_doubted(&lineage, 1, 11, 1011);
        assert(doubted == &lineage.list[1]);
        doubted->withdrawn = true;
        assert(!lineage_doubted(&lineage, 1, 11, 1011));
        assert(lineage_newest(&lineage) == &lineage.list[0]);
        assert(lineage_note(&lineage, 1, 11, 5000, 5010, &index) == 0 && index == 0);
        assert(lineage_note(&lineage, 2, 22, 1020, 5020, &index) == 0 && index == 1);
        /* The next one has the name of the one that died. */
        assert(lineage_note(&lineage, 2, 33, 6000, 6010, &index) == 1 && index == 2);
        assert(lineage_out_of_turn(&lineage) == 0);
        lineage_note(&lineage, 1, 11, 6111, 6120, &index);
        assert(lineage_out_of_turn(&lineage) == 1);
        lineage_done(&lineage);
}

int main(void)
{
        test_an_old_generation_is_out_of_turn_only_after_the_overlap();
        test_nothing_is_out_of_turn_while_the_command_runs();
        test_each_process_of_a_generation_is_noted_once();
        test_an_old_generation_is_in_turn_again_when_the_newer_one_is_withdrawn();
        return 0;
}
