/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/host-cpu.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conf/domain.h"
#include "engine/x86/cpu.h"
#include "util/fd.h"
#include "util/log.h"

static void
fill_max_vcpus(ConfHost *host)
{
    g_auto(Fd) kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int max;

    if (kvm < 0)
        return;
    max = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    if (max > 0)
        host->max_vcpus = MIN((unsigned)max, CONF_VCPUS_MAX);
}

static const char *const *
strings(GPtrArray *array)
{
    g_ptr_array_add(array, NULL);
    return (const char *const *)array->pdata;
}

static ConfHostModel *
copy_models(const GArray *models)
{
    ConfHostModel *list = g_new0(ConfHostModel, models->len + 1);

    for (guint i = 0; i < models->len; i++) {
        const EngineCpuModel *model = &g_array_index(models, EngineCpuModel, i);

        list[i].name = model->name;
        list[i].vendor = model->vendor;
        list[i].usable = model->usable;
    }
    return list;
}

/* What a ConfHost points into. */
typedef struct Kept {
    EngineHostCpu *cpu;
    ConfHostModel *models;
} Kept;

gpointer
core_host_cpu_fill(ConfHost *host)
{
    g_autoptr(GError) error = NULL;
    EngineHostCpu *cpu = engine_host_cpu_query(&error);
    Kept *kept;

    fill_max_vcpus(host);
    if (!cpu) {
        log_warning("the CPU that guests can have is unknown: %s",
                    error->message);
        return NULL;
    }
    kept = g_new0(Kept, 1);
    kept->cpu = cpu;
    kept->models = copy_models(cpu->models);
    host->cpu_vendor = cpu->vendor;
    host->cpu_model = cpu->model;
    host->cpu_features = strings(cpu->features);
    host->cpu_missing = strings(cpu->missing);
    host->models = kept->models;
    host->n_models = cpu->models->len;
    return kept;
}

void
core_host_cpu_free(gpointer data)
{
    Kept *kept = data;

    if (!kept)
        return;
    engine_host_cpu_free(kept->cpu);
    g_free(kept->models);
    g_free(kept);
}
