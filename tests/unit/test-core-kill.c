/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "util/fd.h"

/**
 * A driver that is killed at any moment while it defines, renames, changes and
 * undefines: what it has acknowledged is there, whole, and nothing half-done.
 */

#define ROUNDS      25
#define NAMES       8
#define MAX_LIFE_US 30000

/* What the driver has acknowledged, one byte each: name and whether it is
 * defined; written after the call returned. */
typedef struct Note {
    char name;
    char defined; /* 'd', 'u', or '?': under way */
} Note;

static void
note(int fd, char name, char defined)
{
    Note text = { name, defined };

    if (!fd_write_all(fd, &text, sizeof(text)))
        _exit(1);
}

static void
name_of(unsigned which, char *name)
{
    name[0] = (char)('a' + which);
    name[1] = '\0';
}

static void
define(Fixture *f, int fd, const char *name)
{
    g_autofree char *uuid = g_strdup_printf(
        "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e%02x", (unsigned)name[0]);
    g_autofree char *xml = fixture_xml(name, uuid, NULL);
    VirtkvmDomainRef dom = { 0 };

    /* One that is there stays there while it is defined anew. */
    if (!core_call_lookup_name(f->state, &f->caller, name, &dom, NULL))
        note(fd, name[0], '?');
    core_domain_ref_clear(&dom);
    if (!core_call_define(f->state, &f->caller, xml, 0, &dom, NULL))
        _exit(2);
    note(fd, name[0], 'd');
    (void)core_call_set_autostart(f->state, &f->caller, &dom, true, NULL);
    (void)core_call_set_metadata(f->state, &f->caller, &dom,
                                 VIR_DOMAIN_METADATA_TITLE, "t", NULL, NULL, 0,
                                 NULL);
    core_domain_ref_clear(&dom);
}

static void
undefine(Fixture *f, int fd, const char *name)
{
    VirtkvmDomainRef dom = { 0 };

    if (!core_call_lookup_name(f->state, &f->caller, name, &dom, NULL))
        return;
    note(fd, name[0], '?');
    if (!core_call_undefine(f->state, &f->caller, &dom, 0, NULL))
        _exit(3);
    note(fd, name[0], 'u');
    core_domain_ref_clear(&dom);
}

/* There and back: under one of two names it is there at any time. */
static void
rename_twice(Fixture *f, const char *name)
{
    VirtkvmDomainRef dom = { 0 };
    char other[8];

    if (!core_call_lookup_name(f->state, &f->caller, name, &dom, NULL))
        return;
    snprintf(other, sizeof(other), "%s-x", name);
    if (!core_call_rename(f->state, &f->caller, &dom, other, 0, NULL) ||
        !core_call_rename(f->state, &f->caller, &dom, name, 0, NULL))
        _exit(4);
    core_domain_ref_clear(&dom);
}

static void
child(Fixture *f, int fd, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    char name[2];

    fixture_start(f, false);
    for (;;) {
        name_of((unsigned)g_rand_int_range(random, 0, NAMES), name);
        switch (g_rand_int_range(random, 0, 3)) {
        case 0:
            define(f, fd, name);
            break;
        case 1:
            undefine(f, fd, name);
            break;
        default:
            rename_twice(f, name);
        }
    }
}

static void
run_and_kill(Fixture *f, guint32 seed, char *known)
{
    int ends[2], how;
    Note text;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        child(f, ends[1], seed);
    close(ends[1]);
    g_usleep(2000 + seed * 7919 % MAX_LIFE_US);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how));
    while (fd_read_all(ends[0], &text, sizeof(text)) == sizeof(text))
        known[text.name - 'a'] = text.defined;
    close(ends[0]);
}

static bool
is_there(Fixture *f, const char *name)
{
    VirtkvmDomainRef dom = { 0 };
    char other[8];
    bool there, renamed;

    snprintf(other, sizeof(other), "%s-x", name);
    there = core_call_lookup_name(f->state, &f->caller, name, &dom, NULL);
    core_domain_ref_clear(&dom);
    renamed = core_call_lookup_name(f->state, &f->caller, other, &dom, NULL);
    if (renamed) /* the next round looks for it under its own name */
        assert_true(
            core_call_rename(f->state, &f->caller, &dom, name, 0, NULL));
    core_domain_ref_clear(&dom);
    assert_false(there && renamed);
    return there || renamed;
}

static guint
count_half_done(Fixture *f)
{
    g_autofree char *path = fixture_path(f, "config", "");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *file;
    guint count = 0;

    while ((file = g_dir_read_name(dir)))
        count += g_str_has_suffix(file, ".new");
    return count;
}

static void
test_killed_at_any_moment(void **state)
{
    Fixture *f = fixture_new(NULL);
    char known[NAMES] = "";

    for (guint32 round = 1; round <= ROUNDS; round++) {
        run_and_kill(f, round, known);
        fixture_start(f, false);
        for (unsigned i = 0; i < NAMES; i++) {
            char name[2];

            name_of(i, name);
            /* What was under way may be done or not. */
            if (known[i] != '?' && is_there(f, name) != (known[i] == 'd'))
                fail_msg("round %u: domain '%s', '%c'", round, name, known[i]);
            known[i] = is_there(f, name) ? 'd' : 'u';
        }
        assert_int_equal(count_half_done(f), 0);
        fixture_stop(f);
    }
    fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
