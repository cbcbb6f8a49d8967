/* migrations.c - the schema, as an ordered list of steps; step n brings a database from version n-1 to n.
 *
 * The version stands in a table of its own, so that every kind of database keeps it alike. A step runs in one exclusive
 * transaction with its version row: it is done or it is not. A step that was released is never edited; a new one is added.
 *
 * {int} a 64-bit number, {serial} a number given by the database in order, {table} a plain table's options,
 * {keyed} those of a table that is always reached by its primary key: each driver has its words for them.
 */
#include "store/driver.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <string.h>

static const char *const migrations[] = {
    /* 1: operations, comments, audit, tokens, pins, timers */
    /* A row of the journal's tables is written once, when its step happens, and hardly ever changed: they grow at their ends. */
    "CREATE TABLE operations ("
    " number {serial}, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, token_id TEXT, token_name TEXT, issue TEXT, request TEXT,"
    " config_hash TEXT, repeat_key TEXT, accepted_ms {int} NOT NULL, dry_run {int} NOT NULL) {table};"
    "CREATE TABLE open_operations (operation {int} PRIMARY KEY REFERENCES operations (number)) {table};"
    "CREATE TABLE records ("
    " operation {int} PRIMARY KEY REFERENCES operations (number), issue_key TEXT, issue_id TEXT, user_id TEXT, group_id TEXT,"
    " state_before TEXT) {table};"

    /* number grows in the order of conclusions, whatever the clock does. oldest_open: every operation that ends later has this number
     * in operations, or a higher one. */
    "CREATE TABLE conclusions ("
    " number {serial}, operation {int} NOT NULL UNIQUE REFERENCES operations (number), outcome TEXT NOT NULL, code TEXT, message TEXT,"
    " issue_key TEXT, issue_id TEXT, state_after TEXT, answer TEXT, changed {int} NOT NULL, ended_ms {int} NOT NULL,"
    " oldest_open {int} NOT NULL) {table};"
    "CREATE INDEX conclusions_others ON conclusions (outcome, operation) WHERE outcome <> 'succeeded';"

    /* Every name under which an operation's issue is known: as sent, its key, its id. */
    "CREATE TABLE operation_issues ("
    " issue TEXT NOT NULL, operation {int} NOT NULL REFERENCES operations (number), PRIMARY KEY (issue, operation)) {keyed};"

    "CREATE TABLE writes ("
    " operation {int} NOT NULL REFERENCES operations (number), n {int} NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,"
    " touches TEXT, state TEXT NOT NULL, tries {int} NOT NULL, sent_ms {int} NOT NULL, answered_ms {int} NOT NULL DEFAULT 0,"
    " status {int} NOT NULL DEFAULT 0, request_id TEXT, PRIMARY KEY (operation, n)) {keyed};"
    "CREATE INDEX writes_object ON writes (object, operation);"
    /* What an operation is about and no write of its names. */
    "CREATE TABLE targets ("
    " operation {int} NOT NULL REFERENCES operations (number), object TEXT NOT NULL, PRIMARY KEY (operation, object)) {keyed};"

    "CREATE TABLE idempotency ("
    " repeat_key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, operation {int} NOT NULL, until_ms {int} NOT NULL) {keyed};"
    "CREATE INDEX idempotency_until ON idempotency (until_ms);"

    "CREATE TABLE counters (name TEXT PRIMARY KEY, value {int} NOT NULL) {keyed};"
    "INSERT INTO counters (name, value) VALUES ('mend', 0);"

    "CREATE TABLE outbox ("
    " number {serial}, operation TEXT NOT NULL, issue TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'ready', error TEXT, comment_id TEXT, tries {int} NOT NULL DEFAULT 0, doubt {int} NOT NULL DEFAULT 0,"
    " due_ms {int} NOT NULL, created_ms {int} NOT NULL, ended_ms {int} NOT NULL DEFAULT 0, UNIQUE (operation, kind)) {table};"
    "CREATE INDEX outbox_ready ON outbox (due_ms, number) WHERE state = 'ready';"
    "CREATE INDEX outbox_dead ON outbox (number) WHERE state = 'dead';"

    "CREATE TABLE audit ("
    " number {int} PRIMARY KEY, time_ms {int} NOT NULL, event TEXT NOT NULL, operation TEXT, data TEXT NOT NULL,"
    " previous TEXT NOT NULL, hash TEXT NOT NULL) {table};"
    "CREATE TABLE audit_head (one {int} PRIMARY KEY CHECK (one = 1), number {int} NOT NULL, hash TEXT NOT NULL, seal TEXT NOT NULL) {table};"

    "CREATE TABLE tokens ("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, operations TEXT NOT NULL, projects TEXT NOT NULL, expires_ms {int} NOT NULL,"
    " created_ms {int} NOT NULL, revoked_ms {int} NOT NULL DEFAULT 0, reveal_secrets {int} NOT NULL) {table};"

    "CREATE TABLE pins ("
    " type TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, since_ms {int} NOT NULL, PRIMARY KEY (type, name)) {keyed};"

    "CREATE TABLE timers ("
    " kind TEXT NOT NULL, subject TEXT NOT NULL, due_ms {int} NOT NULL, PRIMARY KEY (kind, subject)) {keyed};"
    "CREATE INDEX timers_due ON timers (due_ms);",

    /* 2: secrets that operations have made, until they were shown or have expired */
    "CREATE TABLE secrets ("
    " id TEXT PRIMARY KEY, operation TEXT NOT NULL, what TEXT NOT NULL, sealed TEXT, link_hash TEXT, created_ms {int} NOT NULL,"
    " expires_ms {int} NOT NULL, opened_ms {int} NOT NULL DEFAULT 0, UNIQUE (operation, what)) {keyed};"
    "CREATE INDEX secrets_expires ON secrets (expires_ms);",

    /* 3: what names a person in an audit row can be erased: it stands apart, and the row has its salted hash */
    ("ALTER TABLE audit ADD COLUMN personal TEXT;"          /* in brackets: clang takes two texts for a comma left out */
     "CREATE TABLE audit_personal (number {int} PRIMARY KEY, salt TEXT NOT NULL, data TEXT NOT NULL) {table};"),

    /* 4: what a write is to lead to, so that a doubt can be settled; where an operation comes from; which approvals have served */
    "ALTER TABLE records ADD COLUMN state_wanted TEXT;"
    "ALTER TABLE operations ADD COLUMN origin TEXT;"
    "CREATE UNIQUE INDEX operations_origin ON operations (origin) WHERE origin IS NOT NULL;"
    "CREATE TABLE approvals_used ("
    " issue TEXT NOT NULL, approval TEXT NOT NULL, kind TEXT NOT NULL, target_user TEXT NOT NULL, target_group TEXT NOT NULL,"
    " operation TEXT NOT NULL, PRIMARY KEY (issue, approval, kind, target_user, target_group)) {keyed};"
    "CREATE INDEX approvals_used_operation ON approvals_used (operation);"
    "CREATE TABLE memberships ("
    " object TEXT PRIMARY KEY, operation TEXT NOT NULL, issue_id TEXT, issue_key TEXT, user_id TEXT NOT NULL, group_id TEXT NOT NULL,"
    " user_name TEXT, group_name TEXT, stopped TEXT, ends_ms {int} NOT NULL, warn_ms {int} NOT NULL) {keyed};"
    "CREATE INDEX memberships_ends ON memberships (ends_ms);"
    "CREATE TABLE orders (number {serial}, kind TEXT NOT NULL, data TEXT NOT NULL, made_ms {int} NOT NULL, taken_ms {int} NOT NULL DEFAULT 0, answer TEXT) {table};",

    /* 5: the history of synchronizations, and the mark that one may have sent what only its staging file knows */
    "CREATE TABLE sync_runs ("
    " number {serial}, kind TEXT NOT NULL, cause TEXT NOT NULL, started_ms {int} NOT NULL, ended_ms {int} NOT NULL DEFAULT 0, updated_ms {int} NOT NULL,"
    " phase TEXT, done {int} NOT NULL, total {int} NOT NULL, counts TEXT, calls TEXT, throttled_ms {int} NOT NULL, outcome TEXT, message TEXT) {table};"
    "CREATE INDEX sync_runs_open ON sync_runs (number) WHERE ended_ms = 0;"
    "CREATE TABLE sync_faults ("
    " run {int} NOT NULL REFERENCES sync_runs (number), n {int} NOT NULL, action TEXT, kind TEXT, key TEXT, label TEXT, text TEXT NOT NULL,"
    " PRIMARY KEY (run, n)) {keyed};"
    "CREATE TABLE sync_mark (one {int} PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL) {table};",

    /* 6: operations that are steps of a composite one: its id */
    "ALTER TABLE operations ADD COLUMN step_of TEXT;",
    /* 7: operations that wait for a date, a person or the end of a pause are not among the open ones; what limits count; pauses */
    "CREATE TABLE waiting ("
    " operation {int} PRIMARY KEY REFERENCES operations (number), why TEXT NOT NULL, reason TEXT, at_ms {int} NOT NULL, ready_ms {int} NOT NULL,"
    " passed {int} NOT NULL) {table};"
    "CREATE INDEX waiting_why ON waiting (why, operation);"
    "ALTER TABLE open_operations ADD COLUMN since_ms {int} NOT NULL DEFAULT 0;"
    "ALTER TABLE open_operations ADD COLUMN at_ms {int} NOT NULL DEFAULT 0;"
    "ALTER TABLE open_operations ADD COLUMN passed {int} NOT NULL DEFAULT 0;"
    "CREATE TABLE limit_counts (subject TEXT NOT NULL, start_ms {int} NOT NULL, weight {int} NOT NULL, PRIMARY KEY (subject, start_ms)) {keyed};"
    "CREATE INDEX limit_counts_start ON limit_counts (start_ms);"
    "CREATE TABLE limit_alerts (subject TEXT PRIMARY KEY, told_ms {int} NOT NULL) {keyed};"
    "CREATE TABLE pauses (kind TEXT PRIMARY KEY, reason TEXT, made_by TEXT NOT NULL, since_ms {int} NOT NULL) {keyed};",

    /* 8: how far the database has come (store/position.h); its generation comes with the first start of a service */
    "INSERT INTO counters (name, value) VALUES ('position', 0);",
};

