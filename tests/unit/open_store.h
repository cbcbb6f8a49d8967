/* open_store.h - a database of its own, open, for each test of a table. */
#ifndef TESTS_OPEN_STORE_H
#define TESTS_OPEN_STORE_H

#include "store_fixture.h"

static struct db *db;

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    db = fx_open();
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    return fx_teardown(state);
}

#endif
