/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/device.h"
#include "util/error.h"

/* Devices apart from a domain: read, found, added, taken out, replaced. */

#define DISK(TARGET, MORE)                                               \
    "<disk type='file'><source file='/" TARGET "'/><target dev='" TARGET \
    "'/>" MORE "</disk>"
#define NET(MAC, MORE) \
    "<interface type='user'><mac address='" MAC "'/>" MORE "</interface>"
#define AT(SLOT) "<address type='pci' slot='" SLOT "'/>"

static ConfDomain *
domain_with(const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory>"
        "<iothreads>2</iothreads><os><type machine='q35'>hvm</type>"
        "<kernel>/k</kernel></os><devices>%s</devices></domain>",
        devices);
    g_autoptr(GError) error = NULL;
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

static ConfDevice *
device_of(const char *xml)
{
    g_autoptr(GError) error = NULL;
    ConfDevice *device = conf_device_parse(xml, 0, &error);

    if (!device)
        fail_msg("%s", error->message);
    return device;
}

static void
assert_error(GError *error, virErrorNumber code, const char *words)
{
    assert_non_null(error);
    assert_int_equal(error_code(error), code);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
    g_error_free(error);
}

static void
test_each_kind_comes_back(void **state)
{
    static const char *const documents[] = {
        DISK("vda", "<iotune><read_iops_sec>5</read_iops_sec></iotune>"),
        NET("52:54:00:00:00:01", "<link state='down'/>"),
        "<controller type='virtio-serial' index='0' ports='4'/>",
        "<serial type='pty'/>",
        "<console type='pty'/>",
        "<channel type='unix'><target type='virtio' name='a'/></channel>",
        "<memballoon model='virtio'/>",
        ("<rng model='virtio'><backend model='random'>/dev/random</backend>"
         "</rng>"),
        "<panic model='isa'/>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(ConfDevice) device = device_of(documents[i]);
        g_autofree char *xml = conf_device_format(device, 0);
        g_autoptr(ConfDevice) again = device_of(xml);
        g_autoptr(ConfDevice) copy = conf_device_copy(again);
        g_autofree char *same = conf_device_format(copy, 0);

        assert_int_equal(device->kind, i == 1   ? CONF_DEVICE_INTERFACE
                                       : i == 2 ? CONF_DEVICE_CONTROLLER
                                                : i);
        assert_string_equal(xml, same);
        assert_null(conf_device_difference(device, copy, NULL));
    }
}

