/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "util/error.h"

/* A host with one firmware, which a user's descriptor tells of: its name makes
 * it the first, whatever else the host has. */
#define DESCRIPTOR "00-test.json"
#define VARS_BYTES 8192

static char *home; /* XDG_CONFIG_HOME */

typedef struct Domains {
    Fixture *f;
    char *code, *template, *descriptor, *vars;
} Domains;

static void
put(const char *path, char byte, size_t size)
{
    g_autofree char *bytes = g_strnfill(size, byte);

    assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

static void
describe(Domains *d)
{
    g_autofree char *json = g_strdup_printf(
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
        "\"executable\":{\"filename\":\"%s\",\"format\":\"raw\"},"
        "\"nvram-template\":{\"filename\":\"%s\",\"format\":\"raw\"}},"
        "\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[\"*\"]}],"
        "\"features\":[]}",
        d->code, d->template);
    g_autofree char *folder = g_path_get_dirname(d->descriptor);

    assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
    assert_true(g_file_set_contents(d->descriptor, json, -1, NULL));
}

static int
setup(void **state)
{
    Domains *d = g_new0(Domains, 1);
    Fixture *f = fixture_new(NULL);

    d->f = f;
    d->code = g_build_filename(f->dir, "code.fd", NULL);
    d->template = g_build_filename(f->dir, "template.fd", NULL);
    d->descriptor =
        g_build_filename(home, "qemu", "firmware", DESCRIPTOR, NULL);
    d->vars = fixture_path(f, "lib", "nvram/a_VARS.fd");
    put(d->code, 'c', 4096);
    put(d->template, 't', VARS_BYTES);
    describe(d);
    fixture_start(f, false);
    *state = d;
    return 0;
}

static int
teardown(void **state)
{
    Domains *d = *state;

    g_unlink(d->descriptor);
    fixture_free(d->f);
    g_free(d->code);
    g_free(d->template);
    g_free(d->descriptor);
    g_free(d->vars);
    g_free(d);
    return 0;
}

static char *
document(const char *name, const char *more)
{
    return g_strdup_printf("<domain type='kvm'><name>%s</name>"
                           "<memory unit='MiB'>64</memory><os firmware='efi'>"
                           "<type machine='q35'>hvm</type>%s</os></domain>",
                           name, more ? more : "");
}

static VirtkvmDomainRef
define(Domains *d, const char *more)
{
    g_autofree char *xml = document("a", more);
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = { 0 };

    if (!core_call_define(d->f->state, &d->f->caller, xml, 0, &dom, &error))
        fail_msg("%s", error->message);
    return dom;
}

static int
start(Domains *d, const VirtkvmDomainRef *dom, unsigned flags,
      char **ret_message)
{
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef started = { 0 };

    core_call_create(d->f->state, &d->f->caller, dom, flags, &started, &error);
    core_domain_ref_clear(&started);
    if (ret_message)
        *ret_message = g_strdup(error ? error->message : "");
    return error_code(error);
}

static void
stop(Domains *d, const VirtkvmDomainRef *dom)
{
    assert_true(core_call_destroy(d->f->state, &d->f->caller, dom, 0, NULL));
}

static int
undefine(Domains *d, const VirtkvmDomainRef *dom, unsigned flags)
{
    g_autoptr(GError) error = NULL;

    core_call_undefine(d->f->state, &d->f->caller, dom, flags, &error);
    return error_code(error);
}

static void
assert_vars(const char *path, char byte)
{
    g_autofree char *bytes = NULL;
    gsize size;

    assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    assert_int_equal(size, VARS_BYTES);
    assert_int_equal(bytes[VARS_BYTES - 1], byte);
}

static void
assert_xml(Domains *d, const VirtkvmDomainRef *dom, const char *words)
{
    g_autofree char *xml =
        core_call_xml(d->f->state, &d->f->caller, dom, 0, NULL);

    assert_non_null(xml);
    if (!strstr(xml, words))
        fail_msg("'%s' is not in %s", words, xml);
}

/* The choice is made once, and stands in the definition. */
static void
test_define_settles(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);
    g_autofree char *nvram =
        g_strdup_printf("<loader readonly='yes' type='pflash'>%s</loader>\n"
                        "    <nvram template='%s'>%s</nvram>\n",
                        d->code, d->template, d->vars);

    assert_xml(d, &dom, nvram);
    assert_int_equal(access(d->vars, F_OK), -1); /* not before it starts */
    g_unlink(d->descriptor);
    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    assert_xml(d, &dom, nvram);
    stop(d, &dom);
    assert_int_equal(undefine(d, &dom, VIR_DOMAIN_UNDEFINE_NVRAM), VIR_ERR_OK);
    core_domain_ref_clear(&dom);
}

static void
test_variables_are_kept(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);

    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    assert_vars(d->vars, 't');
    stop(d, &dom);
    put(d->vars, 'g', VARS_BYTES); /* the guest's */
    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    assert_vars(d->vars, 'g');
    stop(d, &dom);
    assert_int_equal(start(d, &dom, VIR_DOMAIN_START_RESET_NVRAM, NULL),
                     VIR_ERR_OK);
    assert_vars(d->vars, 't');
    stop(d, &dom);
    core_domain_ref_clear(&dom);
}

