/** A user, with all that one has: a test says what matters to it. */
import { derivedColumns } from '../../src/db/derived-columns.ts';
import type { User } from '../../src/db/schema.ts';
import { newUserSchema } from '../../src/users/validation.ts';

export function aUser(more: Partial<User> = {}): User {
  const user = { ...newUserSchema.parse({ username: 'ada', email: 'ada@example.org' }), ...more };
  return { id: 1, created_at: 1, updated_at: 1, version: 1, ...derivedColumns(user), ...user };
}
