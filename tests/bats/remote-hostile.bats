#!/usr/bin/env bats
# Servers that say what they should not: a program of our own takes the place of
# ssh, see tests/helpers/fake_ssh.
bats_require_minimum_version 1.5.0
load common
load remote

# One snapshot of 11 bytes, and its list.
setup() {
    export LC_ALL=C # what servers say is no text
    export FAR=$BATS_TEST_TMPDIR/far # by which processes that are left are found
    mkdir "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/bin"
    ln -s "$IRIS_SOURCE/tests/helpers/fake_ssh" "$BATS_TEST_TMPDIR/bin/ssh"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
    cd "$BATS_TEST_TMPDIR/work"
    mkdir ../there
    there=$BATS_TEST_TMPDIR/there
    printf 'some bytes\n' >"$there/snap_1.hdf5"
    touch -d @1000000000 "$there/snap_1.hdf5"
    iris-list --remote=far -o ../list.tsv "$there"
    list=$BATS_TEST_TMPDIR/list.tsv
    FAKE_COUNT=../listing iris-list --remote=far "$there" >/dev/null
    FAKE_COUNT=../fetching iris-fetch --verify=size --cache=cache "$list" >/dev/null
    rm -r cache
}

teardown() {
    end $(jobs -p) $(near)
}

# ends STATUS COMMAND...: so it ends, with a sentence and nothing left of ssh
ends() {
    local want=$1
    shift
    run "-$want" --separate-stderr timeout 60 "$@"
    one_sentence "$1"
    ! LC_ALL=C grep -q '[[:cntrl:]]' <<<"$stderr" || false
    wait_for no_near ssh
}

# no_list STATUS [NAME=VALUE]... [ARGUMENT]...: so a list ends, without one
no_list() {
    local status=$1
    shift
    local set=()
    while [[ $1 == FAKE*=* ]]; do set+=("$1"); shift; done
    local one
    for one in "${set[@]}"; do export "${one?}"; done
    ends "$status" iris-list --remote=far -o list.tsv "$@" "$there"
    [ -z "$output" ]
    [ -z "$(ls)" ]
    for one in "${set[@]}"; do unset "${one%%=*}"; done
}

# no_copy STATUS [NAME=VALUE]... [ARGUMENT]...: so a copy ends: the row is there,
# nothing has its final name, and the next run has it all, which may take its time;
# $said is the sentence
no_copy() {
    local status=$1
    shift
    local set=()
    while [[ $1 == FAKE*=* ]]; do set+=("$1"); shift; done
    local one
    for one in "${set[@]}"; do export "${one?}"; done
    ends "$status" iris-fetch --retries=0 --verify=size --cache=cache -o fetched.tsv "$@" "$list"
    [ -z "$output" ]
    [ "$(column local fetched.tsv)" = . ]
    [ ! -e cache/snap_1/snap_1.hdf5 ]
    [ ! -e cache/.iris-ssh ]
    for one in "${set[@]}"; do unset "${one%%=*}"; done
    said=$stderr
    local again=()
    for one; do [[ $one == --timeout=* ]] || again+=("$one"); done
    copy "${again[@]}"
}

# copy ARGUMENT...: the copy is made, and right
copy() {
    run -0 --separate-stderr timeout 60 iris-fetch --retries=0 --verify=size --cache=cache -o fetched.tsv "$@" "$list"
    [ -z "$output$stderr" ]
    cmp cache/snap_1/snap_1.hdf5 "$there/snap_1.hdf5"
    [ "$(stat -c %Y cache/snap_1/snap_1.hdf5)" = "$(stat -c %Y "$there/snap_1.hdf5")" ]
    [ "$(column local fetched.tsv)" = cache/snap_1/snap_1.hdf5 ]
    no_leftovers
    rm -r cache fetched.tsv
}

# large: a snapshot of many pieces
large() {
    head -c 5000000 /dev/urandom >"$there/snap_1.hdf5"
    iris-list --remote=far -o "$list" "$there"
}

# ---- before the protocol ----

