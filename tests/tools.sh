#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The tools that transform configurations: tests/tools.sh BUILDDIR
set -u
b=$1
failed=0
is() { # NAME WANT COMMAND...
    local name=$1 want=$2 got
    shift 2
    got=$("$@" 2>&1)
    if [ "$got" = "$want" ]; then
        echo "PASS tools/$name"
    else
        printf 'got:\n%s\nwanted:\n%s\n' "$got" "$want"
        echo "FAIL tools/$name"
        failed=1
    fi
}
# What a tool writes, without the lines that tell where an element was declared.
bare() { "$@" 2>&1 | grep -v '^# '; }
T=$(mktemp -d /tmp/clickos-tools.XXXXXX)
trap 'rm -rf "$T"' EXIT

# --- flatten
compound='elementclass A { input -> Null -> Counter -> output } Idle -> a :: A -> Discard'
is flatten '# 1 "config"
Idle@1 :: Idle;
# 1 "config"
Discard@3 :: Discard;
# 1 "config"
a/Null@1 :: Null;
# 1 "config"
a/Counter@2 :: Counter;
# 10 ""
Idle@1 -> a/Null@1
    -> a/Counter@2
    -> Discard@3;' "$b/click-flatten" -e "$compound"
is flatten_places '# 2 "x.click"
a :: Idle;
# 7 "y"
b :: Discard;
# 6 ""
a -> b;' "$b/click-flatten" -e $'# 2 "x.click"\na :: Idle;\n# 7 "y"\na -> b :: Discard;'
is flatten_nested 'b :: B;
Idle@3 :: Idle;
a/x :: X;
a/C@2/y :: Y(2);
a/z :: Z;
Idle@3 -> a/x
    -> a/C@2/y
    -> a/z
    -> b;' bare "$b/click-flatten" -e 'elementclass C { $v | input -> y :: Y($v) -> output }
    elementclass A { input -> x :: X -> C(2) -> z :: Z -> output } a :: A; b :: B; a -> b; Idle -> (-> a)'
is flatten_fan 'i :: I;
j :: J;
k :: K;
l :: L;
g/t :: T;
g/t [1] -> l;
j -> g/t
    -> k;
i -> g/t;' bare "$b/click-flatten" -e 'i :: I; j :: J; k :: K; l :: L;
    g :: { input -> t :: T -> output; t [1] -> [1] output }; i -> g -> k; j -> g; g [1] -> l; i -> g'
is flatten_classes $'Counter\nDiscard\nIdle\nNull' "$b/click-flatten" -c -e "$compound; Null -> Null"
is flatten_names $'Discard@3\nIdle@1\na/Counter@2\na/Null@1' "$b/click-flatten" --names -e "$compound"
is flatten_declarations $'a :: Foo\nb :: Bar' "$b/click-flatten" -d -e 'b :: Bar; a :: Foo -> b'
is flatten_keeps_variables $'define($n 3);\n\nIdle@1 :: Idle($n);' \
    bare "$b/click-flatten" -e 'define($n 3) Idle(${n-4})'
is flatten_variables 'Idle@1 :: Idle(5);' bare "$b/click-flatten" --expand-vars -e 'define($n 3) Idle($n)' n=5
is flatten_requirements $'require(package "a b");\n\nIdle@1 :: Idle;' \
    bare "$b/click-flatten" -e 'require(package "a b") Idle'
is flatten_error 'config:1: missing element type in declaration' "$b/click-flatten" -e 'a ::'
is flatten_empty 'config: warning: empty configuration' "$b/click-flatten" -e ''
is flatten_no_file '/no/such/file: No such file or directory' "$b/click-flatten" /no/such/file
is flatten_twice "click-flatten: router configuration specified twice
Usage: click-flatten [OPTION]... [ROUTERFILE]
Try 'click-flatten --help' for more information." "$b/click-flatten" -e Idle x.click
printf '!<arch>\n%-48s%-10s`\nIdle\n\n%-48s%-10s`\nkept' config 5 other 4 >"$T/ar"
is flatten_archive $'!<arch>\nIdle@1 :: Idle;\n\nkept' \
    bash -c "'$b/click-flatten' '$T/ar' | grep -v '^# ' | sed '/^config  *[0-9 ]*\`/d; /^other  *[0-9 ]*\`/d'"
is flatten_archive_config 'Idle@1 :: Idle;' bare "$b/click-flatten" --config "$T/ar"
head -c 120 "$T/ar" >"$T/cut"
is flatten_archive_cut 'truncated archive' bash -c "'$b/click-flatten' '$T/cut' 2>&1 | grep -o 'truncated archive'"

