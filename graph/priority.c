/* priority.c - for whom a call is made, as Graph and outbound want to hear it. */
#include "graph/internal.h"

const char *graph_priority_word(enum graph_priority p)
{
    static const char *const words[] = { [GRAPH_OWN] = NULL, [GRAPH_DESK] = "high", [GRAPH_BACKGROUND] = "low", [GRAPH_SYNC] = "low" };

    return words[p];
}

/* FNV-1a. Two callers with one number would share a turn, no more. */
uint32_t graph_caller(const char *name)
{
    uint32_t n = 2166136261u;

    if (name == NULL)
        return 0;
    for (; *name != '\0'; name++)
        n = (n ^ (unsigned char)*name) * 16777619u;
    return n != 0 ? n : 1;
}
