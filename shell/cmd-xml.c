/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/xml.h"
#include "util/i18n.h"

static const VshFlagBits dumpxml_flags[] = {
    { "inactive", VIR_DOMAIN_XML_INACTIVE },
    { "security-info", VIR_DOMAIN_XML_SECURE },
    { "update-cpu", VIR_DOMAIN_XML_UPDATE_CPU },
    { "migratable", VIR_DOMAIN_XML_MIGRATABLE },
    { NULL },
};

static bool
query_xml(VshShell *shell, const VshArgs *args, virDomainPtr domain,
          VshRecord *record, GError **error)
{
    const char *name = virDomainGetName(domain);
    const char *xpath = vsh_args_string(args, "xpath");
    g_autofree char *xml =
        virDomainGetXMLDesc(domain, vsh_args_bits(args, dumpxml_flags));
    g_autofree char *selected = NULL;
    g_autofree char *text = NULL;

    if (!xml) {
        vsh_error_virt(error, _("Failed to get the XML of domain '%s'"), name);
        return false;
    }
    if (xpath) {
        selected =
            vsh_xml_select(xml, xpath, vsh_args_given(args, "wrap"), error);
        if (!selected)
            return false;
    }
    text = g_strdup(selected ? selected : xml);
    if (g_str_has_suffix(text, "\n"))
        text[strlen(text) - 1] = '\0';
    vsh_record_add(record, "domain", NULL, name, NULL);
    vsh_record_add(record, "xml", "", text, NULL);
    return true;
}

static bool
run_dumpxml(VshShell *shell, const VshArgs *args, GError **error)
{
    if (vsh_args_given(args, "wrap") && !vsh_args_given(args, "xpath")) {
        vsh_error_set(error, VSH_EXIT_USAGE, _("option --wrap needs --xpath"));
        return false;
    }
    return vsh_domain_report(shell, args, 1, query_xml, error);
}

static const VshOption dumpxml_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    VSH_FLAG("inactive", N_("show inactive defined XML")),
    VSH_FLAG("security-info",
             N_("include security sensitive information in XML dump")),
    VSH_FLAG("update-cpu", N_("update guest CPU according to host CPU")),
    VSH_FLAG("migratable", N_("provide XML suitable for migrations")),
    { .name = "xpath",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_NAMED,
      .help = N_("xpath expression to filter the XML document") },
    VSH_FLAG("wrap", N_("wrap xpath results in an common root element")),
    { NULL },
};

static const VshCommand command_dumpxml = {
    .name = "dumpxml",
    .group = "domain",
    .summary = N_("domain information in XML"),
    .details = N_("Prints the definition of domains as XML: of an active one "
                  "the live definition, unless --inactive."),
    .options = dumpxml_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_dumpxml,
};

const VshCommand *const vsh_commands_xml[] = { &command_dumpxml, NULL };