static void
test_what_is_no_device(void **state)
{
    static const struct {
        const char *xml;
        virErrorNumber code;
        const char *words;
    } cases[] = {
        { "<gizmo/>", VIR_ERR_XML_ERROR, "unknown device type 'gizmo'" },
        { "<watchdog model='i6300esb'/>", VIR_ERR_OPERATION_UNSUPPORTED,
          "'watchdog'" },
        { "<disk type='file'><source file='/a'/></disk>", VIR_ERR_NO_TARGET,
          "/a" },
        { "<disk", VIR_ERR_XML_DETAIL, "(device_definition):1:" },
        { "<interface type='bridge'/>", VIR_ERR_XML_ERROR, "'bridge'" },
        { "<interface type='user'><mac address='01:00:00:00:00:00'/>"
          "</interface>",
          VIR_ERR_XML_ERROR, "multicast" },
        { DISK("vda", "<iotune><total_iops_sec>1</total_iops_sec>"
                      "<read_iops_sec>1</read_iops_sec></iotune>"),
          VIR_ERR_XML_ERROR, "total and read/write iops_sec" },
        { DISK("vda", "<blockio logical_block_size='1000'/>"),
          VIR_ERR_XML_ERROR, "logical_block_size" },
        { "<disk type='file'><driver queues='17'/><target dev='vda'/></disk>",
          VIR_ERR_CONFIG_UNSUPPORTED, "16 queues" },
        { "<interface type='user'><portForward proto='tcp'><range start='70000'"
          "/></portForward></interface>",
          VIR_ERR_XML_ERROR, "70000" },
        { "<interface type='user'><mtu size='9'/></interface>",
          VIR_ERR_XML_ERROR, "mtu '9'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;

        assert_null(conf_device_parse(cases[i].xml, 0, &error));
        assert_error(error, cases[i].code, cases[i].words);
    }
}

static void
test_found_by_libvirts_rules(void **state)
{
    static const struct {
        const char *xml;
        guint index; /* of its list */
    } cases[] = {
        { "<disk><target dev='vdb'/></disk>", 1 },
        { NET("52:54:00:00:00:02", ""), 1 },
        { NET("52:54:0:0:0:3", AT("7")), 3 },
        { "<interface type='network'><source network='x'/>" AT(
              "6") "</interface>",
          2 },
        { "<channel type='unix'><target type='virtio' name='two'/></channel>",
          1 },
        { "<rng model='virtio'><backend model='builtin'/></rng>", 1 },
        { "<controller type='virtio-serial'/>", 0 },
    };
    g_autoptr(ConfDomain) domain = domain_with(
        DISK("vda", "") DISK("vdb", "") NET("52:54:00:00:00:01", "")
            NET("52:54:00:00:00:02", "") NET("52:54:00:00:00:03", AT("6")) NET(
                "52:54:00:00:00:03",
                AT("7")) "<channel type='unix'><target type='virtio' "
                         "name='one'/></channel>"
                         "<channel type='unix'><target type='virtio' "
                         "name='two'/></channel>"
                         "<rng model='virtio'><backend model='random'/></rng>"
                         "<rng model='virtio'><backend "
                         "model='builtin'/></rng>");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDevice) device = device_of(cases[i].xml);
        g_autoptr(GError) error = NULL;
        ConfDevice found;

        if (!conf_domain_find_device(domain, device, &found, &error))
            fail_msg("%s: %s", cases[i].xml, error->message);
        assert_ptr_equal(found.data, g_ptr_array_index(
                                         conf_device_list(domain, device->kind),
                                         cases[i].index));
    }
}

static void
test_not_found(void **state)
{
    static const struct {
        const char *xml;
        virErrorNumber code;
        const char *words;
    } cases[] = {
        { "<disk><target dev='vdc'/></disk>", VIR_ERR_DEVICE_MISSING,
          "no target device vdc" },
        { NET("52:54:00:00:00:09", ""), VIR_ERR_DEVICE_MISSING,
          "no device matching MAC address 52:54:00:00:00:09 found" },
        { NET("52:54:00:00:00:01", AT("9")), VIR_ERR_DEVICE_MISSING,
          "found on PCI address 0000:00:09.0" },
        { NET("52:54:00:00:00:01", ""), VIR_ERR_OPERATION_FAILED,
          "multiple devices matching MAC address 52:54:00:00:00:01" },
        { "<interface type='user'/>", VIR_ERR_OPERATION_FAILED,
          "multiple matching devices" },
        { "<panic model='isa'/>", VIR_ERR_DEVICE_MISSING, "'panic'" },
    };
    g_autoptr(ConfDomain) domain = domain_with(DISK("vda", "") NET(
        "52:54:00:00:00:01", "") NET("52:54:00:00:00:01", ""));
    GError *error = NULL;
    ConfDevice found;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDevice) device = device_of(cases[i].xml);

        error = NULL;
        assert_false(conf_domain_find_device(domain, device, &found, &error));
        assert_error(error, cases[i].code, cases[i].words);
    }
    error = NULL;
    assert_false(conf_domain_device_by_alias(domain, "net0", &found, &error));
    assert_error(error, VIR_ERR_DEVICE_MISSING, "net0");
    conf_domain_assign_live(domain);
    assert_true(conf_domain_device_by_alias(domain, "net1", &found, NULL));
    assert_ptr_equal(found.data, g_ptr_array_index(domain->interfaces, 1));
    assert_true(
        conf_domain_device_by_alias(domain, "virtio-disk0", &found, NULL));
    assert_int_equal(found.kind, CONF_DEVICE_DISK);
}

