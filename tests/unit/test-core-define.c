/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "core/list.h"
#include "util/error.h"

#define UUID_A "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e11"
#define UUID_B "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e22"

static int
setup(void **state)
{
    Fixture *f = fixture_new(NULL);

    fixture_start(f, false);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

/* Defines; the code of the error, or OK. */
static int
define(Fixture *f, const char *name, const char *uuid, char **ret_message)
{
    g_autofree char *xml = fixture_xml(name, uuid, NULL);
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = { 0 };

    core_call_define(f->state, &f->caller, xml, 0, &dom, &error);
    core_domain_ref_clear(&dom);
    if (ret_message)
        *ret_message = g_strdup(error ? error->message : "");
    return error_code(error);
}

static VirtkvmDomainRef
create(Fixture *f, const char *name, const char *uuid, unsigned flags,
       GError **error)
{
    g_autofree char *xml = fixture_xml(name, uuid, NULL);
    VirtkvmDomainRef dom = { 0 };

    core_call_create_xml(f->state, &f->caller, xml, flags, &dom, error);
    return dom;
}

static void
assert_refused(GError *error, int code, const char *text)
{
    assert_non_null(error);
    assert_string_equal(error->message, text);
    assert_int_equal(error_code(error), code);
    g_error_free(error);
}

static void
test_define_rules(void **state)
{
    Fixture *f = *state;
    char *message;

    assert_int_equal(define(f, "a", UUID_A, NULL), VIR_ERR_OK);
    assert_int_equal(define(f, "a", UUID_A, NULL), VIR_ERR_OK);
    assert_int_equal(define(f, "b", UUID_A, &message),
                     VIR_ERR_OPERATION_FAILED);
    assert_string_equal(message,
                        "domain 'a' is already defined with uuid " UUID_A);
    g_free(message);
    assert_int_equal(define(f, "a", UUID_B, &message),
                     VIR_ERR_OPERATION_FAILED);
    assert_string_equal(message, "domain 'a' already exists with uuid " UUID_A);
    g_free(message);
    /* without a uuid it gets a new one, which is another's name then */
    assert_int_equal(define(f, "a", NULL, NULL), VIR_ERR_OPERATION_FAILED);
    fixture_wait_events(f, "defined/0 defined/1 ");
}

static void
test_bad_documents_leave_nothing(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *xml;
        int code;
    } bad[] = {
        { "", VIR_ERR_XML_DETAIL },
        { "<domain", VIR_ERR_XML_DETAIL },
        { "<network/>", VIR_ERR_XML_ERROR },
        { "<domain type='kvm'/>", VIR_ERR_NO_NAME },
    };
    g_autoptr(GArray) all = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        VirtkvmDomainRef dom = { 0 };

        assert_false(core_call_define(f->state, &f->caller, bad[i].xml, 0, &dom,
                                      &error));
        assert_int_equal(error_code(error), bad[i].code);
        assert_null(dom.name);
    }
    assert_true(core_call_list(f->state, &f->caller, 0, &all, NULL));
    assert_int_equal(all->len, 0);
}

static void
test_transient_vanishes(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = create(f, "t", NULL, 0, NULL);
    g_autoptr(GError) error = NULL;
    GError *refused = NULL;

    assert_int_equal(dom.id, 1);
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &dom, NULL),
                     0);
    assert_false(core_call_undefine(f->state, &f->caller, &dom, 0, &refused));
    assert_refused(refused, VIR_ERR_OPERATION_INVALID,
                   "cannot undefine transient domain");
    refused = NULL;
    assert_false(
        core_call_set_autostart(f->state, &f->caller, &dom, true, &refused));
    assert_refused(refused, VIR_ERR_OPERATION_INVALID,
                   "cannot set autostart for transient domain");
    refused = NULL;
    assert_int_equal(core_call_vcpus_flags(f->state, &f->caller, &dom,
                                           VIR_DOMAIN_AFFECT_CONFIG, &refused),
                     -1);
    assert_refused(refused, VIR_ERR_OPERATION_INVALID,
                   "transient domains do not have any persistent config");
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_false(core_call_destroy(f->state, &f->caller, &dom, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_NO_DOMAIN);
    fixture_wait_events(f, "started/0 stopped/1 ");
    assert_int_equal(g_atomic_int_get(&f->held), 0);
    core_domain_ref_clear(&dom);
}

static void
test_create_refuses_the_active(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = create(f, "t", UUID_A, 0, NULL);
    GError *error = NULL;

    create(f, "t", UUID_A, 0, &error);
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "domain 't' is already active");
    core_domain_ref_clear(&dom);
}

