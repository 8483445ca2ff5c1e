/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/domain.h"
#include "util/error.h"

/* Documents of a hostile hand: each must be refused, quickly, with a reason. */

static void
assert_refused(const char *xml, const char *words)
{
    g_autoptr(GError) error = NULL;

    assert_null(conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error));
    assert_non_null(error);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
    assert_true(strlen(error->message) < 4096);
}

static void
test_malformed(void **state)
{
    assert_refused("", "(domain_definition):1:");
    assert_refused(" ", "Start tag expected");
    assert_refused("<domain", "(domain_definition):1:");
    assert_refused("<domain>\xff\xfe</domain>", "(domain_definition):1:");
    assert_refused("<domain type='kvm' type='kvm'/>", "redefined");
    assert_refused("<domain>&nope;</domain>", "nope");
}

static void
test_doctype(void **state)
{
    assert_refused("<!DOCTYPE domain><domain/>", "document type declaration");
    assert_refused("<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>"
                   "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
                   "<domain><name>&c;</name></domain>",
                   "document type declaration");
    assert_refused("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>",
                   "document type declaration");
    assert_refused("<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                   "<domain><name>&x;</name></domain>",
                   "document type declaration");
}

static char *
repeat(const char *head, const char *part, size_t times, const char *tail)
{
    GString *text = g_string_new(head);

    for (size_t i = 0; i < times; i++)
        g_string_append(text, part);
    g_string_append(text, tail);
    return g_string_free(text, FALSE);
}

static void
test_deep(void **state)
{
    g_autofree char *xml =
        repeat("<domain type='kvm'><devices>", "<a>", 100000, "");

    assert_refused(xml, "nested more than 64 deep");
}

static void
test_huge(void **state)
{
    g_autofree char *xml =
        repeat("<domain type='kvm'><name>", "0123456789abcdef",
               CONF_XML_MAX_BYTES / 16 + 1, "</name></domain>");

    assert_refused(xml, "larger than 10485760 bytes");
}

static void
test_many_attributes(void **state)
{
    GString *xml = g_string_new("<domain type='kvm'>\n<memory");

    for (int i = 0; i < 500000; i++)
        g_string_append_printf(xml, " a%d=''", i);
    g_string_append(xml, "/></domain>");
    assert_refused(xml->str, "line 2: an element has more than 256 attributes");
    g_string_free(xml, TRUE);
}

static void
test_many_children(void **state)
{
    g_autofree char *serials =
        repeat("<domain type='kvm'><devices>", "<serial/>", 100000,
               "</devices></domain>");
    g_autofree char *unknown =
        repeat("<domain type='kvm'><devices>", "<a/><!--b-->", 100000,
               "</devices></domain>");

    assert_refused(serials, "more than 4096 elements <serial>");
    assert_refused(unknown, "more than 65536 children");
}

#define HEAD                                                                  \
    "<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type>" \
    "</os>"

/* What is written grows: defaults, indents, "&apos;" for an apostrophe. It must
 * not grow out of what is read, or a definition would be lost at a restart. */
static void
test_growth_is_bounded(void **state)
{
    g_autofree char *quotes = repeat(HEAD "<description>", "''''''''", 250000,
                                     "</description></domain>");
    g_autofree char *indents = repeat(
        HEAD "<devices><video>"
             "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
        "<b/>", 250000,
        "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>"
        "</a></a></a></video></devices></domain>");
    g_autofree char *consoles = repeat(
        HEAD "<devices><serial/><console><target type='xen'/></console>",
        "<console><target type='xen'/></console>", 4095, "</devices></domain>");
    GString *attrs = g_string_new("<domain type='kvm'><name>a</name><memory");

    assert_refused(quotes, "too large");
    assert_refused(indents, "too large");
    assert_refused(consoles, "could not be read again");
    for (int i = 0; i < 256; i++)
        g_string_append_printf(attrs, " a%d=''", i);
    g_string_append(attrs, ">1</memory><os><type>hvm</type></os></domain>");
    assert_refused(attrs->str, "more than 248 attributes");
    g_string_free(attrs, TRUE);
}

static void
test_worst_that_is_accepted(void **state)
{
    g_autofree char *xml = repeat(
        "<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm"
        "</type></os><devices>",
        "<!--b--><serial/><!--b--><!--b--><!--b-->", 4000,
        "</devices></domain>");
    g_autoptr(ConfDomain) domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, NULL);
    g_autofree char *out = NULL;

    assert_non_null(domain);
    out = conf_domain_format(domain, 0);
    assert_non_null(strstr(out, "port='3999'"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_doctype),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_many_attributes),
        cmocka_unit_test(test_many_children),
        cmocka_unit_test(test_growth_is_bounded),
        cmocka_unit_test(test_worst_that_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
