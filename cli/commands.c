/* commands.c - the table of commands. Help, parsing and docs come from these rows. */
#include "cli/cli.h"

#define LIMIT { "limit", "N", false, "At most N rows, newest first; 50 by default." }

const struct cli_command cli_commands[] = {
    { .name = "serve", .run = cli_serve, .summary = "Run the service.",
      .details = "Runs in the foreground and logs to standard error. SIGTERM drains, a second one leaves; SIGHUP reads the configuration again.",
      .example = "entrabridge serve --config /etc/entrabridge/entrabridge.yaml" },
    { .name = "check", .run = cli_check, .summary = "See whether the configuration will work: clouds, permissions, names.",
      .details = "Reads the configuration, signs in to Entra and Jira, looks up the policy's names, and says which permissions are missing.",
      .example = "entrabridge check" },

    { .name = "recover", .run = cli_recover, .summary = "After the database was restored from a backup: settle what is open in it, so that nothing is done twice.",
      .options = {
          { "after-restore", NULL, true, "Says that this is what has happened." },
          { "yes", NULL, false, "Do not ask; needed where there is no terminal." },
      },
      .details = "No service may run on the database. Ends every open operation as unknown, with its audit row and comment; scheduled ones whose date is to come\n"
                 "stay. Revokes the tokens that were revoked since the backup and lists those that it does not know. All of it is done, or nothing.",
      .example = "entrabridge recover --after-restore" },

    { .name = "token create", .run = cli_token_create, .summary = "Make a token for a rule, and print it.",
      .options = {
          { "name", "N", true, "Whose it is, such as the rule's name; it stands in journal and comments." },
          { "operations", "A,B|'*'", true, "Operation kinds it may ask for, or '*' for all." },
          { "projects", "P,Q|'*'", true, "Projects whose issues it may act for, or '*' for all." },
          { "expires", "90d", false, "How long it is valid; 90d by default." },
          { "reveal-secrets", NULL, false, "Answers may hold passwords and access passes that an operation made." },
          { "example", "KIND", false, "Show the web request of this kind; else that of the first kinds the token has." },
      },
      .details = "The token stands alone on standard output and is shown this once; a web request for a rule, ready to be pasted, stands on standard error.\n"
                 "A token never allows more than the policy. It counts within a second.",
      .example = "entrabridge token create --name vpn-rule --operations group.add_member,group.remove_member --projects ITSM" },
    { .name = "token list", .run = cli_token_list, .summary = "List the tokens that were made.",
      .options = { { "valid", NULL, false, "Only those that are neither expired nor revoked." } },
      .details = "The tokens themselves are stored nowhere and cannot be shown again.",
      .example = "entrabridge token list --valid" },
    { .name = "token revoke", .run = cli_token_revoke, .argument = "ID|NAME", .summary = "End a token, or all of a name.",
      .details = "It counts within a second.", .example = "entrabridge token revoke vpn-rule" },

    { .name = "operations list", .run = cli_operations_list, .summary = "List operations, newest first.",
      .options = {
          { "issue", "ISSUE", false, "Only those of this issue (key or id)." },
          { "state", "open|ended", false, "Only those under way, or those that have ended." },
          { "outcome", "OUTCOME", false, "Only those that ended so: succeeded, refused, failed, ..." },
          { "kind", "KIND", false, "Only those of this kind, such as group.add_member." },
          { "token", "NAME", false, "Only those of tokens of this name." },
          { "before", "ID", false, "Only those older than this operation: the next page." },
          { "scheduled", NULL, false, "Only those that wait for their date." },
          { "held", NULL, false, "Only those that wait past a limit, or for the end of a pause." },
          { "expiring", NULL, false, "Instead: memberships that end by themselves, soonest first." },
          LIMIT,
      },
      .details = "With --expiring, STOPPED says why a membership whose time is over could not be ended; it is tried again each day.",
      .example = "entrabridge operations list --issue ITSM-42" },
    { .name = "operations show", .run = cli_operations_show, .argument = "ID", .summary = "Show one operation: request, writes, before, after, answer.",
      .details = "", .example = "entrabridge operations show 0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11" },

    { .name = "operations undo", .run = cli_operations_undo, .argument = "ID", .summary = "Do the reverse of an operation, from what stood before.",
      .options = {
          { "issue", "ISSUE", false, "The issue that it is done for (key or id), as the policy asks." },
          { "reason", "TEXT", false, "Why; it stands in comment and journal." },
      },
      .details = "The running service does it, as an operation of its own that must pass the policy as the reverse kind; no token limits it.\n"
                 "Refused where anything of it has changed since. Waits up to a minute for the end.",
      .example = "entrabridge operations undo 0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11 --issue ITSM-43 --reason mistaken" },
    { .name = "operations cancel", .run = cli_operations_cancel, .argument = "ID", .summary = "End an operation that is scheduled or held; or let a membership last that was given until a time.",
      .options = { { "reason", "TEXT", false, "Why; it stands in the audit row and in the comment." } },
      .details = "ID is the operation, as `operations list --scheduled`, `--held` or `--expiring` shows it. The issue is told. What has begun cannot be cancelled.\n"
                 "No service needs to run.",
      .example = "entrabridge operations cancel 0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11 --reason permanent" },
    { .name = "operations release", .run = cli_operations_release, .argument = "[ID]", .summary = "Let operations go on that are held past a limit.",
      .options = {
          { "kind", "KIND", false, "All of this kind." },
          { "issue", "ISSUE", false, "All of this issue (key or id)." },
          { "all", NULL, false, "All that are held past a limit." },
          { "reason", "TEXT", false, "Why; it stands in the audit row." },
      },
      .details = "The running service judges each anew, by the policy, the token and the approvals of then, a few at a time; limits are not asked again.",
      .example = "entrabridge operations release --issue ITSM-42" },

    { .name = "pause", .run = cli_pause, .summary = "Stop all changes of Entra, or those of a kind.",
      .options = {
          { "kind", "KIND", false, "Only this kind, such as group.add_member." },
          { "reason", "TEXT", false, "Why; it stands in the comments of what is held." },
          { "show", NULL, false, "Show what is paused; change nothing." },
      },
      .details = "It counts within a second and lasts over restarts. Requests are judged and held; what is under way stops before its next write. Reads, audit and\n"
                 "comments go on.",
      .example = "entrabridge pause --reason runaway" },
    { .name = "resume", .run = cli_resume, .summary = "Let changes of Entra go on.",
      .options = { { "kind", "KIND", false, "Only this kind; everything unless said." } },
      .details = "What was held for the pause is judged anew and goes on by itself, a few at a time; what is held past a limit stays held.",
      .example = "entrabridge resume" },

    { .name = "outbox list", .run = cli_outbox_list, .summary = "List comments that are still to be posted, or were given up.",
      .options = { { "state", "ready|dead|posted", false, "Only these; ready and dead by default." }, LIMIT },
      .details = "", .example = "entrabridge outbox list --state dead" },
    { .name = "outbox retry", .run = cli_outbox_retry, .argument = "[OPERATION]", .summary = "Post comments again: of one operation, or all that were given up.",
      .details = "A running service takes them up within a second. One that was posted after all is found and not posted twice.",
      .example = "entrabridge outbox retry" },

    { .name = "audit verify", .run = cli_audit_verify, .summary = "See whether the audit rows are whole and unchanged.",
      .options = {
          { "anchors", NULL, false, "Also read the comments in Jira, which carry number and hash of their rows, and compare them." },
          { "since", "TIME|DURATION", false, "With --anchors: only comments of rows from this time on (RFC 3339), or this long ago (7d)." },
      },
      .details = "Each row is chained to the one before by an HMAC whose key stands outside the database. Ends with 1 where something does not fit.\n"
                 "Personal values that `audit erase` took away are reported as erased, not as broken.",
      .example = "entrabridge audit verify --anchors --since 30d" },
    { .name = "audit export", .run = cli_audit_export, .summary = "Write the audit rows as JSON Lines or CEF.",
      .options = {
          { "since", "TIME|DURATION", false, "From this time (RFC 3339) or this long ago (7d); all by default." },
          { "format", "jsonl|cef", false, "One JSON object a line (jsonl, the default), or the Common Event Format of a SIEM." },
          { "output", "FILE", false, "Write to this file, which only its owner can read, instead of standard output." },
      },
      .details = "One row a line, oldest first.", .example = "entrabridge audit export --since 30d --format cef --output audit.cef" },
    { .name = "audit erase", .run = cli_audit_erase, .argument = "ID|UPN", .summary = "Erase what the audit rows say about a person.",
      .options = { { "confirm", "erase", false, "The word that does it; without it the rows are only counted." } },
      .details = "Names, values and reasons stand beside the rows, which keep their salted hash: the chain holds, and an audit row says what was erased.\n"
                 "For a user principal name, rows of the object ids that went with it are erased too. Journal, comments in Jira, exports and backups\n"
                 "are not touched.",
      .example = "entrabridge audit erase ada@contoso.com --confirm erase" },

    { .name = "policy explain", .run = cli_policy_explain, .summary = "Tell what would be decided about an operation, and why, without doing it.",
      .options = {
          { "kind", "KIND", true, "The operation kind, such as group.add_member." },
          { "issue", "ISSUE", false, "The issue that asks for it." },
          { "user", "USER", false, "The user, as in a request." },
          { "group", "GROUP", false, "The group, as in a request." },
          { "fields", "JSON", false, "Further fields of the request, such as {\"expiresIn\": \"8h\"}." },
          { "token", "NAME", false, "For the newest valid token of this name." },
          { "operations", "A,B|'*'", false, "For a token with these operations, which need not be there; '*' by default." },
          { "projects", "P,Q|'*'", false, "And with these projects; '*' by default." },
      },
      .details = "The running service decides it by the same steps as the operation itself: it reads Jira and Entra, writes nothing, comments nothing\n"
                 "and uses no approval up. Ends with 0 whether it would be allowed or not; --json tells by `allowed`.",
      .example = "entrabridge policy explain --kind group.add_member --issue ITSM-42 --user ada@contoso.com --group CRM --token vpn-rule" },
    { .name = "policy pin", .run = cli_policy_pin, .summary = "List the ids that the policy's names were found to mean, or let one go.",
      .options = { { "release", "NAME", false, "Forget what this name was found to mean, so that it is bound anew." } },
      .details = "A name keeps the id that it was first found to mean, also where another object has it now. Release it only once you are sure that the\n"
                 "object that has the name now is the one that is meant. It is an audit row.",
      .example = "entrabridge policy pin --release CRM" },

    { .name = "sync init", .run = cli_sync_init, .summary = "Make what is missing of the schema in Assets.",
      .details = "Object types, attributes, references and statuses. Run again it adds what is missing and removes nothing. A key that another schema has is\n"
                 "explained, and that schema is left alone. The account of jira.api_token must be allowed to make schemas (or to manage the one that is there).",
      .example = "entrabridge sync init" },
    { .name = "sync preview", .run = cli_sync_preview, .summary = "Show what a synchronization would change; nothing is written.",
      .options = {
          { "full", NULL, false, "Read everything anew on both sides, not only the changes." },
          { "format", "table|json|csv", false, "A table for people (of at most 200 lines, unless it is asked for by this option), one JSON document, or CSV." },
          { "output", "FILE", false, "Write to this file, which only its owner can read, instead of standard output." },
      },
      .details = "Totals first, then each object: created, changed (old and new value of each attribute), made inactive, deleted; accounts that fit nobody, managers\n"
                 "who are not among those kept, warnings. A running service does the reading.",
      .example = "entrabridge sync preview --format csv --output preview.csv" },
    { .name = "sync run", .run = cli_sync_run, .summary = "Synchronize now, and show the progress.",
      .options = {
          { "full", NULL, false, "Read everything anew on both sides, not only the changes." },
          { "accept-removals", "N", false, "So many objects may be made inactive or deleted, though sync.guard would stop for a person." },
          { "background", NULL, false, "Return when it has begun; a service must be running." },
      },
      .details = "A running service does it, and goes on when this command is interrupted; where none runs on this store, the command does it itself.\n"
                 "Ends with 1 where the run failed, was held by the guard, or had errors with some objects.",
      .example = "entrabridge sync run --full" },
    { .name = "sync status", .run = cli_sync_status, .summary = "Tell how old the directory in Assets is, and what is under way.",
      .details = "", .example = "entrabridge sync status" },
    { .name = "sync history", .run = cli_sync_history, .summary = "List synchronizations, newest first.",
      .options = { LIMIT }, .details = "They are kept as long as sync.keep_history says.", .example = "entrabridge sync history --limit 10" },
    { .name = "sync show", .run = cli_sync_show, .argument = "RUN", .summary = "Show one synchronization: counts, calls, and each object's error.",
      .options = { { "errors", "N", false, "At most N errors; 50 by default." } },
      .details = "RUN is its number, as `sync history` shows it.", .example = "entrabridge sync show 12 --errors 1000" },

    { .name = "compat import", .run = cli_compat_import, .argument = "FILE...", .without_config = true,
      .summary = "Make the section `compat` from the marketplace app's Swagger files.",
      .details = "Each FILE is an OpenAPI document, version 2 or 3, JSON or YAML, in which a request has a body with `route` and `data`. Standard output gets YAML to be\n"
                 "pasted into the configuration file: routes and names that are recognised stand in force, guesses and the rest are commented out. A file that\n"
                 "cannot be read whole ends it with nothing printed.",
      .example = "entrabridge compat import create-user.json add-member.json" },

    { .name = "config reference", .run = cli_config_reference, .without_config = true, .summary = "Print every key of the configuration file with its default.",
      .details = "The output is a configuration file that loads once its samples are replaced.", .example = "entrabridge config reference >entrabridge.yaml" },
    { .name = "config validate", .run = cli_config_validate, .summary = "Read the configuration and print all its faults.",
      .options = { { "secrets", NULL, false, "Also read the secrets and certificates that it names, as the service will." } },
      .details = "Nothing is started and nobody is called.", .example = "entrabridge config validate --config entrabridge.yaml" },
};
const size_t cli_command_count = EB_LEN(cli_commands);
