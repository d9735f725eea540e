# The verbs of the chaos scenarios: what can happen to a network of peers in containers, and what must hold then.
#
# Faults come from outside the peers: from the engine (pause, kill, disconnect), from a container that shares a peer's
# network for a moment and filters or slows what arrives there, or from one that shares its data. A verb that waits has a
# bound, and says what it waited for.
#
# `play` sets root, seed, project, work and compose.
# shellcheck shell=bash disable=SC2154

five=(alice bob carol dave erin)
peers=()        # who runs, in the order of their starts; newcomers are called crowd1, crowd2, …
killed=()       # who was killed for good
lost=()         # the processes that lost their store, and go on as another one
cut_off=no      # whether somebody was killed for good in the middle of a sentence
overrides=()    # what the network has otherwise than docker-compose.yml says
refused=()      # what a peer refused to say
trouble=        # since when not everybody has heard everybody
may_give_up=no  # whether that went on for so long that what waited for somebody unheard was given up
patience=25     # in seconds: a peer gives up what it has waited for for 30 (chat's `abandon_after`), and things take time to come
declare -A container
declare -A chatter=()

# What each one is in, besides `all`: every two groups share somebody, and nobody is in all of them but alice.
declare -A groups=([alice]="red green blue" [bob]="red" [carol]="red green" [dave]="green blue" [erin]="blue")

say() { printf '  %3d s  %s\n' "$SECONDS" "$*"; }
fail() { printf '  FAILED: %s\n' "$*" >&2; exit 1; }
command_not_found_handle() { fail "there is no verb \"$1\" (tests/chaos/verbs.sh has them all)"; }

compose() {
    local log=$work/compose.log
    CAUSERIE_SUBNET6="fd0c:a05e:$(printf %x $(($$ % 65536)))::/64" \
        "${compose[@]}" -p "$project" --project-directory "$root" -f "$root/docker-compose.yml" "${overrides[@]}" "$@" >"$log" 2>&1 ||
        { cat "$log" >&2; fail "${compose[*]} $1 did not work"; }
}

# in_container NAME COMMAND…: inside the peer's own container.
in_container() { docker exec "${container[$1]}" "${@:2}"; }

# beside NAME COMMAND…: with power over the peer's network, and over nothing else.
beside() { docker run --rm --network "container:${container[$1]}" --cap-drop ALL --cap-add NET_ADMIN causerie-faults sh -c "$2" 2>>"$work/faults.log"; }

# data NAME COMMAND: with a peer's data in /data, and what is set aside of it in /copy.
data() {
    docker volume create --label "com.docker.compose.project=$project" "${project}_copy" >/dev/null
    docker run --rm --network none --user 0 --entrypoint sh -v "${project}_$1:/data" -v "${project}_copy:/copy" causerie -c "set -e; $2"
}

mac() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}' "${container[$1]}"; }
address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}' "${container[$1]}"; }

# eventually SECONDS WHAT COMMAND…: until the command succeeds, or that time is over: all of it, which whole seconds of the
# shell's own clock would cut short by up to one.
eventually() {
    local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000)) what=$2
    shift 2
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || fail "$what: not within the time that it may take"
        sleep 0.1
    done
}

# --- who is there

# start: the five, healthy and all in sight of each other.
start() {
    compose up -d --no-build "${five[@]}"
    local name
    for name in "${five[@]}"; do
        container[$name]=$(container_of "$name" 1)
        peers+=("$name")
    done
    all_here_within 15
}

# join COUNT: that many newcomers at once.
join() {
    local count=$1 number
    compose --profile crowd up -d --no-build --no-recreate --scale "crowd=$count" crowd
    for ((number = 1; number <= count; number++)); do
        container[crowd$number]=$(container_of crowd "$number")
        peers+=("crowd$number")
    done
    say "$count more came"
}

container_of() {
    docker ps -q --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" --filter "label=com.docker.compose.container-number=$2"
}

# all_here_within SECONDS: everybody who runs has a link to everybody else.
all_here_within() {
    local name
    for name in "${peers[@]}"; do
        eventually "$1" "$name sees all ${#peers[@]}" sees_all "$name"
    done
    say "all ${#peers[@]} see each other"
    [ -z "$trouble" ] || [ $((SECONDS - trouble)) -lt "$patience" ] || may_give_up=yes
    trouble=
}
# Something keeps peers from hearing each other, until all see each other again.
trouble_begins() { trouble=${trouble:-$SECONDS}; }

# at_once COMMAND NAME…: the command for each of them, all at the same time.
at_once() {
    local command=$1 name pids=() pid
    for name in "${@:2}"; do
        "$command" "$name" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "$command did not work for all of ${*:2}"; done
}
sees_all() {
    local here
    here=$(in_container "$1" causerie users 2>>"$work/users.log" | grep -cE ' (here|you)( |$)') || true
    [ "$here" = "${#peers[@]}" ]
}