@test "something is said before the protocol" {
    for start in 'send_bytes("Welcome to this machine\n")' 'send_bytes("\n")' 'send_bytes("hi")' \
        'send_bytes("\0" x 100)' 'send_bytes("\xff" x 100)' 'send_bytes("x" x 1000000)' \
        'send_bytes(join "", map { chr rand 256 } 1 .. 100); exit'; do
        no_list 69 FAKE_START="$start" --timeout=5
        [[ $stderr == *"'far'"* ]]
        no_copy 69 FAKE_START="$start" --timeout=5
        [[ $said == *"'far'"* ]]
    done
    no_list 69 FAKE_START='send_bytes("Welcome to this machine\n")'
    [[ $stderr == *"SFTP"* ]]
}

@test "an end before the protocol" {
    for start in 'exit 0' 'exit 1' 'exit 255' 'kill 9, $$; sleep 9' 'kill 15, $$; sleep 9' 'close STDOUT; close STDIN' \
        'close STDERR; exit 1' 'send_bytes("\0\0"); exit 1'; do
        no_list 69 FAKE_START="$start"
        [[ $stderr == *"'far'"* ]]
        no_copy 69 FAKE_START="$start"
    done
}

@test "words of ssh on its way out" {
    no_list 69 FAKE_START='print STDERR "first line\nlast line.\r\n"; exit 255'
    [ "$stderr" = "iris-list: cannot connect to 'far': last line" ]
    no_copy 69 FAKE_START='print STDERR "first line\nlast line.\r\n"; exit 255'
    no_list 69 FAKE_START='print STDERR "no end"; exit 255'
    [ "$stderr" = "iris-list: cannot connect to 'far': no end" ]
    no_list 69 FAKE_START='print STDERR "\n\n"; exit 255'
    [ "$stderr" = "iris-list: cannot connect to 'far'" ]
    for words in '"\e[31mred\e[0m\a\x7f\b"' '"\0\0\0"' '"line\0line"' '"\xff\xfe\x80"' '"a\rb\tc"' '"%s%n%s%n"' '"." x 5000' \
        '"x" x 1000000' '"line\n" x 200000' '"\n" x 1000000' '" " x 5000'; do
        no_list 69 FAKE_START="print STDERR $words; exit 255"
        [[ $stderr == "iris-list: cannot connect to 'far'"* ]]
        [ "${#stderr}" -lt 700 ]
        # while it goes on with the protocol, that is nobody's business
        FAKE_START="print STDERR $words" iris-list --remote=far "$there" | cmp - "$list"
        FAKE_START="print STDERR $words" copy
    done
}

@test "settings that ssh does not tell, or not in order" {
    for g in 1 'exit 1' 'kill 9, $$; sleep 9' 'print "\n"; exit 255'; do
        run --separate-stderr timeout 60 env FAKE_G="$g" iris-list --remote=far -o list.tsv "$there"
        [ "$status" = 69 ] || cmp list.tsv "$list"
        [ "$status" = 0 ] || one_sentence iris-list
        rm -f list.tsv
    done
    for g in 'print "\0\0\0"' 'print "x" x 1000000' 'print "\n" x 10000' 'print "connecttimeout\ncontrolpath\n none\n 0\n0\n\n"'; do
        FAKE_G=$g iris-list --remote=far -o list.tsv "$there"
        cmp list.tsv "$list"
    done
    rm list.tsv
    no_list 69 FAKE_G='sleep 1000' --timeout=1
}

# ---- packets ----

@test "another version" {
    for version in 0 1 2 4 6 4294967295; do
        no_list 69 FAKE='$reply = packet(2, pack "N", '$version') if $ask eq "init"'
        [[ $stderr == *"version"* || $version == 0 ]]
        no_copy 69 FAKE='$reply = packet(2, pack "N", '$version') if $ask eq "init"'
    done
    for version in 'packet(2, "")' 'packet(2, "\0\0")' 'packet(101, pack "N", 3)'; do
        no_list 69 FAKE='$reply = '"$version"' if $ask eq "init"'
    done
    # extensions are none of ours
    FAKE='$reply = packet(2, pack "NN/a*N/a*", 3, "some\@where", "1") if $ask eq "init"' copy
}

