/** Stands for systemd where none runs: does with installed services what the pages ask for, and nothing of what protects them. */
export const systemctl = `#!/bin/bash
set -e
verb=$1
shift
[ "$1" = --now ] && shift
value() { sed --quiet "s/^$1=//p" "/etc/systemd/system/$unit.service"; }

start() {
  cd "$(value WorkingDirectory)"
  set -a
  eval "$(value Environment)"
  . "$(value EnvironmentFile)"
  set +a
  run="setpriv --reuid=$(value User) --regid=$(value User) --clear-groups --no-new-privs $(value ExecStart)"
  if [ "$(value Type)" = oneshot ]; then exec $run; fi
  setsid $run </dev/null >"/opt/systemd/$unit.log" 2>&1 &
  echo $! >"/opt/systemd/$unit.pid"
  until grep --quiet --no-messages '^Roster is at' "/opt/systemd/$unit.log"; do
    kill -0 $! 2>/dev/null || { cat "/opt/systemd/$unit.log"; exit 1; }
    sleep 0.05
  done
}

stop() {
  pid=$(cat "/opt/systemd/$unit.pid")
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm "/opt/systemd/$unit.pid"
}

for name; do
  # Nothing is done at an hour of the night here.
  case $name in *.timer) [ -e "/etc/systemd/system/$name" ] && continue ;; esac
  unit=\${name%.service}
  case $verb in
    start | enable) start ;;
    stop) stop ;;
    disable) stop && rm "/etc/systemd/system/$unit.service" ;;
    *) echo "Nothing here knows systemctl $verb." && exit 1 ;;
  esac
done
`;
