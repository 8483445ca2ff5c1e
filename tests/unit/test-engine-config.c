/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/config.h"
#include "util/error.h"

#define UUID "9b2dd0b5-6a4f-4f0e-9c43-0e6bd2a5ad01"
#define REQUIRED                                                 \
    "\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":134217728," \
    "\"kernel\":{\"path\":\"/k\"}"

static void
test_defaults(void **state)
{
    g_autoptr(EngineConfig) config =
        engine_config_parse("{" REQUIRED "}", NULL);

    assert_non_null(config);
    assert_string_equal(config->name, "a");
    assert_int_equal(config->machine, ENGINE_MACHINE_Q35);
    assert_int_equal(config->memory, 134217728);
    assert_int_equal(config->vcpus, 1);
    assert_int_equal(config->cpu.sockets, 1);
    assert_int_equal(config->cpu.threads, 1);
    assert_int_equal(config->kernel.fd, -1);
    assert_int_equal(config->initrd.fd, -1);
    assert_string_equal(config->cmdline, "");
    assert_true(config->acpi && config->apic && config->pae);
    assert_true(config->kvmclock && config->pit && config->rtc);
    assert_false(engine_config_has_firmware(config));
    assert_false(config->boot.menu || config->boot.serial);
    assert_int_equal(config->boot.reboot_timeout_ms, -1);
    assert_false(config->serials[0].present);
    assert_int_equal(config->on_poweroff, ENGINE_ACTION_DESTROY);
    assert_int_equal(config->on_reboot, ENGINE_ACTION_RESTART);
    assert_int_equal(config->on_crash, ENGINE_ACTION_DESTROY);
    assert_false(config->paused);
}

static void
test_every_member(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{\"name\":\"b\",\"uuid\":\"" UUID "\",\"machine\":\"microvm\","
        "\"memory\":8589934592,\"vcpus\":6,\"topology\":{\"sockets\":1,"
        "\"dies\":2,\"cores\":2,\"threads\":2},\"cpu\":{\"mode\":\"custom\","
        "\"model\":\"EPYC\",\"vendor\":\"AMD\",\"features\":[{\"name\":\"avx\","
        "\"policy\":\"disable\"},{\"name\":\"svm\",\"policy\":\"require\"}]},"
        "\"kernel\":{\"fd\":7},\"initrd\":{\"fd\":8,\"path\":\"i\"},"
        "\"cmdline\":\"quiet\",\"features\":{\"acpi\":true,\"apic\":true,"
        "\"pae\":false,\"kvm-hidden\":true},\"clock\":{\"offset_s\":-3600,"
        "\"kvmclock\":false,\"pit\":false,\"pit_late_ticks\":true,\"rtc\":"
        "false,"
        "\"tsc_hz\":2000000000},\"serials\":[{\"port\":2,\"chardev\":{"
        "\"type\":\"pty\",\"fd\":9,\"log_fd\":10}}],\"debug_exit\":true,"
        "\"on_poweroff\":\"preserve\",\"on_reboot\":\"destroy\","
        "\"on_crash\":\"restart\",\"paused\":true}",
        &error);

    assert_non_null(config);
    assert_int_equal(config->machine, ENGINE_MACHINE_MICROVM);
    assert_int_equal(config->memory, 8589934592);
    assert_int_equal(config->cpu.dies, 2);
    assert_int_equal(config->cpu.mode, ENGINE_CPU_CUSTOM);
    assert_string_equal(config->cpu.model, "EPYC");
    assert_int_equal(config->cpu.n_features, 2);
    assert_string_equal(config->cpu.features[1].name, "svm");
    assert_int_equal(config->cpu.features[1].policy, ENGINE_CPU_POLICY_REQUIRE);
    assert_int_equal(config->kernel.fd, 7);
    assert_string_equal(config->initrd.path, "i");
    assert_true(config->acpi && config->kvm_hidden && !config->pae);
    assert_int_equal(config->clock_offset_s, -3600);
    assert_false(config->kvmclock || config->pit || config->rtc);
    assert_true(config->pit_late_ticks);
    assert_int_equal(config->tsc_hz, 2000000000);
    assert_true(config->serials[2].present);
    assert_false(config->serials[0].present);
    assert_int_equal(config->serials[2].chardev.type, ENGINE_CHARDEV_PTY);
    assert_int_equal(config->serials[2].chardev.log_fd, 10);
    assert_true(config->debug_exit && config->paused);
    assert_int_equal(config->on_poweroff, ENGINE_ACTION_PRESERVE);
    assert_int_equal(config->on_crash, ENGINE_ACTION_RESTART);
}

