/** What the servers are asked, and what Roster is to reach. */
import type { Request } from './answers.ts';

export type Target = { ratio: number; of: 'hand-written' | 'Express' } | { rate: number };

export type Scenario = {
  name: string;
  /** The status of every answer. */
  status: number;
  /** What Roster is to reach: a share of another server's rate, or requests a second. */
  targets: readonly Target[];
  /** One request for each address whose answer differs in kind or size. */
  examples: readonly Request[];
  /** The request with a number from 0 on; the same one every time. */
  request(number: number): Request;
};

const PER_PAGE = 10;
const FIRST_PAGES = 100;
export const FEWEST_ON_PAGES = FIRST_PAGES * PER_PAGE;
const LIST: readonly Target[] = [
  { ratio: 0.5, of: 'hand-written' },
  { ratio: 1, of: 'Express' },
];
/** Nobody has changed them since they were made up. */
const UNCHANGED = 4;

export function scenariosOf(users: number): Scenario[] {
  const lastPage = get(`/users?page=${Math.ceil(users / PER_PAGE)}`);
  const pages = Array.from({ length: FIRST_PAGES }, (_, index) => get(`/users?page=${index + 1}`));
  const someone = (number: number) => get(`/users/${1 + Math.floor(random(number) * users)}`);
  return [
    {
      name: 'list, page 1',
      status: 200,
      targets: LIST,
      examples: [get('/users')],
      request: () => get('/users'),
    },
    {
      name: 'a random page of the first 100',
      status: 200,
      targets: LIST,
      examples: pages,
      request: (number) => get(`/users?page=${1 + Math.floor(random(number) * FIRST_PAGES)}`),
    },
    { name: 'last page', status: 200, targets: LIST, examples: [lastPage], request: () => lastPage },
    {
      name: 'one user',
      status: 200,
      targets: [{ ratio: 0.4, of: 'hand-written' }],
      examples: [get(`/users/${UNCHANGED}`)],
      request: someone,
    },
    { name: 'create', status: 303, targets: [{ rate: 2500 }], examples: [creation(0)], request: creation },
  ];
}

function get(path: string): Request {
  return { method: 'GET', path };
}

function creation(number: number): Request {
  const fields = {
    username: `bench.${number}`,
    email: `bench.${number}@example.org`,
    full_name: `Bench Number ${number}`,
    is_active: '1',
  };
  return {
    method: 'POST',
    path: '/users',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  };
}

/** A number from 0 to below 1 that looks drawn (the finish of MurmurHash3). */
function random(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
