/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/**
 * The interface between virtkvmd and a hypervisor driver module.
 *
 * A module is a shared object in $(libdir)/virtkvm/drivers. It exports one
 * function, VIRTKVM_DRIVER_ENTRY ("virtkvm_driver"), which returns a constant
 * table. virtkvmd loads the module, compares the ABI number, and routes each
 * connection to the table whose URI scheme it names. The operations carry
 * libvirt's names and libvirt's semantics; flags are libvirt's VIR_* bits.
 *
 * Common rules
 *  - Every operation may be called from several threads at once and may block.
 *  - Errors: GError of domain g_quark_from_static_string("virtkvm-error"),
 *    whose code is a virErrorNumber and whose message lacks libvirt's prefix.
 *  - On failure no ret_ argument has been touched.
 *  - What a ret_ argument returns belongs to the caller (g_free(), or the
 *    _clear/_free function beside the type).
 *  - An operation that is NULL in the table answers VIR_ERR_NO_SUPPORT.
 *  - SIGTERM, SIGINT and SIGHUP are blocked in every thread of the daemon, and
 *    SIGPIPE is ignored: a driver that starts a program sets both right in it.
 *  - Access: the daemon refuses changes from read-only connections by the
 *    procedure's access class before the driver is called; the driver looks at
 *    VirtkvmCaller only where the answer itself differs (secure XML).
 */

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define VIRTKVM_DRIVER_ABI   2
#define VIRTKVM_DRIVER_ENTRY "virtkvm_driver"

/** The opaque state of one initialised driver; one per daemon and driver. */
typedef struct VirtkvmState VirtkvmState;

/** Who asks. Lives as long as the client's connection. */
typedef struct VirtkvmCaller {
    guint64 client_id; /* unique in this daemon's life */
    bool read_only;
    uid_t uid; /* SO_PEERCRED */
    gid_t gid;
    pid_t pid;
    const char *uri; /* as the client gave it; may be "" */
} VirtkvmCaller;

/** A domain as it travels on the wire. */
typedef struct VirtkvmDomainRef {
    char *name;
    unsigned char uuid[VIR_UUID_BUFLEN];
    int id; /* -1 when not active */
} VirtkvmDomainRef;

/** Typed parameters: an array of virTypedParameter, strings by g_malloc(). */
typedef struct VirtkvmParams {
    virTypedParameter *items;
    size_t count;
} VirtkvmParams;

typedef struct VirtkvmDomainStats {
    VirtkvmDomainRef domain;
    VirtkvmParams params;
} VirtkvmDomainStats;

typedef struct VirtkvmDomainInfo {
    unsigned char state;  /* virDomainState */
    uint64_t max_mem_kib; /* KiB */
    uint64_t memory_kib;  /* KiB */
    uint16_t vcpus;
    uint64_t cpu_time_ns; /* ns */
} VirtkvmDomainInfo;

/** virDomainControlInfo */
typedef struct VirtkvmControlInfo {
    unsigned state;   /* virDomainControlState */
    unsigned details; /* virDomainControlErrorReason */
    uint64_t state_time_ms;
} VirtkvmControlInfo;

/** One vCPU as virDomainGetVcpus tells it. */
typedef struct VirtkvmVcpuInfo {
    unsigned number;
    int state; /* virVcpuState */
    uint64_t cpu_time_ns;
    int cpu; /* host CPU it runs on, -1 unknown */
} VirtkvmVcpuInfo;

/** Node facts of virNodeInfo, sizes as in libvirt. */
typedef struct VirtkvmNodeInfo {
    char model[32];
    uint64_t memory_kib;
    int cpus, mhz, nodes, sockets, cores, threads;
} VirtkvmNodeInfo;

/** What virDomainBlockStats tells of a disk; -1: not known. */
typedef struct VirtkvmBlockStats {
    int64_t rd_req, rd_bytes, wr_req, wr_bytes, errs;
} VirtkvmBlockStats;

/** What virDomainGetBlockInfo tells of a disk's image; bytes. */
typedef struct VirtkvmBlockInfo {
    uint64_t allocation; /* taken on the host */
    uint64_t capacity;   /* as the guest sees it */
    uint64_t physical;   /* size of the host's file or device */
} VirtkvmBlockInfo;

/** A disk that had an I/O error. */
typedef struct VirtkvmDiskError {
    char *disk; /* its target */
    int error;  /* virDomainDiskErrorCode */
} VirtkvmDiskError;

