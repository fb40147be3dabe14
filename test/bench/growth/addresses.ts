/** What the list is asked for, by name: each order, each filter, each kind of search. */
import { person } from '../../../src/made-up-people/people.ts';
import { listAddress } from '../../../src/users/list/address.ts';
import { cursorAt } from '../../../src/users/list/cursor.ts';
import { SORT_KEYS } from '../../../src/users/list/order.ts';
import { DEFAULTS } from '../../../src/users/list/state.ts';
import { aUser } from '../../users/a-user.ts';
import { broadQueries } from '../named-queries.ts';
import { NAMESAKES, NOBODY } from '../namesakes.ts';

export type Address = { name: string; path: string };

export function addressesOf(users: number): Address[] {
  return [...orders(users), ...filters(users), ...searches(), ...broadQueries(users)];
}

/** Once an import has been read, and is not applied. */
export const ABSENT: Address = { name: 'who is not in the file of an import', path: '/users?absent_from=1' };

function orders(users: number): Address[] {
  const pages = Math.ceil(users / DEFAULTS.perPage);
  const middle = personInTheMiddle(users);
  return SORT_KEYS.flatMap((sort) => [
    { name: `by ${sort}, first page`, path: `/users?sort=${sort}` },
    { name: `by ${sort}, in the middle by number`, path: `/users?sort=${sort}&page=${Math.ceil(pages / 2)}` },
    { name: `by ${sort}, last page`, path: `/users?sort=${sort}&page=${pages}` },
    {
      name: `by ${sort}, next`,
      path: listAddress({ ...DEFAULTS, sort, page: 0, cursor: cursorAt('after', middle, sort) }),
    },
  ]);
}

/** Of one number; where anybody stands in the other orders is anywhere in them. */
function personInTheMiddle(users: number) {
  const middle = Math.ceil(users / 2);
  const made = person(middle);
  return aUser({ ...made, full_name: made.full_name ?? null, id: middle + 1 });
}

function filters(users: number): Address[] {
  const pages = Math.ceil(users / 10 / DEFAULTS.perPage);
  const middle = Math.ceil(pages / 2);
  const path = (query: string) => `/users?${query}`;
  return [
    { name: 'inactive, first page', path: path('status=inactive') },
    {
      name: 'inactive by name, in the middle by number',
      path: path(`status=inactive&sort=name&page=${middle}`),
    },
    { name: 'a role that one in a hundred has', path: path('role=viewer') },
    { name: 'the same by name', path: path('role=viewer&sort=name') },
    { name: 'the same, who are inactive', path: path('role=viewer&status=inactive') },
    { name: 'the same, with a common name', path: path('role=viewer&q=smith') },
    { name: 'who has never signed in', path: path('signed_in=never') },
    { name: 'who has never signed in, by name', path: path('signed_in=never&sort=name') },
    { name: 'who has not for 90 days, which is nobody', path: path('signed_in=over-90-days-ago') },
  ];
}

function searches(): Address[] {
  const named = NAMESAKES.map(({ last, amount }) => ({
    name: `a name that ${amount.toLocaleString('en')} have`,
    word: last.toLowerCase(),
  }));
  const nobody = NOBODY.map((word) => ({ name: `what nobody has, ${word}`, word }));
  return [...named, ...nobody].map(({ name, word }) => ({ name, path: `/users?q=${word}` }));
}
