/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/**
 * The common part of every call that names a domain: look it up, check the
 * flags, take the job, check the state, act, save the status, end the job.
 * An operation is a constant description and its middle.
 */
typedef enum CoreNeeds {
    CORE_JOB = 1 << 0,        /* it changes the domain */
    CORE_ACTIVE = 1 << 1,     /* else "domain is not running" */
    CORE_SAVE_STATUS = 1 << 2 /* the status file is written after success */
} CoreNeeds;

typedef struct CoreCall {
    VirtkvmState *state;
    const VirtkvmCaller *who;
    CoreDomain *domain; /* locked whenever an operation's code runs */
    unsigned flags;
    void *data; /* arguments and results of the operation */
} CoreCall;

typedef struct CoreOperation {
    const char *name; /* libvirt's */
    unsigned needs;   /* CoreNeeds */
    unsigned flags;   /* those it knows */
    bool (*act)(CoreCall *call, GError **error);
} CoreOperation;

/** core_api_call: run @operation on @dom. @call: state, who, flags, data */
bool core_api_call(const CoreOperation *operation, CoreCall *call,
                   const VirtkvmDomainRef *dom, GError **error);

/** core_api_check_flags: INVALID_ARG if @flags has bits beyond @known */
bool core_api_check_flags(unsigned flags, unsigned known, const char *function,
                          GError **error);

/** core_api_check_active: OPERATION_INVALID "domain is not running" */
bool core_api_check_active(const CoreDomain *domain, GError **error);

/** core_api_set_invalid: OPERATION_INVALID with @text (translated) */
void core_api_set_invalid(GError **error, const char *text);

/**
 * core_api_affect: turn VIR_DOMAIN_AFFECT_CURRENT into LIVE or CONFIG, and
 * check what is asked for (libvirt.md 6.2, rule 6)
 */
bool core_api_affect(const CoreDomain *domain, unsigned *flags, GError **error);

/**
 * core_api_def: the one definition that @flags (AFFECT_*) choose, for reading
 * Returns: borrowed under the lock, or NULL
 */
CoreDef *core_api_def(const CoreDomain *domain, unsigned flags, GError **error);

/** What is asked of an engine, without the domain's lock. */
typedef bool (*CoreEngineCall)(CoreEngine *engine, gpointer data,
                               GError **error);

/**
 * core_api_engine: call the engine, with the lock released meanwhile
 *
 * @may_end: what the call asks for may end the domain: then it has succeeded
 * @error: also OPERATION_FAILED if the domain ended meanwhile
 */
bool core_api_engine(CoreDomain *domain,
                     bool (*call)(CoreEngine *engine, GError **error),
                     bool may_end, GError **error);
/** core_api_ask_engine: the same for @call with @data, which ends nothing;
 * OPERATION_INVALID if there is no engine yet */
bool core_api_ask_engine(CoreDomain *domain, CoreEngineCall call, gpointer data,
                         GError **error);
