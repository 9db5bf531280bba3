#!/usr/bin/perl
# replay.pl: the parts of replay that handle paths of any bytes. Knows no git command: it reads what git wrote into files
# of a folder, and writes texts.
#
#   replay.pl plan DIR           commits, wanted, base -> the plan on standard output; patches/*.added, patches/*.links
#   replay.pl compare DIR        wanted, merges, own: is each change there once, and the very same one?
#   replay.pl history N SEED     N random commits, for git fast-import
use strict;
use warnings;

sub slurp { my ($file) = @_; local $/; open my $in, '<:raw', $file or die "$file: $!\n"; my $all = <$in>; return $all // '' }
sub spew { my ($file, $text) = @_; open my $out, '>:raw', $file or die "$file: $!\n"; print $out $text; close $out or die "$file: $!\n" }

# What `git log --raw -z --format=%x01...` wrote: [text after the mark, [meta, path] ...] of each commit.
sub raw_log {
    my @words = split /\0/, slurp($_[0]);
    my @commits;
    while (@words) {
        my $word = shift @words;
        $word =~ s/^\n//;
        if ($word =~ s/^\x01//) { push @commits, [$word]; }
        elsif ($word =~ /^:/) { push @{$commits[-1]}, [$word, shift @words]; }
    }
    return @commits;
}
sub task_id { my ($n, $hash) = @_; return "$n-" . substr $hash, 0, 12 }
sub folders { my @all; my $path = $_[0]; push @all, $path while $path =~ s{/[^/]*$}{}; return @all }

# ---- plan: each commit needs the nearest earlier ones that touch a path of its own ----

# A path that is a folder of another's is shared, too, and a folder that goes with its last file is a path that is touched:
# git takes one that was renamed away for the new place of what others put into the old one.
sub plan {
    my ($dir) = @_;
    my (%files_in, %last, %below, @tasks);
    for my $path (split /\0/, slurp("$dir/base")) { $files_in{$_}++ for folders($path); }
    for my $commit (raw_log("$dir/wanted")) {
        my ($hash, @entries) = @$commit;
        my $n = @tasks;
        my (%touched, %needs, @added, $links);
        for (@entries) {
            my ($meta, $path) = @$_;
            my ($kind) = $meta =~ / ([A-Z])$/ or die "not understood: $meta\n";
            $touched{$path} = 1;
            $links = 1 if $meta =~ /^:160000|^:\d+ 160000/;
            push @added, $path if $kind eq 'A';
            if ($kind eq 'A') { $files_in{$_}++ for folders($path); }
            if ($kind eq 'D') { $files_in{$_}-- for folders($path); }
        }
        for (@entries) { $touched{$_} = 1 for grep { !$files_in{$_} } folders($_->[1]); }
        for my $path (keys %touched) {
            $needs{$_} = 1 for grep { defined } map { $last{$_} } $path, folders($path);
            $needs{$_} = 1 for keys %{$below{$path} // {}};
        }
        for my $path (keys %touched) {
            $last{$path} = $n;
            delete $below{$path}; # who touches what is below from now on needs this one
        }
        for my $path (keys %touched) { $below{$_}{$n} = 1 for folders($path); }
        push @tasks, {id => task_id($n, $hash), hash => $hash, empty => !@entries, needs => [map { $tasks[$_]{id} } sort { $a <=> $b } keys %needs]};
        spew("$dir/patches/$hash.added", join '', map { "$_\0" } @added) if @added;
        spew("$dir/patches/$hash.links", '') if $links;
    }
    for (@tasks) {
        my $needs = join ', ', map { "\"$_\"" } @{$_->{needs}};
        my $run = $_->{empty} ? 'true' : "$dir/apply $dir/patches/$_->{hash}";
        $_ = qq({"id": "$_->{id}", "needs": [$needs], "run": "$run") . ($_->{empty} ? ', "allow_empty": true' : '') . '}';
    }
    print qq({"tasks": [\n), join(",\n", @tasks), "\n]}\n";
}

# ---- compare ----

sub shown { my ($text) = @_; $text =~ s/([^ -~]|\\)/sprintf '\\x%02x', ord $1/ge; return $text }
sub list { return join "\0", map { "$_->[0] $_->[1]" } @_ }

sub compare {
    my ($dir) = @_;
    my $wrong = 0;
    my $say = sub { print "  ", shown($_[0]), "\n"; $wrong = 1; };
    my (%wanted, $n);
    for (raw_log("$dir/wanted")) { my ($hash, @entries) = @$_; $wanted{task_id($n++ // 0, $hash)} = \@entries; }
    for my $what (['merges', 'merge'], ['own', 'commit']) {
        my ($file, $name) = @$what;
        my %seen;
        for (raw_log("$dir/$file")) {
            my ($head, @entries) = @$_;
            my ($hash, $task) = split / /, $head, 2;
            my $of = $task // '';
            if (!$wanted{$of}) { $say->("$name $hash is of no commit of the history: $of"); next; }
            $say->("commit $of is there more than once: $name $seen{$of} and $hash") if $seen{$of};
            $seen{$of} = $hash;
            next if list(@entries) eq list(@{$wanted{$of}});
            my %here = map { ("$_->[0] $_->[1]" => 1) } @entries;
            my %there = map { ("$_->[0] $_->[1]" => 1) } @{$wanted{$of}};
            $say->("commit $of: its $name $hash has another change:");
            $say->("    wanted $_") for grep { !$here{$_} } sort keys %there;
            $say->("    got    $_") for grep { !$there{$_} } sort keys %here;
        }
        for (sort keys %wanted) { $say->("commit $_ has no $name") unless $seen{$_}; }
    }
    exit $wrong;
}

# ---- history: commits of every kind ----

my (%tree, @out, $mark);

sub any { return $_[int rand @_] }
sub of_kind { my ($mode) = @_; return grep { $tree{$_}[0] eq $mode } sort keys %tree }
sub regular { return grep { $tree{$_}[0] =~ /^100/ } sort keys %tree }
sub in_folders { my %all; for my $path (keys %tree) { $all{$_} = 1 for folders($path); } return sort keys %all }
# No file is where a folder is, nor the other way round.
sub fits {
    my ($path) = @_;
    return 0 if grep { $tree{$_} } $path, folders($path);
    return !grep { index($_, "$path/") == 0 } keys %tree;
}
sub fresh {
    my @names = ('plain', "sp ace", "new\nline", 'quo"te', "ta\tb", "not-utf8-\xff\xfe", "\xc3\xa4\xc3\xb6", '-dash', '*', '[a]', ':(top)x', '\\', "'", '#', '.hidden',
        'x.ignored', 'long-' . 'l' x 190, 'CON', 'a.', '$HOME', '`id`', '%s', '{}', '~');
    for (1 .. 1000) {
        my $path = join '', map { any(@names) . (rand() < 0.5 ? int rand 9 : '') . '/' } 1 .. int rand 4;
        $path .= any(@names) . int rand 99;
        return $path if fits($path);
    }
    die "no name left\n";
}
sub lines { return join '', map { "line $_ " . int(rand 1e6) . "\n" } 1 .. 1 + int rand $_[0] }
sub bytes { return join '', map { chr int rand 256 } 1 .. 1 + int rand 5000 }

my @kinds = (
    sub { $tree{fresh()} = ['100644', lines(30)]; 'add a file' },
    sub { $tree{fresh()} = ['100755', "#!/bin/sh\n" . lines(5)]; 'add a program' },
    sub { $tree{fresh()} = ['100644', bytes()]; 'add a binary file' },
    sub { $tree{fresh()} = ['100644', '']; 'add an empty file' },
    sub { $tree{fresh()} = ['100644', "no\r\nend\r\nof line"]; 'add one with CRLF and no end of line' },
    sub { $tree{fresh()} = ['120000', any('plain', '../x', "new\nline", '/dev/null')]; 'add a link' },
    sub { $tree{fresh()} = ['160000', join '', map { sprintf '%x', int rand 16 } 1 .. 40]; 'add a submodule' },
    sub { my $path = any(of_kind('160000')) // return; $tree{$path}[1] =~ tr/0-9a-f/1-9a-f0/; 'move a submodule on' },
    sub { my $path = any(of_kind('120000')) // return; $tree{$path} = ['120000', 'else' . rand]; 'change a link' },
    (sub {
        my $path = any(regular()) // return;
        my @lines = split /^/, $tree{$path}[1];
        splice @lines, int rand(1 + @lines), int rand 3, lines(3);
        $tree{$path} = [$tree{$path}[0], join '', @lines];
        'change a file';
    }) x 8,
    sub { for (1 .. 5) { my $path = any(regular()) // return; $tree{$path} = [$tree{$path}[0], $tree{$path}[1] . lines(3)]; } 'change some files' },
    sub { my $path = any(regular()) // return; $tree{$path} = [$tree{$path}[0], bytes()]; 'all else in a file' },
    sub { my $path = any(regular()) // return; $tree{$path} = [$tree{$path}[0] eq '100644' ? '100755' : '100644', $tree{$path}[1]]; 'change a mode' },
    sub { my $path = any(sort keys %tree) // return; delete $tree{$path}; 'remove a path' },
    sub { my $path = any(regular()) // return; my $at = fresh(); $tree{$at} = delete $tree{$path}; 'rename a file' },
    sub {
        my $path = any(regular()) // return;
        my $at = fresh();
        $tree{$at} = delete $tree{$path};
        $tree{$at} = [$tree{$at}[0], $tree{$at}[1] . lines(2)];
        $tree{$path} = ['100644', lines(4)];
        'rename a file, and another takes its place';
    },
    sub {
        my $folder = any(in_folders()) // return;
        my $at = fresh();
        for (grep { index($_, "$folder/") == 0 } keys %tree) { $tree{$at . substr $_, length $folder} = delete $tree{$_}; }
        'rename a folder';
    },
    # (A link is no .gitignore: git fsck warns of it.)
    sub { my $path = any(grep { $_ ne '.gitignore' } regular(), of_kind('120000')) // return; $tree{$path} = $tree{$path}[0] eq '120000' ? ['100644', lines(3)] : ['120000', 'there']; 'a file becomes a link, or back' },
    sub { my $path = any(regular()) // return; $tree{"$path/inside"} = delete $tree{$path}; $tree{"$path/more"} = ['100644', lines(2)]; 'a file becomes a folder' },
    sub { my $folder = any(in_folders()) // return; delete $tree{$_} for grep { index($_, "$folder/") == 0 } keys %tree; $tree{$folder} = ['100644', lines(2)]; 'a folder becomes a file' },
    sub { 'nothing' },
);

sub emit {
    my ($branch, $text, @parents) = @_;
    my $time = 1700000000 + ++$mark;
    push @out, "commit $branch\nmark :$mark\ncommitter Some Body <some\@example.invalid> $time +0000\ndata " . length($text) . "\n$text\n";
    push @out, 'from :' . shift(@parents) . "\n" if @parents;
    push @out, "merge :$_\n" for @parents;
    push @out, "deleteall\n";
    for my $path (sort keys %tree) {
        my ($mode, $text) = @{$tree{$path}};
        (my $name = $path) =~ s/([^ -~]|["\\])/sprintf '\\%03o', ord $1/ge;
        push @out, $mode eq '160000' ? qq(M 160000 $text "$name"\n) : qq(M $mode inline "$name"\ndata ) . length($text) . "\n$text\n";
    }
    push @out, "\n";
    return $mark;
}

sub history {
    my ($n, $seed) = @_;
    srand $seed;
    binmode STDOUT, ':raw';
    %tree = ('.gitignore' => ['100644', "*.ignored*\n"]);
    $tree{fresh()} = ['100644', lines(30)] for 1 .. 8;
    my $tip = emit('refs/heads/main', 'Start');
    for (2 .. $n) {
        my $text;
        if (rand() < 0.1) { # a side branch of two commits: on the line it is one
            any(@kinds)->();
            my $side = emit('refs/heads/side', 'aside', $tip);
            any(@kinds)->();
            $side = emit('refs/heads/side', 'aside again', $side);
            $tip = emit('refs/heads/main', 'merge', $tip, $side);
            next;
        }
        $text = any(@kinds)->() until defined $text;
        $tip = emit('refs/heads/main', $text, $tip);
    }
    print @out;
}

my $what = shift // '';
if ($what eq 'plan') { plan(@ARGV) }
elsif ($what eq 'compare') { compare(@ARGV) }
elsif ($what eq 'history') { history(@ARGV) }
else { die "replay.pl: plan DIR, compare DIR or history N SEED\n" }
