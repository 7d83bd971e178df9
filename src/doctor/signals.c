/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static bool has_signalfd(const struct patient *patient)
{
        const struct hot_inspect_fd *fd;

        for (size_t i = 0; patient->descriptors && (fd = hot_inspect_at(patient->descriptors, i));
             i++)
                if (fd->kind == HOT_INSPECT_SIGNALFD)
                        return true;
        return false;
}

static bool is_handled(const struct patient *patient, int signal)
{
        return patient_has_signal(patient->caught, signal) ||
               (patient_has_signal(patient->blocked, signal) && has_signalfd(patient));
}

static void check_trigger(struct advices *advices, const struct patient *patient)
{
        if (is_handled(patient, SIGUSR2))
                advise(advices, ADVICE_GOOD, "SIGUSR2", "", "It is handled.");
        else if (patient_has_signal(patient->ignored, SIGUSR2))
                advise(advices, ADVICE_BAD, "SIGUSR2",
                       "Reset it before the server starts: a process inherits what its parent "
                       "ignores.",
                       "It is ignored: whoever triggers a restart with it is not heard.");
        else if (patient_has_signal(patient->blocked, SIGUSR2))
                advise(advices, ADVICE_WARN, "SIGUSR2",
                       "If no thread waits for it (sigwait(3)), unblock it before the server "
                       "starts.",
                       "It is blocked, and there is no signalfd for it: a trigger may never "
                       "arrive.");
        else if (is_handled(patient, SIGHUP) || is_handled(patient, SIGUSR1))
                advise(advices, ADVICE_NOTE, "SIGUSR2", "",
                       "It is not handled and would end the process; %s is handled, perhaps for a "
                       "restart of its own kind.",
                       is_handled(patient, SIGHUP) ? "SIGHUP" : "SIGUSR1");
        else
                advise(advices, ADVICE_BAD, "SIGUSR2",
                       "Handle it (hot_signals(3)), or restart the server through whoever "
                       "supervises "
                       "it.",
                       "It is not handled: sent as a trigger, it ends the process.");
}

static void check_inherited(struct advices *advices, const struct patient *patient)
{
        char names[200] = "";

        for (int i = 1; i < 32; i++) {
                if (!patient_has_signal(patient->ignored, i) || i == SIGPIPE || i == SIGUSR2 ||
                    i == SIGCHLD)
                        continue;
                snprintf(names + strlen(names), sizeof(names) - strlen(names), "%sSIG%s",
                         names[0] ? ", " : "", sigabbrev_np(i));
        }
        if (names[0])
                advise(advices, ADVICE_NOTE, "ignored signals",
                       "A new generation should begin with every signal at its default.",
                       "%s: ignored signals stay ignored over execve(2), for every generation to "
                       "come.",
                       names);
        if (patient_has_signal(patient->ignored, SIGCHLD))
                advise(advices, ADVICE_WARN, "SIGCHLD", "Leave it at its default.",
                       "It is ignored: the exit status of a new generation that fails is lost, and "
                       "wait(2) says ECHILD.");
}

void doctor_signals(struct advices *advices, const struct patient *patient)
{
        check_trigger(advices, patient);
        check_inherited(advices, patient);
        if (!patient_has_signal(patient->ignored, SIGTERM) && is_handled(patient, SIGTERM))
                advise(advices, ADVICE_GOOD, "SIGTERM", "", "It is handled.");
        else
                advise(advices, ADVICE_WARN, "SIGTERM",
                       "Handle it: stop accepting, finish what has begun, leave.",
                       "It is not handled: the old generation, asked to leave, drops every request "
                       "that it has.");
}
