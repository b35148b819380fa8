#include "cli_ssh.h"

#include <unistd.h>

#include "num.h"

enum iris_status
iris_cli_ssh_option(struct iris_cli *cli, struct iris_ssh_way *way, int opt, char **argv,
                    struct iris_err *err)
{
    uint64_t port;

    switch (opt) {
    case IRIS_OPT_SSH_CONFIG:
        way->config = optarg;
        return IRIS_OK;
    case IRIS_OPT_KEY:
        way->key = optarg;
        return IRIS_OK;
    case IRIS_OPT_PORT:
        if (iris_parse_u64(optarg, &port) || !port || port > 65535)
            return iris_fail(err, IRIS_E_USAGE, "bad port '%s': need a number from 1 to 65535",
                             optarg);
        way->port = (unsigned)port;
        return IRIS_OK;
    case IRIS_OPT_TIMEOUT:
        if (iris_parse_f64(optarg, &way->timeout) || !(way->timeout > 0))
            return iris_fail(err, IRIS_E_USAGE, "bad time '%s' for --timeout: need seconds above 0",
                             optarg);
        return IRIS_OK;
    default:
        return iris_cli_option(cli, opt, argv, err);
    }
}

enum iris_status
iris_cli_ssh_check(const struct iris_ssh_way *way, struct iris_err *err)
{
    if (way->config && access(way->config, R_OK))
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", way->config);
    if (way->key && access(way->key, R_OK))
        return iris_fail(err, IRIS_E_IO, "cannot open '%s':", way->key);
    return IRIS_OK;
}
