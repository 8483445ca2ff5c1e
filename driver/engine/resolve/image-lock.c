/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

/* What one does with an image, and what one lets nobody else do, each a byte of
 * the file that is read locked: whoever wants the one looks whether the other
 * is locked. These are the bytes of QEMU's block layer, so that its programs
 * and this engine keep out of each other's way. */
#define DONE_BASE      100
#define FORBIDDEN_BASE 200
#define READ           (1u << 0)
#define WRITE          (1u << 1)
#define RESIZE         (1u << 3)
#define ALL_BITS       4

#define NOTE_MAX 4096

/* The kernel keeps the files of an io_uring for some milliseconds after their
 * process has ended, and so its locks: who takes an image over from a killed
 * engine looks that often, after 1, 2, 4 ... ms. */
#define LOOKS 10

typedef struct Claim {
    unsigned done, forbidden;
} Claim;

static Claim
claim_of(const EngineImageUse *use)
{
    if (!use->writable)
        return (Claim){ READ, use->shareable ? 0 : WRITE | RESIZE };
    if (use->shareable)
        return (Claim){ READ | WRITE, RESIZE };
    return (Claim){ READ | WRITE | RESIZE, WRITE | RESIZE };
}

static bool
lock_bytes(int fd, off_t base, unsigned bits)
{
    for (unsigned i = 0; i < ALL_BITS; i++) {
        struct flock lock = { .l_type = F_RDLCK,
                              .l_whence = SEEK_SET,
                              .l_start = base + i,
                              .l_len = 1 };

        if ((bits & 1u << i) && fcntl(fd, F_OFD_SETLK, &lock) != 0)
            return false;
    }
    return true;
}

/* Returns: 1 if another has one of them, 0 if not, -1 with errno set */
static int
test_bytes(int fd, off_t base, unsigned bits)
{
    for (unsigned i = 0; i < ALL_BITS; i++) {
        struct flock lock = { .l_type = F_WRLCK,
                              .l_whence = SEEK_SET,
                              .l_start = base + i,
                              .l_len = 1 };

        if (!(bits & 1u << i))
            continue;
        if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
            return -1;
        if (lock.l_type != F_UNLCK)
            return 1;
    }
    return 0;
}

/* Returns: as test_bytes() */
static int
test_claim(int fd, const Claim *claim)
{
    int taken = 1;

    for (unsigned i = 0; taken > 0 && i < LOOKS; i++) {
        if (i > 0)
            g_usleep(G_USEC_PER_SEC / 1000 << (i - 1));
        taken = test_bytes(fd, FORBIDDEN_BASE, claim->done);
        if (taken == 0)
            taken = test_bytes(fd, DONE_BASE, claim->forbidden);
    }
    return taken;
}

/* --- who has it -------------------------------------------------------------
 */
static char *
note_path(const EngineResolved *resolved, int fd)
{
    g_autofree char *name = NULL;
    struct stat info;

    if (!resolved->context->run_dir || fstat(fd, &info) != 0)
        return NULL;
    name = g_strdup_printf("%u-%u-%" PRIu64, major(info.st_dev),
                           minor(info.st_dev), (uint64_t)info.st_ino);
    return g_build_filename(resolved->context->run_dir, "images", name, NULL);
}

/* A note that cannot be written costs no more than a name in a message. */
static void
leave_note(const EngineResolved *resolved, int fd)
{
    g_autofree char *path = note_path(resolved, fd);
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
    const char *name = resolved->domain->name;

    if (path && file_make_dirs(folder, 0700, NULL))
        (void)file_replace_volatile(path, name, strlen(name), 0600, NULL);
}

static bool
busy(const EngineResolved *resolved, int fd, const char *path, GError **error)
{
    g_autofree char *note = note_path(resolved, fd);
    g_autofree char *name = note ? file_read(note, NOTE_MAX, NULL, NULL) : NULL;

    if (name)
        error_set(error, VIR_ERR_RESOURCE_BUSY,
                  _("'%s' is in use by the domain '%s'"), path, name);
    else
        error_set(error, VIR_ERR_RESOURCE_BUSY,
                  _("'%s' is in use by another domain or program"), path);
    return false;
}

bool
engine_image_lock(EngineResolved *resolved, int fd, const char *path,
                  const EngineImageUse *use, GError **error)
{
    Claim claim = claim_of(use);
    int taken;

    if (!lock_bytes(fd, DONE_BASE, claim.done) ||
        !lock_bytes(fd, FORBIDDEN_BASE, claim.forbidden)) {
        if (errno == EAGAIN || errno == EACCES)
            return busy(resolved, fd, path, error);
        engine_document_warn(resolved,
                             g_strdup_printf(_("'%s' cannot be locked: %s"),
                                             path, g_strerror(errno)));
        return true;
    }
    taken = test_claim(fd, &claim);
    if (taken > 0)
        return busy(resolved, fd, path, error);
    if (taken < 0) {
        error_set_errno(error, errno, _("cannot lock '%s'"), path);
        return false;
    }
    leave_note(resolved, fd);
    return true;
}