@test "lengths that are none" {
    for n in 1 2 3 4; do
        for length in 0 1 4 262145 2147483647 2147483648 4294967295; do
            no_list 69 FAKE='$reply = pack("N", '$length') . "x" x 8 if $n == '$n --timeout=5
            no_copy 69 FAKE='$reply = pack("N", '$length') . "x" x 8 if $n == '$n --timeout=5
        done
        # longer, shorter than what is in it; cut after it
        for change in 'pack("N", 1 + length($reply) - 4) . substr $reply, 4' 'pack("N", length($reply) - 5) . substr $reply, 4' \
            'substr($reply, 0, 4) . pack "N", 0'; do
            no_list 69 FAKE='if ($n == '$n') { send_bytes('"$change"'); exit }'
            no_copy 69 FAKE='if ($n == '$n') { send_bytes('"$change"'); exit }'
        done
    done
}

@test "a list that is cut at any byte" {
    for cut in $(seq 0 $(($(<../listing) - 1))); do
        no_list 69 FAKE_CUT="$cut"
        [[ $stderr == *"the connection to 'far'" || $cut == 0 ]]
    done
}

@test "a copy that is cut at any byte" {
    for cut in $(seq 0 $(($(<../fetching) - 1))); do
        no_copy 69 FAKE_CUT="$cut"
    done
}

@test "silence instead of an answer" {
    for n in 1 2 3 4 5; do
        no_list 69 FAKE='sleep 1000 if $n == '$n --timeout=0.2
        [[ $stderr == *"no answer from 'far'"* ]]
        no_copy 69 FAKE='sleep 1000 if $n == '$n --timeout=0.2
        # and a program that does not end of its own accord
        no_copy 69 FAKE='$SIG{TERM} = $SIG{HUP} = "IGNORE"; if ($n == '$n') { sleep 1 while 1 }' --timeout=0.2
    done
}

@test "answers to something else" {
    for n in 2 3 4 5; do
        for change in 'substr($reply, 5, 4) = pack "N", 12345' 'substr($reply, 5, 4) = pack "N", 0' 'substr($reply, 4, 1) = "\0"' \
            'substr($reply, 4, 1) = "\xff"' 'substr($reply, 4, 1) = "\xc9"' '$reply = status(0)' '$reply = packet(101, "")' \
            '$reply = packet(101, pack "N", $id)' '$reply = packet(102, pack "N", $id)' '$reply = packet(102, pack "NN", $id, 4294967295)' \
            '$reply = packet(103, pack "N", $id)' '$reply = packet(104, pack "N", $id)' '$reply = packet(104, pack "NN", $id, 4294967295)' \
            '$reply = packet(105, pack "N", $id)' '$reply = packet(105, pack "NN", $id, 4294967295)' \
            '$reply = packet(105, pack "NNN", $id, 2147483648, 4294967295)' '$reply = packet(2, pack "N", 3)'; do
            # the last answer is the end of a directory, of which nothing is wanted any more
            no_list 69 FAKE="$change"' if $n == '$n
            no_copy 69 FAKE="$change"' if $n == '$n
        done
    done
}

@test "an answer too many" {
    for n in 1 2 3 4; do
        no_list 69 FAKE='$reply .= $reply if $n == '$n
    done
    for n in 1 2 3 4; do
        no_copy 69 FAKE='$reply .= $reply if $n == '$n
    done
}

@test "refusals of every kind" {
    for code in 1 2 3 4 5 6 7 8 9 255 4294967295; do
        for ask in stat opendir; do
            no_list 74 FAKE='$reply = status('$code') if $ask eq "'$ask'"'
            [[ $stderr == *"'far:$there'"* ]]
        done
        [ "$code" = 1 ] || no_list 74 FAKE='$reply = status('$code') if $ask eq "readdir"'
        for ask in stat open fstat read; do
            no_copy 74 FAKE='$reply = status('$code') if $ask eq "'$ask'"'
            [[ $said == *"far:$there/snap_1.hdf5"* ]]
        done
    done
    # a directory that is empty is no fault of the server
    no_list 65 FAKE='$reply = status(1) if $ask eq "readdir"'
}

