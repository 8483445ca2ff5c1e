/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "conf/capabilities.h"
#include "conf/firmware.h"
#include "util/error.h"

#define HEAD "<domain type='kvm'><name>a</name><memory unit='MiB'>64</memory>"
#define TAIL "</domain>"

#define TARGETS                                                             \
    "\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[\"pc-q35-*\"," \
    "\"pc-i440fx-*\"]}]"
#define FLASH(PATH, VARS)                                                    \
    "\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"" PATH \
    "\",\"format\":\"raw\"},\"nvram-template\":{\"filename\":\"" VARS        \
    "\",\"format\":\"raw\"}}"
#define UEFI(PATH, VARS, FEATURES)                                  \
    "{\"description\":\"d\",\"interface-types\":[\"uefi\"]," FLASH( \
        PATH, VARS) "," TARGETS ",\"features\":[" FEATURES "],\"tags\":[]}"

/* --- folders of descriptors ----------------------------------------------- */
typedef struct Fixture {
    char *root;
    char *folders[4]; /* user, system, vendor */
    GPtrArray *problems;
} Fixture;

static int
setup(void **state)
{
    static const char *const names[] = { "user", "etc", "share" };
    Fixture *f = g_new0(Fixture, 1);

    f->root = g_dir_make_tmp("firmware-XXXXXX", NULL);
    f->problems = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        f->folders[i] = g_build_filename(f->root, names[i], NULL);
        assert_int_equal(g_mkdir(f->folders[i], 0700), 0);
    }
    *state = f;
    return 0;
}

static void
remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        remove_all(file);
    }
    if (dir)
        g_dir_close(dir);
    g_remove(path);
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    remove_all(f->root);
    for (size_t i = 0; f->folders[i]; i++)
        g_free(f->folders[i]);
    g_ptr_array_unref(f->problems);
    g_free(f->root);
    g_free(f);
    return 0;
}

enum { USER, ETC, SHARE };

static void
put(Fixture *f, unsigned folder, const char *name, const char *json)
{
    g_autofree char *path = g_build_filename(f->folders[folder], name, NULL);

    assert_true(g_file_set_contents(path, json, -1, NULL));
}

/* The paths of those that are found, in order */
static char *
list(Fixture *f)
{
    g_autoptr(GPtrArray) found =
        conf_firmware_list((const char *const *)f->folders, f->problems);
    GString *paths = g_string_new("");

    for (guint i = 0; i < found->len; i++)
        g_string_append_printf(
            paths, "%s ",
            ((ConfFirmwareDescriptor *)g_ptr_array_index(found, i))->path);
    return g_string_free(paths, FALSE);
}

static void
test_order_and_precedence(void **state)
{
    Fixture *f = *state;
    g_autofree char *paths = NULL;

    put(f, SHARE, "60-plain.json", UEFI("/share/60", "/v", ""));
    put(f, SHARE, "50-other.json", UEFI("/share/50", "/v", ""));
    put(f, SHARE, "40-hidden.json", UEFI("/share/40", "/v", ""));
    put(f, SHARE, "30-mine.json", UEFI("/share/30", "/v", ""));
    put(f, SHARE, "20-backup.json~", UEFI("/share/20", "/v", ""));
    put(f, SHARE, ".10-dot.json", UEFI("/share/10", "/v", ""));
    put(f, ETC, "50-other.json", UEFI("/etc/50", "/v", ""));
    put(f, ETC, "40-hidden.json", "");
    put(f, ETC, "30-mine.json", UEFI("/etc/30", "/v", ""));
    put(f, USER, "30-mine.json", UEFI("/user/30", "/v", ""));
    put(f, USER, "70-last.json", UEFI("/user/70", "/v", ""));
    paths = list(f);
    assert_string_equal(paths, "/user/30 /etc/50 /share/60 /user/70 ");
    assert_int_equal(f->problems->len, 0);
}

