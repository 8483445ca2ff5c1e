/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Domain documents of a hostile hand. What is accepted must come back: its
 * output must be accepted too, and be the same from then on.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAGS (CONF_FORMAT_INACTIVE | CONF_FORMAT_SECURE)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(ConfDomain) domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, NULL);
    g_autoptr(ConfDomain) again = NULL;
    g_autoptr(ConfDomain) copy = NULL;
    g_autofree char *first = NULL, *second = NULL, *copied = NULL;

    if (!domain)
        return 0;
    first = conf_domain_format(domain, FLAGS);
    again = conf_domain_parse(first, CONF_PARSE_INACTIVE, NULL);
    if (!again)
        abort();
    second = conf_domain_format(again, FLAGS);
    copy = conf_domain_copy(domain);
    copied = conf_domain_format(copy, FLAGS);
    if (strcmp(first, second) != 0 || strcmp(first, copied) != 0)
        abort();
    conf_domain_assign_live(domain);
    conf_domain_check_start(domain, NULL, NULL);
    return 0;
}