# gone_within SECONDS NAME: everybody else has seen that NAME is away.
gone_within() {
    local name
    for name in "${peers[@]}"; do
        [ "$name" = "$2" ] || eventually "$1" "$name sees that $2 has gone" sees_gone "$name" "$2"
    done
    say "everybody has seen that $2 is gone"
}

# parted_within SECONDS NAME NAME: each of the two has seen that the other is away.
parted_within() {
    eventually "$1" "$2 sees that $3 has gone" sees_gone "$2" "$3"
    eventually "$1" "$3 sees that $2 has gone" sees_gone "$3" "$2"
    say "$2 and $3 have seen that they are parted"
}
sees_gone() { in_container "$1" causerie users | grep -E "^ *$2 +away" >/dev/null; }

# --- what is said

# talk: everybody begins to talk, in groups that overlap, to each other and to all, until `hush`.
talk() {
    local name group
    for group in ${groups[alice]}; do type_at alice "-creategroup $group" >/dev/null; done
    for name in "${five[@]:1}"; do
        for group in ${groups[$name]}; do eventually 5 "$name joins $group" joins "$name" "$group"; done
    done
    touch "$work/talking"
    begin_to_talk "${peers[@]}"
    say "everybody talks"
}
# answers NAME: its peer is up. A container runs before the peer in it does.
answers() { in_container "$1" causerie users >/dev/null 2>&1; }
type_at() { docker exec -i "${container[$1]}" causerie attach <<<"$2"; }
joins() { type_at "$1" "-joingroup $2" | grep -F "you are in $2" >/dev/null; }

# begin_to_talk NAME…: they do, and what they are shown from then on is in their logs.
begin_to_talk() {
    local name
    for name in "$@"; do
        eventually 20 "$name answers" answers "$name"
        seed=$((seed + 1))
        rm -f "$work/$name.mute" "$work/$name.log" "$work/$name.finished"
        (chat "$name" "$seed" | docker exec -i "${container[$name]}" causerie attach) >>"$work/$name.log" 2>&1 &
        chatter[$name]=$!
    done
    for name in "$@"; do eventually 10 "$name is attached" test -s "$work/$name.log"; done
}

# mute NAME: it ends its talk, and everything that it said is out.
mute() {
    touch "$work/$1.mute"
    falls_silent "$1"
    sleep 2
    say "$1 falls silent"
}
# Its prompt ends with 1 if a line was refused (by a full disk, or for a group that a new incarnation is not in). That is no loss if it
# could write all that it had to say.
falls_silent() {
    local status=0
    wait "${chatter[$1]}" || status=$?
    [ "$status" != 1 ] || [ ! -e "$work/$1.finished" ] || status=0
    [ "$status" = 0 ] || [[ " ${killed[*]} " == *" $1 "* ]] || fail "$1 has lost its voice: $(tail -n 1 "$work/$1.log")"
    unset "chatter[$1]"
}

