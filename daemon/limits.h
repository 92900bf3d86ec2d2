/* daemon/limits.h - the limits of protocol.md, section 6, as `hello` tells them. */
#ifndef HEAPD_DAEMON_LIMITS_H
#define HEAPD_DAEMON_LIMITS_H

struct buf;
struct hub_settings;

/* Packs a map from the limit's name, without `limits.`, to its value; nil where there is none. */
void limits_pack(const struct hub_settings *settings, struct buf *out);

#endif
