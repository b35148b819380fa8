#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

teardown() {
    chmod -R u+rwX "$BATS_TEST_TMPDIR"
}

# iris-list opens no snapshot, so these hold nothing.
# empty FILE...
empty() {
    local f
    for f in "$@"; do
        mkdir -p "$(dirname -- "./$f")"
        : >"./$f"
    done
}

# column N of the rows of a manifest on standard input
column() {
    awk -F'\t' -v n="$1" '!/^#/ { print $n }'
}

# The ids that iris-list ARGUMENT... prints, on one line.
ids() {
    iris-list "$@" | column 1 | paste -sd' '
}

@test "help" {
    run -0 --separate-stderr iris-list --help
    [[ $output == "usage: iris-list "* ]]
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-list -h
}

@test "version" {
    run -0 --separate-stderr iris-list --version
    [[ $output == "iris-list (iris) "* ]]
    run -0 --separate-stderr iris-list -V
}

@test "every long option in --help is in the man page" {
    options_in_page iris-list
}

@test "wrong command lines" {
    empty d/snap_1.hdf5
    run -64 --separate-stderr iris-list
    [[ $stderr == *"name a directory or files"* ]]
    one_sentence iris-list
    run -64 --separate-stderr iris-list --unknown d
    one_sentence iris-list
    run -64 --separate-stderr iris-list -x d
    [[ $stderr == *"'-x'"* ]]
    for bad in --total=0 --total=-1 --total=x --total= --min-index=x --max-index=1.5 --part=0/3 \
        --part=4/3 --part=3 --part=1/0 --part=/ --part=1/x --seed=-1 --seed=x --progress=x; do
        run -64 --separate-stderr iris-list "$bad" d
        one_sentence iris-list
        [[ $stderr == *"'${bad#*=}'"* ]]
        [ -z "$output" ]
    done
}

@test "names that are not there" {
    run -74 --separate-stderr iris-list nowhere
    [ "$stderr" = "iris-list: cannot open 'nowhere': No such file or directory" ]
    run -74 --separate-stderr iris-list snap_1.hdf5
    [[ $stderr == *"'snap_1.hdf5'"* ]]
    empty d/snap_1.hdf5
    run -74 --separate-stderr iris-list d d/snap_2.hdf5
    [ -z "$output" ]
    run -74 --separate-stderr iris-list ''
    run -74 --separate-stderr iris-list -H nowhere.json d
    one_sentence iris-list
}

@test "a file of another name, and a directory without snapshots" {
    empty notes.txt .hdf5 d/notes.txt d/.hidden.hdf5 d/.hdf5 d/snap_1.hdf5.tmp d/snap_1.HDF5.gz
    for name in notes.txt .hdf5; do
        run -65 --separate-stderr iris-list $name
        one_sentence iris-list
        [[ $stderr == *"'$name'"*"*.hdf5 or *.h5"* ]]
    done
    mkdir empty
    for name in empty d; do
        run -65 --separate-stderr iris-list $name
        one_sentence iris-list
        [[ $stderr == *"no HDF5 snapshots"*"'$name'"* ]]
        [ -z "$output" ]
    done
    # one empty directory among others is a mistake too
    empty good/snap_1.hdf5
    run -65 --separate-stderr iris-list good empty
}

@test "bad settings are wrong content" {
    empty d/snap_1.hdf5
    echo '{' >bad.json
    run -65 --separate-stderr iris-list -H bad.json d
    [[ $stderr == "iris-list: bad.json:"* ]]
    one_sentence iris-list
    : >bad.json
    run -65 --separate-stderr iris-list -H bad.json d
    [ -z "$output" ]
}

