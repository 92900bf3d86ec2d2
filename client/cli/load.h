/*
 * client/cli/load.h - many operations of one kind, so many at a time over so many connections, each timed.
 *
 * Every connection is a session of its own. What an operation works on has names in the private namespace of that
 * session, and handles of it: nothing is left when it ends, however it ends.
 */
#ifndef HEAPD_CLIENT_CLI_LOAD_H
#define HEAPD_CLIENT_CLI_LOAD_H

#include "client/cli/latency.h"
#include "client/cli/server.h"

#define LOAD_CONNECTIONS_MAX 1000u
#define LOAD_DEPTH_MAX 1024u

struct load;

/* One place for an operation that is on its way. */
struct slot {
    struct load *load;
    struct hd_link *link;
    uint64_t handle; /* two of its own: this one and the next */
    uint64_t begun_ns;
};

/* Functions answer the status of what failed to be queued, or HD_OK. */
struct load_op {
    const char *name;  /* as it is written */
    const char *words; /* what it is, where the name does not say it; "" */
    /* Once for each connection: what operations work on. NULL: nothing. */
    enum hd_status (*prepare)(struct hd_link *link, int timeout_ms);
    /* Sends it. It is over with the answer to the call that got load_done; without one, with the event that a weakref
     * of handle + 1 has lost its target. */
    enum hd_status (*begin)(struct slot *slot);
    /* After it: gives back what it has made. NULL: nothing. */
    enum hd_status (*end)(struct slot *slot);
};

extern const struct load_op load_ops[];
extern const unsigned load_op_count;

struct load {
    struct server *server;         /* whose address and timeout are used, and who is told what failed */
    struct hd_link **links;        /* owned */
    unsigned connections;
    struct slot *slots;            /* owned; `depth` for each connection */
    unsigned depth;
    const struct load_op *op;
    struct latency latency;        /* of the newest run */
    double seconds;                /* that it took */
    unsigned on_their_way;
    bool is_ending;                /* no new one is begun */
};

/* Connects. False: the server says why. */
bool load_open(struct load *load, struct server *server, unsigned connections);
void load_close(struct load *load);

/* One operation for so many seconds, `depth` at a time on each connection. False: the server says why; SIGINT
 * (server_interrupted) makes it fail with HD_CANCELLED. */
bool load_run(struct load *load, const struct load_op *op, unsigned depth, double seconds);

/* -- for operations ----------------------------------------------------------------------------------------------- */

/* Sends a call whose answer ends the operation, or need only be no error. */
enum hd_status load_send_last(struct slot *slot, struct hd_call *call);
enum hd_status load_send(struct slot *slot, struct hd_call *call);

#endif
