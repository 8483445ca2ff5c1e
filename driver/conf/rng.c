/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/rng.h"

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const backend_names[] = { NULL, "random", "egd", "builtin",
                                             "" };

static ConfPolicy
judge_model(const char *text, const void *base)
{
    return conf_model_policy(((const ConfRng *)base)->model);
}

static ConfPolicy
judge_backend(const char *text, const void *base)
{
    const ConfRng *rng = base;

    return rng->backend == CONF_RNG_EGD ? CONF_REFUSED : CONF_HONOURED;
}

static bool
rng_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfRng *rng = base;

    if (!rng->model) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing RNG device model (line %ld)"), xmlGetLineNo(node));
        return false;
    }
    if (rng->backend == CONF_RNG_ABSENT) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing RNG device backend (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (conf_model_is_virtio(rng->model))
        return true;
    error_set(error, VIR_ERR_XML_ERROR, _("unknown RNG model '%s' (line %ld)"),
              rng->model, xmlGetLineNo(node));
    return false;
}

static bool
rate_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfRng *rng = base;

    if (rng->bytes > 0)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("invalid RNG rate bytes value (line %ld)"), xmlGetLineNo(node));
    return false;
}

static const ConfField rate_fields[] = {
    CONF_ATTR("bytes", ConfRng, bytes, uint64, .flags = CONF_REQUIRED),
    CONF_ATTR("period", ConfRng, period_ms, uint), CONF_END
};
static const ConfElement rate_element = { .name = "rate",
                                          .fields = rate_fields,
                                          .check = rate_check };

static const ConfField backend_fields[] = {
    CONF_ATTR("model", ConfRng, backend, enum, .names = backend_names,
              .flags = CONF_REQUIRED, .judge = judge_backend,
              .advice = N_("use a source of the host: <backend "
                           "model='random'>/dev/urandom</backend>")),
    CONF_CARRY_ATTR("type", .policy = CONF_QUIET),
    CONF_TEXT(ConfRng, path, token,
              CONF_WHEN(ConfRng, backend, ~(1u << CONF_RNG_EGD))),
    CONF_CARRY("source", .flags = CONF_MANY, .policy = CONF_QUIET),
    CONF_CARRY("protocol", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement backend_element = { .name = "backend",
                                             .fields = backend_fields };

static const ConfField driver_fields[] = { CONF_VIRTIO_ROWS(ConfRng),
                                           CONF_END };
static const ConfElement driver_element = { .name = "driver",
                                            .fields = driver_fields };

static const ConfField rng_fields[] = {
    CONF_ATTR("model", ConfRng, model, token, .flags = CONF_REQUIRED,
              .judge = judge_model, .advice = CONF_MODEL_ADVICE),
    CONF_GROUP("rate", rate_element),
    CONF_GROUP("backend", backend_element, .flags = CONF_REQUIRED),
    CONF_GROUP("driver", driver_element),
    CONF_DEVICE_ROWS(ConfRng),
    CONF_END
};
const ConfElement conf_rng_element = { .name = "rng",
                                       .fields = rng_fields,
                                       .size = sizeof(ConfRng),
                                       .carried = offsetof(ConfRng, carried),
                                       .check = rng_check };
