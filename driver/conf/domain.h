/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/carried.h"
#include "conf/chardev.h"
#include "conf/controller.h"
#include "conf/cpu.h"
#include "conf/disk.h"
#include "conf/interface.h"
#include "conf/memballoon.h"
#include "conf/onoff.h"
#include "conf/os.h"
#include "conf/panic.h"
#include "conf/rng.h"

/**
 * The definition of a domain: libvirt's <domain> document as structs.
 *
 * Every element's struct lives beside the table that describes it. Presence is
 * told apart from a default: optional numbers have a `has_` flag or a value
 * that no document can give, optional strings are NULL, enums have *_ABSENT=0.
 * What the tables do not model is kept as text in `carried`, with its place,
 * and comes back there when the document is formatted.
 */

/** <memory>, <currentMemory>, <maxMemory>: always KiB inside. */
typedef struct ConfMemory {
    uint64_t memory_kib;  /* <memory>: at start, the guest's RAM */
    uint64_t current_kib; /* <currentMemory>: balloon target; 0 = absent */
    uint64_t max_kib;     /* <maxMemory>: hotplug limit; 0 = absent */
    unsigned max_slots;
} ConfMemory;

/** <vcpu id=''> of <vcpus> */
typedef struct ConfVcpu {
    int id;
    ConfOnOff enabled;
    ConfOnOff hotpluggable;
    unsigned order; /* 0 = absent */
    ConfCarried carried;
} ConfVcpu;

typedef enum ConfPlacement {
    CONF_PLACEMENT_ABSENT = 0,
    CONF_PLACEMENT_STATIC,
    CONF_PLACEMENT_AUTO,
} ConfPlacement;

/** <vcpu>, <vcpus> */
typedef struct ConfVcpus {
    unsigned max;     /* text of <vcpu>; default 1 */
    unsigned current; /* current='': 0 = absent, all of max */
    ConfPlacement placement;
    char *cpuset;
    GPtrArray *each; /* ConfVcpu, <vcpus>; empty = absent */
} ConfVcpus;

/** <iothread> of <iothreadids> */
typedef struct ConfIothread {
    unsigned id;
    ConfCarried carried;
} ConfIothread;

typedef enum ConfAction {
    CONF_ACTION_ABSENT = 0,
    CONF_ACTION_DESTROY,
    CONF_ACTION_RESTART,
    CONF_ACTION_PRESERVE,
    CONF_ACTION_RENAME_RESTART,
    CONF_ACTION_COREDUMP_DESTROY,
    CONF_ACTION_COREDUMP_RESTART,
} ConfAction;

typedef enum ConfClockOffset {
    CONF_CLOCK_ABSENT = 0, /* as utc */
    CONF_CLOCK_UTC,
    CONF_CLOCK_LOCALTIME,
    CONF_CLOCK_TIMEZONE,
    CONF_CLOCK_VARIABLE,
    CONF_CLOCK_ABSOLUTE,
} ConfClockOffset;

typedef enum ConfClockBasis {
    CONF_CLOCK_BASIS_ABSENT = 0, /* as utc */
    CONF_CLOCK_BASIS_UTC,
    CONF_CLOCK_BASIS_LOCALTIME,
} ConfClockBasis;

typedef enum ConfTimerName {
    CONF_TIMER_PLATFORM = 0,
    CONF_TIMER_PIT,
    CONF_TIMER_RTC,
    CONF_TIMER_HPET,
    CONF_TIMER_TSC,
    CONF_TIMER_KVMCLOCK,
    CONF_TIMER_HYPERVCLOCK,
    CONF_TIMER_ARMVTIMER,
} ConfTimerName;

typedef enum ConfTickPolicy {
    CONF_TICK_ABSENT = 0,
    CONF_TICK_DELAY,
    CONF_TICK_CATCHUP,
    CONF_TICK_MERGE,
    CONF_TICK_DISCARD,
} ConfTickPolicy;

typedef enum ConfTrack {
    CONF_TRACK_ABSENT = 0,
    CONF_TRACK_BOOT,
    CONF_TRACK_GUEST,
    CONF_TRACK_WALL,
    CONF_TRACK_REALTIME,
} ConfTrack;

/** <timer>; mode as in clock.c, 0 = absent */
typedef struct ConfTimer {
    ConfTimerName name;
    ConfTickPolicy tickpolicy;
    ConfTrack track;
    int mode;
    uint64_t frequency_hz; /* 0 = absent */
    ConfOnOff present;
    ConfCarried carried;
} ConfTimer;

typedef struct ConfClock {
    ConfClockOffset offset;
    int64_t adjustment_s; /* from the basis; conf_clock_adjust() */
    char *adjustment;     /* a number or "reset" */
    char *timezone;
    ConfClockBasis basis;
    uint64_t start;    /* offset absolute: seconds since the epoch */
    GPtrArray *timers; /* ConfTimer */
} ConfClock;