static void
test_boot(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{" REQUIRED ",\"boot\":{\"menu\":true,\"menu_timeout_ms\":3000,"
        "\"reboot_timeout_ms\":500,\"serial\":true},\"devices\":[{\"type\":"
        "\"virtio-rng\",\"id\":\"r\",\"slot\":3,\"fd\":7,\"bootindex\":2}]}",
        &error);

    assert_null(error);
    assert_true(config->boot.menu && config->boot.serial);
    assert_int_equal(config->boot.menu_timeout_ms, 3000);
    assert_int_equal(config->boot.reboot_timeout_ms, 500);
    assert_int_equal(config->devices[0]->bootindex, 2);
}

static void
test_flash(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":134217728,"
        "\"firmware\":{\"type\":\"flash\",\"path\":\"/code\","
        "\"vars\":{\"fd\":11,\"path\":\"/vars\"}}}",
        &error);

    assert_null(error);
    assert_int_equal(config->firmware.type, ENGINE_FIRMWARE_FLASH);
    assert_string_equal(config->firmware.image.path, "/code");
    assert_int_equal(config->firmware.image.fd, -1);
    assert_int_equal(config->firmware.vars.fd, 11);
    assert_string_equal(config->firmware.vars.path, "/vars");
    assert_false(config->firmware.writable);
    assert_int_equal(config->fds->len, 1);
}

static void
test_devices(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{" REQUIRED ",\"devices\":[{\"type\":\"virtio-rng\",\"id\":\"rng0\","
        "\"slot\":3,\"fd\":7},{\"id\":\"rng1\",\"slot\":3,\"function\":1,"
        "\"type\":\"virtio-rng\",\"packed\":true,\"fd\":8,\"rate\":{"
        "\"bytes\":100,\"period_ms\":50}}]}",
        &error);

    assert_null(error);
    assert_int_equal(config->n_devices, 2);
    assert_int_equal(config->devices[0]->kind, ENGINE_DEVICE_VIRTIO_RNG);
    assert_int_equal(config->devices[0]->slot, 3);
    assert_int_equal(config->devices[0]->function, 0);
    assert_int_equal(config->devices[0]->rng.fd, 7);
    assert_int_equal(config->devices[0]->rng.bytes, 0);
    assert_false(config->devices[0]->packed);
    assert_string_equal(config->devices[1]->id, "rng1");
    assert_int_equal(config->devices[1]->function, 1);
    assert_true(config->devices[1]->packed);
    assert_int_equal(config->devices[1]->rng.bytes, 100);
    assert_int_equal(config->devices[1]->rng.period_ms, 50);
}

static void
test_net(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{" REQUIRED ",\"devices\":[{\"type\":\"virtio-net\",\"id\":\"net0\","
        "\"slot\":3,\"mac\":\"52:54:00:aB:cd:01\",\"mtu\":9000,\"queues\":2,"
        "\"queue_size\":512,\"link\":false,\"offload\":false,\"backend\":{"
        "\"fds\":[5,6],\"type\":\"tap\"},\"bandwidth\":{\"inbound\":{"
        "\"average\":1000,\"peak\":5000,\"burst\":64}}},{\"type\":"
        "\"virtio-net\",\"id\":\"net1\",\"slot\":4,\"mac\":"
        "\"52:54:00:00:00:01\",\"backend\":{\"type\":\"stream\",\"fd\":7}}]}",
        &error);
    static const uint8_t mac[] = { 0x52, 0x54, 0, 0xab, 0xcd, 1 };
    const EngineNetConfig *net;

    assert_null(error);
    net = &config->devices[0]->net;
    assert_memory_equal(net->mac, mac, sizeof(mac));
    assert_int_equal(net->mtu, 9000);
    assert_int_equal(net->queues, 2);
    assert_int_equal(net->queue_size, 512);
    assert_false(net->link || net->offload);
    assert_int_equal(net->backend.kind, ENGINE_NET_TAP);
    assert_int_equal(net->backend.fds[1], 6);
    assert_int_equal(net->bandwidth.inbound.average_kib, 1000);
    assert_int_equal(net->bandwidth.inbound.burst_kib, 64);
    assert_int_equal(net->bandwidth.outbound.average_kib, 0);
    net = &config->devices[1]->net;
    assert_int_equal(net->mtu, 0);
    assert_int_equal(net->queues, 1);
    assert_int_equal(net->queue_size, 256);
    assert_true(net->link && net->offload);
    assert_int_equal(net->backend.kind, ENGINE_NET_STREAM);
    assert_int_equal(net->backend.fd, 7);
    assert_int_equal(config->fds->len, 3);
}

