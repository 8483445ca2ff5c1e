/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "util/error.h"

/** What the core asks engines about devices, and what it makes of their
 * answers; with a stand-in for the program (core-engine.c). */

#define STATE(state, reason) ((state)*100 + (reason))
#define LIVE                 VIR_DOMAIN_AFFECT_LIVE
#define BALLOON_ID           VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE
#define MAC                  "52:54:00:00:00:01"

static int
setup(void **state)
{
    Fixture *f = fixture_new(&core_engine_process_ops);
    g_autofree char *kernel = g_build_filename(f->dir, "kernel", NULL);
    g_autofree char *image = g_build_filename(f->dir, "image", NULL);

    assert_true(g_file_set_contents(kernel, "x", 1, NULL));
    assert_true(g_file_set_contents(image, "12345678", 8, NULL));
    assert_int_equal(truncate(image, 65536), 0);
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
disk_xml(const Fixture *f, const char *image, const char *target)
{
    return g_strdup_printf(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
        "<source file='%s/%s'/><target dev='%s' bus='virtio'/></disk>",
        f->dir, image, target);
}

/* A running domain with a device of each kind. */
static VirtkvmDomainRef
start(Fixture *f, const char *behaviour)
{
    g_autofree char *disk = disk_xml(f, "image", "vda");
    g_autofree char *xml =
        g_strdup_printf("<domain type='kvm'><name>p</name>"
                        "<memory unit='KiB'>65536</memory><vcpu>1</vcpu>"
                        "<os><type arch='x86_64' machine='q35'>hvm</type>"
                        "<kernel>%s/kernel</kernel><cmdline>%s</cmdline></os>"
                        "<features><acpi/><apic/></features>"
                        "<clock offset='variable' adjustment='-5'/><devices>%s"
                        "<interface type='user'><mac address='" MAC "'/>"
                        "<model type='virtio'/></interface>"
                        "<channel type='unix'><target type='virtio' "
                        "name='org.qemu.guest_agent.0'/></channel>"
                        "<memballoon model='virtio'/></devices></domain>",
                        f->dir, behaviour, disk);
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = { 0 };

    if (!core_call_create_xml(f->state, &f->caller, xml, 0, &dom, &error))
        fail_msg("%s", error->message);
    fixture_wait_events(f, "started/0 ");
    return dom;
}

static char *
xml_of(Fixture *f, const VirtkvmDomainRef *dom)
{
    return core_call_xml(f->state, &f->caller, dom, 0, NULL);
}

static void
assert_in_xml(Fixture *f, const VirtkvmDomainRef *dom, const char *text,
              bool there)
{
    g_autofree char *xml = xml_of(f, dom);

    if ((strstr(xml, text) != NULL) != there)
        fail_msg("'%s' in %s", text, xml);
}

/* --- questions
 * -----------------------------------------------------------------
 */

static void
test_block_answers(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    g_autoptr(GArray) errors = NULL;
    VirtkvmBlockStats stats;
    VirtkvmBlockInfo info;
    unsigned disks;

    assert_true(
        core_call_block_stats(f->state, &f->caller, &dom, "vda", &stats, NULL));
    assert_int_equal(stats.rd_req, 1);
    assert_int_equal(stats.rd_bytes, 2);
    assert_int_equal(stats.wr_req, 4);
    assert_int_equal(stats.wr_bytes, 5);
    assert_int_equal(stats.errs, 10);
    assert_true(core_call_block_info(f->state, &f->caller, &dom, "vda", 0,
                                     &info, NULL));
    assert_int_equal(info.capacity, 1048576);
    assert_int_equal(info.physical, 4096);
    assert_int_equal(info.allocation, 8192);
    assert_true(core_call_disk_errors(f->state, &f->caller, &dom, 0, &errors,
                                      &disks, NULL));
    assert_int_equal(disks, 1);
    assert_int_equal(errors->len, 1);
    assert_string_equal(g_array_index(errors, VirtkvmDiskError, 0).disk, "vda");
    assert_int_equal(g_array_index(errors, VirtkvmDiskError, 0).error,
                     VIR_DOMAIN_DISK_ERROR_NO_SPACE);
    core_domain_ref_clear(&dom);
}

static void
test_net_answers(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    VirtkvmInterfaceStats stats;

    assert_true(core_call_interface_stats(f->state, &f->caller, &dom, MAC,
                                          &stats, NULL));
    assert_int_equal(stats.rx_bytes, 1);
    assert_int_equal(stats.rx_drop, 4);
    assert_int_equal(stats.tx_packets, 6);
    assert_int_equal(stats.tx_drop, 0); /* no engine counts below */
    core_domain_ref_clear(&dom);
}

static void
test_memory_answers(void **state)
{
    static const VirtkvmMemoryStat expected[] = {
        { VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, 65536 },
        { VIR_DOMAIN_MEMORY_STAT_SWAP_IN, 2 }, /* KiB */
        { VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 7 },
        { VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 9 },
    };
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    g_autoptr(GArray) stats = NULL;

    assert_true(
        core_call_memory_stats(f->state, &f->caller, &dom, 0, &stats, NULL));
    assert_int_equal(stats->len, G_N_ELEMENTS(expected) + 1); /* and rss */
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        const VirtkvmMemoryStat *stat =
            &g_array_index(stats, VirtkvmMemoryStat, i);

        assert_int_equal(stat->tag, expected[i].tag);
        assert_int_equal(stat->value, expected[i].value);
    }
    core_domain_ref_clear(&dom);
}

