/* do_offer.c - offer and claim: an object goes from one session to another. */
#include "daemon/call.h"
#include "daemon/offer.h"

#define TTL_PRESET_S 60
#define WRONG_TOKENS 10 /* that one connection may try */

void call_end_guessing(struct call *call)
{
    struct session *session = call->session;

    if (session->wrong_tokens < WRONG_TOKENS)
        return;
    session_bye(session, "too many wrong tokens");
    call->reply_at = session->out.len; /* the answer stands behind it */
}

enum hd_err call_deny_token(struct call *call, const char *text)
{
    call->session->wrong_tokens++;
    if (!call->is_step)
        call_end_guessing(call);
    return heap_fail(call->heap, HD_DENIED, "%s", text);
}

enum hd_err do_offer(struct call *call)
{
    double seconds = opts_has(&call->opts, RPC_OPTION_TTL) ? call->opts.v[RPC_OPTION_TTL].seconds : TTL_PRESET_S;
    char text[TOKEN_TEXT];
    struct token token;
    struct buf *out;
    enum hd_err err;

    if (seconds > OFFER_TTL_MOST_S)
        return heap_fail(call->heap, HD_BAD_ARGS, "offer: option 'ttl' takes seconds, 0 ... %d", OFFER_TTL_MOST_S);
    if (!call->is_request)
        return HD_OK; /* nobody would know the token */
    err = offers_add(call->session, call->args[0].o, (uint64_t)(seconds * 1000), &token);
    if (err != HD_OK)
        return err;
    token_text(&token, text);
    out = reply_begin(call);
    pack_str(out, text, TOKEN_TEXT);
    return HD_OK;
}

enum hd_err do_claim(struct call *call)
{
    const struct arg *arg = &call->args[0];
    struct offer *offer = NULL;
    struct token token = {{0}};
    bool is_own = false;
    struct obj *o;
    enum hd_err err;

    if (token_parse(&token, arg->text, arg->text_len))
        offer = offers_find(call->session, &token, &is_own);
    if (offer == NULL && is_own)
        return heap_fail(call->heap, HD_DENIED, "this offer was claimed, or its time is over");
    if (offer == NULL)
        return call_deny_token(call, "there is no such offer");
    o = obj_ref(offer->o);
    if (call->opts.result == RESULT_AUTO)
        call->opts.result = RESULT_HANDLE;
    err = reply_object_take(call, &o);
    if (err == HD_OK)
        offers_claimed(call->session, offer);
    return err;
}
