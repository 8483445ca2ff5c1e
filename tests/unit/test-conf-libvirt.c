/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libxml/relaxng.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/capabilities.h"
#include "conf/domain.h"
#include "conf/firmware.h"
#include "conf/xml.h"
#include "util/error.h"

/* libvirt's own schemas, where its package is installed. */
#define SCHEMAS "/usr/share/libvirt/schemas/"

static void
ignore(void *opaque, xmlError *error)
{
}

static xmlRelaxNG *
load(const char *name)
{
    g_autofree char *path = g_strconcat(SCHEMAS, name, NULL);
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);

    xmlRelaxNGFreeParserCtxt(parser);
    assert_non_null(schema);
    return schema;
}

static bool
accepts(xmlRelaxNG *schema, const char *xml)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "document", NULL);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    int result;

    assert_non_null(doc);
    xmlRelaxNGSetValidStructuredErrors(context, ignore, NULL);
    result = xmlRelaxNGValidateDoc(context, doc);
    xmlRelaxNGFreeValidCtxt(context);
    return result == 0;
}

/* What libvirt's schema accepts comes back as something that it accepts. */
static void
test_domains_stay_valid(void **state)
{
    const char *top = g_getenv("abs_top_srcdir");
    g_autofree char *folder =
        g_build_filename(top ? top : ".", "tests", "data", "xml", NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    xmlRelaxNG *schema = load("domain.rng");
    unsigned count = 0;
    const char *name;

    assert_non_null(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *in = NULL, *out = NULL;
        g_autoptr(ConfDomain) domain = NULL;

        assert_true(g_file_get_contents(path, &in, NULL, NULL));
        if (!accepts(schema, in))
            continue;
        domain = conf_domain_parse(in, CONF_PARSE_INACTIVE, NULL);
        out = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
        if (!accepts(schema, out))
            fail_msg("libvirt's schema refuses what becomes of %s", name);
        count++;
    }
    g_dir_close(dir);
    xmlRelaxNGFree(schema);
    assert_true(count >= 40);
}

static const char *const features[] = { "avx512f", "la57", NULL };
static const char *const missing[] = { "rtm", NULL };
static const ConfHostModel models[] = { { "Nehalem", "Intel", true },
                                        { "EPYC", "AMD", false },
                                        { "qemu64", NULL, true } };
static const ConfHostThread threads[] = { { 0, 0, 0, 0, "0-1" },
                                          { 1, 0, 0, 0, "0-1" } };
static const ConfHostCell cells[] = { { 0, 4096, threads, 2 } };
static const ConfHost rich = { .uuid = { 1, 2, 3 },
                               .engine_path = "/usr/libexec/a&b",
                               .max_vcpus = 1024,
                               .sockets = 1,
                               .dies = 1,
                               .cores = 1,
                               .threads = 2,
                               .cpu_model = "Broadwell",
                               .cpu_vendor = "Intel",
                               .cpu_features = features,
                               .cpu_missing = missing,
                               .models = models,
                               .n_models = 3,
                               .cells = cells,
                               .n_cells = 1 };
/* A host of which nothing is known. */
static const ConfHost poor = { .engine_path = "/e",
                               .max_vcpus = 1,
                               .sockets = 1,
                               .dies = 1,
                               .cores = 1,
                               .threads = 1 };

static void
test_capabilities(void **state)
{
    xmlRelaxNG *schema = load("capability.rng");
    g_autofree char *full = conf_capabilities_format(&rich);
    g_autofree char *empty = conf_capabilities_format(&poor);

    assert_true(accepts(schema, full));
    assert_non_null(strstr(full, "<emulator>/usr/libexec/a&amp;b</emulator>"));
    assert_non_null(strstr(
        full, "<machine canonical='pc-q35-7.2' maxCpus='1024'>q35</machine>"));
    assert_true(accepts(schema, empty));
    xmlRelaxNGFree(schema);
}

static const char descriptor[] =
    "{\"interface-types\":[\"uefi\",\"bios\"],\"mapping\":{\"device\":"
    "\"memory\",\"filename\":\"/boot & more.fd\"},\"targets\":[{"
    "\"architecture\":\"x86_64\",\"machines\":[\"pc-q35-*\"]}]}";

static void
test_domain_capabilities(void **state)
{
    static const char *const names[] = { NULL, "q35", "pc", "microvm",
                                         "pc-q35-4.2" };
    xmlRelaxNG *schema = load("domaincaps.rng");
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(GPtrArray) firmware = g_ptr_array_new_with_free_func(
        (GDestroyNotify)conf_firmware_descriptor_free);

    g_ptr_array_add(firmware, conf_firmware_parse("F", descriptor, NULL));
    assert_non_null(g_ptr_array_index(firmware, 0));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *full = conf_domain_capabilities_format(
            &rich, firmware, NULL, NULL, names[i], NULL, NULL);
        g_autofree char *empty = conf_domain_capabilities_format(
            &poor, none, "/usr/bin/qemu-system-x86_64", "i686", names[i], "kvm",
            NULL);

        assert_true(accepts(schema, full));
        assert_true(accepts(schema, empty));
    }
    xmlRelaxNGFree(schema);
}

static void
test_domain_capabilities_not_to_be_had(void **state)
{
    static const struct {
        const char *emulator, *arch, *machine, *virttype, *named;
    } cases[] = {
        { NULL, "aarch64", NULL, NULL, "'aarch64'" },
        { NULL, NULL, "virt", NULL, "'virt'" },
        { NULL, NULL, NULL, "xen", "'xen'" },
        { "qemu", NULL, NULL, NULL, "'qemu'" },
    };
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(conf_domain_capabilities_format(
            &rich, none, cases[i].emulator, cases[i].arch, cases[i].machine,
            cases[i].virttype, &error));
        assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
        assert_non_null(strstr(error->message, cases[i].named));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains_stay_valid),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_domain_capabilities),
        cmocka_unit_test(test_domain_capabilities_not_to_be_had),
    };

    if (access(SCHEMAS "domain.rng", R_OK) != 0) {
        printf("1..0 # SKIP libvirt's schemas are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
