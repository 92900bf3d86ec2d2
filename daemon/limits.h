/* daemon/limits.h - the limits of protocol.md, section 6, as `hello` tells them. */
#ifndef HEAPD_DAEMON_LIMITS_H
#define HEAPD_DAEMON_LIMITS_H

struct buf;
struct hub;

/* Packs a map from a limit's name, without `limits.`, to its value as config_get tells it; nil where there is none. */
void limits_pack(const struct hub *hub, struct buf *out);

#endif
