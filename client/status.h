/* client/status.h - codes on the wire and their numbers. */
#ifndef HEAPD_CLIENT_STATUS_H
#define HEAPD_CLIENT_STATUS_H

#include "client/heapd.h"

/* The status of an error text, "CODE a sentence"; HD_UNKNOWN for a code that is not in the table. Never HD_OK. */
enum hd_status status_of_text(const char *text);

#endif