/* --- commands
 * ------------------------------------------------------------------
 */

static void
test_commands(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    virTypedParameter limits[] = {
        { "total_iops_sec", VIR_TYPED_PARAM_ULLONG, { .ul = 5 } },
        { "group_name", VIR_TYPED_PARAM_STRING, { .s = (char *)"g" } },
    };
    virTypedParameter rates[] = {
        { "inbound.average", VIR_TYPED_PARAM_UINT, { .ui = 7 } },
    };
    VirtkvmParams tune = { limits, 2 }, rate = { rates, 1 };
    g_autoptr(GError) error = NULL;

    assert_true(core_call_block_resize(f->state, &f->caller, &dom, "vda", 2048,
                                       0, NULL));
    assert_false(core_call_block_resize(f->state, &f->caller, &dom, "vda", 1, 0,
                                        &error));
    assert_string_equal(error->message, "no such disk, or not that size");
    assert_true(core_call_set_block_tune(f->state, &f->caller, &dom, "vda",
                                         &tune, LIVE, NULL));
    assert_true(core_call_set_interface_params(f->state, &f->caller, &dom, MAC,
                                               &rate, LIVE, NULL));
    assert_true(
        core_call_memory_period(f->state, &f->caller, &dom, 3, LIVE, NULL));
    assert_true(core_call_update(
        f->state, &f->caller, &dom,
        "<interface type='user'><mac address='" MAC "'/>"
        "<bandwidth><inbound average='7'/></bandwidth>"
        "<model type='virtio'/><link state='down'/></interface>",
        LIVE, NULL));
    assert_in_xml(f, &dom, "<link state='down'/>", true);
    assert_in_xml(f, &dom, "<total_iops_sec>5<", true);
    core_domain_ref_clear(&dom);
}

/* What an engine refuses is not in the definition. */
static void
test_refused_command(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    virTypedParameter limits[] = {
        { "total_iops_sec", VIR_TYPED_PARAM_ULLONG, { .ul = 6 } },
    };
    VirtkvmParams tune = { limits, 1 };
    g_autoptr(GError) error = NULL;

    assert_false(core_call_set_block_tune(f->state, &f->caller, &dom, "vda",
                                          &tune, LIVE, &error));
    assert_int_equal(error_code(error), VIR_ERR_OPERATION_FAILED);
    assert_in_xml(f, &dom, "<total_iops_sec>", false);
    core_domain_ref_clear(&dom);
}