static void
test_added_and_taken_out(void **state)
{
    g_autoptr(ConfDomain) domain =
        domain_with(DISK("vda", "") NET("52:54:00:00:00:01", ""));
    g_autofree char *before = conf_domain_format(domain, 0);
    g_autofree char *after = NULL;
    ConfDevice *device = device_of(DISK("vdc", "<serial>s</serial>"));
    g_autoptr(ConfDevice) removed = NULL;
    ConfDevice found;
    const ConfDisk *disk;

    assert_true(conf_domain_add_device(domain, &device, NULL));
    assert_null(device);
    disk = conf_domain_disk(domain, "vdc");
    assert_int_equal(disk->address.slot, 6); /* after the balloon */
    conf_domain_assign_live(domain);
    assert_string_equal(disk->alias, "virtio-disk2");
    assert_true(
        conf_domain_device_by_alias(domain, "virtio-disk2", &found, NULL));
    removed = conf_domain_remove_device(domain, &found);
    assert_ptr_equal(removed->data, disk);
    after = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    assert_string_equal(before, after);
}

/* Of a running guest a document need not say what only the host knows. */
static void
test_replaced_while_it_runs(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        "<disk><driver type='qcow2'/><source file='/vda'/><backingStore "
        "type='file'><format type='raw'/><source file='/base'/></backingStore>"
        "<target dev='vda'/></disk><interface type='network'><mac "
        "address='52:54:00:00:00:01'/><source network='n'/></interface>");
    ConfInterface *net = g_ptr_array_index(domain->interfaces, 0);
    ConfDevice *disk = device_of("<disk><driver type='qcow2'/><source "
                                 "file='/vda' startupPolicy='optional'/>"
                                 "<target dev='vda'/></disk>");
    ConfDevice *other = device_of("<interface type='network'><mac "
                                  "address='52:54:00:00:00:01'/>"
                                  "<source network='n' bridge='lie'/>"
                                  "<link state='down'/></interface>");
    static const char *const may[] = { "source/startupPolicy", NULL };
    ConfDevice found = { CONF_DEVICE_DISK, conf_domain_disk(domain, "vda") };
    g_autoptr(ConfDevice) before = conf_device_copy(&found);
    g_autofree char *row = NULL;

    domain->live.id = 1;
    net->target = g_strdup("vnet7");
    net->bridge = g_strdup("virbr0");
    net->mtu = 1400;
    assert_true(conf_domain_replace_device(domain, &found, &disk, NULL));
    found.data = conf_domain_disk(domain, "vda");
    row = conf_device_difference(before, &found, may);
    assert_null(row);
    found = (ConfDevice){ CONF_DEVICE_INTERFACE, net };
    assert_true(conf_domain_replace_device(domain, &found, &other, NULL));
    net = g_ptr_array_index(domain->interfaces, 0);
    assert_int_equal(net->link, CONF_LINK_DOWN);
    assert_string_equal(net->target, "vnet7");
    assert_string_equal(net->bridge, "virbr0");
    assert_int_equal(net->mtu, 1400);
}

