/** What people do, one thing after the other, and what has to come of it. */
import { newToken } from '../../src/auth/tokens.ts';
import type { Answer } from './browser.ts';
import { expectThat, type Own, type Person } from './person.ts';

/** `givenUp` is told of each search that took too long, as it may where a machine has much else to do. */
export type World = { people: readonly Person[]; users: number; givenUp: () => void };
type Act = (person: Person, world: World) => Promise<void>;

/** Nobody makes more: who has so many deletes and changes them. */
const MOST_OWN = 30;
const PER_PAGE = 10;
const ORDERS = ['id', '-id', 'name', '-name', 'username', 'email', '-created'];

/** How often of all, and what it takes to do it. */
const ACTS: readonly [weight: number, may: (person: Person) => boolean, act: Act][] = [
  [20, anyone, turnPage],
  [12, anyone, search],
  [6, anyone, narrow],
  [10, anyone, look],
  [4, anyone, readHistory],
  [1, anyone, comeBack],
  [10, (person) => edits(person) && person.own.length < MOST_OWN, create],
  [10, (person) => standing(person).length > 0, change],
  [5, (person) => standing(person).length > 2, remove],
  [4, (person) => gone(person).length > 0, restore],
  [1, ({ role }) => role === 'admin', endSessions],
];

/** Something at random of what they may. */
export async function actOnce(person: Person, world: World): Promise<void> {
  const possible = ACTS.filter(([, may]) => may(person));
  let left = Math.random() * possible.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, , act] of possible) {
    left -= weight;
    if (left < 0) return act(person, world);
  }
}

/** That whomever they have made is as they have left them. */
export async function expectOwn(person: Person): Promise<void> {
  for (const one of person.own) await expectPage(person, one);
}

function anyone(): boolean {
  return true;
}

function edits({ role }: Person): boolean {
  return role === 'editor' || role === 'admin';
}

const standing = ({ own }: Person) => own.filter(({ isDeleted }) => !isDeleted);
const gone = ({ own }: Person) => own.filter(({ isDeleted }) => isDeleted);

function below(end: number): number {
  return Math.floor(Math.random() * end);
}

function one<T>(of: readonly T[]): T {
  return of[below(of.length)] as T;
}

async function turnPage(person: Person, { users }: World): Promise<void> {
  const path = `/users?page=${1 + below(users / PER_PAGE)}&per_page=${PER_PAGE}&sort=${one(ORDERS)}`;
  const answer = await person.get(path);
  expectThat(answer.status === 200 && numbersIn(answer).length === PER_PAGE, path, answer);
}

async function search(person: Person, { people, givenUp }: World): Promise<void> {
  const { id, username } = one(people);
  const answer = await person.get(`/users?q=${username}`);
  if (isGivenUp(answer)) return givenUp();
  expectThat(numbersIn(answer).join() === `${id}`, `${username} is found`, answer);
}

async function narrow(person: Person, { givenUp }: World): Promise<void> {
  const path = `/users?status=${one(['active', 'inactive'])}&role=${one(['member', 'viewer', 'editor'])}`;
  const answer = await person.get(path);
  if (isGivenUp(answer)) return givenUp();
  expectThat(answer.status === 200, path, answer);
}

async function look(person: Person, { people }: World): Promise<void> {
  const mine = standing(person);
  if (mine.length > 0) return expectPage(person, one(mine));
  const { id, username } = one(people);
  const answer = await person.get(`/users/${id}`);
  expectThat(answer.status === 200 && answer.body.includes(username), `the page of ${username}`, answer);
}

async function readHistory(person: Person): Promise<void> {
  const answer = await person.get('/history');
  expectThat(answer.status === 200 && answer.body.includes('<h1>History'), 'the history', answer);
}

async function comeBack(person: Person): Promise<void> {
  await person.whileEnded(() => person.signOut());
  await person.signIn();
}

let made = 0;

async function create(person: Person): Promise<void> {
  const username = `made${++made}`;
  const form = { username, email: `${username}@example.org`, full_name: 'New', key: newToken() };
  const answer = await person.post('/users', form);
  const id = Number(/^\/users\/(\d+)$/.exec(answer.location)?.[1]);
  expectThat(answer.status === 303 && id > 0, `${username} is created`, answer);
  // A second click.
  if (below(5) === 0) {
    const again = await person.post('/users', form);
    expectThat(again.location === answer.location, `${username} is created once`, again);
  }
  person.own.push({ id, username, name: 'New', isDeleted: false });
}

async function change(person: Person): Promise<void> {
  const whom = one(standing(person));
  const form = await person.get(`/users/${whom.id}/edit`);
  const version = /name="version"[^>]* value="(\d+)"/.exec(form.body)?.[1];
  expectThat(version !== undefined, `the form of ${whom.username}`, form);
  const name = `Name ${++made}`;
  const answer = await person.post(`/users/${whom.id}`, { full_name: name, version: `${version}` });
  expectThat(answer.status === 303, `${whom.username} is changed`, answer);
  whom.name = name;
  await expectPage(person, whom);
}

async function remove(person: Person): Promise<void> {
  const whom = one(standing(person));
  const answer = await person.post(`/users/${whom.id}/delete`);
  expectThat(answer.status === 303, `${whom.username} is deleted`, answer);
  whom.isDeleted = true;
  await expectPage(person, whom);
}

async function restore(person: Person): Promise<void> {
  const whom = one(gone(person));
  const answer = await person.post(`/users/${whom.id}/restore`);
  expectThat(answer.status === 303, `${whom.username} is brought back`, answer);
  whom.isDeleted = false;
  await expectPage(person, whom);
}

async function endSessions(person: Person, { people }: World): Promise<void> {
  const whom = one(people.filter((other) => other !== person));
  await whom.whileEnded(async () => {
    const answer = await person.post(`/users/${whom.id}/sessions/delete`);
    expectThat(answer.status === 303, `${whom.username} is signed out`, answer);
  });
}

async function expectPage(person: Person, { id, username, name, isDeleted }: Own): Promise<void> {
  const answer = await person.get(`/users/${id}`);
  expectThat(answer.status === (isDeleted ? 404 : 200), `${username} is there`, answer);
  expectThat(answer.body.includes(name), `${username} is called ${name}`, answer);
}

function isGivenUp({ status, body }: Answer): boolean {
  return status === 422 && body.includes('<h2>Too many at once</h2>');
}

/** Of the users in a list. */
function numbersIn({ body }: Answer): number[] {
  const table = /<tbody>.*<\/tbody>/s.exec(body)?.[0] ?? '';
  return [...table.matchAll(/href="\/users\/(\d+)/g)].map(([, id]) => Number(id));
}
