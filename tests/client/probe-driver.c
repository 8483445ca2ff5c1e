/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * probe: a driver module for the tests of the daemon. Its domains are a list
 * in memory; what matters is how it behaves towards the daemon:
 *
 *  - domainReset blocks while the file $PROBE_GATE exists
 *  - domainReboot emits as many lifecycle events as its flags say, and with
 *    flag 1 << 30 one of every other kind
 *  - the name of a console says what it does: "echo", "flood" (writes as long
 *    as it is read), "deaf" (never reads), "brief" (says a word and ends),
 *    "taken" (says a word and is taken over)
 *  - domainGetXMLDesc with flag 1 << 20 gives a document of 4 MiB
 *  - clientClosed appends a line to $PROBE_LOG
 */
#include <config.h>

#include <gmodule.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtkvm/driver.h>

#include "util/error.h"
#include "util/fd.h"

#define ALL_KINDS (1u << 30)
#define HUGE_FLAG (1u << 20)
#define HUGE_SIZE (4 * 1024 * 1024)

struct VirtkvmState {
    const VirtkvmHost *host;
    GMutex lock;
    GPtrArray *domains; /* of Domain */
    int last_id;
};

typedef struct Domain {
    VirtkvmDomainRef ref;
    char *xml;
    bool paused;
} Domain;

static void
ref_clear(VirtkvmDomainRef *ref)
{
    g_free(ref->name);
}

static void
domain_free(void *data)
{
    Domain *domain = data;

    g_free(domain->ref.name);
    g_free(domain->xml);
    g_free(domain);
}

static VirtkvmDomainRef
ref_copy(const VirtkvmDomainRef *ref)
{
    VirtkvmDomainRef copy = *ref;

    copy.name = g_strdup(ref->name);
    return copy;
}

/* --- life ---------------------------------------------------------------- */

static VirtkvmState *
initialize(const VirtkvmHost *host, bool autostart, GError **error)
{
    VirtkvmState *state = g_new0(VirtkvmState, 1);

    if (g_getenv("PROBE_SLOW_START"))
        g_usleep(500 * 1000);
    state->host = host;
    g_mutex_init(&state->lock);
    state->domains = g_ptr_array_new_with_free_func(domain_free);
    return state;
}

static void
cleanup(VirtkvmState *state)
{
    g_ptr_array_unref(state->domains);
    g_mutex_clear(&state->lock);
    g_free(state);
}