@test "columns, types, rows and their number" {
    mkdir d
    printf 12345 >d/snap_007.hdf5
    touch -d @1700000000 d/snap_007.hdf5
    printf 1 >d/lone.h5
    touch -d @1700000001 d/lone.h5
    run -0 --separate-stderr iris-list d
    [ -z "$stderr" ]
    diff - <(echo "$output") <<END
##iris-manifest 1 snapshots
##columns snapshot:str index:u64 path:path files:u32 bytes:u64[B] mtime:i64[s] remote:str
#snapshot	index	path	files	bytes	mtime	remote
lone	.	d/lone.h5	1	1	1700000001	.
snap_007	7	d/snap_007.hdf5	1	5	1700000000	.
##rows 2
END
    # a directory may be written with a slash
    [ "$(iris-list d/ | column 3 | paste -sd' ')" = "d/lone.h5 d/snap_007.hdf5" ]
}

@test "a set that is named by its first file" {
    empty d/snap_7.{0,1,2}.hdf5 d/alone_8.0.hdf5
    run -0 --separate-stderr iris-list d/snap_7.0.hdf5 d/alone_8.0.hdf5
    [ "$stderr" = "iris-list: warning: the set of 'd/snap_7.0.hdf5' has more files than are named; name its directory" ]
    [ "$(column 4 <<<"$output" | paste -sd' ')" = "1 1" ]
    run -0 --separate-stderr iris-list d/snap_7.{0,1,2}.hdf5
    [ -z "$stderr" ]
}

@test "natural order" {
    empty d/snap_{1,2,9,10,100,011}.hdf5 d/a_2.hdf5 d/snap.hdf5
    [ "$(ids d)" = "a_2 snap snap_1 snap_2 snap_9 snap_10 snap_011 snap_100" ]
    # also of files that come in another order
    [ "$(ids d/snap_10.hdf5 d/snap_9.hdf5 d/a_2.hdf5)" = "a_2 snap_9 snap_10" ]
}

@test "without settings everything is listed" {
    for i in $(seq 40); do
        empty d/snap_$i.hdf5
    done
    run -0 --separate-stderr iris-list d
    [ "$(tail -n1 <<<"$output")" = "##rows 40" ]
    [ "$(column 1 <<<"$output")" = "$(seq -f snap_%g 40)" ]
    # the preset takes 20
    iris-hyper --preset=SEDIGISM_13C16O >hyper.json
    [ "$(iris-list -H hyper.json d | tail -n1)" = "##rows 20" ]
}

@test "ids of names that are awkward, and the escapes of their paths" {
    mkdir d
    (
        cd d
        empty 'snap 1.hdf5' "it's_2.hdf5" 'say "hi"_3.hdf5' '$(touch pwned)_4.hdf5' $'new\nline_5.hdf5' \
            $'größe_6.hdf5' '-dash_7.hdf5' $'tab\t8.hdf5' '`x`;&|*?_9.hdf5' 'a=b_10.hdf5'
    )
    run -0 --separate-stderr iris-list d
    [ -z "$stderr" ]
    [ ! -e pwned ]
    [ ! -e d/pwned ]
    [ "$(tail -n1 <<<"$output")" = "##rows 10" ]
    row() {
        awk -F'\t' -v i="$1" '$2 == i { print $1 " " $3 }' <<<"$output"
    }
    [ "$(row 1)" = 'snap=201 d/snap 1.hdf5' ]
    [ "$(row 2)" = "it=27s_2 d/it's_2.hdf5" ]
    [ "$(row 3)" = 'say=20=22hi=22_3 d/say "hi"_3.hdf5' ]
    [ "$(row 4)" = '=24=28touch=20pwned=29_4 d/$(touch pwned)_4.hdf5' ]
    [ "$(row 5)" = 'new=0Aline_5 d/new\nline_5.hdf5' ]
    [ "$(row 6)" = 'gr=C3=B6=C3=9Fe_6 d/größe_6.hdf5' ]
    [ "$(row 7)" = '-dash_7 d/-dash_7.hdf5' ]
    [ "$(row 8)" = 'tab=098 d/tab\t8.hdf5' ]
    [ "$(row 9)" = '=60x=60=3B=26=7C=2A=3F_9 d/`x`;&|*?_9.hdf5' ]
    [ "$(row 10)" = 'a=3Db_10 d/a=b_10.hdf5' ]
    # any locale gives the same bytes
    [ "$output" = "$(LC_ALL=C iris-list d)" ]
}

