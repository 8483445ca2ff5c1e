/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf-domain.h"
#include "util/error.h"

/* What a domain says that no guest can have: refused at its start, or warned of
 * where it does not matter. */

static bool
start(const char *xml, GPtrArray *warnings, char **ret_message)
{
    g_autoptr(ConfDomain) domain = parse(xml);
    g_autoptr(GError) error = NULL;
    bool fine = conf_domain_check_start(domain, warnings, &error);

    assert_true(fine == !error);
    if (error) {
        assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
        *ret_message = g_strdup(error->message);
    }
    return fine;
}

static void
assert_start_refused(const char *xml, const char *words)
{
    g_autofree char *message = NULL;

    assert_false(start(xml, NULL, &message));
    if (!strstr(message, words))
        fail_msg("'%s' lacks '%s'", message, words);
}

static const struct {
    const char *xml, *words;
} refused[] = {
    { HEAD OS "<devices><frobnicator/></devices></domain>", "<frobnicator>" },
    { HEAD OS "<vcpu sideways='yes'>1</vcpu></domain>",
      "'sideways' of <vcpu>" },
    { HEAD "<os><type machine='microvm'>hvm</type></os></domain>", "<kernel>" },
    { HEAD "<os><type>hvm</type><kernel>/k</kernel>"
           "<loader>/l</loader></os></domain>",
      "remove <loader>" },
    { HEAD "<os><type>hvm</type><boot dev='hd'/></os>"
           "<devices><interface type='user'><model "
           "type='virtio'/><boot order='1'/></interface>"
           "</devices></domain>",
      "os/boot" },
    { HEAD "<os><type>hvm</type></os>"
           "<devices><interface type='user'><model "
           "type='virtio'/><boot order='3'/></interface>"
           "<interface type='user'><model type='virtio'/>"
           "<boot order='3'/></interface></devices>"
           "</domain>",
      "boot order '3' used" },
    { HEAD "<os><type machine='microvm'>hvm</type><kernel>/k"
           "</kernel><loader>/l</loader></os></domain>",
      "a microvm has no firmware" },
    { HEAD "<os><type>hvm</type><loader secure='yes' "
           "type='pflash'>/l</loader></os></domain>",
      "'secure' of <loader> cannot be honoured: secure" },
    { HEAD "<os firmware='efi'><type>hvm</type><firmware>"
           "<feature enabled='yes' name='secure-boot'/>"
           "</firmware></os></domain>",
      "'enabled' of <feature> cannot be honoured: secure" },
    { HEAD "<os firmware='efi'><type>hvm</type><kernel>/k"
           "</kernel></os></domain>",
      "UEFI firmware does not start the <kernel>" },
    { HEAD "<os><type>hvm</type><loader format='qcow2'>/l"
           "</loader></os></domain>",
      "'format' of <loader> cannot be honoured" },
    { HEAD "<os><type>hvm</type><loader type='pflash'>/l"
           "</loader><nvram type='network'><source/></nvram>"
           "</os></domain>",
      "'type' of <nvram> cannot be honoured" },
    { HEAD OS "<cpu><numa/></cpu></domain>", "<numa>" },
    { HEAD OS "<cpu match='minimum'><model>Nehalem</model>"
              "</cpu></domain>",
      "'match'" },
    { HEAD OS
      "<devices><serial><target port='0'/></serial><serial><target port='0'/>"
      "</serial></devices></domain>",
      "port '0'" },
    { HEAD OS "<devices><serial><target port='4'/></serial>"
              "</devices></domain>",
      "'port'" },
    { HEAD OS "<devices><console><target type='xen'/>"
              "</console></devices></domain>",
      "type='serial'" },
    { HEAD "<os><type>hvm</type><kernel>/k</kernel><smbios "
           "mode='sysinfo'/></os></domain>",
      "sysinfo are not available" },
    { HEAD OS "<clock><timer name='pit' "
              "tickpolicy='merge'/></clock></domain>",
      "'tickpolicy' of <timer>" },
    { HEAD OS "<clock><timer name='rtc' track='boot'/>"
              "</clock></domain>",
      "'track' of <timer>" },
    { HEAD OS "<x:y xmlns:x='urn:x'/></domain>", "<x:y>" },
    { HEAD OS "<maxMemory slots='4'>99999</maxMemory>"
              "</domain>",
      "<maxMemory>" },
    { "<domain type='xen'><name>a</name><memory>1</memory>" OS "</domain>",
      "'xen'" },
    { HEAD OS "<devices><serial type='spicevmc'/></devices>"
              "</domain>",
      "'type' of <serial>" },
    { HEAD "<os><type machine='microvm'>hvm</type><kernel>/k</kernel></os>"
           "<devices><console><target type='virtio'/></console></devices>"
           "</domain>",
      "<console> cannot be honoured: a microvm" },
};

