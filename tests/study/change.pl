#!/usr/bin/perl
# change.pl TRUE OTHER [sums]: how one map of singles (.npy) differs from another, in
# percent: peak, root mean square of the difference as a part of that of the map, and sum.
# sums: of all along the first axis.
use strict;
use warnings;

my ($sums) = splice @ARGV, 2;
my @map = map {
    open my $in, "<:raw", $_ or die "$_: $!\n";
    local $/;
    my $all = <$in>;
    my @v = unpack "f<*", substr $all, 10 + unpack "v", substr $all, 8, 2;
    if ($sums) {
        my ($rows, $row) = $all =~ /\(1, (\d+), (\d+)\)/;
        my @sum = (0) x $row;
        $sum[$_ % $row] += $v[$_] / $rows for 0 .. $#v;
        @v = @sum;
    }
    \@v
} @ARGV;
my ($all, $square, @peak) = (0, 0, 0, 0);
my @sum = (0, 0);
for my $i (0 .. $#{$map[0]}) {
    my @v = ($map[0][$i], $map[1][$i]);
    ($all, $square) = ($all + $v[0] ** 2, $square + ($v[1] - $v[0]) ** 2);
    for (0, 1) {
        $sum[$_] += $v[$_];
        $peak[$_] = $v[$_] if $v[$_] > $peak[$_];
    }
}
my @percent = (100 * ($peak[1] / $peak[0] - 1), 100 * sqrt($square / $all), 100 * ($sum[1] / $sum[0] - 1));
printf "%+.2f\t%.2f\t%+.2f\n", map { abs $_ < 0.005 ? 0 : $_ } @percent;
