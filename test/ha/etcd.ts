/** Three etcd, by which Patroni agrees on who is the primary. */
import { MACHINES, type Place } from './place.ts';
import { programOf } from './programs.ts';
import { Service } from './service.ts';
import { until } from './until.ts';

/** https://etcd.io/docs/v3.4/dev-guide/api_reference_v3/#message-statusresponse-apietcdserveretcdserverpbrpcproto */
type Status = { header: { member_id: string }; leader: string };

type Member = { service: Service; url: string };

export class Etcd {
  readonly #members: Member[];

  constructor(place: Place) {
    this.#members = MACHINES.map((machine) => makeMember(place, machine));
  }

  async start(): Promise<void> {
    for (const { service } of this.#members) service.start();
    await this.#untilAllFollow();
  }

  /** @returns how to start it again */
  async killLeader(): Promise<() => Promise<void>> {
    const statuses = await Promise.all(this.#members.map(askStatus));
    const leader = this.#members.find(
      (_, index) => statuses[index]?.header.member_id === statuses[0]?.leader,
    );
    await leader?.service.kill();
    return async () => {
      leader?.service.start();
      await this.#untilAllFollow();
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ service }) => service.kill()));
  }

  async #untilAllFollow(): Promise<void> {
    await until('all of etcd follow one leader', async () => {
      const statuses = await Promise.all(this.#members.map(askStatus));
      const leaders = new Set(statuses.map(({ leader }) => leader));
      return leaders.size === 1 && !leaders.has('0');
    });
  }
}

function makeMember(place: Place, machine: number): Member {
  const url = place.http(`10.0.0.${machine}:2379`);
  const peer = (of: number) => place.http(`10.0.0.${of}:2380`);
  const name = `etcd${machine}`;
  const settings = {
    name,
    'data-dir': place.makeFolder(name),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peer(machine),
    'initial-advertise-peer-urls': peer(machine),
    'initial-cluster': MACHINES.map((of) => `etcd${of}=${peer(of)}`).join(),
  };
  const args = Object.entries(settings).map(([key, value]) => `--${key}=${value}`);
  const log = place.path(`${name}.log`);
  return { url, service: new Service({ program: programOf('etcd'), args, log, ...place.user }) };
}

/** @throws TypeError where it does not answer */
async function askStatus({ url }: Member): Promise<Status> {
  const answer = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
  return (await answer.json()) as Status;
}