static void
test_start_refuses_by_name(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        assert_start_refused(refused[i].xml, refused[i].words);
}

static void
test_start_warns_of_the_harmless(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS
                      "<features><acpi/></features><clock><timer name='rtc' "
                      "tickpolicy='delay'/></clock>"
                      "<devices><sound model='ich6'/><video/><video/>"
                      "<controller type='usb'/><memballoon model='none'/>"
                      "<input type='tablet'/></devices></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 4);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "'tickpolicy'"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 1), "<input>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 2), "<sound>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 3), "<video>"));
}

static void
test_start_warns_of_what_no_guest_has(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS
                      "<features><acpi/></features><devices>"
                      "<channel type='unix'><target type='virtio' name='a'/>"
                      "</channel><channel type='spicevmc'><target "
                      "type='virtio' name='b'/></channel><console type='pty'>"
                      "<target type='virtio'/></console><panic model='isa'/>"
                      "<panic model='hyperv'/></devices></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 2);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<channel>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 1), "<panic>"));
}

static void
test_start_says_what_becomes_of_actions(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS "<on_reboot>destroy</on_reboot>"
                              "<on_crash>coredump-restart</on_crash></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<on_crash>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "dumped"));
}

/* As the tools write them, of a kernel with disks and networks. */
static void
test_start_of_the_tools_documents(void **state)
{
    static const char *const names[] = { "virt-install-disk.xml",
                                         "terraform-kernel.xml",
                                         "disks-all.xml" };
    const char *top = g_getenv("abs_top_srcdir");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(top ? top : ".", "tests",
                                                 "data", "xml", names[i], NULL);
        g_autofree char *xml = NULL, *message = NULL;

        assert_true(g_file_get_contents(path, &xml, NULL, NULL));
        if (!start(xml, NULL, &message))
            fail_msg("%s: %s", names[i], message);
    }
}

/* A disk on a bus that no guest has is refused, or taken as virtio. */
static void
test_start_of_disks_on_other_buses(void **state)
{
    static const char *const buses[] = { "ide", "sata", "usb" };

    for (size_t i = 0; i < G_N_ELEMENTS(buses); i++) {
        g_autofree char *disk = g_strdup_printf(
            "<devices><disk type='file'><source file='/a'/><target dev='sda' "
            "bus='%s'/><address type='drive' unit='0'/></disk></devices>"
            "</domain>",
            buses[i]);
        g_autofree char *plain = g_strconcat(HEAD OS, disk, NULL);
        g_autofree char *taken = g_strconcat(
            HEAD OS
            "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'><v:disk-bus>"
            "virtio</v:disk-bus></v:config></metadata>",
            disk, NULL);
        g_autoptr(ConfDomain) domain = parse(plain);
        g_autofree char *message = NULL;

        assert_start_refused(plain, "'bus' of <target>");
        assert_true(start(taken, NULL, &message));
        conf_domain_disks_as_virtio(domain);
        assert_true(conf_domain_check_start(domain, NULL, NULL));
        assert_true(conf_disk_is_virtio(conf_domain_disk(domain, "sda")));
    }
}

#define SCSI_DISK(DEVICE, MORE)                   \
    "<disk type='file' device='" DEVICE "'>" MORE \
    "<target dev='sda' bus='scsi'/></disk>"
#define SOURCE "<source file='/a'/>"

