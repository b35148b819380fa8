#!/usr/bin/perl
# page.pl PAGE SECTION DIR: the literal displays of a section of an mdoc page, as
# they are read: DIR/NN.cmd those that are indented, DIR/NN.out those that are
# indented twice, which is what the commands before print.
use strict;
use warnings;

my ($page, $section, $dir) = @ARGV;
open my $in, '<', $page or die "$page: $!\n";
my ($here, $n, $out) = (0, 0);
while (my $line = <$in>) {
    if ($line =~ /^\.S[hs] (.*)/) {
        my $name = $1;
        # a subsection is of the section that it is in
        $here = $name eq $section if $line =~ /^\.Sh/ || $name eq $section;
    } elsif ($here && $line =~ /^\.Bd -literal -offset indent(-two)?$/) {
        my $name = sprintf '%s/%02d.%s', $dir, $1 ? $n : ++$n, $1 ? 'out' : 'cmd';
        open $out, '>', $name or die "$name: $!\n";
    } elsif ($line =~ /^\.Ed/) {
        close $out if $out;
        undef $out;
    } elsif ($out) {
        $line =~ s/\\e/\\/g;
        $line =~ s/\\\(dq/"/g;
        $line =~ s/\\-/-/g;
        $line =~ s/\\&//g;
        print $out $line;
    }
}
die "$page: nothing in $section\n" unless $n;