/** <features>; conf_domain_feature() finds them by name */
typedef struct ConfFeatures {
    ConfOnOff acpi;
    ConfOnOff apic;
    ConfOnOff pae;
    ConfOnOff hap;
    ConfOnOff kvm_hidden;
    ConfOnOff pvspinlock;
    ConfOnOff pmu;
    ConfOnOff vmport;
    ConfOnOff smm;
    ConfOnOff vmcoreinfo;
} ConfFeatures;

/** <pm>: which sleep states the guest is offered */
typedef struct ConfPm {
    ConfOnOff suspend_to_mem;
    ConfOnOff suspend_to_disk;
} ConfPm;

/** Our own settings: <virtkvm:config> in <metadata>; see docs. */
typedef struct ConfVirtkvm {
    ConfOnOff
        debug_exit; /* port 0xf4 ends the engine with the byte as status */
    ConfOnOff kernel_unpack; /* unpack a bzImage on the host; default on */
    ConfDiskBus disk_bus;    /* of disks that no bus of ours has */
    char *tftp_root; /* what interfaces in user mode serve; NULL: nothing */
    char *tftp_file; /* of it, that DHCP names; NULL: none */
} ConfVirtkvm;

/** What run-time knows and only a live document shows. */
typedef struct ConfLive {
    int id; /* -1 when not active */
} ConfLive;

typedef struct ConfDomain ConfDomain;
struct ConfDomain {
    char *type; /* type='kvm' */
    char *name;
    unsigned char uuid[VIR_UUID_BUFLEN];
    bool uuid_given; /* the document had one */
    char *title;
    char *description;
    ConfMemory memory;
    ConfVcpus vcpus;
    unsigned iothreads;      /* how many */
    GPtrArray *iothread_ids; /* ConfIothread, <iothreadids>; the others have the
                                lowest free ids */
    GPtrArray *sysinfos;     /* ConfSysinfo, <sysinfo> */
    ConfOs os;
    ConfCpu cpu;
    ConfFeatures features;
    ConfClock clock;
    ConfAction on_poweroff; /* default destroy */
    ConfAction on_reboot;   /* default restart */
    ConfAction on_crash;    /* default destroy */
    ConfPm pm;
    ConfVirtkvm virtkvm; /* a view of <metadata>, which is what is formatted */
    char *emulator;      /* kept, not used */
    GPtrArray *disks;    /* ConfDisk, <disk> */
    GPtrArray *controllers; /* ConfController, <controller> */
    GPtrArray *interfaces;  /* ConfInterface, <interface> */
    GPtrArray *serials;     /* ConfChardev, <serial> */
    GPtrArray *consoles;    /* ConfChardev, <console> */
    GPtrArray *channels;    /* ConfChardev, <channel> */
    GPtrArray *memballoons; /* ConfMemballoon, <memballoon> */
    GPtrArray *rngs;        /* ConfRng, <rng> */
    GPtrArray *panics;      /* ConfPanic, <panic> */
    bool disks_as_virtio;   /* of no document: conf_domain_disks_as_virtio() */
    ConfLive live;
    ConfCarried carried;
};

/** Flags of conf_domain_parse(). */
typedef enum ConfParseFlags {
    CONF_PARSE_INACTIVE = 1 << 0, /* ignore id='', live aliases and targets */
    CONF_PARSE_VALIDATE = 1 << 1, /* against schemas/domain.rng as well */
    CONF_PARSE_STATUS = 1 << 2,   /* a status file: keep what is live */
} ConfParseFlags;

/** Flags of conf_domain_format(). */
typedef enum ConfFormatFlags {
    CONF_FORMAT_INACTIVE = 1 << 0, /* without id, aliases and live paths */
    CONF_FORMAT_SECURE = 1 << 1,   /* with passwords */
    CONF_FORMAT_MIGRATABLE = 1 << 2,
    CONF_FORMAT_STATUS = 1 << 3,  /* all, for a status file */
    CONF_FORMAT_ALIASES = 1 << 4, /* internal: set where the domain runs */
} ConfFormatFlags;

/** Bounds of a document from a foreign hand. */
#define CONF_XML_MAX_BYTES  (10u << 20)
#define CONF_XML_MAX_DEPTH  64
#define CONF_XML_MAX_ATTRS  256 /* of one element, namespaces included */
#define CONF_NAME_MAX_BYTES 240 /* a file is named for the domain */
#define CONF_VCPUS_MAX      4096
#define CONF_IOTHREADS_MAX  64u

/**
 * conf_domain_parse: read a <domain> document and fill libvirt's defaults
 *
 * @flags: ConfParseFlags
 * @error: XML_ERROR (malformed, bounds, meaning; the message names element and
 * line), XML_INVALID_SCHEMA (with CONF_PARSE_VALIDATE), CONFIG_UNSUPPORTED
 * Thread: any. Returns: a new definition, or NULL
 */