static void
test_no_folder(void **state)
{
    Fixture *f = *state;
    g_autofree char *paths = NULL;

    remove_all(f->folders[ETC]);
    paths = list(f);
    assert_string_equal(paths, "");
}

/* One bad file is told of, and does not stand in the way of the others. */
static void
test_bad_file_among_good(void **state)
{
    Fixture *f = *state;
    g_autofree char *paths = NULL;
    g_autofree char *large = g_strnfill(CONF_FIRMWARE_MAX_BYTES + 1, ' ');
    g_autofree char *folder =
        g_build_filename(f->folders[SHARE], "20-folder.json", NULL);

    assert_int_equal(g_mkdir(folder, 0700), 0);
    put(f, SHARE, "10-bad.json", "{");
    put(f, SHARE, "30-large.json", large);
    put(f, SHARE, "40-good.json", UEFI("/good", "/v", ""));
    paths = list(f);
    assert_string_equal(paths, "/good ");
    assert_int_equal(f->problems->len, 3);
    assert_non_null(strstr(g_ptr_array_index(f->problems, 0), "10-bad.json"));
    assert_non_null(
        strstr(g_ptr_array_index(f->problems, 1), "20-folder.json"));
    assert_non_null(strstr(g_ptr_array_index(f->problems, 2), "30-large.json"));
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        { "", "no JSON object" },
        { "[]", "no JSON object" },
        { "{\"a\":1,\"a\":2}", "no JSON object" },
        { "{}", "'mapping'" },
        { "{\"interface-types\":{}}", "'interface-types'" },
        { "{\"interface-types\":[1]}", "'interface-types'" },
        { "{\"mapping\":[]}", "'mapping'" },
        { "{\"mapping\":{}}", "'device'" },
        { "{\"mapping\":{\"device\":\"tape\"}}", "'device'" },
        { "{\"mapping\":{\"device\":\"memory\"}}", "'filename'" },
        { "{\"mapping\":{\"device\":\"memory\",\"filename\":\"x\"}}",
          "'filename'" },
        { "{\"mapping\":{\"device\":\"flash\"}}", "'executable'" },
        { "{\"mapping\":{\"device\":\"flash\",\"mode\":\"x\"}}", "'mode'" },
        { "{\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":"
          "\"/f\"}}}",
          "'format'" },
        { "{\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":"
          "\"/f\",\"format\":\"raw\"}}}",
          "'nvram-template'" },
        { "{" FLASH("/f", "/v") "}", "'targets'" },
        { "{" FLASH("/f", "/v") ",\"targets\":[1]}", "'architecture'" },
        { "{" FLASH("/f", "/v") ",\"targets\":[{\"architecture\":\"x\","
                                "\"machines\":\"m\"}]}",
          "'machines'" },
        { "{" FLASH("/f", "/v") "," TARGETS ",\"features\":7}", "'features'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ConfFirmwareDescriptor *descriptor =
            conf_firmware_parse("F.json", cases[i].json, &error);

        if (descriptor || !error || error->code != VIR_ERR_INVALID_ARG ||
            !strstr(error->message, cases[i].words) ||
            !strstr(error->message, "'F.json'"))
            fail_msg("case %zu: %s", i, error ? error->message : "accepted");
    }
}

static void
test_modes(void **state)
{
    ConfFirmwareDescriptor *descriptor = conf_firmware_parse(
        "F",
        "{\"interface-types\":[\"bios\",\"uboot\"],\"mapping\":{\"device\":"
        "\"flash\",\"mode\":\"stateless\",\"executable\":{\"filename\":\"/f\","
        "\"format\":\"qcow2\"}},\"targets\":[],\"features\":[\"x\",\"y\"],"
        "\"unknown\":{}}",
        NULL);

    assert_non_null(descriptor);
    assert_true(descriptor->bios && !descriptor->uefi);
    assert_int_equal(descriptor->mode, CONF_FLASH_STATELESS);
    assert_string_equal(descriptor->format, "qcow2");
    assert_null(descriptor->template);
    assert_true(conf_firmware_has(descriptor, "y"));
    assert_false(conf_firmware_has(descriptor, "z"));
    conf_firmware_descriptor_free(descriptor);
}

