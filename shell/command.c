/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/command.h"

#include <string.h>

#include "shell/completer.h"
#include "util/i18n.h"

const VshGroup vsh_groups[] = {
    { "domain", N_("Domain Management") },
    { "monitor", N_("Domain Monitoring") },
    { "events", N_("Domain Events") },
    { "network", N_("Networking") },
    { "host", N_("Host and Hypervisor") },
    { "vshell", N_("vshell itself") },
    { NULL },
};

static const VshCommand *const *const files[] = {
    vsh_commands_attach_disk, vsh_commands_attach_interface,
    vsh_commands_blkstat,     vsh_commands_blktune,
    vsh_commands_block,       vsh_commands_console,
    vsh_commands_cpustats,    vsh_commands_define,
    vsh_commands_detach,      vsh_commands_device,
    vsh_commands_edit,        vsh_commands_event,
    vsh_commands_host,        vsh_commands_id,
    vsh_commands_ifaddr,      vsh_commands_iflink,
    vsh_commands_iftune,      vsh_commands_info,
    vsh_commands_interface,   vsh_commands_iothread,
    vsh_commands_life,        vsh_commands_list,
    vsh_commands_media,       vsh_commands_memory,
    vsh_commands_metadata,    vsh_commands_net_define,
    vsh_commands_net_edit,    vsh_commands_net_event,
    vsh_commands_net_life,    vsh_commands_net_list,
    vsh_commands_net_show,    vsh_commands_net_update,
    vsh_commands_self,        vsh_commands_start,
    vsh_commands_stats,       vsh_commands_stop,
    vsh_commands_validate,    vsh_commands_vcpu,
    vsh_commands_xml,
};

static const char *const format_words[] = { "table", "json", NULL };

static const VshOption option_format = {
    .name = "format",
    .kind = VSH_OPTION_STRING,
    .flags = VSH_OPTION_NAMED,
    .help = N_("output format: table or json"),
    .complete = vsh_complete_word,
    .words = format_words,
};

static const VshOption option_help = {
    .name = "help",
    .kind = VSH_OPTION_FLAG,
    .help = N_("print help for this command"),
};

const VshCommand *
vsh_command_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        for (size_t j = 0; files[i][j]; j++)
            if (strcmp(files[i][j]->name, name) == 0)
                return files[i][j];
    return NULL;
}

const VshGroup *
vsh_group_find(const char *keyword)
{
    for (const VshGroup *group = vsh_groups; group->keyword; group++)
        if (strcmp(group->keyword, keyword) == 0)
            return group;
    return NULL;
}

static int
compare_names(const void *a, const void *b)
{
    const VshCommand *const *one = a;
    const VshCommand *const *two = b;

    return strcmp((*one)->name, (*two)->name);
}

GPtrArray *
vsh_command_list(const char *group)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        for (size_t j = 0; files[i][j]; j++) {
            const VshCommand *command = files[i][j];

            if (!(command->flags & VSH_COMMAND_HIDDEN) &&
                (!group || strcmp(command->group, group) == 0))
                g_ptr_array_add(list, (void *)command);
        }
    }
    g_ptr_array_sort(list, compare_names);
    return list;
}

GPtrArray *
vsh_command_options(const VshCommand *command)
{
    GPtrArray *list = g_ptr_array_new();

    for (const VshOption *option = command->options; option && option->name;
         option++)
        g_ptr_array_add(list, (void *)option);
    if (command->flags & VSH_COMMAND_QUERY)
        g_ptr_array_add(list, (void *)&option_format);
    g_ptr_array_add(list, (void *)&option_help);
    return list;
}

bool
vsh_option_is_number(const VshOption *option)
{
    return option->kind == VSH_OPTION_NUMBER || option->kind == VSH_OPTION_SIZE;
}

/* The longest word compared: beyond it nothing is "near". */
#define NEAREST_MAX 63

/* The number of insertions, deletions, replacements and swaps of neighbours
 * that turn @a into @b (optimal string alignment). */
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[3][NEAREST_MAX + 2];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > NEAREST_MAX || b_len > NEAREST_MAX)
        return G_MAXUINT;
    for (unsigned j = 0; j <= b_len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *now = row[i % 3];
        const unsigned *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned cost = a[i - 1] != b[j - 1];

            now[j] = MIN(last[j - 1] + cost, MIN(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
    }
    return row[a_len % 3][b_len];
}

const char *
vsh_nearest(const char *word, const char *const *candidates)
{
    /* one slip in a short word, two in a longer one */
    unsigned best = strlen(word) < 5 ? 2 : 3;
    const char *nearest = NULL;

    for (size_t i = 0; candidates && candidates[i]; i++) {
        unsigned d = distance(word, candidates[i]);

        /* a prefix is nearer than its missing letters say */
        if (strlen(word) >= 3 && g_str_has_prefix(candidates[i], word))
            d = MIN(d, 1);
        if (d < best) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

const char *
vsh_nearest_command(const char *word)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);
    g_autofree const char **names = g_new0(const char *, commands->len + 1);

    for (guint i = 0; i < commands->len; i++)
        names[i] = ((const VshCommand *)commands->pdata[i])->name;
    return vsh_nearest(word, names);
}
