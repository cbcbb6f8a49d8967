/* rules.h - inside config/: what the keys of one item of a list say together. Each fault stands at the line of its key. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/keys.h"

key_check check_group_rule, check_operation_rule, check_duty;
key_check check_sync_attribute;         /* sync.c */

#endif