# ---- lists ----

@test "names that lead elsewhere are no names" {
    FAKE='$reply = names(map { [$_, attributes(stat $0)] } "a/b.hdf5", "../x_1.hdf5", "/x_2.hdf5", ".", "..", "",
              "x\0_3.hdf5", "y" x 4096 . ".hdf5", "snapdir_/", "snapdir_1/..", "snap_1.hdf5") if $nth{readdir} == 1 && $ask eq "readdir"' \
        run -0 --separate-stderr iris-list --remote=far "$there"
    [ "$(column snapshot - <<<"$output")" = snap_1 ]
    # a long one, and one that is no UTF-8
    no_list 65 FAKE='$reply = names(["z" x 4000 . ".hdf5", attributes(stat $0)]) if $nth{readdir} == 1 && $ask eq "readdir"'
    FAKE='$reply = names(["\xff\xfe_1.hdf5", attributes(stat $0)]) if $nth{readdir} == 1 && $ask eq "readdir"' \
        iris-list --remote=far -o list.tsv "$there"
    [ "$(column snapshot list.tsv)" = "=FF=FE_1" ]
    rm list.tsv
    # one twice
    no_list 65 FAKE='$reply = names(map { ["snap_1.hdf5", attributes(stat $0)] } 1, 2) if $nth{readdir} == 1 && $ask eq "readdir"'
}

@test "a list without an end" {
    # answers with nothing in them
    no_list 69 FAKE='if ($ask eq "readdir") { $reply = names() }'
    # more than a directory holds
    no_list 69 FAKE='if ($ask eq "readdir") { $reply = names(map { ["x" x 4000 . $_, attributes()] } 1 .. 60) }'
}

@test "attributes that say little" {
    # without size, kind or time in a list the file itself is asked about
    for flags in 0 1 4 5 8 12 13; do
        FAKE='if ($ask eq "readdir" && $nth{readdir} == 1) {
                  my @s = stat "'"$there"'/snap_1.hdf5";
                  my $a = pack "N", '$flags'; my $f = '$flags';
                  $a .= pack "Q>", $s[7] if $f & 1; $a .= pack "N", $s[2] if $f & 4; $a .= pack "NN", @s[8, 9] if $f & 8;
                  $reply = names(["snap_1.hdf5", $a]) }' iris-list --remote=far "$there" | cmp - "$list"
    done
    # and when the answer lacks one as well, nothing is made up
    for flags in 0 1 4 5 8 9 12; do
        change='if ($path =~ /hdf5$/) { my @s = stat $path; my $f = '$flags'; my $a = pack "N", $f;
                $a .= pack "Q>", $s[7] if $f & 1; $a .= pack "N", $s[2] if $f & 4; $a .= pack "NN", @s[8, 9] if $f & 8;
                $reply = packet(105, pack("N", $id) . $a) if $ask eq "stat" }'
        export FAKE=$change
        ends 74 iris-list --remote=far -o list.tsv "$there/snap_1.hdf5"
        [[ $stderr == *"far:$there/snap_1.hdf5"* ]]
        [ ! -e list.tsv ]
        unset FAKE
        no_copy 74 FAKE="$change"
    done
    # all there is, and what nobody knows
    FAKE='if ($ask eq "stat" || $ask eq "fstat") {
              my @s = stat($ask eq "stat" ? $path : $open{$handle}[0]);
              $reply = packet(105, pack "NNQ>NNNNNN/(N/a*N/a*)", $id, 0x8000000f, @s[7, 4, 5, 2, 8, 9], 0) if 1;
              $reply = packet(105, pack("NN", $id, 0x8000000f) . pack("Q>NNNNN", @s[7, 4, 5, 2, 8, 9]) . pack("N", 2) .
                  pack("N/a*N/a*", "a", "b") x 2) }' copy
}

