/* position_file.h - inside of store/: the file of store/position.h and its entries. */
#ifndef STORE_POSITION_FILE_H
#define STORE_POSITION_FILE_H

#include "store/position.h"

/* Two entries of each, by turns; one for a recovery that is about to be committed. */
enum position_writer { POSITION_SERVICE, POSITION_TOOL, POSITION_RECOVERY };
enum { POSITION_ENTRIES = 5, POSITION_SECTOR = 512 };

struct position_entries { struct position all[POSITION_ENTRIES] /* generation 0: empty */; int spoilt; bool there; };
/* fd of "<directory>/position", -1 with *ret_there false: there is none. */
bool position_file_open(const char *directory, int *ret_fd, bool *ret_there, struct eb_err *err) EB_CHECK;
bool position_file_read(int fd, struct position_entries *ret, struct eb_err *err) EB_CHECK;
/* false: errno says why. */
bool position_entry_write(int fd, enum position_writer w, const struct position *p);
/* A file with this entry alone, on disk, in place of the one that is there. */
bool position_file_make(const char *directory, enum position_writer w, const struct position *p, struct eb_err *err) EB_CHECK;
bool position_file_flush(int fd, const char *directory, struct eb_err *err) EB_CHECK;

#endif