/** virDomainInterfaceStatsStruct: from the guest's side; -1: not known. */
typedef struct VirtkvmInterfaceStats {
    int64_t rx_bytes, rx_packets, rx_errs, rx_drop;
    int64_t tx_bytes, tx_packets, tx_errs, tx_drop;
} VirtkvmInterfaceStats;

/** An address of a guest's interface. */
typedef struct VirtkvmIpAddress {
    int type; /* virIPAddrType */
    char *address;
    unsigned prefix;
} VirtkvmIpAddress;

/** A guest's interface and its addresses. */
typedef struct VirtkvmInterfaceAddresses {
    char *name;
    char *mac; /* or NULL */
    VirtkvmIpAddress *addresses;
    size_t count;
} VirtkvmInterfaceAddresses;

typedef struct VirtkvmMemoryStat {
    int tag; /* virDomainMemoryStatTags */
    uint64_t value;
} VirtkvmMemoryStat;

/** An I/O thread and the host's CPUs that it may use, a bit each. */
typedef struct VirtkvmIothread {
    unsigned id;
    unsigned char *cpumap;
    size_t cpumap_size;
} VirtkvmIothread;

/** What a driver writes to the eventfd of a console: why its stream ends. */
typedef enum VirtkvmConsoleEnd {
    VIRTKVM_CONSOLE_ENDED = 1, /* what is still to read, then end of file */
    VIRTKVM_CONSOLE_TAKEN = 2, /* another client forced its way in */
} VirtkvmConsoleEnd;

/**
 * A console that a stream carries: a non-blocking descriptor to read and write
 * (a socket, a pty's slave; end of file or an error ends the stream), an
 * eventfd to which the driver writes a VirtkvmConsoleEnd when it wants the
 * stream ended (-1 if it never does),
 * and a release function that the daemon calls exactly once, after its last
 * use, from any thread; it closes both descriptors.
 */
typedef struct VirtkvmConsole {
    int fd;
    int cancel_fd;
    void (*release)(struct VirtkvmConsole *console);
    void *opaque;
} VirtkvmConsole;

/** An event; `domain.id` is the id at the time of the event. */
typedef struct VirtkvmEvent {
    int id; /* virDomainEventID */
    VirtkvmDomainRef domain;
    union {
        struct {
            int event;  /* virDomainEventType */
            int detail; /* of that type */
        } lifecycle;
        struct {
            int64_t offset_s; /* seconds from UTC */
        } rtc_change;
        struct {
            int type; /* virDomainMetadataType */
            const char *uri;
        } metadata_change;
        struct {
            const char *alias;
        } device;
        struct {
            uint64_t actual_kib;
        } balloon_change;
        struct {
            const char *path; /* of the image; "" if it has none */
            const char *alias;
            int action;         /* virDomainEventIOErrorAction */
            const char *reason; /* "enospc" or "" */
        } io_error;             /* both IO_ERROR and IO_ERROR_REASON */
        struct {
            const char *old_path; /* or NULL */
            const char *new_path; /* or NULL */
            const char *alias;
            int reason; /* virConnectDomainEventDiskChangeReason */
        } disk_change;
        struct {
            const char *alias;
            int reason; /* virDomainEventTrayChangeReason */
        } tray_change;
        struct {
            int state;  /* virConnectDomainEventAgentLifecycleState */
            int reason; /* virConnectDomainEventAgentLifecycleReason */
        } agent;
        VirtkvmParams tunable;
    };
} VirtkvmEvent;

/* --- networks ------------------------------------------------------------- */

/** A network as it travels on the wire. */
typedef struct VirtkvmNetworkRef {
    char *name;
    unsigned char uuid[VIR_UUID_BUFLEN];
} VirtkvmNetworkRef;

/** virNetworkDHCPLease */
typedef struct VirtkvmDhcpLease {
    char *iface;      /* the bridge */
    int64_t expiry_s; /* seconds since the epoch; 0: never */
    int type;         /* virIPAddrType */
    char *mac;        /* or NULL */
    char *iaid;       /* of IPv6, or NULL */
    char *address;
    unsigned prefix;
    char *hostname;  /* or NULL */
    char *client_id; /* or NULL */
} VirtkvmDhcpLease;

/** What virNetworkUpdate is told. */
typedef struct VirtkvmNetworkUpdate {
    unsigned command; /* virNetworkUpdateCommand */
    unsigned section; /* virNetworkUpdateSection */
    int parent_index; /* of the <ip>, -1: any */
    const char *xml;
    unsigned flags; /* virNetworkUpdateFlags */
} VirtkvmNetworkUpdate;