@test "odd names as arguments" {
    empty -dash_7.hdf5 .hidden_8.hdf5 'back\slash_9.hdf5'
    run -0 --separate-stderr iris-list -- -dash_7.hdf5 .hidden_8.hdf5 'back\slash_9.hdf5'
    [ "$(column 1 <<<"$output" | paste -sd' ')" = "-dash_7 =2Ehidden_8 slash_9" ]
    [ "$(column 3 <<<"$output" | paste -sd' ')" = '-dash_7.hdf5 .hidden_8.hdf5 back\\slash_9.hdf5' ]
    # a label is encoded like a name
    [ "$(ids '--label=run 1/' -- -dash_7.hdf5)" = "run=201=2F-dash_7" ]
}

@test "an id that would be too long for a file name is refused" {
    local name
    name=$(printf 'x%.0s' {1..201}).hdf5
    empty "d/$name"
    run -65 --separate-stderr iris-list d
    one_sentence iris-list
    [[ $stderr == *"'d/$name'"* ]]
    [ -z "$output" ]
    name=$(printf 'x%.0s' {1..200}).hdf5
    empty "e/$name"
    run -0 --separate-stderr iris-list e
}

@test "the same id twice, and --label as the way out" {
    empty a/snap_1.hdf5 b/snap_1.hdf5
    run -65 --separate-stderr iris-list a b
    one_sentence iris-list
    [[ $stderr == *"'a/snap_1.hdf5'"*"'b/snap_1.hdf5'"*"'snap_1'"*"--label"* ]]
    [ -z "$output" ]
    { iris-list --label=a_ a && iris-list --label=b_ b; } | grep -v '^#' | cut -f1 >got
    [ "$(paste -sd' ' got)" = "a_snap_1 b_snap_1" ]
    # another suffix does not make another id
    empty c/snap_2.hdf5 c/snap_2.h5
    run -65 --separate-stderr iris-list c
    [[ $stderr == *"'c/snap_2.h5'"*"'c/snap_2.hdf5'"* ]]
    # nor does naming a file twice
    run -65 --separate-stderr iris-list a a/snap_1.hdf5
    run -65 --separate-stderr iris-list a/snap_1.hdf5 a/snap_1.hdf5
    # a draw must not depend on which of two it takes
    run -65 --separate-stderr iris-list --total=1 a b
}

@test "the label changes the draw's ids, not its columns" {
    empty d/snap_{1,2}.hdf5
    [ "$(ids --label=high_ d)" = "high_snap_1 high_snap_2" ]
    [ "$(iris-list --label=high_ d | sed s/high_//)" = "$(iris-list d)" ]
}

@test "an unreadable directory" {
    [ "$(id -u)" != 0 ] || skip "root reads everything"
    empty d/snap_1.hdf5
    chmod 000 d
    run -74 --separate-stderr iris-list d
    [[ $stderr == "iris-list: cannot read directory 'd': Permission denied" ]]
    chmod 444 d
    run -65 --separate-stderr iris-list d
}

@test "a warning is one line, whatever the names in it hold" {
    mkdir d
    : >d/snap_1.hdf5
    ln -s nowhere d/$'two\nlines\e[31m_2.hdf5'
    : >d/$'a\nset_3.1.hdf5'
    run -0 --separate-stderr iris-list d
    [ "$(grep -c '^iris-list: warning: ' <<<"$stderr")" = 2 ]
    [ "$(wc -l <<<"$stderr")" = 2 ]
    [[ $stderr == *'two\x0alines\x1b[31m_2.hdf5'* && $stderr == *'a\x0aset_3.0.hdf5'* ]]
}

