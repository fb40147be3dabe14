/** What is asked for: whose turn it is first follows from that. */
import type { IncomingMessage } from 'node:http';
import type { Kind } from './admission-queue.ts';
import { withoutBase } from './host.ts';

/** When a form is sent; its page is read like any other: else whoever asks for that alone would hold up all who read. */
const SIGNING_IN = /^\/(sign-in|sign-out|setup|invitations)(?=[/?]|$)/;
/** Many users at once. An undo may be of one of them. */
const BULK = /^\/(bulk|imports?|export|made-up-people)(?=[/?]|$)/;

/** @param basePath that a proxy may have left before its address */
export function kindOf({ method, url = '' }: IncomingMessage, basePath: string): Kind {
  const path = withoutBase(url, basePath);
  if (method === 'POST' && SIGNING_IN.test(path)) return 'signing in';
  if (BULK.test(path)) return 'bulk';
  return method === 'GET' || method === 'HEAD' ? 'reading' : 'writing';
}
