/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/control-client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/** Answers that nobody has waited for yet, at most; a bound on an engine that
 * answers what it was not asked. */
#define CALLS_MAX  64
#define READ_BYTES 2048
/** Reads before other engines have their turn. */
#define READS_MAX 32

/* A command under way. */
typedef struct Call {
    json_t *answer; /* the whole object, or NULL yet */
} Call;

struct CoreControl {
    gatomicrefcount refs;
    const CoreControlHandler *handler;
    gpointer opaque;
    GSource *source;
    GString *input; /* an unfinished line; I/O thread only */
    GMutex lock;    /* the rest */
    GCond changed;
    Fd fd;             /* -1: closed */
    GHashTable *calls; /* number -> Call */
    guint64 last;
    char *why; /* what to tell calls that fail because it is closed */
};

static void
call_free(gpointer data)
{
    Call *call = data;

    json_decref(call->answer);
    g_free(call);
}

CoreControl *
core_control_ref(CoreControl *control)
{
    g_atomic_ref_count_inc(&control->refs);
    return control;
}

void
core_control_unref(CoreControl *control)
{
    if (!control || !g_atomic_ref_count_dec(&control->refs))
        return;
    g_source_unref(control->source);
    g_string_free(control->input, TRUE);
    g_hash_table_destroy(control->calls);
    fd_clear(&control->fd);
    g_free(control->why);
    g_cond_clear(&control->changed);
    g_mutex_clear(&control->lock);
    g_free(control);
}

static int
open_fd(CoreControl *control)
{
    int fd;

    g_mutex_lock(&control->lock);
    fd = control->fd;
    g_mutex_unlock(&control->lock);
    return fd;
}

/* Returns: whether it was open. */
static bool
give_up(CoreControl *control, const char *why)
{
    bool open;

    g_mutex_lock(&control->lock);
    open = control->fd >= 0;
    fd_clear(&control->fd);
    if (!control->why)
        control->why = g_strdup(why);
    g_cond_broadcast(&control->changed);
    g_mutex_unlock(&control->lock);
    if (open)
        g_source_destroy(control->source);
    return open;
}

static void
garbage(CoreControl *control, const char *why)
{
    if (give_up(control, why))
        control->handler->garbage(control->opaque, why);
}

/* --- what the engine says
 * ------------------------------------------------------ */

static void
take_event(CoreControl *control, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "event"));
    const json_t *data = json_object_get(object, "data");

    if (name && json_is_object(data))
        control->handler->event(control->opaque, name, data);
    else
        garbage(control, _("an event without name or data"));
}

/* An engine that cannot start says why before it was asked anything. */
static void
take_refusal(CoreControl *control, const json_t *object)
{
    const json_t *failure = json_object_get(object, "error");
    const char *text = json_string_value(json_object_get(failure, "desc"));

    g_mutex_lock(&control->lock);
    if (!control->why)
        control->why = g_strdup(text ? text : "");
    g_mutex_unlock(&control->lock);
}

static void
take_answer(CoreControl *control, json_t *object)
{
    const json_t *id = json_object_get(object, "id");
    guint64 number = (guint64)json_integer_value(id);
    Call *call;

    if (!id) {
        take_refusal(control, object);
        return;
    }
    g_mutex_lock(&control->lock);
    call = g_hash_table_lookup(control->calls, &number);
    if (call && !call->answer)
        call->answer = json_incref(object);
    g_cond_broadcast(&control->changed);
    g_mutex_unlock(&control->lock);
}

static void
take_line(CoreControl *control, const char *line, size_t size)
{
    json_error_t where;
    json_t *object = json_loadb(line, size, 0, &where);

    if (json_object_get(object, "event"))
        take_event(control, object);
    else if (json_object_get(object, "return") ||
             json_object_get(object, "error"))
        take_answer(control, object);
    else if (!json_object_get(object, "QMP"))
        garbage(control, _("a line that is no message of the protocol"));
    json_decref(object);
}

static void
take_bytes(CoreControl *control, const char *bytes, size_t size)
{
    GString *input = control->input;
    const char *end;

    while (open_fd(control) >= 0 && (end = memchr(bytes, '\n', size))) {
        size_t length = (size_t)(end - bytes);

        g_string_append_len(input, bytes, (gssize)length);
        if (input->len <= CORE_CONTROL_LINE_MAX)
            take_line(control, input->str, input->len);
        else
            garbage(control, _("a line that is too long"));
        g_string_truncate(input, 0);
        bytes = end + 1;
        size -= length + 1;
    }
    g_string_append_len(input, bytes, (gssize)size);
    if (input->len > CORE_CONTROL_LINE_MAX)
        garbage(control, _("a line that is too long"));
}

/* At most @reads times; 0: to the end. */
static void
read_some(CoreControl *control, unsigned reads)
{
    char bytes[READ_BYTES];
    int fd;

    for (unsigned i = 0;
         (reads == 0 || i < reads) && (fd = open_fd(control)) >= 0; i++) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n > 0)
            take_bytes(control, bytes, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            break;
        else
            (void)give_up(control, _("the engine has closed the connection"));
    }
}