static void
test_balloon(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");

    assert_true(
        core_call_set_memory(f->state, &f->caller, &dom, 32768, LIVE, NULL));
    fixture_wait_events(f, "id13 ");
    assert_in_xml(f, &dom, "<currentMemory unit='KiB'>32768<", true);
    core_domain_ref_clear(&dom);
}

/* --- coming and going
 * ------------------------------------------------------------
 */

static void
test_attach_and_detach(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    g_autofree char *disk = disk_xml(f, "image2", "vdb");
    g_autofree char *image = g_build_filename(f->dir, "image2", NULL);
    g_autoptr(GError) error = NULL;

    assert_false(
        core_call_attach(f->state, &f->caller, &dom, disk, LIVE, &error));
    assert_non_null(strstr(error->message, "image2")); /* it is not there */
    assert_true(g_file_set_contents(image, "12345678", 8, NULL));
    assert_int_equal(truncate(image, 65536), 0);
    assert_in_xml(f, &dom, "vdb", false);
    assert_true(core_call_attach(f->state, &f->caller, &dom, disk, LIVE, NULL));
    assert_in_xml(f, &dom, "<alias name='virtio-disk1'/>", true);
    assert_true(core_call_detach(f->state, &f->caller, &dom, disk, LIVE, NULL));
    assert_in_xml(f, &dom, "vdb", false);
    fixture_wait_events(f, "id19 id15 ");
    core_domain_ref_clear(&dom);
}

/* The log of the domain has it, and whoever asks is told. */
static void
test_warnings_of_a_new_device(void **state)
{
    static const char words[] = "<geometry> is not honoured";
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    g_autofree char *image = g_build_filename(f->dir, "image2", NULL);
    g_autofree char *disk = g_strdup_printf(
        "<disk><source file='%s'/><geometry cyls='1' heads='1' secs='1'/>"
        "<target dev='vdb'/></disk>",
        image);
    g_autofree char *path = NULL, *log = NULL;
    g_auto(GStrv) messages = NULL;

    assert_true(g_file_set_contents(image, "12345678", 8, NULL));
    assert_true(core_call_attach(f->state, &f->caller, &dom, disk, LIVE, NULL));
    assert_true(
        core_call_messages(f->state, &f->caller, &dom, 0, &messages, NULL));
    assert_int_equal(g_strv_length(messages), 1);
    assert_non_null(strstr(messages[0], words));
    path = g_strdup_printf("%s/p.log", f->state->log_dir);
    assert_true(g_file_get_contents(path, &log, NULL, NULL));
    assert_non_null(strstr(log, words));
    core_domain_ref_clear(&dom);
}

/* Files in the folder of definitions */
static unsigned
count_files(Fixture *f)
{
    GDir *dir = g_dir_open(f->state->config_dir, 0, NULL);
    unsigned count = 0;

    assert_non_null(dir);
    while (g_dir_read_name(dir))
        count++;
    g_dir_close(dir);
    return count;
}