@test "sizes and times at the end of their range" {
    size() {
        echo 'if ($ask =~ /stat/ && ($path =~ /hdf5$/ || $ask eq "fstat")) { my @s = stat($ask eq "stat" ? $path : $open{$handle}[0]);
              $s[7] = '"$1"'; $s[9] = '"$2"'; $reply = attrs(@s) }'
    }
    for size in 9223372036854775807 9223372036854775808 18446744073709551615 4611686018427387904 1000000000000000000; do
        FAKE=$(size "$size" 5) iris-list --remote=far -o "$list" "$there/snap_1.hdf5"
        [ "$(column bytes "$list")" = "$size" ]
        FAKE=$(size "$size" 5)
        export FAKE
        for option in --verify=size --budget=18446744073709551615 --budget=1M; do
            ends 74 iris-fetch --retries=0 --cache=cache -o fetched.tsv $option "$list"
            [[ $stderr == *"too large" || $stderr == *budget* ]]
            [ "$(column local fetched.tsv)" = . ]
            [ -z "$(find cache -name '*.hdf5*')" ]
        done
        unset FAKE
    done
    rm -r cache fetched.tsv
    for time in 0 1 2147483648 4294967295; do
        FAKE=$(size 11 "$time") iris-list --remote=far -o "$list" "$there/snap_1.hdf5"
        [ "$(column mtime "$list")" = "$time" ]
        FAKE=$(size 11 "$time") iris-fetch --retries=0 --verify=size --cache=cache -o fetched.tsv "$list"
        [ "$(stat -c '%s %Y' cache/snap_1/snap_1.hdf5)" = "11 $time" ]
        rm -r cache
    done
}

@test "kinds that are another one" {
    kind() {
        echo 'if ($ask eq "stat" && $path =~ /hdf5$/) { my @s = stat $path; $s[2] = '"$1"'; $reply = attrs(@s) }'
    }
    for mode in 040755 010644 020644 060644 0120777 0140777 0 0177777 4294967295; do
        no_copy 74 FAKE="$(kind $mode)"
    done
    # a directory that says it is a file, a file that says it is a directory
    no_list 65 FAKE='if ($ask eq "stat") { my @s = stat $path; $s[2] = 0100644; $reply = attrs(@s) }'
    no_list 74 FAKE='if ($ask eq "readdir" && $nth{readdir} == 1) { $reply = names(["snapdir_1", attributes(stat "/")]) }'
}

# ---- bytes ----

@test "bytes in any order and portion" {
    large
    FAKE='if ($ask eq "read") { push @held, $reply; $reply = "";
          if (@held == 8 || $offset + $size == 5000000) { $reply = join "", reverse @held; @held = () } }' copy
    FAKE='$reply = data(substr $reply, 13, 1 + $offset % 20000) if $ask eq "read"' copy
    printf 'some bytes\n' >"$there/snap_1.hdf5"
    head -c 3000 /dev/urandom >>"$there/snap_1.hdf5"
    iris-list --remote=far -o "$list" "$there"
    FAKE='if ($ask eq "read") { $reply = data(substr $reply, 13, 1) }' copy
    # the pipe in portions
    FAKE='for (split //, $reply) { send_bytes($_) } $reply = ""' copy
}

@test "bytes that were not asked for" {
    large
    for n in 1 50 100; do
        for change in 'data("")' 'data("x" x 32769)' 'data("x" x 262000)' 'status(0)' 'packet(103, pack "NN", $id, 32768)' \
            '$reply . $reply' 'packet(103, pack("NN", 99999, 1) . "x")'; do
            no_copy 69 FAKE='$reply = '"$change"' if $ask eq "read" && $nth{read} == '$n
        done
        # an end that is too early
        no_copy 74 FAKE='$reply = status(1) if $ask eq "read" && $nth{read} == '$n
        [[ $said == *"changed"* ]]
    done
}

