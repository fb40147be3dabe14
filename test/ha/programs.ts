/** What `npm run test:ha` takes from Debian: where it is, which package brings it, and as whom it runs. */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { userInfo } from 'node:os';
import { pathOf } from '../installed.ts';

const PACKAGES = {
  patroni: 'patroni',
  etcd: 'etcd-server',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
} as const;

/** Of the newest PostgreSQL here. */
export const POSTGRES = globSync('/usr/lib/postgresql/*/bin').sort().at(-1);

export function missingPackages(): string[] {
  const missing: string[] = Object.entries(PACKAGES)
    .filter(([program]) => pathOf(program) === undefined)
    .map(([, name]) => name);
  return POSTGRES === undefined ? [...missing, 'postgresql'] : missing;
}

export function programOf(name: keyof typeof PACKAGES): string {
  return pathOf(name) ?? name;
}

/** PostgreSQL refuses root: Debian's own user in its place. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (userInfo().uid !== 0) return {};
  const idOf = (what: string) => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}
