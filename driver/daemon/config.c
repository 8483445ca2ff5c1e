/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

typedef enum KeyKind {
    KEY_NUMBER,
    KEY_MODE, /* octal */
    KEY_TEXT,
} KeyKind;

typedef struct Key {
    const char *name;
    KeyKind kind;
    size_t offset;
    unsigned long min, max;
} Key;

#define MEMBER(member) offsetof(DaemonConfig, member)

/* libvirtd's names where the matter is the same. */
static const Key keys[] = {
    { "driver_dir", KEY_TEXT, MEMBER(driver_dir) },
    { "engine", KEY_TEXT, MEMBER(engine) },
    { "keepalive_count", KEY_NUMBER, MEMBER(keepalive_count), 1, 1000 },
    { "keepalive_interval", KEY_NUMBER, MEMBER(keepalive_interval_s), 0,
      86400 },
    { "log_file", KEY_TEXT, MEMBER(log_file) },
    { "log_level", KEY_NUMBER, MEMBER(log_level), LOG_LEVEL_ERROR,
      LOG_LEVEL_DEBUG },
    { "max_client_requests", KEY_NUMBER, MEMBER(max_client_requests), 1, 1000 },
    { "max_clients", KEY_NUMBER, MEMBER(max_clients), 1, 100000 },
    { "max_workers", KEY_NUMBER, MEMBER(max_workers), 1, 1000 },
    { "prio_workers", KEY_NUMBER, MEMBER(prio_workers), 1, 1000 },
    { "unix_sock_group", KEY_TEXT, MEMBER(socket_group) },
    { "unix_sock_ro_perms", KEY_MODE, MEMBER(socket_read_only_mode), 0, 0777 },
    { "unix_sock_rw_perms", KEY_MODE, MEMBER(socket_mode), 0, 0777 },
};

/* Keys of the drivers begin with their name: "kvm_...". */
static const char *const driver_prefixes[] = { "kvm_", "null_" };

DaemonConfig *
daemon_config_new(bool system)
{
    DaemonConfig *config = g_new0(DaemonConfig, 1);

    config->max_clients = 5000;
    config->max_client_requests = 5;
    config->max_workers = 20;
    config->prio_workers = 5;
    config->keepalive_interval_s = 5;
    config->keepalive_count = 5;
    config->log_level = LOG_LEVEL_WARNING;
    config->socket_mode = 0700;
    config->socket_read_only_mode = system ? 0777 : 0700;
    config->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return config;
}

/* --- one line ------------------------------------------------------------ */

/* The value at @text: "quoted" or one word; what follows may be a comment.
 * Returns: NULL if it is malformed */
static char *
parse_value(const char *text)
{
    bool quoted = *text == '"' || *text == '\'';
    const char *end =
        quoted ? strchr(text + 1, *text) : text + strcspn(text, " \t#\r");
    const char *rest;
    char *value;

    if (!end || (!quoted && end == text))
        return NULL;
    rest = quoted ? end + 1 : end;
    rest += strspn(rest, " \t\r");
    if (*rest && *rest != '#')
        return NULL;
    value = quoted ? g_strndup(text + 1, (gsize)(end - text - 1))
                   : g_strndup(text, (gsize)(end - text));
    return value;
}

static bool
parse_number(const Key *key, const char *value, void *member, GError **error)
{
    int base = key->kind == KEY_MODE ? 8 : 10;
    char *end = NULL;
    unsigned long number;

    errno = 0;
    number = strtoul(value, &end, base);
    if (errno || end == value || *end || value[0] == '-' || number < key->min ||
        number > key->max) {
        error_set(
            error, VIR_ERR_CONF_SYNTAX,
            key->kind == KEY_MODE
                ? _("the value of '%s' is not an octal number from %lo to %lo")
                : _("the value of '%s' is not a number from %lu to %lu"),
            key->name, key->min, key->max);
        return false;
    }
    *(unsigned *)member = (unsigned)number;
    return true;
}

static const Key *
find_key(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

static bool
is_drivers(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(driver_prefixes); i++) {
        if (g_str_has_prefix(name, driver_prefixes[i]))
            return true;
    }
    return false;
}

static bool
set_value(DaemonConfig *config, const char *name, const char *value,
          GError **error)
{
    const Key *key = find_key(name);
    void *member;

    if (!key && !is_drivers(name)) {
        error_set(error, VIR_ERR_CONF_SYNTAX, _("unknown setting '%s'"), name);
        return false;
    }
    if (key) {
        member = (char *)config + key->offset;
        if (key->kind != KEY_TEXT && !parse_number(key, value, member, error))
            return false;
        if (key->kind == KEY_TEXT) {
            g_free(*(char **)member);
            *(char **)member = value[0] ? g_strdup(value) : NULL;
        }
    }
    g_hash_table_replace(config->values, g_strdup(name), g_strdup(value));
    return true;
}

static bool
parse_line(DaemonConfig *config, char *line, GError **error)
{
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;
    size_t length;

    g_strstrip(line);
    if (!line[0] || line[0] == '#')
        return true;
    length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
    name = g_strndup(line, length);
    line += length;
    line += strspn(line, " \t");
    if (length > 0 && *line == '=') {
        line++;
        line += strspn(line, " \t");
        value = parse_value(line);
    }
    if (!value) {
        error_set(error, VIR_ERR_CONF_SYNTAX, "%s",
                  _("this is not of the form: name = value"));
        return false;
    }
    return set_value(config, name, value, error);
}

/* --- the file ------------------------------------------------------------ */

bool
daemon_config_parse(DaemonConfig *config, const char *name, const char *text,
                    GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i]; i++) {
        if (parse_line(config, lines[i], error))
            continue;
        g_prefix_error(error, "%s:%u: ", name, i + 1);
        return false;
    }
    return true;
}

bool
daemon_config_load(DaemonConfig *config, const char *path, bool required,
                   GError **error)
{
    g_autofree char *text = NULL;

    if (!required && access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    text = file_read(path, DAEMON_CONFIG_MAX, NULL, error);
    return text && daemon_config_parse(config, path, text, error);
}

void
daemon_config_free(DaemonConfig *config)
{
    if (!config)
        return;
    g_free(config->log_file);
    g_free(config->socket_group);
    g_free(config->driver_dir);
    g_free(config->engine);
    g_hash_table_unref(config->values);
    g_free(config);
}