# --- align, undead
is align_not_needed 'Idle@1 :: Idle;
Discard@3 :: Discard;
Idle@1 -> Discard@3;' bare "$b/click-align" -e 'Idle -> Align(4, 0) -> Discard'
is align_added 'warning: added 1 Align element
FromDevice@1 :: FromDevice(eth0);
CheckIPHeader@2 :: CheckIPHeader;
Discard@3 :: Discard;
Align@click_align@4 :: Align(4, 0);
AlignmentInfo@click_align@5 :: AlignmentInfo(CheckIPHeader@2  4 0);
FromDevice@1 -> Align@click_align@4
    -> CheckIPHeader@2
    -> Discard@3;' bare "$b/click-align" -e 'FromDevice(eth0) -> CheckIPHeader -> Discard'
is align_stripped 'FromDevice@1 :: FromDevice(eth0);
Strip@2 :: Strip(14);
CheckIPHeader@4 :: CheckIPHeader;
Discard@5 :: Discard;
AlignmentInfo@click_align@7 :: AlignmentInfo(CheckIPHeader@4  4 0);
FromDevice@1 -> Strip@2
    -> CheckIPHeader@4
    -> Discard@5;' bare "$b/click-align" -e 'FromDevice(eth0) -> Strip(14) -> Align(4, 0) -> CheckIPHeader
    -> Discard; AlignmentInfo(old 4 3)'
is align_verbose 'CheckIPHeader@2[0]: adding Align(4, 0) to fix 4/1
warning: added 1 Align element' \
    bash -c "'$b/click-align' -V -e 'FromDevice(eth0, ALIGNMENT 4 1) -> CheckIPHeader -> Discard' 2>&1 >'$T/out'"
is align_device_type 'AlignmentInfo@click_align@4 :: AlignmentInfo(CheckIPHeader@2  4 0);' \
    bash -c "'$b/click-align' -e 'FromDevice(eth0, TYPE IP) -> CheckIPHeader -> Discard' 2>&1 | grep Info"
is align_classifier 'warning: added 1 Align element
InfiniteSource@1 :: InfiniteSource;
c :: Classifier(0/1, -);
Discard@3 :: Discard;
RatedSource@4 :: RatedSource;
Strip@5 :: Strip(1);
Discard@6 :: Discard;
Align@click_align@7 :: Align(4, 0);
AlignmentInfo@click_align@8 :: AlignmentInfo(c  4 0);
RatedSource@4 -> Strip@5
    -> Align@click_align@7
    -> c
    -> Discard@3;
c [1] -> Discard@6;
InfiniteSource@1 -> c;' bare "$b/click-align" -e 'InfiniteSource -> c :: Classifier(0/1, -)
    -> Discard; RatedSource -> Strip(1) -> c; c [1] -> Discard'
is align_assertions 'FromDevice@1 :: FromDevice(eth0);
CheckIPHeader@2 :: CheckIPHeader(14);
Discard@3 :: Discard;
CheckAlign@click_align@4 :: CheckAlign(4, 2, ASSERT true);
FromDevice@1 -> CheckAlign@click_align@4
    -> CheckIPHeader@2
    -> Discard@3;' bare "$b/click-align" --assertions -e 'FromDevice(eth0) -> CheckIPHeader(14) -> Discard'
is align_bad_argument "config:1: While analyzing alignment for 'Align@2 :: Align':
config:1:   MODULUS: parse error
config:1:   OFFSET: required argument missing" \
    bash -c "'$b/click-align' -e 'Idle -> Align(x) -> Discard' 2>&1 >'$T/out'"
is align_loop 'Idle@1 :: Idle;
s :: Strip(1);
Idle@1 -> s
    -> s;' bare "$b/click-align" -e 'Idle -> s :: Strip(1) -> s'
is align_driver_twice 'driver specified twice' bash -c "'$b/click-align' -u -l -e Idle 2>&1 | head -n 1"
is undead 'InfiniteSource@1 :: InfiniteSource;
c :: Counter;
Discard@6 :: Discard;
AddressInfo@10 :: AddressInfo(a 1.2.3.4);
InfiniteSource@1 -> c
    -> Discard@6;' bare "$b/click-undead" -e 'InfiniteSource -> Null -> s :: StaticSwitch(1) -> Discard;
    s[1] -> c :: Counter -> Discard; Idle -> x :: Counter -> Discard; AddressInfo(a 1.2.3.4)'
