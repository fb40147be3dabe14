/** One of those who work with Roster: who they are, and that they are signed in for as long as nobody ends that. */
import type { Role } from '../../src/db/schema.ts';
import { pageOf } from '../page.ts';
import { type Answer, Browser, type Timed } from './browser.ts';

const MOST_SAID = 400;
export const PASSWORD = 'forty people at work';

/** Somebody whom one person alone has made and changes. */
export type Own = { id: number; username: string; name: string; isDeleted: boolean };

/** An answer that is not what it has to be. */
export class WrongAnswer extends Error {
  override name = 'WrongAnswer';
}

/** @throws WrongAnswer with what was asked and answered */
export function expectThat(isRight: boolean, what: string, answer?: Answer): void {
  if (isRight) return;
  throw new WrongAnswer(answer ? `${what}: ${said(answer)}` : what);
}

function said({ status, location, body }: Answer): string {
  const text = body.includes('<main') ? pageOf(body).text : body;
  return `${status} ${location} ${text.slice(0, MOST_SAID)}`;
}

export class Person {
  readonly id: number;
  readonly username: string;
  readonly role: Role;
  readonly own: Own[] = [];
  readonly #browser: Browser;
  /** Others end sessions of theirs: so many just now, and when the last of them was done. */
  #ending = 0;
  #endedAt = 0;
  #signedInAt = Number.NaN;

  constructor(
    user: { id: number; username: string; role: Role },
    origins: string | readonly string[],
    timed?: Timed,
  ) {
    ({ id: this.id, username: this.username, role: this.role } = user);
    this.#browser = new Browser(origins, `2001:db8:${user.id.toString(16)}::1`, timed);
  }

  async signIn(): Promise<void> {
    this.#signedInAt = performance.now();
    const { username } = this;
    const answer = await this.#browser.post('/sign-in', { username, password: PASSWORD }, 'work');
    expectThat(answer.status === 303, `${username} signs in`, answer);
  }

  async signOut(): Promise<void> {
    const answer = await this.#browser.post('/sign-out');
    expectThat(answer.status === 303, `${this.username} signs out`, answer);
    const after = await this.#browser.get('/users');
    expectThat(leadsToSignIn(after), `${this.username} is signed out`, after);
  }

  /** What ends their session, whenever that is while it is done. */
  async whileEnded(end: () => Promise<void>): Promise<void> {
    this.#ending++;
    await end();
    this.#ending--;
    this.#endedAt = performance.now();
  }

  get(path: string, kind?: 'work'): Promise<Answer> {
    return this.#signedIn(() => this.#browser.get(path, kind));
  }

  post(path: string, fields?: Record<string, string>, kind?: 'work'): Promise<Answer> {
    return this.#signedIn(() => this.#browser.post(path, fields, kind));
  }

  bring(content: string): Promise<Answer> {
    return this.#signedIn(() => this.#browser.postFile('/import', { name: 'users.csv', content }));
  }

  close(): void {
    this.#browser.close();
  }

  /** Signs in again where that is over, and nowhere else. */
  async #signedIn(ask: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const answer = await ask();
      if (!leadsToSignIn(answer)) return answer;
      const isEnded = this.#ending > 0 || this.#endedAt >= this.#signedInAt;
      expectThat(isEnded, `${this.username} is signed in`, answer);
      await this.signIn();
    }
  }
}

/** A page, or a form, which is kept meanwhile. */
function leadsToSignIn({ status, location }: Answer): boolean {
  return status === 401 || (status === 303 && location.startsWith('/sign-in'));
}
