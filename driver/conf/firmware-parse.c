/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/firmware.h"

#include <jansson.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/* One file while it is read. */
typedef struct Reader {
    const char *file;
    GError **error;
} Reader;

static bool
refuse(const Reader *reader, const char *member, const char *problem)
{
    error_set(reader->error, VIR_ERR_INVALID_ARG,
              _("the firmware descriptor '%s' cannot be used: '%s' %s"),
              reader->file, member, problem);
    return false;
}

static bool
read_string(const Reader *reader, const json_t *object, const char *name,
            char **ret_text)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (!text || !*text)
        return refuse(reader, name, _("has to be a text"));
    *ret_text = g_strdup(text);
    return true;
}

static bool
read_path(const Reader *reader, const json_t *object, char **ret_path)
{
    if (!read_string(reader, object, "filename", ret_path))
        return false;
    return **ret_path == '/' ||
           refuse(reader, "filename", _("has to be an absolute path"));
}

/* The values of an array of texts; absent: none */
static bool
read_strings(const Reader *reader, const json_t *object, const char *name,
             char ***ret_texts)
{
    const json_t *array = json_object_get(object, name);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    if ((array && !json_is_array(array)) ||
        json_array_size(array) > CONF_FIRMWARE_MAX_ITEMS)
        return refuse(reader, name, _("has to be a short list of texts"));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        if (!text)
            return refuse(reader, name, _("has to be a short list of texts"));
        g_ptr_array_add(texts, g_strdup(text));
    }
    g_ptr_array_add(texts, NULL);
    *ret_texts = (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    return true;
}

static bool
read_choice(const Reader *reader, const json_t *object, const char *name,
            const char *const *names, int *ret_choice)
{
    const char *text = json_string_value(json_object_get(object, name));

    for (int i = 0; text && names[i]; i++) {
        if (strcmp(names[i], text) != 0)
            continue;
        *ret_choice = i;
        return true;
    }
    return refuse(reader, name, _("is nothing that is known"));
}

static bool
read_interfaces(const Reader *reader, const json_t *root,
                ConfFirmwareDescriptor *descriptor)
{
    g_auto(GStrv) types = NULL;

    if (!read_strings(reader, root, "interface-types", &types))
        return false;
    descriptor->bios = g_strv_contains((const char *const *)types, "bios");
    descriptor->uefi = g_strv_contains((const char *const *)types, "uefi");
    return true;
}

/* {"filename", "format"} */
static bool
read_file(const Reader *reader, const json_t *mapping, const char *name,
          char **ret_path, char **ret_format)
{
    const json_t *file = json_object_get(mapping, name);

    if (!json_is_object(file))
        return refuse(reader, name, _("has to be an object"));
    return read_path(reader, file, ret_path) &&
           read_string(reader, file, "format", ret_format);
}

static bool
read_flash(const Reader *reader, const json_t *mapping,
           ConfFirmwareDescriptor *descriptor)
{
    static const char *const modes[] = { "split", "combined", "stateless",
                                         NULL };
    int mode = CONF_FLASH_SPLIT;

    if (json_object_get(mapping, "mode") &&
        !read_choice(reader, mapping, "mode", modes, &mode))
        return false;
    descriptor->mode = (ConfFlashMode)mode;
    return read_file(reader, mapping, "executable", &descriptor->path,
                     &descriptor->format) &&
           (descriptor->mode != CONF_FLASH_SPLIT ||
            read_file(reader, mapping, "nvram-template", &descriptor->template,
                      &descriptor->template_format));
}

static bool
read_mapping(const Reader *reader, const json_t *root,
             ConfFirmwareDescriptor *descriptor)
{
    static const char *const devices[] = { "flash", "memory", "kernel", NULL };
    const json_t *mapping = json_object_get(root, "mapping");
    int device;

    if (!json_is_object(mapping))
        return refuse(reader, "mapping", _("has to be an object"));
    if (!read_choice(reader, mapping, "device", devices, &device))
        return false;
    descriptor->device = (ConfFirmwareDevice)device;
    return descriptor->device == CONF_FIRMWARE_FLASH
               ? read_flash(reader, mapping, descriptor)
               : read_path(reader, mapping, &descriptor->path);
}

static void
target_free(gpointer opaque)
{
    ConfFirmwareTarget *target = opaque;

    g_free(target->architecture);
    g_strfreev(target->machines);
    g_free(target);
}

static bool
read_targets(const Reader *reader, const json_t *root, GPtrArray *targets)
{
    const json_t *array = json_object_get(root, "targets");

    if (!json_is_array(array) ||
        json_array_size(array) > CONF_FIRMWARE_MAX_ITEMS)
        return refuse(reader, "targets", _("has to be a short list"));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *object = json_array_get(array, i);
        ConfFirmwareTarget *target = g_new0(ConfFirmwareTarget, 1);

        g_ptr_array_add(targets, target);
        if (!read_string(reader, object, "architecture",
                         &target->architecture) ||
            !read_strings(reader, object, "machines", &target->machines))
            return false;
    }
    return true;
}

static bool
read_all(const Reader *reader, const json_t *root,
         ConfFirmwareDescriptor *descriptor)
{
    return read_interfaces(reader, root, descriptor) &&
           read_mapping(reader, root, descriptor) &&
           read_targets(reader, root, descriptor->targets) &&
           read_strings(reader, root, "features", &descriptor->features);
}

ConfFirmwareDescriptor *
conf_firmware_parse(const char *file, const char *json, GError **error)
{
    const Reader reader = { file, error };
    ConfFirmwareDescriptor *descriptor;
    json_error_t where;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    bool ok;

    if (!json_is_object(root)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the firmware descriptor '%s' cannot be used: it is no "
                    "JSON object: line %d: %s"),
                  file, where.line, where.text);
        json_decref(root);
        return NULL;
    }
    descriptor = g_new0(ConfFirmwareDescriptor, 1);
    descriptor->file = g_strdup(file);
    descriptor->targets = g_ptr_array_new_with_free_func(target_free);
    ok = read_all(&reader, root, descriptor);
    json_decref(root);
    if (ok)
        return descriptor;
    conf_firmware_descriptor_free(descriptor);
    return NULL;
}

void
conf_firmware_descriptor_free(ConfFirmwareDescriptor *descriptor)
{
    if (!descriptor)
        return;
    g_free(descriptor->file);
    g_free(descriptor->path);
    g_free(descriptor->format);
    g_free(descriptor->template);
    g_free(descriptor->template_format);
    g_ptr_array_unref(descriptor->targets);
    g_strfreev(descriptor->features);
    g_free(descriptor);
}