@test "dangling links are left out with a warning, links are followed" {
    empty far/data.hdf5 d/snap_1.hdf5
    ln -s ../far/data.hdf5 d/snap_2.hdf5
    ln -s nowhere d/snap_3.hdf5
    mkdir d/snap_4.hdf5
    run -0 --separate-stderr iris-list d
    [ "$(column 1 <<<"$output" | paste -sd' ')" = "snap_1 snap_2" ]
    [[ $stderr == "iris-list: warning: left out 'd/snap_3.hdf5': No such file or directory" ]]
    run -0 --separate-stderr iris-list -q d
    [ -z "$stderr" ]
}

@test "a snapdir is one snapshot" {
    mkdir -p d/snapdir_005
    for k in 0 1 2; do
        printf '%0*d' $((k + 1)) 0 >d/snapdir_005/snap_005.$k.hdf5
        touch -d @$((1700000000 + k)) d/snapdir_005/snap_005.$k.hdf5
    done
    empty d/snap_004.hdf5
    run -0 --separate-stderr iris-list d
    [ -z "$stderr" ]
    [ "$(column 1 <<<"$output" | paste -sd' ')" = "snap_004 snap_005" ]
    diff - <(grep ^snap_005 <<<"$output") <<END
snap_005	5	d/snapdir_005/snap_005.0.hdf5	3	6	1700000002	.
END
    # the directory of the set itself, and its files
    for args in d/snapdir_005 "$(echo d/snapdir_005/*)" "$(ls d/snapdir_005/* | tac)"; do
        [ "$(iris-list $args | grep ^snap_005)" = "$(grep ^snap_005 <<<"$output")" ]
    done
}

@test "the files of a set given twice are refused like any file" {
    empty d/snapdir_005/snap_005.{0,1}.hdf5
    run -65 --separate-stderr iris-list d d/snapdir_005/snap_005.0.hdf5
    one_sentence iris-list
    [[ $stderr == *"'d/snapdir_005/snap_005.0.hdf5' are named twice" ]]
    [ -z "$output" ]
    run -65 --separate-stderr iris-list d/snapdir_005/snap_005.{0,1,1}.hdf5
}

@test "a flat set is one snapshot, a name with a number is none" {
    empty d/snap_012.{0,1,2,3,4,5,6,7,8,9,10}.hdf5 d/snap_013.{0,1}.h5 d/run.3.hdf5 d/run.4.hdf5
    run -0 --separate-stderr iris-list d
    [ -z "$stderr" ]
    [ "$(column 1 <<<"$output" | paste -sd' ')" = "run.3 run.4 snap_012 snap_013" ]
    [ "$(column 2 <<<"$output" | paste -sd' ')" = "3 4 12 13" ]
    [ "$(column 3 <<<"$output" | tail -n2 | paste -sd' ')" = "d/snap_012.0.hdf5 d/snap_013.0.h5" ]
    [ "$(column 4 <<<"$output" | paste -sd' ')" = "1 1 11 2" ]
}

@test "a missing part warns" {
    empty d/snapdir_005/snap_005.{0,1,3}.hdf5 d/snap_006.hdf5
    run -0 --separate-stderr iris-list d
    [[ $stderr == "iris-list: warning: "*"snap_005.0.hdf5"*"3 of at least 4 files"* ]]
    [ "$(wc -l <<<"$stderr")" = 1 ]
    [ "$(column 4 <<<"$output" | paste -sd' ')" = "4 1" ]
    # part 0 missing
    empty e/snap_007.{1,2}.hdf5
    run -0 --separate-stderr iris-list e
    [[ $stderr == *"2 of at least 3 files"* ]]
    [ "$(column 3 <<<"$output")" = e/snap_007.0.hdf5 ]
}

@test "the same set in two directories is an id twice" {
    empty a/snap_005.{0,1}.hdf5 b/snap_005.{0,1}.hdf5
    run -65 --separate-stderr iris-list a b
    empty c/snap_005.{0,1}.hdf5 c/snap_005.hdf5
    run -65 --separate-stderr iris-list c
}