static void
test_undefine_asks(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);

    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    stop(d, &dom);
    assert_int_equal(undefine(d, &dom, 0), VIR_ERR_OPERATION_INVALID);
    assert_int_equal(
        undefine(d, &dom,
                 VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM),
        VIR_ERR_INVALID_ARG);
    assert_vars(d->vars, 't');
    assert_int_equal(undefine(d, &dom, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM),
                     VIR_ERR_OK);
    assert_vars(d->vars, 't');
    core_domain_ref_clear(&dom);
    /* the next of that name finds them */
    put(d->vars, 'k', VARS_BYTES);
    dom = define(d, NULL);
    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    assert_vars(d->vars, 'k');
    stop(d, &dom);
    assert_int_equal(undefine(d, &dom, VIR_DOMAIN_UNDEFINE_NVRAM), VIR_ERR_OK);
    assert_int_equal(access(d->vars, F_OK), -1);
    core_domain_ref_clear(&dom);
}

/* Without a file there is nothing to ask about. */
static void
test_undefine_unstarted(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);

    assert_int_equal(undefine(d, &dom, 0), VIR_ERR_OK);
    core_domain_ref_clear(&dom);
}

static void
test_rename_takes_them_along(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);
    g_autofree char *other = fixture_path(d->f, "lib", "nvram/b_VARS.fd");
    g_autofree char *nvram = g_strdup_printf(">%s</nvram>", other);
    g_autoptr(GError) error = NULL;

    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    stop(d, &dom);
    put(other, 'x', 1);
    assert_false(
        core_call_rename(d->f->state, &d->f->caller, &dom, "b", 0, &error));
    assert_non_null(strstr(error->message, other));
    assert_vars(d->vars, 't');
    g_unlink(other);
    assert_true(
        core_call_rename(d->f->state, &d->f->caller, &dom, "b", 0, NULL));
    assert_vars(other, 't');
    assert_int_equal(access(d->vars, F_OK), -1);
    assert_xml(d, &dom, nvram);
    core_domain_ref_clear(&dom);
}

static void
assert_start_fails(Domains *d, const VirtkvmDomainRef *dom, int code,
                   const char *words)
{
    g_autofree char *message = NULL;

    assert_int_equal(start(d, dom, 0, &message), code);
    if (!strstr(message, words))
        fail_msg("'%s' is not in: %s", words, message);
    assert_int_equal(fixture_state(d->f, dom),
                     VIR_DOMAIN_SHUTOFF * 100 + VIR_DOMAIN_SHUTOFF_FAILED);
}

static void
test_bad_files(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, NULL);

    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    stop(d, &dom);
    put(d->vars, 'x', 100);
    assert_start_fails(d, &dom, VIR_ERR_INVALID_ARG,
                       "has 100 bytes, not the 8192 of its template");
    g_unlink(d->template); /* now nobody knows better */
    assert_int_equal(start(d, &dom, 0, NULL), VIR_ERR_OK);
    stop(d, &dom);
    g_unlink(d->vars);
    assert_start_fails(d, &dom, VIR_ERR_SYSTEM_ERROR, d->template);
    assert_int_equal(access(d->vars, F_OK), -1);
    assert_int_equal(g_mkdir(d->vars, 0700), 0);
    assert_start_fails(d, &dom, VIR_ERR_SYSTEM_ERROR, d->vars);
    assert_int_equal(g_rmdir(d->vars), 0);
    core_domain_ref_clear(&dom);
}

/* What a full disk does: nothing half-made stays, and the message names it. */
static void
test_no_room(void **state)
{
    Domains *d = *state;
    VirtkvmDomainRef dom = define(d, "<nvram>/dev/full/x.fd</nvram>");

    assert_start_fails(d, &dom, VIR_ERR_SYSTEM_ERROR, "'/dev/full/x.fd'");
    core_domain_ref_clear(&dom);
}

static void
test_no_template(void **state)
{
    Domains *d = *state;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory unit='MiB'>64</memory><os>"
        "<type machine='q35'>hvm</type><loader readonly='yes' type='pflash'>"
        "/nowhere/code.fd</loader></os></domain>");
    VirtkvmDomainRef dom = { 0 };

    assert_true(
        core_call_define(d->f->state, &d->f->caller, xml, 0, &dom, NULL));
    assert_start_fails(d, &dom, VIR_ERR_OPERATION_FAILED,
                       "unable to find any master var store for loader: "
                       "/nowhere/code.fd");
    core_domain_ref_clear(&dom);
}

static void
test_create_settles(void **state)
{
    Domains *d = *state;
    g_autofree char *xml = document("a", NULL);
    VirtkvmDomainRef dom = { 0 };

    assert_true(
        core_call_create_xml(d->f->state, &d->f->caller, xml, 0, &dom, NULL));
    assert_xml(d, &dom, "_VARS.fd</nvram>");
    assert_vars(d->vars, 't');
    put(d->vars, 'g', VARS_BYTES);
    stop(d, &dom);
    core_domain_ref_clear(&dom);
    assert_true(core_call_create_xml(d->f->state, &d->f->caller, xml,
                                     VIR_DOMAIN_START_RESET_NVRAM, &dom, NULL));
    assert_vars(d->vars, 't');
    stop(d, &dom);
    core_domain_ref_clear(&dom);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_define_settles),
        TEST(test_variables_are_kept),
        TEST(test_undefine_asks),
        TEST(test_undefine_unstarted),
        TEST(test_rename_takes_them_along),
        TEST(test_bad_files),
        TEST(test_no_room),
        TEST(test_no_template),
        TEST(test_create_settles),
    };
    g_autofree char *qemu = NULL, *firmware = NULL;
    int failed;

    home = g_dir_make_tmp("virtkvm-home-XXXXXX", NULL);
    g_setenv("XDG_CONFIG_HOME", home, TRUE);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    qemu = g_build_filename(home, "qemu", NULL);
    firmware = g_build_filename(qemu, "firmware", NULL);
    g_rmdir(firmware);
    g_rmdir(qemu);
    g_rmdir(home);
    g_free(home);
    return failed;
}
