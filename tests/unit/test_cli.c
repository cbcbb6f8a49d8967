/* test_cli.c - the command line: what is parsed, what is refused, and that help shows every row.
 *
 * Linked with the table and the parser alone; the commands stand in here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND(fn) int fn(struct cli *cli) { (void)cli; return CLI_DONE; }
COMMAND(cli_serve) COMMAND(cli_check) COMMAND(cli_config_reference) COMMAND(cli_config_validate) COMMAND(cli_token_create)
COMMAND(cli_token_list) COMMAND(cli_token_revoke) COMMAND(cli_operations_list) COMMAND(cli_operations_show) COMMAND(cli_outbox_list)
COMMAND(cli_operations_expiring) COMMAND(cli_operations_cancel) COMMAND(cli_operations_undo) COMMAND(cli_operations_release) COMMAND(cli_pause)
COMMAND(cli_resume) COMMAND(cli_outbox_retry) COMMAND(cli_policy_explain) COMMAND(cli_policy_pin) COMMAND(cli_audit_verify) COMMAND(cli_audit_export)
COMMAND(cli_audit_erase) COMMAND(cli_sync_init) COMMAND(cli_sync_preview) COMMAND(cli_sync_run) COMMAND(cli_sync_status) COMMAND(cli_sync_history)
COMMAND(cli_sync_show) COMMAND(cli_compat_import) COMMAND(cli_recover)

/* Words at blanks, behind the program's name. */
static enum cli_parsed parse(const char *line, struct cli *cli, char prefix[32], struct eb_err *err)
{
    static char words[400];
    char *argv[32] = { (char []){ "entrabridge" } };
    int argc = 1;

    snprintf(words, sizeof(words), "%s", line);
    for (char *w = strtok(words, " "); w != NULL; w = strtok(NULL, " "))
        argv[argc++] = w;
    *err = (struct eb_err){ 0 };
    prefix[0] = '\0';
    return cli_parse(argc, argv, cli, prefix, err);
}

#define NEW "token create --name n --operations user.get --projects *"
static const struct { const char *line; enum cli_parsed parsed; const char *command, *says, *why; } cases[] = {
    { "serve", CLI_RUN, "serve", "", "the plain case" },
    { "serve --config x", CLI_RUN, "serve", "", "an option behind" },
    { "--config x serve", CLI_RUN, "serve", "", "its value is not taken for the command" },
    { "--config=x --json token list", CLI_RUN, "token list", "", "both before" },
    { "token --config x list", CLI_RUN, "token list", "", "in between" },
    { NEW, CLI_RUN, "token create", "", "all that is required" },
    { NEW " --expires=90d --reveal-secrets", CLI_RUN, "token create", "", "and more" },
    { "token revoke n", CLI_RUN, "token revoke", "", "an argument" },
    { "token revoke -- --odd", CLI_RUN, "token revoke", "", "a name that looks like an option" },
    { "outbox retry", CLI_RUN, "outbox retry", "", "an argument that may be left out" },
    { "outbox retry x", CLI_RUN, "outbox retry", "", "or given" },
    { "compat import a", CLI_RUN, "compat import", "", "one of several" },
    { "compat import a b --json c", CLI_RUN, "compat import", "", "several" },
    { "compat import", CLI_WRONG, "compat import", "FILE... is missing", "none of several" },
    { "", CLI_WRONG, NULL, "command is missing", "nothing" },
    { "token", CLI_WRONG, NULL, "command is missing", "half a command" },
    { "bogus", CLI_WRONG, NULL, "no command `bogus`", "unknown" },
    { "token bogus", CLI_WRONG, NULL, "no command `token bogus`", "unknown in a group" },
    { "serve now", CLI_WRONG, "serve", "`now` is one word too many", "an argument where there is none" },
    { "token revoke a b", CLI_WRONG, "token revoke", "`b` is one word too many", "two arguments" },
    { "token revoke", CLI_WRONG, "token revoke", "ID|NAME is missing", "no argument" },
    { "token create --name n --operations x", CLI_WRONG, "token create", "--projects is missing", "a required option" },
    { NEW " --name m", CLI_WRONG, "token create", "--name is given twice", "twice" },
    { NEW " --expires", CLI_WRONG, "token create", "--expires needs a value", "no value" },
    { NEW " --reveal-secrets=yes", CLI_WRONG, "token create", "takes no value", "a value for a switch" },
    { "serve --nme x", CLI_WRONG, "serve", "no option --nme", "unknown option" },
    { "serve -x", CLI_WRONG, "serve", "no option -x", "unknown short option" },
    { "serve --config a --config b", CLI_WRONG, "serve", "--config is given twice", "twice" },
    { "serve --config", CLI_WRONG, "serve", "--config needs a value", "no value" },
    { "--help", CLI_HELP, NULL, "", "help" },
    { "help", CLI_HELP, NULL, "", "help as a word" },
    { "token --help", CLI_HELP, NULL, "", "help on a group" },
    { "token create --help", CLI_HELP, "token create", "", "help wins over what is missing" },
    { "token create --bogus --help", CLI_WRONG, "token create", "no option --bogus", "a fault before it is told" },
    { "--version", CLI_VERSION, NULL, "", "version" },
    { "serve --version", CLI_VERSION, "serve", "", "version anywhere" },
};