@test "a file that grows or shrinks all the time" {
    change() {
        echo 'if ($ask eq "'"$1"'") { my @s = stat($ask eq "stat" ? $path : $open{$handle}[0]); $s['"$2"'] += '"$3"'; $reply = attrs(@s) }'
    }
    for by in 1 -1 1000000; do
        no_copy 74 FAKE="$(change stat 7 $by)"
        [[ $said == *"list"* ]]
        no_copy 74 FAKE="$(change fstat 7 $by)"
        [[ $said == *"changed"* ]]
        no_copy 74 FAKE="$(change stat 9 $by)"
        no_copy 74 FAKE="$(change fstat 9 $by)"
    done
}

@test "handles of every length" {
    for length in 257 1000 100000; do
        no_list 69 FAKE='if ($ask eq "opendir") { $reply = packet(102, pack "NN/a*", $id, "h" x '$length') }'
        no_copy 69 FAKE='if ($ask eq "open") { $reply = packet(102, pack "NN/a*", $id, "h" x '$length') }'
    done
    for length in 0 1 256; do
        FAKE='if ($ask eq "open") { my $h = "\0" x '$length'; $open{$h} = $open{$handle}; $reply = packet(102, pack "NN/a*", $id, $h) }' copy
    done
}

# ---- sums ----

@test "sums that are none" {
    for sum in 1 'exit 1' 'kill 9, $$' 'close STDIN; exit' 'print "0" x 63, "  x\n"' 'print "0" x 65, "  x\n"' 'print "g" x 64, "  x\n"' \
        'print "\0" x 1000' 'print "x" x 1000000' 'print "\n" x 1000000' 'print STDERR "x" x 1000000'; do
        FAKE_SUM=$sum copy --verify=auto
        no_copy 69 FAKE_SUM="$sum" --verify=sha256
    done
    no_copy 74 FAKE_SUM='print "0" x 64, "  x\n"' --verify=auto
    FAKE_SUM='sleep 1000' copy --verify=auto --timeout=5
    # one that is lost with the connection is asked for again
    export FAKE='if ($ask eq "fstat" && !-e "../cut") { open my $f, ">", "../cut"; exit 255 }' \
        FAKE_SUM='print "0" x 64, "  x\n" if -e "../cut"'
    ends 74 iris-fetch --retries=2 --cache=cache -o fetched.tsv "$list"
    [[ $stderr == *sha256* ]]
    unset FAKE FAKE_SUM
    # where no path is made absolute there is no sum either
    FAKE='$reply = status(8) if $ask eq "realpath"' copy --verify=auto
    no_copy 69 FAKE='$reply = status(8) if $ask eq "realpath"' --verify=sha256
    for name in '[$path, ""], [$path, ""]' '' '["a\0b", attributes()]'; do
        no_copy 69 FAKE='$reply = names('"$name"') if $ask eq "realpath"' --verify=sha256
    done
}

# ---- what others can do here ----

@test "what ssh says without end is not kept" {
    export FAKE='if ($ask eq "readdir" && $nth{readdir} == 1) { print STDERR "x" x 1000000, "\n" for 1 .. 8;
                  open my $f, ">", "../said"; sleep 1 until -e "../go" }'
    iris-list --remote=far -o list.tsv "$there" 3>&- &
    wait_for test -e ../said
    has_forgotten() { # blocks of 512 bytes
        stat -L -c %b "/proc/$1/fd/"* 2>/dev/null | awk '$1 > 4096 { n++ } END { exit n > 0 }'
    }
    wait_for has_forgotten $!
    : >../go
    wait $!
    cmp list.tsv "$list"
}

