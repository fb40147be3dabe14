/** What stands for two programs on a machine made for a test, since no systemd runs there, and npm would take its time. */

/** Does with installed services what the pages ask for, and nothing of what protects them. */
export const SYSTEMCTL = `#!/bin/bash
set -e
verb=$1
shift
[ "$1" = --now ] && shift
value() { sed --quiet "s/^$1=//p" "/etc/systemd/system/$unit.service"; }

# A shell keeps the socket as descriptor 3, does not take what comes there, and starts the service with it when it is asked to.
hold() {
  at=/opt/stand-ins/$unit
  mkfifo "$at" "$at.code"
  address=$(sed --quiet 's/^ListenStream=//p' "/etc/systemd/system/$unit")
  keep="while read -r _; do LISTEN_FDS=1 systemctl start \${unit%.socket}; echo \\$? >$at.code; done <>$at"
  /opt/roster/node_modules/.bin/node -e "
    const [host, port] = '$address'.split(':');
    const server = require('net').createServer().listen(port, host, () => {
      const stdio = ['ignore', 'ignore', 'ignore', server._handle.fd];
      require('child_process').spawn('bash', ['-c', process.argv[1]], { stdio, detached: true });
      process.exit();
    });" "$keep"
}

start() {
  at=/opt/stand-ins/$unit.socket
  if [ -p "$at" ] && [ -z "$LISTEN_FDS" ]; then
    echo >"$at"
    return "$(cat "$at.code")"
  fi
  for name in $(value CacheDirectory); do
    install --directory --owner="$(value User)" --mode=700 "/var/cache/$name"
  done
  cd "$(value WorkingDirectory)"
  set -a
  eval "$(value Environment)"
  . "$(value EnvironmentFile)"
  set +a
  run="setpriv --reuid=$(value User) --regid=$(value User) --clear-groups --no-new-privs $(value ExecStart)"
  if [ "$(value Type)" = oneshot ]; then exec $run; fi
  # What was said by the one before would be taken for what this one says.
  rm --force "/opt/stand-ins/$unit.log"
  setsid bash -c 'LISTEN_PID=$$ exec "$@"' bash $run </dev/null >"/opt/stand-ins/$unit.log" 2>&1 &
  echo $! >"/opt/stand-ins/$unit.pid"
  until grep --quiet --no-messages '^Roster is at' "/opt/stand-ins/$unit.log"; do
    kill -0 $! 2>/dev/null || { cat "/opt/stand-ins/$unit.log"; exit 1; }
    sleep 0.05
  done
}

stop() {
  [ -e "/opt/stand-ins/$unit.pid" ] || return 0
  pid=$(cat "/opt/stand-ins/$unit.pid")
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm "/opt/stand-ins/$unit.pid"
}

for name; do
  # Nothing is done at an hour of the night here.
  case $name in *.timer) [ -e "/etc/systemd/system/$name" ] && continue ;; esac
  unit=\${name%.service}
  case $verb.$name in
    enable.*.socket) hold ;;
    start.* | enable.*) start ;;
    stop.*) stop ;;
    disable.*) stop && rm "/etc/systemd/system/$unit.service" ;;
    *) echo "Nothing here knows systemctl $verb." && exit 1 ;;
  esac
done
`;

/** What npm would install is what it has installed here, and more. */
export const NPM = `#!/bin/sh
set -e
test "$*" = 'ci --omit=dev'
cmp package-lock.json /opt/stand-ins/package-lock.json
ln --symbolic --force --no-dereference /opt/stand-ins/node_modules node_modules
`;