is undead_pull_switch 'InfiniteSource@2 :: InfiniteSource;
Queue@3 :: Queue;
Unqueue@4 :: Unqueue;
Discard@5 :: Discard;
InfiniteSource@2 -> Queue@3
    -> Unqueue@4
    -> Discard@5;' bare "$b/click-undead" -e 's :: StaticPullSwitch(1);
    InfiniteSource -> Queue -> [1] s -> Unqueue -> Discard; Idle -> s'
is undead_bad_switch "config:1: s: bad configuration 'StaticSwitch(x)'" \
    "$b/click-undead" -e 'InfiniteSource -> s :: StaticSwitch(x) -> Discard'
is undead_flow_code 'c :: Classifier(1/2, -);
InfiniteSource@4 :: InfiniteSource;
Discard@5 :: Discard;
Idle@6 :: Idle;
InfiniteSource@4 -> c
    -> Discard@5;
c [1] -> Idle@6;' bare "$b/click-undead" -e 'c :: Classifier(1/2, -); x :: Counter -> Idle; c [1] -> x;
    InfiniteSource -> c -> Discard'
is undead_tee 'InfiniteSource@1 :: InfiniteSource;
Discard@3 :: Discard;
InfiniteSource@1 -> Discard@3;' \
    bare "$b/click-undead" -e 'InfiniteSource -> t :: Tee -> Discard; t [1] -> Queue -> Idle'
is undead_scheduler 'InfiniteSource@1 :: InfiniteSource;
Queue@2 :: Queue;
s :: StrideSched(3, 5);
Unqueue@4 :: Unqueue;
Discard@5 :: Discard;
InfiniteSource@7 :: InfiniteSource;
Queue@8 :: Queue;
InfiniteSource@1 -> Queue@2
    -> s
    -> Unqueue@4
    -> Discard@5;
InfiniteSource@7 -> Queue@8
    -> [1] s;' bare "$b/click-undead" -e 'InfiniteSource -> Queue -> s :: StrideSched(3, 4, 5) -> Unqueue -> Discard;
    Idle -> [1] s; InfiniteSource -> Queue -> [2] s'
is undead_verbose "config:1: assuming 'a :: InfiniteSource' is source
config:1: assuming 'Discard@3 :: Discard' is sink
config:1: removing redundant tee 't :: Tee'" \
    bash -c "'$b/click-undead' -V -e 'a :: InfiniteSource -> t :: Tee -> Discard' 2>&1 >'$T/out'"
is undead_loop '' "$b/click-undead" -e 'a :: Null2 -> b :: Null2 -> a'
is undead_unknown "unknown element class 'Foo'" "$b/click-undead" -e 'x :: Foo -> x'

# --- check
is check 'config: configuration OK in userlevel driver' \
    "$b/click-check" -e 'elementclass A { $n | input -> Strip($n) -> output }
    FromDevice(nowhere) -> A(wrong) -> Queue -> Unqueue -> Discard'
is check_class "config:2: unknown element class 'Foo'" "$b/click-check" -e $'Idle ->\nFoo -> Discard'
is check_processing "'Queue@2 :: Queue' pull output 0 connected to 'Queue@3 :: Queue' push input 0" \
    "$b/click-check" -e 'Idle -> Queue -> Queue -> Idle'
is check_quiet '' "$b/click-check" -q -e 'Idle -> Discard'
is check_filter 'Idle@1 :: Idle;
Discard@2 :: Discard;
Idle@1 -> Discard@2;' bare "$b/click-check" -p -e 'Idle -> Discard'
is check_writes_nothing_wrong 'no' bash -c "'$b/click-check' -o '$T/check' -e 'Idle -> Foo' 2>/dev/null; ls '$T/check' 2>/dev/null || echo no"
is check_driver 'config: Click compiled without support for linuxmodule driver' "$b/click-check" -l -e 'Idle -> Discard'
is check_twice 'click-check: output file specified twice' bash -c "'$b/click-check' -p -o x -e Idle 2>&1 | head -n 1"

# --- combine, uncombine
echo 'FromDevice(eth0) -> q :: Queue -> ToDevice(eth1)' >"$T/a"
echo 'FromDevice(eth0) -> c :: Counter -> Discard; Idle -> ToDevice(eth1)' >"$T/b"
combined='a/FromDevice@1 :: FromDevice(eth0);
a/q :: Queue;
b/c :: Counter;
b/Discard@3 :: Discard;
b/Idle@4 :: Idle;
b/ToDevice@5 :: ToDevice(eth1);
link1 :: RouterLink(a ToDevice@3 ToDevice, eth1, b FromDevice@1 FromDevice, eth0);
a/FromDevice@1 -> a/q
    -> link1
    -> b/c
    -> b/Discard@3;
