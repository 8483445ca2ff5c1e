/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "util/error.h"

/** Engines as processes, with a stand-in for the program (core-engine.c). */

#define STATE(state, reason) ((state)*100 + (reason))
#define RUNNING              STATE(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED)
#define CYCLES               30
#define SETTLED_TRIES        200 /* of 1 ms without a change */
/* Much less than the time-outs that it would otherwise be. */
#define PATIENCE_US (10 * G_USEC_PER_SEC)

static int
setup(void **state)
{
    Fixture *f = fixture_new(&core_engine_process_ops);
    g_autofree char *kernel = g_build_filename(f->dir, "kernel", NULL);

    assert_true(g_file_set_contents(kernel, "x", 1, NULL));
    f->host.engine_path = g_build_filename(
        g_getenv("abs_top_builddir"), "tests", "unit", "core-engine", NULL);
    fixture_start(f, false);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    char *path = (char *)f->host.engine_path;

    fixture_free(f);
    g_free(path);
    return 0;
}

static char *
xml_of(Fixture *f, const char *behaviour)
{
    return g_strdup_printf(
        "<domain type='kvm'><name>p</name>"
        "<uuid>6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e11</uuid>"
        "<memory unit='KiB'>65536</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type>"
        "<kernel>%s/kernel</kernel><cmdline>%s</cmdline></os>"
        "<features><acpi/><apic/></features><devices>"
        "<serial type='pty'><target port='0'/></serial>"
        "<console type='pty'/></devices></domain>",
        f->dir, behaviour);
}

/* A persistent domain that runs, unless @ret_error is given. */
static VirtkvmDomainRef
start(Fixture *f, const char *behaviour, GError **ret_error)
{
    g_autofree char *xml = xml_of(f, behaviour);
    VirtkvmDomainRef dom = { 0 }, ret = { 0 };
    bool started;

    assert_true(core_call_define(f->state, &f->caller, xml, 0, &dom, NULL));
    started = core_call_create(f->state, &f->caller, &dom, 0, &ret, ret_error);
    assert_true(started || ret_error);
    core_domain_ref_clear(&ret);
    return dom;
}

static pid_t
engine_pid(Fixture *f, const VirtkvmDomainRef *dom)
{
    g_autoptr(CoreDomain) domain = fixture_domain(f, dom);
    CoreEngineRecord record = { 0 };

    core_domain_lock(domain);
    domain->run->engine->ops->record(domain->run->engine, &record);
    core_domain_unlock(domain);
    g_clear_pointer(&record.vcpu_threads, g_array_unref);
    return record.pid;
}

/* The folders there are of networks. */
static void
assert_clean(Fixture *f)
{
    g_autofree char *path = fixture_path(f, "run", "");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *one = g_build_filename(path, name, NULL);

        assert_true(g_file_test(one, G_FILE_TEST_IS_DIR));
    }
}

static void
test_life(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);

    assert_int_equal(fixture_state(f, &dom), RUNNING);
    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    assert_true(core_call_resume(f->state, &f->caller, &dom, NULL));
    assert_true(core_call_reset(f->state, &f->caller, &dom, 0, NULL));
    assert_true(core_call_reboot(f->state, &f->caller, &dom, 0, NULL));
    fixture_wait_events(
        f, "defined/0 started/0 suspended/0 resumed/0 reboot reboot ");
    assert_true(core_call_shutdown(f->state, &f->caller, &dom, 0, NULL));
    fixture_wait_events(f, "shutdown/1 stopped/0 ");
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN));
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
test_graceful_end(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);

    assert_true(core_call_destroy(f->state, &f->caller, &dom,
                                  VIR_DOMAIN_DESTROY_GRACEFUL, NULL));
    fixture_wait_events(f, "defined/0 started/0 stopped/1 ");
    core_domain_ref_clear(&dom);
}

static void
test_start_fails(void **state)
{
    Fixture *f = *state;
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = start(f, "fail", &error);

    assert_int_equal(error_code(error), VIR_ERR_OPERATION_FAILED);
    assert_string_equal(error->message, "the engine could not start: so it is");
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED));
    fixture_wait_events(f, "defined/0 ");
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
test_no_program(void **state)
{
    Fixture *f = *state;
    g_autofree char *right = (char *)f->host.engine_path;
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom;

    f->host.engine_path = "/nonexistent/engine";
    dom = start(f, "", &error);
    f->host.engine_path = g_steal_pointer(&right);
    assert_int_equal(error_code(error), VIR_ERR_SYSTEM_ERROR);
    assert_non_null(strstr(error->message, "/nonexistent/engine"));
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 0);
    core_domain_ref_clear(&dom);
}

/* A guest that is over before anybody looked has been started all the same. */
static void
test_quick_guest(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "quick", NULL);

    fixture_wait_events(f, "defined/0 started/0 shutdown/1 stopped/0 ");
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN));
    core_domain_ref_clear(&dom);
}

