/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "core/domain.h"
#include "core/state.h"

/**
 * A driver in a folder of its own, over the engine that runs nothing or over
 * one that a test gives, and everything it says to the daemon, written down.
 */
typedef struct Fixture {
    char *dir;
    VirtkvmHost host;
    CoreProfile profile;
    VirtkvmState *state;
    VirtkvmCaller caller;
    GMutex lock;
    GCond changed;
    GString *events; /* one word an event: "started/0 " */
    int held;
} Fixture;

Fixture *fixture_new(const CoreEngineOps *engine);
void fixture_free(Fixture *fixture);

/** fixture_start: initialise the driver; the state is also @fixture->state */
VirtkvmState *fixture_start(Fixture *fixture, bool autostart);
/** fixture_stop: a daemon that ends properly */
void fixture_stop(Fixture *fixture);

/** fixture_xml: a small definition; NULL @uuid: none in it */
char *fixture_xml(const char *name, const char *uuid, const char *more);

/** fixture_define: define @name and return it; fails the test if it cannot */
VirtkvmDomainRef fixture_define(Fixture *fixture, const char *name);

/** fixture_path: DIR/@part/null/@name, to be freed */
char *fixture_path(Fixture *fixture, const char *part, const char *name);

/** fixture_events: what was sent since the last call, to be freed */
char *fixture_events(Fixture *fixture);
/** fixture_wait_events: wait until that is @expected, and forget it; asserts */
void fixture_wait_events(Fixture *fixture, const char *expected);

/** fixture_state: virDomainState * 100 + reason */
int fixture_state(Fixture *fixture, const VirtkvmDomainRef *dom);
/** fixture_wait_state: wait until that is @expected; asserts */
void fixture_wait_state(Fixture *fixture, const VirtkvmDomainRef *dom,
                        int expected);
/** fixture_domain: the object itself, a new reference */
CoreDomain *fixture_domain(Fixture *fixture, const VirtkvmDomainRef *dom);