# chat NAME SEED: what it says, a line at a time, about ten a second.
chat() {
    local name=$1 turn=0 mine
    RANDOM=$2
    read -ra mine <<<"${groups[$name]:-}"
    while [ -e "$work/talking" ] && [ ! -e "$work/$name.mute" ]; do
        turn=$((turn + 1))
        case $((RANDOM % 10)) in
        [0-3]) echo "turn $turn of $name" ;;
        [4-6]) if [ ${#mine[@]} -gt 0 ]; then echo "@${mine[RANDOM % ${#mine[@]}]} turn $turn of $name"; fi ;;
        [7-8]) direct "$name" "turn $turn of $name to you alone" ;;
        9) echo "-delay 0.$((RANDOM % 9 + 1)) turn $turn of $name, slow" ;;
        esac
        sleep "0.0$((RANDOM % 9 + 1))"
    done
    touch "$work/$name.finished"
}
direct() {
    local to=${five[RANDOM % ${#five[@]}]}
    [ "$to" = "$1" ] || echo "@$to $2"
}

hush() {
    rm -f "$work/talking"
    local name
    for name in "${!chatter[@]}"; do falls_silent "$name"; done
}

# reaches_within SECONDS FROM TO: what FROM says to TO now is there that soon.
reaches_within() {
    local text="are you there, $3? ($RANDOM)" begun=${EPOCHREALTIME/./}
    in_container "$2" causerie send "@$3" "$text" >/dev/null
    eventually "$1" "what $2 says reaches $3" grep -qF "$text" "$work/$3.log"
    say "what $2 says reaches $3 in $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
}

# says NAME TEXT: a message, as at a prompt.
says() { in_container "$1" causerie send "$2" >/dev/null || fail "$1 cannot say \"$2\""; }

# hears_within SECONDS NAME TEXT: it has been shown that, or is within that time.
hears_within() {
    eventually "$1" "$2 is shown \"$3\"" was_shown "$2" "$3"
    say "$2 is shown \"$3\""
}
was_shown() { docker logs "${container[$1]}" 2>&1 | grep -F "$2" >/dev/null; }

# remembers_within SECONDS NAME TEXT: that is in its history.
remembers_within() {
    eventually "$1" "$2 remembers \"$3\"" remembers "$2" "$3"
    say "$2 remembers \"$3\""
}
remembers() { type_at "$1" "-history 10000" 2>/dev/null | grep -F "$2" >/dev/null; }

# refuses_within SECONDS NAME REASON: it does not take what it is to say, and says why.
refuses_within() {
    eventually "$1" "$2 refuses, for \"$3\"" refuses "$2" "$3"
    say "$2 refuses what it is to say, for \"$3\""
}
refuses() {
    local text="nobody will ever read this ($RANDOM)" said
    if said=$(in_container "$1" timeout 3 causerie send "$text" 2>&1); then return 1; fi
    [[ $said == *"$2"* ]] || return 1
    refused+=("$text")
}

# --- what goes wrong

# split NAME… from NAME…: two halves, of which neither hears the other.
split() {
    local one=() other=()
    while [ "$1" != from ]; do one+=("$1"); shift; done
    shift
    other=("$@")
    trouble_begins
    part() {
        if [[ " ${one[*]} " == *" $1 "* ]]; then deafen "$1" to "${other[@]}"; else deafen "$1" to "${one[@]}"; fi
    }
    at_once part "${one[@]}" "${other[@]}"
}

# deafen NAME to NAME…: it hears nothing of them any more, and they still hear it.
deafen() {
    local name rules=
    trouble_begins
    for name in "${@:3}"; do
        rules+="for tables in iptables ip6tables; do \$tables -A INPUT -m mac --mac-source $(mac "$name") -j DROP; done; "
    done
    beside "$1" "set -e; $rules"
    say "$1 hears nothing of ${*:3}"
}

# lose PERCENT: of what arrives anywhere.
lose() {
    local percent=$1
    trouble_begins
    drop() {
        beside "$1" "set -e; for tables in iptables ip6tables; do
            \$tables -A INPUT -i eth0 -m statistic --mode random --probability $(printf '0.%02d' "$percent") -j DROP; done"
    }
    at_once drop "${peers[@]}"
    say "$1 % of all packets are lost"
}

# slow NAME NAME RATE: the link between the two, both ways.
slow() {
    trouble_begins
    throttle "$1" "$2" "$3"
    throttle "$2" "$1" "$3"
    say "the link between $1 and $2 has $3"
}
throttle() {
    beside "$1" "set -e; tc qdisc add dev eth0 root handle 1: htb
        tc class add dev eth0 parent 1: classid 1:1 htb rate $3
        tc filter add dev eth0 parent 1: protocol all u32 match ether dst $(mac "$2") flowid 1:1"
}

# heal: no packet is dropped or slowed any more.
heal() {
    at_once unhinder "${peers[@]}"
    say "healed"
}
unhinder() { beside "$1" "iptables -F; ip6tables -F; tc qdisc del dev eth0 root 2>/dev/null || true"; }

freeze() { trouble_begins; docker pause "${container[$1]}" >/dev/null; say "$1 stands still"; }
thaw() { docker unpause "${container[$1]}" >/dev/null; say "$1 goes on"; }

# kill_peer NAME: at once, without a goodbye, and for good.
kill_peer() {
    docker kill "${container[$1]}" >/dev/null
    killed+=("$1")
    [ -z "${chatter[$1]:-}" ] || cut_off=yes
    is_away "$1"
    say "$1 is killed"
}
is_away() {
    local left=() name
    for name in "${peers[@]}"; do [ "$name" = "$1" ] || left+=("$name"); done
    peers=("${left[@]}")
}

# crash NAME…: all of them at once, in the middle of a sentence, until `revive`.
crash() {
    local name ids=()
    for name in "$@"; do ids+=("${container[$name]}"); done
    docker kill "${ids[@]}" >/dev/null
    for name in "$@"; do
        is_away "$name"
        [ -z "${chatter[$name]:-}" ] || wait "${chatter[$name]}" || true
        unset "chatter[$name]"
    done
    say "killed: $*"
}

# revive NAME…: started again with what they kept; who has not fallen silent talks on.
revive() {
    local name ids=()
    for name in "$@"; do ids+=("${container[$name]}"); done
    docker start "${ids[@]}" >/dev/null
    for name in "$@"; do
        eventually 20 "$name is back" answers "$name"
        peers+=("$name")
        [ ! -e "$work/talking" ] || [ -e "$work/$name.mute" ] || begin_to_talk "$name"
    done
    say "started again: $*"
}

# lose_store NAME: it is killed, and all that it kept is gone but its key. Another incarnation will write a trace of its own,
# which must not claim to know what this one read, so this one's is set aside.
lose_store() {
    local trace=/traces/$1.trace.jsonl aside=/traces/$1.lost.jsonl
    [ -z "${chatter[$1]:-}" ] || cut_off=yes
    crash "$1"
    data "$1" 'rm /data/causerie.db*'
    lost+=("$(docker run --rm --network none -v "${project}_traces:/traces" --entrypoint sh causerie \
        -c "mv $trace $aside; tail -n 1 $aside | sed 's/.*\"peer\":\"\([^\"]*\)\".*/\1/'")")
    say "the store of $1 is gone"
}

# copy_store NAME: it says goodbye, what it keeps is copied, and it goes on.
copy_store() {
    [ -z "${chatter[$1]:-}" ] || mute "$1"
    docker stop "${container[$1]}" >/dev/null
    is_away "$1"
    data "$1" 'cp -a /data/. /copy'
    say "what $1 keeps is copied"
    revive "$1"
}

# roll_back NAME: it is killed, and that copy takes the place of what it kept.
roll_back() {
    [ -z "${chatter[$1]:-}" ] || mute "$1"
    crash "$1"
    data "$1" 'rm /data/causerie.db*; cp -a /copy/causerie.db* /data'
    say "what $1 keeps is put back from the copy"
}

# small_disk NAME SIZE: what it may keep, from the start on.
small_disk() {
    printf 'volumes:\n  %s:\n    driver_opts: {type: tmpfs, device: tmpfs, o: "size=%s,uid=10001,gid=10001,mode=0700"}\n' "$1" "$2" >"$work/small.yml"
    overrides=(-f "$work/small.yml")
    say "$1 has room for $2"
}
fill_disk() {
    if in_container "$1" sh -c 'cat /dev/zero >/data/ballast' 2>/dev/null; then fail "the disk of $1 does not get full"; fi
    say "the disk of $1 is full"
}
free_disk() { in_container "$1" rm /data/ballast; say "the disk of $1 has room again"; }

# move NAME: it loses its network, and gets it back under other addresses.
move() {
    local network before squatter
    network=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' "${container[$1]}")
    before=$(address "$1")
    docker network disconnect "$network" "${container[$1]}"
    # The engine gives out the lowest address that is free: somebody else has to have it.
    squatter=$(docker run -d --rm --label "causerie-chaos=$project" --network "$network" causerie-faults sleep 60)
    sleep 2
    docker network connect "$network" "${container[$1]}"
    docker kill "$squatter" >/dev/null
    [ "$(address "$1")" != "$before" ] || fail "$1 got its old address back"
    say "$1 has moved from $before to $(address "$1")"
}

# --- what must hold

# verify: once all is quiet and everybody has left, the traces show order, exactly once, and that everything came. Nothing
# may have been given up, unless somebody was killed for good in the middle of a sentence. Where peers did not hear each
# other for as long as they wait, which a busy machine can bring about, what was given up has to have come all the same.
verify() {
    hush
    local excused=() name report
    for name in "${killed[@]}" "${lost[@]}"; do excused+=(--killed "$name"); done
    eventually 60 "the traces are in order and complete" traces --complete --running "${excused[@]}"
    docker stop "${container[@]}" >/dev/null
    traces --complete || fail "the traces show a violation"
    report=$(cat "$work/check.log")
    [ $cut_off = yes ] || [[ $report == *", 0 abandoned, "* ]] ||
        { [ $may_give_up = yes ] && [[ $report == *" (0 messages never came), "* ]]; } || fail "something was given up: $report"
    if [ ${#killed[@]} = 0 ]; then
        [[ $report != *"had not stopped"* ]] || fail "not everybody left with a goodbye: $report"
    else
        [[ $report == *"(${#killed[@]} had not stopped"* ]] || fail "others than ${killed[*]} left without a goodbye: $report"
    fi
    [[ $report != *": 0 messages,"* ]] || fail "nobody said anything: $report"
    for name in "${!container[@]}"; do shown_none_of "$name" "${refused[@]}"; done
    say "$report"
}
shown_none_of() {
    local text
    for text in "${@:2}"; do
        if was_shown "$1" "$text"; then fail "$1 was shown what had been refused: $text"; fi
    done
}
traces() {
    docker run --rm --network none -v "${project}_traces:/traces:ro" --entrypoint sh causerie \
        -c "causerie check $* /traces/*.jsonl" >"$work/check.log" 2>&1
}
