/** What is done to the world, and within how long, in milliseconds, writing is promised to go on. */
import { setTimeout } from 'node:timers/promises';
import type { Service } from './service.ts';
import type { World } from './world.ts';

export type Fault = {
  name: string;
  most: number;
  /** @returns what mends it once people go on, where it does not by itself */
  begin(world: World): Promise<(() => Promise<void>) | undefined>;
};

/** As a service manager does: systemd's RestartSec of deploy/roster.service. */
const STARTED_AGAIN_AFTER = 1_000;

export const SWITCHOVER: Fault = {
  name: 'a switchover',
  most: 10_000,
  async begin({ patroni }) {
    await patroni.switchOver();
    return undefined;
  },
};

export const KILLS: readonly Fault[] = [
  {
    name: 'the primary’s postmaster is killed',
    most: 10_000,
    async begin({ patroni }) {
      await patroni.killPostmaster();
      return undefined;
    },
  },
  {
    name: 'the primary’s machine is dead',
    most: 25_000,
    begin: ({ patroni }) => patroni.killMachine(),
  },
  {
    name: 'a Roster is killed, and back after a second',
    most: 10_000,
    begin: ({ rosters: [roster] }) => restart(roster),
  },
  {
    name: 'etcd’s leader is killed',
    most: 10_000,
    begin: ({ etcd }) => etcd.killLeader(),
  },
  {
    name: 'the pooler is killed, and back after a second',
    most: 10_000,
    begin: ({ pooler }) => restart(pooler),
  },
];

async function restart(service: Service | undefined): Promise<undefined> {
  await service?.kill();
  await setTimeout(STARTED_AGAIN_AFTER);
  service?.start();
}
