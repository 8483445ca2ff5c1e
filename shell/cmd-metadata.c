/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/affect.h"
#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/editor.h"
#include "util/i18n.h"

#define AFFECT_OPTIONS                                                 \
    VSH_FLAG("live", N_("modify/get running state")),                  \
        VSH_FLAG("config", N_("modify/get persistent configuration")), \
        VSH_FLAG("current", N_("modify/get current state configuration"))

/* One title, description or metadata element of a domain. */
typedef struct VshElement {
    VshShell *shell;
    virDomainPtr domain;
    int type; /* virDomainMetadataType */
    const char *key;
    const char *uri;
    unsigned flags; /* virDomainModificationImpact */
} VshElement;

/* What stands there; "" if there is nothing, NULL on other errors. */
static char *
element_get(const VshElement *element, GError **error)
{
    const char *name = virDomainGetName(element->domain);
    char *text = virDomainGetMetadata(element->domain, element->type,
                                      element->uri, element->flags);

    if (text)
        return text;
    if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
        return g_strdup("");
    vsh_error_virt(error, _("Failed to read the metadata of domain '%s'"),
                   name);
    return NULL;
}

static bool
element_set(const VshElement *element, const char *text)
{
    return virDomainSetMetadata(element->domain, element->type, text,
                                element->key, element->uri,
                                element->flags) == 0;
}

static char *
join(GPtrArray *words)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               (const char *)words->pdata[i]);
    return g_string_free(text, FALSE);
}

static bool
show_desc(const VshElement *element, GError **error)
{
    VshOutput *out = &element->shell->out;
    bool title = element->type == VIR_DOMAIN_METADATA_TITLE;
    const char *name = virDomainGetName(element->domain);
    g_autofree char *text = element_get(element, error);
    g_autoptr(VshRecord) record = vsh_record_new(0);

    if (!text)
        return false;
    if (!*text && out->format == VSH_FORMAT_TABLE) {
        vsh_print_extra(out,
                        title ? _("No title for domain: %s\n")
                              : _("No description for domain: %s\n"),
                        name);
        return true;
    }
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, title ? "title" : "description", "", text, NULL);
    vsh_record_print(record, out);
    return true;
}

/* Lets the user edit; NULL in *ret_text if nothing was changed. */
static bool
edit_desc(const VshElement *element, char **ret_text, GError **error)
{
    g_autofree char *before = element_get(element, error);
    char *after = before ? vsh_editor_run(before, ".txt", error) : NULL;

    if (!after)
        return false;
    /* editors end the last line; the text itself has no such end */
    if (g_str_has_suffix(after, "\n") && !g_str_has_suffix(before, "\n"))
        after[strlen(after) - 1] = '\0';
    if (strcmp(before, after) == 0)
        g_clear_pointer(&after, g_free);
    *ret_text = after;
    return true;
}

static bool
change_desc(const VshElement *element, const char *text, GError **error)
{
    bool title = element->type == VIR_DOMAIN_METADATA_TITLE;

    if (!element_set(element, text)) {
        vsh_error_virt(error, "%s",
                       title ? _("Failed to set new domain title")
                             : _("Failed to set new domain description"));
        return false;
    }
    vsh_message(&element->shell->out, "%s",
                title ? _("Domain title updated successfully")
                      : _("Domain description updated successfully"));
    return true;
}

static bool
run_desc(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    GPtrArray *words = vsh_args_strings(args, "new-desc");
    g_autofree char *text = words ? join(words) : NULL;
    VshElement element = { .shell = shell,
                           .type = vsh_args_given(args, "title")
                                       ? VIR_DOMAIN_METADATA_TITLE
                                       : VIR_DOMAIN_METADATA_DESCRIPTION };

    if (!vsh_affect_flags(args, &element.flags, error))
        return false;
    element.domain = domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    if (!text && !vsh_args_given(args, "edit"))
        return show_desc(&element, error);
    if (!text && !edit_desc(&element, &text, error))
        return false;
    if (text)
        return change_desc(&element, text, error);
    vsh_message(&shell->out, "%s",
                element.type == VIR_DOMAIN_METADATA_TITLE
                    ? _("Domain title not changed")
                    : _("Domain description not changed"));
    return true;
}

static const VshOption desc_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    AFFECT_OPTIONS,
    VSH_FLAG("title", N_("modify/get the title instead of description")),
    VSH_FLAG("edit", N_("open an editor to modify the description")),
    { .name = "new-desc",
      .kind = VSH_OPTION_MANY,
      .flags = VSH_OPTION_EMPTY,
      .help = N_("message") },
    { NULL },
};

static const VshCommand command_desc = {
    .name = "desc",
    .group = "domain",
    .summary = N_("show or set domain's description or title"),
    .details = N_("Shows the description or the title of a domain, or sets it "
                  "to the words given."),
    .options = desc_options,
    .flags =
        VSH_COMMAND_QUERY | VSH_COMMAND_FOREGROUND | VSH_COMMAND_NO_NEWLINE,
    .run = run_desc,
};