void
core_control_drain(CoreControl *control)
{
    read_some(control, 0);
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    CoreControl *control = opaque;

    read_some(control, READS_MAX);
    return open_fd(control) >= 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

CoreControl *
core_control_new(GMainContext *io, int fd, const CoreControlHandler *handler,
                 gpointer opaque)
{
    CoreControl *control = g_new0(CoreControl, 1);

    g_atomic_ref_count_init(&control->refs);
    control->handler = handler;
    control->opaque = opaque;
    control->input = g_string_new(NULL);
    control->fd = fd;
    control->calls =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, call_free);
    g_mutex_init(&control->lock);
    g_cond_init(&control->changed);
    control->source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(control->source, G_SOURCE_FUNC(on_readable),
                          core_control_ref(control),
                          (GDestroyNotify)core_control_unref);
    g_source_attach(control->source, io);
    return control;
}

void
core_control_close(CoreControl *control)
{
    if (!control)
        return;
    (void)give_up(control, _("the connection is closed"));
    core_control_unref(control);
}

void
core_control_interrupt(CoreControl *control)
{
    g_mutex_lock(&control->lock);
    if (control->fd >= 0)
        (void)shutdown(control->fd, SHUT_RDWR);
    g_mutex_unlock(&control->lock);
}

bool
core_control_usable(CoreControl *control)
{
    return open_fd(control) >= 0;
}

/* --- asking
 * ---------------------------------------------------------------------- */

static void
set_unusable(const CoreControl *control, GError **error)
{
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("the engine cannot be reached: %s"),
              control->why ? control->why : "");
}

static guint64
add_call(CoreControl *control)
{
    guint64 *key = g_new(guint64, 1);

    *key = ++control->last;
    g_hash_table_insert(control->calls, key, g_new0(Call, 1));
    return *key;
}

static char *
command_line(const CoreCommand *command, guint64 number)
{
    json_t *object =
        json_pack("{s:s,s:O*,s:I}", "execute", command->name, "arguments",
                  command->arguments, "id", (json_int_t)number);
    char *line = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return line;
}

/* The descriptors go with the line's first byte. */
static ssize_t
send_line(int fd, const char *line, const CoreCommand *command)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int) * CORE_CONTROL_FDS_MAX)];
    } control = { 0 };
    struct iovec iov[] = { { (char *)line, strlen(line) },
                           { (char *)"\n", 1 } };
    struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
    size_t size = sizeof(int) * command->n_fds;

    if (size > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        control.head =
            (struct cmsghdr){ CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.head), command->fds, size);
    }
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool
check_command(const CoreControl *control, const CoreCommand *command,
              GError **error)
{
    if (control->fd < 0)
        set_unusable(control, error);
    else if (g_hash_table_size(control->calls) >= CALLS_MAX)
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the engine has too many commands to answer"));
    else if (command->n_fds > CORE_CONTROL_FDS_MAX)
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("the device has more files than an engine can be sent"));
    else
        return true;
    return false;
}

/* With the lock. A command is so short that the socket takes it whole, unless
 * the engine has stopped reading long ago. */
static guint64
send_command(CoreControl *control, const CoreCommand *command, GError **error)
{
    g_autofree char *line = NULL;
    guint64 number;

    if (!check_command(control, command, error))
        return 0;
    number = add_call(control);
    line = command_line(command, number);
    if (!line || strlen(line) >= CORE_CONTROL_REQUEST_MAX)
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("what '%s' asks of the engine is too long"), command->name);
    else if (send_line(control->fd, line, command) == (ssize_t)strlen(line) + 1)
        return number;
    else
        error_set_errno(error, errno, _("cannot send '%s' to the engine"),
                        command->name);
    g_hash_table_remove(control->calls, &number);
    return 0;
}

guint64
core_control_post(CoreControl *control, const CoreCommand *command,
                  GError **error)
{
    guint64 number;

    g_mutex_lock(&control->lock);
    number = send_command(control, command, error);
    g_mutex_unlock(&control->lock);
    return number;
}

/* With the lock. */
static json_t *
wait_answer(CoreControl *control, const Call *call, unsigned timeout_ms,
            GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

    while (!call->answer && control->fd >= 0)
        if (!g_cond_wait_until(&control->changed, &control->lock, deadline))
            break;
    if (call->answer)
        return json_incref(call->answer);
    if (control->fd < 0)
        set_unusable(control, error);
    else
        error_set(error, VIR_ERR_OPERATION_TIMEOUT,
                  _("the engine does not answer"));
    return NULL;
}

static json_t *
result_of(json_t *answer, GError **error)
{
    json_t *result = json_object_get(answer, "return");
    const json_t *failure = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(failure, "desc"));

    if (result)
        return json_incref(result);
    error_set(error, VIR_ERR_OPERATION_FAILED, "%s",
              text ? text : _("the engine refused without a reason"));
    return NULL;
}

json_t *
core_control_wait(CoreControl *control, guint64 number, unsigned timeout_ms,
                  GError **error)
{
    json_t *answer, *result = NULL;
    const Call *call;

    g_mutex_lock(&control->lock);
    call = g_hash_table_lookup(control->calls, &number);
    g_assert(call);
    answer = wait_answer(control, call, timeout_ms, error);
    g_hash_table_remove(control->calls, &number);
    g_mutex_unlock(&control->lock);
    if (answer)
        result = result_of(answer, error);
    json_decref(answer);
    return result;
}

json_t *
core_control_ask(CoreControl *control, const CoreCommand *command,
                 GError **error)
{
    guint64 number = core_control_post(control, command, error);

    return number ? core_control_wait(control, number, CORE_CONTROL_TIMEOUT_MS,
                                      error)
                  : NULL;
}
