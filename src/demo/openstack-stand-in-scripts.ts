// The programs inside a stand-in for an image of OpenStack: what Kolla's start script, services, migrations and health
// checks do as seen from outside, in busybox's shell. They read the very configuration that the real images would, and
// fail where those would: a file, a key or a data directory that is missing, a process that is gone.

const SHELL = '#!/bin/sh\n'
const WITH_LIBRARY = `${SHELL}. /usr/lib/stand-in.sh\n`

/** What the others share. STAND_IN_FOR, set by the image, is the reference that it stands in for. */
const LIBRARY = `
state=/var/lib/stand-in
image=\${STAND_IN_FOR##*/}
version=\${image#*:}
image=\${image%%:*}

fail() { echo "$@" >&2; exit 1; }

# The service is there: its main process is PROCESS and lives.
running() {
  [ "$(cat $state/process 2>/dev/null)" = "$1" ] || fail "no process $1"
  [ -d "/proc/$(cat $state/pid 2>/dev/null)/fd" ] || fail "process $1 does not run"
}

# The port that the service is configured to open; nothing where it opens none.
configured_port() {
  xargs -r sed -n -E 's/^(http-socket|bind_port|osapi_volume_listen_port|listeners\\.tcp\\.default|port) *= *(.*:)?([0-9]+)$/\\3/p' \\
    < $state/configs | head -n 1
}

configured() { xargs -r grep -q -E "(:|[= ])$1([/,]|$)" < $state/configs || fail "nothing is configured for port $1"; }

# busybox's static wget crashes, so this speaks HTTP by hand. A redirect is an answer too.
answers() {
  path=/\${1#*/}
  [ "$path" != "/$1" ] || path=/
  printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$path" | nc -w 10 127.0.0.1 "\${1%%/*}" 2>/dev/null | grep -q -E '^HTTP/1.[01] [23]' ||
    fail "no answer at port $1"
}

# What a first start of the real service would miss.
check_data() {
  case $image in
    mariadb-server) [ -e /var/lib/mysql/ibdata1 ] || fail '[ERROR] Fatal error: Can'"'"'t open and lock privilege tables: the data directory is empty' ;;
    keystone) [ -e /etc/keystone/fernet-keys/0 ] || fail 'CRITICAL keystone.token: no Fernet keys in /etc/keystone/fernet-keys/' ;;
  esac
}

# Becomes the service PROCESS, until it is told to end. With PORT, or one in its configuration, it answers there.
serve() {
  process=$1
  port=\${2:-$(configured_port)}
  echo "$process" > $state/process
  echo "$(date '+%F %T') INFO $process [-] Starting, version $version (a stand-in)"
  case $version in *broken*)
    sleep 1
    echo "$(date '+%F %T') ERROR $process [-] oslo_config.cfg.ConfigFileValueError: value for option transport_url is not valid: unsupported driver"
    echo "$(date '+%F %T') CRITICAL $process [-] Unhandled error"
    exit 1 ;;
  esac
  check_data
  if [ -n "$port" ]; then
    mkdir -p $state/www/healthcheck
    echo "{\\"service\\": \\"$image\\", \\"version\\": \\"$version\\", \\"container\\": \\"$(hostname)\\"}" > $state/www/index.html
    echo OK > $state/www/healthcheck/index.html
    httpd -f -p "$port" -h $state/www &
  else
    sleep 2147483647 &
  fi
  child=$!
  trap 'kill $child; echo "$process: Caught SIGTERM, exiting"; exit 0' TERM INT
  echo $child > $state/pid
  [ -z "$pid_file" ] || echo $child > "$pid_file"
  [ -z "$port" ] || echo "$(date '+%F %T') INFO $process [-] Listening on 0.0.0.0:$port"
  wait $child
}
`

