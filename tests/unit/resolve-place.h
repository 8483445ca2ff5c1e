/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <jansson.h>

#include "engine/resolve/resolve.h"
#include "util/error.h"

/* A folder with images, and the daemon's for running domains. */
typedef struct Place {
    char *folder;
    char *run;
} Place;

/** place_setup, place_teardown: of a test program; a.raw and b.raw are there */
int place_setup(void **state);
int place_teardown(void **state);
char *place_path(const Place *place, const char *name);
void place_write(const Place *place, const char *name, const void *data,
                 size_t size);

/** place_domain: one that may start, with these devices and three I/O threads
 */
ConfDomain *place_domain(const Place *place, const char *name,
                         const char *devices);
/** place_disk: <disk> of @file in the folder */
char *place_disk(const Place *place, const char *file, const char *format,
                 const char *driver, const char *more);
EngineResolved *place_resolve(const Place *place, ConfDomain *domain,
                              GError **error);
/** place_resolve_disk: a domain of that name with that disk alone */
EngineResolved *place_resolve_disk(const Place *place, const char *name,
                                   const char *disk, GError **error);

/** first_device: the caller's */
json_t *first_device(const EngineResolved *resolved);
const char *string_of(const json_t *object, const char *key);
void assert_disk_refused(const Place *place, const char *disk,
                         virErrorNumber code, const char *words);
