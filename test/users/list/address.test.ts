import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ROLES } from '../../../src/db/schema.ts';
import { parseQuery } from '../../../src/lib/forms.ts';
import { fromParameter, listAddress, parseFrom, parseList } from '../../../src/users/list/address.ts';

const DEFAULTS = parseList({}).list;
const NOW = Date.UTC(2026, 0, 31);

describe('the state of the list', () => {
  test('is at its defaults without a query, and its address is short', () => {
    expect(DEFAULTS).toEqual({
      page: 1,
      perPage: 10,
      status: undefined,
      role: undefined,
      createdAfter: undefined,
      createdBefore: undefined,
      sort: 'id',
    });
    expect(listAddress(DEFAULTS)).toBe('/users');
  });

  test('is all in its address', () => {
    const { list, notices } = parseList({
      status: 'active',
      role: 'editor',
      created_after: '2026-01-31',
      created_before: '2026-02-01',
      sort: '-created',
      per_page: '25',
      page: '3',
      utm_source: 'mail',
    });
    expect(notices).toEqual([]);
    expect(listAddress(list)).toBe(
      '/users?status=active&role=editor&created_after=2026-01-31&created_before=2026-02-01&sort=-created&per_page=25&page=3',
    );
  });

  test.each([
    ['status', 'Active'],
    ['role', 'Editor'],
    ['role', 'owner'],
    ['sort', 'password'],
    ['sort', '--id'],
    ['sort', '-'],
    ['created_after', '2026-02-30'],
    ['created_after', '31.1.2026'],
    ['created_before', 'tomorrow'],
    ['created_after', '0000-01-01'],
    ['per_page', '0'],
    ['per_page', '101'],
    ['per_page', '1e1'],
  ])('ignores %s=%s, and says so', (name, value) => {
    const { list, notices } = parseList({ [name]: value });
    expect(list).toEqual(DEFAULTS);
    expect(notices).toEqual([expect.stringContaining(`${name}=${value} was ignored: it can be `)]);
  });

  test.each([
    ['page', '٣', { page: 3 }],
    ['page', '１２', { page: 12 }],
    ['per_page', '۲۵', { perPage: 25 }],
    ['created_after', '٢٠٢٦-٠١-٣١', { createdAfter: '2026-01-31' }],
    ['created_before', '２０２６－０１－３１', { createdBefore: '2026-01-31' }],
  ])('takes %s=%s, whatever its digits', (name, typed, asked) => {
    expect(parseList({ [name]: typed })).toEqual({ list: { ...DEFAULTS, ...asked }, notices: [] });
  });

  test('ignores an empty parameter, which a form sends for an empty field, without a word', () => {
    expect(parseList({ created_after: '', status: '', role: '' })).toEqual({ list: DEFAULTS, notices: [] });
  });

  test.each(['', ' ', '\u200B'])('takes page=%j for page 1 without a word', (page) => {
    expect(parseList({ page })).toEqual({ list: DEFAULTS, notices: [] });
  });

  test.each([
    'abc',
    '1.5',
    '1,5',
    '1e3',
    '0x10',
    '+2',
    '2 of 3',
    '1,200.5',
    '1.200,300',
    '1,20',
    '1,2000',
    ',200',
    '1200,',
    '1²',
    '½',
  ])('takes page=%s for page 1, and says so', (page) => {
    const { list, notices, wrongPage } = parseList({ page });
    expect(list).toEqual(DEFAULTS);
    expect(notices).toEqual([`“${page}” is no page number, so this is the first page.`]);
    expect(wrongPage).toBe(page);
    expect(parseList({ page, after: 'id.7' }).list).toEqual(DEFAULTS);
  });

  test.each([
    '1200',
    '1,200',
    '1.200',
    '1 200',
    '1\u00A0200',
    '1\u202F200',
    '1\u2009200',
    "1'200",
    '1’200',
    '1_200',
    '１，２００',
    '１２００',
    '١٬٢٠٠',
    '१,२००',
    ' 1,200 ',
    '\u200E1,200\u200E',
    '01,200',
  ])('takes page=%j for page 1,200, as the pager writes it somewhere in the world', (page) => {
    expect(parseList({ page })).toEqual({ list: { ...DEFAULTS, page: 1200 }, notices: [] });
  });

  test.each([
    ['0', 0],
    ['-3', -3],
    ['−3', -3],
    ['007', 7],
    ['1,234,567', 1234567],
    ['12,34,567', 1234567],
    ['99999999999999999999', 1e20],
  ])('takes page=%s as a number', (page, number) => {
    expect(parseList({ page }).list.page).toBe(number);
  });
});

test('the way back to the list travels with a link, and comes out as it went in', () => {
  const states = fc.record({
    page: fc.integer({ min: 1, max: 1e6 }),
    perPage: fc.integer({ min: 1, max: 100 }),
    status: fc.constantFrom('active', 'inactive', undefined),
    role: fc.constantFrom(...ROLES, undefined),
    createdAfter: fc.constantFrom('2026-01-31', undefined),
    createdBefore: fc.constantFrom('2026-02-01', undefined),
    sort: fc.constantFrom('id', '-id', 'username', '-email', 'created'),
  });
  fc.assert(
    fc.property(states, (list) => {
      const address = new URL(`/users/1${fromParameter(list as never)}`, 'http://localhost');
      expect(parseFrom(parseQuery(address.search), NOW)).toEqual(list);
    }),
  );
});

test('dates the wrong way round are said to be', () => {
  const { notices } = parseList({ created_after: '2026-02-01', created_before: '2026-01-31' });
  expect(notices).toEqual(['Nobody was created between these dates: the first is after the second.']);
});

test.each(['page=-5', 'page=0', `page=${'9'.repeat(30)}`])('a way back to %s is a way to page 1', (from) => {
  expect(parseFrom({ from }, NOW).page).toBe(1);
});

test('whatever is written into the way back, it leads to the list', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.constant('//evil.example')), (from) => {
      expect(listAddress(parseFrom({ from }, NOW))).toMatch(/^\/users(\?|$)/);
    }),
  );
});
