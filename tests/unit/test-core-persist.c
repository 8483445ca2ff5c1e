/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "core/list.h"
#include "core/persist.h"
#include "util/error.h"

/**
 * What a daemon leaves on disk, and what the next one makes of it. Ending
 * writes nothing: to a folder, a daemon that ended and one that was killed
 * look alike.
 */

#define UUID_A "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e11"

#define STATE(state, reason) ((state)*100 + (reason))

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

static void
restart(Fixture *f, bool autostart)
{
    fixture_stop(f);
    g_atomic_int_set(&f->held, 0);
    g_free(fixture_events(f));
    fixture_start(f, autostart);
}

static void
write_file(Fixture *f, const char *part, const char *name, const char *text)
{
    g_autofree char *path = fixture_path(f, part, name);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static bool
exists(Fixture *f, const char *part, const char *name)
{
    g_autofree char *path = fixture_path(f, part, name);

    return access(path, F_OK) == 0;
}

static guint
count(Fixture *f, unsigned flags)
{
    g_autoptr(GArray) all = NULL;

    assert_true(core_call_list(f->state, &f->caller, flags, &all, NULL));
    return all->len;
}

static void
test_definitions_come_back(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a");
    g_autofree char *before = NULL, *after = NULL;
    bool autostart = false;

    assert_true(
        core_call_set_autostart(f->state, &f->caller, &dom, true, NULL));
    before = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    restart(f, false);
    after = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    assert_string_equal(before, after);
    assert_true(
        core_call_autostart(f->state, &f->caller, &dom, &autostart, NULL));
    assert_true(autostart);
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN));
    core_domain_ref_clear(&dom);
}

static void
test_running_domains_come_back(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef p = fixture_define(f, "p"), ret = { 0 }, t = { 0 };
    g_autofree char *xml = fixture_xml("t", NULL, "<title>once</title>");
    g_autofree char *before = NULL, *after = NULL;

    assert_true(core_call_create(f->state, &f->caller, &p, 0, &ret, NULL));
    assert_true(core_call_create_xml(f->state, &f->caller, xml, 0, &t, NULL));
    assert_true(core_call_suspend(f->state, &f->caller, &t, NULL));
    before = core_call_xml(f->state, &f->caller, &t, 0, NULL);
    restart(f, false);
    assert_int_equal(g_atomic_int_get(&f->held), 2);
    after = core_call_xml(f->state, &f->caller, &t, 0, NULL);
    assert_string_equal(before, after);
    assert_int_equal(fixture_state(f, &p),
                     STATE(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED));
    assert_int_equal(fixture_state(f, &t),
                     STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER));
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &p, NULL),
                     1);
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &t, NULL),
                     0);
    /* ids go on where they stopped */
    assert_true(core_call_destroy(f->state, &f->caller, &p, 0, NULL));
    core_domain_ref_clear(&ret);
    assert_true(core_call_create(f->state, &f->caller, &p, 0, &ret, NULL));
    assert_int_equal(ret.id, 3);
    assert_true(core_call_resume(f->state, &f->caller, &t, NULL));
    assert_true(core_call_shutdown(f->state, &f->caller, &t, 0, NULL));
    fixture_wait_events(f,
                        "stopped/1 started/0 resumed/0 shutdown/1 stopped/0 ");
    assert_false(exists(f, "run", "t.xml"));
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&p);
    core_domain_ref_clear(&t);
}

static void
test_next_definition_comes_back(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "p"), ret = { 0 };
    g_autofree char *live = NULL, *next = NULL;

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    assert_true(core_call_set_metadata(f->state, &f->caller, &dom,
                                       VIR_DOMAIN_METADATA_TITLE, "next", NULL,
                                       NULL, VIR_DOMAIN_AFFECT_CONFIG, NULL));
    assert_true(core_call_set_metadata(f->state, &f->caller, &dom,
                                       VIR_DOMAIN_METADATA_TITLE, "now", NULL,
                                       NULL, VIR_DOMAIN_AFFECT_LIVE, NULL));
    restart(f, false);
    live = core_call_xml(f->state, &f->caller, &dom, 0, NULL);
    next = core_call_xml(f->state, &f->caller, &dom, VIR_DOMAIN_XML_INACTIVE,
                         NULL);
    assert_non_null(strstr(live, "<title>now</title>"));
    assert_non_null(strstr(next, "<title>next</title>"));
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

/* Killed between defining, undefining and the status file. */
static void
test_undefined_while_running_stays_so(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "p"), ret = { 0 };

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    assert_true(core_call_undefine(f->state, &f->caller, &dom, 0, NULL));
    restart(f, false);
    assert_int_equal(core_call_is_persistent(f->state, &f->caller, &dom, NULL),
                     0);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 1);
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

