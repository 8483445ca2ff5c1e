/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/console.h"
#include "shell/document.h"
#include "shell/domain.h"
#include "util/i18n.h"

/* More descriptors than a message to the daemon can carry are refused there. */
#define PASS_FDS_MAX 32

/* Reads "N,M,..." into @fds; the count, or -1. */
static int
parse_fds(const char *text, int *fds, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", PASS_FDS_MAX + 1);
    int count = 0;

    for (; parts[count]; count++) {
        guint64 fd;

        if (count == PASS_FDS_MAX ||
            !g_ascii_string_to_unsigned(parts[count], 10, 0, G_MAXINT, &fd,
                                        NULL)) {
            vsh_error_set(error, VSH_EXIT_USAGE, _("malformed FD list '%s'"),
                          text);
            return -1;
        }
        fds[count] = (int)fd;
    }
    return count;
}

static const VshFlagBits start_flags[] = {
    { "paused", VIR_DOMAIN_START_PAUSED },
    { "autodestroy", VIR_DOMAIN_START_AUTODESTROY },
    { "reset-nvram", VIR_DOMAIN_START_RESET_NVRAM },
    { NULL },
};

static const VshFlagBits start_only_flags[] = {
    { "bypass-cache", VIR_DOMAIN_START_BYPASS_CACHE },
    { "force-boot", VIR_DOMAIN_START_FORCE_BOOT },
    { NULL },
};

/* How a domain is started, and what happens then. */
typedef struct VshStart {
    unsigned flags;
    bool console;
    bool resume; /* it was paused only until the console is there */
    int fds[PASS_FDS_MAX];
    int fd_count;
} VshStart;

/*
 * With --console the domain starts paused and goes on once the console is
 * there, so that nothing the guest says is lost.
 */
static bool
start_init(VshStart *start, const VshArgs *args, GError **error)
{
    const char *list = vsh_args_string(args, "pass-fds");

    *start = (VshStart){ .flags = vsh_args_bits(args, start_flags),
                         .console = vsh_args_given(args, "console") };
    start->resume = start->console && !vsh_args_given(args, "paused");
    if (list)
        start->fd_count = parse_fds(list, start->fds, error);
    return start->fd_count >= 0;
}

static unsigned
start_bits(const VshStart *start)
{
    return start->flags | (start->resume ? VIR_DOMAIN_START_PAUSED : 0);
}

/* A driver may not know the flag that start->resume adds: then do without. */
static bool
start_without_pause(VshStart *start)
{
    if (!start->resume || virGetLastErrorCode() != VIR_ERR_INVALID_ARG)
        return false;
    start->resume = false;
    return true;
}

static bool
attach_console(VshShell *shell, const VshStart *start, virDomainPtr domain,
               GError **error)
{
    VshConsoleOptions options = { .resume = start->resume };

    return !start->console || vsh_console_run(shell, domain, &options, error);
}

static int
start_domain(virDomainPtr domain, VshStart *start)
{
    unsigned flags = start_bits(start);

    if (start->fd_count > 0)
        return virDomainCreateWithFiles(domain, (unsigned)start->fd_count,
                                        start->fds, flags);
    return flags ? virDomainCreateWithFlags(domain, flags)
                 : virDomainCreate(domain);
}

static bool
start_one(VshShell *shell, const VshArgs *args, virDomainPtr domain, void *data,
          GError **error)
{
    const char *name = virDomainGetName(domain);
    VshStart start;

    if (!start_init(&start, args, error))
        return false;
    start.flags |= vsh_args_bits(args, start_only_flags);
    if (virDomainGetID(domain) != (unsigned)-1) {
        vsh_error_set(error, VSH_EXIT_STATE, _("Domain is already active"));
        vsh_error_hint(error,
                       _("domain '%s' runs; 'console %s' attaches to it"), name,
                       name);
        return false;
    }
    if (start_domain(domain, &start) < 0 &&
        (!start_without_pause(&start) || start_domain(domain, &start) < 0)) {
        vsh_error_virt(error, _("Failed to start domain '%s'"), name);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' started"), name);
    return attach_console(shell, &start, domain, error);
}

/* A terminal shows one console, and a descriptor goes to one guest. */
static bool
check_single(const VshArgs *args, const char *list, GError **error)
{
    GPtrArray *words = vsh_args_strings(args, list);
    const char *option = vsh_args_given(args, "console")    ? "console"
                         : vsh_args_given(args, "pass-fds") ? "pass-fds"
                                                            : NULL;

    if (!option || (words->len == 1 && !strpbrk(words->pdata[0], "*?[")))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE, _("option --%s needs a single domain"),
                  option);
    return false;
}

