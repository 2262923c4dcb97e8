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
compound='elementclass A { input -> Null -> Counter -> output } Idle -> a :: A -> Discard'
is flatten 'Idle@1 :: Idle;
Discard@3 :: Discard;
a/Null@1 :: Null;
a/Counter@2 :: Counter;

Idle@1 -> a/Null@1
    -> a/Counter@2
    -> Discard@3;' "$b/click-flatten" -e "$compound"
is flatten_classes $'Counter\nDiscard\nIdle\nNull' "$b/click-flatten" -c -e "$compound; Null -> Null"
is flatten_names $'Discard@3\nIdle@1\na/Counter@2\na/Null@1' "$b/click-flatten" --names -e "$compound"
is flatten_declarations $'a :: Foo\nb :: Bar' "$b/click-flatten" -d -e 'b :: Bar; a :: Foo -> b'
is flatten_variables 'Idle@1 :: Idle(3);' "$b/click-flatten" -e 'Idle($n)' n=3
is flatten_error 'config:1: missing element type in declaration' "$b/click-flatten" -e 'a ::'
is flatten_no_file '/no/such/file: No such file or directory' "$b/click-flatten" /no/such/file
is align 'Idle@1 :: Idle;
Discard@3 :: Discard;

Idle@1 -> Discard@3;' "$b/click-align" -e 'Idle -> Align(4, 0) -> Discard'
is undead 'InfiniteSource@1 :: InfiniteSource;
c :: Counter;
Discard@6 :: Discard;
AddressInfo@10 :: AddressInfo(a 1.2.3.4);

InfiniteSource@1 -> c
    -> Discard@6;' "$b/click-undead" -e 'InfiniteSource -> Null -> s :: StaticSwitch(1) -> Discard;
    s[1] -> c :: Counter -> Discard; Idle -> x :: Counter -> Discard; AddressInfo(a 1.2.3.4)'
is undead_ports 'InfiniteSource@1 :: InfiniteSource;
t :: Tee;
Discard@3 :: Discard;
Idle@6 :: Idle;

InfiniteSource@1 -> t
    -> Discard@3;
t [1] -> Idle@6;' "$b/click-undead" -e 'InfiniteSource -> t :: Tee -> Discard; t[1] -> q :: Queue -> Idle; '
is undead_loop '' "$b/click-undead" -e 'a :: Null2 -> b :: Null2 -> a'
is buildtool '' "$b/click-buildtool" provides Queue userlevel ip6
is buildtool_not no bash -c "'$b/click-buildtool' provides Queue Nonsense || echo no"
is version 'click-flatten (Click) 2.1
ClickOS 0.1' "$b/click-flatten" --version
exit "$failed"
