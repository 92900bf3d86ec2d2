/*
 * do_config.c - config_get and config_set: settings, for administrators.
 *
 * A value is read as in the configuration file, by the same code, whether it comes as a str or as a number. What was
 * set lasts until the file is read again (SIGHUP) or the daemon ends.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/call.h"
#include "daemon/glob.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

#define NAME_SHOWN 60u   /* bytes of an unknown name that an error repeats */
#define VALUE_MAX 64u    /* bytes of a value: what may be set is a number or a word */

bool hub_config(const struct hub *hub, struct config *config)
{
    bool is_whole = hub->ops.config != NULL;

    *config = is_whole ? *hub->ops.config : (struct config){0};
    config->hub = hub->settings;
    return is_whole;
}

/* -- config_get --------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct setting *setting, const struct arg *pattern, bool is_whole)
{
    return (is_whole || setting->is_hubs) &&
           (!pattern->is_given ||
            glob_matches(pattern->text, pattern->text_len, setting->name, strlen(setting->name)));
}

enum hd_err do_config_get(struct call *call)
{
    const struct arg *pattern = &call->args[0];
    struct config config;
    size_t count, wanted = 0;
    const struct setting *rows = settings_rows(&count);
    bool is_whole = hub_config(call->hub, &config);
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    for (size_t i = 0; i < count; i++)
        wanted += is_wanted(&rows[i], pattern, is_whole);
    pack_map(out, wanted);
    for (size_t i = 0; i < count; i++)
        if (is_wanted(&rows[i], pattern, is_whole)) {
            pack_cstr(out, rows[i].name);
            setting_pack(&rows[i], &config, out);
        }
    return HD_OK;
}

/* -- config_set --------------------------------------------------------------------------------------------------- */

static enum hd_err find_setting(struct call *call, const struct setting **setting)
{
    const struct arg *arg = &call->args[0];
    size_t shown = arg->text_len < NAME_SHOWN ? arg->text_len : NAME_SHOWN;
    char name[NAME_SHOWN + 1];

    memcpy(name, arg->text, shown);
    name[shown] = '\0';
    *setting = strlen(name) == arg->text_len ? settings_find(name) : NULL;
    if (*setting == NULL || (call->hub->ops.config == NULL && !(*setting)->is_hubs))
        return heap_fail(call->heap, HD_VALUE, "there is no setting '%s'", name);
    if (!(*setting)->is_live)
        return heap_fail(call->heap, HD_DENIED, "'%s' cannot be changed while the daemon runs", name);
    return HD_OK;
}

/* A str with a zero byte, or one that does not fit, is no value of any setting: -1. */
static int write_str(const struct text *str, char text[VALUE_MAX])
{
    if (str->len >= VALUE_MAX || memchr(str->bytes, '\0', str->len) != NULL)
        return -1;
    memcpy(text, str->bytes, str->len);
    text[str->len] = '\0';
    return (int)str->len;
}

/* The value as it would stand in the file. */
static enum hd_err write_value(struct call *call, const char *name, char text[VALUE_MAX])
{
    struct obj *o = call->args[1].o;
    int len;

    switch (o->type) {
    case OBJ_BOOL:
        len = snprintf(text, VALUE_MAX, "%s", o == call->heap->yes ? "yes" : "no");
        break;
    case OBJ_INT:
        len = snprintf(text, VALUE_MAX, "%lld", (long long)int_value(o));
        break;
    case OBJ_FLOAT:
        len = snprintf(text, VALUE_MAX, "%.3f", floor(float_value(o) * 1000) / 1000);
        break;
    case OBJ_STR:
        len = write_str(text_of(o), text);
        break;
    default:
        return heap_fail(call->heap, HD_BAD_ARGS, "config_set: 'value' is a str, int, float or bool");
    }
    if (len < 0 || len >= (int)VALUE_MAX)
        return heap_fail(call->heap, HD_VALUE, "%s: no value of a setting is like that", name);
    return HD_OK;
}

static void take_over(struct call *call, const struct config *config, const char *name, const char *value)
{
    const struct hub_ops *ops = &call->hub->ops;
    char who[PEER_TEXT], what[200];

    if (ops->configure == NULL) {
        hub_configure(call->hub, &config->hub);
        return;
    }
    peer_text(&call->session->peer, who);
    snprintf(what, sizeof what, "%s = %s, set by session %llu, %s", name, value,
             (unsigned long long)call->session->number, who);
    ops->configure(ops->context, config, what);
}

enum hd_err do_config_set(struct call *call)
{
    const struct setting *setting;
    struct config_error error;
    struct config config;
    char value[VALUE_MAX];
    enum hd_err err = find_setting(call, &setting);

    if (err == HD_OK)
        err = write_value(call, setting->name, value);
    if (err != HD_OK)
        return err;
    (void)hub_config(call->hub, &config);
    if (!setting_read(setting, &config, value, &error))
        return heap_fail(call->heap, HD_VALUE, "%s", error.text);
    take_over(call, &config, setting->name, value);
    return reply_bool(call, true);
}
