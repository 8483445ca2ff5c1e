/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/exit.h"
#include "shell/uri.h"

/* GLib reads XDG_RUNTIME_DIR once, so main() sets it before all tests. */
#define RUN_DIR "/run/user/7"

static void
expect(const char *uri, bool read_only, const char *result, const char *socket)
{
    g_auto(VshTarget) target = { 0 };

    assert_true(vsh_uri_resolve(uri, read_only, &target, NULL));
    assert_string_equal(target.uri, result);
    if (socket)
        assert_string_equal(target.socket, socket);
    else
        assert_null(target.socket);
}

static void
test_ours(void **state)
{
    const char *session = RUN_DIR "/libvirt/virtkvmd-sock";

    expect("kvm:///session", false,
           "kvm+unix:///session?socket=" RUN_DIR "/libvirt/virtkvmd-sock",
           session);
    expect("kvm:///session", true,
           "kvm+unix:///session?socket=" RUN_DIR "/libvirt/virtkvmd-sock",
           session);
    expect("null:///", false,
           "null+unix:///session?socket=" RUN_DIR "/libvirt/virtkvmd-sock",
           session);
    expect("kvm:///system", false,
           "kvm+unix:///system?socket=/run/libvirt/virtkvmd-sock",
           "/run/libvirt/virtkvmd-sock");
    expect("kvm:///system", true,
           "kvm+unix:///system?socket=/run/libvirt/virtkvmd-sock-ro",
           "/run/libvirt/virtkvmd-sock-ro");
    expect("kvm:///session?no_verify=1", false,
           "kvm+unix:///session?no_verify=1&socket=" RUN_DIR
           "/libvirt/virtkvmd-sock",
           session);
}

static void
test_embed(void **state)
{
    g_auto(VshTarget) target = { 0 };

    assert_true(vsh_uri_resolve("kvm:///embed?root=/tmp/a%20b/../c%26d", false,
                                &target, NULL));
    assert_string_equal(target.root, "/tmp/c&d");
    assert_string_equal(target.socket, "/tmp/c&d/virtkvmd-sock");
    assert_string_equal(target.uri,
                        "kvm+unix:///session?socket=/tmp/c%26d/virtkvmd-sock");
    assert_true(target.session);
}

static void
test_embed_refused(void **state)
{
    g_autofree char *deep = g_strnfill(200, 'x');
    g_autofree char *long_root = g_strdup_printf("kvm:///embed?root=/%s", deep);
    const char *const uris[] = { "kvm:///embed",
                                 "kvm:///embed?root=", long_root };

    for (size_t i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_auto(VshTarget) target = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(vsh_uri_resolve(uris[i], false, &target, &error));
        assert_int_equal(vsh_error_exit(error), VSH_EXIT_USAGE);
        assert_null(target.uri);
    }
}

static void
test_others_stay(void **state)
{
    static const char *const uris[] = {
        "test:///default",
        "qemu:///system",
        "kvm+ssh://host/session",
        "kvm://host/system",
        "kvm:///session?socket=/x",
        "kvm:///session?mode=direct",
        "kvm:///other",
        "myalias",
        "",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(uris); i++)
        expect(uris[i], false, uris[i], NULL);
}

static void
test_default(void **state)
{
    unsetenv("VSHELL_DEFAULT_CONNECT_URI");
    unsetenv("LIBVIRT_DEFAULT_URI");
    assert_string_equal(vsh_uri_default(),
                        geteuid() == 0 ? "kvm:///system" : "kvm:///session");
    setenv("LIBVIRT_DEFAULT_URI", "test:///a", 1);
    assert_string_equal(vsh_uri_default(), "test:///a");
    setenv("VSHELL_DEFAULT_CONNECT_URI", "test:///b", 1);
    assert_string_equal(vsh_uri_default(), "test:///b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_embed),
        cmocka_unit_test(test_embed_refused),
        cmocka_unit_test(test_others_stay),
        cmocka_unit_test(test_default),
    };

    setenv("XDG_RUNTIME_DIR", RUN_DIR, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