/* A definition of an active domain is for its next start. */
static void
test_define_while_active(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = create(f, "t", UUID_A, 0, NULL);
    g_autofree char *xml = fixture_xml("t", UUID_A, "<title>next</title>");
    g_autofree char *live = NULL, *next = NULL, *after = NULL;
    VirtkvmDomainRef again = { 0 };

    assert_true(core_call_define(f->state, &f->caller, xml, 0, &again, NULL));
    assert_int_equal(again.id, dom.id);
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &dom, NULL),
                     1);
    assert_int_equal(core_call_is_updated(f->state, &f->caller, &dom, NULL), 1);
    live = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    next = core_call_xml(f->state, &f->caller, &dom, VIR_DOMAIN_XML_INACTIVE,
                         NULL);
    assert_null(strstr(live, "<title>"));
    assert_non_null(strstr(live, "id='1'"));
    assert_non_null(strstr(next, "<title>next</title>"));
    assert_null(strstr(next, "id='1'"));
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    after = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    assert_string_equal(after, next);
    fixture_wait_events(f, "started/0 defined/0 stopped/1 ");
    core_domain_ref_clear(&again);
    core_domain_ref_clear(&dom);
}

/* A document that is run under a defined domain's name is forgotten after. */
static void
test_create_over_definition(void **state)
{
    Fixture *f = *state;
    g_autofree char *xml = fixture_xml("t", UUID_A, "<title>once</title>");
    g_autofree char *live = NULL, *after = NULL;
    VirtkvmDomainRef dom = { 0 };

    assert_int_equal(define(f, "t", UUID_A, NULL), VIR_ERR_OK);
    assert_true(core_call_create_xml(f->state, &f->caller, xml, 0, &dom, NULL));
    live = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    assert_non_null(strstr(live, "once"));
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    after = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    assert_null(strstr(after, "once"));
    core_domain_ref_clear(&dom);
}

static void
test_undefine_while_active(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "u"), started = { 0 };
    g_autofree char *file = fixture_path(f, "config", "u.xml");

    assert_int_equal(access(file, F_OK), 0);
    assert_true(
        core_call_create(f->state, &f->caller, &dom, 0, &started, NULL));
    assert_true(core_call_undefine(f->state, &f->caller, &dom, 0, NULL));
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &dom, NULL),
                     0);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 1);
    assert_true(core_call_shutdown(f->state, &f->caller, &dom, 0, NULL));
    fixture_wait_events(
        f, "defined/0 started/0 undefined/0 shutdown/1 stopped/0 ");
    fixture_wait_state(f, &dom, -1);
    core_domain_ref_clear(&started);
    core_domain_ref_clear(&dom);
}

static void
test_rename_rules(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef a = fixture_define(f, "a"), b = fixture_define(f, "b");
    VirtkvmDomainRef found = { 0 };
    g_autofree char *old = fixture_path(f, "config", "a.xml");
    g_autofree char *new = fixture_path(f, "config", "c.xml");
    g_autofree char *xml = NULL;
    GError *error = NULL;

    assert_false(core_call_rename(f->state, &f->caller, &a, "b", 0, &error));
    assert_refused(error, VIR_ERR_OPERATION_INVALID,
                   "domain with name 'b' already exists");
    error = NULL;
    assert_false(core_call_rename(f->state, &f->caller, &a, "x/y", 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    g_clear_error(&error);
    assert_true(core_call_set_autostart(f->state, &f->caller, &a, true, NULL));
    assert_true(core_call_rename(f->state, &f->caller, &a, "c", 0, NULL));
    assert_int_not_equal(access(old, F_OK), 0);
    assert_int_equal(access(new, F_OK), 0);
    assert_false(
        core_call_lookup_name(f->state, &f->caller, "a", &found, NULL));
    assert_true(core_call_lookup_name(f->state, &f->caller, "c", &found, NULL));
    xml = core_call_xml(f->state, &f->caller, &a, 0, NULL);
    assert_non_null(strstr(xml, "<name>c</name>"));
    core_domain_ref_clear(&found);
    core_domain_ref_clear(&a);
    core_domain_ref_clear(&b);
}

/* While a domain is renamed it has both names. */
static void
test_both_names_are_taken(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "old");
    g_autoptr(CoreDomain) domain = fixture_domain(f, &dom);
    char *reserved = core_list_reserve_name(f->state->list, domain, "new");

    assert_non_null(reserved);
    assert_null(core_list_reserve_name(f->state->list, domain, "new"));
    assert_int_equal(define(f, "old", UUID_B, NULL), VIR_ERR_OPERATION_FAILED);
    assert_int_equal(define(f, "new", UUID_B, NULL), VIR_ERR_OPERATION_FAILED);
    core_list_leave_name(f->state->list, reserved);
    assert_int_equal(define(f, "new", UUID_B, NULL), VIR_ERR_OK);
    core_domain_ref_clear(&dom);
}

static void
test_unknown_flags(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a"), ret = { 0 };
    GError *error = NULL;

    assert_false(
        core_call_create(f->state, &f->caller, &dom, 1u << 20, &ret, &error));
    assert_refused(
        error, VIR_ERR_INVALID_ARG,
        "unsupported flags (0x100000) in function domainCreateWithFlags");
    error = NULL;
    assert_false(core_call_shutdown(f->state, &f->caller, &dom,
                                    VIR_DOMAIN_SHUTDOWN_SIGNAL, &error));
    assert_refused(error, VIR_ERR_INVALID_ARG,
                   "unsupported flags (0x8) in function domainShutdownFlags");
    core_domain_ref_clear(&dom);
}

static void
test_secure_xml_needs_a_writer(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a");
    VirtkvmCaller reader = { .client_id = 2, .read_only = true };
    g_autofree char *xml = NULL;
    GError *error = NULL;

    assert_null(
        core_call_xml(f->state, &reader, &dom, VIR_DOMAIN_XML_SECURE, &error));
    assert_refused(error, VIR_ERR_OPERATION_DENIED,
                   "virDomainGetXMLDesc with secure flag");
    xml = core_call_xml(f->state, &reader, &dom, 0, NULL);
    assert_non_null(xml);
    core_domain_ref_clear(&dom);
}

static void
test_autodestroy(void **state)
{
    Fixture *f = *state;
    VirtkvmCaller other = { .client_id = 9 };
    VirtkvmDomainRef dom =
        create(f, "t", NULL, VIR_DOMAIN_START_AUTODESTROY, NULL);

    core_call_client_closed(f->state, &other);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 1);
    core_call_client_closed(f->state, &f->caller);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), -1);
    core_domain_ref_clear(&dom);
}