@test "only the snapdirs of a directory are looked into" {
    empty d/snap_1.hdf5 d/other/snap_2.hdf5 d/snapdir_3/snap_3.0.hdf5 d/snapdir_3/snapdir_4/snap_4.hdf5
    [ "$(ids d)" = "snap_1 snap_3" ]
}

@test "index bounds by options" {
    empty d/snap_{1,2,3,10,20}.hdf5 d/none.hdf5 d/snapdir_015/snap_015.{0,1}.hdf5
    [ "$(ids --min-index=3 d)" = "snap_3 snap_10 snap_015 snap_20" ]
    [ "$(ids --max-index=3 d)" = "snap_1 snap_2 snap_3" ]
    [ "$(ids --min-index=2 --max-index=15 d)" = "snap_2 snap_3 snap_10 snap_015" ]
    [ "$(ids --min-index=-5 d)" = "snap_1 snap_2 snap_3 snap_10 snap_015 snap_20" ]
    [ "$(ids --min-index=20 --max-index=20 d)" = snap_20 ]
}

@test "index bounds from the settings, options come first" {
    empty d/snap_{1,2,3,10,20}.hdf5 d/none.hdf5
    tiny_hyper -s writer_hyper.min_snapshot_index=2 -s writer_hyper.max_snapshot_index=10 >hyper.json
    [ "$(ids -H hyper.json d)" = "snap_2 snap_3 snap_10" ]
    [ "$(ids -H hyper.json --max-index=30 d)" = "snap_2 snap_3 snap_10 snap_20" ]
    [ "$(ids -H hyper.json --min-index=3 d)" = "snap_3 snap_10" ]
    # files given by name stay
    [ "$(ids -H hyper.json d/none.hdf5 d/snap_20.hdf5)" = "none snap_20" ]
}

@test "bounds that leave nothing" {
    empty d/snap_{1,2,3}.hdf5
    run -65 --separate-stderr iris-list --min-index=5 --max-index=9 d
    one_sentence iris-list
    [[ $stderr == *"none of 3 snapshots"*"from 5 to 9" ]]
    [ -z "$output" ]
    tiny_hyper -s writer_hyper.min_snapshot_index=700 >hyper.json
    run -65 --separate-stderr iris-list -H hyper.json -o list.tsv d
    [[ $stderr == *"from 700 to the highest" ]]
    [ ! -e list.tsv ]
    run -65 --separate-stderr iris-list --max-index=-1 d
    [[ $stderr == *"from the lowest to -1" ]]
    run -65 --separate-stderr iris-list --min-index=2 --max-index=1 d
}

@test "the draw takes as many as the settings say, seeded" {
    for i in $(seq 30); do
        empty d/snap_$i.hdf5
    done
    tiny_hyper -s writer_hyper.total_snapshots=6 >hyper.json
    one=$(ids -H hyper.json d)
    [ "$(wc -w <<<"$one")" = 6 ]
    [ "$(ids -H hyper.json d)" = "$one" ]
    # it is a draw, not the head of the list
    [ "$one" != "$(seq -f snap_%g 6 | paste -sd' ')" ]
    # another seed, another choice; by option or by settings
    [ "$(ids -H hyper.json --seed=5 d)" != "$one" ]
    tiny_hyper -s writer_hyper.total_snapshots=6 --seed=5 >other.json
    [ "$(ids -H other.json d)" = "$(ids -H hyper.json --seed=5 d)" ]
    # by option alone, with the default seed
    [ "$(ids --total=6 d)" = "$one" ]
    # natural order within
    [ "$one" = "$(tr ' ' '\n' <<<"$one" | sort -V | paste -sd' ')" ]
    # more than there are: all
    [ "$(ids --total=1000 d | wc -w)" = 30 ]
}

