/* hashtable.h - uthash, told how to end where there is no memory: its own way is exit(-1), without a word. */
#ifndef EB_HASHTABLE_H
#define EB_HASHTABLE_H

#include "base/text.h"

#define uthash_fatal(msg) eb_no_memory()
#include <uthash.h>

#endif
