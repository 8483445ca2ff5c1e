/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <string.h>

#include "engine/x86/cpu-models.h"

/* Our tables against the documents of the libvirt that is installed. */
#define MAP_DIR  "/usr/share/libvirt/cpu_map"
#define MAP_LIKE 9000000 /* the version that our tables follow */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static char *
attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, BAD_CAST name);
    char *copy = g_strdup((char *)value);

    xmlFree(value);
    return copy;
}

static uint32_t
number(const xmlNode *node, const char *name)
{
    g_autofree char *text = attribute(node, name);

    return text ? (uint32_t)g_ascii_strtoull(text, NULL, 0) : 0;
}

static const xmlNode *
child(const xmlNode *node, const char *name)
{
    for (node = node->children; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE &&
            strcmp((const char *)node->name, name) == 0)
            return node;
    return NULL;
}

static void
check_feature(const char *name, const xmlNode *where)
{
    static const char *const registers[] = { "eax", "ebx", "ecx", "edx" };
    bool msr = strcmp((const char *)where->name, "msr") == 0;
    const EngineCpuWordType *type;
    EngineCpuBit bit;

    if (!engine_cpu_feature_find(name, &bit))
        fail_msg("no feature '%s'", name);
    type = &engine_cpu_words[bit.word];
    if (msr) {
        assert_int_equal(type->reg, CPU_MSR);
        assert_int_equal(type->function, number(where, "index"));
        assert_int_equal(1u << bit.bit, number(where, "eax"));
        return;
    }
    assert_int_not_equal(type->reg, CPU_MSR);
    assert_int_equal(type->function, number(where, "eax_in"));
    assert_int_equal(type->index, number(where, "ecx_in"));
    if (number(where, registers[type->reg]) != 1u << bit.bit)
        fail_msg("feature '%s' is another bit", name);
}

static void
test_features(void **state)
{
    g_autoptr(xmlDoc) doc =
        xmlReadFile(MAP_DIR "/x86_features.xml", NULL, XML_PARSE_NONET);
    const xmlNode *root = xmlDocGetRootElement(doc);
    unsigned n = 0;

    assert_non_null(root);
    for (const xmlNode *node = root->children; node; node = node->next) {
        g_autofree char *name = NULL;

        if (node->type != XML_ELEMENT_NODE)
            continue;
        name = attribute(node, "name");
        for (const xmlNode *in = node->children; in; in = in->next) {
            g_autofree char *alias = NULL;

            if (in->type != XML_ELEMENT_NODE)
                continue;
            if (strcmp((const char *)in->name, "alias") != 0) {
                check_feature(name, in);
                n++;
                continue;
            }
            alias = attribute(in, "name");
            if (child(node, "cpuid"))
                check_feature(alias, child(node, "cpuid"));
        }
    }
    assert_true(n > 180);
}

static void
check_model(const xmlNode *node)
{
    g_autofree char *name = attribute(node, "name");
    const EngineCpuModelType *model = engine_cpu_model_find(name);
    const xmlNode *vendor = child(node, "vendor");
    g_autofree char *vendor_name = vendor ? attribute(vendor, "name") : NULL;
    EngineCpuSet set = { 0 }, ours;

    if (!model)
        fail_msg("no model '%s'", name);
    assert_true(g_strcmp0(model->vendor, vendor_name) == 0);
    for (const xmlNode *in = node->children; in; in = in->next) {
        g_autofree char *feature = attribute(in, "name");
        g_autofree char *removed = attribute(in, "removed");
        EngineCpuBit bit;

        if (in->type != XML_ELEMENT_NODE || removed ||
            strcmp((const char *)in->name, "feature") != 0)
            continue;
        assert_true(engine_cpu_feature_find(feature, &bit));
        engine_cpu_set_put(&set, bit, true);
    }
    ours = engine_cpu_model_set(model);
    for (unsigned i = 0; i < CPU_WORDS; i++)
        if (ours.word[i] != set.word[i])
            fail_msg("model '%s', word %u: 0x%x, not 0x%x", name, i,
                     ours.word[i], set.word[i]);
}

static void
test_models(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(MAP_DIR, 0, NULL);
    const char *file;
    unsigned n = 0;

    assert_non_null(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(MAP_DIR, file, NULL);
        g_autoptr(xmlDoc) doc = NULL;
        const xmlNode *model;

        if (!g_str_has_prefix(file, "x86_"))
            continue;
        doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
        assert_non_null(doc);
        model = child(xmlDocGetRootElement(doc), "model");
        if (!model)
            continue;
        check_model(model);
        n++;
    }
    assert_true(n > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_models),
    };
    unsigned long version = 0;

    if (virGetVersion(&version, NULL, NULL) < 0 ||
        version / 1000 != MAP_LIKE / 1000 ||
        !g_file_test(MAP_DIR "/index.xml", G_FILE_TEST_EXISTS)) {
        puts("1..0 # SKIP libvirt 9.0's CPU documents are not installed");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
