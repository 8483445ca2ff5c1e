/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolve-place.h"

/* Disks: opened, locked, and how the engine is told of them. */

static void
test_members(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = place_disk(
        place, "a.raw", "raw",
        "cache='writethrough' error_policy='stop' io='threads' discard='unmap' "
        "iothread='1' detect_zeroes='on' queues='4' queue_size='128' "
        "packed='on'",
        "<iotune><total_iops_sec>500</total_iops_sec><group_name>g</group_name>"
        "</iotune><serial>0123456789012345678\xc3\xa4</serial><blockio "
        "logical_block_size='4096'/>");
    g_autoptr(EngineResolved) resolved =
        place_resolve_disk(place, "a", disk, NULL);
    json_t *device = first_device(resolved);
    json_t *drive = json_object_get(device, "drive");
    json_t *expected = json_pack(
        "{s:s,s:s,s:i,s:i,s:b,s:i,s:i,s:i,s:s,s:s,s:b,s:s,s:s,s:O,s:b,s:s,s:i,"
        "s:{s:i,s:s}}",
        "type", "virtio-blk", "id", "virtio-disk0", "slot", 3, "function", 0,
        "packed", 1, "queues", 4, "queue_size", 128, "iothread", 2, "discard",
        "unmap", "detect_zeroes", "on", "write_cache", 0, "werror", "stop",
        "rerror", "stop", "drive", drive, "readonly", 0, "serial",
        "0123456789012345678", "logical_block_size", 4096, "throttle",
        "total_iops_sec", 500, "group", "g");
    g_autofree char *path = place_path(place, "a.raw");
    int fd = (int)json_integer_value(json_object_get(drive, "fd"));

    assert_true(json_equal(device, expected));
    assert_string_equal(string_of(drive, "path"), path);
    assert_string_equal(string_of(drive, "aio"), "threads");
    assert_true(json_is_true(json_object_get(drive, "writable")));
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_DIRECT),
                     O_RDWR);
    json_decref(expected);
    json_decref(device);
}

/* Where nothing is said: a queue for each vCPU, as many as the engine takes. */
static void
test_queues_by_themselves(void **state)
{
    static const struct {
        unsigned vcpus;
        int queues; /* 0: not told */
    } cases[] = { { 1, 0 }, { 4, 4 }, { 16, 16 }, { 40, 16 } };
    const Place *place = *state;
    g_autofree char *disk = place_disk(place, "a.raw", "raw", "", "");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDomain) domain = place_domain(place, "a", disk);
        g_autoptr(EngineResolved) resolved = NULL;
        json_t *device;

        domain->vcpus.max = cases[i].vcpus;
        resolved = place_resolve(place, domain, NULL);
        assert_non_null(resolved);
        device = first_device(resolved);
        assert_int_equal(json_integer_value(json_object_get(device, "queues")),
                         cases[i].queues);
        json_decref(device);
    }
}

static void
test_readonly_is_opened_so(void **state)
{
    const Place *place = *state;
    g_autofree char *disk =
        place_disk(place, "a.raw", "raw", "", "<readonly/>");
    g_autoptr(EngineResolved) resolved =
        place_resolve_disk(place, "a", disk, NULL);
    json_t *device = first_device(resolved);
    json_t *drive = json_object_get(device, "drive");
    int fd = (int)json_integer_value(json_object_get(drive, "fd"));

    assert_true(json_is_true(json_object_get(device, "readonly")));
    assert_true(json_is_false(json_object_get(drive, "writable")));
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    json_decref(device);
}

/* --- locks ------------------------------------------------------------------
 */
static void
test_locks(void **state)
{
    static const struct {
        const char *first, *second;
        bool together;
    } cases[] = {
        { "", "", false },
        { "", "<readonly/>", false },
        { "<readonly/>", "", false },
        { "<readonly/>", "<readonly/>", true },
        { "<shareable/>", "<shareable/>", true },
        { "<shareable/>", "", false },
        { "", "<shareable/>", false },
        { "<readonly/><shareable/>", "<shareable/>", true },
    };
    const Place *place = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *one =
            place_disk(place, "a.raw", "raw", "", cases[i].first);
        g_autofree char *two =
            place_disk(place, "a.raw", "raw", "", cases[i].second);
        g_autoptr(EngineResolved) first =
            place_resolve_disk(place, "one", one, NULL);
        g_autoptr(EngineResolved) second =
            place_resolve_disk(place, "two", two, &error);

        assert_non_null(first);
        assert_int_equal(second != NULL, cases[i].together);
        if (cases[i].together)
            continue;
        assert_int_equal(error_code(error), VIR_ERR_RESOURCE_BUSY);
        assert_non_null(strstr(error->message, "a.raw' is in use by the domain "
                                               "'one'"));
        g_clear_pointer(&first, engine_resolved_free);
        second = place_resolve_disk(place, "two", two, NULL);
        assert_non_null(second);
    }
}