static void
test_autodestroy_ends_with_the_daemon(void **state)
{
    Fixture *f = *state;
    g_autofree char *xml = fixture_xml("t", NULL, NULL);
    VirtkvmDomainRef dom = { 0 };

    assert_true(core_call_create_xml(f->state, &f->caller, xml,
                                     VIR_DOMAIN_START_AUTODESTROY, &dom, NULL));
    restart(f, false);
    fixture_wait_state(f, &dom, -1);
    core_domain_ref_clear(&dom);
}

/* The daemon was killed after it had said that it would destroy the domain and
 * before the engine was gone: the next one does it. */
static void
test_destroying_goes_on(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a"), ret = { 0 };
    g_autofree char *path = fixture_path(f, "run", "a.xml");
    g_autofree char *text = NULL;
    char *mark;

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    fixture_stop(f);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    mark = strstr(text, "destroying='0'");
    assert_non_null(mark);
    mark[strlen("destroying='")] = '1';
    assert_true(g_file_set_contents(path, text, -1, NULL));
    fixture_start(f, false);
    fixture_wait_state(f, &dom,
                       STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED));
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

/* An operation of an engine knows nothing of the test. */
static char *status_at_kill;

static bool
look_and_kill(CoreEngine *engine, bool force, GError **error)
{
    const char *path = status_at_kill;

    status_at_kill = NULL;
    assert_true(g_file_get_contents(path, &status_at_kill, NULL, NULL));
    return core_engine_null_ops.kill(engine, force, error);
}

static void
test_destroying_is_noted_first(void **state)
{
    Fixture *f = *state;
    CoreEngineOps ops = core_engine_null_ops;
    g_autofree char *path = fixture_path(f, "run", "a.xml");
    VirtkvmDomainRef dom, ret = { 0 };

    ops.kill = look_and_kill;
    fixture_stop(f);
    f->profile.engine = &ops;
    fixture_start(f, false);
    dom = fixture_define(f, "a");
    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    status_at_kill = path;
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_non_null(strstr(status_at_kill, "destroying='1'"));
    g_clear_pointer(&status_at_kill, g_free);
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
    fixture_stop(f);
}

static const char *const garbage[] = {
    "",
    "\xff\xfe\x00garbage",
    "<domstatus",
    "<domain type='kvm'><name>x</name></domain>",
    "<domstatus/>",
    "<domstatus state='running' reason='1' pid='1'><domain/></domstatus>",
    "<!DOCTYPE d [<!ENTITY a 'b'>]><domstatus>&a;</domstatus>",
};

static void
test_garbage_in_status_files(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "good"), ret = { 0 };

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        g_autofree char *name = g_strdup_printf("bad%zu.xml", i);

        write_file(f, "run", name, garbage[i]);
    }
    restart(f, false);
    assert_int_equal(count(f, 0), 1);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 1);
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

/* Every single byte of a true status file, once wrong: whatever is made of it,
 * the daemon starts and the definition is there. */
static void
test_damaged_status_file(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "d"), ret = { 0 };
    g_autofree char *path = fixture_path(f, "run", "d.xml");
    g_autofree char *text = NULL;
    gsize size;

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    assert_true(g_file_get_contents(path, &text, &size, NULL));
    for (gsize i = 0; i < size; i += 7) {
        char kept = text[i];

        text[i] = i % 2 ? '<' : '9';
        fixture_stop(f);
        assert_true(g_file_set_contents(path, text, (gssize)size, NULL));
        fixture_start(f, false);
        assert_int_equal(
            core_call_is_persistent(f->state, &f->caller, &dom, NULL), 1);
        text[i] = kept;
    }
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

static void
test_another_boot_ends_them(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "d"), ret = { 0 };
    g_autofree char *path = fixture_path(f, "run", "d.xml");
    g_autofree char *text = NULL;
    char *boot;

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    boot = strstr(text, "boot='");
    assert_non_null(boot);
    boot[strlen("boot='")] ^= 1;
    fixture_stop(f);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    fixture_start(f, false);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 0);
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

static void
test_bad_definitions_are_skipped(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "good");
    g_autofree char *copy = fixture_xml("good", NULL, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        g_autofree char *name = g_strdup_printf("bad%zu.xml", i);

        if (i != 3) /* which is a definition, if a short one */
            write_file(f, "config", name, garbage[i]);
    }
    write_file(f, "config", "copy.xml", copy);
    write_file(f, "config", "good.xml.AbCdEf.new", "<dom");
    restart(f, false);
    assert_int_equal(count(f, 0), 1);
    assert_true(exists(f, "config", "copy.xml"));
    assert_false(exists(f, "config", "good.xml.AbCdEf.new"));
    core_domain_ref_clear(&dom);
}

