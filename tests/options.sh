#!/bin/bash
# options.sh TOOL...: every program has a page, every long option of its --help
# is in the page, and every one that the page documents is in --help.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

wrong() {
    echo "$1"
    status=1
}

# the long options in mdoc source, `.Fl \-name', as they are typed
options() {
    sed 's/\\-/-/g' | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/^Fl /-/' | sort -u
}

for tool; do
    page=man/$tool.1
    [ -e "$page" ] || { wrong "$tool has no page"; continue; }
    has=$("$tool" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)
    # running text also names options of other programs: only what stands in the
    # synopsis and in the list counts as documented
    mentions=$(options <"$page")
    documents=$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p; /^\.It /p' "$page" | options)
    for option in $(comm -23 <(echo "$has") <(echo "$mentions")); do
        wrong "$page: $option of --help is not there"
    done
    for option in $(comm -13 <(echo "$has") <(echo "$documents")); do
        wrong "$page: $option is not in --help"
    done
done
exit "$status"