static void
test_what_cannot_be_added(void **state)
{
    static const struct {
        const char *xml;
        virErrorNumber code;
        const char *words;
    } cases[] = {
        { DISK("vda", ""), VIR_ERR_OPERATION_INVALID,
          "target vda already exists" },
        { DISK("vdb", AT("3")), VIR_ERR_XML_ERROR,
          "Attempted double use of PCI Address 0000:00:03.0" },
        { "<disk><driver iothread='3'/><target dev='vdb'/></disk>",
          VIR_ERR_XML_ERROR, "Disk iothread '3' not defined" },
        { "<memballoon model='virtio'/>", VIR_ERR_OPERATION_INVALID,
          "already has a memory balloon" },
        { "<channel type='pty'><target type='virtio' name='a'/><address "
          "type='virtio-serial' port='40'/></channel>",
          VIR_ERR_XML_ERROR, "invalid port 40" },
    };
    g_autoptr(ConfDomain) domain =
        domain_with(DISK("vda", AT("3")) "<memballoon model='virtio'/>"
                                         "<controller type='virtio-serial'/>");
    g_autofree char *before = conf_domain_format(domain, 0);
    g_autofree char *after = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDevice) device = device_of(cases[i].xml);
        GError *error = NULL;

        assert_false(conf_domain_add_device(domain, &device, &error));
        assert_non_null(device);
        assert_error(error, cases[i].code, cases[i].words);
    }
    after = conf_domain_format(domain, 0);
    assert_string_equal(before, after);
}

static void
test_replaced_in_its_place(void **state)
{
    g_autoptr(ConfDomain) domain =
        domain_with(NET("52:54:00:00:00:01", "<alias name='ua-a'/>"));
    ConfDevice *device =
        device_of("<interface type='user'><link state='down'/></interface>");
    const ConfInterface *net;
    ConfDevice found;

    assert_true(conf_domain_find_device(domain, device, &found, NULL));
    assert_true(conf_domain_replace_device(domain, &found, &device, NULL));
    net = g_ptr_array_index(domain->interfaces, 0);
    assert_int_equal(domain->interfaces->len, 1);
    assert_int_equal(net->link, CONF_LINK_DOWN);
    assert_string_equal(net->mac, "52:54:00:00:00:01");
    assert_string_equal(net->alias, "ua-a");
    assert_int_equal(net->address.slot, 3);
}

static void
test_differences(void **state)
{
    static const char *const link_only[] = { "link", "address", NULL };
    static const struct {
        const char *one, *other, *name;
    } cases[] = {
        { DISK("vda", ""), DISK("vda", "<readonly/>"), "<readonly>" },
        { "<disk><driver cache='none'/><target dev='vda'/></disk>",
          "<disk><driver cache='unsafe'/><target dev='vda'/></disk>",
          "'cache' of <driver>" },
        { NET("52:54:00:00:00:01", "<link state='up'/>" AT("4")),
          NET("52:54:00:00:00:01", "<link state='down'/>"), NULL },
        { NET("52:54:00:00:00:01", "<target dev='vnet0'/>"),
          NET("52:54:00:00:00:01", "<alias name='net0'/>"), NULL },
        { NET("52:54:00:00:00:01", ""),
          NET("52:54:00:00:00:01", "<filterref filter='x'/>"), "<filterref>" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDevice) one = device_of(cases[i].one);
        g_autoptr(ConfDevice) other = device_of(cases[i].other);
        g_autofree char *name = conf_device_difference(one, other, link_only);

        if (g_strcmp0(name, cases[i].name) != 0)
            fail_msg("'%s' instead of '%s'", name, cases[i].name);
    }
}

static void
test_start_check_of_one(void **state)
{
    g_autoptr(ConfDevice) fine = device_of(DISK("vda", ""));
    g_autoptr(ConfDevice) filtered =
        device_of(NET("52:54:00:00:00:01", "<filterref filter='x'/>"));
    GError *error = NULL;

    assert_true(conf_device_check_start(fine, NULL, NULL));
    assert_false(conf_device_check_start(filtered, NULL, &error));
    assert_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "<filterref>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_comes_back),
        cmocka_unit_test(test_what_is_no_device),
        cmocka_unit_test(test_found_by_libvirts_rules),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_added_and_taken_out),
        cmocka_unit_test(test_replaced_while_it_runs),
        cmocka_unit_test(test_what_cannot_be_added),
        cmocka_unit_test(test_replaced_in_its_place),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_start_check_of_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
