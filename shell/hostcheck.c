/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/hostcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shell/daemon.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

/* Creating an empty VM takes well under a millisecond; from here on something
 * is wrong with the host's settings. */
#define CREATE_VM_SLOW_MS 50

/* Less free memory than this hardly holds a guest. */
#define MEMORY_LOW_KIB (256 * 1024)

#define SMALL_FILE_MAX (1024 * 1024)

/* The first line of a file in /sys or /proc, or NULL. */
static char *
read_line(const char *path)
{
    char *text = file_read(path, SMALL_FILE_MAX, NULL, NULL);
    char *newline = text ? strchr(text, '\n') : NULL;

    if (newline)
        *newline = '\0';
    return text;
}

static Fd
open_kvm(void)
{
    return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

static VshVerdict
check_device(char **ret_note)
{
    g_auto(Fd) kvm = open_kvm();

    if (kvm >= 0)
        return VSH_VERDICT_PASS;
    if (errno == ENOENT)
        *ret_note = g_strdup(_("/dev/kvm does not exist: load the module kvm, "
                               "kvm_intel or kvm_amd, and look for "
                               "virtualization in the firmware's settings"));
    else if (errno == EACCES)
        *ret_note = g_strdup(_("/dev/kvm may not be opened: join the group "
                               "that owns it, kvm usually"));
    else
        *ret_note = g_strdup_printf(_("/dev/kvm cannot be opened: %s"),
                                    g_strerror(errno));
    return VSH_VERDICT_FAIL;
}

static VshVerdict
check_api(char **ret_note)
{
    g_auto(Fd) kvm = open_kvm();
    int version = kvm < 0 ? -1 : ioctl(kvm, KVM_GET_API_VERSION, 0);

    if (version == KVM_API_VERSION)
        return VSH_VERDICT_PASS;
    *ret_note = version < 0 ? g_strdup(_("KVM does not answer"))
                            : g_strdup_printf(_("KVM speaks version %d of its "
                                                "interface, not %d"),
                                              version, KVM_API_VERSION);
    return VSH_VERDICT_FAIL;
}

/* Documentation/virt/kvm/api.rst describes each. */
static const struct {
    int number;
    const char *name;
    VshVerdict without;
} capabilities[] = {
    { KVM_CAP_USER_MEMORY, "USER_MEMORY", VSH_VERDICT_FAIL },
    { KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR", VSH_VERDICT_FAIL },
    { KVM_CAP_EXT_CPUID, "EXT_CPUID", VSH_VERDICT_FAIL },
    { KVM_CAP_IRQCHIP, "IRQCHIP", VSH_VERDICT_FAIL },
    { KVM_CAP_PIT2, "PIT2", VSH_VERDICT_FAIL },
    { KVM_CAP_IRQFD, "IRQFD", VSH_VERDICT_FAIL },
    { KVM_CAP_IOEVENTFD, "IOEVENTFD", VSH_VERDICT_FAIL },
    { KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT", VSH_VERDICT_FAIL },
    { KVM_CAP_MP_STATE, "MP_STATE", VSH_VERDICT_FAIL },
    { KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI", VSH_VERDICT_WARN },
    { KVM_CAP_TSC_DEADLINE_TIMER, "TSC_DEADLINE_TIMER", VSH_VERDICT_WARN },
    { KVM_CAP_ADJUST_CLOCK, "ADJUST_CLOCK", VSH_VERDICT_WARN },
    { KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS", VSH_VERDICT_WARN },
};

static VshVerdict
check_capabilities(char **ret_note)
{
    g_auto(Fd) kvm = open_kvm();
    g_autoptr(GString) missing = g_string_new(NULL);
    VshVerdict verdict = VSH_VERDICT_PASS;

    for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        if (kvm >= 0 &&
            ioctl(kvm, KVM_CHECK_EXTENSION, capabilities[i].number) > 0)
            continue;
        g_string_append_printf(missing, " KVM_CAP_%s", capabilities[i].name);
        verdict = MAX(verdict, capabilities[i].without);
    }
    if (missing->len > 0)
        *ret_note = g_strdup_printf(_("missing:%s"), missing->str);
    return verdict;
}

static VshVerdict
check_kind(char **ret_note)
{
    static const char *const hardware[] = { "/sys/module/kvm_intel",
                                            "/sys/module/kvm_amd" };

    for (size_t i = 0; i < G_N_ELEMENTS(hardware); i++)
        if (g_file_test(hardware[i], G_FILE_TEST_IS_DIR))
            return VSH_VERDICT_PASS;
    if (g_file_test("/sys/module/kvm_pvm", G_FILE_TEST_IS_DIR))
        *ret_note = g_strdup(_("this is a KVM without hardware assistance "
                               "(kvm_pvm): it emulates the kernel mode of "
                               "guests, so that small guests run, but Linux "
                               "does not boot"));
    else
        *ret_note = g_strdup(_("neither kvm_intel nor kvm_amd is loaded: it "
                               "cannot be told what kind of KVM this is"));
    return VSH_VERDICT_WARN;
}

static bool
has_favordynmods(void)
{
    g_autofree char *mounts =
        file_read("/proc/self/mounts", SMALL_FILE_MAX, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(mounts ? mounts : "", "\n", -1);

    for (size_t i = 0; lines[i]; i++)
        if (strstr(lines[i], " cgroup2 ") && strstr(lines[i], "favordynmods"))
            return true;
    return false;
}

static bool
kernel_at_least(unsigned long major)
{
    struct utsname name;

    return uname(&name) == 0 && strtoul(name.release, NULL, 10) >= major;
}

/*
 * From Linux 6.0 on the first KVM_CREATE_VM can take hundreds of milliseconds
 * where the mitigation for huge pages starts a worker in the VM's cgroup:
 * moving a thread between cgroups waits for an RCU grace period unless the
 * hierarchy is mounted with favordynmods.
 */
static VshVerdict
check_huge_page_worker(char **ret_note)
{
    g_autofree char *mitigation =
        read_line("/sys/module/kvm/parameters/nx_huge_pages");

    if (!mitigation || mitigation[0] != 'Y' || !kernel_at_least(6) ||
        has_favordynmods())
        return VSH_VERDICT_PASS;
    *ret_note =
        g_strdup(_("kvm.nx_huge_pages is on and cgroups are mounted without "
                   "favordynmods, which can delay each start by 200 ms: mount "
                   "-o remount,favordynmods /sys/fs/cgroup"));
    return VSH_VERDICT_WARN;
}

static VshVerdict
check_create(char **ret_note)
{
    g_auto(Fd) kvm = open_kvm();
    gint64 start = g_get_monotonic_time();
    g_auto(Fd) vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    gint64 elapsed_us = g_get_monotonic_time() - start;

    if (vm < 0) {
        *ret_note = g_strdup_printf(_("KVM cannot create a virtual machine: "
                                      "%s"),
                                    g_strerror(errno));
        return VSH_VERDICT_FAIL;
    }
    *ret_note =
        g_strdup_printf(_("it took %.1f ms"), (double)elapsed_us / 1000.0);
    return elapsed_us > CREATE_VM_SLOW_MS * 1000 ? VSH_VERDICT_WARN
                                                 : VSH_VERDICT_PASS;
}

/* The number of KiB that /proc/meminfo has for @field, or -1. */
static gint64
meminfo(const char *field)
{
    g_autofree char *text =
        file_read("/proc/meminfo", SMALL_FILE_MAX, NULL, NULL);
    const char *found = text ? strstr(text, field) : NULL;

    return found ? g_ascii_strtoll(found + strlen(field), NULL, 10) : -1;
}

static VshVerdict
check_memory(char **ret_note)
{
    gint64 available = meminfo("MemAvailable:");

    if (available >= MEMORY_LOW_KIB)
        return VSH_VERDICT_PASS;
    *ret_note =
        g_strdup_printf(_("only %lld KiB are available"), (long long)available);
    return VSH_VERDICT_WARN;
}

static VshVerdict
check_memfd(char **ret_note)
{
    g_auto(Fd) fd =
        memfd_create("vshell-check", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0)
        return VSH_VERDICT_PASS;
    *ret_note = g_strdup_printf(_("memory files cannot be created: %s"),
                                g_strerror(errno));
    return VSH_VERDICT_FAIL;
}

static VshVerdict
check_cgroups(char **ret_note)
{
    static const char *const wanted[] = { "cpuset", "cpu", "io", "memory",
                                          "pids" };
    g_autofree char *line = read_line("/sys/fs/cgroup/cgroup.controllers");
    g_auto(GStrv) present = g_strsplit(line ? line : "", " ", -1);
    g_autoptr(GString) missing = g_string_new(NULL);

    if (!line) {
        *ret_note = g_strdup(_("cgroups of version 2 are not mounted: limits "
                               "on resources are not enforced"));
        return VSH_VERDICT_WARN;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (!g_strv_contains((const char *const *)present, wanted[i]))
            g_string_append_printf(missing, " %s", wanted[i]);
    if (missing->len == 0)
        return VSH_VERDICT_PASS;
    *ret_note = g_strdup_printf(_("controllers missing:%s"), missing->str);
    return VSH_VERDICT_WARN;
}

static VshVerdict
check_file(const char *path, const char *without, char **ret_note)
{
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return VSH_VERDICT_PASS;
    *ret_note = g_strdup_printf(_("%s does not exist: %s"), path, without);
    return VSH_VERDICT_WARN;
}

static VshVerdict
check_tun(char **ret_note)
{
    return check_file("/dev/net/tun", _("no tap interfaces for guests"),
                      ret_note);
}

static VshVerdict
check_vhost(char **ret_note)
{
    return check_file("/dev/vhost-net", _("guest networks are slower"),
                      ret_note);
}

static VshVerdict
check_seccomp(char **ret_note)
{
    return check_file("/proc/sys/kernel/seccomp/actions_avail",
                      _("engines cannot drop system calls"), ret_note);
}

/* LANDLOCK_CREATE_RULESET_VERSION asks for the version, and makes nothing. */
static VshVerdict
check_landlock(char **ret_note)
{
#ifdef __NR_landlock_create_ruleset
    if (syscall(__NR_landlock_create_ruleset, NULL, 0, 1U) > 0)
        return VSH_VERDICT_PASS;
#endif
    *ret_note = g_strdup(_("the kernel has no Landlock, or it is off: engines "
                           "are confined by other means only"));
    return VSH_VERDICT_WARN;
}

static VshVerdict
check_daemon(char **ret_note)
{
    *ret_note = vsh_daemon_find();
    if (*ret_note)
        return VSH_VERDICT_PASS;
    *ret_note = g_strdup(_("the program virtkvmd was not found; "
                           "VIRTKVM_DAEMON can name it"));
    return VSH_VERDICT_FAIL;
}

const VshCheck vsh_checks[] = {
    { "kvm_device", N_("KVM device"), check_device },
    { "kvm_api", N_("KVM interface version"), check_api },
    { "kvm_capabilities", N_("KVM capabilities"), check_capabilities },
    { "kvm_kind", N_("hardware virtualization"), check_kind },
    { "kvm_create", N_("creation of a virtual machine"), check_create },
    { "kvm_nx_huge_pages", N_("delays at start"), check_huge_page_worker },
    { "memory", N_("available memory"), check_memory },
    { "memfd", N_("memory files"), check_memfd },
    { "cgroups", N_("cgroups"), check_cgroups },
    { "tun", N_("tap interfaces"), check_tun },
    { "vhost_net", N_("vhost-net"), check_vhost },
    { "seccomp", N_("seccomp"), check_seccomp },
    { "landlock", N_("Landlock"), check_landlock },
    { "daemon", N_("daemon program"), check_daemon },
    { NULL },
};