static gpointer
start_thread(gpointer data)
{
    Fixture *f = data;
    GError *error = NULL;
    VirtkvmDomainRef dom = start(f, "silent", &error);

    core_domain_ref_clear(&dom);
    return error;
}

static void
test_destroy_while_starting(void **state)
{
    Fixture *f = *state;
    GThread *thread = g_thread_new("start", start_thread, f);
    VirtkvmDomainRef dom = { 0 };
    GError *error;

    while (!core_call_lookup_name(f->state, &f->caller, "p", &dom, NULL) ||
           dom.id == -1) {
        core_domain_ref_clear(&dom);
        g_usleep(1000);
    }
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    error = g_thread_join(thread);
    assert_int_equal(error_code(error), VIR_ERR_OPERATION_FAILED);
    g_error_free(error);
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED));
    fixture_wait_events(f, "defined/0 ");
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
check_garbage(Fixture *f, const char *behaviour)
{
    VirtkvmDomainRef dom = start(f, behaviour, NULL);
    g_autoptr(GError) error = NULL;
    VirtkvmControlInfo info;

    assert_false(core_call_suspend(f->state, &f->caller, &dom, &error));
    fixture_wait_events(f, "defined/0 started/0 control-error ");
    assert_true(
        core_call_control_info(f->state, &f->caller, &dom, &info, NULL));
    assert_int_equal(info.state, VIR_DOMAIN_CONTROL_ERROR);
    /* still there, and its next answer is heard over a new connection */
    assert_int_equal(fixture_state(f, &dom), RUNNING);
    assert_true(core_call_reset(f->state, &f->caller, &dom, 0, NULL));
    assert_true(
        core_call_control_info(f->state, &f->caller, &dom, &info, NULL));
    assert_int_equal(info.state, VIR_DOMAIN_CONTROL_OK);
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
test_garbage(void **state)
{
    check_garbage(*state, "garbage");
}

static void
test_flood(void **state)
{
    check_garbage(*state, "flood");
}

static void
test_engine_dies(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "crash", NULL);
    g_auto(GStrv) messages = NULL;

    assert_false(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "defined/0 started/0 stopped/5 ");
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED));
    assert_true(
        core_call_messages(f->state, &f->caller, &dom, 0, &messages, NULL));
    assert_int_equal(g_strv_length(messages), 1);
    assert_non_null(strstr(messages[0], "killed by signal 9"));
    core_domain_ref_clear(&dom);
}

static void
test_internal_error(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "error", NULL);
    g_auto(GStrv) messages = NULL;
    g_autofree char *log = fixture_path(f, "log", "p.log");
    g_autofree char *text = NULL;

    assert_false(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "defined/0 started/0 stopped/5 ");
    assert_true(
        core_call_messages(f->state, &f->caller, &dom, 0, &messages, NULL));
    assert_string_equal(messages[0],
                        "the last run ended in a failure: vCPU 0: oh");
    assert_true(g_file_get_contents(log, &text, NULL, NULL));
    assert_non_null(strstr(text, "ended: internal-error: vCPU 0: oh"));
    core_domain_ref_clear(&dom);
}

static void
test_found_again(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);
    pid_t pid = engine_pid(f, &dom);

    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_stop(f);
    fixture_start(f, false);
    assert_int_equal(engine_pid(f, &dom), pid);
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER));
    g_free(fixture_events(f));
    assert_true(core_call_resume(f->state, &f->caller, &dom, NULL));
    assert_true(core_call_shutdown(f->state, &f->caller, &dom, 0, NULL));
    fixture_wait_events(f, "resumed/0 shutdown/1 stopped/0 ");
    core_domain_ref_clear(&dom);
}

/* The daemon is away when the engine ends; its zombie keeps the pid busy. */
static void
check_ended_meanwhile(Fixture *f, int signal_number, int expected)
{
    VirtkvmDomainRef dom = start(f, "", NULL);
    pid_t pid = engine_pid(f, &dom);
    siginfo_t info;

    fixture_stop(f);
    assert_int_equal(kill(pid, signal_number), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    fixture_start(f, false);
    assert_int_equal(fixture_state(f, &dom), expected);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
test_ended_meanwhile(void **state)
{
    check_ended_meanwhile(
        *state, SIGTERM,
        STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN));
}

static void
test_killed_meanwhile(void **state)
{
    check_ended_meanwhile(
        *state, SIGKILL, STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED));
}

/* One engine that does not answer keeps nobody else waiting for long. */
static void
test_silent_engine_at_restart(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);
    pid_t pid = engine_pid(f, &dom);
    gint64 begin;

    fixture_stop(f);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    begin = g_get_monotonic_time();
    fixture_start(f, false);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 1);
    fixture_stop(f);
    assert_true(g_get_monotonic_time() - begin < PATIENCE_US);
    fixture_start(f, false);
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