@test "asking for more keeps the earlier choice" {
    for i in $(seq 30); do
        empty d/snap_$i.hdf5
    done
    before=
    for n in 1 2 5 11 29 30; do
        ids --total=$n d | tr ' ' '\n' >now
        [ "$(wc -l <now)" = $n ]
        for id in $before; do
            grep -qx "$id" now
        done
        before=$(cat now)
    done
}

@test "a new file disturbs the draw least" {
    for i in $(seq 30); do
        empty d/snap_$i.hdf5
    done
    iris-list --total=10 d | column 1 | sort >before
    empty d/snap_31.hdf5
    iris-list --total=10 d | column 1 | sort >after
    [ "$(wc -l <before)" = 10 ]
    [ "$(wc -l <after)" = 10 ]
    [ "$(comm -23 before after | wc -l)" -le 1 ]
    [ "$(comm -13 before after | grep -vcx snap_31)" = 0 ]
}

@test "the draw depends on ids only: not on directories, order, size or time" {
    for i in $(seq 20); do
        empty a/snap_$i.hdf5
        empty "else where/b/snap_$((21 - i)).hdf5"
        echo "$i" >"else where/b/snap_$((21 - i)).hdf5"
        touch -d @$((i * 1000)) "else where/b/snap_$((21 - i)).hdf5"
    done
    [ "$(ids --total=7 a | wc -w)" = 7 ]
    [ "$(ids --total=7 a)" = "$(ids --total=7 'else where/b')" ]
    # the same in two directories, named in either order
    mkdir c1 c2
    mv a/snap_1?.hdf5 c1
    mv a/snap_*.hdf5 c2
    [ "$(ids --total=7 c1 c2)" = "$(ids --total=7 'else where/b')" ]
    [ "$(iris-list --total=7 c1 c2)" = "$(iris-list --total=7 c2 c1)" ]
}

@test "files given by name are all taken" {
    for i in $(seq 10); do
        empty d/snap_$i.hdf5
    done
    [ "$(ids --total=2 d/*.hdf5 | wc -w)" = 10 ]
    [ "$(ids --min-index=100 d/*.hdf5 | wc -w)" = 10 ]
    # beside a directory they come on top of the draw
    empty named_1.hdf5
    drawn=$(ids --total=2 d)
    [ "$(ids --total=2 d named_1.hdf5)" = "named_1 $drawn" ]
}

@test "the parts of a draw are a partition of it" {
    for i in $(seq 30); do
        empty d/snap_$i.hdf5
    done
    tiny_hyper -s writer_hyper.total_snapshots=11 >hyper.json
    iris-list -H hyper.json d | grep -v '^#' | sort >all
    [ "$(wc -l <all)" = 11 ]
    for n in 1 2 3 11 13; do
        : >parts
        for k in $(seq "$n"); do
            iris-list -H hyper.json --part="$k/$n" d >part.tsv
            rows=$(grep -vc '^#' part.tsv || true)
            [ "$(tail -n1 part.tsv)" = "##rows $rows" ]
            # shares differ by one at most
            [ "$rows" -ge $((11 / n)) ]
            [ "$rows" -le $(((11 + n - 1) / n)) ]
            grep -v '^#' part.tsv >>parts || true
        done
        sort parts | diff all -
    done
}

