/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/schema.h"

#include <libxml/relaxng.h>

#include "util/error.h"
#include "util/i18n.h"

/* Complaints that a message shows: libxml2 begins with the innermost. */
#define COMPLAINTS_MAX 4

static void
collect(void *opaque, xmlError *found)
{
    GPtrArray *complaints = opaque;

    if (complaints->len >= COMPLAINTS_MAX || !found->message)
        return;
    g_strchomp(found->message);
    g_ptr_array_add(
        complaints,
        found->line > 0
            ? g_strdup_printf(_("line %d: %s"), found->line, found->message)
            : g_strdup(found->message));
}

static char *
join(const GPtrArray *complaints)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < complaints->len; i++)
        g_string_append_printf(text, "%s%s", i ? "; " : "",
                               (char *)g_ptr_array_index(complaints, i));
    return g_string_free(text, FALSE);
}

/* libxml2 fills tables of its own when it reads its first schema, and looks
 * after no other thread. */
G_LOCK_DEFINE_STATIC(schemas);

static bool
validate(xmlDoc *doc, xmlRelaxNG *schema, const char *path, GError **error)
{
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    int result;

    xmlRelaxNGSetValidStructuredErrors(context, collect, complaints);
    result = xmlRelaxNGValidateDoc(context, doc);
    xmlRelaxNGFreeValidCtxt(context);
    if (result == 0)
        return true;
    text = join(complaints);
    error_set(error, VIR_ERR_XML_INVALID_SCHEMA,
              _("Unable to validate doc against %s: %s"), path, text);
    return false;
}

static bool
validate_locked(xmlDoc *doc, const char *name, GError **error)
{
    const char *folder = g_getenv("VIRTKVM_SCHEMA_DIR");
    g_autofree char *path =
        g_build_filename(folder ? folder : PKGDATADIR, name, NULL);
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    xmlRelaxNG *schema;
    bool valid;

    xmlRelaxNGSetParserStructuredErrors(parser, collect, complaints);
    schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    if (!schema) {
        g_autofree char *text = join(complaints);

        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("cannot read the schema '%s': %s"), path, text);
        return false;
    }
    valid = validate(doc, schema, path, error);
    xmlRelaxNGFree(schema);
    return valid;
}

bool
conf_schema_validate(xmlDoc *doc, const char *name, GError **error)
{
    bool valid;

    G_LOCK(schemas);
    valid = validate_locked(doc, name, error);
    G_UNLOCK(schemas);
    return valid;
}