/* The new content is there, but not yet under the new name. */
static void
test_rename_cut_short(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "old"), found = { 0 };
    g_autofree char *old = fixture_path(f, "config", "old.xml");
    g_autofree char *text = NULL;
    char *name;

    assert_true(g_file_get_contents(old, &text, NULL, NULL));
    name = strstr(text, ">old<");
    assert_non_null(name);
    memcpy(name, ">new<", 5);
    fixture_stop(f);
    assert_true(g_file_set_contents(old, text, -1, NULL));
    fixture_start(f, false);
    assert_int_equal(count(f, 0), 1);
    assert_true(
        core_call_lookup_name(f->state, &f->caller, "new", &found, NULL));
    assert_true(exists(f, "config", "new.xml"));
    assert_false(exists(f, "config", "old.xml"));
    core_domain_ref_clear(&found);
    core_domain_ref_clear(&dom);
}

static void
test_reload(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a"), found = { 0 };
    g_autofree char *path = fixture_path(f, "config", "a.xml");
    g_autofree char *added = fixture_xml("b", UUID_A, NULL);
    g_autofree char *text = NULL, *title = NULL;
    g_auto(GStrv) parts = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    parts = g_strsplit(text, "<memory", 2);
    g_free(text);
    text = g_strjoin("<title>edited</title><memory", parts[0], parts[1], NULL);
    write_file(f, "config", "a.xml", text);
    write_file(f, "config", "b.xml", added);
    write_file(f, "config", "c.xml", "garbage");
    g_free(fixture_events(f));
    assert_true(core_state_reload(f->state, NULL));
    title = core_call_metadata(f->state, &f->caller, &dom,
                               VIR_DOMAIN_METADATA_TITLE, NULL, 0, NULL);
    assert_string_equal(title, "edited");
    assert_true(core_call_lookup_name(f->state, &f->caller, "b", &found, NULL));
    assert_true(core_state_reload(f->state, NULL)); /* nothing new */
    g_clear_pointer(&text, g_free);
    text = fixture_events(f);
    assert_true(strcmp(text, "defined/1 defined/0 ") == 0 ||
                strcmp(text, "defined/0 defined/1 ") == 0);
    core_domain_ref_clear(&found);
    core_domain_ref_clear(&dom);
}

static void
test_autostart_once_a_boot(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef a = fixture_define(f, "a"), b = fixture_define(f, "b");

    assert_true(core_call_set_autostart(f->state, &f->caller, &a, true, NULL));
    restart(f, true);
    fixture_wait_state(f, &a,
                       STATE(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED));
    assert_int_equal(core_call_is_active(f->state, &f->caller, &b, NULL), 0);
    assert_true(core_call_destroy(f->state, &f->caller, &a, 0, NULL));
    restart(f, true);
    fixture_stop(f); /* waits for what autostart may have begun */
    fixture_start(f, false);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &a, NULL), 0);
    core_domain_ref_clear(&a);
    core_domain_ref_clear(&b);
}

/* A folder that cannot be written to: the definition is refused and is not
 * there, the one before it stays. */
static void
test_failure_to_save(void **state)
{
    Fixture *f = *state;
    g_autofree char *xml = fixture_xml("a", NULL, NULL);
    g_autofree char *block = fixture_path(f, "config", "a.xml");
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = { 0 };

    assert_int_equal(g_mkdir(block, 0700), 0);
    assert_false(core_call_define(f->state, &f->caller, xml, 0, &dom, &error));
    assert_int_equal(error_code(error), VIR_ERR_SYSTEM_ERROR);
    assert_int_equal(count(f, 0), 0);
    assert_int_equal(rmdir(block), 0);
    dom = fixture_define(f, "a");
    assert_int_equal(count(f, 0), 1);
    core_domain_ref_clear(&dom);
}

/* A guest that another daemon could not find again is not started. */
static void
test_failure_to_note(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a"), ret = { 0 };
    g_autofree char *block = fixture_path(f, "run", "a.xml");
    g_autoptr(GError) error = NULL;

    assert_int_equal(g_mkdir(block, 0700), 0);
    assert_false(core_call_create(f->state, &f->caller, &dom, 0, &ret, &error));
    assert_int_equal(error_code(error), VIR_ERR_SYSTEM_ERROR);
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED));
    assert_int_equal(g_atomic_int_get(&f->held), 0);
    assert_int_equal(rmdir(block), 0);
    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    core_domain_ref_clear(&ret);
    core_domain_ref_clear(&dom);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_definitions_come_back),
        TEST(test_running_domains_come_back),
        TEST(test_next_definition_comes_back),
        TEST(test_undefined_while_running_stays_so),
        TEST(test_autodestroy_ends_with_the_daemon),
        TEST(test_destroying_goes_on),
        TEST(test_destroying_is_noted_first),
        TEST(test_garbage_in_status_files),
        TEST(test_damaged_status_file),
        TEST(test_another_boot_ends_them),
        TEST(test_bad_definitions_are_skipped),
        TEST(test_rename_cut_short),
        TEST(test_reload),
        TEST(test_autostart_once_a_boot),
        TEST(test_failure_to_save),
        TEST(test_failure_to_note),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