enum { LATEST = EB_LEN(migrations) };

/* Puts the driver's words into a migration's text. */
static bool translate(const struct db_word *words, const char *text, struct eb_buf *out)
{
    const char *brace;

    for (; (brace = strchr(text, '{')) != NULL; text = strchr(brace, '}') + 1) {
        const struct db_word *w = words;
        while (strncmp(brace + 1, w->name, strlen(w->name)) != 0 || brace[1 + strlen(w->name)] != '}')
            assert((++w)->name != NULL);
        eb_buf_add(out, text, (size_t)(brace - text));
        eb_buf_str(out, w->text);
    }
    return eb_buf_str(out, text);
}

static bool read_version(struct db *db, int64_t *ret, struct eb_err *err)
{
    enum db_state state;

    if (!db_state(db, &state, err))
        return false;
    if (state == DB_FOREIGN)
        return eb_fail(err, EB_INTERNAL, "The database holds tables of another program. Name a file of its own under `store`.");
    *ret = 0;
    if (state == DB_EMPTY)
        return true;
    struct db_stmt *s = db_prepare(db, "SELECT COALESCE(MAX(version), 0) FROM schema_version", err);
    if (s == NULL || db_step(s, err) != DB_ROW)
        return false;
    *ret = db_int(s, 0);
    return db_run(s, NULL, err);
}

