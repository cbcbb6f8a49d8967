/* error.h - the one error type, and the table of codes that callers see.
 *
 * An error is made once, where it happens, by eb_fail(); functions above hand it on untouched.
 * The codes are those of the HTTP contract (docs/api.md); the status is chosen here and nowhere else.
 */
#ifndef EB_ERROR_H
#define EB_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define EB_CHECK __attribute__((warn_unused_result))
#define EB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define EB_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* X(symbol, code in JSON, HTTP status, title: RFC 9457 "title") */
#define EB_CODES(X) \
    X(OK, "ok", 200, "OK") \
    X(INVALID_REQUEST, "invalid_request", 400, "The request is not valid") \
    X(INVALID_JSON, "invalid_json", 400, "The body is not valid JSON") \
    X(UNAUTHENTICATED, "unauthenticated", 401, "No valid token") \
    X(OPERATION_NOT_PERMITTED, "operation_not_permitted", 403, "This operation is not permitted") \
    X(ISSUE_NOT_PERMITTED, "issue_not_permitted", 403, "This issue does not permit the operation") \
    X(APPROVAL_MISSING, "approval_missing", 403, "An approval is missing") \
    X(REQUESTER_NOT_PERMITTED, "requester_not_permitted", 403, "The requester may not ask for this") \
    X(GROUP_NOT_SERVICEABLE, "group_not_serviceable", 403, "The group is not serviceable") \
    X(PRINCIPAL_PROTECTED, "principal_protected", 403, "The user or group is protected") \
    X(ATTRIBUTE_NOT_PERMITTED, "attribute_not_permitted", 403, "The attribute is not permitted") \
    X(DUTY_CONFLICT, "duty_conflict", 403, "The groups exclude each other") \
    X(LIMIT_EXCEEDED, "limit_exceeded", 403, "A limit is exceeded") \
    X(USER_NOT_FOUND, "user_not_found", 404, "The user was not found") \
    X(GROUP_NOT_FOUND, "group_not_found", 404, "The group was not found") \
    X(ISSUE_NOT_FOUND, "issue_not_found", 404, "The issue was not found") \
    X(OPERATION_NOT_FOUND, "operation_not_found", 404, "The operation was not found") \
    X(NOT_FOUND, "not_found", 404, "No such path") \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "The method is not allowed here") \
    X(IDEMPOTENCY_CONFLICT, "idempotency_conflict", 409, "The key was used with another body") \
    X(ALREADY_DONE, "already_done", 409, "Done before, and changed since") \
    X(USER_ALREADY_EXISTS, "user_already_exists", 409, "The user exists already") \
    X(USER_AMBIGUOUS, "user_ambiguous", 409, "The name fits several users") \
    X(GROUP_AMBIGUOUS, "group_ambiguous", 409, "The name fits several groups") \
    X(GROUP_NOT_MODIFIABLE, "group_not_modifiable", 409, "Graph cannot change this group") \
    X(USER_NOT_MODIFIABLE, "user_not_modifiable", 409, "Graph cannot change this user") \
    X(UNDO_NOT_POSSIBLE, "undo_not_possible", 409, "This cannot be undone") \
    X(LENGTH_REQUIRED, "length_required", 411, "A Content-Length is required") \
    X(BODY_TOO_LARGE, "body_too_large", 413, "The body is too large") \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, "The body must be JSON") \
    X(REJECTED_BY_ENTRA, "rejected_by_entra", 422, "Entra rejected the change") \
    X(PARTLY_FAILED, "partly_failed", 422, "A part of the operation failed") \
    X(RATE_LIMITED, "rate_limited", 429, "Too many requests") \
    X(HEADERS_TOO_LARGE, "headers_too_large", 431, "The head of the request is too large") \
    X(ENTRA_UNAVAILABLE, "entra_unavailable", 502, "Entra cannot be reached") \
    X(JIRA_UNAVAILABLE, "jira_unavailable", 502, "Jira cannot be reached") \
    X(ENTRA_PERMISSION_MISSING, "entra_permission_missing", 502, "A permission in Entra is missing") \
    X(OVERLOADED, "overloaded", 503, "Overloaded") \
    X(SHUTTING_DOWN, "shutting_down", 503, "Shutting down") \
    X(STARTING, "starting", 503, "Starting") \
    /* inside the program only; a caller never sees these */ \
    X(NOT_THERE, "not_there", 404, "Not there") \
    X(IN_DOUBT, "in_doubt", 502, "Sent, but no answer came") \
    X(INTERNAL, "internal_error", 500, "An internal error")

enum eb_code {
#define EB_CODE_ENUM(sym, text, status, title) EB_##sym,
    EB_CODES(EB_CODE_ENUM)
#undef EB_CODE_ENUM
    EB_CODE_COUNT
};

struct eb_err {
    enum eb_code code;
    int retry_after_ms;  /* 0: not known */
    const char *where;   /* static: the function where it was born */
    char field[64];      /* the request's field or the setting's key it is about; else "" */
    char text[512];      /* for people: what is wrong and what to do. Never a secret. */
};

/* Fills *e and returns false, so that a function can `return eb_fail(...)`. `e` may be NULL. */
#define eb_fail(e, c, ...) eb_err_set((e), (c), __func__, __VA_ARGS__)
bool eb_err_set(struct eb_err *e, enum eb_code code, const char *where, const char *fmt, ...) EB_PRINTF(4, 5);
/* The same, and names the field. */
bool eb_fail_field(struct eb_err *e, enum eb_code code, const char *field, const char *fmt, ...) EB_PRINTF(4, 5);

const char *eb_code_text(enum eb_code code);   /* "group_not_found" */
const char *eb_code_title(enum eb_code code);
int eb_code_status(enum eb_code code);
/* The code of that text; EB_INTERNAL when there is none. For journal rows read back. */
enum eb_code eb_code_parse(const char *text);

/* Frees or closes a variable when it leaves its scope: EB_AUTO(json_t, json_decref) doc = NULL; */
#define EB_AUTO(type, fn) __attribute__((cleanup(eb_auto_##fn))) type *
#define EB_AUTO_DEFINE(type, fn) \
    static inline void eb_auto_##fn(type **p) { if (*p != NULL) fn(*p); }

#endif
