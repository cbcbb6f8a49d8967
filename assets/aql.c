/* aql.c - values in AQL. Pure.
 *
 * Invariant: a value never ends its quotes. https://support.atlassian.com/jira-service-management-cloud/docs/use-assets-query-language-aql/
 */
#include "assets/assets.h"

void assets_quote(struct eb_buf *out, const char *value)
{
    eb_buf_str(out, "\"");
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            eb_buf_str(out, "\\");
        eb_buf_add(out, p, 1);
    }
    eb_buf_str(out, "\"");
}
