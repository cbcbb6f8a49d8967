/* assets_settings.h - how the simulated Assets behaves; set by POST /sim/settings, kept over a reset. */
#ifndef SIM_ASSETS_SETTINGS_H
#define SIM_ASSETS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* What an import does with objects that its data does not name, and with values that are empty: set in Assets' own dialog. */
enum assets_missing { ASSETS_MISSING_NOTHING, ASSETS_MISSING_INACTIVE, ASSETS_MISSING_DELETE };
enum assets_empty { ASSETS_EMPTY_IGNORE, ASSETS_EMPTY_REMOVE };

struct assets_settings {
    bool admin;                     /* may our account configure? */
    int64_t eventual_ms, aql_page_max;
    int64_t chunk_bytes, chunk_objects;
    double import_ms_per_object;
    enum assets_missing missing;
    enum assets_empty empty;
    int64_t aql_per_minute, count_per_minute, attributes_per_minute;        /* 0: no limit */
    int64_t get_per_s, post_per_s, put_per_s, delete_per_s;
};

#endif