/* What cannot be written is not done, and what is not done is not written. */
static void
test_both_or_neither(void **state)
{
    const unsigned both = LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, ""), same = { 0 };
    g_autofree char *xml = xml_of(f, &dom);
    g_autofree char *absent = disk_xml(f, "image2", "vdb");
    g_autofree char *disk = disk_xml(f, "image3", "vdc");
    g_autofree char *image = g_build_filename(f->dir, "image3", NULL);
    g_autofree char *away = g_build_filename(f->dir, "away", NULL);
    g_autofree char *config = NULL;
    unsigned files;

    assert_true(core_call_define(f->state, &f->caller, xml, 0, &same, NULL));
    files = count_files(f);
    assert_false(
        core_call_attach(f->state, &f->caller, &dom, absent, both, NULL));
    assert_in_xml(f, &dom, "vdb", false);
    config = core_call_xml(f->state, &f->caller, &dom, VIR_DOMAIN_XML_INACTIVE,
                           NULL);
    assert_null(strstr(config, "vdb"));
    assert_int_equal(count_files(f), files);

    assert_true(g_file_set_contents(image, "12345678", 8, NULL));
    assert_int_equal(rename(f->state->config_dir, away), 0);
    assert_false(
        core_call_attach(f->state, &f->caller, &dom, disk, both, NULL));
    assert_false(core_call_detach_alias(f->state, &f->caller, &dom,
                                        "virtio-disk0", both, NULL));
    assert_int_equal(rename(away, f->state->config_dir), 0);
    assert_in_xml(f, &dom, "vdc", false);
    assert_in_xml(f, &dom, "vda", true);

    assert_true(core_call_attach(f->state, &f->caller, &dom, disk, both, NULL));
    assert_in_xml(f, &dom, "vdc", true);
    assert_int_equal(count_files(f), files);
    core_domain_ref_clear(&same);
    core_domain_ref_clear(&dom);
}

static void
test_guest_refuses(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "stubborn");
    g_autofree char *disk = disk_xml(f, "image", "vda");
    g_autoptr(GError) error = NULL;

    assert_false(
        core_call_detach(f->state, &f->caller, &dom, disk, LIVE, &error));
    assert_int_equal(error_code(error), VIR_ERR_OPERATION_FAILED);
    assert_string_equal(error->message,
                        "unplug of device was rejected by the guest");
    assert_in_xml(f, &dom, "vda", true);
    fixture_wait_events(f, "id22 ");
    core_domain_ref_clear(&dom);
}

/* One that says nothing has been asked; the device stays for now. */
static void
test_guest_takes_its_time(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "deaf");
    gint64 begun = g_get_monotonic_time();

    assert_true(core_call_detach_alias(f->state, &f->caller, &dom,
                                       "virtio-disk0", LIVE, NULL));
    assert_true(g_get_monotonic_time() - begun < 4 * G_USEC_PER_SEC);
    assert_in_xml(f, &dom, "vda", true);
    core_domain_ref_clear(&dom);
}

/* --- what engines tell
 * -------------------------------------------------------------
 */

static void
test_io_error_stops(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "broken");

    /* The fake one's disk breaks when it is stopped. */
    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR));
    fixture_wait_events(f, "id4 id6 suspended/2 ");
    assert_true(core_call_resume(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "resumed/0 ");
    core_domain_ref_clear(&dom);
}

/* Resumed, it stops again before the call has its answer: it is not taken to
 * run. */
static void
test_io_error_stops_at_once(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "brief");

    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "suspended/0 ");
    assert_true(core_call_resume(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "resumed/0 id4 id6 suspended/2 ");
    assert_int_equal(fixture_state(f, &dom),
                     STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR));
    core_domain_ref_clear(&dom);
}

/* A guest that opens and closes its port is told of at a bounded rate, the last
 * word always. */
static void
test_channel_flaps(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "flapping");

    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "id18 suspended/0 ");
    assert_in_xml(f, &dom, "state='connected'", true);
    fixture_wait_events(f, "id18 ");
    assert_in_xml(f, &dom, "state='disconnected'", true);
    core_domain_ref_clear(&dom);
}

/* What the guest makes of its clock is the running domain's adjustment, for the
 * next daemon, too. */
static void
test_clock_is_kept(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "clock");

    assert_in_xml(f, &dom, "adjustment='-5' basis='utc'", true);
    assert_true(core_call_suspend(f->state, &f->caller, &dom, NULL));
    fixture_wait_events(f, "id2 suspended/0 ");
    assert_in_xml(f, &dom, "adjustment='1' basis='utc'", true);
    fixture_wait_events(f, "id2 ");
    assert_in_xml(f, &dom, "adjustment='100' basis='utc'", true);
    fixture_stop(f);
    fixture_start(f, false);
    assert_in_xml(f, &dom, "adjustment='100' basis='utc'", true);
    core_domain_ref_clear(&dom);
}