b/Idle@4 -> b/ToDevice@5;'
is combine "$combined" bare "$b/click-combine" -c "a=$T/a" -n b -f "$T/b" -l a.eth1=b.eth0
is combine_link_argument "$combined" bare "$b/click-combine" -c "a=$T/a" "b=$T/b" a.eth1=b.eth0
# The second link takes the number of a device that the first one took the place of.
is combine_reuses_numbers 'x/q :: Queue;
link2 :: RouterLink(y ToDevice@5 ToDevice, eth1, x FromDevice@1 FromDevice, eth0);
y/c :: Counter;
y/Discard@3 :: Discard;
y/Idle@4 :: Idle;
link1 :: RouterLink(x ToDevice@3 ToDevice, eth1, y FromDevice@1 FromDevice, eth0);
y/Idle@4 -> link2
    -> x/q
    -> link1
    -> y/c
    -> y/Discard@3;' bare "$b/click-combine" -c "x=$T/a" "y=$T/b" x.eth1=y.eth0 y.eth1=x.eth0
"$b/click-combine" -o "$T/ab" "a=$T/a" "b=$T/b" a.eth1=b.eth0
is combine_map $'a\nb' bash -c "sed -n '/^componentmap/,\$p' '$T/ab' | tail -n +2"
is uncombine 'c :: Counter;
Discard@3 :: Discard;
Idle@4 :: Idle;
ToDevice@5 :: ToDevice(eth1);
FromDevice@1 :: FromDevice(eth0);
FromDevice@1 -> c
    -> Discard@3;
Idle@4 -> ToDevice@5;' bash -c "'$b/click-uncombine' '$T/ab' b | grep -v -e '^# ' -e '[<>]arch' -e '^config' -e xml -e '<' -e '^\$'"
"$b/click-combine" -o "$T/abab" -n n -f "$T/ab" "m=$T/ab" n.b/ToDevice@5=m.eth0
is combine_dotted "click-combine: router 'n' has no element or device named 'eth9'" \
    "$b/click-combine" -n n -f "$T/ab" "m=$T/ab" n.eth9=m.eth0
is combine_nested $'n\nn/a\nn/b\nm\nm/a\nm/b' bash -c "sed -n '/^componentmap/,\$p' '$T/abab' | tail -n +2"
is uncombine_nested 'FromDevice@1 :: FromDevice(eth0);
q :: Queue;
ToDevice@3 :: ToDevice(eth1);
FromDevice@1 -> q
    -> ToDevice@3;' bash -c "'$b/click-uncombine' '$T/abab' n/a | grep -v -e '^# ' -e '[<>]arch' -e '^config' -e xml -e '<' -e '^\$'"
is uncombine_no_component "$T/ab: no 'x' component" "$b/click-uncombine" "$T/ab" x
is uncombine_not_combined "$T/a: not created by 'click-combine' (no 'componentmap')" "$b/click-uncombine" "$T/a" a
is combine_no_routers 'click-combine: no routers specified' "$b/click-combine"
is combine_same_name "click-combine: two routers named 'a'" "$b/click-combine" "a=$T/a" "a=$T/b"
is combine_bad_link "click-combine: bad link definition 'a.b'" "$b/click-combine" "a=$T/a" -l a.b
is combine_both_ways "click-combine: router 'y' element 'ToDevice@5' used as both source and destination" \
    bash -c "'$b/click-combine' 'x=$T/a' 'y=$T/b' -l x.q=y.eth0 -l y.eth1=x.q 2>&1 | grep both"

# --- xform
cat >"$T/patterns" <<'END'
elementclass Two { input -> a :: Null -> Null -> output }
elementclass Two_Replacement { input -> a :: Null -> output }
elementclass Check { input -> Strip(14) -> CheckIPHeader($bad) -> output }
elementclass Check_Replacement { input -> CheckIPHeader($bad, 14) -> Strip(14) -> output }
elementclass Drop { input -> s :: Switch(0) -> output; s [1] -> [1] output }
elementclass Drop_Replacement { input -> output; Idle -> [1] output }
END
# Each pair becomes one; two that this pattern made itself are left alone.
is xform 'i :: Idle;
Null@4 :: Null;
d :: Discard;
n :: Null;
i -> n
    -> Null@4
    -> d;' bare "$b/click-xform" -e 'i :: Idle -> n :: Null -> Null -> Null -> Null -> d :: Discard' -p "$T/patterns"