static void
test_clock_changes_are_bounded(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "clock", NULL);

    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "defined/0 started/0 id2 suspended/0 id2 ");
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    core_domain_ref_clear(&dom);
}

/* A foreign process that came to the engine's pid is left alone. */
static void
test_pid_used_again(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);
    g_autofree char *path = fixture_path(f, "run", "p.xml");
    g_autofree char *text = NULL, *foreign = NULL;
    pid_t pid = engine_pid(f, &dom);
    g_auto(GStrv) parts = NULL;

    fixture_stop(f);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    parts = g_strsplit(text, "start='", 2);
    assert_non_null(parts[1]);
    foreign = g_strjoin("start='1", parts[0], parts[1], NULL);
    assert_true(g_file_set_contents(path, foreign, -1, NULL));
    fixture_start(f, false);
    assert_int_equal(core_call_is_active(f->state, &f->caller, &dom, NULL), 0);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    core_domain_ref_clear(&dom);
}

/* Killed after the spawn and before the document: the engine reads an end of
 * file and ends; nobody is left that nobody knows of. */
static void
test_daemon_dies_before_the_document(void **state)
{
    Fixture *f = *state;
    g_autofree char *xml = xml_of(f, "");
    g_autoptr(ConfDomain) conf = conf_domain_parse(xml, 0, NULL);
    CoreEngineLaunch launch = { .state = f->state, .id = 7, .live = conf };
    CoreEngine *engine = core_engine_process_ops.spawn(&launch, NULL);
    CoreEngineRecord record = { 0 };
    int how;

    assert_non_null(engine);
    engine->ops->record(engine, &record);
    core_engine_unref(engine); /* closes the pipe */
    assert_int_equal(waitpid(record.pid, &how, 0), record.pid);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 1);
}

static unsigned
count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Exit sources may still be on their way out of the I/O thread. */
static unsigned
settled_fds(void)
{
    unsigned least = count_fds();

    for (int same = 0; same < SETTLED_TRIES; same++) {
        unsigned now;

        g_usleep(1000);
        now = count_fds();
        if (now < least) {
            least = now;
            same = 0;
        }
    }
    return least;
}

static void
test_nothing_is_left(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);
    unsigned before;

    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    before = settled_fds();
    for (int i = 0; i < CYCLES; i++) {
        VirtkvmDomainRef ret = { 0 };

        assert_true(
            core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
        assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
        core_domain_ref_clear(&ret);
    }
    assert_int_equal(settled_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_clean(f);
    core_domain_ref_clear(&dom);
}

/* --- the console
 * ----------------------------------------------------------------- */

static VirtkvmConsole *
open_console(Fixture *f, const VirtkvmDomainRef *dom, unsigned flags,
             GError **error)
{
    return core_call_console(f->state, &f->caller, dom, NULL, flags, error);
}

static uint64_t
why_ended(const VirtkvmConsole *console)
{
    uint64_t why = 0;

    assert_int_equal(read(console->cancel_fd, &why, sizeof(why)), sizeof(why));
    return why;
}

static void
test_console_is_one_clients(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "", NULL);
    g_autoptr(GError) error = NULL;
    VirtkvmConsole *first, *second, *third;

    first = open_console(f, &dom, 0, NULL);
    assert_non_null(first);
    assert_null(open_console(f, &dom, VIR_DOMAIN_CONSOLE_SAFE, &error));
    assert_int_equal(error_code(error), VIR_ERR_OPERATION_FAILED);
    assert_string_equal(error->message,
                        "Active console session exists for this domain");
    second = open_console(f, &dom, VIR_DOMAIN_CONSOLE_FORCE, NULL);
    assert_non_null(second);
    assert_int_equal(why_ended(first), VIRTKVM_CONSOLE_TAKEN);
    first->release(first);
    second->release(second);
    third = open_console(f, &dom, 0, NULL);
    assert_non_null(third);
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_int_equal(why_ended(third), VIRTKVM_CONSOLE_ENDED);
    third->release(third);
    g_clear_error(&error);
    assert_null(open_console(f, &dom, 0, &error));
    assert_string_equal(error->message, "domain is not running");
    core_domain_ref_clear(&dom);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_graceful_end),
        TEST(test_start_fails),
        TEST(test_no_program),
        TEST(test_quick_guest),
        TEST(test_destroy_while_starting),
        TEST(test_garbage),
        TEST(test_flood),
        TEST(test_engine_dies),
        TEST(test_internal_error),
        TEST(test_found_again),
        TEST(test_ended_meanwhile),
        TEST(test_killed_meanwhile),
        TEST(test_silent_engine_at_restart),
        TEST(test_clock_changes_are_bounded),
        TEST(test_pid_used_again),
        TEST(test_daemon_dies_before_the_document),
        TEST(test_nothing_is_left),
        TEST(test_console_is_one_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
