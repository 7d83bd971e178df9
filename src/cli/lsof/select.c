/* SPDX-License-Identifier: MIT */
#include "select.h"

static bool excludes(const struct lsof_request *request, const struct hot_inspect_process *process)
{
        return lsof_users_excludes(&request->users, process->uid) ||
               lsof_ids_excludes(&request->groups, process->group) ||
               lsof_ids_excludes(&request->pids, process->pid);
}

/* Commands come last, and only of processes that the others have let through: else they are not found. */
static bool select_command(struct lsof_request *request, const struct hot_inspect_process *process,
                           unsigned int *selected)
{
        if (lsof_commands_excludes(&request->commands, process->name))
                return false;
        if (request->all_processes || !lsof_request_wants(request, LSOF_BY_COMMAND))
                return true;
        if (lsof_commands_match(&request->commands, process->name)) {
                *selected |= LSOF_BY_COMMAND;
                return true;
        }
        return !request->and_ && request->selectors != LSOF_BY_COMMAND;
}

static unsigned int match_ids(struct lsof_request *request,
                              const struct hot_inspect_process *process)
{
        unsigned int selected = 0;

        if (lsof_ids_match(&request->groups, process->group))
                selected |= LSOF_BY_GROUP;
        if (lsof_ids_match(&request->pids, process->pid))
                selected |= LSOF_BY_PID;
        if (lsof_users_match(&request->users, process->uid))
                selected |= LSOF_BY_USER;
        return selected;
}

static bool select_ids(struct lsof_request *request, const struct hot_inspect_process *process,
                       unsigned int *ret_selected)
{
        const unsigned int ids = LSOF_BY_GROUP | LSOF_BY_PID | LSOF_BY_USER;
        unsigned int wanted = request->selectors & ids;
        bool is_only_one = request->selectors == wanted && (wanted & (wanted - 1)) == 0;

        *ret_selected = match_ids(request, process);
        if (request->and_ && *ret_selected != wanted)
                return false;
        /* With nothing else to ask for, the others are not even looked at. */
        return *ret_selected != 0 || wanted == 0 || !is_only_one;
}

bool lsof_select_process(struct lsof_request *request, const struct hot_inspect_process *process,
                         unsigned int *ret_selected)
{
        unsigned int selected = LSOF_BY_ANYTHING;

        if (excludes(request, process))
                return false;
        if (!request->all_processes && !select_ids(request, process, &selected))
                return false;
        if (!select_command(request, process, &selected))
                return false;
        *ret_selected = selected;
        return true;
}

void lsof_select_row(const struct lsof_request *request, unsigned int selected,
                     struct lsof_row *row)
{
        row->selected |= selected;
        if (lsof_request_wants(request, LSOF_BY_NUMBER) && !request->all_processes &&
            lsof_numbers_match(&request->numbers, row->role, row->number))
                row->selected |= LSOF_BY_NUMBER;
}

bool lsof_select_wants(const struct lsof_request *request, const struct lsof_row *row)
{
        if (row->excluded || row->selected == 0)
                return false;
        if (request->all_processes || !request->and_)
                return true;
        return (row->selected & request->selectors) == request->selectors;
}

/* Not if they could be what else is looked for: then the exit status says whether it was found. */
bool lsof_select_numbers_first(const struct lsof_request *request)
{
        const unsigned int searched =
                LSOF_BY_ADDRESS | LSOF_BY_INTERNET | LSOF_BY_NFS | LSOF_BY_NAME;

        if (request->all_processes || request->endpoints != LSOF_NO_ENDS ||
            !lsof_request_wants(request, LSOF_BY_NUMBER) || lsof_request_wants(request, searched) ||
            request->states.any_included)
                return false;
        return request->and_ || request->selectors == LSOF_BY_NUMBER;
}

bool lsof_select_sockets_only(const struct lsof_request *request, unsigned int selected)
{
        if (request->all_processes || !lsof_request_wants(request, LSOF_BY_SOCKET))
                return false;
        if (request->and_ || !lsof_request_wants(request, ~(unsigned int)LSOF_BY_SOCKET))
                return true;
        if (lsof_request_wants(request, LSOF_BY_FILE))
                return false;
        return request->endpoints != LSOF_NO_ENDS || (selected & LSOF_BY_PROCESS) == 0;
}

bool lsof_select_listeners_only(const struct lsof_request *request)
{
        const unsigned int internet = LSOF_BY_ADDRESS | LSOF_BY_INTERNET;

        if (request->all_processes || request->endpoints != LSOF_NO_ENDS ||
            !lsof_request_wants(request, internet) || !lsof_states_is_listen_only(&request->states))
                return false;
        return request->and_ || !lsof_request_wants(request, ~internet);
}