/** A change of a network's life. */
typedef struct VirtkvmNetworkEvent {
    VirtkvmNetworkRef network;
    int event;  /* virNetworkEventLifecycleType */
    int detail; /* 0 */
} VirtkvmNetworkEvent;

/** What the daemon offers a driver. Valid until stateCleanup returns. */
typedef struct VirtkvmHost {
    void *opaque;
    bool privileged;        /* the system daemon, run by root */
    const char *config_dir; /* definitions: <config_dir>/<driver>/ */
    const char *run_dir;    /* sockets, pids, status files; volatile */
    const char *lib_dir;    /* nvram, saved state */
    const char *log_dir;
    const char *cache_dir;
    const char *engine_path; /* the program virtkvm-engine */
    const char *log_program; /* for messages: name, least level, descriptor */
    int log_level;
    int log_fd;
    unsigned generation; /* boot id changes: tells a host reboot */
    /** Any thread; copies what it needs; never calls back into the driver. */
    void (*event)(const struct VirtkvmHost *host, const VirtkvmEvent *event);
    /** The same of a network. */
    void (*network_event)(const struct VirtkvmHost *host,
                          const VirtkvmNetworkEvent *event);
    /** The driver holds the daemon alive (+1) or lets go (-1): `--timeout`
     * does not end a daemon that is held. Any thread. */
    void (*hold)(const struct VirtkvmHost *host, int change);
    /** Value of a key of virtkvmd.conf, or NULL; string form. */
    const char *(*config)(const struct VirtkvmHost *host, const char *key);
} VirtkvmHost;

/** The operations on networks; `net` names the network (looked up by uuid,
 * VIR_ERR_NO_NETWORK). See VirtkvmDriver. */
typedef struct VirtkvmNetworkDriver {
    /** @flags: virConnectListAllNetworksFlags.
     * @ret_networks: GArray of VirtkvmNetworkRef with a clear function */
    bool (*connectListAllNetworks)(VirtkvmState *state,
                                   const VirtkvmCaller *who, unsigned flags,
                                   GArray **ret_networks, GError **error);
    bool (*networkLookupByUUID)(VirtkvmState *state, const VirtkvmCaller *who,
                                const unsigned char *uuid,
                                VirtkvmNetworkRef *ret_network, GError **error);
    bool (*networkLookupByName)(VirtkvmState *state, const VirtkvmCaller *who,
                                const char *name,
                                VirtkvmNetworkRef *ret_network, GError **error);
    /** @flags: virNetworkDefineFlags */
    bool (*networkDefineXMLFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const char *xml, unsigned flags,
                                  VirtkvmNetworkRef *ret_network,
                                  GError **error);
    /** @flags: virNetworkCreateFlags */
    bool (*networkCreateXMLFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const char *xml, unsigned flags,
                                  VirtkvmNetworkRef *ret_network,
                                  GError **error);
    bool (*networkCreate)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmNetworkRef *net, GError **error);
    bool (*networkDestroy)(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmNetworkRef *net, GError **error);
    bool (*networkUndefine)(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmNetworkRef *net, GError **error);
    bool (*networkUpdate)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmNetworkRef *net,
                          const VirtkvmNetworkUpdate *update, GError **error);
    char *(*networkGetXMLDesc)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmNetworkRef *net, unsigned flags,
                               GError **error);
    char *(*networkGetBridgeName)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmNetworkRef *net, GError **error);
    bool (*networkGetAutostart)(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmNetworkRef *net,
                                bool *ret_autostart, GError **error);
    bool (*networkSetAutostart)(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmNetworkRef *net, bool autostart,
                                GError **error);
    /** Returns: 1 or 0, -1 on error */
    int (*networkIsActive)(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmNetworkRef *net, GError **error);
    int (*networkIsPersistent)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmNetworkRef *net, GError **error);
    /** @mac: NULL for all
     * @ret_leases: GArray of VirtkvmDhcpLease with a clear function */
    bool (*networkGetDHCPLeases)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmNetworkRef *net, const char *mac,
                                 unsigned flags, GArray **ret_leases,
                                 GError **error);
} VirtkvmNetworkDriver;

/**
 * The operations. `state` is what stateInitialize returned; `who` is the
 * caller; `dom` names the domain (looked up by uuid, VIR_ERR_NO_DOMAIN).
 */