/* --- choosing ------------------------------------------------------------- */
static GPtrArray *
debian(void)
{
    static const char *const all[] = {
        UEFI("/ms", "/ms-vars",
             "\"acpi-s3\",\"enrolled-keys\",\"requires-smm\","
             "\"secure-boot\""),
        UEFI("/secure", "/vars", "\"requires-smm\",\"secure-boot\""),
        UEFI("/plain", "/vars", "\"acpi-s3\""),
        "{\"interface-types\":[\"bios\"],\"mapping\":{\"device\":\"memory\","
        "\"filename\":\"/seabios\"}," TARGETS ",\"features\":[]}",
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
        "\"mode\":\"stateless\",\"executable\":{\"filename\":\"/stateless\","
        "\"format\":\"raw\"}}," TARGETS ",\"features\":[]}",
    };
    GPtrArray *firmware = g_ptr_array_new_with_free_func(
        (GDestroyNotify)conf_firmware_descriptor_free);

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        ConfFirmwareDescriptor *descriptor =
            conf_firmware_parse("F", all[i], NULL);

        assert_non_null(descriptor);
        g_ptr_array_add(firmware, descriptor);
    }
    return firmware;
}

/* Returns: <os> of the domain as it is then, or the error's message */
static char *
choose(const char *os, int *ret_code)
{
    g_autoptr(GPtrArray) firmware = debian();
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strconcat(HEAD, os, TAIL, NULL);
    g_autoptr(ConfDomain) domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);
    g_autofree char *text = NULL;
    char *begin, *end;

    if (!domain)
        fail_msg("%s: %s", os, error->message);
    if (!conf_domain_choose_firmware(domain, firmware, &error)) {
        *ret_code = error->code;
        return g_strdup(error->message);
    }
    *ret_code = 0;
    text = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    begin = strstr(text, "  <os");
    end = strstr(text, "  </os>");
    assert_true(begin && end);
    return g_strndup(begin, (gsize)(end - begin));
}

static void
assert_chosen(const char *os, const char *lines)
{
    int code;
    g_autofree char *text = choose(os, &code);

    if (code || !strstr(text, lines))
        fail_msg("'%s' lacks '%s'", text, lines);
}

static void
assert_unchanged(const char *os)
{
    int code;
    g_autofree char *text = choose(os, &code);

    if (code || strstr(text, "template=") || strstr(text, "<firmware>"))
        fail_msg("%s", text);
}

static void
assert_none(const char *os, int expected, const char *words)
{
    int code;
    g_autofree char *text = choose(os, &code);

    if (code != expected || !strstr(text, words))
        fail_msg("%d: '%s' lacks '%s'", code, text, words);
}

#define TYPE "<type machine='q35'>hvm</type>"
#define FEATURE(NAME, VALUE) \
    "<firmware><feature enabled='" VALUE "' name='" NAME "'/></firmware>"
#define CHOSEN                                                   \
    "    <firmware>\n"                                           \
    "      <feature enabled='no' name='enrolled-keys'/>\n"       \
    "      <feature enabled='no' name='secure-boot'/>\n"         \
    "    </firmware>\n"                                          \
    "    <loader readonly='yes' type='pflash'>/plain</loader>\n" \
    "    <nvram template='/vars'/>\n"

static void
test_efi_is_chosen(void **state)
{
    assert_chosen("<os firmware='efi'>" TYPE "</os>", CHOSEN);
    assert_chosen("<os firmware='efi'><type machine='pc'>hvm</type></os>",
                  CHOSEN);
    /* what was chosen once is chosen again */
    assert_chosen("<os firmware='efi'>" TYPE CHOSEN "</os>", CHOSEN);
    assert_chosen("<os firmware='efi'>" TYPE
                  "<nvram template='/my'>/n</nvram></os>",
                  "<nvram template='/my'>/n</nvram>\n");
    assert_chosen("<os firmware='efi'>" TYPE "<loader stateless='yes'/></os>",
                  "<loader readonly='yes' type='pflash' stateless='yes'>"
                  "/stateless</loader>\n");
}

