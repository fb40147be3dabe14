/** Three PostgreSQL under Patroni, each as on a machine of its own. */
import { childrenOf } from '../children.ts';
import { postmasterOf } from '../postgres/postmaster.ts';
import { MACHINES, type Place } from './place.ts';
import { POSTGRES, programOf } from './programs.ts';
import { Service } from './service.ts';
import { until } from './until.ts';

/** https://patroni.readthedocs.io/en/latest/rest_api.html#cluster-status-endpoints */
type Member = { name: string; role: string; state: string };

type Machine = { name: string; service: Service; api: string; data: string; port: number };

export class Patroni {
  readonly #machines: Machine[];

  constructor(place: Place) {
    this.#machines = MACHINES.map((number) => makeMachine(place, number));
    process.on('exit', () => {
      for (const machine of this.#machines) killPostgres(machine);
    });
  }

  async start(): Promise<void> {
    for (const { service } of this.#machines) service.start();
    await this.untilWhole();
  }

  /** Until one leads and the others follow it, one of them synchronously. */
  async untilWhole(): Promise<void> {
    await until('a primary, a synchronous standby and another one', async () =>
      isWhole(await this.#members()),
    );
  }

  /** The address at which whoever owns the servers reaches the primary itself. */
  async primaryUrl(database = 'postgres'): Promise<string> {
    const { port } = await this.#primary();
    return `postgres://postgres:CHANGE-1@127.0.0.1:${port}/${database}`;
  }

  /** The name of the machine. */
  async primaryName(): Promise<string> {
    return (await this.#primary()).name;
  }

  /** @throws Error where Patroni refuses */
  async switchOver(): Promise<void> {
    const { name, api } = await this.#primary();
    const answer = await fetch(`${api}/switchover`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ leader: name }),
    });
    if (!answer.ok) throw new Error(`Patroni does not switch over: ${await answer.text()}`);
  }

  async killPostmaster(): Promise<void> {
    const { data } = await this.#primary();
    process.kill(postmasterOf(data), 'SIGKILL');
  }

  /** All of the primary's machine. @returns how to start it again */
  async killMachine(): Promise<() => Promise<void>> {
    const machine = await this.#primary();
    await machine.service.kill();
    killPostgres(machine);
    return async () => machine.service.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#machines.map(({ service }) => service.kill()));
    for (const machine of this.#machines) killPostgres(machine);
  }

  async #primary(): Promise<Machine> {
    const leader = (await this.#members()).find(({ role }) => role === 'leader');
    const machine = this.#machines.find(({ name }) => name === leader?.name);
    if (machine === undefined) throw new Error('There is no primary.');
    return machine;
  }

  /** As the first that answers knows them. */
  async #members(): Promise<Member[]> {
    for (const { api } of this.#machines) {
      const answer = await fetch(`${api}/cluster`).catch(() => undefined);
      if (answer?.ok) return ((await answer.json()) as { members: Member[] }).members;
    }
    return [];
  }
}

function isWhole(members: readonly Member[]): boolean {
  const count = (of: string) => members.filter(({ role }) => role === of).length;
  const isUp = members.every(({ state }) => ['running', 'streaming'].includes(state));
  return isUp && members.length === MACHINES.length && count('leader') === 1 && count('sync_standby') === 1;
}

function makeMachine(place: Place, number: number): Machine {
  const name = `n${number}`;
  const own = (line: string) => line.replace('n1', name).replace('10.0.0.1', `10.0.0.${number}`);
  const folder = place.makeFolder(name);
  const data = `${folder}/data`;
  const config = place
    .settle('patroni.yml', (text) => text.replaceAll(/^ *(name|listen|connect_address): .*$/gm, own))
    .replace('/var/lib/postgresql/15/roster', data)
    .replace('/usr/lib/postgresql/15/bin', POSTGRES ?? '')
    .replace('/var/lib/postgresql/.pgpass_patroni', `${folder}/pgpass`)
    .replace('/var/run/postgresql', folder);
  const args = [place.write(`${name}.yml`, config)];
  const log = place.path(`${name}.log`);
  return {
    name,
    service: new Service({ program: programOf('patroni'), args, log, ...place.user }),
    api: place.http(`10.0.0.${number}:8008`),
    data,
    port: place.port(`10.0.0.${number}:5432`),
  };
}

/** With all of its processes. */
function killPostgres({ data }: Machine): void {
  try {
    const postmaster = postmasterOf(data);
    for (const pid of [postmaster, ...childrenOf(postmaster)]) process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended, or one of them just now.
    if (!['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}
