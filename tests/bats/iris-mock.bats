#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

teardown() {
    cd "$BATS_TEST_TMPDIR"
    if mountpoint -q "$BATS_TEST_TMPDIR/work/full" 2>/dev/null; then
        umount "$BATS_TEST_TMPDIR/work/full"
    fi
}

# rank, size, sum, smallest, largest of a dataset
sum() {
    h5edit "$1" sum "PartType0/$2"
}

@test "help" {
    run -0 --separate-stderr iris-mock --help
    [[ $output == "usage: iris-mock "* ]]
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-mock -h
}

@test "version" {
    run -0 --separate-stderr iris-mock --version
    [[ $output == "iris-mock (iris) "* ]]
}

@test "every long option in --help is in the man page" {
    man=$(sed 's/\\-/-/g' "$IRIS_SOURCE/man/iris-mock.1")
    for option in $(iris-mock --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
        grep -q -- "Fl ${option#-}" <<<"$man" || { echo "no $option"; return 1; }
    done
}

@test "the man page has no faults" {
    run -0 groff -mandoc -ww -z -Tutf8 "$IRIS_SOURCE/man/iris-mock.1"
    [ -z "$output" ]
}

@test "missing options are usage errors" {
    run -64 --separate-stderr iris-mock
    [[ $stderr == "iris-mock: no output"* ]]
    run -64 --separate-stderr iris-mock --cells=10
    run -64 --separate-stderr iris-mock -o a.hdf5
    [[ $stderr == *"--cells"* ]]
    run -64 --separate-stderr iris-mock -o - --cells=10
    run -64 --separate-stderr iris-mock -o a.hdf5 --cells=10 more
    run -64 --separate-stderr iris-mock -o a.hdf5 --cells=10 --unknown
    [ ! -e a.hdf5 ]
}

@test "bad numbers are usage errors" {
    for bad in 0 -1 1e6 1.5 x '' 2147483649; do
        run -64 --separate-stderr iris-mock -o a.hdf5 --cells="$bad"
        [[ $stderr == "iris-mock: bad number of cells '$bad'"* ]]
    done
    for bad in 0 -1 x; do
        run -64 --separate-stderr iris-mock -o snapdir_000 --cells=10 --files="$bad"
        run -64 --separate-stderr iris-mock -o a.hdf5 --cells=10 --seed="${bad/0/9223372036854775808}"
    done
    run -64 --separate-stderr iris-mock -o snapdir_000 --cells=2 --files=3
    run -64 --separate-stderr iris-mock -o a.hdf5 --cells=2147483648
    [[ $stderr == *"--files"* ]]
}

@test "a set needs a number in its name" {
    run -64 --separate-stderr iris-mock -o snapdir --cells=10 --files=2
    [[ $stderr == *"'snapdir'"* ]]
    run -64 --separate-stderr iris-mock -o snap_1.hdf5 --cells=10 --files=2
}

@test "a place that cannot be written is an I/O error" {
    run -74 --separate-stderr iris-mock -o nowhere/a.hdf5 --cells=10
    [[ $stderr == *"nowhere/a.hdf5"* ]]
    run -74 --separate-stderr iris-mock -o nowhere/snapdir_001 --cells=10 --files=2
    run -74 --separate-stderr iris-mock -o /dev/full/x --cells=10
    run -74 --separate-stderr iris-mock -o . --cells=10
    touch snapdir_002
    run -74 --separate-stderr iris-mock -o snapdir_002 --cells=10 --files=2
}

@test "a full disk is an I/O error and leaves nothing" {
    mkdir full
    mount -t tmpfs -o size=1m tmpfs full 2>/dev/null || skip "cannot mount a small file system"
    # the first does not fit by far, the second fails in a later dataset
    for options in "--cells=100000" "--cells=17000" "--cells=100000 --compress"; do
        run -74 --separate-stderr iris-mock -o full/a.hdf5 $options
        [[ $stderr == *"No space left on device"* ]]
        [ -z "$(ls full)" ]
    done
    run -0 --separate-stderr iris-mock -o full/a.hdf5 --cells=5000
}

@test "dry run writes nothing" {
    run -0 --separate-stderr iris-mock -o a.hdf5 --cells=1000 --dry-run
    [[ $stderr == "iris-mock: would write 'a.hdf5': 1000 cells in 1 file, about "*" bytes" ]]
    run -0 --separate-stderr iris-mock -o snapdir_000 --cells=1000 --files=2 --dry-run
    [ -z "$(ls)" ]
}

@test "quiet on success, one file, nothing else" {
    run -0 --separate-stderr iris-mock -o a.hdf5 --cells=1000 --seed=1
    [ -z "$output" ]
    [ -z "$stderr" ]
    [ "$(ls)" = a.hdf5 ]
}

@test "every field is there, in shape and range" {
    iris-mock -o a.hdf5 --cells=20000 --seed=1
    [[ $(sum a.hdf5 Coordinates) == "2 20000x3 "* ]]
    [[ $(sum a.hdf5 Velocities) == "2 20000x3 "* ]]
    [[ $(sum a.hdf5 ChemicalAbundances) == "2 20000x3 "* ]]
    for name in Density InternalEnergy Masses DustTemperature ParticleIDs; do
        [[ $(sum a.hdf5 $name) == "1 20000 "* ]]
    done
    for name in Coordinates Velocities ChemicalAbundances Density InternalEnergy Masses; do
        [[ $(sum a.hdf5 $name) != *[ni]n[af]* ]]
    done
    sum a.hdf5 ParticleIDs | awk '$3 != 200010000 || $4 != 1 || $5 != 20000 { exit 1 }'
    sum a.hdf5 Coordinates | awk '$4 < 0 || $4 > 2 || $5 < 238 || $5 >= 240 { exit 1 }'
    sum a.hdf5 Density | awk '!($4 > 0) { exit 1 }'
    sum a.hdf5 Masses | awk '!($4 > 0) { exit 1 }'
    sum a.hdf5 InternalEnergy | awk '!($4 > 0) { exit 1 }'
    sum a.hdf5 DustTemperature | awk '$4 < 12 || $5 > 40 { exit 1 }'
    sum a.hdf5 ChemicalAbundances | awk '$4 < 0 || $5 > 1 { exit 1 }'
}

@test "header, parameters and scalings as AREPO writes them" {
    command -v h5dump >/dev/null || skip "no h5dump"
    iris-mock -o snapdir_004 --cells=101 --seed=1 --files=2
    attribute() {
        h5dump -a "$2" "$1" | sed -n 's/^ *(0): //p'
    }
    f=snapdir_004/snap_004.0.hdf5
    [ "$(attribute $f Header/NumPart_ThisFile)" = "51, 0, 0, 0, 0, 0" ]
    [ "$(attribute snapdir_004/snap_004.1.hdf5 Header/NumPart_ThisFile)" = "50, 0, 0, 0, 0, 0" ]
    [ "$(attribute $f Header/NumPart_Total)" = "101, 0, 0, 0, 0, 0" ]
    [ "$(attribute $f Header/NumPart_Total_HighWord)" = "0, 0, 0, 0, 0, 0" ]
    [ "$(attribute $f Header/NumFilesPerSnapshot)" = 2 ]
    [ "$(attribute $f Header/BoxSize)" = 240 ]
    [ "$(attribute $f Header/HubbleParam)" = 1 ]
    [ "$(attribute $f Header/UnitLength_in_cm)" = 3.08568e+20 ]
    [ "$(attribute $f Header/UnitMass_in_g)" = 1.989e+33 ]
    [ "$(attribute $f Header/UnitVelocity_in_cm_per_s)" = 100000 ]
    [ "$(attribute $f Parameters/ComovingIntegrationOn)" = 0 ]
    [ "$(attribute $f PartType0/Density/length_scaling)" = -3 ]
    [ "$(attribute $f PartType0/Density/mass_scaling)" = 1 ]
    [ "$(attribute $f PartType0/Density/to_cgs)" = 6.76991e-29 ]
    [ "$(attribute $f PartType0/InternalEnergy/to_cgs)" = 1e+10 ]
    [ "$(attribute $f PartType0/Coordinates/a_scaling)" = 0 ]
    h5dump -H -d PartType0/Coordinates $f | grep -q F64LE
    h5dump -H -d PartType0/Density $f | grep -q 'DATATYPE *H5T_IEEE_F32LE'
    h5dump -H -g Config $f
}

@test "double and compressed files hold the same values" {
    iris-mock -o a.hdf5 --cells=70000 --seed=1
    iris-mock -o b.hdf5 --cells=70000 --seed=1 --double
    iris-mock -o c.hdf5 --cells=70000 --seed=1 --double --compress
    iris-mock -o d.hdf5 --cells=70000 --seed=1 --compress
    for name in Coordinates Velocities Density InternalEnergy Masses ChemicalAbundances \
        DustTemperature ParticleIDs; do
        [ "$(sum b.hdf5 $name)" = "$(sum c.hdf5 $name)" ]
        [ "$(sum a.hdf5 $name)" = "$(sum d.hdf5 $name)" ]
    done
    [ "$(sum a.hdf5 Coordinates)" = "$(sum b.hdf5 Coordinates)" ]
    [ "$(sum a.hdf5 Velocities)" != "$(sum b.hdf5 Velocities)" ]
    paste <(sum a.hdf5 Density) <(sum b.hdf5 Density) |
        awk '{ d = $3 / $8 - 1; if (d > 1e-7 || d < -1e-7) exit 1 }'
}

@test "equal arguments give equal bytes, another seed does not" {
    iris-mock -o a.hdf5 --cells=30000 --seed=5
    sleep 1.1
    iris-mock -o b.hdf5 --cells=30000 --seed=5
    cmp a.hdf5 b.hdf5
    iris-mock -o c.hdf5 --cells=30000 --seed=6
    ! cmp -s a.hdf5 c.hdf5 || false
    iris-mock -o d.hdf5 --cells=30000 --seed=1216 --compress
    iris-mock -o e.hdf5 --cells=30000 --compress
    cmp d.hdf5 e.hdf5
}

@test "a set holds the cells of the single file" {
    iris-mock -o a.hdf5 --cells=20000 --seed=5
    iris-mock -o snapdir_012/ --cells=20000 --seed=5 --files=3
    [ "$(ls snapdir_012 | tr '\n' ' ')" = "snap_012.0.hdf5 snap_012.1.hdf5 snap_012.2.hdf5 " ]
    [ ! -e snapdir_012.tmp ]
    h5edit merge-set b.hdf5 snapdir_012/snap_012.?.hdf5
    if command -v h5diff >/dev/null; then
        h5diff a.hdf5 b.hdf5
    fi
    for name in Coordinates Velocities Density InternalEnergy Masses ChemicalAbundances \
        DustTemperature ParticleIDs; do
        [ "$(sum a.hdf5 $name)" = "$(sum b.hdf5 $name)" ]
    done
}

@test "a set is made again in place, another set is not mixed in" {
    iris-mock -o snapdir_001 --cells=3000 --seed=5 --files=3
    cp -r snapdir_001 before
    iris-mock -o snapdir_001 --cells=3000 --seed=5 --files=3
    diff -r before snapdir_001
    run -65 --separate-stderr iris-mock -o snapdir_001 --cells=3000 --seed=5 --files=2
    [[ $stderr == *"snap_001.2.hdf5"* ]]
    diff -r before snapdir_001
}

# Start a long run and wait until it writes.
start_long() {
    iris-mock -o "$1" --cells=1500000 --seed=9 "${@:2}" 3>&- &
    pid=$!
    for _ in $(seq 500); do
        if [ -n "$(find . -name '*.tmp' -type f -size +100k)" ]; then
            return 0
        fi
        sleep 0.01
    done
    return 1
}

@test "a killed run leaves no file, and the next one makes it" {
    start_long a.hdf5
    kill -9 $pid
    wait $pid || true
    [ ! -e a.hdf5 ]
    [ -e a.hdf5.tmp ]
    iris-mock -o a.hdf5 --cells=1500000 --seed=9
    iris-mock -o b.hdf5 --cells=1500000 --seed=9
    cmp a.hdf5 b.hdf5
    [ ! -e a.hdf5.tmp ]
}

@test "a killed run leaves no set, and the next one makes it" {
    start_long snapdir_000 --files=3
    kill -9 $pid
    wait $pid || true
    [ ! -e snapdir_000 ]
    iris-mock -o snapdir_000 --cells=1500000 --seed=9 --files=3
    [ "$(ls)" = snapdir_000 ]
    [ "$(ls snapdir_000 | wc -l)" = 3 ]
}

@test "a signal stops the run with 75 and leaves nothing" {
    start_long a.hdf5
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    [ "$status" = 75 ]
    [ -z "$(ls)" ]
}

@test "two runs do not write one file" {
    start_long a.hdf5
    run -75 --separate-stderr iris-mock -o a.hdf5 --cells=10
    [[ $stderr == *"another program is writing"* ]]
    kill -9 $pid
    wait $pid || true
}

@test "HDF5's own locks do not get in the way" {
    HDF5_USE_FILE_LOCKING=TRUE iris-mock -o a.hdf5 --cells=10
    HDF5_USE_FILE_LOCKING=FALSE iris-mock -o b.hdf5 --cells=10
    cmp a.hdf5 b.hdf5
}

@test "an existing file stays until the new one is complete" {
    iris-mock -o a.hdf5 --cells=1000 --seed=1
    cp a.hdf5 b.hdf5
    start_long a.hdf5
    kill -9 $pid
    wait $pid || true
    cmp a.hdf5 b.hdf5
}

@test "progress goes to standard error" {
    run -0 --separate-stderr iris-mock -o a.hdf5 --cells=500000 --progress=0.01
    [ -z "$output" ]
    [[ $stderr == *"/500000"* ]]
    run -0 --separate-stderr iris-mock -o a.hdf5 --cells=500000 --progress=0.01 --quiet
    [ -z "$stderr" ]
}

@test "a molecular file goes to standard output, or to a file when complete" {
    run -0 --separate-stderr iris-mock --molecule=13CO
    [ -z "$stderr" ]
    [ "${lines[0]}" = '!MOLECULE' ]
    [[ ${lines[1]} == "13CO "*mock* ]]
    iris-mock --molecule=13CO -o m.dat
    [ "$(ls)" = m.dat ]
    cmp m.dat <(iris-mock --molecule=13CO -o -)
    # the levels, the lines, and the rates for three partners
    [ "$(grep -c '^ ' m.dat)" -eq $((1 + 41 + 40 + 3 * (1 + 820))) ]
    [ "$(grep -A1 '^!COLLISIONS' m.dat | grep -v '^[!-]' | tr '\n' ' ')" = "2 para-H2 3 ortho-H2 5 H " ]
    ! grep -i -q -w -e nan -e inf m.dat || false
    # J = 2 to 1 at 220.398684 GHz, 6.038e-7 per second within 2 %
    awk '$2 == 3 && $3 == 2 && NF == 6 { n++; if ($4 < 5.92e-7 || $4 > 6.16e-7 ||
        $5 < 220.39868 || $5 > 220.39869) exit 1 } END { if (n != 1) exit 1 }' m.dat
}

