/* cli_ssh -- the options that say how another machine is reached. */
#ifndef IRIS_CLI_SSH_H
#define IRIS_CLI_SSH_H

#include "cli.h"
#include "ssh.h"

enum { IRIS_OPT_SSH_CONFIG = 1200, IRIS_OPT_KEY, IRIS_OPT_PORT, IRIS_OPT_TIMEOUT };
#define IRIS_CLI_SSH_LONG                                                                          \
    {"ssh-config", required_argument, NULL, IRIS_OPT_SSH_CONFIG},                                  \
        {"key", required_argument, NULL, IRIS_OPT_KEY},                                            \
        {"port", required_argument, NULL, IRIS_OPT_PORT},                                          \
    {                                                                                              \
        "timeout", required_argument, NULL, IRIS_OPT_TIMEOUT                                       \
    }

#define IRIS_CLI_SSH_HELP                                                                          \
    "      --ssh-config=FILE  configuration of ssh, instead of the user's\n"                       \
    "      --key=FILE         the private key to use\n"                                            \
    "      --port=N           port of the ssh server\n"                                            \
    "      --timeout=SECONDS  how long an answer may take (120)\n"

/* Take one of these options, any other as iris_cli_option does. */
enum iris_status iris_cli_ssh_option(struct iris_cli *cli, struct iris_ssh_way *way, int opt,
                                     char **argv, struct iris_err *err);

/* Whether the files that were named are there. */
enum iris_status iris_cli_ssh_check(const struct iris_ssh_way *way, struct iris_err *err);

#endif