static bool
run_start(VshShell *shell, const VshArgs *args, GError **error)
{
    return check_single(args, "domain", error) &&
           vsh_domain_each(shell, args, start_one, NULL, error);
}

#define START_OPTIONS                                                      \
    VSH_FLAG("console", N_("attach to console after creation")),           \
        VSH_FLAG("paused", N_("leave the guest paused after creation")),   \
        VSH_FLAG("autodestroy", N_("automatically destroy the guest when " \
                                   "vshell disconnects")),                 \
        VSH_FLAG("reset-nvram",                                            \
                 N_("re-initialize NVRAM from its pristine template"))

#define PASS_FDS_OPTION                                          \
    {                                                            \
        .name = "pass-fds", .kind = VSH_OPTION_STRING,           \
        .flags = VSH_OPTION_NAMED,                               \
        .help = N_("pass file descriptors N,M,... to the guest") \
    }

static const VshOption start_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_INACTIVE),
    START_OPTIONS,
    VSH_FLAG("bypass-cache", N_("avoid file system cache when loading")),
    VSH_FLAG("force-boot",
             N_("force fresh boot by discarding any managed save")),
    PASS_FDS_OPTION,
    { NULL },
};

static const VshCommand command_start = {
    .name = "start",
    .group = "domain",
    .summary = N_("start a (previously defined) inactive domain"),
    .details = N_("Starts domains, either from the last managedsave state, or "
                  "via a fresh boot if no managedsave state is present."),
    .options = start_options,
    .run = run_start,
};

static virDomainPtr
create_domain(VshShell *shell, VshStart *start, const char *xml)
{
    virConnectPtr conn = shell->connection.conn;
    unsigned flags = start_bits(start);

    if (start->fd_count > 0)
        return virDomainCreateXMLWithFiles(conn, xml, (unsigned)start->fd_count,
                                           start->fds, flags);
    return virDomainCreateXML(conn, xml, flags);
}

static bool
create_file(VshShell *shell, const VshArgs *args, const char *path,
            GError **error)
{
    g_autofree char *xml = vsh_document_read(path, error);
    g_autoptr(virDomain) domain = NULL;
    VshStart start;

    if (!xml || !start_init(&start, args, error))
        return false;
    if (vsh_args_given(args, "validate"))
        start.flags |= VIR_DOMAIN_START_VALIDATE;
    domain = create_domain(shell, &start, xml);
    if (!domain && start_without_pause(&start))
        domain = create_domain(shell, &start, xml);
    if (!domain) {
        vsh_error_virt(error, _("Failed to create domain from %s"), path);
        return false;
    }
    vsh_message(&shell->out, _("Domain '%s' created from %s"),
                virDomainGetName(domain), path);
    return attach_console(shell, &start, domain, error);
}

static bool
run_create(VshShell *shell, const VshArgs *args, GError **error)
{
    return check_single(args, "file", error) &&
           vsh_document_each(shell, args, create_file, error);
}

static const VshOption create_options[] = {
    VSH_OPTION_FILES,
    START_OPTIONS,
    PASS_FDS_OPTION,
    VSH_FLAG("validate", N_("validate the XML against the schema")),
    { NULL },
};

static const VshCommand command_create = {
    .name = "create",
    .group = "domain",
    .summary = N_("create a domain from an XML file"),
    .details = N_("Creates a transient domain: it runs at once and is "
                  "forgotten when it stops. Several files may be given; - is "
                  "standard input."),
    .options = create_options,
    .run = run_create,
};

const VshCommand *const vsh_commands_start[] = {
    &command_create,
    &command_start,
    NULL,
};
