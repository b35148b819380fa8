# Shared by the tests of the programs; loaded with `load common`.
bats_require_minimum_version 1.5.0

# Settings of a grid that takes milliseconds. More changes may follow: -s k=v ...
tiny_hyper() {
    iris-hyper --preset=SEDIGISM_13C16O \
        -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3 "$@"
}

# Settings of a line whose table takes milliseconds, and its molecule in ./co.dat.
# More changes may follow: -s k=v ...
tiny_lines() {
    iris-mock --molecule=13CO -o co.dat &&
        iris-hyper --preset=SEDIGISM_13C16O -s 'observer_hyper.chem_path=["co.dat"]' \
            -s 'observer_hyper.N_H_TOT_steps=[8]' -s 'observer_hyper.abundance_H2_steps=[3]' \
            -s 'observer_hyper.T_steps=[5]' "$@"
}

# With sanitizers programs need more memory and time for themselves.
sanitized() {
    grep -q __asan_init "$(command -v iris-gen)"
}

# snapshots N: N small mock snapshots in ./snaps.
snapshots() {
    mkdir -p snaps
    local i
    for i in $(seq "$1"); do
        iris-mock -o "snaps/snap_$(printf %03d "$i").hdf5" --cells=2000 --seed="$i" || return
    done
}

# pipeline TYPE DATASET LAUNCHER...: every step from ./hyper.json and ./snaps.
pipeline() {
    local type=$1 data=$2
    shift 2
    iris-list -H hyper.json snaps >list.tsv &&
        "$@" iris-gen -H hyper.json -t "$type" -d "$data" -o entries.tsv list.tsv </dev/null &&
        iris-merge -d "$data" -o merged.tsv entries.tsv &&
        iris-units -H hyper.json -d "$data" -o units.json merged.tsv &&
        iris-normalize -H units.json -d "$data" -o normalized.tsv merged.tsv &&
        iris-shuffle --seed=7 --publish="$data" -H units.json -o shuffled.tsv normalized.tsv
}

# mpi N: the launcher for N ranks. Open MPI leaves memory behind in libraries
# that it has unloaded by the time leaks are looked for, so under it they are not.
mpi() {
    echo mpirun --oversubscribe -x ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 -n "$1"
}

# by N COMMAND...: with N ranks; 0: without a launcher
by() {
    local n=$1
    shift
    if [ "$n" = 0 ]; then
        "$@"
    else
        $(mpi "$n") "$@"
    fi
}

# Two data sets hold the same bytes, but for what has a clock.
same_data() {
    diff -r --exclude=.iris "$1" "$2"
}

# One line on standard error, beginning with the program's name and not ending
# in a full stop. mpirun's own banner does not count.
one_sentence() {
    local lines
    lines=$(grep -vE '^(-+|$|Primary job|mpirun detected|.*normal termination|.*exit code|.*Process name|.*Exit code|a non-zero|the job to be terminated)' <<<"$stderr")
    [ "$(wc -l <<<"$lines")" -eq 1 ] || { echo "not one line: $stderr"; return 1; }
    [[ $lines == "$1: "* ]] || { echo "not from $1: $lines"; return 1; }
    [[ $lines != *. ]] || { echo "ends in a full stop: $lines"; return 1; }
}

