/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/domain.h"
#include "util/error.h"

/* Places on the PCI bus, and <rng>, the first device that has one. */
#define RNG(ADDRESS) \
    "<rng model='virtio'><backend model='builtin'/>" ADDRESS "</rng>"
#define AT(BUS, SLOT, FUNCTION)                                             \
    "<address type='pci' bus='" BUS "' slot='" SLOT "' function='" FUNCTION \
    "'/>"

static char *
document(const char *machine, const char *devices)
{
    return g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type "
        "machine='%s'>hvm</type><kernel>/k</kernel></os><devices>%s"
        "<memballoon model='none'/></devices></domain>",
        machine, devices);
}

static ConfDomain *
parse(const char *machine, const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = document(machine, devices);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    assert_null(error);
    return domain;
}

static const ConfAddress *
address_of(const ConfDomain *domain, unsigned index)
{
    return &((const ConfRng *)g_ptr_array_index(domain->rngs, index))->address;
}

static void
test_assigned_once(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse("q35", RNG("") RNG(AT("0", "4", "0")) RNG("<address type='pci'/>")
                         RNG(AT("0x00", "0x1e", "0x1")));
    g_autofree char *xml = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    g_autoptr(ConfDomain) again =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, NULL);
    g_autofree char *same = conf_domain_format(again, CONF_FORMAT_INACTIVE);

    assert_int_equal(address_of(domain, 0)->slot, 3);
    assert_int_equal(address_of(domain, 1)->slot, 4);
    assert_int_equal(address_of(domain, 2)->slot, 5);
    assert_int_equal(address_of(domain, 3)->function, 1);
    assert_string_equal(xml, same);
    assert_non_null(strstr(xml, "<address type='pci' domain='0x0000' "
                                "bus='0x00' slot='0x05' function='0x0'/>"));
    assert_true(conf_domain_check_start(domain, NULL, NULL));
}

/* A device that is only carried keeps the place that it has. */
static void
test_carried_places_are_left_free(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse("pc", "<controller type='usb' index='0'>" AT(
                        "0x00",
                        "0x03", "0x0") "</controller><video><model "
                                       "type='vga'/>" AT("0", "4",
                                                         "0") "</video><sound "
                                                              "model='ich6'"
                                                              ">" AT("1", "5",
                                                                     "0") "</"
                                                                          "soun"
                                                                          "d"
                                                                          ">" RNG(""));

    assert_int_equal(address_of(domain, 0)->slot, 5);
}

static void
test_other_bus_gets_a_place(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse("q35", RNG(AT("0x04", "0x00", "0x0")) RNG("")
                         RNG(AT("0x05", "0x00", "0x0")));
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *xml = conf_domain_format(domain, CONF_FORMAT_INACTIVE);

    assert_non_null(strstr(xml, "bus='0x04' slot='0x00'"));
    assert_true(conf_domain_check_start(domain, warnings, NULL));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "'bus'"));
    assert_int_equal(conf_domain_place(domain, address_of(domain, 0)), 4);
    assert_int_equal(conf_domain_place(domain, address_of(domain, 1)), 3);
    assert_int_equal(conf_domain_place(domain, address_of(domain, 2)), 5);
}

static void
test_refused_when_defined(void **state)
{
    static const struct {
        const char *devices, *words;
    } cases[] = {
        { RNG(AT("0", "4", "0")) RNG(AT("0", "4", "0")),
          "double use of PCI Address 0000:00:04.0" },
        { RNG(AT("0", "0", "1")), "host bridge" },
        { RNG(AT("0", "32", "0")), "slot" },
        { RNG(AT("0", "4", "8")), "function" },
        { RNG(AT("0x100", "4", "0")), "bus" },
        { RNG(AT("0", "-1", "0")), "slot" },
        { RNG(AT("0", "4x", "0")), "slot" },
        { "<rng><backend model='builtin'/></rng>", "model" },
        { "<rng model='ne2000'><backend model='builtin'/></rng>", "ne2000" },
        { "<rng model='virtio'/>", "backend" },
        { "<rng model='virtio'><backend model='dice'/></rng>", "dice" },
        { "<rng model='virtio'><rate bytes='0'/><backend model='builtin'/>"
          "</rng>",
          "rate" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = document("q35", cases[i].devices);

        if (conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error) ||
            !strstr(error->message, cases[i].words))
            fail_msg("case %zu: %s", i, error ? error->message : "accepted");
        assert_int_equal(error_code(error), VIR_ERR_XML_ERROR);
    }
}

static void
test_no_place_is_left(void **state)
{
    g_autoptr(GString) devices = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;

    for (unsigned i = 0; i < 29; i++)
        g_string_append(devices, RNG(""));
    xml = document("q35", devices->str);
    assert_null(conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
}

static void
test_refused_at_start(void **state)
{
    static const struct {
        const char *devices, *words;
    } cases[] = {
        { RNG("<address type='virtio-mmio'/>"),
          "'type' of <address>" },
        { RNG("<driver iommu='on'/>"), "'iommu'" },
        { "<rng model='virtio'><backend model='egd' type='tcp'><source "
          "mode='connect' host='h' service='1'/><protocol type='raw'/>"
          "</backend></rng>",
          "<backend>" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ConfDomain) domain = parse("q35", cases[i].devices);

        assert_false(conf_domain_check_start(domain, NULL, &error));
        assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
        if (!strstr(error->message, cases[i].words))
            fail_msg("case %zu: %s", i, error->message);
    }
}

static void
test_microvm_has_no_bus(void **state)
{
    g_autoptr(ConfDomain) domain = parse("microvm", RNG(""));
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    assert_null(address_of(domain, 0)->type);
    assert_true(conf_domain_check_start(domain, warnings, NULL));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<rng>"));
}

static void
test_alias_is_live(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse("q35", RNG("") RNG("<alias name='ua-dice'/>"));
    g_autofree char *live = NULL, *kept = NULL;

    conf_domain_assign_live(domain);
    domain->live.id = 1;
    live = conf_domain_format(domain, 0);
    kept = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    assert_non_null(strstr(live, "<alias name='rng0'/>"));
    assert_non_null(strstr(live, "<alias name='ua-dice'/>"));
    assert_null(strstr(kept, "rng0"));
    assert_non_null(strstr(kept, "ua-dice"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assigned_once),
        cmocka_unit_test(test_carried_places_are_left_free),
        cmocka_unit_test(test_other_bus_gets_a_place),
        cmocka_unit_test(test_refused_when_defined),
        cmocka_unit_test(test_no_place_is_left),
        cmocka_unit_test(test_refused_at_start),
        cmocka_unit_test(test_microvm_has_no_bus),
        cmocka_unit_test(test_alias_is_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