static void
test_one_device_alone(void **state)
{
    const Place *place = *state;
    g_autofree char *one = place_disk(place, "a.raw", "raw", "", "");
    g_autoptr(ConfDomain) domain = place_domain(place, "a", one);
    g_autofree char *xml = g_strdup_printf(
        "<disk type='file'><source file='%s/b.raw'/><target dev='vdb'/></disk>",
        place->folder);
    ConfDevice *device = conf_device_parse(xml, 0, NULL);
    EngineResolveContext context = { .run_dir = place->run };
    ConfDevice found = { .kind = CONF_DEVICE_DISK };
    g_autoptr(EngineResolved) resolved = NULL;
    g_autofree char *text = NULL;
    json_t *root, *argument;

    assert_true(conf_domain_add_device(domain, &device, NULL));
    conf_domain_assign_live(domain);
    found.data = conf_domain_disk(domain, "vdb");
    resolved = engine_resolve_device(domain, &found, &context, NULL);
    text = engine_resolved_document(resolved, 0);
    root = json_loads(text, 0, NULL);
    argument = json_object_get(root, "device");
    assert_int_equal(json_object_size(root), 1);
    assert_string_equal(string_of(argument, "id"), "virtio-disk1");
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(argument, "drive"), "fd")),
                     0);
    json_decref(root);
}

/* --- transient disks --------------------------------------------------------
 */
static int
fd_of(const json_t *drive)
{
    return (int)json_integer_value(json_object_get(drive, "fd"));
}

/* Two domains at once: what each writes goes into a file without a name, above
 * the image, which is only read. */
static void
test_transient(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = place_disk(place, "odd.raw", "raw", "cache='none'",
                                       "<transient shareBacking='yes'/>");
    g_autofree char *tool = g_find_program_in_path("qemu-img");
    g_autofree char *path = place_path(place, "odd.raw");
    g_autoptr(EngineResolved) one = NULL, other = NULL;
    json_t *device, *top, *base;
    uint8_t size[8];
    struct stat info;

    place_write(place, "odd.raw", "a sector that ends early", 24);
    if (!tool) {
        assert_disk_refused(place, disk, VIR_ERR_SYSTEM_ERROR, "'qemu-img'");
        return;
    }
    one = place_resolve_disk(place, "a", disk, NULL);
    other = place_resolve_disk(place, "b", disk, NULL);
    assert_non_null(other);
    device = first_device(one);
    top = json_object_get(device, "drive");
    base = json_object_get(top, "backing");
    assert_string_equal(string_of(top, "format"), "qcow2");
    assert_true(json_is_true(json_object_get(top, "writable")));
    assert_int_equal(fstat(fd_of(top), &info), 0);
    assert_int_equal(info.st_nlink, 0);
    assert_int_equal(fcntl(fd_of(top), F_SETFL, 0), 0);
    assert_int_equal(pread(fd_of(top), size, sizeof(size), 24), sizeof(size));
    assert_int_equal(size[6] << 8 | size[7], 512);
    assert_string_equal(string_of(base, "path"), path);
    assert_true(json_is_false(json_object_get(base, "writable")));
    assert_int_equal(fcntl(fd_of(base), F_GETFL) & O_ACCMODE, O_RDONLY);
    json_decref(device);
}

static void
test_what_cannot_be_transient(void **state)
{
    static const char *const disks[] = {
        "<disk type='file'><source file='/i'/><target dev='vda'/><readonly/>"
        "<transient/></disk>",
        "<disk type='block'><source dev='/i'/><target dev='vda'/><transient/>"
        "</disk>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autoptr(ConfDevice) device = conf_device_parse(disks[i], 0, NULL);
        g_autoptr(GError) error = NULL;

        assert_false(conf_device_check_start(device, NULL, &error));
        assert_non_null(strstr(error->message, "<transient>"));
    }
}

