/* SPDX-License-Identifier: MIT */
#ifndef HOT_DOCTOR_DOCTOR_H
#define HOT_DOCTOR_DOCTOR_H

/*
 * The doctor: what will break at the next restart, and how to mend it. It reads and changes nothing. Each
 * group of checks is a file of its own.
 */

#include "advice.h"
#include "patient.h"

/* Settings of the kernel that restarts depend on. */
void doctor_system(struct advices *advices);

/* The program as a restart would find it: argv[0], directory, binary, privileges. */
void doctor_program(struct advices *advices, const struct patient *patient);

/* Signals: can it be triggered, and what has it inherited? */
void doctor_signals(struct advices *advices, const struct patient *patient);

/* Descriptors: limits, what leaks to children, what leads nowhere. */
void doctor_descriptors(struct advices *advices, const struct patient *patient);

/* Room for two generations at a time: memory, processes, processors. */
void doctor_room(struct advices *advices, const struct patient *patient);

/* The service manager's unit, and a PID file (@pid_file, NULL: none was given). */
void doctor_unit(struct advices *advices, const struct patient *patient);
void doctor_pid_file(struct advices *advices, const struct patient *patient, const char *pid_file);

/* What a unit file says, for one process. Separate from finding it. */
void doctor_unit_text(struct advices *advices, const struct patient *patient, const char *name,
                      const char *text);

#endif