@test "no connection is shared where others may write" {
    export FAKE_START='open my $f, ">>", "../asked"; print $f "@ARGV\n"'
    mkdir ../other cache
    : >cache/.iris-cache
    shared() {
        rm -f ../asked cache/*/*
        iris-fetch --cache=cache -o fetched.tsv "$list"
        cmp cache/snap_1/snap_1.hdf5 "$there/snap_1.hdf5"
        grep -q ControlPath ../asked
    }
    shared
    # a directory of everybody's, a link, another user's
    mkdir -m 777 cache/.iris-ssh
    perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "../other/dead", Listen => 1) or die'
    ! shared || false
    rmdir cache/.iris-ssh || true
    ln -s ../../other cache/.iris-ssh
    ! shared || false
    [ -S ../other/dead ]
    rm cache/.iris-ssh
    mkdir cache/.iris-ssh
    if chown 12345 cache/.iris-ssh; then
        ! shared || false
    fi
    rm -rf cache/.iris-ssh
    shared
}

@test "no copy where another user waits for it" {
    mkdir -m 1777 everybodys
    mkdir -m 755 everybodys/{cache,ours}
    : >everybodys/cache/.iris-cache
    chown 12345 everybodys/cache || skip "no right to be another user"
    ends 65 iris-fetch --cache=everybodys/cache -o fetched.tsv "$list"
    [[ $stderr == *"another user"* ]]
    [ "$(ls -A everybodys/cache)" = .iris-cache ]
    iris-fetch --cache=everybodys/ours -o fetched.tsv "$list"
    # nor where a link of his leads, be it to a place where only he may write
    mkdir -p his/cache
    : >his/cache/.iris-cache
    chown -R 12345 his
    ln -s ../his/cache everybodys/link
    chown -h 12345 everybodys/link
    for name in everybodys/link everybodys/link/ everybodys/link//; do
        ends 65 iris-fetch --cache=$name -o fetched.tsv "$list"
        [[ $stderr == *"another user"* ]]
    done
    [ "$(ls -A his/cache)" = .iris-cache ]
    # where only some may write a cache may be another's
    chmod 755 everybodys
    iris-fetch --cache=everybodys/cache -o fetched.tsv "$list"
}

@test "a link in the place of a copy is no copy" {
    iris-list -o here.tsv "$there"
    mkdir -p cache/snap_1
    : >cache/.iris-cache
    ln -s "$there/snap_1.hdf5" cache/snap_1/snap_1.hdf5
    ! iris-fetch --copy --cache=cache -o fetched.tsv here.tsv || [ ! -L cache/snap_1/snap_1.hdf5 ]
    rm cache/snap_1/snap_1.hdf5
    ln -s "$there/snap_1.hdf5" cache/snap_1/snap_1.hdf5
    ! iris-fetch --cache=cache -o fetched.tsv "$list" || [ ! -L cache/snap_1/snap_1.hdf5 ]
    cmp "$there/snap_1.hdf5" <(printf 'some bytes\n')
}

# ---- rows ----

# many N: the list with so many rows
many() {
    for n in $(seq "$1"); do
        rows "$list" '$f{snapshot} = "snap_'"$n"'"' | if [ "$n" = 1 ]; then grep -v '^##rows'; else grep -v '^#'; fi
    done
    echo "##rows $1"
}

@test "a reader that takes nothing" {
    rows "$list" '$f{remote} = "."' >one.tsv
    { grep '^#[^#]\|^##[ic]' one.tsv
      grep -v '^#' one.tsv | awk '{ for (i = 1; i <= 3000; i++) { r = $0; sub(/^snap_1/, "snap_" i, r); print r } }'
      echo "##rows 3000"; } >many.tsv
    grep -v '^#' "$list" | sed 's/^snap_1/last/; s/$//' >last
    sed -i 's/^##rows.*/##rows 3001/' many.tsv
    sed -i "/^##rows/{
        r last
        N
    }" many.tsv
    { grep -v '^##rows' many.tsv; echo "##rows 3001"; } >all.tsv
    mkfifo pipe
    exec 7<>pipe
    iris-fetch --cache=cache all.tsv >pipe 2>err 3>&- 7<&- &
    # the pipe is full, and the copy is made all the same
    wait_for test -e cache/last/snap_1.hdf5
    kill -TERM $!
    status=0
    wait $! || status=$?
    exec 7<&-
    [ "$status" = 75 ]
    stderr=$(<err) one_sentence iris-fetch
    iris-fetch --cache=cache all.tsv | tail -1 | grep -qx '##rows 3001'
}

