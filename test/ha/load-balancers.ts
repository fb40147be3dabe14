/** What leads to the primary, and to the Rosters: HAProxy, and PgBouncer between them and it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { blockOf } from '../operations/deploy/pages.ts';
import type { Place } from './place.ts';
import { programOf } from './programs.ts';
import { Service } from './service.ts';

/** Where they are in the files of `deploy/`, and people in none. */
export const [PEOPLE, POOLER] = ['127.0.0.1:80', '127.0.0.1:6432'];
export const ROSTERS = ['127.0.0.1:3000', '127.0.0.1:3001'] as const;

const BEFORE_ROSTERS = `
frontend people
  mode http
  bind ${PEOPLE}
  default_backend rosters
backend rosters
  mode http
  option forwardfor
${blockOf('haproxy')}`;

export class Haproxy extends Service {
  readonly #socket: string;

  constructor(place: Place) {
    const socket = place.path('haproxy.sock');
    // The times are those of Debian's haproxy.cfg.
    const before = `
global
  stats socket ${socket}
defaults
  timeout connect 5s
  timeout client 50s
  timeout server 50s
`;
    const whole = (deployed: string) => `${before}${deployed}${BEFORE_ROSTERS}`;
    const config = place.write('haproxy.cfg', place.settle('haproxy-postgres.cfg', whole));
    const args = ['-db', '-f', config];
    super({ program: programOf('haproxy'), args, log: place.path('haproxy.log'), ...place.user });
    this.#socket = socket;
  }

  /** How many connections lead to each machine's PostgreSQL as to the primary. */
  async connections(): Promise<Map<string, number>> {
    const socket = connect(this.#socket);
    await once(socket, 'connect');
    const [header = '', ...rows] = (await text(socket.end('show stat\n'))).trim().split('\n');
    const names = header.replace('# ', '').split(',');
    const [, server, current] = ['pxname', 'svname', 'scur'].map((name) => names.indexOf(name));
    return new Map(
      rows
        .map((row) => row.split(','))
        .filter(([proxy, name = '']) => proxy === 'primary' && /^n\d$/.test(name))
        .map((cells) => [String(cells[server ?? 1]), Number(cells[current ?? 0])]),
    );
  }
}

export function makePooler(place: Place): Service {
  const users = place.write('userlist.txt', '"roster" "CHANGE-4"\n');
  const config = place.settle('pgbouncer.ini').replace('/etc/pgbouncer/userlist.txt', users);
  const args = [place.write('pgbouncer.ini', config)];
  const log = place.path('pgbouncer.log');
  return new Service({ program: programOf('pgbouncer'), args, log, ...place.user });
}
