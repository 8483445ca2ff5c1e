/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/* Domains for the tests of conf, after <cmocka.h>. */

#include "conf/domain.h"

#define HEAD "<domain type='kvm'><name>a</name><memory>65536</memory>"
#define OS                                             \
    "<os><type arch='x86_64' machine='q35'>hvm</type>" \
    "<kernel>/boot/vmlinuz</kernel></os>"

/* As a client defines it */
static inline ConfDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    assert_null(error);
    assert_non_null(domain);
    return domain;
}