/* The one that a user names without asking for a choice */
static void
test_template_of_a_loader(void **state)
{
    assert_chosen("<os>" TYPE "<loader readonly='yes' type='pflash'>/plain"
                  "</loader><nvram>/n</nvram></os>",
                  "<nvram template='/vars'>/n</nvram>\n");
    assert_unchanged("<os>" TYPE "<loader readonly='yes' type='pflash'>/other"
                     "</loader></os>");
    assert_unchanged("<os>" TYPE "<loader readonly='no' type='pflash'>/plain"
                     "</loader></os>");
    assert_unchanged("<os>" TYPE "<loader readonly='yes' type='pflash' "
                     "stateless='yes'>/plain</loader></os>");
    assert_unchanged("<os>" TYPE "<loader>/plain</loader></os>");
    assert_unchanged("<os>" TYPE "<kernel>/k</kernel></os>");
}

static void
test_bios_is_chosen(void **state)
{
    assert_chosen("<os firmware='bios'>" TYPE "</os>",
                  "<loader type='rom'>/seabios</loader>\n");
    assert_chosen("<os firmware='bios'>" TYPE "<loader type='pflash'/></os>",
                  "<os firmware='bios'>"); /* as the engine knows */
}

static void
test_none_does(void **state)
{
    assert_none(
        "<os firmware='efi'>" TYPE FEATURE("secure-boot", "yes") "</os>",
        VIR_ERR_CONFIG_UNSUPPORTED, "System Management Mode");
    assert_none(
        "<os firmware='efi'>" TYPE FEATURE("enrolled-keys", "yes") "</os>",
        VIR_ERR_CONFIG_UNSUPPORTED, "System Management Mode");
    assert_none("<os firmware='efi'>" TYPE "<loader secure='yes'/></os>",
                VIR_ERR_CONFIG_UNSUPPORTED, "System Management Mode");
    assert_none("<os firmware='efi'>" TYPE "<loader>/absent</loader></os>",
                VIR_ERR_OPERATION_FAILED, "'efi'");
    assert_none("<os firmware='efi'>" TYPE "<loader type='rom'/></os>",
                VIR_ERR_OPERATION_FAILED, "'efi'");
    assert_none("<os firmware='efi'><type machine='microvm'>hvm</type></os>",
                VIR_ERR_OPERATION_FAILED, "'efi'");
    assert_none("<os firmware='efi'><type arch='i686'>hvm</type></os>",
                VIR_ERR_OPERATION_FAILED, "'efi'");
    assert_none("<os firmware='efi'>" TYPE "</os><pm><suspend-to-disk "
                "enabled='yes'/></pm>",
                VIR_ERR_OPERATION_FAILED, "'efi'");
    assert_chosen("<os firmware='efi'>" TYPE "</os><pm><suspend-to-mem "
                  "enabled='yes'/></pm>",
                  CHOSEN);
}

/* --- what cannot be in a document ----------------------------------------- */
static void
assert_refused(const char *os, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strconcat(HEAD, os, TAIL, NULL);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    if (domain || error->code != VIR_ERR_XML_ERROR ||
        !strstr(error->message, words))
        fail_msg("%s: %s", os, error ? error->message : "accepted");
}