static void
client_closed(VirtkvmState *state, const VirtkvmCaller *who)
{
    const char *path = g_getenv("PROBE_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;

    if (!file)
        return;
    fprintf(file, "closed %s %s\n", who->uri, who->read_only ? "ro" : "rw");
    fclose(file);
}

/* --- finding ------------------------------------------------------------- */

/* The domain of @uuid, or of @name, or of @id. The lock is held. */
static Domain *
find(VirtkvmState *state, const unsigned char *uuid, const char *name, int id)
{
    for (guint i = 0; i < state->domains->len; i++) {
        Domain *domain = g_ptr_array_index(state->domains, i);

        if (uuid ? memcmp(uuid, domain->ref.uuid, VIR_UUID_BUFLEN) == 0
                 : (name ? strcmp(name, domain->ref.name) == 0
                         : id == domain->ref.id))
            return domain;
    }
    return NULL;
}

static bool
give(VirtkvmState *state, Domain *domain, VirtkvmDomainRef *ret_domain,
     GError **error)
{
    if (domain)
        *ret_domain = ref_copy(&domain->ref);
    else
        error_set(error, VIR_ERR_NO_DOMAIN, "no such domain");
    g_mutex_unlock(&state->lock);
    return domain != NULL;
}

static bool
lookup_by_id(VirtkvmState *state, const VirtkvmCaller *who, int id,
             VirtkvmDomainRef *ret_domain, GError **error)
{
    g_mutex_lock(&state->lock);
    return give(state, find(state, NULL, NULL, id), ret_domain, error);
}

static bool
lookup_by_uuid(VirtkvmState *state, const VirtkvmCaller *who,
               const unsigned char *uuid, VirtkvmDomainRef *ret_domain,
               GError **error)
{
    g_mutex_lock(&state->lock);
    return give(state, find(state, uuid, NULL, 0), ret_domain, error);
}

static bool
lookup_by_name(VirtkvmState *state, const VirtkvmCaller *who, const char *name,
               VirtkvmDomainRef *ret_domain, GError **error)
{
    g_mutex_lock(&state->lock);
    return give(state, find(state, NULL, name, 0), ret_domain, error);
}

static bool
list(VirtkvmState *state, const VirtkvmCaller *who, unsigned flags,
     GArray **ret_domains, GError **error)
{
    GArray *refs = g_array_new(FALSE, TRUE, sizeof(VirtkvmDomainRef));

    g_array_set_clear_func(refs, (GDestroyNotify)ref_clear);
    g_mutex_lock(&state->lock);
    for (guint i = 0; i < state->domains->len; i++) {
        Domain *domain = g_ptr_array_index(state->domains, i);
        VirtkvmDomainRef ref = ref_copy(&domain->ref);

        g_array_append_val(refs, ref);
    }
    g_mutex_unlock(&state->lock);
    *ret_domains = refs;
    return true;
}

/* --- definitions --------------------------------------------------------- */

static char *
text_between(const char *xml, const char *open, const char *close)
{
    const char *from = strstr(xml, open);
    const char *to = from ? strstr(from, close) : NULL;

    if (!to)
        return NULL;
    from += strlen(open);
    return g_strndup(from, (gsize)(to - from));
}

static bool
define(VirtkvmState *state, const VirtkvmCaller *who, const char *xml,
       unsigned flags, VirtkvmDomainRef *ret_domain, GError **error)
{
    char *name = text_between(xml, "<name>", "</name>");
    Domain *domain;

    if (!name) {
        error_set(error, VIR_ERR_XML_ERROR, "a domain needs a name");
        return false;
    }
    domain = g_new0(Domain, 1);
    domain->ref.name = name;
    domain->ref.id = ++state->last_id;
    for (int i = 0; i < VIR_UUID_BUFLEN; i++)
        domain->ref.uuid[i] = (unsigned char)g_random_int();
    domain->xml = g_strdup(xml);
    *ret_domain = ref_copy(&domain->ref);
    g_mutex_lock(&state->lock);
    g_ptr_array_add(state->domains, domain);
    g_mutex_unlock(&state->lock);
    return true;
}

static char *
get_xml(VirtkvmState *state, const VirtkvmCaller *who,
        const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    if (!(flags & HUGE_FLAG))
        return g_strdup_printf("<domain type='probe'><name>%s</name></domain>",
                               dom->name);
    return g_strnfill(HUGE_SIZE, 'x');
}

/* --- life of domains ----------------------------------------------------- */

static bool
reset(VirtkvmState *state, const VirtkvmCaller *who,
      const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    const char *gate = g_getenv("PROBE_GATE");

    while (gate && access(gate, F_OK) == 0)
        g_usleep(10 * 1000);
    return true;
}

static void
emit_all(VirtkvmState *state, const VirtkvmDomainRef *dom)
{
    virTypedParameter tuned[] = {
        { "blkdeviotune.disk", VIR_TYPED_PARAM_STRING, { .s = (char *)"vda" } },
        { "blkdeviotune.total_iops_sec", VIR_TYPED_PARAM_ULLONG, { .ul = 9 } },
    };
    const VirtkvmEvent events[] = {
        { .id = VIR_DOMAIN_EVENT_ID_RTC_CHANGE, .rtc_change.offset_s = -3600 },
        { .id = VIR_DOMAIN_EVENT_ID_CONTROL_ERROR },
        { .id = VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
          .balloon_change.actual_kib = UINT64_C(1) << 40 },
        { .id = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, .device.alias = "gone" },
        { .id = VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, .device.alias = "new" },
        { .id = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
          .device.alias = "stuck" },
        { .id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
          .metadata_change = { VIR_DOMAIN_METADATA_ELEMENT, "urn:x" } },
        { .id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
          .metadata_change = { VIR_DOMAIN_METADATA_TITLE, NULL } },
        { .id = VIR_DOMAIN_EVENT_ID_IO_ERROR,
          .io_error = { "/a", "virtio-disk0", VIR_DOMAIN_EVENT_IO_ERROR_PAUSE,
                        "enospc" } },
        { .id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
          .io_error = { "/a", "virtio-disk0", VIR_DOMAIN_EVENT_IO_ERROR_REPORT,
                        "" } },
        { .id = VIR_DOMAIN_EVENT_ID_DISK_CHANGE,
          .disk_change = { NULL, "/b", "virtio-disk0",
                           VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START } },
        { .id = VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
          .tray_change = { "ide0-0-1", VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE } },
        { .id = VIR_DOMAIN_EVENT_ID_TUNABLE, .tunable = { tuned, 2 } },
        { .id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
          .agent = { VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED,
                     VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL } },
        { .id = 1000 }, /* the daemon does not know it, and says nothing */
        { .id = -1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        VirtkvmEvent event = events[i];

        event.domain = *dom;
        state->host->event(state->host, &event);
    }
}

static bool
reboot(VirtkvmState *state, const VirtkvmCaller *who,
       const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    VirtkvmEvent event = { .id = VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                           .domain = *dom };

    if (flags & ALL_KINDS) {
        emit_all(state, dom);
        return true;
    }
    for (unsigned i = 0; i < flags; i++) {
        event.lifecycle.event = VIR_DOMAIN_EVENT_STARTED;
        event.lifecycle.detail = (int)i;
        state->host->event(state->host, &event);
    }
    event.id = VIR_DOMAIN_EVENT_ID_REBOOT;
    state->host->event(state->host, &event);
    return true;
}

static bool
fail_silently(VirtkvmState *state, const VirtkvmCaller *who,
              const VirtkvmDomainRef *dom, GError **error)
{
    return false;
}

static bool
get_state(VirtkvmState *state, const VirtkvmCaller *who,
          const VirtkvmDomainRef *dom, int *ret_state, int *ret_reason,
          GError **error)
{
    *ret_state = VIR_DOMAIN_RUNNING;
    *ret_reason = VIR_DOMAIN_RUNNING_BOOTED;
    return true;
}

static int
is_active(VirtkvmState *state, const VirtkvmCaller *who,
          const VirtkvmDomainRef *dom, GError **error)
{
    return 1;
}

/* --- consoles ------------------------------------------------------------ */

typedef struct Guest {
    VirtkvmConsole console;
    int far;
    char how;
    pthread_t thread;
} Guest;

static void *
act(void *data)
{
    Guest *guest = data;
    uint64_t end = VIRTKVM_CONSOLE_TAKEN;
    char bytes[2048];
    ssize_t n;

    switch (guest->how) {
    case 'e':
        while ((n = read(guest->far, bytes, sizeof(bytes))) > 0 &&
               fd_write_all(guest->far, bytes, (size_t)n))
            ;
        break;
    case 'f':
        memset(bytes, 'f', sizeof(bytes));
        while (fd_write_all(guest->far, bytes, sizeof(bytes)))
            ;
        break;
    case 'b':
    case 't':
        (void)fd_write_all(guest->far, "word", 4);
        if (guest->how == 't')
            (void)fd_write_all(guest->console.cancel_fd, &end, sizeof(end));
        break;
    default:
        return NULL;
    }
    if (guest->how != 't')
        shutdown(guest->far, SHUT_RDWR);
    return NULL;
}

static void
release(VirtkvmConsole *console)
{
    Guest *guest = console->opaque;

    shutdown(guest->far, SHUT_RDWR);
    pthread_join(guest->thread, NULL);
    close(guest->console.fd);
    close(guest->console.cancel_fd);
    close(guest->far);
    g_free(guest);
}

static VirtkvmConsole *
open_console(VirtkvmState *state, const VirtkvmCaller *who,
             const VirtkvmDomainRef *dom, const char *devname, unsigned flags,
             GError **error)
{
    Guest *guest;
    int ends[2];

    if (!devname ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, "no such console");
        return NULL;
    }
    guest = g_new0(Guest, 1);
    guest->far = ends[1];
    guest->how = devname[0];
    guest->console = (VirtkvmConsole){
        .fd = ends[0],
        .cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .release = release,
        .opaque = guest,
    };
    fd_set_nonblocking(ends[0], true);
    pthread_create(&guest->thread, NULL, act, guest);
    return &guest->console;
}

/* ----------------------------------------------------------------------------------------
 */

static const char *const schemes[] = { "probe", NULL };

static const VirtkvmDriver driver = {
#ifdef PROBE_WRONG_ABI
    .abi = VIRTKVM_DRIVER_ABI + 1,
#else
    .abi = VIRTKVM_DRIVER_ABI,
#endif
    .name = "probe",
    .schemes = schemes,
    .type = "PROBE",
    .stateInitialize = initialize,
    .stateCleanup = cleanup,
    .clientClosed = client_closed,
    .connectListAllDomains = list,
    .domainLookupByID = lookup_by_id,
    .domainLookupByUUID = lookup_by_uuid,
    .domainLookupByName = lookup_by_name,
    .domainDefineXMLFlags = define,
    .domainGetXMLDesc = get_xml,
    .domainSuspend = fail_silently,
    .domainReset = reset,
    .domainReboot = reboot,
    .domainGetState = get_state,
    .domainIsActive = is_active,
    .domainOpenConsole = open_console,
};

G_MODULE_EXPORT const VirtkvmDriver *virtkvm_driver(void);

const VirtkvmDriver *
virtkvm_driver(void)
{
    return &driver;
}
