/* evidence.h - inside of ops/: what a condition of the policy asks for besides the facts, read from Jira and matched in Entra at the moment of the change. */
#ifndef OPS_EVIDENCE_H
#define OPS_EVIDENCE_H

#include "policy/policy.h"

#define EVIDENCE_APPROVALS_MAX 20
#define EVIDENCE_APPROVERS_MAX 60       /* of all rounds */

struct evidence {                       /* strings are ours */
    int references;
    int64_t asked_mono_ms;
    struct policy_evidence seen;        /* points into the arrays below */
    struct policy_approval approvals[EVIDENCE_APPROVALS_MAX];
    struct policy_approver approvers[EVIDENCE_APPROVERS_MAX];
    char *emails[EVIDENCE_APPROVERS_MAX];       /* of the approvers */
    size_t approver_count;
    struct policy_edit *edits;
    struct policy_needs needs;
    int awaited;                        /* reads still under way */
    bool matched;                       /* people were asked for */
    struct eb_err err;                  /* the first read that failed */
};

struct evidence *evidence_new(const struct policy_needs *needs);
void evidence_free(struct evidence *e);         /* drops a reference; accepts NULL */
/* The id of the approval that was completed last, which is the one that serves; NULL: none (e may be NULL). Borrowed. */
const char *evidence_newest(const struct evidence *e);
/* What was seen of approvals, for the audit: [{"id", "name", "decision", "approvers": [names]}]; NULL: none asked. The caller's. */
json_t *evidence_json(const struct evidence *e);

#endif
