/* journal_rows.h - reading an operation's row, shared by the two files of the journal. */
#ifndef STORE_JOURNAL_ROWS_H
#define STORE_JOURNAL_ROWS_H

#include "store/journal.h"

struct db_stmt;

/* In the order in which journal_row_read() takes them. */
#define JOURNAL_COLUMNS \
    "o.id, o.kind, o.token_id, o.token_name, o.issue, COALESCE(c.issue_key, r.issue_key), COALESCE(c.issue_id, r.issue_id), o.request," \
    " CASE WHEN c.number IS NULL THEN 'open' ELSE 'ended' END, c.outcome, c.code, c.message, r.user_id, r.group_id," \
    " r.state_before, CASE WHEN c.number IS NULL THEN r.state_wanted ELSE c.state_after END, c.answer, o.config_hash, o.origin, q.why, q.reason, o.accepted_ms, COALESCE(c.ended_ms, 0), COALESCE(c.changed, 0), o.dry_run," \
    " COALESCE(q.at_ms, p.at_ms, 0), COALESCE(p.since_ms, 0), COALESCE(q.passed, p.passed, 0)," \
    " (SELECT count(*) FROM writes w WHERE w.operation = o.number AND w.tries > 0)"
#define JOURNAL_TABLES \
    "operations o LEFT JOIN records r ON r.operation = o.number LEFT JOIN conclusions c ON c.operation = o.number" \
    " LEFT JOIN open_operations p ON p.operation = o.number LEFT JOIN waiting q ON q.operation = o.number"

void journal_row_read(struct db_stmt *s, struct journal_row *ret);

#endif
