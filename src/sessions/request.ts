/** What the handlers of sessions read from a request's address. */
import { NotFoundError } from '../errors.ts';

/** @throws NotFoundError for what is no number of any session. */
export function sessionIdFrom({ params }: { params: { session: string } }): number {
  if (!/^[1-9]\d{0,14}$/.test(params.session)) throw new NotFoundError('There is no such session.');
  return Number(params.session);
}
