/** What Roster is asked by one person at a time, by name: lists, links, jumps and searches. */
import { person } from '../../src/made-up-people/people.ts';
import { STATUSES } from '../../src/users/list/filters.ts';
import { SORT_KEYS } from '../../src/users/list/order.ts';
import { pageOf } from '../page.ts';
import type { Client } from './client.ts';
import type { Limit, Limits } from './limits.ts';
import { NAMESAKES, NOBODY, STRANGERS } from './namesakes.ts';

export type NamedQuery = {
  name: string;
  /** One address, or many of a kind: the slowest of them speaks for all. */
  paths: readonly string[];
  limit: Limit;
  /** How many users it has to find, where that is known. */
  finds?: number;
};

/** May be answered "too broad", but in time, and without keeping others waiting. */
export type BroadQuery = { name: string; path: string };

/** The reference. */
export const PLAIN = '/users';

const PER_PAGE = 10;

export async function namedQueries(client: Client, limits: Limits): Promise<NamedQuery[]> {
  const lists = await readLists(client);
  const { next, previous } = await readLinks(client, lists);
  const jump = (share: number) => lists.map(({ page, pages }) => page(Math.ceil(pages * share)));
  return [
    { name: 'plain first page', paths: [PLAIN], limit: limits.first },
    { name: 'first page of any list', paths: lists.map(({ address }) => address), limit: limits.first },
    { name: 'next', paths: next, limit: limits.neighbour },
    { name: 'previous', paths: previous, limit: limits.neighbour },
    { name: 'jump to the first third', paths: jump(1 / 3), limit: limits.jump },
    { name: 'jump to the middle', paths: jump(1 / 2), limit: limits.jump },
    { name: 'jump to the last third', paths: jump(2 / 3), limit: limits.jump },
    ...NAMESAKES.flatMap(({ first, last, amount }) => [
      search(`a last name, ${amount.toLocaleString('en')}`, last, limits.namesakes, amount),
      search(`a full name, ${amount.toLocaleString('en')}`, `${first} ${last}`, limits.namesakes, amount),
    ]),
    ...NOBODY.map((word) => search(`nobody has ${word}`, word, limits.nobody, 0)),
  ];
}

/** @param users how many were made up. */
export function broadQueries(users: number): BroadQuery[] {
  const month = lastWholeMonth(users);
  return [
    { name: 'a letter', path: '/users?q=a' },
    { name: 'two letters', path: '/users?q=an' },
    { name: 'a word that all have', path: '/users?q=example' },
    { name: 'two names that never meet', path: `/users?q=${STRANGERS.join('+')}` },
    { name: 'an address that many have', path: '/users?q=%22mail.example.com%22' },
    { name: 'a common name by email', path: '/users?q=smith&sort=email' },
    { name: 'a month by username', path: `/users?${month}&sort=username` },
    { name: 'a month by number', path: `/users?${month}` },
  ];
}

function search(name: string, words: string, limit: Limit, finds: number): NamedQuery {
  return { name, paths: [`/users?${new URLSearchParams({ q: words.toLowerCase() })}`], limit, finds };
}

/** The last month that is over when the last user is made: ever more join, so none has more users. */
function lastWholeMonth(users: number): string {
  const last = new Date(person(users - 1).created_at);
  const day = (month: number, date: number) =>
    new Date(Date.UTC(last.getUTCFullYear(), month, date)).toISOString().slice(0, 10);
  const month = last.getUTCMonth() - 1;
  return `created_after=${day(month, 1)}&created_before=${day(month + 1, 0)}`;
}

type List = { address: string; pages: number; page(number: number): string };

/** Every order, with and without a status. */
async function readLists(client: Client): Promise<List[]> {
  const lists: List[] = [];
  for (const filter of ['', ...STATUSES.map((status) => `&status=${status}`)]) {
    for (const sort of SORT_KEYS.flatMap((key) => [key, `-${key}`])) {
      const address = `/users?sort=${sort}${filter}`;
      const { html } = await client.ask(address);
      const pages = Math.ceil(Number(totalOf(html).replaceAll(',', '')) / PER_PAGE);
      lists.push({ address, pages, page: (number) => `${address}&page=${number}` });
    }
  }
  return lists;
}

/** Where next and previous lead to from the first, the hundredth, the middle and the last page but one. */
async function readLinks(client: Client, lists: readonly List[]) {
  const links: { next: string[]; previous: string[] } = { next: [], previous: [] };
  for (const { pages, page } of lists) {
    for (const number of [1, 100, Math.ceil(pages / 2), pages - 1]) {
      const { html } = await client.ask(page(number));
      links.next.push(pageOf(html).link('Next'));
      if (number > 1) links.previous.push(pageOf(html).link('Previous'));
    }
  }
  return links;
}

/** How many users a list page says match, such as "1,234". */
export function totalOf(html: string): string {
  return /Showing \S+ of (more than [\d,]+|[\d,]+)/.exec(pageOf(html).text)?.[1] ?? '0';
}