#define NET(MAC, MORE)                                                 \
    "[{\"type\":\"virtio-net\",\"id\":\"n\",\"slot\":3,\"mac\":\"" MAC \
    "\",\"backend\":" MORE "}]"
#define MAC "52:54:00:00:00:01"
#define TAP "{\"type\":\"tap\",\"fds\":[5]}"

#define RNG(SLOT, MORE) \
    "{\"type\":\"virtio-rng\",\"id\":\"r\",\"slot\":" SLOT MORE "}"

#define DISK(more)                                                 \
    "{\"type\":\"virtio-blk\",\"id\":\"virtio-disk0\",\"slot\":4," \
    "\"drive\":{\"format\":\"qcow2\",\"fd\":5,\"path\":\"/a\"}" more "}"

static void
test_disk(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{" REQUIRED ",\"devices\":[{\"type\":\"virtio-blk\",\"id\":\"d\","
        "\"slot\":3,\"queues\":4,\"queue_size\":128,\"drive\":{\"format\":"
        "\"qcow2\",\"fd\":5,\"path\":\"/top\",\"writable\":true,"
        "\"direct\":true,\"aio\":\"threads\",\"backing\":{\"format\":\"raw\","
        "\"fd\":6,\"path\":\"/base\",\"size\":1048576}},\"serial\":\"s1\","
        "\"logical_block_size\":4096,\"physical_block_size\":8192,"
        "\"discard\":\"unmap\",\"detect_zeroes\":\"on\","
        "\"write_cache\":false,\"flush\":\"ignore\",\"werror\":\"stop\","
        "\"rerror\":\"ignore\",\"throttle\":{\"group\":\"g\","
        "\"total_bytes_sec\":100,\"total_bytes_sec_max\":200,"
        "\"total_bytes_sec_max_length\":3,\"read_iops_sec\":7,"
        "\"size_iops_sec\":4096}}," DISK("") "]}",
        &error);
    const EngineBlkConfig *disk;

    assert_non_null(config);
    disk = &config->devices[0]->blk;
    assert_int_equal(disk->queues, 4);
    assert_true(disk->drive.writable && disk->drive.direct);
    assert_int_equal(disk->drive.aio, ENGINE_DRIVE_AIO_THREADS);
    assert_string_equal(disk->drive.backing->path, "/base");
    assert_int_equal(disk->drive.backing->size, 1048576);
    assert_true(disk->discard && disk->ignore_flush && !disk->write_cache);
    assert_int_equal(disk->werror, ENGINE_BLK_STOP);
    assert_int_equal(disk->rerror, ENGINE_BLK_IGNORE);
    assert_int_equal(disk->throttle.rates[ENGINE_THROTTLE_TOTAL_BYTES].peak,
                     200);
    assert_int_equal(disk->throttle.rates[ENGINE_THROTTLE_READ_IOPS].average,
                     7);
    assert_int_equal(config->fds->len, 3);
    disk = &config->devices[1]->blk;
    assert_int_equal(disk->queues, 1);
    assert_int_equal(disk->queue_size, 256);
    assert_true(disk->write_cache && !disk->ignore_flush && !disk->discard);
    assert_int_equal(disk->werror, ENGINE_BLK_ENOSPACE);
    assert_int_equal(disk->rerror, ENGINE_BLK_REPORT);
}

#define UNIT(members)                                                      \
    "[{\"type\":\"virtio-scsi\",\"id\":\"scsi0\",\"slot\":4},"             \
    "{\"type\":\"unit\",\"id\":\"disk\",\"controller\":\"scsi0\"," members \
    "}]"
