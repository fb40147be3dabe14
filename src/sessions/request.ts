/** What the handlers of sessions read from a request's address. */
import { NotFoundError } from '../errors.ts';
import { plainNumber } from '../lib/text.ts';

/** @throws NotFoundError for what is no number of any session. */
export function sessionIdFrom({ params }: { params: { session: string } }): number {
  const id = plainNumber(params.session);
  if (id === undefined) throw new NotFoundError('There is no such session.');
  return id;
}
