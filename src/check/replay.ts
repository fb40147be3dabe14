/** The history of one user, taken change by change, beside what they are now. */
import type { User } from '../db/schema.ts';
import type { DeletedUser } from '../history/deleted-queries.ts';
import { isDeletion, unpackFields, unpackValues } from '../history/fields.ts';
import type { KeptField } from '../history/kinds.ts';
import { type Fault, PUT_BACK } from './finding.ts';
import type { CheckedChange } from './queries.ts';

const KIND = 'users whose history does not fit';
const OLDER_ROSTER =
  'An older Roster that went on beside a newer one leaves this: stop it. If there was none, put back the last backup that checks clean: npm run roster -- restore FILE.';

export class Replay {
  readonly id: number;
  user: User | undefined;
  deleted: DeletedUser | undefined;
  isErased = false;
  readonly #faults: Fault[] = [];
  #values: Partial<Record<KeptField, unknown>> = {};
  #first: number | undefined;
  #last: CheckedChange | undefined;
  #isGone = false;
  #at = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Each version after the one before. */
  take(change: CheckedChange): void {
    const { version, fields } = change;
    this.#first ??= version;
    if (this.#last && version !== this.#last.version + 1)
      this.#say(`has no version ${this.#last.version + 1}`);
    this.#takeTime(change);
    this.#isGone = false;
    if (fields !== null && this.isErased) this.#say('still has values, and they were erased');
    else if (fields !== null && !isReadable(fields)) this.#say(`cannot be read at version ${version}`);
    else if (fields !== null) this.#takeFields(version, fields);
    this.#last = change;
  }

  #takeTime({ version, at, set_at }: CheckedChange): void {
    if (set_at === null) this.#say(`has version ${version} of a change set that is not there`);
    const own = at ?? set_at ?? this.#at;
    if (own < this.#at) this.#say(`has version ${version} earlier than the one before`);
    this.#at = own;
  }

  #takeFields(version: number, fields: string): void {
    const before = isDeletion(fields) ? unpackValues(fields) : undefined;
    this.#isGone = before !== undefined;
    const pairs = Object.entries(before ?? unpackFields(fields));
    for (const [name, value] of pairs) {
      const { was, became } = before
        ? { was: value, became: value }
        : (value as { was: unknown; became: unknown });
      if (name in this.#values && this.#values[name as KeptField] !== was)
        this.#say(`does not fit together at ${name} of version ${version}`);
      this.#values[name as KeptField] = became;
    }
  }

  /** @param begun up to which version there may be none of them, for they were there before or came with many others */
  end(begun: number): readonly Fault[] {
    const { user, deleted, isErased } = this;
    if ([user, deleted, isErased || undefined].filter((fate) => fate !== undefined).length > 1)
      this.#say('has them in two states at once');
    else if (isErased) return this.#faults;
    else if (user) this.#endOf(user);
    else if (deleted) this.#endOfDeleted(deleted);
    else this.#say('is there, and they are neither there nor deleted nor erased');
    const first = this.#first ?? (user?.version ?? 0) + 1;
    if (first > begun + 1) this.#say('does not say how they came', OLDER_ROSTER);
    return this.#faults;
  }

  #endOf(user: User): void {
    const last = this.#last;
    if (last && last.version !== user.version)
      this.#say(`ends at version ${last.version}, and they are at ${user.version}`, OLDER_ROSTER);
    else if (this.#isGone) this.#say('has them deleted, and they are there');
    for (const [name, value] of Object.entries(this.#values))
      if (user[name as KeptField] !== value) this.#say(`has another ${name} than they have`);
  }

  #endOfDeleted({ version, fields, set_id }: DeletedUser): void {
    const last = this.#last;
    if (last?.version !== version || last.fields !== fields || last.set_id !== set_id)
      this.#say('does not end with what they were when they were deleted');
  }

  #say(what: string, todo = PUT_BACK): void {
    this.#faults.push({ kind: KIND, what: `The history of user ${this.id} ${what}.`, todo });
  }
}

function isReadable(fields: string): boolean {
  try {
    const read: unknown = JSON.parse(fields);
    return typeof read === 'object' && read !== null && !Array.isArray(read);
  } catch {
    return false;
  }
}
