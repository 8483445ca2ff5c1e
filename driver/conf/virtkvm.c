/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

/* Our own settings: <virtkvm:config> in <metadata>. */
static const ConfField unpack_fields[] = { CONF_ATTR("enabled", ConfVirtkvm,
                                                     kernel_unpack, yesno,
                                                     .flags = CONF_REQUIRED),
                                           CONF_END };
static const ConfElement unpack_element = { .name = "kernel-unpack",
                                            .fields = unpack_fields,
                                            .uri = CONF_VIRTKVM_URI };

static bool
tftp_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfVirtkvm *config = base;

    if (!config->tftp_root || config->tftp_root[0] == '/')
        return true;
    error_set(
        error, VIR_ERR_XML_ERROR,
        _("the root of <virtkvm:tftp> is not an absolute path (line %ld)"),
        xmlGetLineNo(node));
    return false;
}

/* libvirt has such elements of networks only, not of interfaces in user mode.
 */
static const ConfField tftp_fields[] = {
    CONF_ATTR("root", ConfVirtkvm, tftp_root, string, .flags = CONF_REQUIRED),
    CONF_ATTR("file", ConfVirtkvm, tftp_file, string), CONF_END
};
static const ConfElement tftp_element = { .name = "tftp",
                                          .fields = tftp_fields,
                                          .check = tftp_check,
                                          .uri = CONF_VIRTKVM_URI };

/* What a disk may be taken as that is on a bus which no guest has. */
static const char *const disk_bus_names[] = { NULL, "virtio", "" };

static const ConfField virtkvm_fields[] = {
    CONF_LEAF("debug-exit", ConfVirtkvm, debug_exit, present),
    CONF_LEAF("disk-bus", ConfVirtkvm, disk_bus, enum, .names = disk_bus_names),
    CONF_GROUP("kernel-unpack", unpack_element),
    CONF_GROUP("tftp", tftp_element), CONF_END
};
const ConfElement conf_virtkvm_element = { .name = "config",
                                           .fields = virtkvm_fields,
                                           .uri = CONF_VIRTKVM_URI };

bool
conf_virtkvm_read(ConfDomain *domain, GError **error)
{
    g_autofree char *xml = NULL;
    g_autoptr(xmlDoc) doc = NULL;
    ConfFrame frame = { .element = &conf_virtkvm_element,
                        .base = (char *)&domain->virtkvm };
    xmlNode *root;

    conf_table_clear(&conf_virtkvm_element, &domain->virtkvm);
    memset(&domain->virtkvm, 0, sizeof(domain->virtkvm));
    conf_domain_mark_disks(domain);
    if (!domain->carried.first)
        return true;
    xml = conf_metadata_text(domain, CONF_VIRTKVM_URI);
    doc = xml ? conf_xml_parse_fragment(xml) : NULL;
    if (!doc)
        return true;
    root = xmlDocGetRootElement(doc);
    if (strcmp((const char *)root->name, "config") != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("unknown element <%s> of namespace '%s' in <metadata>"),
                  (const char *)root->name, CONF_VIRTKVM_URI);
        return false;
    }
    if (!conf_table_parse(&frame, root, 0, error))
        return false;
    conf_domain_mark_disks(domain);
    return true;
}