static void test_parse(void **state)
{
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct cli cli;
        struct eb_err err;
        char prefix[32];

        enum cli_parsed parsed = parse(cases[i].line, &cli, prefix, &err);
        if (parsed != cases[i].parsed || (cli.command == NULL) != (cases[i].command == NULL))
            fail_msg("%s: `%s`: %d, %s", cases[i].why, cases[i].line, (int)parsed, err.text);
        if (cli.command != NULL && strcmp(cli.command->name, cases[i].command) != 0)
            fail_msg("%s: `%s` became %s", cases[i].why, cases[i].line, cli.command->name);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].why, err.text, cases[i].says);
    }
}

static void test_values(void **state)
{
    struct cli cli;
    struct eb_err err;
    char prefix[32];

    assert_int_equal(parse(NEW " --json --config=c.yaml --reveal-secrets", &cli, prefix, &err), CLI_RUN);
    assert_true(cli.json);
    assert_string_equal(cli.config, "c.yaml");
    assert_string_equal(cli_value(&cli, "name"), "n");
    assert_string_equal(cli_value(&cli, "projects"), "*");
    assert_string_equal(cli_value(&cli, "reveal-secrets"), "");
    assert_null(cli_value(&cli, "expires"));
    assert_null(cli_value(&cli, "no such"));
    assert_int_equal(parse("token revoke -- --odd", &cli, prefix, &err), CLI_RUN);
    assert_string_equal(cli.argument, "--odd");
    assert_null(cli.config);
    assert_int_equal(parse("outbox --help", &cli, prefix, &err), CLI_HELP);
    assert_string_equal(prefix, "outbox ");
}

/* Runs print(out) and returns what was printed; the caller frees. */
static char *printed(void (*print)(FILE *out, const void *arg), const void *arg)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    print(out, arg);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void one_help(FILE *out, const void *arg) { cli_help(arg, out); }
static void overview(FILE *out, const void *arg) { cli_overview(arg, out); }

/* Every row has what help needs, its example is accepted by the parser, and help shows all of it. */
static void test_help_suffices(void **state)
{
    char *all = printed(overview, "");

    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        char *text = printed(one_help, c), prefix[32], example[300];
        struct cli cli;
        struct eb_err err;

        assert_non_null(c->run);
        assert_non_null(strstr(all, c->summary));
        assert_non_null(strstr(text, c->summary));
        assert_non_null(strstr(text, c->example));
        assert_non_null(strstr(text, "Exit codes"));
        for (size_t o = 0; o < CLI_OPTIONS_MAX && c->options[o].name != NULL; o++)
            assert_non_null(strstr(text, c->options[o].help));
        snprintf(example, sizeof(example), "%s", c->example + strlen("entrabridge "));
        example[strcspn(example, ">")] = '\0';
        if (parse(example, &cli, prefix, &err) != CLI_RUN || cli.command != c)
            fail_msg("the example of %s is not accepted: %s", c->name, err.text);
        free(text);
    }
    free(all);
}

static void test_small_prints(void **state)
{
    char text[32], *list;

    assert_string_equal(print_time(0, text), "-");
    assert_string_equal(print_time(1700000000000, text), "2023-11-14 22:13");
    list = print_list("[\"A\",\"B\"]");
    assert_string_equal(list, "A,B");
    free(list);
    list = print_list("broken");
    assert_string_equal(list, "");
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_help_suffices),
        cmocka_unit_test(test_small_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
