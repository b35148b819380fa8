#!/usr/bin/env bats
# What bash completes behind the programs' names.
bats_require_minimum_version 1.5.0
load common

# beside the programs that are tested
setup_file() {
    export COMPLETIONS
    COMPLETIONS=$(dirname "$(dirname "$(command -v iris-hyper)")")/iris.bash
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# complete_words WORD...: what bash would put in place of the last one
complete_words() {
    bash -c '
        . "$COMPLETIONS"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _iris
        [ ${#COMPREPLY[@]} = 0 ] || printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}

# table PROGRAM: the long options that getopt_long is given, from the source
table() {
    local file
    file=$(grep -l 'static const struct option options' "$IRIS_SOURCE/tools/$1.c" \
        "$IRIS_SOURCE"/tools/"${1#iris-}"_options.c 2>/dev/null | head -n 1)
    perl -0777 -e '
        my ($file, @headers) = @ARGV;
        sub slurp { local @ARGV = shift; <> }
        my ($table) = slurp($file) =~ /static const struct option options\[\] = (.*?)\};/s;
        for my $h (@headers) {
            my $text = slurp($h);
            while ($text =~ /#define (\w+_LONG)\s(.*?[^\\])\n/sg) {
                my ($name, $body) = ($1, $2);
                $table =~ s/\b$name\b/$body/;
            }
        }
        while ($table =~ /"([a-z-]+)",[\s\\]*(no|required|optional)_argument/g) {
            print "--$1\n" if $2 ne "required";
            print "--$1=\n" if $2 ne "no";
        }' "$file" "$IRIS_SOURCE"/tools/cli*.h | LC_ALL=C sort -u
}

@test "the options of each program are those that it takes" {
    for program in $(sed -n 's/^complete .* -F _iris //p' "$COMPLETIONS"); do
        table "$program" >table
        [ "$(wc -l <table)" -ge 8 ]
        diff table <(complete_words "$program" --) || { echo "$program"; false; }
    done
}

@test "short options, and what begins with some letters" {
    [[ $(complete_words iris-gen -) == *-t* ]]
    [ "$(complete_words iris-gen --est)" = "--estimate" ]
    [ "$(complete_words iris-show --sh)" = "--sheet=" ]
    [ -z "$(complete_words iris-show --nothing)" ]
    # the name may be a path
    [ "$(complete_words /usr/bin/iris-show --sh)" = "--sheet=" ]
}

@test "names of presets" {
    # bash takes words apart at =
    [ "$(complete_words iris-hyper --preset = SEDIGISM_13C16O_F | sort)" = "SEDIGISM_13C16O_Foreground
SEDIGISM_13C16O_FullCone_Test" ]
    [ "$(complete_words iris-hyper --preset = | wc -l)" = 5 ]
    [ "$(complete_words iris-hyper --diff = SEDIGISM_13C16O_cor)" = SEDIGISM_13C16O_corrected ]
    # and those of a user
    mkdir mine
    echo '{}' >mine/own.json
    [[ $(IRIS_PRESETS=mine complete_words iris-hyper --preset = o) == own ]]
}

@test "types, devices, molecules" {
    [ "$(complete_words iris-gen -t s | tr '\n' ' ')" = "standard simple synthetic " ]
    [ "$(complete_words iris-gen --type = sta)" = standard ]
    [ "$(complete_words iris-gen --device cp)" = cpu ]
    [ "$(complete_words iris-fits --kind = | tr '\n' ' ')" = "column observed tensor " ]
    [ "$(complete_words iris-show --kind = c | tr '\n' ' ')" = "column cube " ]
    for field in $(complete_words iris-show --field =); do
        run -64 --separate-stderr iris-show --field="$field" -o x.png # it has no other fault than that
        [[ $stderr == *"name one data set"* ]]
    done
    [ "$(complete_words iris-mock --molecule = 13)" = 13CO ]
    for molecule in $(complete_words iris-mock --molecule =); do iris-mock --molecule="$molecule" -o m.dat; done
    for type in $(complete_words iris-gen -t ''); do
        tiny_lines -o hyper.json
        iris-gen --digest -H hyper.json -t "$type"
    done
}

@test "every key of the settings" {
    [ "$(complete_words iris-hyper -s coordinate_hyper.r_st)" = "coordinate_hyper.r_steps=" ]
    [ "$(complete_words iris-hyper --set = suite_hyper.cent)" = "suite_hyper.centre=" ]
    [ "$(complete_words iris-list --grid = suite_hyper.v_)" = "suite_hyper.v_turb=" ]
    complete_words iris-hyper -s '' | sort >keys
    [ "$(wc -l <keys)" -gt 100 ]
    # the default of each is taken, so that it is a key
    iris-hyper --preset=SEDIGISM_13C16O >all.json
    /usr/bin/python3 -c '
import json
for section, keys in json.load(open("all.json")).items():
    for key in keys:
        print(f"{section}.{key}=")' | sort | diff - keys
}

@test "elsewhere bash completes files" {
    [ -z "$(complete_words iris-gen -H '')" ]
    [ -z "$(complete_words iris-list snaps)" ]
    grep -q '^complete -o default ' "$COMPLETIONS"
}

@test "bash finds them by the name of the program" {
    make -s -n -C "$IRIS_SOURCE" install DESTDIR=there >commands
    grep -q 'install -m 644 .*iris.bash there/.*share/bash-completion/completions/' commands
    make -s -n -C "$IRIS_SOURCE" uninstall DESTDIR=there | grep -q 'bash-completion/completions/iris-gen'
}
