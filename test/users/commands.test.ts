import { expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { ROLES, type Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ContendedError, ForbiddenError, NotFoundError } from '../../src/errors.ts';
import { changeUser, createUser, deleteUser } from '../../src/users/commands.ts';
import { addUser, temporaryDatabase } from '../support.ts';

const NEW = {
  username: 'nia',
  email: 'nia@example.org',
  full_name: null,
  is_active: true,
  role: 'member',
} as const;

/** Someone with a role, and what was noted of what they did. */
function someone(role: Role): { actor: Actor; notes: string[] } {
  const notes: string[] = [];
  const note: Actor['note'] = (event, user) => notes.push(`${event} (${user?.username})`);
  return { actor: { ...commandLine, role, via: 'form', note }, notes };
}

test.each([
  ['create a member', ['editor', 'admin'], 'member', 'create'],
  ['create someone with a role', ['admin'], 'viewer', 'create'],
  ['change a member', ['editor', 'admin'], 'member', 'change'],
  ['change someone with a role', ['admin'], 'viewer', 'change'],
  ['give a member a role', ['admin'], 'member', 'promote'],
  ['delete a member', ['editor', 'admin'], 'member', 'delete'],
  ['delete someone with a role', ['admin'], 'viewer', 'delete'],
] as const)('to %s is for %s, whichever way they come', async (_what, allowed, role, act) => {
  const db = await temporaryDatabase();
  for (const who of ROLES) {
    const { id } = await addUser(db, { username: `target-${who}`, role });
    const { actor } = someone(who);
    const acts = {
      create: () => transact(db, (trx) => createUser(trx, actor, { ...NEW, role }, 1)),
      change: () => transact(db, (trx) => changeUser(trx, actor, id, { full_name: 'Nia' }, 1)),
      promote: () => transact(db, (trx) => changeUser(trx, actor, id, { role: 'editor' }, 1)),
      delete: () => transact(db, (trx) => deleteUser(trx, actor, id, 2)),
    };
    const before = await db.selectFrom('users').selectAll().execute();
    if ((allowed as readonly Role[]).includes(who)) {
      const { user } = await acts[act]();
      if (act === 'create') await transact(db, (trx) => deleteUser(trx, commandLine, user.id, 2));
    } else {
      await expect(acts[act](), who).rejects.toThrow(ForbiddenError);
      expect(await db.selectFrom('users').selectAll().execute()).toEqual(before);
    }
  }
});

test('what was done is noted once it is saved, once, and never if it is not', async () => {
  const db = await temporaryDatabase();
  const { actor, notes } = someone('admin');
  const failing = transact(db, async (trx) => {
    await createUser(trx, actor, { ...NEW, role: 'viewer' }, 1);
    throw new Error('Something else fails.');
  });
  await expect(failing).rejects.toThrow('Something else fails.');
  expect(notes).toEqual([]);

  let attempts = 0;
  const { user } = await transact(db, async (trx) => {
    const created = await createUser(trx, actor, { ...NEW, role: 'viewer' }, 1);
    expect(notes).toEqual([]);
    if (++attempts === 1) throw new ContendedError('Again, please.');
    return created;
  });
  expect(notes).toEqual(['role given: viewer (nia)']);
  await transact(db, (trx) => changeUser(trx, actor, user.id, { role: 'editor', is_active: false }, 1));
  await transact(db, (trx) => deleteUser(trx, actor, user.id, 2));
  expect(notes.slice(1)).toEqual([
    'role changed from viewer to editor (nia)',
    'deactivated (nia)',
    'deleted (nia)',
  ]);
});

test('whoever is not there is neither changed nor deleted', async () => {
  const db = await temporaryDatabase();
  const { actor } = someone('viewer');
  await expect(transact(db, (trx) => changeUser(trx, actor, 7, {}, 1))).rejects.toThrow(NotFoundError);
  await expect(transact(db, (trx) => deleteUser(trx, actor, 7, 2))).rejects.toThrow(NotFoundError);
});
