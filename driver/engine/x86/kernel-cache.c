/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

/* A change of what is kept, or how, makes old entries unknown. */
#define KEY_VERSION "1"
#define KEY_SAMPLE  4096u /* bytes of each end of the file */
#define SUFFIX      ".elf"
#define PARTIAL     "partial"
#define LOCK        "lock"

/** The folder, opened and found to be ours alone. */
typedef struct Cache {
    const char *dir;
    Fd fd;
    char *entry; /* file name of what is looked for */
} Cache;

/* Says what a kernel file is by all that changes when it changes. A file
 * without a name (a memory file) has an inode number that is used again. */
static char *
cache_key(int fd, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *text = NULL;
    g_autofree uint8_t *sample = g_malloc(KEY_SAMPLE);
    struct stat st;
    off_t ends[2];

    if (fstat(fd, &st) < 0) {
        error_set_errno(error, errno, _("cannot examine the kernel"));
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink == 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the kernel is not a file in a folder"));
        return NULL;
    }
    text = g_strdup_printf(
        KEY_VERSION " %llx %llx %llx %lld.%09ld %lld.%09ld",
        (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
        (unsigned long long)st.st_size, (long long)st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
    ends[0] = 0;
    ends[1] = MAX(0, st.st_size - (off_t)KEY_SAMPLE);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        ssize_t n = fd_pread_all(fd, sample, KEY_SAMPLE, ends[i]);

        if (n < 0) {
            error_set_errno(error, errno, _("cannot read the kernel"));
            return NULL;
        }
        g_checksum_update(sum, sample, n);
    }
    return g_strconcat(g_checksum_get_string(sum), SUFFIX, NULL);
}

/* Others must not be able to put a kernel of theirs in. */
static bool
cache_open(Cache *cache, GError **error)
{
    struct stat st;

    if (!file_make_dirs(cache->dir, 0700, error))
        return false;
    cache->fd = open(cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cache->fd < 0 || fstat(cache->fd, &st) < 0) {
        error_set_errno(error, errno, _("cannot open the folder '%s'"),
                        cache->dir);
        return false;
    }
    if (st.st_uid == geteuid() && (st.st_mode & 0022) == 0)
        return true;
    error_set(error, VIR_ERR_OPERATION_INVALID,
              _("the folder '%s' can be written by others"), cache->dir);
    return false;
}

static void
cache_clear(Cache *cache)
{
    fd_clear(&cache->fd);
    g_free(cache->entry);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cache, cache_clear)

/* An entry there is, marked as used now; -1 if there is none. */
static int
cache_find(const Cache *cache)
{
    g_auto(Fd) fd =
        openat(cache->fd, cache->entry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_uid != geteuid() || st.st_size == 0)
        return -1;
    futimens(fd, NULL);
    return fd_steal(&fd);
}

/* Removes the entry that was not used for the longest time, if there are too
 * many. Who has it open keeps it. Returns: whether to look again. */
static bool
cache_evict_one(const Cache *cache)
{
    g_autofree char *oldest = NULL;
    struct timespec oldest_time = { 0 };
    unsigned count = 0;
    struct dirent *entry;
    DIR *dir;

    dir = opendir(cache->dir);
    if (!dir)
        return false;
    while ((entry = readdir(dir))) {
        struct stat st;

        if (!g_str_has_suffix(entry->d_name, SUFFIX) ||
            fstatat(cache->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        count++;
        if (oldest && (st.st_mtim.tv_sec > oldest_time.tv_sec ||
                       (st.st_mtim.tv_sec == oldest_time.tv_sec &&
                        st.st_mtim.tv_nsec >= oldest_time.tv_nsec)))
            continue;
        g_free(oldest);
        oldest = g_strdup(entry->d_name);
        oldest_time = st.st_mtim;
    }
    closedir(dir);
    return count > ENGINE_KERNEL_CACHE_ENTRIES && oldest &&
           unlinkat(cache->fd, oldest, 0) == 0;
}

/* Unpacks into a file beside and renames it, so that an entry is whole or not
 * there. The caller holds the lock. */
static bool
cache_fill(const Cache *cache, int kernel_fd, const char *name, GError **error)
{
    g_auto(Fd) fd = -1;

    unlinkat(cache->fd, PARTIAL, 0);
    fd = openat(cache->fd, PARTIAL,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(error, errno, _("cannot write in the folder '%s'"),
                        cache->dir);
        return false;
    }
    if (!engine_kernel_unpack(kernel_fd, name, fd, error)) {
        unlinkat(cache->fd, PARTIAL, 0);
        return false;
    }
    if (fdatasync(fd) < 0 ||
        renameat(cache->fd, PARTIAL, cache->fd, cache->entry) < 0) {
        error_set_errno(error, errno, _("cannot write in the folder '%s'"),
                        cache->dir);
        unlinkat(cache->fd, PARTIAL, 0);
        return false;
    }
    while (cache_evict_one(cache))
        ;
    return true;
}

static int
cache_get(int kernel_fd, const char *name, const char *cache_dir,
          GError **error)
{
    g_auto(Cache) cache = { .dir = cache_dir, .fd = -1 };
    g_autofree char *lock_path = g_build_filename(cache_dir, LOCK, NULL);
    g_auto(Fd) lock = -1;
    int fd;

    cache.entry = cache_key(kernel_fd, error);
    if (!cache.entry || !cache_open(&cache, error))
        return -1;
    fd = cache_find(&cache);
    if (fd >= 0)
        return fd;
    lock = file_lock(lock_path, error);
    if (lock < 0)
        return -1;
    /* Another may have unpacked it between the look and the lock. */
    fd = cache_find(&cache);
    if (fd >= 0)
        return fd;
    if (!cache_fill(&cache, kernel_fd, name, error))
        return -1;
    fd = cache_find(&cache);
    if (fd < 0)
        error_set_errno(error, errno, _("cannot open the unpacked kernel"));
    return fd;
}

static bool
is_bzimage(int fd)
{
    char magic[4];

    return fd_pread_all(fd, magic, sizeof magic, 0x202) == sizeof magic &&
           memcmp(magic, "HdrS", sizeof magic) == 0;
}

int
engine_kernel_cached(int fd, const char *name, const char *cache_dir,
                     GError **error)
{
    g_autoptr(GError) why = NULL;
    int found = -1;

    if (is_bzimage(fd)) {
        found = cache_get(fd, name, cache_dir, &why);
        if (found < 0)
            log_info("the guest unpacks the kernel '%s' itself: %s", name,
                     why->message);
    }
    if (found >= 0)
        return found;
    found = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (found < 0)
        error_set_errno(error, errno, _("cannot open the kernel '%s'"), name);
    return found;
}