@test "what is wrong with one machine is not held against another" {
    many 10 | rows /dev/stdin '$f{remote} = $n < 5 ? "gone" : $n < 8 ? "shut" : $n == 8 ? "gone" : $n == 9 ? "shut" : "far"' >all.tsv
    export FAKE_START='open my $f, ">>", "../asked"; print $f "$ARGV[-2]\n"; close $f;
        if ($ARGV[-2] eq "shut") { print STDERR "Permission denied (publickey).\n"; exit 255 } exit 255 if $ARGV[-2] eq "gone"'
    ends 69 iris-fetch --retries=0 --verify=size --cache=cache -o fetched.tsv all.tsv
    [ "$(column local fetched.tsv | xargs)" = ". . . . . . . . . cache/snap_10/snap_1.hdf5" ]
    [ "$(sort ../asked | uniq -c | xargs)" = "1 far 3 gone 1 shut" ]
}

@test "a fault of one row is no reason to try another again" {
    many 2 | rows /dev/stdin '$f{path} .= ".gone" if $n == 2' >all.tsv
    export FAKE='if ($ask eq "stat" && $path =~ /gone$/) { open my $f, ">>", "../asked"; print $f "$path\n" }' \
        FAKE_SUM='print "0" x 64, "  x\n"'
    ends 74 iris-fetch --retries=0 --cache=cache -o fetched.tsv all.tsv
    [ "$(wc -l <../asked)" = 1 ]
}

@test "a time of a list that is none" {
    rows "$list" '$f{mtime} = -5' >bad.tsv
    ends 74 iris-fetch --verify=size --cache=cache -o fetched.tsv bad.tsv
    [[ $stderr == *"was changed since it was listed"* ]]
    rows "$list" '$f{mtime} = "9" x 30' >bad.tsv
    ends 65 iris-fetch --verify=size --cache=cache -o fetched.tsv bad.tsv
    [ ! -e cache/snap_1/snap_1.hdf5 ]
}

@test "an old copy and a new one do not take room at one time" {
    head -c 300000 /dev/urandom >"$there/snap_1.hdf5"
    touch -d @1000000000 "$there/snap_1.hdf5"
    iris-list --remote=far -o "$list" "$there"
    iris-list -o here.tsv "$there"
    export FAKE='system "du -sb cache/snap_1 >>../room" if $ask eq "read"'
    for change in 'touch -d @1 cache/snap_1/snap_1.hdf5' 'mv cache/snap_1/snap_1.hdf5 cache/snap_1/snap_1.0.hdf5' \
        'mv cache/snap_1/snap_1.hdf5 cache/snap_1/other.hdf5.tmp'; do
        rm -rf cache
        iris-fetch --verify=size --cache=cache -o fetched.tsv "$list"
        eval "$change"
        : >../room
        iris-fetch --verify=size --budget=400000 --cache=cache -o fetched.tsv "$list"
        cmp cache/snap_1/snap_1.hdf5 "$there/snap_1.hdf5"
        [ -s ../room ]
        awk '$1 > 410000 { print; n++ } END { exit n > 0 }' ../room
        [ "$(ls cache/snap_1)" = snap_1.hdf5 ]
    done
    # one that is as it should be stays, with the inode
    inode=$(stat -c %i cache/snap_1/snap_1.hdf5)
    iris-fetch --verify=size --budget=400000 --cache=cache -o fetched.tsv "$list"
    iris-fetch --copy --budget=400000 --cache=cache -o fetched.tsv here.tsv
    [ "$inode" = "$(stat -c %i cache/snap_1/snap_1.hdf5)" ]
    # one of this machine that has grown since it was listed
    head -c 300000 /dev/urandom >>"$there/snap_1.hdf5"
    ends 74 iris-fetch --copy --budget=400000 --cache=cache -o fetched.tsv here.tsv
    [[ $stderr == *"list it again"* ]]
    [ "$(du -sb cache/snap_1 | cut -f1)" -lt 410000 ]
}
