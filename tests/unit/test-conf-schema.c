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
#include "conf/element.h"
#include "conf/network-element.h"
#include "conf/schema.h"
#include "util/error.h"

static char *
committed(const char *name)
{
    const char *top = g_getenv("abs_top_srcdir");
    g_autofree char *path =
        g_build_filename(top ? top : ".", "schemas", name, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        fail_msg("cannot read %s", path);
    return text;
}

static void
test_committed_schemas_have_not_drifted(void **state)
{
    static const struct {
        const char *name;
        char *(*make)(void);
    } schemas[] = {
        { "domain.rng", conf_schema_domain },
        { "network.rng", conf_schema_network },
        { "virtkvm.rng", conf_schema_virtkvm },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autofree char *kept = committed(schemas[i].name);
        g_autofree char *made = schemas[i].make();

        if (strcmp(kept, made) != 0)
            fail_msg("schemas/%s is old: run make update-schemas",
                     schemas[i].name);
    }
}

#define HEAD                                                  \
    "<domain type='kvm'><name>a</name><memory>65536</memory>" \
    "<os><type>hvm</type></os>"

static bool
is_valid(const char *rest, char **ret_message)
{
    g_autofree char *xml = g_strconcat(HEAD, rest, "</domain>", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfDomain) domain = conf_domain_parse(
        xml, CONF_PARSE_INACTIVE | CONF_PARSE_VALIDATE, &error);

    if (domain)
        return true;
    assert_int_equal(error_code(error), VIR_ERR_XML_INVALID_SCHEMA);
    *ret_message = g_strdup(error->message);
    return false;
}

static void
test_validation(void **state)
{
    static const char *const fine[] = {
        "",
        "<devices><video anything='goes'><here/></video></devices>",
        ("<devices><serial type='udp'><source mode='bind'/><source/></serial>"
         "</devices>"),
        "<metadata><a xmlns='urn:x'>text</a></metadata>",
        "<x:extension xmlns:x='urn:x'/>",
    };
    static const char *const wrong[] = {
        "<frobnicate/>",
        "<vcpu>many</vcpu>",
        "<vcpu speed='9'>1</vcpu>",
        "<devices><gizmo/></devices>",
        "<devices><serial type='pty'><source host='x'/></serial></devices>",
        "<devices><serial type='carrier-pigeon'/></devices>",
        "<cpu mode='best'/>",
        "<clock offset='mars'/>",
        "<on_crash>panic</on_crash>",
        "<name>b</name>",
        "stray text",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++) {
        g_autofree char *message = NULL;

        if (!is_valid(fine[i], &message))
            fail_msg("'%s' is refused: %s", fine[i], message);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *message = NULL;

        if (is_valid(wrong[i], &message))
            fail_msg("'%s' is accepted", wrong[i]);
        assert_non_null(strstr(message, "domain.rng: "));
    }
}

static void
test_missing_schema_is_our_fault(void **state)
{
    g_autofree char *before = g_strdup(g_getenv("VIRTKVM_SCHEMA_DIR"));
    g_autoptr(GError) error = NULL;

    g_setenv("VIRTKVM_SCHEMA_DIR", "/nonexistent", true);
    assert_null(
        conf_domain_parse(HEAD "</domain>", CONF_PARSE_VALIDATE, &error));
    assert_int_equal(error_code(error), VIR_ERR_INTERNAL_ERROR);
    assert_non_null(strstr(error->message, "/nonexistent/domain.rng"));
    g_setenv("VIRTKVM_SCHEMA_DIR", before, true);
}

/* --- the tables themselves --------------------------------------------------
 */

static void
check_table(const ConfElement *element, unsigned depth)
{
    unsigned rows = 0;

    assert_true(depth < 8); /* levels that a ConfPath can hold */
    for (const ConfField *field = element->fields; field->kind != CONF_KIND_END;
         field++) {
        bool value = field->kind == CONF_KIND_ATTR ||
                     field->kind == CONF_KIND_TEXT ||
                     field->kind == CONF_KIND_LEAF;
        bool nested =
            field->kind == CONF_KIND_CHILD || field->kind == CONF_KIND_LIST;

        rows++;
        assert_true(value == (field->type != NULL));
        assert_true(nested == (field->element != NULL));
        assert_true((field->kind == CONF_KIND_TEXT) == (field->name == NULL));
        if (field->type && field->type->clear)
            assert_non_null(field->type->copy);
        if (field->kind == CONF_KIND_LIST)
            assert_true(field->element->size > field->element->carried);
        if (nested && field->element != element)
            check_table(field->element, depth + 1);
    }
    assert_true(rows < CONF_ROWS_MAX);
}

static void
test_tables_are_consistent(void **state)
{
    check_table(&conf_domain_element, 0);
    check_table(&conf_network_element, 0);
    check_table(&conf_virtkvm_element, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committed_schemas_have_not_drifted),
        cmocka_unit_test(test_validation),
        cmocka_unit_test(test_missing_schema_is_our_fault),
        cmocka_unit_test(test_tables_are_consistent),
    };
    g_autofree char *folder = g_build_filename(
        g_getenv("abs_top_srcdir") ? g_getenv("abs_top_srcdir") : ".",
        "schemas", NULL);

    g_setenv("VIRTKVM_SCHEMA_DIR", folder, true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
