#!/usr/bin/env bats
# iris-list --probe: what is in a snapshot, and which settings it needs.
bats_require_minimum_version 1.5.0
load common

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# facts FILE ITEM [NAME]: value, unit and note of these rows
facts() {
    awk -F'\t' -v item="$2" -v name="${3-}" \
        '!/^#/ && $2 == item && (name == "" || $3 == name) { print $4 "\t" $5 "\t" $6 }' "$1"
}

# settings ITEM...: of ./probe.tsv, as arguments of iris-hyper, into ./settings
settings() {
    awk -F'\t' -v items=" $* " 'index(items, " " $2 " ") { print "-s"; print $4 }' probe.tsv >settings
}

# as_needed BASE: ./hyper.json with the settings of ./settings pasted
as_needed() {
    xargs -d '\n' -r -a settings iris-hyper --preset="./$1" >hyper.json
    [ -s settings ] || cp "$1" hyper.json
}

# made TYPE SNAPSHOT: iris-gen takes it with ./hyper.json
made() {
    rm -rf out
    iris-list "$2" | iris-gen -q -H hyper.json -t "$1" -d out - >entries.tsv
}

# takes SNAPSHOT TYPE...: not as it is, with what is needed it does, by each type
takes() {
    local file=$1 type
    shift
    iris-list --probe -H base.json "$file" >probe.tsv
    settings needs hint
    as_needed base.json
    for type; do
        [[ $(facts probe.tsv taken "$type") == "yes"* ]] || { cat probe.tsv; return 1; }
        made "$type" "$file" || { echo "$type is not made"; cat settings; return 1; }
    done
}

# needs KEY=VALUE...: exactly these
needs() {
    diff <(facts probe.tsv needs | cut -f1) <(printf '%s' "${*/%/$'\n'}" | sed 's/^ //')
}

mock() {
    iris-mock -o snap_001.hdf5 --cells=2000 --seed=1
    tiny_hyper >base.json
}

@test "of a whole snapshot: fields, units, places, ranges; nothing is needed" {
    mock
    run -0 --separate-stderr iris-list --probe snap_001.hdf5
    [ -z "$stderr" ]
    echo "$output" >probe.tsv
    [ "$(head -1 probe.tsv)" = "##iris-manifest 1 probes" ]
    [ "$(tail -1 probe.tsv)" = "##rows $(grep -vc '^#' probe.tsv)" ]
    [ "$(facts probe.tsv cells)" = "2000	.	." ]
    [ "$(facts probe.tsv files)" = "1	.	." ]
    [ "$(facts probe.tsv bytes)" = "$(stat -c %s snap_001.hdf5)	B	." ]
    [ "$(facts probe.tsv dataset PartType0/Coordinates)" = "(2000, 3)	float64	needed for all data" ]
    [ "$(facts probe.tsv dataset PartType0/DustTemperature)" = \
        "(2000,)	float32	needed for standard and synthetic data" ]
    [ "$(facts probe.tsv dataset PartType0/ParticleIDs)" = "(2000,)	uint32	." ]
    [ "$(facts probe.tsv unit UnitMass_in_g)" = "1.989e+33	g	Header" ]
    [ "$(facts probe.tsv header BoxSize)" = "240.0	.	Header" ]
    [ -z "$(facts probe.tsv missing)" ]
    [ -z "$(facts probe.tsv needs)" ]
    for type in simple standard synthetic; do
        [ "$(facts probe.tsv taken $type)" = "yes	.	." ]
    done
}