static bool run_step(struct db *db, int64_t version, struct eb_err *err)
{
    struct eb_buf sql = EB_BUF(KiB(64));

    if (version == 1)
        eb_buf_str(&sql, "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_ms BIGINT NOT NULL);");
    bool ok = translate(db_words(db), migrations[version - 1], &sql) ? db_script(db, sql.data, err)
                                                                     : eb_fail(err, EB_INTERNAL, "migration %d is too long", (int)version);
    eb_buf_free(&sql);
    if (!ok)
        return false;
    struct db_stmt *s = db_prepare(db, "INSERT INTO schema_version (version, applied_ms) VALUES ($1, $2)", err);
    if (s == NULL)
        return false;
    db_bind_int(s, 1, version);
    db_bind_int(s, 2, eb_now_ms());
    return db_run(s, NULL, err);
}

/* Reads the version again under the lock: another process may have been faster. */
static bool step_up(struct db *db, int64_t *version, struct eb_err *err)
{
    if (!db_verb(db, DB_BEGIN_EXCLUSIVE, err))
        return false;
    if (read_version(db, version, err) && (*version >= LATEST || run_step(db, *version + 1, err)) && db_commit(db, err)) {
        *version += *version < LATEST;
        return true;
    }
    db_rollback(db);
    return false;
}

bool db_migrate(struct db *db, struct eb_err *err)
{
    int64_t version;

    if (!read_version(db, &version, err))
        return false;
    if (version < LATEST && version > 0)
        eb_info(NULL, "store_migrate from=%d to=%d", (int)version, (int)LATEST);
    while (version < LATEST)
        if (!step_up(db, &version, err))
            return false;
    if (version > LATEST)
        return eb_fail(err, EB_INTERNAL, "The database has version %d, this program knows up to %d: a newer entrabridge has used it. "
                       "Start that one again, or restore a backup made before the change.", (int)version, (int)LATEST);
    return true;
}
