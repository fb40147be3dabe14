/** Who asks again and again without a pause. All times are in milliseconds, by a stopwatch. */

/** Whoever asks more often without such a pause is in a burst. */
const BURST = 3;
const PAUSE = 1_000;

export type Client<Who> = { who: Who; count: number; last: number };

export function isBursting(client: Client<unknown> | undefined): boolean {
  return client !== undefined && client.count > BURST;
}

/** Knows those who have asked within the last pause or the one before: whoever else asks has paused. */
export class BurstTracker<Who> {
  #recent = new Map<Who, Client<Who>>();
  #before = new Map<Who, Client<Who>>();
  #since = 0;

  note(who: Who, now: number): Client<Who> {
    const client = this.#recent.get(who) ?? this.#before.get(who) ?? { who, count: 0, last: now };
    client.count = now - client.last < PAUSE ? client.count + 1 : 1;
    this.keep(client, now);
    return client;
  }

  /** They have waited until now: that is no pause. */
  keep(client: Client<Who>, now: number): void {
    if (now - this.#since >= PAUSE) {
      this.#before = this.#recent;
      this.#recent = new Map();
      this.#since = now;
    }
    client.last = now;
    this.#recent.set(client.who, client);
  }
}
