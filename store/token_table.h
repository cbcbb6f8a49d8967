/* token_table.h - issued tokens, by id. The texts themselves are never stored. */
#ifndef STORE_TOKEN_TABLE_H
#define STORE_TOKEN_TABLE_H

#include "base/error.h"
#include <stdint.h>

struct db;
struct token_row { const char *id, *name, *operations, *projects /* JSON lists */; int64_t expires_ms, created_ms, revoked_ms; bool reveal_secrets; };
bool token_insert(struct db *db, const struct token_row *t, struct eb_err *err) EB_CHECK;
typedef bool token_each(void *ctx, const struct token_row *t);
bool token_list(struct db *db, token_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool token_known(struct db *db, const char *id, bool *ret, struct eb_err *err) EB_CHECK;
/* By id, or all of a name. *ret_count: how many were valid before. */
bool token_revoke(struct db *db, const char *id_or_name, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;

#endif