/* --- drives for discs
 * ------------------------------------------------------------
 */

/* The drive sda, with @image in it; NULL: nothing */
static char *
drive_xml(const Fixture *f, const char *image)
{
    g_autofree char *source =
        image ? g_strdup_printf("<source file='%s/%s'/>", f->dir, image) : NULL;

    return g_strdup_printf("<disk type='file' device='cdrom'>%s"
                           "<target dev='sda' bus='scsi'/></disk>",
                           source ? source : "");
}

static void
make_disc(const Fixture *f)
{
    g_autofree char *path = g_build_filename(f->dir, "disc", NULL);

    assert_true(g_file_set_contents(path, "12345678", 8, NULL));
    assert_int_equal(truncate(path, 65536), 0);
}

static bool
put_in(Fixture *f, const VirtkvmDomainRef *dom, const char *image,
       unsigned flags, GError **error)
{
    g_autofree char *xml = drive_xml(f, image);

    return core_call_update(f->state, &f->caller, dom, xml, flags, error);
}

static void
test_media(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "");
    g_autofree char *drive = drive_xml(f, NULL);
    g_autoptr(GError) error = NULL;

    make_disc(f);
    /* a controller comes with it */
    assert_true(
        core_call_attach(f->state, &f->caller, &dom, drive, LIVE, NULL));
    assert_in_xml(f, &dom, "<alias name='scsi0-0-0-0'/>", true);
    assert_in_xml(f, &dom, "<alias name='scsi0'/>", true);
    assert_true(put_in(f, &dom, "disc", LIVE, NULL));
    fixture_wait_events(f, "id19 id10 id10 ");
    assert_in_xml(f, &dom, "<source file='", true);
    assert_in_xml(f, &dom, "tray=", false);
    assert_false(put_in(f, &dom, "absent", LIVE, &error));
    assert_non_null(strstr(error->message, "disk 'sda'"));
    assert_in_xml(f, &dom, "absent", false);
    assert_true(put_in(f, &dom, NULL, LIVE, NULL));
    assert_true(
        core_call_detach(f->state, &f->caller, &dom, drive, LIVE, NULL));
    assert_in_xml(f, &dom, "scsi0-0-0-0", false);
    core_domain_ref_clear(&dom);
}

static void
test_locked_tray(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "locked");
    g_autofree char *drive = drive_xml(f, "disc");
    g_autoptr(GError) error = NULL;

    make_disc(f);
    assert_true(
        core_call_attach(f->state, &f->caller, &dom, drive, LIVE, NULL));
    assert_false(put_in(f, &dom, NULL, LIVE, &error));
    assert_string_equal(error->message,
                        "timed out waiting to open tray of 'sda'");
    assert_in_xml(f, &dom, "/disc'", true);
    assert_true(
        put_in(f, &dom, NULL, LIVE | VIR_DOMAIN_DEVICE_MODIFY_FORCE, NULL));
    core_domain_ref_clear(&dom);
}

/* The guest lets go of it a little later. */
static void
test_unlocked_tray(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "unlocks");
    g_autofree char *drive = drive_xml(f, "disc");

    make_disc(f);
    assert_true(
        core_call_attach(f->state, &f->caller, &dom, drive, LIVE, NULL));
    assert_true(put_in(f, &dom, NULL, LIVE, NULL));
    assert_in_xml(f, &dom, "/disc'", false);
    core_domain_ref_clear(&dom);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_block_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_net_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_balloon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attach_and_detach, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_warnings_of_a_new_device, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_both_or_neither, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guest_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guest_takes_its_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_io_error_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_io_error_stops_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_channel_flaps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_media, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locked_tray, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unlocked_tray, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