static bool
show_metadata(const VshElement *element, GError **error)
{
    const char *name = virDomainGetName(element->domain);
    g_autofree char *text = virDomainGetMetadata(element->domain, element->type,
                                                 element->uri, element->flags);
    g_autoptr(VshRecord) record = vsh_record_new(0);

    if (!text) {
        vsh_error_virt(error, _("Failed to read the metadata of domain '%s'"),
                       name);
        return false;
    }
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "uri", NULL, element->uri, NULL);
    vsh_record_add(record, "metadata", "", text, NULL);
    vsh_record_print(record, &element->shell->out);
    return true;
}

/* The element as it is for the editor; an example if there is none yet. */
static char *
metadata_to_edit(const VshElement *element, GError **error)
{
    g_autofree char *text = element_get(element, error);

    if (!text || *text)
        return g_steal_pointer(&text);
    return g_strdup("\n");
}

static bool
edit_metadata(const VshElement *element, GError **error)
{
    const char *name = virDomainGetName(element->domain);
    g_autofree char *before = metadata_to_edit(element, error);
    g_autofree char *after = NULL;

    while (before) {
        g_autofree char *last = g_steal_pointer(&after);
        g_autoptr(GError) refusal = NULL;

        after = vsh_editor_run(last ? last : before, ".xml", error);
        if (!after)
            return false;
        if (strcmp(before, after) == 0) {
            vsh_message(&element->shell->out, _("Metadata not changed"));
            return true;
        }
        if (element_set(element, after)) {
            vsh_message(&element->shell->out, _("Metadata modified"));
            return true;
        }
        vsh_error_virt(&refusal, _("Failed to set the metadata of domain '%s'"),
                       name);
        vsh_print_error(&element->shell->out, refusal);
        if (vsh_editor_ask(element->shell, _("Failed."), false) ==
            VSH_REEDIT_NO)
            break;
    }
    if (error && !*error)
        vsh_error_set(error, VSH_EXIT_FAILED, _("Metadata not changed"));
    return false;
}

static bool
change_metadata(const VshElement *element, const char *text, GError **error)
{
    const char *name = virDomainGetName(element->domain);
    if (!element_set(element, text)) {
        vsh_error_virt(error, _("Failed to set the metadata of domain '%s'"),
                       name);
        return false;
    }
    vsh_message(&element->shell->out, "%s",
                text ? _("Metadata modified") : _("Metadata removed"));
    return true;
}

static bool
check_metadata(const VshArgs *args, GError **error)
{
    static const char *const actions[] = { "edit", "set", "remove", NULL };
    bool changes = vsh_args_given(args, "edit") || vsh_args_given(args, "set");

    if (!vsh_args_exclusive(args, actions, error))
        return false;
    if (!changes || vsh_args_given(args, "key"))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("namespace key is required when modifying metadata"));
    return false;
}

static bool
run_metadata(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    VshElement element = { .shell = shell,
                           .type = VIR_DOMAIN_METADATA_ELEMENT,
                           .key = vsh_args_string(args, "key"),
                           .uri = vsh_args_string(args, "uri") };

    if (!check_metadata(args, error) ||
        !vsh_affect_flags(args, &element.flags, error))
        return false;
    element.domain = domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    if (vsh_args_given(args, "remove"))
        return change_metadata(&element, NULL, error);
    if (vsh_args_given(args, "set"))
        return change_metadata(&element, vsh_args_string(args, "set"), error);
    if (vsh_args_given(args, "edit"))
        return edit_metadata(&element, error);
    return show_metadata(&element, error);
}

static const VshOption metadata_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "uri",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("URI of the namespace") },
    AFFECT_OPTIONS,
    VSH_FLAG("edit", N_("use an editor to change the metadata")),
    { .name = "key",
      .kind = VSH_OPTION_STRING,
      .help = N_("key to be used as a namespace identifier") },
    { .name = "set",
      .kind = VSH_OPTION_STRING,
      .help = N_("new metadata to set") },
    VSH_FLAG("remove", N_("remove the metadata corresponding to an uri")),
    { NULL },
};

static const VshCommand command_metadata = {
    .name = "metadata",
    .group = "domain",
    .summary = N_("show or set domain's custom XML metadata"),
    .details = N_("Shows or changes the XML metadata that applications keep "
                  "in a domain, each in a namespace of its own."),
    .options = metadata_options,
    .flags = VSH_COMMAND_QUERY | VSH_COMMAND_FOREGROUND,
    .run = run_metadata,
};

const VshCommand *const vsh_commands_metadata[] = {
    &command_desc,
    &command_metadata,
    NULL,
};
