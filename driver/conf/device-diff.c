/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device.h"

#include <string.h>

#include "conf/element.h"

/* What a device says, row by row: the row's name in the order of the table, and
 * all that it says, one after the other. */
typedef struct Rows {
    GPtrArray *names;
    GHashTable *values; /* GString by name */
} Rows;

static void
free_string(void *data)
{
    g_string_free(data, TRUE);
}

static void
rows_init(Rows *rows)
{
    rows->names = g_ptr_array_new();
    rows->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_string);
}

static void
rows_clear(Rows *rows)
{
    g_ptr_array_unref(rows->names);
    g_hash_table_unref(rows->values);
}

/* "driver/cache" of an attribute, "serial" of an element */
static char *
name_of(const ConfVisit *visit)
{
    const char *text = visit->text;

    if (text && visit->kind == CONF_CARRIED_ATTR)
        return g_strdup_printf("%s/%.*s", visit->owner,
                               (int)strcspn(text + 1, "="), text + 1);
    if (text)
        return g_strndup(text + 1, strcspn(text + 1, " \n\t/>"));
    if (visit->field->kind == CONF_KIND_ATTR)
        return g_strconcat(visit->owner, "/", visit->field->name, NULL);
    return g_strdup(visit->field->kind == CONF_KIND_TEXT ? visit->owner
                                                         : visit->field->name);
}

/* Returns: NULL where the row says nothing that a definition keeps */
static const char *
value_of(const ConfVisit *visit, char *scratch)
{
    const ConfField *field = visit->field;
    const char *value;

    if (visit->text)
        return visit->text;
    if (!field->type)
        return "";
    value = field->type->format(
        field, (const char *)visit->base + field->offset, scratch);
    return conf_field_shown(field, true, value) ? value : NULL;
}

static bool
add_row(const ConfVisit *visit, void *opaque, GError **error)
{
    Rows *rows = opaque;
    char scratch[CONF_SCRATCH];
    const char *value = value_of(visit, scratch);
    g_autofree char *name = NULL;
    GString *all;

    if (!value)
        return true;
    name = name_of(visit);
    all = g_hash_table_lookup(rows->values, name);
    if (!all) {
        all = g_string_new(NULL);
        g_ptr_array_add(rows->names, name);
        g_hash_table_insert(rows->values, g_steal_pointer(&name), all);
    }
    g_string_append(all, value);
    g_string_append_c(all, '\n');
    return true;
}

static void
read_rows(Rows *rows, const ConfDevice *device)
{
    ConfFrame frame = conf_device_frame(device);

    rows_init(rows);
    conf_table_visit(&frame, add_row, rows, NULL);
}

static bool
may_differ(const char *name, const char *const *but)
{
    size_t length = strcspn(name, "/");

    for (; but && *but; but++)
        if (strcmp(*but, name) == 0 ||
            (strlen(*but) == length && strncmp(*but, name, length) == 0))
            return true;
    return false;
}

/* The first name of @one under which @other says something else */
static const char *
first_difference(const Rows *one, const Rows *other, const char *const *but)
{
    for (guint i = 0; i < one->names->len; i++) {
        const char *name = g_ptr_array_index(one->names, i);
        const GString *own = g_hash_table_lookup(one->values, name);
        const GString *others = g_hash_table_lookup(other->values, name);

        if (!may_differ(name, but) &&
            (!others || strcmp(own->str, others->str) != 0))
            return name;
    }
    return NULL;
}

/* "'cache' of <driver>", "<serial>" */
static char *
show(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? g_strdup_printf("'%s' of <%.*s>", slash + 1,
                                   (int)(slash - name), name)
                 : g_strdup_printf("<%s>", name);
}

char *
conf_device_difference(const ConfDevice *one, const ConfDevice *other,
                       const char *const *but)
{
    Rows first, second;
    const char *name;
    char *shown;

    read_rows(&first, one);
    read_rows(&second, other);
    name = first_difference(&first, &second, but);
    if (!name)
        name = first_difference(&second, &first, but);
    shown = name ? show(name) : NULL;
    rows_clear(&first);
    rows_clear(&second);
    return shown;
}
