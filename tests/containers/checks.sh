# What the container tests check.
#
# `run` sets root, work, project and compose, and gives on_network, down, step and die.
# shellcheck shell=bash disable=SC2154

# The two official base images, or stand-ins where they can be had neither from here nor from a registry.
build_image() {
    # shellcheck source=/dev/null
    [ ! -f "$root/.env" ] || source "$root/.env"
    if [ -z "${RUST_IMAGE:-}" ]; then
        RUST_IMAGE=rust:1.95-slim-bookworm RUNTIME_IMAGE=debian:bookworm-slim
        if ! { have "$RUST_IMAGE" && have "$RUNTIME_IMAGE"; }; then
            echo "no registry can be reached: stand-ins for the base images"
            eval "$("$root/docker/bases.sh")"
        fi
    fi
    export RUST_IMAGE RUNTIME_IMAGE
    on_network build --progress plain alice >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; die "the image cannot be built"; }

    local label said
    label=$(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.version"}}' causerie)
    said=$(docker run --rm --network none causerie --version)
    [ "$said" = "causerie $label" ] || die "the image is labelled $label, and the program says $said"
    [ "$(docker run --rm --network none --entrypoint id causerie -u)" != 0 ] || die "the image runs as root"
}
have() { docker image inspect "$1" >/dev/null 2>&1 || timeout 60 docker pull -q "$1" >/dev/null 2>&1; }

# Five peers, healthy within ten seconds and a link between every two, one more by scale; and a prompt's commands.
come_up() {
    local begun=$SECONDS name here
    on_network up -d --no-build --wait --wait-timeout 30 >"$work/up.log" 2>&1 || { cat "$work/up.log"; die "the five do not become healthy"; }
    echo "the five are healthy after $((SECONDS - begun)) s"
    [ $((SECONDS - begun)) -le 10 ] || die "that is more than ten seconds"
    for name in alice bob carol dave erin; do
        here=$(on_network exec -T "$name" causerie users | grep -cE ' (here|you)( |$)')
        [ "$here" = 5 ] || die "$name sees $here peers, not five"
    done
    docker logs "$(on_network ps -q alice)" >"$work/alice.log" 2>&1
    grep -q 'docker compose exec alice causerie attach' "$work/alice.log" || die "the log does not say how to get a prompt"
    ! grep $'\e' "$work/alice.log" || die "there are control sequences in the log"
    on_network --profile crowd up -d --no-build --no-recreate --wait --wait-timeout 30 --scale crowd=2 crowd >"$work/up.log" 2>&1 ||
        { cat "$work/up.log"; die "the crowd does not come up"; }
    here=$(on_network exec -T alice causerie users | grep -cE ' (here|you)( |$)')
    [ "$here" = 7 ] || die "alice sees $here peers, not five and the crowd of two"
}

# The pages of the five and of the host, as browsers of this machine reach them, and nobody calls them by another name.
open_pages() {
    local port=${CAUSERIE_PAGES%-*} name link code
    for name in alice bob carol dave erin; do
        within 20 "the page of $name" says pages "the page of $name is at http://127.0.0.1:$port/#"
        link=$(on_network exec -T "$name" causerie page)
        [[ $link == "http://127.0.0.1:$port/#"* ]] || die "the link to the page of $name is $link"
        code=$(post "$port" login "${link#*#}")
        [ "$code" = 204 ] || die "the link to the page of $name answers $code"
        code=$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "http://127.0.0.1:$port/")
        [ "$code" = 403 ] || die "the page of $name answers $code to another name"
        port=$((port + 1))
    done
    echo "five pages answer, each to its link alone"
    on_network --profile host up -d --no-build --no-recreate host >"$work/up.log" 2>&1 || { cat "$work/up.log"; die "the host does not come up"; }
    within 20 "the page of the host" says host "the page is at"
    code=$(post "$CAUSERIE_HOST" register '{"name":"zoe","passphrase":"a long passphrase"}')
    [ "$code" = 204 ] || die "registering at the host answers $code"
    within 20 "zoe among the five" users_of alice ' zoe +here'
    echo "a person who registered at the host is among the five"
    down
}
post() {
    curl -s -o /dev/null -w '%{http_code}' -H "Origin: http://127.0.0.1:$1" -H 'X-Causerie: 1' -H 'Content-Type: application/json' \
        -d "$3" "http://127.0.0.1:$1/$2"
}
says() { on_network logs --no-log-prefix "$1" 2>&1 | grep -F "$2" >/dev/null; }
users_of() { on_network exec -T "$1" causerie users | grep -E "$2" >/dev/null; }