#define CDROM "\"device\":\"cdrom\""

static void
test_units(void **state)
{
    g_autoptr(EngineConfig) config = engine_config_parse(
        "{" REQUIRED ",\"devices\":" UNIT(
            CDROM ",\"target\":3,\"lun\":16383,\"vendor\":\"ACME\","
                  "\"wwn\":\"ffffc50015ea71ac\",\"rotation_rate\":7200,"
                  "\"serial\":\"a serial number of thirty-six bytes\"") "}",
        NULL);
    const EngineDeviceConfig *device = config->devices[0];

    assert_int_equal(device->kind, ENGINE_DEVICE_VIRTIO_SCSI);
    assert_int_equal(device->scsi.queues, 1);
    assert_int_equal(device->scsi.queue_size, 256);
    assert_int_equal(device->scsi.max_sectors, 65535);
    device = config->devices[1];
    assert_int_equal(device->kind, ENGINE_DEVICE_UNIT);
    assert_int_equal(device->slot, 0);
    assert_int_equal(device->unit.kind, ENGINE_UNIT_CDROM);
    assert_string_equal(device->unit.controller, "scsi0");
    assert_int_equal(device->unit.target, 3);
    assert_int_equal(device->unit.lun, 16383);
    assert_string_equal(device->unit.vendor, "ACME");
    assert_true(device->unit.wwn == 0xffffc50015ea71acull);
    assert_int_equal(device->unit.rotation_rate, 7200);
    assert_string_equal(device->blk.serial,
                        "a serial number of thirty-six bytes");
    assert_null(device->blk.drive.path);
    assert_int_equal(device->blk.drive.fd, -1);
    assert_int_equal(device->blk.werror, ENGINE_BLK_ENOSPACE);
}

