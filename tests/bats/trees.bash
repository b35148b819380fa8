# Shared by the tests that disturb programs and look at what is then on disk; loaded
# with `load trees`.

# What has a clock or a process in it.
with_clock() {
    echo journal
    echo status.json
    echo lock
    echo flight
    echo suspects
}

# same_tree A B: no difference, but for what has a clock
same_tree() {
    local clock
    mapfile -t clock < <(with_clock | sed 's/^/--exclude=/')
    diff -r "${clock[@]}" "$1" "$2"
}

# whole TREE ALLOWED...: each file with a final name has the bytes that it has
# in one of the other trees. So each is there as before, or as at the end.
whole() {
    perl -e '
        my ($clocks, $tree, @allowed) = @ARGV;
        my %with_clock = map { $_ => 1 } split " ", $clocks;
        sub bytes { open my $f, "<:raw", $_[0] or return; local $/; my $b = <$f>; defined $b ? $b : "" }
        sub walk {
            my ($at) = @_;
            opendir my $d, "$tree/$at" or die "$at: $!";
            for (sort readdir $d) {
                next if /^\.\.?$/ || /\.tmp$/ || $_ eq "rows.new" || $at =~ m|/\.iris$| && $with_clock{$_};
                my $f = "$at/$_";
                if (-d "$tree/$f") { walk($f); next }
                my $b = bytes("$tree/$f");
                my $ok = grep { my $a = bytes("$_/$f"); defined $a && $a eq $b } @allowed;
                if (!$ok) { print "$f is neither as before nor as at the end\n"; $bad = 1 }
            }
        }
        walk(".");
        exit $bad' "$(with_clock)" "$@"
}