ConfDomain *conf_domain_parse(const char *xml, unsigned flags, GError **error);

/** conf_domain_parse_node: the same from a <domain> element of an open document
 * (inside a status file); the node stays the caller's */
ConfDomain *conf_domain_parse_node(xmlNodePtr node, unsigned flags,
                                   GError **error);

/** conf_domain_format: the document, two-space indent, libvirt's order;
 * @flags: ConfFormatFlags. Never fails. */
char *conf_domain_format(const ConfDomain *domain, unsigned flags);

/**
 * conf_domain_check_return: would what conf_domain_format() writes be read
 * again? To be asked after strings of a foreign hand were put into @domain, and
 * before it is kept; parsing and conf_domain_metadata_set() ask it themselves.
 * @error: XML_ERROR or what parsing said
 */
bool conf_domain_check_return(const ConfDomain *domain, GError **error);

/** conf_domain_copy: deep copy */
ConfDomain *conf_domain_copy(const ConfDomain *domain);

void conf_domain_free(ConfDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfDomain, conf_domain_free)

/**
 * conf_domain_check_start: can the engine run this definition?
 *
 * Refuses by name (CONFIG_UNSUPPORTED) every element that is neither honoured
 * nor known to be harmless to the guest; for the harmless ones that are not
 * honoured (sound, video, input, graphics, ...) it adds a sentence to
 * @warnings.
 * @warnings: GPtrArray of char*, or NULL
 */
bool conf_domain_check_start(const ConfDomain *domain, GPtrArray *warnings,
                             GError **error);

/**
 * conf_domain_assign_live: fill what only a running domain has: aliases
 * (serial0, balloon0, ...), the clock's offset from UTC, and nothing that a
 * definition keeps
 */
void conf_domain_assign_live(ConfDomain *domain);

/** conf_domain_sysinfo: the <sysinfo> of type smbios; NULL if there is none */
const ConfSysinfo *conf_domain_sysinfo(const ConfDomain *domain);

/** conf_zone_offset: seconds that @zone is ahead of UTC now */
int64_t conf_zone_offset(GTimeZone *zone);
/** conf_clock_adjust: offset='variable', @adjustment_s from UTC */
void conf_clock_adjust(ConfClock *clock, int64_t adjustment_s);
/** conf_clock_settle: an adjustment from local time becomes one from UTC, so
 * that it stays what it is while the domain runs */
void conf_clock_settle(ConfClock *clock);

/** conf_domain_tie_console: let the first <console> repeat the serial port that
 * it is tied to; call it after a change of serials[0] (its live path) */
void conf_domain_tie_console(ConfDomain *domain);

/** conf_domain_feature: is <features><NAME> on? NAME as in the document, or
 * "kvm-hidden"; @absent: answer without it */
bool conf_domain_feature(const ConfDomain *domain, const char *name,
                         bool absent);

/** conf_domain_iothread_id: of the domain's I/O thread @number, 1 to
 * domain->iothreads */
unsigned conf_domain_iothread_id(const ConfDomain *domain, unsigned number);
/** conf_domain_iothread: the number of the one that the document calls @id; 0
 * if there is none */
unsigned conf_domain_iothread(const ConfDomain *domain, unsigned id);

/** conf_domain_console: the character device that console @alias names; NULL
 * alias: the first <console>, else the first <serial>. A console that libvirt
 * ties to a serial port answers that <serial>. NULL if there is none. */
ConfChardev *conf_domain_console(const ConfDomain *domain, const char *alias);

/* --- <metadata> --------------------------------------------------------- */
/** conf_domain_metadata_get: the element of namespace @uri, formatted without
 * that namespace, as libvirt's clients get it; NULL
 * without an error set if there is none */
char *conf_domain_metadata_get(const ConfDomain *domain, const char *uri);

/** conf_domain_metadata_set: put, replace or (NULL @xml) remove the element of
 * namespace @uri; @key: its prefix */
bool conf_domain_metadata_set(ConfDomain *domain, const char *uri,
                              const char *key, const char *xml, GError **error);

/** conf_domain_set_name/_title/_description: NULL or "" removes the latter two
 */
void conf_domain_set_name(ConfDomain *domain, const char *name);
void conf_domain_set_title(ConfDomain *domain, const char *title);
void conf_domain_set_description(ConfDomain *domain, const char *description);

/** conf_uuid_format: 36 characters and NUL into @text (VIR_UUID_STRING_BUFLEN)
 */
void conf_uuid_format(const unsigned char *uuid, char *text);
/** conf_uuid_parse: with or without hyphens; false if it is not one */
bool conf_uuid_parse(const char *text, unsigned char *ret_uuid);
/** conf_uuid_generate: random, version 4 */
void conf_uuid_generate(unsigned char *ret_uuid);