# Every long option of --help is in the manual page.
options_in_page() {
    local o page
    page=$(sed 's/\\-/-/g' "$IRIS_SOURCE/man/$1.1")
    for o in $("$1" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
        grep -q -- "Fl ${o#-}" <<<"$page" || { echo "$o is not in $1(1)"; return 1; }
    done
}

# The shared reference data, or a visible skip.
need_shared() {
    SHARED=${IRIS_SHARED:-$IRIS_SOURCE/../shared}
    [ -e "$SHARED/golden/README.md" ] || skip "no shared reference data"
}

# column NAME MANIFEST: the fields of that column, one a line.
column() {
    awk -F'\t' -v name="$1" '
        /^#[^#]/ { sub(/^#/, ""); for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
        /^#/ { next }
        { print c ? $c : "no column " name }' "$2"
}

# rows MANIFEST CODE: print the manifest with perl CODE run for each row: %f has
# the fields by name, $n is the number of the row from 1, $skip=1 leaves it out.
rows() {
    perl -e '
        my ($file, $code, @name, @out, $head) = @ARGV;
        our ($n, $skip, %f) = (0);
        open my $in, "<", $file or die "$file: $!";
        while (<$in>) {
            next if /^##rows /;
            if (/^##/) { $head .= $_; next }
            chomp(my $line = $_);
            if ($line =~ s/^#//) { @name = split /\t/, $line; $head .= $_; next }
            @f{@name} = split /\t/, $line, -1;
            ($n, $skip) = ($n + 1, 0);
            eval $code; die $@ if $@;
            push @out, join("\t", @f{@name}) . "\n" unless $skip;
        }
        print $head, @out, "##rows ", scalar @out, "\n"' "$1" "$2"
}

# array FILE CODE: change an array in place with perl CODE on its values @v.
array() {
    perl -e '
        my ($file, $code) = @ARGV;
        open my $in, "<:raw", $file or die "$file: $!";
        local $/; my $all = <$in>;
        my $at = 10 + unpack("v", substr $all, 8, 2);
        our @v = unpack "f<*", substr $all, $at;
        our ($nan, $inf) = (9**9**9 - 9**9**9, 9**9**9);
        eval $code; die $@ if $@;
        unlink $file; # the other name of a hard link keeps its bytes
        open my $out, ">:raw", $file or die "$file: $!";
        print $out substr($all, 0, $at), pack("f<*", @v);
        close $out or die' "$1" "$2"
}

# new_array FILE SHAPE VALUE...: the values over and over, as an array (3, 4).
new_array() {
    perl -e '
        my ($file, $shape, @value) = @ARGV;
        my $n = 1; $n *= $_ for $shape =~ /\d+/g;
        my $text = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: $shape, }";
        $text .= " " x ((64 - (10 + length($text) + 1) % 64) % 64) . "\n";
        unlink $file;
        open my $out, ">:raw", $file or die "$file: $!";
        print $out "\x93NUMPY\x01\x00", pack("v", length $text), $text,
            pack("f<*", map { $value[$_ % @value] } 0 .. $n - 1);
        close $out or die' "$@"
}

# flip FILE OFFSET: another value for one byte; a negative offset is from the end.
flip() {
    perl -e '
        my ($file, $at) = @ARGV;
        open my $in, "<:raw", $file or die "$file: $!";
        local $/; my $all = <$in>;
        substr($all, $at, 1) = chr(ord(substr $all, $at, 1) ^ 0x55);
        unlink $file;
        open my $out, ">:raw", $file or die; print $out $all; close $out or die' "$1" "$2"
}

# No temporary file is left below here.
no_leftovers() {
    [ -z "$(find . -name '*.tmp')" ] || { find . -name '*.tmp'; return 1; }
}

# end_session SID: SIGKILL to all of a session, and wait until they are dead
# (whoever inherits the dead may take its time to bury them).
end_session() {
    local pids
    while pids=$(ps -o pid=,stat= -s "$1" | awk '$2 !~ /^Z/ { print $1 }') && [ -n "$pids" ]; do
        kill -KILL $pids 2>/dev/null || true
        sleep 0.01
    done
}

# killed_after SECONDS COMMAND...: run it in a session of its own, of which
# everything is killed then. Fails when the command was done before.
killed_after() {
    local seconds=$1 sid
    shift
    setsid "$@" </dev/null >/dev/null 2>&1 3>&- &
    sid=$!
    sleep "$seconds"
    kill -0 "$sid" 2>/dev/null || { wait "$sid" || true; end_session "$sid"; return 1; }
    end_session "$sid"
    wait "$sid" 2>/dev/null || true
}

# wait_for COMMAND...: until it succeeds, but not for ever
wait_for() {
    local i
    for i in $(seq 3000); do
        "$@" && return 0
        sleep 0.02
    done
    echo "never: $*"
    return 1
}

# stops CALL PATH [NAME=VALUE]...: what begins a command that is to stop itself
# there, see tests/shims/stop.c: $(stops rename .npy STOP_NTH=1) iris-gen ...
stops() {
    local so
    so=$(tr : '\n' <<<"$PATH" | sed 's,$,/stop.so,' | xargs ls 2>/dev/null | head -1)
    echo env "LD_PRELOAD=$so" "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
        "STOP_CALL=$1" "STOP_PATH=$2" "${@:3}"
}

# stopped SID: the processes of a session that have stopped
stopped() {
    ps -s "$1" -o pid=,stat= | awk '$2 ~ /^T/ { print $1 }'
}

# are_stopped SID N: at least so many
are_stopped() {
    [ "$(stopped "$1" | wc -l)" -ge "$2" ]
}

# launcher_hangs SID: nobody of the session is left but mpirun and who has begun it.
# Open MPI's does not notice now and then, after a signal, that all it has started are
# dead; the job of iris-gen is over.
launcher_hangs() {
    ps -o pid=,stat=,comm= -s "$1" | awk -v leader="$1" '
        $2 ~ /^Z/ { next }
        $3 == "mpirun" { launcher = 1; next }
        $1 != leader { other = 1 }
        END { exit !launcher || other }'
}

# settle SID: wait for what has begun a session; its $status, "hung" if that is a
# launcher which hangs. Whoever needs longer than this hangs, too.
settle() {
    local late=$((SECONDS + 120))
    while kill -0 "$1" 2>/dev/null; do
        if [ $SECONDS -ge $late ]; then
            ps -o pid,stat,wchan:20,args -s "$1"
            launcher_hangs "$1" || { echo "$1 hangs"; return 1; }
            end_session "$1"
            wait "$1" || true
            status=hung
            echo "# mpirun has hung after a signal" >&3
            return
        fi
        sleep 0.01
    done
    status=0
    wait "$1" || status=$?
}

# ends: settle the session of $background, which is over then
ends() {
    settle "$background"
    background=
}

# killed_when CONDITION COMMAND...: run it in a session of its own, $sid, of which
# everything is killed when that holds. Fails when the command ended without it, or
# went on for too long.
killed_when() {
    local condition=$1 sid met=1
    shift
    setsid "$@" </dev/null >/dev/null 2>&1 3>&- &
    sid=$!
    wait_for eval "$condition || ! kill -0 $sid 2>/dev/null" && eval "$condition" && met=0
    end_session $sid
    wait $sid 2>/dev/null || true
    return $met
}

# killed_at CALL PATH N COMMAND...: SIGKILL at the Nth such call, see stops
killed_at() {
    # shellcheck disable=SC2046
    killed_when 'are_stopped $sid 1' $(stops "$1" "$2" "STOP_NTH=$3") "${@:4}"
}

# signalled SIGNAL CALL PATH N COMMAND...: the signal comes at that call, see stops;
# it ends as one should that can be run again
signalled() {
    local signal=$1 status=0 sid
    # shellcheck disable=SC2046
    setsid $(stops "$2" "$3" "STOP_NTH=$4") "${@:5}" >out 2>said 3>&- &
    sid=$!
    wait_for are_stopped $sid 1
    kill -$signal $sid
    kill -CONT $sid
    wait $sid || status=$?
    [ $status = 75 ] || { echo "status $status"; cat said; return 1; }
    stderr=$(cat said)
    one_sentence "$5"
    [[ $stderr == *"stopped by a signal with "*"run again"* ]]
    [ ! -s out ]
}

# has_signal SET PID SIGNAL: it is in that set of the process, as /proc/PID/status names it
has_signal() {
    local mask
    mask=$(awk -v set="$1:" '$1 == set { print $2 }' "/proc/$2/status")
    [ $((0x$mask >> ($(kill -l "$3") - 1) & 1)) = 1 ]
}

# is_pending PID SIGNAL: it has been sent to one that has stopped
is_pending() {
    has_signal ShdPnd "$@"
}

# catches PID SIGNAL: it has said what is to be done then
catches() {
    has_signal SigCgt "$@"
}

# journal DATASET...: what the ranks did: verb, snapshot, point or "-", status, and
# the longitudes of a part
journal() {
    local d
    for d; do
        cat "$d"/.iris/journal/*.tsv
    done | awk -F'\t' '!/^#/ {
        split($9, word, " "); point = "-"
        sub(/^[^.]*\./, "", word[2])
        if (match(word[2], /\.p[0-9]+$/) && word[1] == "make") {
            point = substr(word[2], RSTART + 2) + 0
            word[2] = substr(word[2], 1, RSTART - 1)
        }
        print word[1], word[2], point, $7 (word[3] ? " longitudes " word[4] " to " word[6] : "") }'
}