@test "numbers are those of h5py" {
    mock
    iris-list --probe snap_001.hdf5 >probe.tsv
    /usr/bin/python3 - probe.tsv snap_001.hdf5 <<'EOF'
import sys, h5py, numpy as np
rows = [l.rstrip("\n").split("\t") for l in open(sys.argv[1]) if l[0] != "#"]
get = lambda item, name, unit: np.array([r[3].split() for r in rows if r[1:3] == [item, name] and r[4] == unit][0], float)
f = h5py.File(sys.argv[2]); g = f["PartType0"]; h = f["Header"].attrs
x, m, rho = g["Coordinates"][:], g["Masses"][:].astype(float), g["Density"][:].astype(float)
pc = h["UnitLength_in_cm"] / 3.08567758128e18
for k, a in enumerate("xyz"):
    assert (get("extent", a, "code") == [x[:, k].min(), x[:, k].max()]).all()
    assert np.allclose(get("extent", a, "pc"), [x[:, k].min() * pc, x[:, k].max() * pc], rtol=1e-5)
assert np.allclose(get("place", "centre_of_mass", "code"), (x * m[:, None]).sum(0) / m.sum(), rtol=1e-12)
assert (get("place", "densest_cell", "code") == x[rho.argmax()]).all()
cgs = h["UnitMass_in_g"] / h["UnitLength_in_cm"] ** 3
assert np.allclose(get("range", "density", "g cm-3"), [rho.min() * cgs, rho.max() * cgs], rtol=1e-5)
v = g["Velocities"][:, 0].astype(float) * h["UnitVelocity_in_cm_per_s"] / 1e5
assert np.allclose(get("range", "velocity_x", "km/s"), [v.min(), v.max()], rtol=1e-5)
x_H2, x_Hp = g["ChemicalAbundances"][:, 0].astype(float), g["ChemicalAbundances"][:, 1].astype(float)
u = g["InternalEnergy"][:].astype(float) * (h["UnitVelocity_in_cm_per_s"] / 100) ** 2
T = 2 / 3 * u * (1.6735575e-27 + 0.1 * 6.6464764e-27) / (1.380649e-23 * (1 + x_Hp - x_H2 + 0.1))
assert np.allclose(get("range", "temperature", "K"), [T.min(), T.max()], rtol=1e-3)
assert np.allclose(get("range", "H2", "."), [x_H2.min(), x_H2.max()], rtol=1e-5)
EOF
}