@test "each molecule has its own file, in equal bytes" {
    for name in 12CO 13CO C18O; do
        iris-mock --molecule=$name -o $name.dat
        iris-mock --molecule=$name -o again.dat
        cmp $name.dat again.dat
    done
    ! cmp -s 12CO.dat 13CO.dat || false
    run ! cmp -s 13CO.dat C18O.dat
}

@test "a molecule that is not known, or with a snapshot's options, is a usage error" {
    run -64 --separate-stderr iris-mock --molecule=CN -o m.dat
    [[ $stderr == "iris-mock: unknown molecule 'CN': there are 12CO, 13CO and C18O"* ]]
    run -64 --separate-stderr iris-mock --molecule
    for option in --cells=10 --files=2 --files=1 --double --compress --seed=3; do
        run -64 --separate-stderr iris-mock --molecule=13CO -o m.dat $option
        [[ $stderr == "iris-mock: --molecule makes no snapshot: ${option%=*} does not go with it"* ]]
    done
    run -64 --separate-stderr iris-mock --molecule=13CO more
    [ -z "$(ls)" ]
}

@test "a molecular file that cannot be written is an I/O error" {
    run -74 --separate-stderr iris-mock --molecule=13CO -o nowhere/m.dat
    [[ $stderr == *"nowhere/m.dat"* ]]
    run -74 --separate-stderr bash -c 'iris-mock --molecule=13CO >/dev/full'
    [[ $stderr == "iris-mock: cannot write standard output"* ]]
}

@test "dry run makes no molecular file" {
    run -0 --separate-stderr iris-mock --molecule=C18O -o m.dat --dry-run
    [ -z "$output" ]
    [[ $stderr == "iris-mock: would write 'm.dat': the molecule C18O, "*" bytes" ]]
    run -64 --separate-stderr iris-mock --molecule=CN --dry-run
    [ -z "$(ls)" ]
}