/* --- on a SCSI controller ---------------------------------------------------
 */
/* Device @index; owned */
static json_t *
nth_device(const EngineResolved *resolved, size_t index)
{
    g_autofree char *text = engine_resolved_document(resolved, -1);
    json_t *root = json_loads(text, 0, NULL);
    json_t *device =
        json_incref(json_array_get(json_object_get(root, "devices"), index));

    json_decref(root);
    assert_non_null(device);
    return device;
}

static void
test_units(void **state)
{
    const Place *place = *state;
    g_autofree char *disks = g_strdup_printf(
        "<disk type='file'><driver name='qemu' type='raw' discard='unmap' "
        "cache='writethrough'/><source file='%s/a.raw'/><target dev='sdb' "
        "bus='scsi' rotation_rate='7200'/><serial>a serial number of 24 "
        "bytes</serial><wwn>5000c50015ea71ac</wwn><vendor>ACME</vendor>"
        "<product>Anvil</product></disk>"
        "<disk type='file' device='cdrom'><target dev='sdc' bus='scsi'/></disk>"
        "<controller type='scsi' index='0'><driver queues='2' iothread='7' "
        "packed='on'/></controller>",
        place->folder);
    g_autoptr(EngineResolved) resolved =
        place_resolve_disk(place, "a", disks, NULL);
    json_t *controller = nth_device(resolved, 0);
    json_t *disk = nth_device(resolved, 1), *disc = nth_device(resolved, 2);
    json_t *expected = json_pack(
        "{s:s,s:s,s:i,s:i,s:b,s:i,s:i}", "type", "virtio-scsi", "id", "scsi0",
        "slot", 3, "function", 0, "packed", 1, "queues", 2, "iothread", 1);

    assert_true(json_equal(controller, expected));
    json_decref(expected);
    expected = json_pack(
        "{s:s,s:s,s:s,s:s,s:i,s:i,s:O,s:s,s:s,s:s,s:s,s:i,s:b,s:s,s:b}", "type",
        "unit", "id", "scsi0-0-0-1", "device", "disk", "controller", "scsi0",
        "target", 0, "lun", 1, "drive", json_object_get(disk, "drive"),
        "serial", "a serial number of 24 bytes", "vendor", "ACME", "product",
        "Anvil", "wwn", "5000c50015ea71ac", "rotation_rate", 7200, "readonly",
        0, "discard", "unmap", "write_cache", 0);
    assert_true(json_equal(disk, expected));
    json_decref(expected);
    expected = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:b}", "type", "unit", "id",
                         "scsi0-0-0-2", "device", "cdrom", "controller",
                         "scsi0", "target", 0, "lun", 2, "readonly", 1);
    assert_true(json_equal(disc, expected));
    json_decref(expected);
    json_decref(controller);
    json_decref(disk);
    json_decref(disc);
}

static void
test_missing_media(void **state)
{
    static const char disc[] =
        "<disk type='file' device='cdrom'><source file='%s/none.iso' "
        "startupPolicy='%s'/><target dev='sda' bus='scsi'/></disk>";
    const Place *place = *state;
    g_autofree char *needed = g_strdup_printf(disc, place->folder, "requisite");
    g_autofree char *optional =
        g_strdup_printf(disc, place->folder, "optional");
    g_autoptr(ConfDomain) domain = place_domain(place, "a", optional);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    EngineResolveContext context = { .run_dir = place->run,
                                     .warnings = warnings };
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    json_t *device = nth_device(resolved, 1);

    assert_null(json_object_get(device, "drive"));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "none.iso"));
    assert_true(conf_disk_is_empty(conf_domain_disk(domain, "sda")));
    json_decref(device);
    assert_disk_refused(place, needed, VIR_ERR_SYSTEM_ERROR, "none.iso");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_queues_by_themselves),
        cmocka_unit_test(test_readonly_is_opened_so),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_one_device_alone),
        cmocka_unit_test(test_transient),
        cmocka_unit_test(test_what_cannot_be_transient),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_missing_media),
    };

    return cmocka_run_group_tests(tests, place_setup, place_teardown);
}
