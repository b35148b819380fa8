#!/bin/bash
# completions.sh PROGRAM...: print what bash needs to complete their command lines.
# The options are those that each program's own --help has when this runs.
set -euo pipefail

# options HELP: as they are typed; those that take a value end in =
options() {
    grep -E '^ {2,6}-' <<<"$1" | sed -E 's/^ *//; s/(  | [a-z(]).*//' |
        grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*\[?=?' | sed -E 's/^[ ,]*//; s/(.*)\[=?$/\1 \1=/' |
        tr ' ' '\n' | LC_ALL=C sort -u | paste -sd' '
}

echo "# bash completion of iris, made from what each program's --help says"
echo '_iris_options() {'
echo '    case $1 in'
for program; do
    help=$("$program" --help)
    echo "    ${program##*/}) echo '$(options "$help")' ;;"
done
cat <<'EOF'
    esac
}

# what an option takes; nothing where that is a file
_iris_values() {
    case $1 in
    --preset | --diff) iris-hyper --list | cut -f1 ;;
    -s | --set | --grid)
        echo '{}' | iris-hyper --preset=- | awk -F'"' '
            /^    "/ { section = $2 }
            /^        "/ { print section "." $2 "=" }' ;;
    -t | --type) echo standard simple synthetic ;;
    --device) echo auto cpu cuda ;;
    --molecule) echo 12CO 13CO C18O ;;
    --kind)
        echo column observed tensor
        [ "$2" != iris-show ] || echo cube
        ;;
    --field) echo v_r rho T x_H2 x_CO T_dust ;;
    --moment) echo 0 1 2 ;;
    --scale) echo linear log asinh ;;
    --verify) echo auto sha256 size ;;
    esac 2>/dev/null
}

_iris() {
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} values
    # bash takes --preset=NAME apart at =
    if [ "$word" = = ]; then
        word=
    elif [ "$option" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    values=$(_iris_values "$option" "${COMP_WORDS[0]##*/}")
    if [ -z "$values" ] && [[ $word == -* ]]; then
        values=$(_iris_options "${COMP_WORDS[0]##*/}")
    fi
    COMPREPLY=()
    [ -z "$values" ] || mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    [[ ${COMPREPLY-} != *= ]] || compopt -o nospace 2>/dev/null || true
}
EOF
echo "complete -o default -F _iris ${*##*/}"