static void
test_metadata(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "m"), ret = { 0 };
    g_autofree char *title = NULL, *element = NULL, *config = NULL;
    GError *error = NULL;

    assert_null(core_call_metadata(f->state, &f->caller, &dom,
                                   VIR_DOMAIN_METADATA_TITLE, NULL, 0, &error));
    assert_refused(error, VIR_ERR_NO_DOMAIN_METADATA,
                   "Requested metadata element is not present");
    error = NULL;
    assert_false(core_call_set_metadata(f->state, &f->caller, &dom,
                                        VIR_DOMAIN_METADATA_TITLE, "a\nb", NULL,
                                        NULL, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    g_clear_error(&error);
    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    assert_true(core_call_set_metadata(f->state, &f->caller, &dom,
                                       VIR_DOMAIN_METADATA_TITLE, "live", NULL,
                                       NULL, 0, NULL));
    title = core_call_metadata(f->state, &f->caller, &dom,
                               VIR_DOMAIN_METADATA_TITLE, NULL, 0, NULL);
    assert_string_equal(title, "live");
    config = core_call_metadata(f->state, &f->caller, &dom,
                                VIR_DOMAIN_METADATA_TITLE, NULL,
                                VIR_DOMAIN_AFFECT_CONFIG, NULL);
    assert_null(config);
    assert_true(core_call_set_metadata(
        f->state, &f->caller, &dom, VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k",
        "urn:k", VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, NULL));
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    element = core_call_metadata(f->state, &f->caller, &dom,
                                 VIR_DOMAIN_METADATA_ELEMENT, "urn:k", 0, NULL);
    assert_string_equal(element, "<a/>");
    fixture_wait_events(f, "defined/0 started/0 id23 id23 stopped/1 ");
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

static void
test_list_filters(void **state)
{
    Fixture *f = *state;
    static const struct {
        unsigned flags;
        guint count;
    } rows[] = {
        { 0, 3 },
        { VIR_CONNECT_LIST_DOMAINS_ACTIVE, 2 },
        { VIR_CONNECT_LIST_DOMAINS_INACTIVE, 1 },
        { VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE,
          3 },
        { VIR_CONNECT_LIST_DOMAINS_TRANSIENT, 1 },
        { VIR_CONNECT_LIST_DOMAINS_PERSISTENT, 2 },
        { VIR_CONNECT_LIST_DOMAINS_PAUSED, 1 },
        { VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_SHUTOFF,
          2 },
        { VIR_CONNECT_LIST_DOMAINS_AUTOSTART, 1 },
        { VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, 0 },
        { VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, 3 },
    };
    VirtkvmDomainRef a = fixture_define(f, "a"), b = fixture_define(f, "b");
    VirtkvmDomainRef t = create(f, "t", NULL, VIR_DOMAIN_START_PAUSED, NULL);
    VirtkvmDomainRef ret = { 0 }, by_id = { 0 };

    core_call_create(f->state, &f->caller, &a, 0, &ret, NULL);
    core_call_set_autostart(f->state, &f->caller, &b, true, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GArray) all = NULL;

        assert_true(
            core_call_list(f->state, &f->caller, rows[i].flags, &all, NULL));
        assert_int_equal(all->len, rows[i].count);
    }
    assert_true(
        core_call_lookup_id(f->state, &f->caller, ret.id, &by_id, NULL));
    assert_string_equal(by_id.name, "a");
    core_domain_ref_clear(&by_id);
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&a);
    core_domain_ref_clear(&b);
    core_domain_ref_clear(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_define_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_documents_leave_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_transient_vanishes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_create_refuses_the_active, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_define_while_active, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_create_over_definition, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_undefine_while_active, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_rename_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_both_names_are_taken, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unknown_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secure_xml_needs_a_writer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_autodestroy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metadata, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_filters, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