/** Kolla's start script: reads config.json, copies what it lists, then migrates (KOLLA_BOOTSTRAP) or becomes the service. */
const KOLLA_START = `
set -eu
config=/var/lib/kolla/config_files/config.json
rm -rf $state
mkdir -p $state
: > $state/configs

echo "INFO:__main__:Loading config file at $config"
[ -f $config ] || fail "ERROR:__main__:MissingRequiredSource: $config"
[ "\${KOLLA_CONFIG_STRATEGY:-}" = COPY_ALWAYS ] || fail 'ERROR:__main__:InvalidConfig: KOLLA_CONFIG_STRATEGY is not set properly'
echo "INFO:__main__:Kolla config strategy set to: $KOLLA_CONFIG_STRATEGY"

flat=$(tr -d '\\n' < $config)
command=$(echo "$flat" | sed -n 's/.*"command": *"\\([^"]*\\)".*/\\1/p')
[ -n "$command" ] || fail 'ERROR:__main__:InvalidConfig: config.json needs a command'
echo "$flat" | tr '{}' '\\n\\n' | sed -n 's/.*"source": *"\\([^"]*\\)", *"dest": *"\\([^"]*\\)".*/\\1 \\2/p' > $state/copies
while read -r source dest; do
  [ -e "$source" ] || fail "ERROR:__main__:MissingRequiredSource: $source file is not found"
  echo "INFO:__main__:Copying $source to $dest"
  mkdir -p "$(dirname "$dest")"
  cp "$source" "$dest"
  echo "$dest" >> $state/configs
done < $state/copies

if [ "\${KOLLA_BOOTSTRAP+set}" ]; then
  echo "INFO  [alembic.runtime.migration] Context impl MySQLImpl."
  sleep 0.5
  [ "$image" != mariadb-server ] || : >> /var/lib/mysql/ibdata1
  echo "INFO  [alembic.runtime.migration] Running upgrade of $image to $version (a stand-in): done"
  exit 0
fi

# shellcheck disable=SC2086 # the words of the command
set -- $command
process=$(basename "$1")
pid_file=
while [ $# -gt 0 ]; do
  [ "$1" != -p ] || pid_file=$2
  shift
done
echo "Running command: '$command'"
serve "$process"
`

/** Each program's path inside the image → its text. All are executable. */
export const STAND_IN_PROGRAMS: Readonly<Record<string, string>> = {
  '/usr/lib/stand-in.sh': SHELL + LIBRARY,
  '/usr/bin/kolla_start': WITH_LIBRARY + KOLLA_START,

  // Kolla's checks.
  '/usr/bin/healthcheck_curl': `${WITH_LIBRARY}
for url in "$@"; do :; done
url=\${url#http://}
host=\${url%%/*}
answers "\${host#*:}\${url#"$host"}"
`,
  '/usr/bin/healthcheck_port': `${WITH_LIBRARY}running "$1" && configured "$2"\n`,
  '/usr/bin/healthcheck_listen': `${WITH_LIBRARY}running "$1" && configured "$2"\n`,

  // The checks of the services themselves.
  '/usr/bin/clustercheck': `${WITH_LIBRARY}
running mariadbd-safe && answers 3306 && echo 'Galera cluster node is synced.'
`,
  '/usr/bin/mariadb-admin': `${WITH_LIBRARY}running mariadbd-safe && answers 3306 && echo 'mysqld is alive'\n`,
  '/usr/bin/rabbitmq-diagnostics': `${WITH_LIBRARY}
running rabbitmq-server && answers 5672 && echo 'Ping succeeded'
`,
  '/usr/bin/virsh': `${WITH_LIBRARY}running libvirtd && echo 'Running against daemon: 10.0.0'\n`,
  '/usr/bin/ovsdb-client': `${WITH_LIBRARY}running ovsdb-server && echo Open_vSwitch\n`,
  '/usr/bin/ovs-appctl': `${WITH_LIBRARY}running ovs-vswitchd\n`,
  '/usr/bin/mongosh': `${WITH_LIBRARY}running mongod && answers 27017\n`,

  // What jobs call.
  '/usr/bin/mariadb': `${WITH_LIBRARY}
statements=$(grep -c ';$')
[ "$statements" -gt 0 ] || fail 'ERROR: No query specified'
echo "$statements statements, 0 warnings (a stand-in)"
`,
  '/usr/bin/keystone-manage': `${WITH_LIBRARY}
[ -s /etc/keystone/keystone.conf ] || fail 'ERROR: no /etc/keystone/keystone.conf'
[ "$1" != fernet_setup ] || [ -e /etc/keystone/fernet-keys/0 ] || echo stand-in > /etc/keystone/fernet-keys/0
echo "INFO keystone.cmd.cli [-] $1: done (a stand-in)"
`,
  '/usr/bin/openstack': `${WITH_LIBRARY}[ "$2" = list ] || echo "$1 $2: done (a stand-in)"\n`,
  '/usr/bin/swift-ring-builder': `${WITH_LIBRARY}
[ "$2" = create ] || [ -e "$1" ] || fail "$1: no such ring"
: >> "$1"
[ "$2" != rebalance ] || echo stand-in > "\${1%.builder}.ring.gz"
echo "$2 $1: done (a stand-in)"
`,

  // The main program of the one image that is not Kolla's.
  '/usr/bin/mongod': `${WITH_LIBRARY}
set -eu
rm -rf $state
mkdir -p $state /data/db
: > $state/configs
pid_file=
serve mongod 27017
`,
}