@test "a set says the same as its one file" {
    iris-mock -o snapdir_002 --cells=3000 --seed=2 --files=3
    mkdir one
    h5edit merge-set one/snap_002.hdf5 snapdir_002/*.hdf5
    iris-list --probe snapdir_002 | grep -v 'path\|files\|bytes\|dataset\|header' >of_set
    iris-list --probe one | grep -v 'path\|files\|bytes\|dataset\|header' >single
    diff of_set single
    iris-list --probe snapdir_002 >probe.tsv
    [ "$(facts probe.tsv files)" = "3	.	." ]
    [ "$(facts probe.tsv dataset PartType0/Density | cut -f1)" = "(3000,)" ]
    # a file of it alone is no snapshot
    run -1 --separate-stderr iris-list -q --probe snapdir_002/snap_002.0.hdf5
    one_sentence iris-list
    [[ $stderr == *"one of a set of 3 files"* ]]
    [[ $output == *"taken	simple	no	"*"one of a set of 3 files"* ]]
}

@test "no dust temperatures, or one that is no number" {
    mock
    cp snap_001.hdf5 snap_002.hdf5
    h5edit snap_001.hdf5 delete PartType0/DustTemperature
    takes snap_001.hdf5 simple standard
    needs suite_hyper.dust_temperature=20.0
    [ "$(facts probe.tsv missing)" = ".	.	needed for standard and synthetic data" ]
    h5edit snap_002.hdf5 nan PartType0/DustTemperature 1500
    takes snap_002.hdf5 simple standard
    needs suite_hyper.dust_temperature=20.0
    # it was needed
    cp base.json hyper.json
    run ! made standard snap_002.hdf5
}

@test "no chemistry, or one that is no number" {
    mock
    cp snap_001.hdf5 snap_002.hdf5
    h5edit snap_001.hdf5 delete PartType0/ChemicalAbundances
    takes snap_001.hdf5 simple standard
    needs dataset_hyper.use_AREPO_abundances=false
    # there is no CO, so a line needs something else
    [[ $(facts probe.tsv hint suite_hyper.abundance) == 'suite_hyper.abundance={"per_H":'* ]]
    tiny_hyper -s 'suite_hyper.abundance={"per_H": 1e-6}' >base.json
    takes snap_001.hdf5 simple standard
    [ -z "$(facts probe.tsv hint suite_hyper.abundance)" ]
    tiny_hyper >base.json
    h5edit snap_002.hdf5 nan PartType0/ChemicalAbundances 3
    takes snap_002.hdf5 simple standard
    needs dataset_hyper.use_AREPO_abundances=false
}

@test "columns that are not there, and those of nine species" {
    mock
    tiny_hyper -s dataset_hyper.AREPO_CO_abundance_id=5 >base.json
    takes snap_001.hdf5 simple standard
    needs dataset_hyper.AREPO_CO_abundance_id=2
    h5edit snap_001.hdf5 widen PartType0/ChemicalAbundances 9
    takes snap_001.hdf5 simple standard
    needs
    [ -z "$(facts probe.tsv hint dataset_hyper.AREPO_CO_abundance_id)" ]
    tiny_hyper >base.json
    takes snap_001.hdf5 standard
    [[ $(facts probe.tsv hint dataset_hyper.AREPO_CO_abundance_id) == \
        "dataset_hyper.AREPO_CO_abundance_id=5	"* ]]
}

@test "fewer columns than any choice of them needs" {
    mock
    /usr/bin/python3 - snap_001.hdf5 <<'EOF'
import sys, h5py
g = h5py.File(sys.argv[1], "a")["PartType0"]
x = g["ChemicalAbundances"][:, :2]
del g["ChemicalAbundances"]
g["ChemicalAbundances"] = x
EOF
    # columns that have been looked for first are of no use then
    tiny_hyper -s dataset_hyper.AREPO_CO_abundance_id=5 >base.json
    takes snap_001.hdf5 simple standard
    needs dataset_hyper.use_AREPO_abundances=false
}

@test "a header that does not tell the truth" {
    mock
    h5edit snap_001.hdf5 attr Header NumPart_Total 7
    iris-list --probe snap_001.hdf5 >probe.tsv
    [ "$(facts probe.tsv warning)" = \
        ".	.	'snap_001.hdf5': the header says 7 gas cells in all, the datasets have 2000" ]
    [ "$(facts probe.tsv cells)" = "2000	.	." ]
}

@test "masses that are none do not count" {
    mock
    h5edit snap_001.hdf5 set PartType0/Masses 0 inf
    iris-list --probe snap_001.hdf5 >probe.tsv
    run ! grep -w -- '-\?nan' probe.tsv
    [[ $(facts probe.tsv place centre_of_mass) == *"as if all cells had the same mass" ]]
}

@test "a comoving run, and everything at once" {
    mock
    h5edit snap_001.hdf5 attr Parameters ComovingIntegrationOn 1
    h5edit snap_001.hdf5 attr Header Time 0.5
    h5edit snap_001.hdf5 attr Header HubbleParam 0.7
    h5edit snap_001.hdf5 attr PartType0/Coordinates a_scaling 1
    h5edit snap_001.hdf5 attr PartType0/Coordinates h_scaling -1
    takes snap_001.hdf5 simple standard
    needs 'suite_hyper.comoving="convert"'
    [ "$(facts probe.tsv header ComovingIntegrationOn)" = "1.0	.	Parameters" ]
    # physical parsecs: of a / h
    awk -F'\t' '$2 == "place" && $3 == "middle_of_box" && $5 == "pc" {
        split($4, x, " "); ok = x[1] > 8571 && x[1] < 8572 } END { exit !ok }' probe.tsv
    h5edit snap_001.hdf5 delete PartType0/DustTemperature
    h5edit snap_001.hdf5 delete PartType0/ChemicalAbundances
    takes snap_001.hdf5 simple standard
    [ "$(facts probe.tsv needs | wc -l)" = 3 ]
    # what has been set is not needed again
    cp hyper.json base.json
    takes snap_001.hdf5 simple standard
    needs
    [ -z "$(facts probe.tsv missing)" ]
}

@test "no box" {
    mock
    h5edit snap_001.hdf5 attr Header BoxSize 0
    # AREPO's faces are periodic, unless nothing is known: no setting helps
    run -1 --separate-stderr iris-list --probe snap_001.hdf5
    one_sentence iris-list
    [[ $stderr == *"'snap_001' cannot be used: "*"periodic faces but no positive BoxSize" ]]
    h5edit snap_001.hdf5 delete Config
    takes snap_001.hdf5 simple standard
    needs 'suite_hyper.centre="densest"'
}

@test "hints: a view over the faces, gas far from the middle" {
    mock
    # an observer who looks out of the box: refused without the hint
    tiny_hyper -s coordinate_hyper.r_max=30000 >base.json
    cp base.json hyper.json
    run ! made simple snap_001.hdf5
    takes snap_001.hdf5 simple
    [ "$(facts probe.tsv hint | cut -f1)" = "suite_hyper.periodic=true" ]
    [ "$(facts probe.tsv fills_box x)" = "yes	.	periodic" ]
    h5edit snap_001.hdf5 shift 30 0 0
    iris-list --probe snap_001.hdf5 >probe.tsv
    [[ $(facts probe.tsv hint suite_hyper.centre) == \
        "suite_hyper.centre=[$(facts probe.tsv place densest_cell | head -1 | cut -f1 | tr ' ' ,)]	"* ]]
    [ "$(facts probe.tsv fills_box x | cut -f1)" = outside ]
    takes snap_001.hdf5 simple
}

@test "what only simple data can be made of" {
    mock
    h5edit snap_001.hdf5 delete PartType0/InternalEnergy
    takes snap_001.hdf5 simple
    [[ $(facts probe.tsv taken standard) == "no	.	'snap_001.hdf5' has no dataset 'PartType0/InternalEnergy'" ]]
    needs
    run ! made standard snap_001.hdf5
    [ -z "$(facts probe.tsv range temperature)" ]
    [ -n "$(facts probe.tsv range density)" ]
}

@test "units: where they are, and that they are missing" {
    mock
    h5edit snap_001.hdf5 delattr Header UnitMass_in_g
    iris-list --probe snap_001.hdf5 >probe.tsv
    [ "$(facts probe.tsv unit UnitMass_in_g)" = "1.989e+33	g	Parameters" ]
    h5edit snap_001.hdf5 delattr Parameters UnitMass_in_g
    h5edit snap_001.hdf5 attr PartType0/Density to_cgs 6.77e-29
    takes snap_001.hdf5 simple
    [[ $(facts probe.tsv unit UnitMass_in_g) == *"	g	PartType0/Density" ]]
    h5edit snap_001.hdf5 attr PartType0/Density to_cgs 0
    run -1 --separate-stderr iris-list --probe snap_001.hdf5
    one_sentence iris-list
    echo "$output" >probe.tsv
    [ "$(facts probe.tsv missing UnitMass_in_g)" = ".	g	needed for all data" ]
    [[ $(facts probe.tsv unit UnitLength_in_cm) == *"	cm	Header" ]]
    [[ $(facts probe.tsv taken simple) == "no	.	"*UnitMass_in_g* ]]
}

@test "files that are no snapshots, beside one that is" {
    snapshots 1
    echo text >snaps/snap_002.hdf5
    iris-mock -o snaps/snap_003.hdf5 --cells=2000 --seed=3
    h5edit snaps/snap_003.hdf5 nan PartType0/Density 7
    run -1 --separate-stderr iris-list --probe snaps
    one_sentence iris-list
    [[ $stderr == *"2 of 3 snapshots cannot be used, the first is 'snap_002': "* ]]
    echo "$output" >probe.tsv
    [ "$(facts probe.tsv taken simple | cut -f1 | paste -sd' ')" = "yes no no" ]
    [[ $(facts probe.tsv taken simple | tail -1) == *"'PartType0/Density' is not a number at cell 7" ]]
    [ "$(tail -1 probe.tsv)" = "##rows $(grep -vc '^#' probe.tsv)" ]
    # the filters are those of a list
    iris-list --probe --max-index=1 snaps >probe.tsv
    [ "$(grep -v '^#' probe.tsv | cut -f1 | sort -u)" = snap_001 ]
}

@test "wrong command lines; -o, --dry-run" {
    mock
    run -64 --separate-stderr iris-list --probe --remote=there snaps
    one_sentence iris-list
    run -64 --separate-stderr iris-list --probe --grid=dataset_hyper.CMZ_density_factor=1:2:2 snap_001.hdf5
    one_sentence iris-list
    run -74 --separate-stderr iris-list --probe absent.hdf5
    one_sentence iris-list
    iris-list --probe -o probe.tsv snap_001.hdf5
    cmp probe.tsv <(iris-list --probe snap_001.hdf5)
    run -0 --separate-stderr iris-list --probe --dry-run snap_001.hdf5
    [ -z "$output" ]
    # no program takes it for a list of snapshots
    run -65 --separate-stderr iris-gen -H base.json -t simple -d out probe.tsv
    one_sentence iris-gen
    [[ $stderr == *probes* ]]
}

@test "a large snapshot takes the memory of a small one" {
    ! sanitized || skip "a sanitizer keeps what was freed"
    # 1,000,000 cells have 8 MB in each column, and 100 MB as iris-gen loads them
    iris-mock -o snap_001.hdf5 --cells=40000 --seed=1
    iris-mock -o snap_002.hdf5 --cells=1000000 --seed=1
    peak() {
        /usr/bin/python3 -c 'import resource, subprocess, sys
subprocess.run(["iris-list", "--probe", "-o", "probe.tsv", sys.argv[1]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$1"
    }
    small=$(peak snap_001.hdf5)
    large=$(peak snap_002.hdf5)
    echo "$small KiB, $large KiB"
    [ "$large" -le $((small + 8000)) ]
}

@test "real snapshots are taken with what they need" {
    need_shared
    [ -d "$SHARED/real" ] || skip "no shared reference data"
    for file in "$SHARED/real/galaxy_interaction.hdf5" "$SHARED/real/merger_multi/snapdir_003"; do
        tiny_hyper >base.json
        takes "$file" simple standard
        needs dataset_hyper.use_AREPO_abundances=false suite_hyper.dust_temperature=20.0
        [[ $(facts probe.tsv hint suite_hyper.centre) == "suite_hyper.centre=["* ]]
    done
}