typedef struct VirtkvmDriver {
    unsigned abi;               /* VIRTKVM_DRIVER_ABI */
    const char *name;           /* "kvm" */
    const char *const *schemes; /* NULL-terminated URI schemes, first = own */
    const char *type;           /* of virConnectGetType: "KVM" */
    const VirtkvmNetworkDriver *network; /* NULL: it has no networks */

    /* --- life of the driver ------------------------------------------- */
    /** Loads definitions, finds running domains again. @autostart: also start
     * the domains marked autostart. Thread: main; clients' calls wait until it
     * returns. Afterwards the main thread iterates the default GMainContext, to
     * which a driver may attach sources that do not block. */
    VirtkvmState *(*stateInitialize)(const VirtkvmHost *host, bool autostart,
                                     GError **error);
    /** SIGHUP: reads definitions again; running domains stay as they are. The
     * host's log_level may have changed. Thread: main. */
    bool (*stateReload)(VirtkvmState *state, GError **error);
    /** Before exit: persists, lets running domains run on, frees. */
    void (*stateCleanup)(VirtkvmState *state);
    /** A client's connection is gone; no call of it is under way any more and
     * @who ends with this call. Domains started with AUTODESTROY end here. */
    void (*clientClosed)(VirtkvmState *state, const VirtkvmCaller *who);

    /* --- connection and host ------------------------------------------ */
    bool (*connectGetVersion)(VirtkvmState *state, const VirtkvmCaller *who,
                              unsigned long *ret_version, GError **error);
    int (*connectGetMaxVcpus)(VirtkvmState *state, const VirtkvmCaller *who,
                              const char *type, GError **error);
    bool (*nodeGetInfo)(VirtkvmState *state, const VirtkvmCaller *who,
                        VirtkvmNodeInfo *ret_info, GError **error);
    /** @ret_map: bit per host CPU, online, little-endian bytes.
     * Returns: CPUs present, -1 on error */
    int (*nodeGetCPUMap)(VirtkvmState *state, const VirtkvmCaller *who,
                         GByteArray **ret_map, unsigned *ret_online,
                         unsigned flags, GError **error);
    char *(*connectGetCapabilities)(VirtkvmState *state,
                                    const VirtkvmCaller *who, GError **error);
    char *(*connectGetDomainCapabilities)(VirtkvmState *state,
                                          const VirtkvmCaller *who,
                                          const char *emulator,
                                          const char *arch, const char *machine,
                                          const char *virttype, unsigned flags,
                                          GError **error);
    /** Returns: what the host's SMBIOS says, as <sysinfo> */
    char *(*connectGetSysinfo)(VirtkvmState *state, const VirtkvmCaller *who,
                               unsigned flags, GError **error);

    /* --- finding domains ----------------------------------------------- */
    /** @flags: virConnectListAllDomainsFlags.
     * @ret_domains: GArray of VirtkvmDomainRef with a clear function */
    bool (*connectListAllDomains)(VirtkvmState *state, const VirtkvmCaller *who,
                                  unsigned flags, GArray **ret_domains,
                                  GError **error);
    bool (*domainLookupByID)(VirtkvmState *state, const VirtkvmCaller *who,
                             int id, VirtkvmDomainRef *ret_domain,
                             GError **error);
    bool (*domainLookupByUUID)(VirtkvmState *state, const VirtkvmCaller *who,
                               const unsigned char *uuid,
                               VirtkvmDomainRef *ret_domain, GError **error);
    bool (*domainLookupByName)(VirtkvmState *state, const VirtkvmCaller *who,
                               const char *name, VirtkvmDomainRef *ret_domain,
                               GError **error);

    /* --- definitions ---------------------------------------------------- */
    bool (*domainDefineXMLFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const char *xml, unsigned flags,
                                 VirtkvmDomainRef *ret_domain, GError **error);
    bool (*domainCreateXML)(VirtkvmState *state, const VirtkvmCaller *who,
                            const char *xml, unsigned flags,
                            VirtkvmDomainRef *ret_domain, GError **error);
    bool (*domainUndefineFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmDomainRef *dom, unsigned flags,
                                GError **error);
    char *(*domainGetXMLDesc)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, unsigned flags,
                              GError **error);
    bool (*domainRename)(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, const char *name,
                         unsigned flags, GError **error);
    bool (*domainGetAutostart)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, bool *ret_autostart,
                               GError **error);
    bool (*domainSetAutostart)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, bool autostart,
                               GError **error);
    bool (*domainSetMetadata)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, int type,
                              const char *metadata, const char *key,
                              const char *uri, unsigned flags, GError **error);
    char *(*domainGetMetadata)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, int type,
                               const char *uri, unsigned flags, GError **error);

    /* --- life cycle ------------------------------------------------------ */
    bool (*domainCreateWithFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmDomainRef *dom, unsigned flags,
                                  VirtkvmDomainRef *ret_domain, GError **error);
    bool (*domainSuspend)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, GError **error);
    bool (*domainResume)(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, GError **error);
    bool (*domainShutdownFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmDomainRef *dom, unsigned flags,
                                GError **error);
    bool (*domainReboot)(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, unsigned flags,
                         GError **error);
    bool (*domainReset)(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, unsigned flags,
                        GError **error);
    bool (*domainDestroyFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, unsigned flags,
                               GError **error);

    /* --- questions -------------------------------------------------------- */
    bool (*domainGetInfo)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom,
                          VirtkvmDomainInfo *ret_info, GError **error);
    bool (*domainGetState)(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, int *ret_state,
                           int *ret_reason, GError **error);
    bool (*domainGetControlInfo)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom,
                                 VirtkvmControlInfo *ret_info, GError **error);
    char *(*domainGetOSType)(VirtkvmState *state, const VirtkvmCaller *who,
                             const VirtkvmDomainRef *dom, GError **error);
    /** 1 yes, 0 no, -1 error */
    int (*domainIsActive)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, GError **error);
    int (*domainIsPersistent)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, GError **error);
    int (*domainIsUpdated)(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, GError **error);
    int (*domainHasManagedSaveImage)(VirtkvmState *state,
                                     const VirtkvmCaller *who,
                                     const VirtkvmDomainRef *dom,
                                     unsigned flags, GError **error);
    /** @ret_messages: strv; @flags: virDomainMessageType bits, 0 = all */
    bool (*domainGetMessages)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, unsigned flags,
                              char ***ret_messages, GError **error);
    /** Returns: KiB, 0 on error */
    uint64_t (*domainGetMaxMemory)(VirtkvmState *state,
                                   const VirtkvmCaller *who,
                                   const VirtkvmDomainRef *dom, GError **error);
    /** @flags: virDomainVcpuFlags. Returns: count, -1 on error */
    int (*domainGetVcpusFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, unsigned flags,
                               GError **error);
    /** @ret_vcpus: GArray of VirtkvmVcpuInfo; @ret_cpumaps: vcpus x @maplen
     * bytes of affinity */
    bool (*domainGetVcpus)(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, unsigned maxinfo,
                           unsigned maplen, GArray **ret_vcpus,
                           GByteArray **ret_cpumaps, GError **error);
    /** @stats: virDomainStatsTypes, 0 = all; @doms: NULL = all domains that
     * @flags (virConnectGetAllDomainStatsFlags) choose.
     * @ret_stats: GArray of VirtkvmDomainStats with a clear function */
    bool (*connectGetAllDomainStats)(VirtkvmState *state,
                                     const VirtkvmCaller *who,
                                     const VirtkvmDomainRef *doms, size_t count,
                                     unsigned stats, unsigned flags,
                                     GArray **ret_stats, GError **error);

    /* --- devices -----------------------------------------------------------
     */
    /** @flags: virDomainDeviceModifyFlags */
    bool (*domainAttachDeviceFlags)(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const VirtkvmDomainRef *dom,
                                    const char *xml, unsigned flags,
                                    GError **error);
    /** A running guest is asked to let go; it may still hold the device when
     * this returns: see the events DEVICE_REMOVED and DEVICE_REMOVAL_FAILED */
    bool (*domainDetachDeviceFlags)(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const VirtkvmDomainRef *dom,
                                    const char *xml, unsigned flags,
                                    GError **error);
    bool (*domainDetachDeviceAlias)(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const VirtkvmDomainRef *dom,
                                    const char *alias, unsigned flags,
                                    GError **error);
    bool (*domainUpdateDeviceFlags)(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const VirtkvmDomainRef *dom,
                                    const char *xml, unsigned flags,
                                    GError **error);

    /* --- disks -------------------------------------------------------------
     */
    /** @disk: a target ("vda") or the path of a source; of the statistics, ""
     * means the sum of all */
    bool (*domainBlockStats)(VirtkvmState *state, const VirtkvmCaller *who,
                             const VirtkvmDomainRef *dom, const char *disk,
                             VirtkvmBlockStats *ret_stats, GError **error);
    bool (*domainBlockStatsFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmDomainRef *dom, const char *disk,
                                  unsigned flags, VirtkvmParams *ret_params,
                                  GError **error);
    bool (*domainGetBlockInfo)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, const char *disk,
                               unsigned flags, VirtkvmBlockInfo *ret_info,
                               GError **error);
    /** @size: KiB, or bytes with VIR_DOMAIN_BLOCK_RESIZE_BYTES */
    bool (*domainBlockResize)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, const char *disk,
                              uint64_t size, unsigned flags, GError **error);
    bool (*domainSetBlockIoTune)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom, const char *disk,
                                 const VirtkvmParams *params, unsigned flags,
                                 GError **error);
    /** @disk: NULL asks only which parameters there are */
    bool (*domainGetBlockIoTune)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom, const char *disk,
                                 unsigned flags, VirtkvmParams *ret_params,
                                 GError **error);
    /** @ret_errors: GArray of VirtkvmDiskError with a clear function, of the
     * disks that had one; @ret_disks: how many disks there are */
    bool (*domainGetDiskErrors)(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmDomainRef *dom, unsigned flags,
                                GArray **ret_errors, unsigned *ret_disks,
                                GError **error);
    /** @ret_bytes: @size bytes of the image, from @offset on */
    bool (*domainBlockPeek)(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, const char *disk,
                            uint64_t offset, size_t size,
                            GByteArray **ret_bytes, GError **error);

    /* --- network interfaces ------------------------------------------------
     */
    /** @device: a target ("vnet0") or a MAC address */
    bool (*domainInterfaceStats)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom,
                                 const char *device,
                                 VirtkvmInterfaceStats *ret_stats,
                                 GError **error);
    /** @source: virDomainInterfaceAddressesSource
     * @ret_interfaces: GArray of VirtkvmInterfaceAddresses with a clear
     * function */
    bool (*domainInterfaceAddresses)(VirtkvmState *state,
                                     const VirtkvmCaller *who,
                                     const VirtkvmDomainRef *dom,
                                     unsigned source, unsigned flags,
                                     GArray **ret_interfaces, GError **error);
    bool (*domainSetInterfaceParameters)(VirtkvmState *state,
                                         const VirtkvmCaller *who,
                                         const VirtkvmDomainRef *dom,
                                         const char *device,
                                         const VirtkvmParams *params,
                                         unsigned flags, GError **error);
    bool (*domainGetInterfaceParameters)(VirtkvmState *state,
                                         const VirtkvmCaller *who,
                                         const VirtkvmDomainRef *dom,
                                         const char *device, unsigned flags,
                                         VirtkvmParams *ret_params,
                                         GError **error);

    /* --- memory, host CPUs, I/O threads -------------------------------------
     */
    /** @flags: virDomainMemoryModFlags */
    bool (*domainSetMemoryFlags)(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom,
                                 uint64_t memory_kib, unsigned flags,
                                 GError **error);
    /** @ret_stats: GArray of VirtkvmMemoryStat */
    bool (*domainMemoryStats)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, unsigned flags,
                              GArray **ret_stats, GError **error);
    bool (*domainSetMemoryStatsPeriod)(VirtkvmState *state,
                                       const VirtkvmCaller *who,
                                       const VirtkvmDomainRef *dom,
                                       int period_s, unsigned flags,
                                       GError **error);
    /** @ret_params: of the domain's whole life, on all CPUs together */
    bool (*domainGetCPUStats)(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, unsigned flags,
                              VirtkvmParams *ret_params, GError **error);
    /** @ret_threads: GArray of VirtkvmIothread with a clear function */
    bool (*domainGetIOThreadInfo)(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmDomainRef *dom, unsigned flags,
                                  GArray **ret_threads, GError **error);

    /* --- consoles ----------------------------------------------------------
     */
    /** @devname: alias, NULL = first; @flags: virDomainConsoleFlags */
    VirtkvmConsole *(*domainOpenConsole)(VirtkvmState *state,
                                         const VirtkvmCaller *who,
                                         const VirtkvmDomainRef *dom,
                                         const char *devname, unsigned flags,
                                         GError **error);
    /** @name: alias or name of a channel, NULL = first;
     * @flags: virDomainChannelFlags */
    VirtkvmConsole *(*domainOpenChannel)(VirtkvmState *state,
                                         const VirtkvmCaller *who,
                                         const VirtkvmDomainRef *dom,
                                         const char *name, unsigned flags,
                                         GError **error);
} VirtkvmDriver;

/** The type of the function that a module exports as VIRTKVM_DRIVER_ENTRY. */
typedef const VirtkvmDriver *(*VirtkvmDriverEntry)(void);

G_END_DECLS