static void
test_documents(void **state)
{
    assert_refused("<os firmware='uboot'>" TYPE "</os>", "'firmware'");
    assert_refused("<os>" TYPE FEATURE("secure-boot", "no") "</os>",
                   "<firmware> chooses");
    assert_refused("<os firmware='efi'>" TYPE FEATURE("speed", "no") "</os>",
                   "'name'");
    assert_refused("<os firmware='efi'>" TYPE "<firmware><feature "
                   "name='secure-boot'/></firmware></os>",
                   "needs 'enabled' and 'name'");
    assert_refused("<os firmware='efi'>" TYPE "<firmware><feature "
                   "enabled='yes' name='enrolled-keys'/><feature enabled='no' "
                   "name='secure-boot'/></firmware></os>",
                   "'enrolled-keys' cannot be enabled");
    assert_refused("<os>" TYPE "<loader readonly='yes' type='pflash'/></os>",
                   "no loader path specified");
    assert_refused("<os>" TYPE "<loader>boot.fd</loader></os>", "not absolute");
    assert_refused("<os>" TYPE "<loader type='disk'>/f</loader></os>",
                   "'type'");
    assert_refused("<os>" TYPE "<loader type='rom'>/f</loader><nvram>/n"
                   "</nvram></os>",
                   "Only pflash");
    assert_refused("<os>" TYPE "<loader type='rom' readonly='no'>/f</loader>"
                   "</os>",
                   "read/write");
    assert_refused("<os>" TYPE "<loader type='pflash' stateless='yes'>/f"
                   "</loader><nvram template='/t'/></os>",
                   "stateless");
    assert_refused("<os firmware='efi'>" TYPE "<nvram>n.fd</nvram></os>",
                   "<nvram> is not absolute");
    assert_refused("<os firmware='efi'>" TYPE "<nvram template='t'/></os>",
                   "template");
}

static void
test_nvram_path(void **state)
{
    g_autoptr(ConfDomain) domain = conf_domain_parse(
        HEAD "<os>" TYPE "<loader type='pflash' readonly='yes'>/f</loader>"
             "<nvram type='file'><source file='/n'/></nvram></os>" TAIL,
        CONF_PARSE_INACTIVE, NULL);

    assert_non_null(domain);
    assert_string_equal(conf_os_nvram(&domain->os), "/n");
    assert_true(conf_os_wants_nvram(&domain->os));
    domain->os.loader.readonly = CONF_ONOFF_ABSENT;
    assert_false(conf_os_wants_nvram(&domain->os));
}

/* --- domain capabilities -------------------------------------------------- */
static void
assert_capabilities(const char *machine, const char *os)
{
    g_autoptr(GPtrArray) firmware = debian();
    const ConfHost host = { .engine_path = "/engine", .max_vcpus = 1 };
    g_autofree char *text = conf_domain_capabilities_format(
        &host, firmware, NULL, NULL, machine, NULL, NULL);

    if (!strstr(text, os))
        fail_msg("'%s' is not in %s", os, text);
}

static void
test_capabilities(void **state)
{
    assert_capabilities(NULL, "  <os supported='yes'>\n"
                              "    <enum name='firmware'>\n"
                              "      <value>bios</value>\n"
                              "      <value>efi</value>\n"
                              "    </enum>\n"
                              "    <loader supported='yes'>\n"
                              "      <value>/plain</value>\n"
                              "      <value>/seabios</value>\n"
                              "      <value>/stateless</value>\n"
                              "      <enum name='type'>\n"
                              "        <value>rom</value>\n"
                              "        <value>pflash</value>\n"
                              "      </enum>\n"
                              "      <enum name='readonly'>\n"
                              "        <value>yes</value>\n"
                              "        <value>no</value>\n"
                              "      </enum>\n"
                              "      <enum name='secure'>\n"
                              "        <value>no</value>\n"
                              "      </enum>\n"
                              "    </loader>\n"
                              "  </os>\n");
    assert_capabilities("microvm", "    <enum name='firmware'/>\n"
                                   "    <loader supported='no'/>\n");
}

int
main(void)
{
#define FOLDERS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        FOLDERS(test_order_and_precedence),
        FOLDERS(test_no_folder),
        FOLDERS(test_bad_file_among_good),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_efi_is_chosen),
        cmocka_unit_test(test_template_of_a_loader),
        cmocka_unit_test(test_bios_is_chosen),
        cmocka_unit_test(test_none_does),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_nvram_path),
        cmocka_unit_test(test_capabilities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