is xform_arguments 'i :: Idle;
d :: Discard;
Check@1/CheckIPHeader@1 :: CheckIPHeader(1.2.3.4 5, 14);
Check@1/Strip@2 :: Strip(14);
i -> Check@1/CheckIPHeader@1
    -> Check@1/Strip@2
    -> d;' bare "$b/click-xform" -p "$T/patterns" \
    -e 'i :: Idle -> Strip(14) -> CheckIPHeader(1.2.3.4 5) -> d :: Discard'
is xform_other_argument 'Idle@1 :: Idle;
Strip@2 :: Strip(15);
CheckIPHeader@3 :: CheckIPHeader(x);
Discard@4 :: Discard;
Idle@1 -> Strip@2
    -> CheckIPHeader@3
    -> Discard@4;' bare "$b/click-xform" -p "$T/patterns" -e 'Idle -> Strip(15) -> CheckIPHeader(x) -> Discard'
# A connection that leaves in the middle is no port of the pattern's.
is xform_leak 'i :: Idle;
a :: Null;
b :: Null;
d :: Discard;
i -> a
    -> b
    -> d;
a -> d;' bare "$b/click-xform" -p "$T/patterns" -e 'i :: Idle -> a :: Null -> b :: Null -> d :: Discard; a -> d'
is xform_no_patterns 'warning: no patterns read
# 1 "config"
Idle@1 :: Idle;' "$b/click-xform" -e Idle

is buildtool '' "$b/click-buildtool" provides Queue userlevel ip6
is buildtool_not no bash -c "'$b/click-buildtool' provides Queue Nonsense || echo no"
# --- fastclassifier, devirtualize
fc='Idle -> c1 :: Classifier(12/0800, 12/0806, -); c1 -> Discard; c1[1] -> c2 :: Classifier(20/0001, 20/0002, -);
    c1[2] -> d :: Discard; c2 -> A :: Discard; c2[1] -> B :: Discard; c2[2] -> d'
is fastclassifier 'Idle@1 :: Idle;
c1 :: Classifier(12/0800, 12/0806 20/0001, 12/0806 20/0002, 12/0806, -);
Discard@3 :: Discard;
d :: Discard;
A :: Discard;
B :: Discard;
Idle@1 -> c1
    -> Discard@3;
c1 [4] -> d;
c1 [1] -> A;
c1 [2] -> B;
c1 [3] -> d;' bare "$b/click-fastclassifier" --no-classes -e "$fc"
is fastclassifier_no_combine "$(bare "$b/click-flatten" -e "$fc")" bare "$b/click-fastclassifier" -k -u --no-combine -e "$fc"
is fastclassifier_reverse "$(bare "$b/click-flatten" -e "$fc")" bare "$b/click-fastclassifier" -r -q -e "$fc"
# Ports that lead nowhere, to two elements or back: nothing is combined.
for odd in 'Idle -> a :: Classifier(1/1, -) -> b :: Classifier(2/2, -) -> Discard; a[1] -> Discard' \
    'Idle -> a :: Classifier(1/1) -> b :: Classifier(2/2, -) -> Discard; b[1] -> t :: Discard; a -> t' \
    'Idle -> a :: Classifier(-); a -> a'; do
    is "fastclassifier_odd ($odd)" "$(bare "$b/click-flatten" -e "$odd")" bare "$b/click-fastclassifier" -e "$odd"
done
is fastclassifier_source 'click-fastclassifier: no source code generated' "$b/click-fastclassifier" -s -e "$fc"
is fastclassifier_unknown "Usage: click-fastclassifier [OPTION]... [ROUTERFILE]
Try 'click-fastclassifier --help' for more information." bash -c "'$b/click-fastclassifier' --foo 2>&1 | tail -n 2"
is devirtualize "$(bare "$b/click-flatten" -e "$compound")" bare "$b/click-devirtualize" -u -n Counter -i x -e "$compound"
is devirtualize_source 'nothing to devirtualize' "$b/click-devirtualize" -s -e "$compound"

is version 'click-flatten (Click) 2.1
ClickOS 0.1' "$b/click-flatten" --version
for tool in align combine flatten uncombine undead xform; do
    is "help_$tool" yes bash -c "'$b/click-$tool' --help | grep -q '^Usage: click-$tool' && echo yes"
done
exit "$failed"