# within SECONDS WHAT COMMAND…: until the command succeeds.
within() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || die "$what is not there"
        sleep 0.2
    done
}

play_scenario() {
    on_network --profile scenario up --no-build --exit-code-from scenario >"$work/scenario.log" 2>&1 ||
        { cat "$work/scenario.log"; die "the scenario has failed"; }
    grep 'OK, causally ordered and complete' "$work/scenario.log" || die "the scenario has proved nothing"
    docker run --rm --network none -v "${project}_traces:/traces:ro" --entrypoint sh causerie \
        -c 'grep -q "</svg>" /traces/diagram.svg && grep -q "OK, causally" /traces/transcript.txt' ||
        die "there is no transcript or no diagram beside the traces"
    nothing_runs
    down
}

nothing_runs() {
    local left
    left=$(docker ps --format '{{.Names}}' --filter "label=com.docker.compose.project=$project")
    [ -z "$left" ] || die "still running: $left"
}

# fails_with TEXT OVERRIDE: the scenario, with something wrong in it, says TEXT, does not exit with 0, and nothing is left.
fails_with() {
    local begun=$SECONDS
    printf '%s\n' "$2" >"$work/override.yml"
    if timeout 120 "${compose[@]}" -p "$project" --project-directory "$root" -f "$root/docker-compose.yml" -f "$work/override.yml" \
        --profile scenario up --no-build --exit-code-from scenario >"$work/wrong.log" 2>&1; then
        cat "$work/wrong.log"; die "${FUNCNAME[1]} went well"
    fi
    grep -m 1 -F "$1" "$work/wrong.log" || { cat "$work/wrong.log"; die "${FUNCNAME[1]}: nothing says \"$1\""; }
    nothing_runs
    down
    echo "${FUNCNAME[1]}: nothing runs any more after $((SECONDS - begun)) s"
}

unknown_verb() {
    echo 'alice shouts hello' >"$work/story"
    chmod 755 "$work"
    fails_with 'there is no verb "shouts"' "
services:
  scenario:
    command: [/story]
    volumes: ['$work/story:/story:ro']"
}

never_healthy() {
    fails_with 'dave is not healthy' "
services:
  dave:
    command: [sleep 1000]"
}

full_trace_volume() {
    fails_with 'No space left on device' "
volumes:
  traces:
    driver_opts: {type: tmpfs, device: tmpfs, o: 'size=8k,uid=10001'}"
}

full_data_volume() {
    fails_with 'No space left on device' "
volumes:
  alice:
    driver_opts: {type: tmpfs, device: tmpfs, o: 'size=4k,nr_inodes=1,uid=10001'}"
}

port_in_use() {
    local first said
    first=$(docker run -d --rm --network none causerie run --name first --listen 127.0.0.1:4100 --no-mdns)
    sleep 1
    if said=$(timeout 20 docker run --rm --network "container:$first" causerie run --name second --listen 127.0.0.1:4100 --no-mdns 2>&1); then
        docker kill "$first" >/dev/null
        die "two peers listen on one port"
    fi
    docker kill "$first" >/dev/null
    [[ $said == *"4100"*"in use"* ]] || die "port_in_use: it says \"$said\""
    echo "$said"
}

no_engine() {
    local command said
    for command in docker/bases.sh tests/chaos/run; do
        if said=$(DOCKER_HOST=unix:///nowhere/docker.sock timeout 20 "$root/$command" 2>&1); then die "$command needs no engine"; fi
        [[ $said == *"no Docker engine answers"* ]] || die "no_engine: $command says \"$said\""
        echo "$said"
    done
}