static void
test_devices_are_checked(void **state)
{
    static const struct {
        const char *devices, *named;
    } cases[] = {
        { "{}", "'devices'" },
        { "[{}]", "'devices[0]." },
        { "[{\"type\":\"virtio-cow\"}]", "'devices[0].type'" },
        { "[" RNG("0", ",\"fd\":3") "]", "'devices[0].slot'" },
        { "[" RNG("32", ",\"fd\":3") "]", "'devices[0].slot'" },
        { "[" RNG("3", "") "]", "'devices[0].fd'" },
        { "[" RNG("3", ",\"fd\":3,\"path\":\"x\"") "]", "'devices[0].path'" },
        { "[" RNG("3", ",\"fd\":3,\"rate\":{\"bytes\":0}") "]",
          "'devices[0].rate.bytes'" },
        { "[" RNG("3", ",\"fd\":3") "," RNG("3", ",\"fd\":4") "]",
          "'devices[1]'" },
        { "[" DISK(
              ",\"bootindex\":1") ",{\"type\":\"virtio-rng\",\"id\":"
                                  "\"r\",\"slot\":3,\"fd\":3,\"bootindex\":1}]",
          "has a 'bootindex' that" },
        { "[{\"type\":\"virtio-blk\",\"id\":\"d\",\"slot\":4}]",
          "'devices[0].drive'" },
        { "[" DISK(",\"queues\":17") "]", "'devices[0].queues'" },
        { "[" DISK(",\"queue_size\":100") "]", "'devices[0].queue_size'" },
        { "[" DISK(",\"logical_block_size\":1000") "]",
          "'devices[0].logical_block_size'" },
        { "[" DISK(",\"rerror\":\"enospace\"") "]", "'devices[0].rerror'" },
        { "[" DISK(",\"throttle\":{\"read_iops_sec_max\":1}") "]",
          "'devices[0].throttle.read_iops_sec'" },
        { "[" DISK(",\"throttle\":{\"total_iops_sec\":1,"
                   "\"write_iops_sec\":1}") "]",
          "'devices[0].throttle.total_iops_sec'" },
        { "[{\"type\":\"virtio-blk\",\"id\":\"d\",\"slot\":4,\"drive\":{"
          "\"format\":\"raw\",\"fd\":5,\"path\":\"/a\",\"backing\":{"
          "\"format\":\"raw\",\"fd\":5,\"path\":\"/a\",\"writable\":true}}}]",
          "'devices[0].drive.backing'" },
        { UNIT("\"device\":\"disk\""), "'devices[1].drive'" },
        { UNIT("\"device\":\"tape\""), "'devices[1].device'" },
        { UNIT(CDROM ",\"slot\":4"), "'devices[1].slot'" },
        { UNIT(CDROM ",\"lun\":16384"), "'devices[1].lun'" },
        { UNIT(CDROM ",\"target\":256"), "'devices[1].target'" },
        { UNIT(CDROM ",\"wwn\":\"5000c50015ea71a\""), "'devices[1].wwn'" },
        { UNIT(CDROM ",\"wwn\":\"0x00c50015ea71ac\""), "'devices[1].wwn'" },
        { UNIT(CDROM ",\"vendor\":\"too long a\""), "'devices[1].vendor'" },
        { "[{\"type\":\"virtio-scsi\",\"id\":\"scsi0\",\"slot\":4,"
          "\"queues\":17}]",
          "'devices[0].queues'" },
        { "[{\"type\":\"unit\",\"id\":\"d\",\"device\":\"cdrom\"}]",
          "'devices[0].controller'" },
        { NET("52:54:00:00:00", TAP), "'devices[0].mac'" },
        { NET("52:54:00:00:00:0g", TAP), "'devices[0].mac'" },
        { NET("52-54-00-00-00-01", TAP), "'devices[0].mac'" },
        { NET("53:54:00:00:00:01", TAP), "'devices[0].mac'" },
        { NET(MAC, "5"), "'devices[0].backend'" },
        { NET(MAC, "{\"fds\":[5]}"), "'devices[0].backend.type'" },
        { NET(MAC, "{\"type\":\"bridge\"}"), "'devices[0].backend.type'" },
        { NET(MAC, "{\"type\":\"tap\",\"fd\":5}"), "'devices[0].backend.fd'" },
        { NET(MAC, "{\"type\":\"tap\",\"fds\":[-1]}"),
          "'devices[0].backend.fds[0]'" },
        { NET(MAC, "{\"type\":\"tap\",\"fds\":[]}"), "'devices[0].queues'" },
        { NET(MAC, "{\"type\":\"stream\"}"), "'devices[0].backend.fd'" },
        { NET(MAC, TAP ",\"queues\":2"), "'devices[0].queues'" },
        { NET(MAC, TAP ",\"queues\":9"), "'devices[0].queues'" },
        { NET(MAC, TAP ",\"queue_size\":100"), "'devices[0].queue_size'" },
        { NET(MAC, TAP ",\"mtu\":67"), "'devices[0].mtu'" },
        { NET(MAC, TAP ",\"bandwidth\":{\"inbound\":{\"peak\":1}}"),
          "'devices[0].bandwidth.inbound.average'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json =
            g_strdup_printf("{" REQUIRED ",\"devices\":%s}", cases[i].devices);
        EngineConfig *config = engine_config_parse(json, &error);

        if (config || !error || !strstr(error->message, cases[i].named))
            fail_msg("case %zu, '%s': %s", i, json,
                     error ? error->message : "accepted");
    }
}

static void
test_microvm_has_no_acpi(void **state)
{
    g_autoptr(EngineConfig) config =
        engine_config_parse("{" REQUIRED ",\"machine\":\"microvm\"}", NULL);

    assert_non_null(config);
    assert_false(config->acpi);
}

static void
test_topology_default_is_sockets(void **state)
{
    g_autoptr(EngineConfig) config =
        engine_config_parse("{" REQUIRED ",\"vcpus\":3}", NULL);

    assert_non_null(config);
    assert_int_equal(config->cpu.sockets, 3);
    assert_int_equal(config->cpu.cores, 1);
}

/* Each must be refused, and the message must name the culprit. */
static const struct {
    const char *json;
    const char *named;
} refusals[] = {
    { "", "not a JSON object" },
    { "[]", "not a JSON object" },
    { "{" REQUIRED "} x", "not a JSON object" },
    { "{" REQUIRED ",\"name\":\"b\"}", "not a JSON object" },
    { "{\"name\":\"a\"}", "uuid" },
    { "{" REQUIRED ",\"colour\":1}", "'colour'" },
    { "{" REQUIRED ",\"clock\":{\"hpet\":true}}", "'clock.hpet'" },
    { "{" REQUIRED ",\"machine\":\"virt\"}", "q35, pc, microvm" },
    { "{" REQUIRED ",\"machine\":3}", "'machine'" },
    { "{" REQUIRED ",\"vcpus\":0}", "'vcpus'" },
    { "{" REQUIRED ",\"vcpus\":4097}", "'vcpus'" },
    { "{" REQUIRED ",\"vcpus\":1.5}", "'vcpus'" },
    { "{" REQUIRED ",\"vcpus\":2,\"topology\":{\"cores\":1}}", "'topology'" },
    { "{" REQUIRED ",\"topology\":{\"sockets\":4096,\"cores\":4096}}",
      "'topology'" },
    { "{" REQUIRED ",\"cpu\":{\"features\":[{\"name\":\"avx\"}]}}",
      "'cpu.features[0].policy'" },
    { "{" REQUIRED ",\"features\":[]}", "'features' " },
    { "{" REQUIRED ",\"debug_exit\":1}", "'debug_exit'" },
    { "{" REQUIRED ",\"cmdline\":null}", "'cmdline'" },
    { "{" REQUIRED ",\"cmdline\":\"a\\u0000b\"}", "not a JSON object" },
    { "{" REQUIRED ",\"serials\":{}}", "'serials'" },
    { "{" REQUIRED ",\"serials\":[{\"port\":4,\"chardev\":{\"type\":"
      "\"null\"}}]}",
      "'serials[0].port'" },
    { "{" REQUIRED ",\"serials\":[{\"port\":0,\"chardev\":{\"type\":"
      "\"fd\"}}]}",
      "'serials[0]'" },
    { "{" REQUIRED ",\"serials\":[{\"port\":0,\"chardev\":{\"type\":"
      "\"null\"}},{\"port\":0,\"chardev\":{\"type\":\"null\"}}]}",
      "'serials[1]'" },
    { "{" REQUIRED ",\"serials\":[{\"port\":0,\"chardev\":{\"type\":"
      "\"fd\",\"fd\":-1}}]}",
      "'serials[0].chardev.fd'" },
    { "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":134217728,"
      "\"kernel\":{}}",
      "'kernel'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"rom\",\"fd\":3,"
      "\"vars\":{\"fd\":4}}}",
      "'firmware'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"rom\",\"fd\":3,"
      "\"writable\":true}}",
      "'firmware'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"flash\",\"fd\":3,"
      "\"vars\":4}}",
      "'firmware.vars'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"rom\"}}", "document needs 'fd'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"disk\",\"fd\":3}}",
      "'firmware.type'" },
    { "{" REQUIRED ",\"firmware\":{\"type\":\"rom\",\"fd\":3}}",
      "'kernel' of the machine document does not go with" },
    { "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":134217728,"
      "\"machine\":\"microvm\",\"firmware\":{\"type\":\"rom\",\"fd\":3}}",
      "'firmware' of the machine document is not for" },
    { "{" REQUIRED ",\"boot\":{\"menu_timeout_ms\":65536}}",
      "'boot.menu_timeout_ms'" },
    { "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":134217729,"
      "\"kernel\":{\"fd\":3}}",
      "'memory'" },
    { "{\"name\":\"a\",\"uuid\":\"" UUID "\",\"memory\":-1,"
      "\"kernel\":{\"fd\":3}}",
      "'memory'" },
    { "{\"name\":\"a\",\"uuid\":\"9b2dd0b5-6a4f-4f0e-9c43-0e6bd2a5ad0g\","
      "\"memory\":134217728,\"kernel\":{\"fd\":3}}",
      "'uuid'" },
    { "{\"name\":\"\",\"uuid\":\"" UUID "\",\"memory\":134217728,"
      "\"kernel\":{\"fd\":3}}",
      "'name'" },
};

static void
test_refusals(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(GError) error = NULL;
        EngineConfig *config = engine_config_parse(refusals[i].json, &error);

        if (config || !error || !strstr(error->message, refusals[i].named))
            fail_msg("case %zu, '%s': %s", i, refusals[i].json,
                     error ? error->message : "accepted");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_flash),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_devices_are_checked),
        cmocka_unit_test(test_microvm_has_no_acpi),
        cmocka_unit_test(test_topology_default_is_sockets),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