static void
test_units_start(void **state)
{
    static const char *const fine[] = {
        SCSI_DISK("disk", SOURCE),
        SCSI_DISK("cdrom", SOURCE),
        SCSI_DISK("cdrom", ""),
        SCSI_DISK("cdrom", "<wwn>5000c50015ea71ac</wwn><vendor>A</vendor>"),
        "<controller type='scsi'/>" SCSI_DISK("disk", SOURCE),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++) {
        g_autofree char *xml =
            g_strconcat(HEAD OS "<devices>", fine[i],
                        "<memballoon model='none'/></devices></domain>", NULL);
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(ConfDomain) domain = parse(xml);
        const ConfDisk *disk = conf_domain_disk(domain, "sda");
        g_autofree char *message = NULL;

        assert_true(start(xml, warnings, &message));
        assert_int_equal(warnings->len, 0);
        assert_true(conf_disk_is_unit(disk) && !conf_disk_is_virtio(disk));
        assert_non_null(
            conf_domain_controller(domain, CONF_CONTROLLER_SCSI, 0));
        conf_domain_assign_live(domain);
        assert_string_equal(disk->alias, "scsi0-0-0-0");
    }
    assert_start_refused(
        HEAD OS "<devices>" SCSI_DISK("disk", "") "</devices></domain>",
        "has no <source>");
    assert_start_refused(
        HEAD OS "<devices>" SCSI_DISK("lun", SOURCE) "</devices></domain>",
        "'device' of <disk>");
    assert_start_refused(
        HEAD OS "<devices><controller type='scsi' model='lsilogic'/>" SCSI_DISK(
            "disk", SOURCE) "</devices></domain>",
        "SCSI controller of the model 'lsilogic'");
    assert_start_refused(
        HEAD OS "<devices><disk type='file' device='cdrom'>" SOURCE
                "<target dev='vda' bus='virtio'/></disk></devices></domain>",
        "bus='scsi'");
}

static void
test_units_are_checked(void **state)
{
    static const struct {
        const char *devices, *words;
    } cases[] = {
        { SCSI_DISK("disk", SOURCE) "<disk type='file'><target dev='sdb' "
                                    "bus='scsi'/><address "
                                    "type='drive'/></disk>",
          "Found duplicate drive address for disk with target name 'sda' "
          "controller='0' bus='0' target='0' unit='0'" },
        { SCSI_DISK("disk", "<wwn>5000</wwn>"), "Malformed wwn: 5000" },
        { SCSI_DISK("disk", "<vendor>much too long</vendor>"),
          "<vendor> 'much too long'" },
        { SCSI_DISK("disk", "<address type='pci' slot='0x5'/>"),
          "type='drive'" },
        { SCSI_DISK("disk", "<address type='drive' target='256'/>"),
          "'target' attribute '256'" },
        { SCSI_DISK("disk", "<address type='drive' bus='1'/>"), "bus 1" },
        { "<controller type='scsi'><driver queues='17'/></controller>",
          "queues '17' of a SCSI controller" },
        { "<controller type='scsi'><driver iothread='1'/></controller>",
          "Controller iothread '1'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strconcat(
            HEAD OS "<devices>", cases[i].devices, "</devices></domain>", NULL);
        g_autoptr(GError) error = NULL;

        assert_null(conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error));
        if (!strstr(error->message, cases[i].words))
            fail_msg("'%s' lacks '%s'", error->message, cases[i].words);
    }
}

/* What is taken as virtio needs no controller, and gets none. */
static void
test_units_as_virtio(void **state)
{
    g_autoptr(ConfDomain) domain = parse(
        HEAD OS
        "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'>"
        "<v:disk-bus>virtio</v:disk-bus></v:config></"
        "metadata><devices>" SCSI_DISK("disk", SOURCE) "</devices></domain>");

    assert_true(conf_disk_is_virtio(conf_domain_disk(domain, "sda")));
    assert_false(conf_disk_is_unit(conf_domain_disk(domain, "sda")));
    assert_null(conf_domain_controller(domain, CONF_CONTROLLER_SCSI, 0));
}

static void
test_start_finds_vcpus_without_acpi(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS "<vcpu>2</vcpu></domain>", warnings, &message));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<acpi/>"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_refuses_by_name),
        cmocka_unit_test(test_start_warns_of_the_harmless),
        cmocka_unit_test(test_start_warns_of_what_no_guest_has),
        cmocka_unit_test(test_start_says_what_becomes_of_actions),
        cmocka_unit_test(test_start_of_the_tools_documents),
        cmocka_unit_test(test_start_of_disks_on_other_buses),
        cmocka_unit_test(test_units_start),
        cmocka_unit_test(test_units_are_checked),
        cmocka_unit_test(test_units_as_virtio),
        cmocka_unit_test(test_start_finds_vcpus_without_acpi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