@test "a grid of settings: a row for each combination" {
    empty d/snap_{1,2}.hdf5
    touch -d @1000 d/*
    run -0 --separate-stderr iris-list --grid=dataset_hyper.CMZ_density_factor=0.5:1.5:3 \
        --grid='suite_hyper.centre=["densest",null]' d
    [ -z "$stderr" ]
    [ "$output" = "$(printf '%s\n' '##iris-manifest 1 snapshots' \
        '##columns snapshot:str index:u64 path:path files:u32 bytes:u64[B] mtime:i64[s] remote:str set:dataset_hyper.CMZ_density_factor:f64 set:suite_hyper.centre:str' \
        $'#snapshot\tindex\tpath\tfiles\tbytes\tmtime\tremote\tset:dataset_hyper.CMZ_density_factor\tset:suite_hyper.centre'
        for i in 1 2; do
            for factor in 0.5 1.0 1.5; do
                for centre in '"densest"' null; do
                    printf 'snap_%s\t%s\td/snap_%s.hdf5\t1\t0\t1000\t.\t%s\t%s\n' $i $i $i $factor "$centre"
                done
            done
        done
        echo '##rows 12')" ]
    # whole numbers for a whole number
    [ "$(iris-list --grid=cube_hyper.v_steps=20:10:3 d/snap_1.hdf5 | column 8 | paste -sd' ')" = "20 15 10" ]
    # the same without the columns of settings is the list
    [ "$(cut -f-7 <<<"$output" | grep -v '^#' | uniq)" = "$(iris-list d | grep -v '^#')" ]
}

@test "the values of a grid are settings" {
    empty d/snap_1.hdf5
    for grid in dataset_hyper.CMZ_density_factor=0.1:0.9:9 observer_hyper.T_cmb=1e-7:3e22:4 \
        coordinate_hyper.spin_orientation=-1:1:2 'suite_hyper.transfer=["optically thin","optically thick"]' \
        'suite_hyper.periodic=[true,false]' 'suite_hyper.centre=[[1,2.5,3]]' \
        'observer_hyper.chem_path=[["a b.dat"],["c\\d.dat"]]'; do
        iris-list --grid="$grid" -o list.tsv d
        n=0
        while IFS= read -r value; do
            value=${value//\\\\/\\}
            iris-hyper --preset=SEDIGISM_13C16O -s "${grid%%=*}=$value" -o hyper.json
            n=$((n + 1))
        done < <(column 8 <list.tsv)
        [ "$(tail -n1 list.tsv)" = "##rows $n" ]
        [ $n -gt 0 ]
    done
}

@test "a grid comes after the draw and the part" {
    for i in $(seq 20); do
        empty d/snap_$i.hdf5
    done
    grid=--grid=cube_hyper.v_steps=2:4:3
    for args in --total=5 --part=2/3 "--total=7 --part=1/2" --min-index=18; do
        iris-list $args d | column 1 >drawn
        iris-list $args $grid d | column 1 | uniq -c | awk '{ print $1, $2 }' >expanded
        sed 's/^/3 /' drawn | cmp - expanded
    done
    # an empty part has the columns
    iris-list --total=1 --part=2/2 $grid -o empty.tsv d
    [ "$(tail -n1 empty.tsv)" = "##rows 0" ]
    grep -q $'^#snapshot.*\tset:cube_hyper.v_steps$' empty.tsv
    iris-list --total=1 --part=1/2 $grid d >one.tsv
    cat one.tsv empty.tsv >both.tsv
    run -0 --separate-stderr iris-fetch both.tsv
    [ "$(tail -n1 <<<"$output")" = "##rows 3" ]
}

@test "grids that are refused" {
    empty d/snap_1.hdf5
    # refused PHRASE ARGUMENT...
    refused() {
        run -64 --separate-stderr iris-list -o list.tsv "${@:2}" d
        one_sentence iris-list
        [[ $stderr == *"$1"* ]] || { echo "no '$1' in: $stderr"; return 1; }
        [ ! -e list.tsv ]
    }
    refused "need SECTION.KEY=A:B:N" --grid=
    refused "'cube_hyper.v_min'" --grid=cube_hyper.v_mim=1:2:2
    refused "need A:B:N" --grid=cube_hyper.v_min=1:2
    refused "'x'" --grid=cube_hyper.v_min=1:2:x
    refused "in one value" --grid=cube_hyper.v_min=1:2:1
    refused "whole numbers" --grid=cube_hyper.v_steps=2:3:3
    refused "not 1" --grid=cube_hyper.v_steps=1:3:3
    refused 'not "min"' '--grid=cube_hyper.reduction=["max","min"]'
    refused "JSON" '--grid=cube_hyper.reduction=[max]'
    refused "2.0 twice" '--grid=cube_hyper.v_min=[2,1,2.0]'
    refused "is varied twice" --grid=cube_hyper.v_min=1:2:2 '--grid=cube_hyper.v_min=[4]'
    refused "combinations" --grid=cube_hyper.v_min=1:2:2000 --grid=cube_hyper.v_max=3:4:501
    for key in writer_hyper.total_snapshots training_hyper.epochs observer_hyper.lon_pieces suite_hyper.seed; do
        refused "$key is no setting of data points" --grid=$key=2:3:2
    done
}

@test "how many settings there are" {
    empty d/snap_{1,2,3}.hdf5
    grid="--grid=cube_hyper.v_steps=2:4:3 --grid=coordinate_hyper.jitter_r=[true,false]"
    run -0 --separate-stderr iris-list --dry-run --total=2 $grid d
    [ "$stderr" = "iris-list: would list 2 of 3 snapshots, each with 6 settings" ]
    run -0 --separate-stderr iris-list -v $grid d
    [ "$stderr" = "iris-list: 3 of 3 snapshots, each with 6 settings" ]
}

@test "output by rename" {
    empty d/snap_{1,2}.hdf5
    iris-list d >stdout.tsv
    run -0 --separate-stderr iris-list -o list.tsv d
    [ -z "$output" ]
    [ -z "$stderr" ]
    cmp stdout.tsv list.tsv
    # a reader of the old one keeps it
    exec 9<list.tsv
    empty d/snap_3.hdf5
    iris-list -o list.tsv d
    cmp stdout.tsv - <&9
    exec 9<&-
    [ "$(tail -n1 list.tsv)" = "##rows 3" ]
    [ "$(ls)" = "$(printf 'd\nlist.tsv\nstdout.tsv')" ]
    # nothing is left where it cannot be written, the old one stays
    cp list.tsv old.tsv
    run -65 --separate-stderr iris-list -o list.tsv --min-index=9 d
    cmp old.tsv list.tsv
    run -74 --separate-stderr iris-list -o nowhere/list.tsv d
    [[ $stderr == *"nowhere/list.tsv"* ]]
    run -74 --separate-stderr iris-list -o d d
}

@test "a full disk" {
    empty d/snap_{1,2}.hdf5
    run -74 --separate-stderr bash -c 'iris-list d >/dev/full'
    [ "$stderr" = "iris-list: cannot write standard output: No space left on device" ]
    run -74 --separate-stderr bash -c 'iris-list --help >/dev/full'
    run -74 --separate-stderr bash -c 'iris-list d >&-'
    run -74 --separate-stderr iris-list -o /dev/full d
}

@test "a dry run prints no rows and writes nothing" {
    empty d/snap_{1,2,3}.hdf5
    run -0 --separate-stderr iris-list --dry-run -o list.tsv --total=2 d
    [ -z "$output" ]
    [ "$stderr" = "iris-list: would list 2 of 3 snapshots" ]
    [ ! -e list.tsv ]
    run -0 --separate-stderr iris-list --dry-run d
    [ -z "$output" ]
    run -65 --separate-stderr iris-list --dry-run --min-index=9 d
}

@test "quiet on success, -v says how many" {
    empty d/snap_{1,2,3}.hdf5
    run -0 --separate-stderr iris-list d
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-list -v --total=2 d
    [ "$stderr" = "iris-list: 2 of 3 snapshots" ]
    run -0 --separate-stderr iris-list -v -q d
    [ -z "$stderr" ]
}

@test "ten thousand snapshots take no time" {
    mkdir d
    (cd d && seq -f 'snap_%05g.hdf5' 10000 | xargs touch)
    run -0 --separate-stderr timeout 60 iris-list d
    [ "$(tail -n1 <<<"$output")" = "##rows 10000" ]
}
