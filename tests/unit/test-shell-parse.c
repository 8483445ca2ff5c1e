/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shell/exit.h"
#include "shell/parse.h"

/* The words of all statements: "a|b;c" */
static char *
parse_to_text(const char *text)
{
    g_autoptr(GPtrArray) statements = vsh_parse(text, NULL, NULL);
    GString *result = g_string_new(NULL);

    if (!statements)
        return g_string_free(g_string_append(result, "ERROR"), FALSE);
    for (guint i = 0; i < statements->len; i++) {
        VshStatement *statement = statements->pdata[i];

        g_string_append(result, i > 0 ? ";" : "");
        for (guint j = 0; j < statement->len; j++)
            g_string_append_printf(result, "%s%s", j > 0 ? "|" : "",
                                   ((VshWord *)statement->pdata[j])->text);
    }
    return g_string_free(result, FALSE);
}

static void
test_words(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        { "", "" },
        { " \t ; ;\n ", "" },
        { "list", "list" },
        { "  list\t--all  ", "list|--all" },
        { "a;b", "a;b" },
        { "a ; b\nc", "a;b;c" },
        { "a\r\nb", "a;b" },
        { "echo 'a b' \"c d\"", "echo|a b|c d" },
        { "echo a'b c'd", "echo|ab cd" },
        { "echo '' \"\"", "echo||" },
        { "echo 'a\\b' \"a\\\"b\\\\c\"", "echo|a\\b|a\"b\\c" },
        { "echo a\\ b\\;c", "echo|a b;c" },
        { "echo a\\\nb", "echo|ab" },
        { "echo \"a\\\nb\"", "echo|ab" },
        { "echo 'a\nb'", "echo|a\nb" },
        { "echo a ';' b", "echo|a|;|b" },
        { "echo a#b", "echo|a#b" },
        { "echo a #b; c", "echo|a" },
        { "# only this\nlist", "list" },
        { "list # that\ndominfo x", "list;dominfo|x" },
        { "echo \\#a '#b'", "echo|#a|#b" },
        { "echo 'open", "ERROR" },
        { "echo \"open", "ERROR" },
        { "echo \"open\\\"", "ERROR" },
        { "echo open\\", "ERROR" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words = parse_to_text(cases[i].text);

        assert_string_equal(words, cases[i].words);
    }
}

static void
test_errors_tell_the_position(void **state)
{
    static const struct {
        const char *text;
        VshParseWant want;
        const char *part;
    } cases[] = {
        { "list\necho 'abc", VSH_PARSE_WANT_QUOTE,
          "missing ' for the quote opened at line 2, column 6" },
        { "echo \xc3\xa4\xc3\xb6 \"x", VSH_PARSE_WANT_QUOTE,
          "missing \" for the quote opened at line 1, column 9" },
        { "echo abc\\", VSH_PARSE_WANT_LINE,
          "dangling \\ at line 1, column 9" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VshParseWant want = VSH_PARSE_DONE;

        assert_null(vsh_parse(cases[i].text, &want, &error));
        assert_int_equal(want, cases[i].want);
        assert_int_equal(vsh_error_exit(error), VSH_EXIT_USAGE);
        assert_string_equal(error->message, cases[i].part);
    }
}

static void
test_words_know_their_place(void **state)
{
    g_autoptr(GPtrArray) statements = vsh_parse("a  'b c';d", NULL, NULL);
    VshStatement *first = statements->pdata[0];
    VshStatement *second = statements->pdata[1];

    assert_int_equal(((VshWord *)first->pdata[0])->offset, 0);
    assert_int_equal(((VshWord *)first->pdata[1])->offset, 3);
    assert_int_equal(((VshWord *)second->pdata[0])->offset, 9);
}

static void
test_tail_for_completion(void **state)
{
    static const struct {
        const char *text;
        guint words;
        const char *partial;
        char quote;
    } cases[] = {
        { "", 0, "", 0 },
        { "li", 0, "li", 0 },
        { "list ", 1, "", 0 },
        { "list --a", 1, "--a", 0 },
        { "list; domi", 0, "domi", 0 },
        { "start 'my dom", 1, "my dom", '\'' },
        { "start \"my dom", 1, "my dom", '"' },
        { "start my\\ dom", 1, "my dom", 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *partial = NULL;
        char quote = 'x';
        g_autoptr(GPtrArray) before =
            vsh_parse_tail(cases[i].text, &partial, &quote);

        assert_int_equal(before->len, cases[i].words);
        assert_string_equal(partial, cases[i].partial);
        assert_int_equal(quote, cases[i].quote);
    }
}

static void
test_quote_comes_back(void **state)
{
    static const char *const texts[] = {
        "plain", "two words", "semi;colon", "it's",  "say \"x\"",       "a\\b",
        "#hash", "",          "line\nend",  "\ttab", "umlaut \xc3\xa4",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *quoted = vsh_quote(texts[i]);
        g_autofree char *back = parse_to_text(quoted);

        assert_string_equal(back, texts[i]);
    }
    for (size_t i = 0; i < 1; i++) {
        g_autofree char *quoted = vsh_quote("plain-1.x");

        assert_string_equal(quoted, "plain-1.x");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_errors_tell_the_position),
        cmocka_unit_test(test_words_know_their_place),
        cmocka_unit_test(test_tail_for_completion),
        cmocka_unit_test(test_quote_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
