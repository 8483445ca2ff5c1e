/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * The table of commands. A command stands beside its handler in the file of
 * its subject; commands.c lists the files. Parsing, help, completion, the
 * manual page and the tests all read these structs.
 */

typedef struct VshShell VshShell;
typedef struct VshArgs VshArgs;
typedef struct VshOption VshOption;

typedef enum VshOptionKind {
    VSH_OPTION_FLAG,   /* --all */
    VSH_OPTION_STRING, /* --mode TEXT, also by position */
    VSH_OPTION_NUMBER, /* --timeout N: decimal, 0 or more */
    VSH_OPTION_SIZE,   /* --size 1GiB: a number with a unit, in bytes */
    VSH_OPTION_MANY,   /* all words left: several domains, a text */
} VshOptionKind;

typedef enum VshOptionFlags {
    VSH_OPTION_REQUIRED = 1 << 0,
    VSH_OPTION_NAMED = 1 << 1, /* never by position */
    VSH_OPTION_EMPTY = 1 << 2, /* the value may be the empty text */
} VshOptionFlags;

/**
 * VshCompleter: all values that @option could take, unfiltered
 * @args: what is bound so far
 * Returns: a NULL-terminated array to g_strfreev(), or NULL
 */
typedef char **(*VshCompleter)(VshShell *shell, const VshArgs *args,
                               const VshOption *option, const char *partial);

struct VshOption {
    const char *name; /* without the dashes */
    VshOptionKind kind;
    unsigned flags;   /* VshOptionFlags */
    const char *help; /* N_() */
    VshCompleter complete;
    unsigned unit;            /* SIZE: bytes of a bare number; 0: one */
    unsigned domains;         /* for vsh_complete_domain: states wanted */
    const char *const *words; /* for vsh_complete_word */
};

/** A flag in a table of options. */
#define VSH_FLAG(option, text)                                \
    {                                                         \
        .name = option, .kind = VSH_OPTION_FLAG, .help = text \
    }

typedef enum VshCommandFlags {
    VSH_COMMAND_OFFLINE = 1 << 0,    /* needs no connection */
    VSH_COMMAND_QUERY = 1 << 1,      /* prints data: takes --format */
    VSH_COMMAND_HIDDEN = 1 << 2,     /* not in help and completion */
    VSH_COMMAND_FOREGROUND = 1 << 3, /* has the terminal: no progress line */
    VSH_COMMAND_NO_NEWLINE = 1 << 4, /* no empty line after its output */
} VshCommandFlags;

typedef struct VshCommand {
    const char *name;
    const char *group;        /* keyword of a VshGroup */
    const char *summary;      /* N_(): one line, no full stop */
    const char *details;      /* N_(): a paragraph */
    const VshOption *options; /* ends with a NULL name; NULL: none */
    unsigned flags;           /* VshCommandFlags */
    bool (*run)(VshShell *shell, const VshArgs *args, GError **error);
} VshCommand;

typedef struct VshGroup {
    const char *keyword; /* for `help KEYWORD` */
    const char *title;   /* N_() */
} VshGroup;

/** The groups in the order of help; ends with a NULL keyword. */
extern const VshGroup vsh_groups[];

/** The commands of each file; each list ends with NULL. */
extern const VshCommand *const vsh_commands_attach_disk[];
extern const VshCommand *const vsh_commands_attach_interface[];
extern const VshCommand *const vsh_commands_media[];
extern const VshCommand *const vsh_commands_blkstat[];
extern const VshCommand *const vsh_commands_blktune[];
extern const VshCommand *const vsh_commands_block[];
extern const VshCommand *const vsh_commands_console[];
extern const VshCommand *const vsh_commands_cpustats[];
extern const VshCommand *const vsh_commands_define[];
extern const VshCommand *const vsh_commands_detach[];
extern const VshCommand *const vsh_commands_device[];
extern const VshCommand *const vsh_commands_edit[];
extern const VshCommand *const vsh_commands_event[];
extern const VshCommand *const vsh_commands_host[];
extern const VshCommand *const vsh_commands_id[];
extern const VshCommand *const vsh_commands_ifaddr[];
extern const VshCommand *const vsh_commands_iflink[];
extern const VshCommand *const vsh_commands_iftune[];
extern const VshCommand *const vsh_commands_info[];
extern const VshCommand *const vsh_commands_interface[];
extern const VshCommand *const vsh_commands_iothread[];
extern const VshCommand *const vsh_commands_life[];
extern const VshCommand *const vsh_commands_list[];
extern const VshCommand *const vsh_commands_memory[];
extern const VshCommand *const vsh_commands_metadata[];
extern const VshCommand *const vsh_commands_net_define[];
extern const VshCommand *const vsh_commands_net_edit[];
extern const VshCommand *const vsh_commands_net_event[];
extern const VshCommand *const vsh_commands_net_life[];
extern const VshCommand *const vsh_commands_net_list[];
extern const VshCommand *const vsh_commands_net_show[];
extern const VshCommand *const vsh_commands_net_update[];
extern const VshCommand *const vsh_commands_self[];
extern const VshCommand *const vsh_commands_start[];
extern const VshCommand *const vsh_commands_stats[];
extern const VshCommand *const vsh_commands_stop[];
extern const VshCommand *const vsh_commands_validate[];
extern const VshCommand *const vsh_commands_vcpu[];
extern const VshCommand *const vsh_commands_xml[];

/** vsh_command_find: by exact name, hidden ones too; NULL if there is none */
const VshCommand *vsh_command_find(const char *name);

/** vsh_group_find: by keyword or NULL */
const VshGroup *vsh_group_find(const char *keyword);

/**
 * vsh_command_list: the commands sorted by name
 * @group: keyword, or NULL for all groups
 * Returns: unowned VshCommand pointers; without the hidden ones
 */
GPtrArray *vsh_command_list(const char *group);

/**
 * vsh_command_options: the command's own options and those that its flags
 * bring (--format, --help)
 * Returns: unowned VshOption pointers
 */
GPtrArray *vsh_command_options(const VshCommand *command);

/** vsh_option_is_number: is the value one, with a unit or without? */
bool vsh_option_is_number(const VshOption *option);

/**
 * vsh_nearest: the candidate nearest to @word, for "did you mean"
 * @candidates: NULL-terminated
 * Returns: one of @candidates, or NULL if none is near
 */
const char *vsh_nearest(const char *word, const char *const *candidates);

/** vsh_nearest_command: as vsh_nearest() among the commands */
const char *vsh_nearest_command(const char *word);
