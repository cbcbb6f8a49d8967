/* answers.h - the rows of the catalogue: which answer of Graph means what. Data. */
#ifndef GRAPH_ANSWERS_H
#define GRAPH_ANSWERS_H

#include "graph/catalogue.h"

struct graph_answer {
    int kinds, status;          /* status 0: any of 400 to 499 */
    const char *message;        /* a part of it, any case */
    const char *code;           /* the error's or its detail's. Either of the two is enough; both NULL: any */
    enum graph_result result;
    enum eb_code err;           /* EB_OK: no error */
    const char *text;           /* see fill() in catalogue.c for its marks */
};
extern const struct graph_answer graph_answers[];
extern const size_t graph_answer_count;

#endif
